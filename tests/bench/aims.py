"""What was aimed at, what was measured, and whether that is reached. Pure: the reports of the parts in, text out."""
import statistics

import fanout_table
import fleet_table
import jobs_table

AT = "100"  # phones, where an aim names no other number


def fanout_aims(sizes):
    """(aim, value or None, right if below or above, limit)."""
    at = sizes.get(AT)
    if not at:
        return []
    cost = lambda way, base: fanout_table.ratios(at, way, base)
    runs = lambda way, key: [r[key] for r in at[way].get("runs", []) if r.get(key)]
    p50 = [a / b for a, b in zip(runs("drover", "call_p50_us"), runs("floor", "call_p50_us"))]
    tail = [a / b for a, b in zip(runs("drover", "call_p99_us"), runs("drover", "call_p50_us"))]  # all runs have a p99, or none
    aims = [("CPU of a no-op command, drover / floor, 100 phones", cost("drover", "floor"), "<=", 1.15),
            ("one command to 100 phones, p50, drover / floor", p50, "<=", 1.10),
            ("the same, drover's p99 / p50", tail, "<=", 1.5),
            ("CPU, `xargs adb` / drover, 100 phones", cost("xargs", "drover"), ">=", 250),
            ("CPU, smart-socket client / drover, 100 phones", cost("socket", "drover"), ">=", 25)]
    largest = max(sizes, key=int)
    if int(largest) > 100:
        there = fanout_table.ratios(sizes[largest], "drover", "floor")
        here = cost("drover", "floor")
        growth = [statistics.median(there) / statistics.median(here)] if there and here else []
        aims.append(("growth of that CPU from 100 to %s phones, drover's / the floor's" % largest, growth, "<=", 1.1))
    return aims


def fleet_aims(report):
    restart, idle = report["restart"], report["idle"]
    last = lambda way: [max(r["ready_ms"]) for r in restart.get(way, []) if len(r.get("ready_ms", [])) == report["phones"]]
    hole = [a / b for a, b in zip(last("drover with a black hole"), last("drover"))]
    near = report["neighbours"]
    tail = [a["p99_us"] / b["p99_us"] for a, b in zip(near.get("with", []), near.get("without", []))]
    seen = report["discovery"].get("lost_ms", []) + report["discovery"].get("listed_ms", [])
    aims = [("phones that return, until all take commands, adb server / drover", fleet_table.sooner(report), ">=", 10),
            ("the same, for drover left to itself", fleet_table.sooner(report, "returned"), ">=", 10),
            ("all phones of drover, with a black hole / without", hole, "<=", 1.5),
            ("p99 of good phones' rows, with bad neighbours / without", tail, "<=", 1.10),
            ("until a change is seen, ms, the slowest", [max(seen)] if seen else [], "<=", 200)]
    for size, runs in sorted(idle.items(), key=lambda item: int(item[0])):
        aims.append(("idle CPU, %% of a core per 100 phones, %s phones" % size, [r["cpu_core"] * 1e4 / int(size) for r in runs], "<=", 1.0))
        if int(size) >= 1000:
            aims.append(("user-space memory, KiB an idle phone, %s phones" % size, [r["kib_per_phone"] for r in runs], "<=", 8.0))
    return aims


def api_aims(report):
    ratios = lambda above, below: [r[above] / r[below] for r in report["rounds"]]
    return [("sync-command on 100 phones, p50, by HTTP / by dispatch alone", ratios("sync_p50_ms", "alone_p50_ms"), "<=", 1.1),
            ("async jobs accepted on disk, HTTP / SQLite's own batched insert", ratios("jobs_per_s", "sqlite_jobs_per_s"), ">=", 0.7)]


def jobs_aims(report):
    big = "%d MB" % (report["big_bytes"] // 1_000_000)
    aims = [("%s of %s, drover / adb in parallel" % (key.split()[0], big), jobs_table.sooner(report, key), ">=", 1.5)
            for key in ("push big", "pull big")]
    return aims + [("a step of a job over its bare command, µs a phone", jobs_table.step_cost(report, "noted_ms"), "<=", 1000)]


def row(aim, values, relation, limit):
    if not values:
        return "| %s | %s %g | not measured | |" % (aim, relation, limit)
    middle = statistics.median(values)
    reached = middle <= limit if relation == "<=" else middle >= limit
    return "| %s | %s %g | %.3g | %s |" % (aim, relation, limit, middle, "yes" if reached else "**no**")


def render(fanout, fleet, api, jobs):
    aims = (fanout_aims(fanout["sizes"]) if fanout else []) + (fleet_aims(fleet) if fleet else [])
    aims += (api_aims(api) if api else []) + (jobs_aims(jobs) if jobs else [])
    return "\n".join(["| aim | limit | measured, median | reached |", "| --- | --- | --- | --- |"] + [row(*aim) for aim in aims])
