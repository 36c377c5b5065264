"""What must be true of every row, whatever the phones do. Collects what is not; any thread."""
import collections
import threading

FAILURES_TOLD = 20
LATE_MS_MAX = 2_000  # a row so long after its deadline had none: a busy machine was seen to take 124 ms
CALL_SECONDS_MAX = 40  # of a call while the daemon lives; its sync_deadline is 30 s
CALLS_FOR_P99 = 1000  # below that it is the slowest call or two, which says how busy the machine was
SLOW_SHARE_MAX = 0.02  # of the rows of healthy phones
SLOW_ROWS_FREE = 50
# A healthy phone may be slow on a busy machine: limits that passed, and no link in time. Its link does not break, and its answers
# are not wrong.
SLOW = {"DROVER.1001", "DROVER.1002", "DROVER.1003", "DROVER.1004", "DROVER.1005", "DROVER.1006", "CPS.0005"}
CANCELLED, INTERRUPTED, HELD, SERVER_GONE = "DROVER.5001", "DROVER.5002", "DROVER.5003", "DROVER.4001"
NEVER = {"DROVER.9001"}  # a mistake of drover's own


class Meanwhile:
    """What happened around a call that excuses a row. killed: the daemon, or it was told to stop. held: a run through it had phones."""

    def __init__(self, killed=False, held=False):
        self.killed, self.held = killed, held


class Checks:
    def __init__(self, plan, say):
        self.plan, self.say = plan, say
        self.lock = threading.Lock()
        self.failed = 0
        self.rows, self.codes, self.kinds = 0, collections.Counter(), collections.Counter()
        self.said_once = {}  # phone number -> words of `once` that were answered ok
        self.asked_once = {}  # phone number -> words of `once` that were ever sent
        self.lost_calls, self.kills = 0, 0
        self.healthy_ms, self.longest_ms, self.latest_ms = [], 0.0, 0
        self.healthy_rows, self.slow_rows = 0, 0
        self.pattern = None  # what `sim-output` said first: all say the same

    def fail(self, text):
        with self.lock:
            self.failed += 1
            if self.failed <= FAILURES_TOLD:
                self.say("FAILED " + text)  # now: what it says may still be looked at

    def expect(self, right, text):
        if not right:
            self.fail(text)

    def sending(self, operation):
        with self.lock:
            self.kinds[operation.kind] += 1
            if operation.command == "once":
                for n in operation.targets:
                    self.asked_once.setdefault(n, set()).add(operation.word)

    def took(self, operation, seconds, calm):
        """calm: the daemon was there all the time."""
        with self.lock:
            self.longest_ms = max(self.longest_ms, seconds * 1e3)
            hangs = calm and seconds > CALL_SECONDS_MAX
            if calm and operation.kind == "sync" and operation.command in ("true", "echo") and set(operation.targets) <= self.plan.healthy:
                self.healthy_ms.append(seconds * 1e3)
        self.expect(not hangs, "operation %d (%s) took %.0f s" % (operation.number, operation.kind, seconds))

    def healthy_at(self, quantile):
        times = sorted(self.healthy_ms)
        return times[int(quantile * (len(times) - 1))] if times else 0

    def others_were_quick(self, timeout_ms):
        """Who waits for a bad phone waits for its timeout."""
        if len(self.healthy_ms) >= CALLS_FOR_P99:
            self.expect(self.healthy_at(0.99) < timeout_ms, "calls on healthy phones alone: p99 %.0f ms, and a bad phone's timeout is %d ms" %
                        (self.healthy_at(0.99), timeout_ms))

    def late(self, operation, ms):
        with self.lock:
            self.latest_ms = max(self.latest_ms, ms)
        self.expect(ms < LATE_MS_MAX, "operation %d (%s): a row %d ms after its deadline" % (operation.number, operation.kind, ms))

    def one_row_each(self, operation, ids, in_order):
        wanted = operation.ids
        same = ids == wanted if in_order else sorted(ids) == sorted(wanted)
        self.expect(same, "operation %d (%s): rows for %s, asked for %s" % (operation.number, operation.kind, ids[:5], wanted[:5]))
        return same

    def row(self, operation, number, code, said, meanwhile):
        """code: drover's exact one, "" when ok. said: what the phone said."""
        where = "operation %d (%s %s), phone %d" % (operation.number, operation.kind, operation.text, number)
        healthy = number in self.plan.healthy
        with self.lock:
            self.rows += 1
            self.codes[code or "ok"] += 1
            self.healthy_rows += healthy
            self.slow_rows += healthy and code in SLOW
            if code == "" and operation.command == "once":
                self.said_once.setdefault(number, set()).add(operation.word)
            if code == "" and operation.command == "output" and self.pattern is None and len(said) == 1024:
                self.pattern = said
        if code == "":
            self.expect(said == self.answer_of(operation), "%s: said %r" % (where, said[:80]))
            self.expect(operation.command != "exit", "%s: ok, but the command exits with 3" % where)
        self.expect(code not in NEVER, "%s: %s: %r" % (where, code, said))
        if healthy:
            self.expect(code in self.excused(operation, meanwhile), "%s is healthy, and its row is %s: %r" % (where, code, said))

    def answer_of(self, operation):
        """As a phone says it that is well; a job has a step before."""
        first = "first\n" if operation.kind == "run" else ""
        return first + {"echo": operation.word + "\n", "once": "ran " + operation.word + "\n", "true": "",
                        "output": self.pattern}.get(operation.command, "")

    @staticmethod
    def excused(operation, meanwhile):
        """Codes that a healthy phone's row may have."""
        codes = SLOW | {"CPS.0191" if operation.command == "exit" else ""}
        if operation.kind in ("exec", "run") and not operation.through:
            return codes
        if operation.cancelled:
            codes = codes | {CANCELLED}
        if meanwhile.killed:
            codes = codes | {INTERRUPTED} | ({SERVER_GONE} if operation.through else set())
        if meanwhile.held:
            codes = codes | {HELD}
        return codes

    def few_were_slow(self):
        most = SLOW_ROWS_FREE + SLOW_SHARE_MAX * self.healthy_rows
        self.expect(self.slow_rows <= most, "%d of %d rows of healthy phones were late" % (self.slow_rows, self.healthy_rows))

    def once(self, number, words, all_known):
        """What a phone has really run, in order. all_known: it answered truly, so every ok must be there."""
        doubled = [w for w, n in collections.Counter(words).items() if n > 1]
        self.expect(not doubled, "phone %d ran twice: %s" % (number, doubled[:5]))
        strange = set(words) - self.asked_once.get(number, set())
        self.expect(not strange, "phone %d ran what nobody asked it to: %s" % (number, sorted(strange)[:5]))
        if all_known:
            missing = self.said_once.get(number, set()) - set(words)
            self.expect(not missing, "phone %d answered ok and did not run: %s" % (number, sorted(missing)[:5]))
