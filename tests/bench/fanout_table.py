"""The figures of fanout.py as Markdown. Pure: a report in, text out."""
import statistics

import table
from table import spread

NAMES = {
    "floor": "bare epoll client (floor)",
    "drover": "**drover direct**",
    "floor_exit": "floor, closing at the exit code as drover does",
    "floor_ack": "floor, delayed_ack",
    "drover_ack": "drover direct, delayed_ack",
    "floor_chain": "floor, back to back",
    "drover_chain": "drover direct, back to back (a call per command)",
    "drover_server": "drover through the adb server",
    "socket": "a minimal smart-socket client",
    "xargs": "`xargs -P100 adb -s … shell true`",
}
# What each way is held against. Both are of the same round.
BASES = {"drover": "floor", "floor_exit": "floor", "floor_ack": "floor", "drover_ack": "floor_ack", "floor_chain": "floor",
         "drover_chain": "floor_chain", "drover_server": "floor", "socket": "floor", "xargs": "floor"}


def digits_for(value):
    return 1 if value < 100 else 0


def figures(runs, key):
    return [run[key] for run in runs]


def ratios(found, way, base):
    """Per round: cost of `way` over that of `base`."""
    pairs = zip(found.get(way, {}).get("runs", []), found.get(base, {}).get("runs", []))
    return [a["cpu_us"] / b["cpu_us"] for a, b in pairs]


def call_ms(runs, key):
    """Empty where it was not measured: no whole calls, or for the p99 fewer than 100 of them."""
    values = [run[key] for run in runs if run.get(key)]
    return "%.1f" % (statistics.median(values) / 1e3) if values else ""


def row(found, size, way):
    runs = found[way].get("runs")
    if not runs:
        return "| %d | %s | not reached: %s | | | | |" % (size, NAMES[way], found[way].get("not_reached", "not run"))
    name = NAMES[way]
    if "not_reached" in found[way]:
        name += " (**failed** in round %d: %s)" % (len(runs) + 1, found[way]["not_reached"])
    cpu, wall = figures(runs, "cpu_us"), figures(runs, "wall_us")
    against = ""
    if way in BASES and found[BASES[way]].get("runs"):
        values = ratios(found, way, BASES[way])
        against = spread(values, 2 if statistics.median(values) < 10 else 0)
        if BASES[way] != "floor":
            against += " of its floor"
    return "| %d | %s | %s | %s | %s | %s | %s |" % (size, name, spread(cpu, digits_for(statistics.median(cpu))), against,
                                                  spread(wall, digits_for(statistics.median(wall))), call_ms(runs, "call_p50_us"),
                                                  call_ms(runs, "call_p99_us"))


def headline(sizes):
    lines = []
    for size, found in sizes:
        if found["drover"].get("runs") and found["floor"].get("runs"):
            lines.append("- %d phones: drover direct / floor = %s" % (size, spread(ratios(found, "drover", "floor"), 2)))
        for way in ("xargs", "socket"):
            if found["drover"].get("runs") and found[way].get("runs"):
                lines.append("- %d phones: %s / drover direct = %s" % (size, way, spread(ratios(found, way, "drover"), 0)))
    return lines


def memory(sizes):
    """Growth of anonymous memory since before the first phone, at the largest size."""
    size, found = sizes[-1]
    if size < 100:
        return []
    lines = []
    for way in ("floor", "drover"):
        runs = found[way].get("runs", [])
        if not runs:
            continue
        linked = statistics.median((r["anon_linked_kib"] - r["anon_start_kib"]) / size for r in runs)
        used = statistics.median((r["anon_end_kib"] - r["anon_start_kib"]) / size for r in runs)
        lines.append("- %s: %.1f KiB a phone once linked, %.1f KiB after its commands" % (NAMES[way], linked, used))
    return ["", "Anonymous resident memory of the host process, growth since before the first phone (its inventory counts) / %d phones:" %
            size, ""] + lines


def render(report):
    m, noise = report["machine"], report["noise"]
    sizes = sorted((int(size), found) for size, found in report["sizes"].items())
    out = ["Host CPU and wall per no-op command (`true`), µs: median (min-max) of %d interleaved rounds of all sizes; ratios within a"
           " round." % report["rounds"],
           "CPU is that of all host processes of a way, the adb server included, never the phones'.",
           "The p99 of calls is left out where a way made fewer than 100 a round: it would be the slowest of a few.",
           *table.about(m, noise),
           "",
           "| phones | way | CPU µs a command | CPU / floor | wall µs a command | call p50 ms | call p99 ms |",
           "| ---: | --- | --- | --- | --- | ---: | ---: |"]
    for size, found in sizes:
        out += [row(found, size, way) for way in NAMES]
    out += ["", "CPU ratios:", ""] + headline(sizes) + memory(sizes)
    return "\n".join(out)
