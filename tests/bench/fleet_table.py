"""The figures of fleet.py as Markdown. Pure: a report in, text out."""
import statistics

import table

WAYS = {"drover": "**drover**, asked for a command", "returned": "**drover**, left to itself", "adb": "adb server"}
ORDER = list(WAYS)


def restart_row(report, key):
    runs = report["restart"][key]
    way, _, hole = key.partition(" ")
    name = WAYS[way] + (" " + hole if hole else "")
    reached = [run for run in runs if "ready_ms" in run]
    if not reached:
        return "| %s | not reached: %s | | |" % (name, runs[0]["not_reached"])
    phones, bound = report["phones"], report["adb_bound_s"]
    counts = [len(run["ready_ms"]) for run in reached]
    half = [statistics.median(run["ready_ms"]) for run in reached if len(run["ready_ms"]) * 2 > phones]
    last = [max(run["ready_ms"]) for run in reached if len(run["ready_ms"]) == phones]
    missing = "not within %d s" % bound
    if last and len(last) < len(reached):
        missing = "; %d of %d rounds not within %d s" % (len(reached) - len(last), len(reached), bound)
        return "| %s | %s | %s%s | %s |" % (name, table.spread(half, 0), table.spread(last, 0), missing, table.spread(counts, 0))
    return "| %s | %s | %s | %s |" % (name, table.spread(half, 0) if half else missing, table.spread(last, 0) if last else missing,
                                      table.spread(counts, 0))


def restart(report):
    if not report["restart"]:
        return []
    out = ["", "### All phones restarted at once", "",
           "%d phones vanish, are away for %d s, and return together. Milliseconds from their return until they took a command; left to"
           " itself: until drover saw by itself that they had booted. The adb server is polled, and asked as soon as it lists a phone." %
           (report["phones"], report["away_s"]),
           "With a black hole: one more phone does not return, and its address swallows every connection.", "",
           "| way | half of the phones, ms | all phones, ms | phones that came back |", "| --- | --- | --- | --- |"]
    out += [restart_row(report, key) for key in sorted(report["restart"], key=lambda k: ("black" in k, ORDER.index(k.split()[0])))]
    for way in ("drover", "returned"):
        ratios = sooner(report, way)
        if ratios:
            out += ["", "%s: sooner than the adb server, for all of them, %s times." % (WAYS[way], table.spread(ratios, 1))]
    return out


def sooner(report, way="drover"):
    pairs = zip(report["restart"].get("adb", []), report["restart"].get(way, []))
    return [max(a["ready_ms"]) / max(d["ready_ms"]) for a, d in pairs
            if len(a.get("ready_ms", [])) == len(d.get("ready_ms", [])) == report["phones"]]


def neighbours(report):
    found = report["neighbours"]
    if not found.get("with"):
        return []
    out = ["", "### Bad neighbours", "",
           "Rows of 100 good phones, a command on all at once, beside one phone that hangs, one that flaps and one black hole.", "",
           "| | p50 ms | p99 ms |", "| --- | --- | --- |"]
    for key, name in (("without", "100 good phones alone"), ("with", "with the three bad ones")):
        out.append("| %s | %s | %s |" % (name, table.spread([r["p50_us"] / 1e3 for r in found[key]], 2),
                                       table.spread([r["p99_us"] / 1e3 for r in found[key]], 2)))
    ratios = [a["p99_us"] / b["p99_us"] for a, b in zip(found["with"], found["without"])]
    return out + ["", "p99 with / without: %s." % table.spread(ratios, 2)]


def discovery(report):
    found = report["discovery"]
    if not found:
        return []
    out = ["", "### Until a change is seen", "", "| from | to a line of `drover status --watch`, ms |", "| --- | --- |",
           "| the phone's connection ends | %s |" % table.spread(found["lost_ms"], 1)]
    listed = table.spread(found["listed_ms"], 1) if found["listed_ms"] else "not reached: there is no adb on this host"
    return out + ["| the adb server lists the phone | %s |" % listed]


def idle(report):
    if not report["idle"]:
        return []
    out = ["", "### Idle phones", "", "| phones | CPU, % of a core | user-space memory, KiB a phone | wake-ups a second |",
           "| ---: | --- | --- | --- |"]
    for size, runs in sorted(report["idle"].items(), key=lambda item: int(item[0])):
        out.append("| %s | %s | %s | %s |" % (size, table.spread([r["cpu_core"] * 100 for r in runs], 3),
                                           table.spread([r["kib_per_phone"] for r in runs], 1),
                                           table.spread([r["wakeups_per_s"] for r in runs], 0)))
    sizes = sorted(map(int, report["idle"]))
    if len(sizes) > 1:
        whole = lambda size: statistics.median(r["kib_per_phone"] for r in report["idle"][str(size)]) * size
        step = (whole(sizes[-1]) - whole(sizes[0])) / (sizes[-1] - sizes[0])
        out += ["", "Memory is what the process's anonymous memory (pages of the program and its libraries are none) grew by since before"
                " its first phone, shared by its phones; each one beyond the first %d took %.1f KiB." % (sizes[0], step)]
    return out


def render(report):
    out = ["Medians (min-max) of %d interleaved rounds." % report["rounds"], *table.about(report["machine"], report["noise"])]
    out += restart(report) + neighbours(report) + discovery(report) + idle(report)
    if report["broken"]:
        out += ["", "**Broken:** " + report["broken"]]
    return "\n".join(out)
