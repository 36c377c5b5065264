#!/usr/bin/env python3
"""Keeping a herd: how soon phones that were lost take commands again, what bad neighbours cost, how soon a change is seen, and
what idle phones cost. drover and Debian's adb server in the same run.

    fleet.py --build DIR [--quick] [--rounds N] [--only restart,neighbours,discovery,idle] [--json FILE]

DIR is a build of this repository with DROVER_BENCH=ON. The table goes to stdout, progress to stderr. scripts/bench does the
building. Exit code 1: something of drover's that should have worked did not. Times are never judged.
"""
import argparse
import json
import os
import pathlib
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import adb_peer  # noqa: E402
import adb_watch  # noqa: E402
import adversity  # noqa: E402
import fleet_table  # noqa: E402
import machine  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
AWAY_SECONDS = 3        # how long restarted phones are gone
ADB_SECONDS_MAX = 60    # the server is watched no longer than that
CLIENT_SECONDS_MAX = 120
NEIGHBOUR_CALLS = 2000  # six seconds: one phone flaps four times meanwhile, and 1 % of the calls is 20
DROVER_MODES = {"drover": "recover", "returned": "returned"}
UNKNOWN, RUNNING = 0, 2  # documented states: a phone that was up and does not answer, one that has booted


class Broken(Exception):
    """Something of drover's did not work."""


