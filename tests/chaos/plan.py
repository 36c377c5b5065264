"""What a chaos run does, from its seed alone: which phones misbehave and how, and the list of operations. Pure."""
import random

# Six phones of ten are healthy. The others have one of these each.
FAULTS = ["{drop: 0.3}", "{junk: {rate: 0.5, bytes: 4096}}", "{mute: 0.5}", "{mute-after-handshake: 0.4}", "{slow: {time: 200ms}}",
          "{flapping: {time: 2s, down: 500ms}}", "{refuse-open: 0.3}", "{silent: 0.2}", "{no-exit-code: 0.3}", "{bad-magic: 0.3}",
          "{stray-open: always}", "{flood: {rate: 0.5, packets: 5000}}", "{oversize-header: 0.3}", "{equal-serial: always}",
          "{unauthorized: 0.5}", "{new-serial: 0.7}", "{new-serial: always, flapping: {time: 1s, down: 200ms}}"]
HEALTHY_SHARE = 0.6
HELD_MAX = 8  # phones of a run through the daemon, which are its own meanwhile: others only hear so
SYNC, ASYNC, EXEC, RUN, REBOOT, RELOAD, KILL, STOP = "sync", "async", "exec", "run", "reboot", "reload", "kill", "stop"


def milliseconds(duration):
    """Of drover's spelling, "300ms" or "2s"."""
    return float(duration[:-2]) if duration.endswith("ms") else float(duration.removesuffix("s")) * 1000


def phone_id(number):
    return "vphone-%04d" % number


class Operation:
    """One call. `word` is unlike that of every other one; `targets` are phone numbers, without duplicates."""

    def __init__(self, number, kind, targets, command):
        self.number, self.kind, self.targets, self.command = number, kind, targets, command
        self.cancelled = kind == ASYNC and number % 9 == 0
        self.through = kind in (EXEC, RUN) and number % 2 == 0  # the daemon, as a user's command line does where one runs
        if self.through and kind == RUN:
            self.targets = targets[:HELD_MAX]
        self.word = "w%d" % number
        self.begun = None  # see chaos.py

    @property
    def text(self):
        return {"echo": "echo " + self.word, "once": "sh once.sh " + self.word, "true": "true", "exit": "exit 3",
                "output": "sim-output 5000"}[self.command]

    @property
    def ids(self):
        return [phone_id(n) for n in self.targets]


class Plan:
    def __init__(self, seed, phones, commands):
        self.seed, self.phones, self.commands = seed, phones, commands
        dice = random.Random(seed)
        healthy = max(1, round(phones * HEALTHY_SHARE))
        self.healthy = set(dice.sample(range(1, phones + 1), healthy))
        unwell = [n for n in range(1, phones + 1) if n not in self.healthy]
        faults = dice.sample(FAULTS, len(FAULTS))
        self.faults = {n: faults[i % len(faults)] for i, n in enumerate(unwell)}
        self.dice = dice

    def profile(self):
        lines = ["  %s: {faults: %s}" % (phone_id(n), fault) for n, fault in sorted(self.faults.items())]
        return "version: 1\nname: chaos\nphones:\n" + "\n".join(lines) + "\n" if lines else "version: 1\nname: chaos\n"

    def operations(self, first=1):
        """Until the commands are used up: one command on one phone counts once. first: number of the first one."""
        left, number, since_kill, kills = self.commands, first - 1, 0, 0
        kill_every = min(max(self.commands // 6, 200), 20000)
        client_share = 0.08 if self.commands < 20000 else 0.01
        while left > 0:
            number += 1
            if since_kill >= kill_every:
                since_kill, kills = 0, kills + 1
                yield Operation(number, KILL if kills % 3 else STOP, [], "true")
                continue
            kind = self.dice.choices([SYNC, ASYNC, EXEC, RUN, REBOOT, RELOAD],
                                     [0.6, 0.3, client_share, client_share / 2, 0.005, 0.005])[0]
            if kind == RELOAD:
                yield Operation(number, kind, [], "true")
                continue
            if kind == REBOOT:
                if self.faults:
                    yield Operation(number, kind, [self.dice.choice(sorted(self.faults))], "true")
                continue
            targets = self.targets()[:max(1, left)]
            # Commands with a process of their own cost a hundred times what the others do.
            command = self.dice.choices(["echo", "true", "output", "exit", "once"], [40, 30, 10, 5, 15 if len(targets) <= 8 else 2])[0]
            left -= len(targets)
            since_kill += len(targets)
            yield Operation(number, kind, targets, "once" if kind == RUN else command)

    def targets(self):
        of = sorted(self.healthy) if self.dice.random() < 0.15 else range(1, self.phones + 1)
        most = min(len(of), 100)
        count = most if self.dice.random() < 0.5 else self.dice.randint(1, max(1, most // 4))
        return self.dice.sample(list(of), count)
