#!/usr/bin/env python3
"""All benchmarks in one report: Markdown on stdout and in DIR/report.md, all figures in DIR/report.json, plots beside them.

    report.py --build DIR [--quick] [--rounds N] [--phones N,N,...] [--fleet-rounds N]

DIR is a build of this repository with DROVER_BENCH=ON. scripts/bench does the building. Exit code 1: a part of drover's own was
broken; what could be measured is in the report all the same.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True  # leaves nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aims  # noqa: E402
import api_table  # noqa: E402
import fanout_table  # noqa: E402
import fleet_table  # noqa: E402
import jobs_table  # noqa: E402
import origin  # noqa: E402
import svg  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PLOTTED = {"floor": "floor", "drover": "drover direct", "drover_server": "drover through adb server", "socket": "smart-socket client",
           "xargs": "xargs adb"}


def part(name, build, folder, *arguments):
    """The report of one part, also when it says that something was broken. None: it wrote none."""
    path = folder / (name + ".json")
    path.unlink(missing_ok=True)
    argv = [sys.executable, str(HERE / (name + ".py")), "--build", str(build), "--json", str(path), *arguments]
    code = subprocess.run(argv, stdout=subprocess.DEVNULL).returncode
    return (json.loads(path.read_text()) if path.exists() else None), code


def points(sizes, way, figure):
    """(phones, median, min, max) at each size that this way reached."""
    out = []
    for size, found in sizes.items():
        values = [figure(run) for run in found.get(way, {}).get("runs", [])]
        values = [v for v in values if v and v > 0]
        if values:
            out.append((int(size), statistics.median(values), min(values), max(values)))
    return out


def plots(fanout, folder):
    """Writes them; returns (title, file name) of each."""
    sizes = fanout["sizes"]
    latency = []
    for way in ("floor", "drover", "drover_server", "socket"):
        for key, dashed, name in (("call_p50_us", False, "p50"), ("call_p99_us", True, "p99")):
            latency.append(("%s, %s" % (PLOTTED[way], name), dashed, points(sizes, way, lambda run: (run.get(key) or 0) / 1e3)))
    throughput = [(name, False, points(sizes, way, lambda run: 1e6 / run["wall_us"])) for way, name in PLOTTED.items()]
    cost = [(name, False, points(sizes, way, lambda run: run["cpu_us"])) for way, name in PLOTTED.items()]
    wanted = [("latency", "One command to all phones: until the last answered", "phones", "ms", latency),
              ("throughput", "No-op commands a second", "phones", "commands / s", throughput),
              ("cpu", "Host CPU per no-op command", "phones", "µs", cost)]
    written = []
    for name, title, x_name, y_name, series in wanted:
        text = svg.chart(title, x_name, y_name, series)
        if text:
            (folder / (name + ".svg")).write_text(text)
            written.append((title, name + ".svg"))
    return written


def head(measured, quick):
    """measured: of origin.describe()."""
    out = ["# drover, measured", "", "Commit %(commit)s; compiler %(compiler)s; build type %(build_type)s." % measured, ""]
    if quick:
        out += ["A quick run: these figures say nothing.", ""]
    if measured["adb"]:
        return out + ["Peers: %s, and a bare epoll client (the floor)." % measured["adb"]]
    return out + ["Peers: adb is **missing** on this host, so there is no adb server, no `xargs adb`, no smart-socket client and no"
                  " `adb push` below."]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="few phones, one round: does it work at all?")
    parser.add_argument("--rounds", type=int, help="of the fan-out (7)")
    parser.add_argument("--fleet-rounds", type=int, help="of the fleet part, which waits for the adb server (7)")
    parser.add_argument("--phones", help="fan-out sizes (1,10,100,1000,10000)")
    return parser.parse_args()


def main():
    o = parse_arguments()
    folder = o.build.resolve()
    measured = origin.describe(folder)
    quick = ["--quick"] if o.quick else []
    fanout_arguments = [*quick, *(["--rounds", str(o.rounds)] if o.rounds else []),
                        *(["--phones", o.phones or "1,10,100,1000,10000"] if o.phones or not o.quick else [])]
    fanout, fanout_code = part("fanout", folder, folder, *fanout_arguments)
    fleet, fleet_code = part("fleet", folder, folder, *quick, *(["--rounds", str(o.fleet_rounds)] if o.fleet_rounds else []))
    api, api_code = part("api", folder, folder, *quick)
    jobs, jobs_code = part("jobs", folder, folder, *quick)
    out = [*head(measured, o.quick), "", "## What a command costs", ""]
    out += [fanout_table.render(fanout)] if fanout else ["The fan-out gave no figures (exit code %d)." % fanout_code]
    for title, name in plots(fanout, folder) if fanout else []:
        out += ["", "![%s](%s)" % (title, name)]
    out += ["", "## Keeping a herd", ""]
    out += [fleet_table.render(fleet)] if fleet else ["The fleet part gave no figures (exit code %d)." % fleet_code]
    out += [""]
    out += [api_table.render(api)] if api else ["The API part gave no figures (exit code %d)." % api_code]
    out += ["", "## Files and jobs", ""]
    out += [jobs_table.render(jobs)] if jobs else ["The jobs part gave no figures (exit code %d)." % jobs_code]
    aimed = aims.collect(fanout, fleet, api, jobs)
    out += ["", "## Aims", "", aims.render(aimed)]
    text = "\n".join(out) + "\n"
    (folder / "report.md").write_text(text)
    report = {"schema": 1, **measured, "quick": o.quick, "aims": aimed, "fanout": fanout, "fleet": fleet, "api": api, "jobs": jobs}
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    print(text, end="")
    print("bench: written to %s: report.md, report.json and the plots" % folder, file=sys.stderr)
    sys.exit(1 if fanout_code or fleet_code or api_code or jobs_code else 0)


if __name__ == "__main__":
    main()
