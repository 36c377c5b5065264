#!/usr/bin/env python3
"""What the HTTP API costs on top of dispatch, and what it takes: `drover serve` on virtual phones, one client on loopback.

    api.py --build DIR [--quick] [--rounds N] [--json FILE]

DIR is a build of this repository with DROVER_BENCH=ON. The table goes to stdout, progress to stderr. scripts/bench does the
building. Exit code 1: an answer was not the documented one. Times are never judged.
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
import threading
import time
import urllib.request

sys.dont_write_bytecode = True  # leaves nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import api_table  # noqa: E402
import machine  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SECONDS_MAX = 300
POLL_SECONDS = 0.05
PHONES = 100


class Wrong(Exception):
    """Something answered otherwise than documented."""


class Bed:
    """Virtual phones, a server of its own state, and requests for it."""

    def __init__(self, build, folder):
        self.build, self.folder = pathlib.Path(build), folder
        self.processes = []
        try:
            self.begin(folder)
        except BaseException:
            self.stop()  # nothing is left behind to be a neighbour of the next benchmark
            raise

    def begin(self, folder):
        self.env = dict(os.environ, HOME=str(folder), XDG_RUNTIME_DIR=str(folder))
        for name in ("XDG_STATE_HOME", "DROVER_SERVER", "DROVER_TOKEN", "DROVER_INVENTORY", "http_proxy"):
            self.env.pop(name, None)
        drover = str(self.build / "drover")
        self.token = subprocess.run([drover, "token", "add", "bench"], env=self.env, stdout=subprocess.PIPE, text=True,
                                    check=True).stdout.strip()
        self.inventory = folder / "inventory.yaml"
        self.sim = self.start([drover, "sim", "--count", str(PHONES), "--port", "0", "--profile", str(HERE / "phones.yaml"),
                               "--write-inventory", str(self.inventory)], machine.pin_to_phone_core)
        self.ready(self.sim)
        config = folder / "serve.yaml"
        config.write_text("version: 1\nlog: {level: error}\napi: {listen: ['127.0.0.1:0'], sync_timeout: 30s}\n"
                          "tasks: {open_jobs: 10000000}\n")
        self.serve = self.start([drover, "serve", "--config", str(config), "--inventory", str(self.inventory)],
                                machine.pin_to_host_core)
        self.port = int(self.ready(self.serve).split()[1].rsplit(":", 1)[1])
        self.run("wait", "all", "--timeout", "60s")

    def run(self, *args):
        subprocess.run([str(self.build / "drover"), *args], env=self.env, check=True, timeout=SECONDS_MAX)

    def start(self, argv, pin):
        self.processes.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=self.env, preexec_fn=pin))
        return self.processes[-1]

    def ready(self, process):
        line = process.stdout.readline().strip()
        if not line.startswith("ready: "):
            raise Wrong("%s did not get ready: %r" % (process.args[1], line))
        return line

    def request(self, name, method, target, body=None):
        """A file with the bytes of one request."""
        head = "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Auth-Token: %s\r\nX-Request-Id: bench\r\n" % (method, target, self.port,
                                                                                                       self.token)
        text = json.dumps(body) if body is not None else ""
        if body is not None:
            head += "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(text)
        path = self.folder / name
        path.write_text(head + "\r\n" + text)
        return path

    def command(self, name, call, ids):
        return self.request(name, "POST", "/v1/instances/" + call,
                            {"command": "true", "instance_ids": ["vphone-%04d" % (i + 1) for i in range(ids)]})

    def fetch(self, target, body=None):
        """The body of one answer. With a body it is a POST."""
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, target), body,
                                         {"X-Auth-Token": self.token, "X-Request-Id": "bench"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=SECONDS_MAX) as answer:
            return answer.read()

    def ask(self, target, body):
        return json.loads(self.fetch(target, json.dumps(body).encode()))["data"]

    def wait_until_idle(self):
        """Until every job that was accepted has ended."""
        until = time.monotonic() + SECONDS_MAX
        while True:
            lines = self.fetch("/metrics").decode().splitlines()
            still = [float(line.split()[1]) for line in lines if line.startswith("drover_jobs_open ")]
            if not still:
                raise Wrong("/metrics has no drover_jobs_open")
            if still[0] == 0:
                return
            if time.monotonic() > until:
                raise Wrong("%d accepted jobs had not ended after %d s" % (still[0], SECONDS_MAX))
            time.sleep(POLL_SECONDS)

    def load(self, request, connections, requests):
        argv = [str(self.build / "tests/bench/bench_http"), "--port", str(self.port), "--request", str(request),
                "--connections", str(connections), "--requests", str(requests)]
        return checked(argv, machine.pin_to_phone_core)

    def rss_kib(self):
        for line in pathlib.Path("/proc/%d/status" % self.serve.pid).read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise Wrong("the server has ended")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=60)


def checked(argv, pin):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=SECONDS_MAX, preexec_fn=pin)
    if done.returncode != 0:
        raise Wrong("%s: %s" % (pathlib.Path(argv[0]).name, done.stderr.strip() or done.returncode))
    found = json.loads(done.stdout)
    if found.get("bad"):
        raise Wrong("%s: %d answers were not the documented one" % (pathlib.Path(argv[0]).name, found["bad"]))
    return found


def dispatch_alone(bed, calls):
    """The same command on the same phones by the library: what the API adds to. The server's links stay up beside it."""
    return checked([str(bed.build / "tests/bench/bench_drover"), "--phones", str(PHONES), "--calls", str(calls), "--inventory",
                    str(bed.inventory)], machine.pin_to_host_core)


