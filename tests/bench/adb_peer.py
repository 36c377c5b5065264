"""Debian's adb as a peer: a server of our own on a port of its own, the phones connected to it, and the command line in
front of it. No other adb server on the host is touched."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

import machine

START_SECONDS_MAX = 20
CONNECT_SECONDS_MAX = 90  # for all phones; those not there by then are not waited for
XARGS_PARALLEL = 100


def start(addresses, folder, say):
    """A server with these phones, or None where adb is missing or does not start."""
    if not shutil.which("adb"):
        return None
    server = Server(folder)
    if not server.wait_until_up():
        server.stop()
        return None
    server.connect(addresses, say)
    return server


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, folder):
        self.home = tempfile.mkdtemp(prefix="adb-home-", dir=folder)
        self.port = free_port()
        self.serials = []
        self.connected = 0
        self.why = ""
        self.log = open(os.path.join(self.home, "server.log"), "w+")
        self.process = subprocess.Popen(["adb", "-L", "tcp:localhost:%d" % self.port, "server", "nodaemon"], env=self._env(),
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        preexec_fn=machine.pin_to_host_core)

    @property
    def pid(self):
        return self.process.pid

    def environment(self):
        return {"ADB_SERVER_SOCKET": "tcp:localhost:%d" % self.port}

    def _env(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADB_", "ANDROID_"))}
        return {**clean, "HOME": self.home, "TMPDIR": self.home}

    def ask(self, service, seconds):
        """One smart-socket request; the text of the answer, or an OSError or EOFError."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as s:
            stream = s.makefile("rwb")
            stream.write(b"%04x" % len(service) + service.encode())
            stream.flush()
            status = stream.read(4)
            text = stream.read(int(stream.read(4) or b"0", 16)).decode(errors="replace")
            if status != b"OKAY":
                raise EOFError(text or "no answer")
            return text

    def wait_until_up(self):
        until = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.ask("host:version", 5)
                return True
            except (OSError, EOFError, ValueError):
                time.sleep(0.05)
        return False

    def online(self):
        lines = self.ask("host:devices", 30).splitlines()
        return {line.split("\t")[0] for line in lines if line.endswith("\tdevice")}

    def connect(self, addresses, say):
        """Connects as many as the time allows; `connected` says how many, `why` what stopped it."""
        until = time.monotonic() + CONNECT_SECONDS_MAX
        problems = []
        # One after the other: with 16 at once adb 29.0.6 was seen to crash somewhere past 200 phones.
        for address in addresses:
            if time.monotonic() > until:
                break
            try:
                self.ask("host:connect:" + address, 30)
            except (OSError, EOFError, ValueError) as problem:
                problems.append(problem)
        online = set()
        while time.monotonic() < until and self.process.poll() is None:
            try:
                online = self.online()
            except (OSError, EOFError, ValueError) as problem:
                problems.append(problem)
            if len(online) >= len(addresses):
                break
            time.sleep(0.2)
        self.serials = [a for a in addresses if a in online]
        self.connected = len(self.serials)
        if self.process.poll() is not None:
            self.why = "the adb server ended with %d with %d phones or fewer%s" % (
                self.process.returncode, len(addresses), self.last_words())
        elif self.connected < len(addresses):
            self.why = "%d of %d phones connected to the adb server within %d s%s" % (
                self.connected, len(addresses), CONNECT_SECONDS_MAX, "; " + str(problems[-1]) if problems else "")
        if self.why:
            say(self.why)

    def last_words(self):
        self.log.flush()
        self.log.seek(0)
        fatal = [line.split("] ", 1)[-1].strip() for line in self.log if " F " in line[:10]]
        return ": " + fatal[-1] if fatal else ""

    def xargs(self, phones, calls):
        """xargs -P100 adb -s SERIAL shell true; CPU of xargs, of every adb it started, and of the server."""
        argv = ["xargs", "-P", str(min(XARGS_PARALLEL, phones)), "-I", "{}", "adb", "-s", "{}", "shell", "true"]
        text = "".join(serial + "\n" for serial in self.serials[:phones] * calls)
        wall, server = time.monotonic(), machine.cpu_seconds(self.pid)
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                 env={**self._env(), **self.environment()}, preexec_fn=machine.pin_to_host_core)
        child.stdin.write(text)
        child.stdin.close()
        errors = child.stderr.read()
        # What xargs itself waited for is in its usage.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stderr.close()
        wall, server = time.monotonic() - wall, machine.cpu_seconds(self.pid) - server
        if child.returncode != 0:
            raise RuntimeError("xargs ended with %d: %s" % (child.returncode, errors.strip()[-200:]))
        commands = phones * calls
        cpu = usage.ru_utime + usage.ru_stime + server
        return {"way": "xargs", "phones": phones, "commands": commands, "bad": 0, "cpu_us": cpu * 1e6 / commands,
                "peer_cpu_us": server * 1e6 / commands, "wall_us": wall * 1e6 / commands}

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
