#!/usr/bin/env python3
"""How fast files go to many phones and back: drover against `adb push` and `adb pull` in parallel through an adb server, in one run;
and what a job's steps cost beside their bare commands (steps.py).

    jobs.py --build DIR [--quick] [--rounds N] [--phones N] [--json FILE]

DIR is a build of this repository. The table goes to stdout, progress to stderr. scripts/bench does the building.
Exit code 1: a copy failed or came back different. Times are never judged.
"""
import argparse
import filecmp
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import adb_peer  # noqa: E402
import jobs_table  # noqa: E402
import machine  # noqa: E402
import steps  # noqa: E402

SECONDS_MAX = 600  # of one copy to or from all phones
SMALL_BYTES = 2000


class Copies:
    """Both ways of copying, each timed from start to end of all its processes."""

    def __init__(self, build, phones, server, folder):
        self.drover = str(pathlib.Path(build) / "drover")
        self.phones, self.server, self.folder = phones, server, folder

    def run_drover(self, *words):
        began = time.monotonic()
        options = ["--inventory", str(self.phones.inventory), "--max-parallel", str(self.phones.count), "--json"]
        done = subprocess.run([self.drover, words[0], *options, *words[1:]],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=SECONDS_MAX)
        took = time.monotonic() - began
        if done.returncode != 0:
            sys.exit("bench: drover %s ended with %d: %s" % (words[0], done.returncode, done.stderr or done.stdout))
        return took

    def run_adb(self, words_of):
        env = {**os.environ, **self.server.environment()}
        began = time.monotonic()
        started = [subprocess.Popen(["adb", "-s", serial, *words_of(i)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                   for i, serial in enumerate(self.server.serials)]
        for process in started:
            _, err = process.communicate(timeout=SECONDS_MAX)
            if process.returncode != 0:
                sys.exit("bench: adb ended with %d: %s" % (process.returncode, err.decode()))
        return time.monotonic() - began

    def push(self, way, local, remote):
        if way == "drover":
            return self.run_drover("push", str(local), remote)
        return self.run_adb(lambda i: ["push", str(local), remote])

    def pull(self, way, remote, local):
        shutil.rmtree(local, ignore_errors=True)
        local.mkdir()
        if way == "drover":
            return self.run_drover("pull", remote, str(local))
        return self.run_adb(lambda i: ["pull", remote, str(local / ("phone-%d" % i))])


class Phones:
    def __init__(self, build, count, folder):
        self.count = count
        self.inventory = folder / "inventory.yaml"
        self.process = subprocess.Popen([str(pathlib.Path(build) / "drover"), "sim", "--count", str(count), "--port", "0",
                                         "--write-inventory", str(self.inventory)], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "TMPDIR": str(folder)})
        line = self.process.stdout.readline().strip()
        if not line.startswith("ready: "):
            self.process.kill()
            sys.exit("bench: the virtual phones did not get ready: %r" % line)

    def addresses(self):
        lines = (line.strip() for line in self.inventory.read_text().splitlines())
        return [line.split("address:", 1)[1].strip(" '\"},") for line in lines if "address:" in line]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def start_server(phones, folder, say):
    """(an adb server with all phones, ""), or (None, why there is none)."""
    if not shutil.which("adb"):
        return None, "there is no adb on this host"
    server = adb_peer.start(phones.addresses(), folder, say)
    if server is None:
        return None, "the adb server did not start"
    if server.why:  # it lacks a phone, or has ended
        server.stop()
        return None, server.why
    unpin(server.pid)
    return server, ""


def unpin(pid):
    """The server may use all cores, as drover may."""
    for task in os.listdir("/proc/%d/task" % pid):
        os.sched_setaffinity(int(task), machine.CORES)


def make_files(folder, big_bytes, small_files):
    big = folder / "big"
    with open(big, "wb") as out:
        for _ in range(big_bytes // 1_000_000):
            out.write(os.urandom(1_000_000))
    small = folder / "small"
    for n in range(small_files):
        path = small / ("d%02d" % (n % 20)) / ("f%04d" % n)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(SMALL_BYTES))
    return big, small


def same_tree(a, b):
    comparison = filecmp.dircmp(a, b)
    if comparison.left_only or comparison.right_only or comparison.funny_files:
        return False
    _, different, errors = filecmp.cmpfiles(a, b, comparison.common_files, shallow=False)
    return not different and not errors and all(same_tree(a / d, b / d) for d in comparison.common_dirs)


def check(pulled, original, name, count):
    phones = sorted(pulled.iterdir())
    for phone in phones:
        copy = phone / name if phone.is_dir() and (phone / name).exists() else phone  # drover: DIR/PHONE/NAME
        same = same_tree(copy, original) if original.is_dir() else filecmp.cmp(copy, original, shallow=False)
        if not same:
            sys.exit("bench: %s came back different" % copy)
    if len(phones) != count:
        sys.exit("bench: %d of %d phones came back" % (len(phones), count))


def host_cpu_seconds(copies):
    """Of what copies: drover, or adb and its server."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + (machine.cpu_seconds(copies.server.pid) if copies.server else 0)


def costs(copies, copy):
    """Seconds of one copy to or from all phones: in all, of CPU of what copies, of CPU of the phones."""
    host, phones = host_cpu_seconds(copies), machine.cpu_seconds(copies.phones.process.pid)
    took = copy()
    return {"s": took, "host_cpu_s": host_cpu_seconds(copies) - host,
            "phones_cpu_s": machine.cpu_seconds(copies.phones.process.pid) - phones}


def measure(copies, way, big, small, times):
    for name, what in (("big", big), ("small", small)):
        remote = "/sdcard/%s-%s" % (way, name)
        target = copies.folder / ("pulled-" + way)
        times.setdefault("push " + name, []).append(costs(copies, lambda: copies.push(way, what, remote)))
        times.setdefault("pull " + name, []).append(costs(copies, lambda: copies.pull(way, remote, target)))
        check(target, what, remote.rsplit("/", 1)[1], copies.phones.count)
        shutil.rmtree(target)
        copies.run_drover("exec", "--", "rm", "-rf", remote)  # a directory that is there already would get the next one inside it


def touch_memory(folder, size):
    """A virtual machine gets memory from its host when it first touches it; whoever copies first would pay for that."""
    zeros = bytes(1_000_000)
    path = folder / "touched"
    with open(path, "wb") as out:
        for _ in range(size // len(zeros)):
            out.write(zeros)
    path.unlink()


def measure_files(o, rounds, count, big_bytes, small_files, say):
    """(times of each way, whether all lay in memory, why adb's are missing). Without an adb server for all phones: drover's alone."""
    # Files of all phones lie in memory where there is room: a disk would measure itself.
    shm = pathlib.Path("/dev/shm")
    place = shm if shm.is_dir() and shutil.disk_usage(shm).free > 4 * count * big_bytes else None
    with tempfile.TemporaryDirectory(prefix="drover-bench-", dir=place) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # the phones are users of their own
        if place:
            touch_memory(folder, 4 * count * big_bytes)
        big, small = make_files(folder, big_bytes, small_files)
        phones = Phones(o.build, count, folder)
        try:
            server, no_adb = start_server(phones, folder, say)
            if no_adb:
                say("copies are drover's alone: " + no_adb)
            ways = ["drover", "adb"] if server else ["drover"]
            times = {way: {} for way in ways}
            try:
                copies = Copies(o.build, phones, server, folder)
                for number in range(rounds):
                    for way in ways if number % 2 == 0 else reversed(ways):
                        measure(copies, way, big, small, times[way])
                    say("files: round %d of %d" % (number + 1, rounds))
            finally:
                if server:
                    server.stop()
        finally:
            phones.stop()
    return times, place is not None, no_adb


def measure_steps(o, rounds, say):
    """The journal of a run lies on this host's disk, as a user's does."""
    count, many, herd, long = (5, 3, 10, 3) if o.quick else (100, 10, 1000, 20)
    found = {"phones": count, "steps": many, "herd": herd, "herd_steps": long, "rounds": []}
    with tempfile.TemporaryDirectory(prefix="drover-bench-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        phones = Phones(o.build, count, folder)
        try:
            jobs = steps.Jobs(o.build, phones, folder)
            for number in range(rounds):
                found["rounds"].append(steps.one_round(jobs, many))
                say("steps: round %d of %d" % (number + 1, rounds))
        finally:
            phones.stop()
        phones = Phones(o.build, herd, folder)
        try:
            found["herd_seconds"], found["herd_mib"] = steps.Jobs(o.build, phones, folder).run(long, False)
        finally:
            phones.stop()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--quick", action="store_true", help="few phones, small files: does it work at all?")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--phones", type=int)
    parser.add_argument("--json", help="all figures, as JSON")
    o = parser.parse_args()
    rounds = o.rounds or (1 if o.quick else 7)
    count = o.phones or (2 if o.quick else 20)
    big_bytes, small_files = (2_000_000, 40) if o.quick else (100_000_000, 1000)
    say = lambda text: print("bench: " + text, file=sys.stderr, flush=True)
    watch = machine.Watch()
    times, in_memory, no_adb = measure_files(o, rounds, count, big_bytes, small_files, say)
    found = measure_steps(o, rounds, say)
    report = {"schema": 1, "machine": machine.describe(), "noise": watch.end(), "rounds": rounds, "quick": o.quick, "phones": count,
              "big_bytes": big_bytes, "small_files": small_files, "in_memory": in_memory, "no_adb": no_adb, "times": times,
              "steps": found}
    if o.json:
        pathlib.Path(o.json).write_text(json.dumps(report, indent=1) + "\n")
    print(jobs_table.render(report))


if __name__ == "__main__":
    main()