def sqlite_alone(bed, tasks, jobs, batch):
    path = bed.folder / "alone.db"
    found = checked([str(bed.build / "tests/bench/bench_sqlite"), str(path), str(tasks), str(jobs), str(batch)],
                    machine.pin_to_host_core)
    for name in bed.folder.glob("alone.db*"):
        name.unlink()
    return found["jobs"] / found["wall_us"] * 1e6


def idle_connections(bed, count):
    """KiB of the server's memory for each connection that is open and idle."""
    before = bed.rss_kib()
    request = bed.request("metrics.http", "GET", "/healthz")
    argv = [str(bed.build / "tests/bench/bench_http"), "--port", str(bed.port), "--request", str(request), "--connections",
            str(count), "--hold"]
    client = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if not client.stdout.readline().startswith("{"):
            raise Wrong("%d connections could not be held" % count)
        return (bed.rss_kib() - before) / count
    finally:
        client.stdin.close()
        client.wait(timeout=60)


def query_under_load(bed, seconds_worth):
    """Task queries while tasks are accepted: milliseconds, p50 and p99."""
    task = bed.ask("/v1/instances/async-command", {"command": "true", "instance_ids": ["vphone-0001"]})["task_id"]
    query = bed.request("query.http", "GET", "/v1/instances/tasks/" + task)
    accept = bed.command("accept.http", "async-command", PHONES)
    failed = []

    def accept_tasks():
        try:
            bed.load(accept, 8, seconds_worth)
        except Exception as why:  # told by the main thread
            failed.append(why)

    thread = threading.Thread(target=accept_tasks)
    thread.start()
    found = bed.load(query, 8, seconds_worth * 4)
    thread.join()
    if failed:
        raise failed[0]
    return found


def one_round(bed, quick):
    calls, many, tasks = (5, 200, 20) if quick else (200, 10_000, 400)
    sync = bed.load(bed.command("sync.http", "sync-command", PHONES), 1, calls)
    alone = dispatch_alone(bed, calls)
    single = bed.load(bed.command("one.http", "sync-command", 1), 64, many)
    accepted = bed.load(bed.command("async.http", "async-command", PHONES), 64, tasks)
    query = query_under_load(bed, tasks // 2)
    bed.wait_until_idle()  # else jobs that still run would share SQLite's core and disk, and those of the next round
    return {
        "sync_p50_ms": sync["p50_us"] / 1e3, "sync_p99_ms": sync["p99_us"] / 1e3,
        "alone_p50_ms": alone["call_p50_us"] / 1e3, "alone_p99_ms": alone["call_p99_us"] / 1e3 if alone["call_p99_us"] else None,
        "one_per_s": single["requests"] / single["wall_us"] * 1e6,
        "jobs_per_s": accepted["requests"] * PHONES / accepted["wall_us"] * 1e6,
        "sqlite_jobs_per_s": sqlite_alone(bed, tasks, PHONES, 64),
        "query_p50_ms": query["p50_us"] / 1e3, "query_p99_ms": query["p99_us"] / 1e3,
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--quick", action="store_true", help="few requests: does it work at all?")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", help="all figures, as JSON")
    o = parser.parse_args()
    o.rounds = o.rounds or (1 if o.quick else 7)
    return o


def main():
    o = parse_arguments()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    say = lambda text: print("bench: " + text, file=sys.stderr, flush=True)
    watch = machine.Watch()
    # On a disk, not in memory: the store's figure is about the disk.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-bench-", dir=pathlib.Path(o.build).resolve()))
    try:
        bed = Bed(o.build, folder)
        try:
            rounds = []
            for number in range(o.rounds):
                rounds.append(one_round(bed, o.quick))
                say("round %d of %d" % (number + 1, o.rounds))
            connections = 100 if o.quick else 10_000
            idle = idle_connections(bed, connections)
        finally:
            bed.stop()
    except Wrong as why:
        sys.exit("bench: %s" % why)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {"schema": 1, "machine": machine.describe(), "noise": watch.end(), "quick": o.quick, "rounds": rounds,
              "idle": {"connections": connections, "kib_each": round(idle, 2)}}
    if o.json:
        pathlib.Path(o.json).write_text(json.dumps(report, indent=1) + "\n")
    print(api_table.render(report))


if __name__ == "__main__":
    main()
