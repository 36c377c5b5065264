"""The programs of a chaos run: virtual phones, the daemon that is killed and started again, and one-shot clients."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 60  # drover drains for 10
CALL_SECONDS_MAX = 120  # a call that takes longer hangs
STATE = ["DROVER_INVENTORY", "DROVER_SERVER", "ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_PORT", "XDG_STATE_HOME", "DROVER_TOKEN",
         "NOTIFY_SOCKET"]
SANITIZERS = ("WARNING: ThreadSanitizer", "ERROR: AddressSanitizer", "ERROR: LeakSanitizer", ": runtime error: ")
REPORT_CHARACTERS = 4000


class DaemonGone(Exception):
    """The daemon was killed or stopped under this call: whether it was accepted is not known."""


class Programs:
    def __init__(self, drover, folder, plan, sync_timeout):
        self.drover, self.folder, self.plan, self.sync_timeout = str(drover), pathlib.Path(folder), plan, sync_timeout
        self.environment = {k: v for k, v in os.environ.items() if k not in STATE}
        self.environment.update(HOME=str(folder), XDG_RUNTIME_DIR=str(folder))
        self.inventory = self.folder / "inventory.yaml"
        self.log = open(self.folder / "drover.log", "ab")
        (self.folder / "phones.yaml").write_text(plan.profile())
        (self.folder / "drover.yaml").write_text(
            "version: 1\nlog: {level: error}\napi: {sync_timeout: %s, sync_deadline: 30s, async_timeout: %s}\n" % (sync_timeout, sync_timeout))
        self.sim = self.start("sim", "--count", plan.phones, "--port", 0, "--profile", self.folder / "phones.yaml", "--seed", plan.seed,
                              "--write-inventory", self.inventory)
        # Where discovery goes on, each phone tells who it is before its first command.
        self.daemon_inventory = self.folder / "daemon.yaml"
        self.change_inventory(False)
        self.socket = self.folder / "drover.sock"
        self.daemon, self.generation, self.up, self.killing = None, 0, threading.Event(), threading.Lock()
        self.start_daemon()

    def start(self, *arguments):
        process = subprocess.Popen([self.drover, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
                                   text=True, env=self.environment)
        timer = threading.Timer(START_SECONDS_MAX, process.kill)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        if not line.startswith("ready:"):
            process.kill()
            raise RuntimeError("drover %s did not get ready: %r" % (arguments[0], line))
        return process

    def start_daemon(self):
        self.daemon = self.start("serve", "--config", self.folder / "drover.yaml", "--inventory", self.daemon_inventory,
                                 "--listen", "127.0.0.1:0")
        self.up.set()

    def change_inventory(self, more):
        """more: with a phone that is never there."""
        fresh = self.folder / "daemon.yaml.new"
        fresh.write_text(self.inventory.read_text() + ("  - {id: ghost, via: tcp, address: '127.0.0.1:1'}\n" if more else "") +
                         "discover: [usb]\n")
        fresh.rename(self.daemon_inventory)

    def wait_for_daemon(self):
        """Which life it has. Read before it is used: a kill that comes later is seen by another number."""
        generation = self.generation
        if not self.up.wait(START_SECONDS_MAX):
            raise RuntimeError("the daemon did not come back")
        return generation

    def restart_daemon(self, signal_number):
        """Its exit code."""
        with self.killing:
            self.up.clear()
            self.generation += 1
            self.daemon.send_signal(signal_number)
            try:
                code = self.daemon.wait(timeout=STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                code = self.daemon.wait()
            self.start_daemon()
            return code

    def reload_daemon(self):
        self.daemon.send_signal(signal.SIGHUP)

    def job_file(self, operation):
        path = self.folder / ("%s.yaml" % operation.word)
        path.write_text("version: 1\nsteps:\n  - run: echo first\n  - run: %s\n" % operation.text)
        return path

    def client(self, *arguments):
        """Exit code and the rows that a command line client printed."""
        done = subprocess.run([self.drover, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=self.environment, timeout=CALL_SECONDS_MAX)
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return done.returncode, rows, done.stderr

    def stop(self):
        """Exit codes of daemon and phones."""
        codes = []
        for process in (self.daemon, self.sim):
            process.terminate()
            try:
                codes.append(process.wait(timeout=STOP_SECONDS_MAX))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append("did not end")
        self.log.close()
        return codes

    def sanitizer_report(self):
        """The first one of daemon and phones, if they were built so; also of a life that was killed. Empty: none."""
        text = (self.folder / "drover.log").read_text(errors="replace")
        found = [at for at in map(text.find, SANITIZERS) if at >= 0]
        return text[min(found):][:REPORT_CHARACTERS] if found else ""


class Api:
    """A client of the daemon's Unix socket, for one thread."""

    class Connection(http.client.HTTPConnection):
        def __init__(self, path):
            super().__init__("localhost", timeout=CALL_SECONDS_MAX)
            self.path = path

        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self.path)

    def __init__(self, programs):
        self.programs = programs
        self.connection, self.generation = None, -1

    def call(self, method, path, body=None):
        """(status, answer). DaemonGone: it was killed meanwhile; anything else that goes wrong is an OSError."""
        generation = self.programs.wait_for_daemon()
        if self.connection is None or self.generation != generation:
            self.close()
            self.connection, self.generation = self.Connection(str(self.programs.socket)), generation
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                    {"X-Request-Id": "chaos", "Content-Type": "application/json"})
            answer = self.connection.getresponse()
            text = answer.read()
            # A daemon that was told to stop says so to those who still come.
            if answer.status >= 500 and self.programs.generation != generation:
                self.close()
                raise DaemonGone()
            return answer.status, json.loads(text or b"{}")
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as why:
            self.close()
            # The kill is counted before it is done.
            if self.programs.generation != generation:
                raise DaemonGone() from why
            raise OSError("the daemon broke a connection: %r" % why) from why

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def resident_kib(pid):
    return int(pathlib.Path("/proc/%d/statm" % pid).read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def descendants(pid):
    """How many processes stand below one; those that ended and were not waited for too."""
    below = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                below.setdefault(int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
            except (OSError, IndexError):
                continue
    count, queue = 0, [pid]
    while queue:
        children = below.get(queue.pop(), [])
        count += len(children)
        queue += children
    return count


def settles(condition, seconds=60):
    """Whether it comes true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
