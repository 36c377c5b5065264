#!/usr/bin/env python3
"""Virtual phones that drop, babble, fall silent, slow down, flap, reboot and change their serial, while commands, jobs and API tasks
run and the daemon is killed, stopped and started again. Checked: one row per target, right answers from phones that are well, nothing
run twice, every accepted task ends, and no descriptor, process or memory is left over.

    chaos.py --drover PROGRAM [--commands N] [--phones N] [--seed S] [--workers N]

The seed is printed and replays the plan: the same phones with the same faults, the same operations in the same order. Exit code 1:
something was not as it must be. Times are printed; judged are only calls and rows that hang, how many rows of healthy phones were late,
and, of many calls, the p99 of those on healthy phones alone: it stays below the timeout that bad ones run into.
"""
import argparse
import collections
import pathlib
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # leaves nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import host  # noqa: E402
import plan as plans  # noqa: E402
from checks import Checks, Meanwhile  # noqa: E402

SETUP_ROUNDS = 6  # a script is put on every phone, on some of them not at the first attempt
# All of it or nothing: the phone may break while it is written.
SCRIPT = r"""printf '%s\n' 'echo $1 >> ran' 'echo ran $1' > new.sh && touch ran && mv new.sh once.sh"""
CLIENT_TIMEOUT_MS = 3000
TASKS_SECONDS_MAX = 180
MEMORY_KIB_MAX = 16 * 1024  # growth of the last daemon, from its first call on all phones to the end
HOLD_SETTLES_SECONDS = 1  # a run's phones are free soon after its client has ended
ASKS_FOR_RAN = 8
LAST_CALLS_FROM = 10_000_000  # their words are those of no earlier operation


