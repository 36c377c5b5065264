"""The figures of jobs.py as Markdown. Pure: a report in, text out."""
import statistics

from table import spread


COPIES = ("push big", "pull big", "push small", "pull small")


def sooner(report, key):
    """How many times as fast as adb, of each round. Empty: there was no adb."""
    times = report["times"]
    return [b["s"] / a["s"] for a, b in zip(times["drover"].get(key, []), times.get("adb", {}).get(key, []))]


def step_cost(report, key):
    """Of one step of a job on one phone over the bare command, of each round, in µs. key: of steps.py."""
    found = report["steps"]
    return [(r[key] - r["bare_ms"]) / found["phones"] * 1e3 for r in found["rounds"]]


def files(report):
    count, big, small = report["phones"], report["big_bytes"], report["small_files"]
    rows = ["| %d phones | drover | adb in parallel | ratio of rounds | CPU s of drover | of adb | of the phones |" % count,
            "|---|---|---|---|---|---|---|"]
    labels = {"push big": "push of %d MB, MB/s" % (big // 1_000_000), "pull big": "pull of %d MB, MB/s" % (big // 1_000_000),
              "push small": "push of %d files, files/s" % small, "pull small": "pull of %d files, files/s" % small}
    for key in COPIES:
        label, per_phone = labels[key], big / 1e6 if key.endswith("big") else small
        ours, ratios = report["times"]["drover"][key], sooner(report, key)
        middle = lambda runs, what: statistics.median(r[what] for r in runs)
        if not ratios:
            rows.append("| %s | %.0f | **missing**: %s | | %.2f | | %.2f |" % (
                label, count * per_phone / middle(ours, "s"), report["no_adb"], middle(ours, "host_cpu_s"), middle(ours, "phones_cpu_s")))
            continue
        theirs = report["times"]["adb"][key]
        rows.append("| %s | %.0f | %.0f | %s | %.2f | %.2f | %.2f and %.2f |" % (
            label, count * per_phone / middle(ours, "s"), count * per_phone / middle(theirs, "s"), spread(ratios, 2),
            middle(ours, "host_cpu_s"), middle(theirs, "host_cpu_s"), middle(ours, "phones_cpu_s"), middle(theirs, "phones_cpu_s")))
    return rows + ["", "CPU of drover: its process; of adb: its clients and its server; of the phones: while drover copies, and while adb "
                   "does. All of them share the cores, so the phones' part bounds every ratio."]


def steps(report):
    found = report["steps"]
    rounds = found["rounds"]
    column = lambda key: spread([r[key] for r in rounds], 2)
    over = lambda key: spread(step_cost(report, key), 1)
    return ["| A step of a job on %d phones (%d steps, no-op) | of all phones, ms | over the bare command, µs a phone |" % (
                found["phones"], found["steps"]),
            "|---|---|---|",
            "| the bare command, over links that are up | %s | |" % column("bare_ms"),
            "| a step that is noted on disk before it runs | %s | %s |" % (column("noted_ms"), over("noted_ms")),
            "| an `idempotent` one | %s | %s |" % (column("idempotent_ms"), over("idempotent_ms")),
            "",
            "A run of %d phones and %d steps took %.1f s and at most %.0f MiB." % (found["herd"], found["herd_steps"],
                                                                                 found["herd_seconds"], found["herd_mib"])]


def render(report):
    m, n = report["machine"], report["noise"]
    lines = files(report) + [""] + steps(report)
    lines += ["", "%s, %d cores, %s; %d rounds; other programs used %.2f cores meanwhile. Virtual phones share the machine." % (
        m["cpu"], m["cores"], m["system"], report["rounds"], n["others_cores"])]
    return "\n".join(lines)
