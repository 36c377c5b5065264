"""The figures of api.py as Markdown. Pure: a report in, text out."""
from table import spread


def render(report):
    rounds = report["rounds"]

    def column(key, digits=2):
        values = [r[key] for r in rounds if r[key] is not None]
        return spread(values, digits) if values else ""

    def ratio(above, below):
        return spread([r[above] / r[below] for r in rounds], 2)

    idle = report["idle"]
    lines = [
        "## The HTTP API",
        "",
        "| What | Median (min-max) of %d rounds |" % len(rounds),
        "|---|---|",
        "| sync-command on 100 phones, keep-alive, p50 ms | %s |" % column("sync_p50_ms"),
        "| the same by dispatch alone, p50 ms | %s |" % column("alone_p50_ms"),
        "| ratio of the p50 | %s |" % ratio("sync_p50_ms", "alone_p50_ms"),
        "| sync-command on 100 phones, p99 ms | %s |" % column("sync_p99_ms"),
        "| the same by dispatch alone, p99 ms | %s |" % column("alone_p99_ms"),
        "| sync-command with 1 phone, 64 connections, requests a second | %s |" % column("one_per_s", 0),
        "| async jobs accepted (on disk) a second, 64 connections | %s |" % column("jobs_per_s", 0),
        "| SQLite's own batched insert of the same rows, jobs a second | %s |" % column("sqlite_jobs_per_s", 0),
        "| ratio | %s |" % ratio("jobs_per_s", "sqlite_jobs_per_s"),
        "| task query while tasks are accepted, p50 ms | %s |" % column("query_p50_ms"),
        "| task query while tasks are accepted, p99 ms | %s |" % column("query_p99_ms"),
        "| memory of an idle connection, %d held, KiB | %.2f |" % (idle["connections"], idle["kib_each"]),
        "",
        "Rounds are interleaved, ratios taken within a round. Server, dispatch and SQLite share one core, client and phones the "
        "other; accepted jobs run meanwhile, but SQLite waits for their end. Other programs used %.2f cores." %
        report["noise"]["others_cores"],
    ]
    if report["quick"]:
        lines.append("A quick run: these times say nothing.")
    return "\n".join(lines)
