"""What goes wrong on purpose in `scripts/bench fleet`: phones that vanish and return on their own ports, and addresses that
swallow everything."""
import os
import pathlib
import socket
import subprocess

import machine

READY_SECONDS_MAX = 60


class Herd:
    """Virtual phones on ports that stay the same over a restart."""
    FIRST_PORT, LAST_PORT = 20000, 32767  # below what the system hands out by itself, above what adb scans
    next_port = FIRST_PORT + os.getpid() % 5000

    def __init__(self, build, count, folder, profile, name):
        self.build, self.count, self.folder, self.profile = pathlib.Path(build), count, folder, profile
        self.inventory = folder / (name + ".yaml")
        self.process = None
        for _ in range(20):
            # Around: many rounds use more ports than there are, and those of herds that are gone are free again.
            self.port = Herd.next_port if Herd.next_port + count <= Herd.LAST_PORT else Herd.FIRST_PORT
            Herd.next_port = self.port + count
            if self.start():
                return
        raise RuntimeError("no free ports for %d phones" % count)

    def start(self):
        self.process = subprocess.Popen(
            [str(self.build / "drover"), "sim", "--count", str(self.count), "--port", str(self.port), "--profile", str(self.profile),
             "--write-inventory", str(self.inventory)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=machine.pin_to_phone_core)
        if self.process.stdout.readline().startswith("ready:"):
            return True
        self.process.wait(timeout=READY_SECONDS_MAX)
        return False

    def addresses(self):
        return ["127.0.0.1:%d" % (self.port + i) for i in range(self.count)]

    def kill(self):
        """As a power cut: connections end at once, then nobody listens."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=READY_SECONDS_MAX)
            self.process = None


class BlackHole:
    """A listener whose queue is full: the kernel drops every further SYN, so a connect neither succeeds nor fails."""

    def __init__(self, port=0):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(0)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(8):
            s = socket.socket()
            s.settimeout(0.3)
            self.fillers.append(s)
            try:
                s.connect(self.listener.getsockname())
            except OSError:
                return
        raise RuntimeError("this host's kernel does not drop connections to a full queue")

    def close(self):
        for s in [self.listener, *self.fillers]:
            s.close()


def write_inventory(path, addresses, via="tcp"):
    entries = ["  - {id: p%04d, via: %s, address: '%s'}" % (i, via, a) for i, a in enumerate(addresses)]
    path.write_text("version: 1\ninstances:\n" + "\n".join(entries) + "\n")
    return path
