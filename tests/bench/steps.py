"""What a job costs beside its bare commands: steps on 100 phones, and the memory of a run with 1,000 phones and 20 steps.

A step's time is the difference between a job of many steps and one of a single step, so that starting and connecting count on
neither side; the bare command's is what a call of `true` on all phones takes over links that are up.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

import machine

SECONDS_MAX = 300  # of one run
CALLS = 200  # of the bare command


def write_job(file, steps, idempotent):
    lines = ["version: 1", "name: bench", "steps:"]
    lines += ["  - {name: s%d, run: 'true', idempotent: %s}" % (n, "true" if idempotent else "false") for n in range(steps)]
    file.write_text("\n".join(lines) + "\n")
    return file


class Jobs:
    def __init__(self, build, phones, folder):
        self.build, self.phones, self.folder = pathlib.Path(build), phones, folder
        self.env = {**os.environ, "XDG_STATE_HOME": str(folder)}

    def run(self, steps, idempotent, phones=None):
        """(seconds, peak memory in MiB) of one `drover run`; every row must be good."""
        job = write_job(self.folder / ("job-%d-%s.yaml" % (steps, idempotent)), steps, idempotent)
        out = self.folder / "rows.json"
        argv = [str(self.build / "drover"), "run", str(job), "--inventory", str(self.phones.inventory), "--timeout", "120s", "--json"]
        with open(out, "w") as rows:
            began = time.monotonic()
            process = subprocess.Popen(argv, stdout=rows, stderr=subprocess.PIPE, env=self.env, preexec_fn=machine.pin_to_host_core)
            said = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit("bench: drover run ended with %d: %s" % (process.returncode, said))
        count = len(json.loads(out.read_text())["rows"])
        if count != self.phones.count:
            sys.exit("bench: %d rows of %d" % (count, self.phones.count))
        return took, usage.ru_maxrss / 1024

    def bare(self):
        """Seconds of one call of `true` on all phones, links up."""
        argv = [str(self.build / "tests/bench/bench_drover"), "--phones", str(self.phones.count), "--calls", str(CALLS),
                "--inventory", str(self.phones.inventory)]
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=SECONDS_MAX, check=True,
                              preexec_fn=machine.pin_to_host_core)
        found = json.loads(done.stdout)
        if found["bad"]:
            sys.exit("bench: %d bare commands failed" % found["bad"])
        return found["call_p50_us"] / 1e6


def one_round(jobs, steps):
    """Milliseconds a step takes on all phones: bare, in a job that is noted on disk, and in one that need not be."""
    found = {"bare_ms": 1e3 * jobs.bare()}
    for key, idempotent in (("noted_ms", False), ("idempotent_ms", True)):
        one, _ = jobs.run(1, idempotent)
        many, _ = jobs.run(steps, idempotent)
        found[key] = 1e3 * (many - one) / (steps - 1)
    return found
