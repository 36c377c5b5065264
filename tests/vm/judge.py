"""Reads what the guest reported and says what of it is right. Order and outcome are judged, never times."""
import json


class Step:
    def __init__(self):
        self.code = None
        self.lines = []
        self.errors = []
        self.uptime = ""

    def rows(self):
        """One object for each row, by phone, without what differs between two runs of the same command."""
        rows = {}
        for line in self.lines:
            if line.startswith("{"):
                row = json.loads(line)
                row.pop("ms", None)
                rows[row["instance_id"]] = row
        return rows


def read_report(text):
    """Steps by name, and whether the guest came to its end."""
    steps, current, finished = {}, None, False
    for line in text.replace("\r", "").splitlines():
        if line.startswith("step "):
            current = steps.setdefault(line[5:], Step())
        elif line.startswith("end ") and current is not None:
            code, _, current.uptime = line[4:].partition(" ")
            current.code, current = int(code), None
        elif line == "finished":
            finished = True
        elif current is not None:
            (current.errors if line.startswith("err: ") else current.lines).append(line)
    return steps, finished


class Judge:
    def __init__(self, steps, phones, say):
        self.steps, self.phones, self.say = steps, phones, say
        self.bad = 0

    def check(self, title, right, detail=""):
        self.say("%s  %s%s" % ("ok    " if right else "FAILED", title, "" if right or not detail else ": " + str(detail)[:600]))
        self.bad += not right

    def step(self, name):
        return self.steps.get(name, Step())

    def devices(self):
        devices = [json.loads(line) for line in self.step("devices").lines if line.startswith("{")]
        states = [d["state"] for d in devices]
        self.check("devices: all %d phones on usb, all in state device" % self.phones,
                   states == ["device"] * self.phones and all(d["via"] == "usb" for d in devices),
                   devices or self.step("devices").errors)

    def same_rows(self, name, over_tcp, exit_code):
        step = self.step(name)
        rows = step.rows()
        self.check("%s: %d rows, exit code %d" % (name, self.phones, exit_code),
                   len(rows) == self.phones and step.code == exit_code, (step.code, step.lines[:2], step.errors[:3]))
        different = [(rows.get(i), over_tcp[i]) for i in over_tcp if rows.get(i) != over_tcp[i]]
        self.check("%s: the same rows as over TCP" % name, over_tcp and not different, different[:1])

    def people(self):
        member, stranger = self.step("member"), self.step("stranger")
        self.check("a user of group plugdev may use the phones, by devices/51-drover.rules",
                   member.code == 0 and len(member.rows()) == self.phones, (member.code, member.lines[:2], member.errors[:3]))
        rows = stranger.rows().values()
        self.check("another user may not, and each row names that file",
                   stranger.code == 20 and len(rows) == self.phones and
                   all(r["error_code"] == "DROVER.2002" and "51-drover.rules" in r["error_msg"] for r in rows),
                   (stranger.code, stranger.lines[:2], stranger.errors[:3]))

    def placed(self):
        step = self.step("placed")
        rows = list(step.rows().values())
        self.check("a phone by the place where it is plugged in", step.code == 0 and len(rows) == 1 and rows[0]["execute_msg"].strip(),
                   (step.code, step.lines, step.errors))

    def full_packets(self):
        for payload in (512, 1024, 16384):
            down, up = self.step("in-%d" % payload), self.step("out-%d" % payload)
            got = [row["output_bytes"] for row in down.rows().values()]
            self.check("a payload of %d from the phone" % payload, down.code == 0 and got == [payload - 11], (down.lines, down.errors))
            got = [row["output_bytes"] for row in up.rows().values()]
            self.check("a payload of %d to the phone" % payload, up.code == 0 and got == [payload - 18], (up.lines, up.errors))

    def cable(self):
        pulled = self.step("pulled")
        rows = list(pulled.rows().values())
        self.check("the cable pulled during a command: one row, link lost, exit code 20",
                   len(rows) == 1 and rows[0]["error_code"].startswith("DROVER.3") and "20" in pulled.lines, pulled.lines)
        others = self.step("others")
        self.check("the other phones meanwhile", others.code == 0 and len(others.rows()) == self.phones - 1,
                   (others.code, others.lines[:2], others.errors))
        back = self.step("back")
        self.check("plugged in again: all %d answer" % self.phones, back.code == 0 and len(back.rows()) == self.phones,
                   (back.code, back.lines[:2], back.errors))

    def all(self, tcp_rows, notes):
        """tcp_rows: by step. notes: what a host process that played the phones saw, or None."""
        self.check("%d phones enumerated" % self.phones, self.step("enumerated").lines == [str(self.phones)],
                   {n: (s.code, s.lines[:3], s.errors[:3]) for n, s in self.steps.items()})
        self.devices()
        for name, code in (("echo", 0), ("exit", 10), ("output", 0), ("shell", 10)):
            if name in tcp_rows:
                self.same_rows(name, tcp_rows[name], code)
        self.placed()
        self.people()
        self.full_packets()
        if notes is not None:
            for way in ("sent", "received"):
                missing = {512, 1024, 16384} - set(notes[way])
                self.check("those payloads were really %s by the phones" % way, not missing, missing)
        self.cable()
        broken = self.step("violations").lines + (notes["violations"] if notes else [])
        self.check("no rule of adbd's was broken", self.step("violations").code == 0 and not broken, broken)
        self.check("the kernel has nothing to complain about", self.step("kernel").code == 0 and not self.step("kernel").lines,
                   self.step("kernel").lines)
        return self.bad