class Bench:
    def __init__(self, options, folder, say):
        self.build, self.folder, self.say = pathlib.Path(options.build), folder, say
        self.adb_seconds_max = 10 if options.quick else ADB_SECONDS_MAX
        self.client = self.build / "tests" / "bench" / "bench_fleet"
        self.program = self.build / "drover"

    def run_client(self, *argv):
        done = subprocess.run([str(self.client), *map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=CLIENT_SECONDS_MAX, preexec_fn=machine.pin_to_host_core)
        if done.returncode != 0:
            raise Broken("bench_fleet %s: %s" % (argv[0], done.stderr.strip()[-300:]))
        return json.loads(done.stdout)

    # Part 1: all phones restarted at once; `hole`: one more phone does not return, its address swallows everything.
    def restart(self, way, phones, hole):
        herd = adversity.Herd(self.build, phones, self.folder, HERE / "phones.yaml", "herd")
        lost = adversity.Herd(self.build, 1, self.folder, HERE / "phones.yaml", "lost") if hole else None
        black_hole, peer = None, None
        addresses = herd.addresses() + (lost.addresses() if hole else [])
        try:
            if way != "adb":
                inventory = adversity.write_inventory(self.folder / "all.yaml", addresses)
                peer = subprocess.Popen([str(self.client), DROVER_MODES[way], "--inventory", str(inventory)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=machine.pin_to_host_core)
                if peer.stdout.readline() != "linked\n":
                    raise Broken("bench_fleet did not link to all phones")
            else:
                peer = adb_peer.start(addresses, self.folder, self.say)
                if peer is None or peer.connected < len(addresses):
                    return {"not_reached": "there is no adb on this host" if peer is None else peer.why}
            herd.kill()
            if lost:
                lost.kill()
                black_hole = adversity.BlackHole(lost.port)
            time.sleep(AWAY_SECONDS)
            if not herd.start():
                raise RuntimeError("the phones' ports were taken meanwhile")
            began = time.monotonic_ns()
            if way != "adb":
                peer.stdin.write("go %d %d\n" % (began, phones))
                peer.stdin.flush()
                return {"ready_ms": self.drover_times(peer, phones)}
            return {"ready_ms": adb_watch.times_until_ready(peer, herd.addresses(), began / 1e9, self.adb_seconds_max)}
        finally:
            if way == "adb" and peer is not None:
                peer.stop()
            elif peer is not None and peer.poll() is None:
                peer.kill()
                peer.wait()
            for herd_or_hole in (herd, lost):
                if herd_or_hole:
                    herd_or_hole.kill()
            if black_hole:
                black_hole.close()

    def drover_times(self, peer, phones):
        found = json.loads(peer.communicate(timeout=CLIENT_SECONDS_MAX)[0])["ready_ms"]
        if len(found) != phones:
            raise Broken("%d of %d phones took commands again" % (len(found), phones))
        return found

    # Part 2: rows of 100 good phones, with and without three bad ones in the same fleet.
    def neighbours(self, bad, calls):
        herd = adversity.Herd(self.build, 102 if bad else 100, self.folder, HERE / "neighbours.yaml", "herd")
        hole = adversity.BlackHole() if bad else None
        try:
            addresses = herd.addresses() + ([hole.address] if bad else [])
            inventory = adversity.write_inventory(self.folder / "neighbours.yaml", addresses)
            found = self.run_client("neighbours", "--inventory", inventory, "--good", 100, "--calls", calls)
            if found["bad"] or found["rows"] != 100 * calls:
                raise Broken("%d of %d rows of good phones are bad" % (found["bad"], found["rows"]))
            if bad and found["nuisance_failed"] == 0:
                raise Broken("no command on the bad phones failed: they were well, so the good ones had no bad neighbours")
            return found
        finally:
            herd.kill()
            if hole:
                hole.close()

    # Part 3: from the moment something happens until `drover status --watch` says so.
    def discovery(self, times):
        found = {"lost_ms": [], "listed_ms": []}
        server = adb_peer.start([], self.folder, self.say)
        for _ in range(times):
            herd = adversity.Herd(self.build, 1, self.folder, HERE / "phones.yaml", "herd")
            direct = adversity.write_inventory(self.folder / "direct.yaml", herd.addresses())
            with self.watching(direct, {}) as watch:
                watch.until(RUNNING)
                began = time.monotonic()
                herd.process.send_signal(signal.SIGKILL)
                found["lost_ms"].append((watch.until(UNKNOWN) - began) * 1e3)
            herd.kill()
            if server is None:
                continue
            herd = adversity.Herd(self.build, 1, self.folder, HERE / "phones.yaml", "herd")
            listed = adversity.write_inventory(self.folder / "listed.yaml", herd.addresses(), "server")
            with self.watching(listed, server.environment()) as watch:
                watch.first()
                server.ask("host:connect:" + herd.addresses()[0], 20)
                while herd.addresses()[0] not in server.online():
                    continue
                began = time.monotonic()
                found["listed_ms"].append((watch.until(RUNNING) - began) * 1e3)
            server.ask("host:disconnect:" + herd.addresses()[0], 20)
            herd.kill()
        if server is not None:
            server.stop()
        return found

    def watching(self, inventory, environment):
        return Watching([str(self.program), "status", "all", "--watch", "--output", "jsonl", "--inventory", str(inventory)],
                        {**os.environ, **environment})

    # Part 4: linked, and nothing to do.
    def idle(self, phones, seconds):
        herd = adversity.Herd(self.build, phones, self.folder, HERE / "phones.yaml", "herd")
        try:
            return self.run_client("idle", "--inventory", herd.inventory, "--seconds", seconds)
        finally:
            herd.kill()


class Watching:
    """`drover status --watch`, line by line, each with the time at which it could be read."""

    def __init__(self, argv, environment):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.left = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def first(self):
        return self.until(None)

    def until(self, status):
        """When a line with that documented status came (None: any line)."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if b"\n" not in self.left:
                if not self.selector.select(1):
                    continue
                data = os.read(self.process.stdout.fileno(), 65536)
                if not data:
                    break
                self.left += data
                continue
            line, self.left = self.left.split(b"\n", 1)
            if status is None or json.loads(line)["status"] == status:
                return time.monotonic()
        raise Broken("drover status --watch never said %s" % status)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--quick", action="store_true", help="few phones, one round: does it work at all?")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default="restart,neighbours,discovery,idle")
    parser.add_argument("--json", help="all figures, as JSON")
    o = parser.parse_args()
    o.rounds = o.rounds or (1 if o.quick else 7)
    o.only = o.only.split(",")
    return o


def measure(o, bench, report):
    phones = 8 if o.quick else 128
    sizes = [10] if o.quick else [100, 1000]
    scenarios = [(way, hole) for hole in (False, True) for way in ("drover", "returned", "adb")]
    report["phones"] = phones
    for number in range(o.rounds):
        if "restart" in o.only:
            for way, hole in scenarios:
                runs = report["restart"].setdefault(way + (" with a black hole" if hole else ""), [])
                runs.append(bench.restart(way, phones, hole))
        if "neighbours" in o.only:
            for bad in (False, True):
                runs = report["neighbours"].setdefault("with" if bad else "without", [])
                runs.append(bench.neighbours(bad, 20 if o.quick else NEIGHBOUR_CALLS))
        if "discovery" in o.only:
            for key, values in bench.discovery(1 if o.quick else 3).items():
                report["discovery"].setdefault(key, []).extend(values)
        if "idle" in o.only:
            for size in sizes:
                report["idle"].setdefault(str(size), []).append(bench.idle(size, 1 if o.quick else 10))
        bench.say("round %d of %d" % (number + 1, o.rounds))


def main():
    o = parse_arguments()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    watch = machine.Watch()
    report = {"schema": 1, "machine": machine.describe(), "rounds": o.rounds, "quick": o.quick, "away_s": AWAY_SECONDS,
              "adb_bound_s": 10 if o.quick else ADB_SECONDS_MAX, "restart": {}, "neighbours": {}, "discovery": {}, "idle": {}, "broken": ""}
    with tempfile.TemporaryDirectory(prefix="drover-bench-") as name:
        bench = Bench(o, pathlib.Path(name), lambda text: print("bench: " + text, file=sys.stderr, flush=True))
        try:
            measure(o, bench, report)
        except (Broken, RuntimeError) as why:  # the rounds before stay
            report["broken"] = str(why)
            bench.say(str(why))
    report["noise"] = watch.end()
    if o.json:
        pathlib.Path(o.json).write_text(json.dumps(report, indent=1) + "\n")
    print(fleet_table.render(report))
    sys.exit(1 if report["broken"] else 0)


if __name__ == "__main__":
    main()
