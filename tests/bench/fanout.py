#!/usr/bin/env python3
"""What a no-op command on N phones costs the host: drover, a bare epoll client, and adb's own ways, in one run.

    fanout.py --build DIR [--quick] [--rounds N] [--phones N,N,...] [--json FILE]

DIR is a build of this repository with DROVER_BENCH=ON. The table goes to stdout, progress to stderr. scripts/bench does
the building. Exit code 1: a way that should have worked gave a wrong row or ended with an error. Times are never judged.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # leaves nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import adb_peer  # noqa: E402
import fanout_table  # noqa: E402
import machine  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
LINK_SECONDS_MAX = 120  # a client that takes longer than this, start to end, is given up
READY_SECONDS_MAX = 60
ADB_PHONES_MAX = 2000  # the server takes phones one after the other; more would take it many minutes


class NotReached(Exception):
    """A peer that cannot do this many phones; the text says why."""


class Ways:
    """Each way: its name and how it runs `calls` commands on the first `phones` phones."""

    def __init__(self, build, inventory, server_inventory):
        self.programs = pathlib.Path(build) / "tests" / "bench"
        self.inventory = inventory
        self.server_inventory = server_inventory
        self.server = None  # the one with as many phones as are asked for

    def client(self, program, phones, calls, *flags, via_server=False):
        argv = [str(self.programs / program), "--phones", str(phones), "--calls", str(calls), *flags]
        argv += ["--inventory", str(self.server_inventory if via_server else self.inventory)]
        env = dict(os.environ)
        if via_server:
            argv += ["--peer", str(self.server.pid)]
            env.update(self.server.environment())
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                              timeout=LINK_SECONDS_MAX, preexec_fn=machine.pin_to_host_core)
        if done.returncode != 0:
            raise NotReached((done.stderr.strip().splitlines() or ["it ended with %d" % done.returncode])[-1])
        result = json.loads(done.stdout)
        if result["bad"] or result["commands"] != phones * calls:
            raise NotReached("%d of %d commands failed; %s" % (result["bad"], phones * calls, done.stderr.strip()))
        result["cpu_us"] += result["peer_cpu_us"]
        return result

    def needs_server(self, phones):
        if phones > ADB_PHONES_MAX:
            raise NotReached("not tried with more than %d phones, which the adb server takes one by one" % ADB_PHONES_MAX)
        if self.server is None:
            raise NotReached("there is no adb on this host" if not shutil.which("adb") else "the adb server did not start")
        if self.server.connected < phones:
            raise NotReached(self.server.why)

    def run(self, way, phones, calls):
        if way == "floor":
            return self.client("bench_floor", phones, calls)
        if way == "floor_exit":
            return self.client("bench_floor", phones, calls, "--exit-ends")
        if way == "floor_ack":
            return self.client("bench_floor", phones, calls, "--delayed-ack")
        if way == "floor_chain":
            return self.client("bench_floor", phones, calls, "--back-to-back")
        if way == "drover":
            return self.client("bench_drover", phones, calls)
        if way == "drover_ack":
            return self.client("bench_drover", phones, calls, "--delayed-ack")
        if way == "drover_chain":
            return self.client("bench_drover", phones, calls, "--back-to-back")
        self.needs_server(phones)
        if way == "drover_server":
            return self.client("bench_drover", phones, calls, "--warm-up", "1", via_server=True)
        if way == "socket":
            return self.client("bench_socket", phones, calls, "--warm-up", "1", via_server=True)
        return self.server.xargs(phones, calls)


DIRECT_WAYS = ["floor", "drover", "floor_exit", "floor_ack", "drover_ack", "floor_chain", "drover_chain"]
SERVER_WAYS = ["drover_server", "socket", "xargs"]


def calls_for(way, phones, quick):
    """Enough commands for a steady figure, about a second of wall time each."""
    if quick:
        return 2
    if way == "xargs":
        return max(2, 300 // phones) if phones < 1000 else 1
    if way in ("drover_server", "socket"):
        return max(5, 3000 // phones) if phones > 1 else 200
    return max(4 if phones > ADB_PHONES_MAX else 25, 15000 // phones) if phones > 1 else 400


class Phones:
    """The virtual phones: `drover sim`, a process of its own on the other core."""

    def __init__(self, build, count, folder):
        self.inventory = folder / "inventory.yaml"
        argv = [str(pathlib.Path(build) / "drover"), "sim", "--count", str(count), "--port", "0", "--profile",
                str(HERE / "phones.yaml"), "--write-inventory", str(self.inventory)]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, preexec_fn=machine.pin_to_phone_core)
        line = self.process.stdout.readline().strip()
        if line != "ready: %d phones" % count:
            self.stop()
            sys.exit("bench: the virtual phones did not get ready: %r" % line)

    def addresses(self):
        """host:port of each phone, in order. drover itself wrote the file, one `address:` a phone."""
        lines = (line.strip() for line in self.inventory.read_text().splitlines())
        return [line.split("address:", 1)[1].strip(" '\"},") for line in lines if "address:" in line]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=READY_SECONDS_MAX)


def write_server_inventory(path, addresses):
    entries = ["  - {id: s%05d, via: server, address: '%s'}" % (i, a) for i, a in enumerate(addresses)]
    path.write_text("version: 1\ninstances:\n" + "\n".join(entries) + "\n")


def one_round(ways, phones, number, quick, results, say):
    """Every way once; results: {way: {"runs": [...]}}, with "not_reached": why, where one failed."""
    # Another order each round, so that no way always runs behind the same one.
    order = DIRECT_WAYS[number % len(DIRECT_WAYS):] + DIRECT_WAYS[:number % len(DIRECT_WAYS)] + SERVER_WAYS
    for way in order:
        if "not_reached" in results[way]:
            continue
        try:
            results[way]["runs"].append(ways.run(way, phones, calls_for(way, phones, quick)))
        except (NotReached, RuntimeError, subprocess.TimeoutExpired) as why:
            results[way]["not_reached"] = str(why)  # the rounds before stay
            say("%d phones, %s: %s" % (phones, way, why))


def measure(ways, o, addresses, folder, say):
    """All ways at all numbers of phones in each round, so that growth is within a round too. Returns {phones: results}."""
    results = {size: {way: {"runs": []} for way in DIRECT_WAYS + SERVER_WAYS} for size in o.sizes}
    servers = {}  # one for each number of phones, up all the time: taking its phones anew each round would take it minutes
    try:
        for size in o.sizes:
            servers[size] = adb_peer.start(addresses[:size], folder, say) if size <= ADB_PHONES_MAX else None
        for number in range(o.rounds):
            for size in o.sizes if number % 2 == 0 else reversed(o.sizes):
                ways.server = servers[size]
                one_round(ways, size, number, o.quick, results[size], say)
                say("%d phones: round %d of %d" % (size, number + 1, o.rounds))
    finally:
        for server in servers.values():
            if server is not None:
                server.stop()
    return results


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--quick", action="store_true", help="few phones, few commands: does it work at all?")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--phones", help="1,100,1000")
    parser.add_argument("--json", help="all figures, as JSON")
    o = parser.parse_args()
    o.rounds = o.rounds or (1 if o.quick else 7)
    o.sizes = sorted({int(n) for n in (o.phones or ("1,5" if o.quick else "1,100,1000")).split(",")})
    return o


def main():
    o = parse_arguments()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    say = lambda text: print("bench: " + text, file=sys.stderr, flush=True)
    watch = machine.Watch()
    with tempfile.TemporaryDirectory(prefix="drover-bench-") as name:
        folder = pathlib.Path(name)
        phones = Phones(o.build, max(o.sizes), folder)
        try:
            addresses = phones.addresses()
            server_inventory = folder / "server.yaml"
            write_server_inventory(server_inventory, addresses)
            ways = Ways(o.build, phones.inventory, server_inventory)
            results = measure(ways, o, addresses, folder, say)
        finally:
            phones.stop()
    report = {"schema": 1, "machine": machine.describe(), "noise": watch.end(), "rounds": o.rounds, "quick": o.quick,
              "sizes": {str(size): found for size, found in results.items()}}
    if o.json:
        pathlib.Path(o.json).write_text(json.dumps(report, indent=1) + "\n")
    print(fanout_table.render(report))
    broken = [way for found in results.values() for way in DIRECT_WAYS if "not_reached" in found[way]]
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
