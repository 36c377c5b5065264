"""What was aimed at, what was measured, and whether that is reached. Pure: the reports of the parts in, text out."""
import statistics
import typing

import fanout_table
import fleet_table
import jobs_table

AT = "100"  # phones, where an aim names no other number
IDLE = ("100", "1000")
LARGEST = 10_000  # of a whole run
NO_FLEET = {"phones": 0, "restart": {}, "neighbours": {}, "discovery": {}, "idle": {}}
NO_JOBS = {"big_bytes": 100_000_000, "times": {"drover": {}}, "steps": {"phones": 1, "rounds": []}}


class Aim(typing.NamedTuple):
    label: str
    values: list  # one a round; empty: not measured
    relation: str = ""
    limit: float | None = None  # None: shown for honesty beside an aim, not judged
    worst: float | None = None


def fanout_aims(sizes):
    at = sizes.get(AT, {})
    cost = lambda way, base, found=at: fanout_table.ratios(found, way, base)
    runs = lambda way: at.get(way, {}).get("runs", [])
    p50 = [a["call_p50_us"] / b["call_p50_us"] for a, b in zip(runs("drover"), runs("floor"))]
    tail = [r["call_p99_us"] / r["call_p50_us"] for r in runs("drover") if r["call_p99_us"]]
    largest = max([int(size) for size in sizes if int(size) > int(AT)], default=LARGEST)
    there = cost("drover", "floor", sizes.get(str(largest), {}))
    growth = [far / near for far, near in zip(there, cost("drover", "floor"))]
    return [Aim("CPU of a no-op command, drover / floor, 100 phones", cost("drover", "floor"), "<=", 1.15, 1.25),
            Aim("CPU, drover / a floor that also ends at the exit code, 100 phones", cost("drover", "floor_exit")),
            Aim("CPU, back to back, drover (a call per command) / its floor, 100 phones", cost("drover_chain", "floor_chain")),
            Aim("one command to 100 phones, p50, drover / floor", p50, "<=", 1.10),
            Aim("the same, drover's p99 / p50", tail, "<=", 1.5),
            Aim("CPU, `xargs adb` / drover, 100 phones", cost("xargs", "drover"), ">=", 250, 200),
            Aim("CPU, smart-socket client / drover, 100 phones", cost("socket", "drover"), ">=", 25),
            Aim("growth of that CPU from 100 to %d phones, drover's / the floor's" % largest, growth, "<=", 1.1)]


def fleet_aims(report):
    restart, idle = report["restart"], report["idle"]
    last = lambda way: [max(r["ready_ms"]) for r in restart.get(way, []) if len(r.get("ready_ms", [])) == report["phones"]]
    hole = [a / b for a, b in zip(last("drover with a black hole"), last("drover"))]
    near = report["neighbours"]
    tail = [a["p99_us"] / b["p99_us"] for a, b in zip(near.get("with", []), near.get("without", []))]
    seen = report["discovery"].get("lost_ms", []) + report["discovery"].get("listed_ms", [])
    aims = [Aim("phones that return, until all take commands, adb server / drover", fleet_table.sooner(report), ">=", 10),
            Aim("the same, for drover left to itself", fleet_table.sooner(report, "returned"), ">=", 10),
            Aim("all phones of drover, with a black hole / without", hole, "<=", 1.5),
            Aim("p99 of good phones' rows, with bad neighbours / without", tail, "<=", 1.10),
            Aim("until a change is seen, ms, the slowest", [max(seen)] if seen else [], "<=", 200)]
    for size in IDLE:
        cores = [r["cpu_core"] * 1e4 / int(size) for r in idle.get(size, [])]
        aims.append(Aim("idle CPU, %% of a core per 100 phones, %s phones" % size, cores, "<=", 1.0))
    memory = [r["kib_per_phone"] for r in idle.get("1000", [])]
    return aims + [Aim("user-space memory, KiB an idle phone, 1000 phones (judged there: with 100 the process's fixed cost is in it)",
                       memory, "<=", 8.0)]


def api_aims(rounds):
    ratios = lambda above, below: [r[above] / r[below] for r in rounds]
    return [Aim("sync-command on 100 phones, p50, by HTTP / by dispatch alone", ratios("sync_p50_ms", "alone_p50_ms"), "<=", 1.1),
            Aim("async jobs accepted on disk, HTTP / SQLite's own batched insert", ratios("jobs_per_s", "sqlite_jobs_per_s"), ">=", 0.7)]


def jobs_aims(report):
    big = "%d MB" % (report["big_bytes"] // 1_000_000)
    aims = [Aim("%s of %s, drover / adb in parallel" % (key.split()[0], big), jobs_table.sooner(report, key), ">=", 1.5)
            for key in ("push big", "pull big")]
    return aims + [Aim("a step of a job over its bare command, µs a phone", jobs_table.step_cost(report, "noted_ms"), "<=", 1000)]


def reached(aim, middle):
    if aim.limit is None:
        return ""
    if middle is None:
        return "not measured"
    within = lambda limit: limit is not None and (middle <= limit if aim.relation == "<=" else middle >= limit)
    return "yes" if within(aim.limit) else "within the worst case" if within(aim.worst) else "no"


def collect(fanout, fleet, api, jobs):
    """Every aim, also of a part that gave no figures (None)."""
    aims = fanout_aims(fanout["sizes"] if fanout else {}) + fleet_aims(fleet or NO_FLEET)
    aims += api_aims(api["rounds"] if api else []) + jobs_aims(jobs or NO_JOBS)
    middles = [statistics.median(aim.values) if aim.values else None for aim in aims]
    return [{"aim": aim.label, "relation": aim.relation, "limit": aim.limit, "worst": aim.worst, "median": middle,
             "reached": reached(aim, middle)} for aim, middle in zip(aims, middles)]


def row(found):
    limit = "" if found["limit"] is None else "%s %g" % (found["relation"], found["limit"])
    if found["worst"] is not None:
        limit += " (%g at worst)" % found["worst"]
    if found["median"] is None:
        return "| %s | %s | not measured | |" % (found["aim"], limit)
    return "| %s | %s | %.3g | %s |" % (found["aim"], limit, found["median"], "**no**" if found["reached"] == "no" else found["reached"])


def render(found):
    """found: of collect()."""
    return "\n".join(["| aim | limit | measured, median | reached |", "| --- | --- | --- | --- |"] + [row(aim) for aim in found])