class Chaos:
    def __init__(self, programs, plan, say):
        self.programs, self.plan, self.say = programs, plan, say
        self.checks = Checks(plan, say)
        self.lock = threading.Lock()
        self.operations = plan.operations()
        self.actions = {plans.SYNC: self.sync, plans.ASYNC: self.accept, plans.EXEC: self.exec, plans.RUN: self.run,
                        plans.REBOOT: self.reboot, plans.RELOAD: self.reload, plans.KILL: self.kill, plans.STOP: self.stop}
        self.tasks = {}  # task id -> operation
        self.holds, self.hold_changes, self.hold_ended = 0, 0, 0.0  # runs through the daemon, whose phones are theirs
        self.reloads, self.tasks_seen, self.phones_asked = 0, 0, 0
        self.began = time.monotonic()
        self.told = 0

    def next_operation(self):
        with self.lock:
            return next(self.operations, None)

    def work(self):
        api = host.Api(self.programs)
        while (operation := self.next_operation()) is not None and self.checks.failed < 200:
            try:
                self.checks.sending(operation)
                calm, began = self.programs.up.is_set(), time.monotonic()
                self.begin(operation)
                self.actions[operation.kind](api, operation)
                self.checks.took(operation, time.monotonic() - began, calm and not self.meanwhile(operation).killed)
            except host.DaemonGone:
                with self.lock:
                    self.checks.lost_calls += 1
            except Exception as why:  # a worker that dies silently would hide what it saw
                self.checks.fail("operation %d (%s): %r" % (operation.number, operation.kind, why))
            finally:
                self.end_hold(operation)
            self.progress()
        api.close()

    def begin(self, operation):
        with self.lock:
            held = self.holds > 0 or time.monotonic() - self.hold_ended < HOLD_SETTLES_SECONDS
            operation.begun = (self.programs.generation, self.hold_changes, held)
            if operation.kind == plans.RUN and operation.through:
                self.holds += 1
                self.hold_changes += 1

    def end_hold(self, operation):
        if operation.kind == plans.RUN and operation.through and operation.begun:
            with self.lock:
                self.holds -= 1
                self.hold_changes += 1
                self.hold_ended = time.monotonic()

    def meanwhile(self, operation):
        """Since it began: for a task that is looked up, since it was accepted."""
        generation, hold_changes, held = operation.begun
        with self.lock:
            own = operation.kind == plans.RUN and operation.through
            return Meanwhile(killed=generation != self.programs.generation, held=held or self.hold_changes > hold_changes + own)

    def progress(self):
        with self.lock:
            tenth = self.checks.rows * 10 // self.plan.commands
            if tenth <= self.told:
                return
            self.told = tenth
        self.say("%d rows, %d kills, %d failures, %.0f s" % (self.checks.rows, self.checks.kills, self.checks.failed,
                                                           time.monotonic() - self.began))

    # The operations.
    def body(self, operation):
        return {"command": operation.text, "instance_ids": operation.ids}

    def sync(self, api, operation):
        status, answer = api.call("POST", "/v1/instances/sync-command", self.body(operation))
        if status != 200:
            return self.checks.fail("operation %d: sync-command answers %d: %s" % (operation.number, status, answer))
        results = answer["data"]["cmd_results"]
        if self.checks.one_row_each(operation, [r["instance_id"] for r in results], in_order=True):
            self.api_rows(operation, results)

    def api_rows(self, operation, results):
        for number, r in zip(operation.targets, results):
            ok = r["status"] == 2
            self.checks.expect(r["status"] in (2, -1) and (r["error_code"] in ("CPS.0005", "CPS.0191")) == (not ok),
                               "operation %d: an undocumented row: %s" % (operation.number, r))
            self.checks.row(operation, number, "" if ok else r.get("drover_code", r["error_code"]), r["execute_msg"], self.meanwhile(operation))

    def accept(self, api, operation):
        status, answer = api.call("POST", "/v1/instances/async-command", self.body(operation))
        if status != 200:
            return self.checks.fail("operation %d: async-command answers %d: %s" % (operation.number, status, answer))
        if self.checks.one_row_each(operation, [j["instance_id"] for j in answer["data"]["cmd_jobs"]], in_order=True):
            task = answer["data"]["task_id"]
            with self.lock:
                self.tasks[task] = operation
            if operation.cancelled:
                status, answer = api.call("POST", "/drover/v1/tasks/%s/cancel" % task)
                self.checks.expect(status == 200, "operation %d: cancel answers %d: %s" % (operation.number, status, answer))

    def exec(self, _, operation):
        self.client(operation, "exec", "--", operation.text)

    def run(self, _, operation):
        self.client(operation, "run", self.programs.job_file(operation))

    def client(self, operation, verb, *what):
        if operation.through:
            self.programs.wait_for_daemon()
        way = ["--server", "unix:%s" % self.programs.socket] if operation.through else ["--inventory", self.programs.inventory]
        code, rows, errors = self.programs.client(verb, *way, "--output", "jsonl", "--timeout", "%dms" % CLIENT_TIMEOUT_MS,
                                                  "--on", ",".join(operation.ids), *what)
        # 22: held by a run that goes through the daemon, or the daemon was told to stop.
        right = (0, 10, 20, 21, 22) if operation.through else (0, 10, 20, 21)
        self.checks.expect(code in right, "operation %d: drover %s ends with %d: %s" % (operation.number, verb, code, errors[-200:]))
        if operation.through and not rows and code == 20 and self.meanwhile(operation).killed:
            raise host.DaemonGone()  # before it said which phones there are
        if not self.checks.one_row_each(operation, [r["instance_id"] for r in rows], in_order=False):
            return
        for r in rows:
            ok = r["status"] == 2
            self.checks.late(operation, r["ms"] - CLIENT_TIMEOUT_MS)
            self.checks.expect(ok == (r["error_code"] == ""), "operation %d: an undocumented row: %s" % (operation.number, r))
            self.checks.row(operation, int(r["instance_id"][-4:]), r["error_code"], r["execute_msg"], self.meanwhile(operation))

    def reboot(self, api, operation):
        api.call("POST", "/v1/instances/sync-command", {"command": "reboot", "instance_ids": operation.ids})

    def reload(self, *_):
        """The daemon reads its inventory again, with a phone more or less than before; a signal comes beside what it sees itself."""
        with self.lock:
            self.reloads += 1
            self.programs.change_inventory(self.reloads % 2 == 1)
        self.programs.reload_daemon()

    def kill(self, *_):
        code = self.programs.restart_daemon(signal.SIGKILL)
        self.checks.expect(code == -signal.SIGKILL, "the daemon was killed, but had ended with %d" % code)
        self.checks.kills += 1

    def stop(self, *_):
        code = self.programs.restart_daemon(signal.SIGTERM)
        self.checks.expect(code == 0, "the daemon was told to stop, and ended with %d" % code)

    # Before and after.
    def set_up(self):
        """The script that notes what ran, on every phone that takes it; a healthy one must."""
        left = set(range(1, self.plan.phones + 1))
        for number in range(SETUP_ROUNDS):
            wanted = (left & self.plan.healthy) or (left if number < SETUP_ROUNDS // 2 else set())
            if not wanted:
                break
            timeout = "20s" if wanted & self.plan.healthy else "2s"
            _, rows, _ = self.programs.client("exec", "--inventory", self.programs.inventory, "--output", "jsonl", "--timeout", timeout,
                                              "--on", ",".join(map(plans.phone_id, sorted(wanted))), "--", SCRIPT)
            left -= {int(r["instance_id"][-4:]) for r in rows if r["status"] == 2}
        unwell = left & self.plan.healthy
        self.checks.expect(not unwell, "healthy phones that never took the script: %s" % sorted(unwell))

    def tasks_end(self):
        api = host.Api(self.programs)
        until = time.monotonic() + TASKS_SECONDS_MAX
        for task, operation in self.tasks.items():
            while True:
                status, answer = api.call("GET", "/v1/instances/tasks/" + task)
                if status != 200:
                    self.checks.fail("operation %d: its accepted task is lost: %d %s" % (operation.number, status, answer))
                    break
                jobs = answer["data"]["jobs"]
                if all(j["status"] != 1 for j in jobs):
                    if self.checks.one_row_each(operation, [j["instance_id"] for j in jobs], in_order=True):
                        self.api_rows(operation, jobs)
                    break
                if time.monotonic() > until:
                    self.checks.fail("operation %d: its task does not end" % operation.number)
                    break
                time.sleep(0.05)
        self.tasks_seen += len(self.tasks)
        self.tasks = {}
        api.close()

    def what_ran(self):
        """Of each phone that can be brought to tell it: those where commands break are asked again."""
        left = set(range(1, self.plan.phones + 1))
        for _ in range(ASKS_FOR_RAN):
            if not left:
                break
            _, rows, _ = self.programs.client("exec", "--inventory", self.programs.inventory, "--output", "jsonl", "--timeout", "10s",
                                              "--max-output", 64 * 1024 * 1024, "--on", ",".join(map(plans.phone_id, sorted(left))),
                                              "--", "cat ran")
            for r in rows:
                number = int(r["instance_id"][-4:])
                if r["status"] == 2 and not r["truncated"]:
                    left.discard(number)
                    self.checks.once(number, r["execute_msg"].split(), number in self.plan.healthy)
        self.phones_asked = self.plan.phones - len(left)
        self.checks.expect(not left & self.plan.healthy, "healthy phones that do not tell what they ran: %s" % sorted(left & self.plan.healthy))

    def leftovers(self, before):
        daemon, sim = self.programs.daemon.pid, self.programs.sim.pid
        links = before["descriptors"] + 2 * len(self.plan.faults) + 8  # of those that come and go
        self.checks.expect(host.settles(lambda: host.descriptors(daemon) <= links),
                           "the daemon has %d descriptors; it began with %d" % (host.descriptors(daemon), before["descriptors"]))
        self.checks.expect(host.settles(lambda: host.descriptors(sim) <= before["sim_descriptors"] + 2 * len(self.plan.faults) + 8),
                           "the phones have %d descriptors; they began with %d" % (host.descriptors(sim), before["sim_descriptors"]))
        self.checks.expect(host.descendants(daemon) == 0, "the daemon has left processes")
        self.checks.expect(host.settles(lambda: host.descendants(sim) <= before["sim_processes"]),
                           "commands go on on the phones: %d processes, %d at the start" % (host.descendants(sim), before["sim_processes"]))
        grown = host.resident_kib(daemon) - before["kib"]
        self.checks.expect(grown <= MEMORY_KIB_MAX, "the daemon grew by %d KiB" % grown)
        return grown

    def go(self, workers):
        self.set_up()
        sim_processes = host.descendants(self.programs.sim.pid)
        self.work_together(workers)
        # A last life for the daemon, so that its start can be held against its end.
        self.programs.restart_daemon(signal.SIGKILL)
        self.tasks_end()
        self.call_all()
        before = {"descriptors": host.descriptors(self.programs.daemon.pid), "kib": host.resident_kib(self.programs.daemon.pid),
                  "sim_descriptors": host.descriptors(self.programs.sim.pid), "sim_processes": sim_processes}
        self.last_calls()
        self.work_together(workers)
        self.tasks_end()
        grown = self.leftovers(before)
        self.checks.few_were_slow()
        self.checks.others_were_quick(plans.milliseconds(self.programs.sync_timeout))
        self.what_ran()
        codes = self.programs.stop()
        self.checks.expect(codes == [0, 0], "daemon and phones end with %s" % codes)
        report = self.programs.sanitizer_report()
        self.checks.expect(not report, report)
        return grown

    def work_together(self, workers):
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(workers)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def last_calls(self):
        """Some more of all kinds for the daemon's last life: what leaks, leaks here."""
        tail = plans.Plan(self.plan.seed + 1, self.plan.phones, min(self.plan.commands // 5, 20000))
        tail.healthy, tail.faults = self.plan.healthy, self.plan.faults
        self.operations = (o for o in tail.operations(first=LAST_CALLS_FROM) if o.kind not in (plans.KILL, plans.STOP))

    def call_all(self):
        """Until all that can be have a link, as at the end."""
        api = host.Api(self.programs)
        ids = [plans.phone_id(n) for n in range(1, self.plan.phones + 1)]
        for first in range(0, len(ids), 100):
            api.call("POST", "/v1/instances/sync-command", {"command": "true", "instance_ids": ids[first:first + 100]})
        api.close()

    def summary(self, grown):
        c, at = self.checks, self.checks.healthy_at
        kinds = collections.Counter(c.kinds)
        return ["%d rows in %.0f s: %s" % (c.rows, time.monotonic() - self.began, ", ".join("%s %d" % kv for kv in c.codes.most_common())),
                "calls: %s; %d lost with a killed daemon; %d tasks accepted, all looked up" %
                (", ".join("%s %d" % kv for kv in kinds.most_common()), c.lost_calls, self.tasks_seen),
                "%d calls on healthy phones alone: p50 %.0f ms, p99 %.0f ms; the longest call of all %.0f ms" %
                (len(c.healthy_ms), at(0.5), at(0.99), c.longest_ms),
                "the latest row of a command line client: %.0f ms past its timeout" % max(0, c.latest_ms),
                "%d of %d rows of healthy phones were late; %d of %d phones told what they had run" %
                (c.slow_rows, c.healthy_rows, self.phones_asked, self.plan.phones),
                "the last daemon grew by %d KiB" % grown]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drover", required=True, type=pathlib.Path)
    parser.add_argument("--commands", type=int, default=2000, help="one command on one phone counts once (2000)")
    parser.add_argument("--phones", type=int, default=20, help="2 to 1000 (20)")
    parser.add_argument("--seed", type=int, help="default: a new one each time")
    parser.add_argument("--workers", type=int, default=8, help="calls at once (8)")
    parser.add_argument("--sync-timeout", default="2s", help="per phone and command (2s)")
    o = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started, too
    seed = o.seed if o.seed is not None else time.time_ns() % 1_000_000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    say = lambda text: print("chaos: " + text, flush=True)
    say("seed %d, %d commands, %d phones" % (seed, o.commands, o.phones))
    plan = plans.Plan(seed, o.phones, o.commands)
    folder = tempfile.mkdtemp(prefix="drover-chaos-")
    programs = host.Programs(o.drover.resolve(), folder, plan, o.sync_timeout)
    try:
        chaos = Chaos(programs, plan, say)
        grown = chaos.go(o.workers)
    finally:
        for process in (programs.daemon, programs.sim):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
    for line in chaos.summary(grown):
        say(line)
    if chaos.checks.failed:
        say("%d failures; logs in %s" % (chaos.checks.failed, folder))
        say("replay: scripts/chaos --commands %d --phones %d --workers %d --sync-timeout %s --seed %d" %
            (o.commands, o.phones, o.workers, o.sync_timeout, seed))
        return 1
    shutil.rmtree(folder)
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
