#!/usr/bin/env python3
"""Boots the guest and judges what it reports: drover on USB phones of a real kernel, without USB hardware.

    run.py --build DIR [--phones N] [--mode redir|gadget]

DIR is a build of this repository with DROVER_VM=ON. scripts/test-usb-vm does the building. Exit codes: 0 all right, 1 something
was not, 77 skipped, because QEMU or the kernel package is missing.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import initramfs  # noqa: E402
import judge  # noqa: E402

GUEST_SECONDS_MAX = 300  # a whole guest, start to power-off: for a busy machine
PHONES_PER_XHCI = 15
QEMU = "qemu-system-x86_64"
SKIPPED = 77
COMMANDS = {"echo": ["echo", "over", "usb"], "exit": ["exit", "3"], "output": ["sim-output", "20000"],
            "shell": ["getprop ro.serialno; echo to-err >&2; exit 7"]}


def started(argv, ready, **more):
    process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True, **more)
    line = process.stdout.readline()
    if not line.startswith(ready):
        process.kill()
        sys.exit("test-usb-vm: %s did not get ready: %r" % (argv[0], line))
    return process


def stopped(process):
    process.terminate()
    try:
        return process.communicate(timeout=20)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


class RedirHost:
    """The phones of B1 on this host: `drover sim`, and the process that plays them to QEMU."""

    def __init__(self, build, phones, folder):
        self.drover, self.folder, self.phones = build / "drover", folder, phones
        self.inventory = folder / "tcp.yaml"
        self.sim = started([self.drover, "sim", "--count", phones, "--port", 0, "--write-inventory", self.inventory], "ready")
        ports = [line.rsplit(":", 1)[1].strip(" '\"},") for line in self.inventory.read_text().splitlines() if "address:" in line]
        self.redir = started([build / "tests/vm/vm_redir_phones", folder, *ports], "ready")

    def qemu_arguments(self):
        argv = ["-chardev", "socket,id=cable,path=%s/control" % self.folder, "-serial", "chardev:cable"]
        for i in range(self.phones):
            bus = i // PHONES_PER_XHCI
            if i % PHONES_PER_XHCI == 0:
                argv += ["-device", "qemu-xhci,id=x%d,p2=%d,p3=%d" % (bus, PHONES_PER_XHCI, PHONES_PER_XHCI)]
            argv += ["-chardev", "socket,id=r%d,path=%s/r%d" % (i, self.folder, i),
                     "-device", "usb-redir,chardev=r%d,bus=x%d.0" % (i, bus)]
        return argv

    def tcp_rows(self):
        rows = {}
        for name, command in COMMANDS.items():
            done = subprocess.run([self.drover, "exec", "--inventory", self.inventory, "--output", "jsonl", "--timeout", "60s",
                                   "--", *command], capture_output=True, text=True)
            step = judge.Step()
            step.lines = done.stdout.splitlines()
            rows[name] = step.rows()
        return rows

    def stop(self):
        notes = stopped(self.redir)
        stopped(self.sim)
        return json.loads(notes.strip().splitlines()[-1])


def boot(image, guest, mode, phones, more, folder):
    """Returns the report; the guest powers itself off."""
    for name in ("console", "report"):
        (folder / (name + ".log")).touch()
    argv = [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35", "-smp", "2", "-m", "1024", "-display", "none",
            "-no-reboot", "-nic", "none", "-serial", "file:%s/console.log" % folder, "-serial", "file:%s/report.log" % folder, *more,
            "-kernel", str(image), "-initrd", str(guest),
            # An emulated timer is late on a busy host, and the kernel's check of it would panic.
            "-append", "console=ttyS0 panic=-1 quiet mitigations=off no_timer_check mode=%s phones=%d" % (mode, phones)]
    qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = qemu.communicate(timeout=GUEST_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        qemu.kill()
        _, errors = qemu.communicate()
        print("test-usb-vm: the guest was stopped after %d s" % GUEST_SECONDS_MAX)
    if errors.strip():
        print("test-usb-vm: QEMU said: " + errors.strip()[-400:])
    return (folder / "report.log").read_text(errors="replace")


def run(build, work, mode, phones, image, guest):
    what = {"redir": "usb-redir on QEMU's xHCI", "gadget": "dummy_hcd and FunctionFS"}[mode]
    print("== %s: %d phones" % (what, phones), flush=True)
    began = time.monotonic()
    notes = None
    # A short path: Unix sockets have 108 bytes for theirs.
    with tempfile.TemporaryDirectory(prefix="drover-vm-") as name:
        folder = pathlib.Path(name)
        host = RedirHost(build, phones, folder) if mode == "redir" else None
        try:
            report = boot(image, guest, mode, phones, host.qemu_arguments() if host else [], folder)
            rows = host.tcp_rows() if host else {}
        finally:
            if host:
                notes = host.stop()
        for log in ("console.log", "report.log"):
            shutil.copy(folder / log, work / ("%s-%s" % (mode, log)))
    steps, finished = judge.read_report(report)
    if mode == "gadget":
        rows = {n: steps["tcp-" + n].rows() for n in COMMANDS if "tcp-" + n in steps}
    judged = judge.Judge(steps, phones, print)
    judged.check("the guest came to its end", finished, "see %s/%s-console.log" % (work, mode))
    bad = judged.all(rows, notes) if steps else judged.bad  # a guest that never spoke fails once
    up = steps["enumerated"].uptime if "enumerated" in steps else "?"
    print("-- %s: %s; %.0f s, phones enumerated %s s after the kernel's start\n" %
          (what, "all right" if not bad else "%d FAILED" % bad, time.monotonic() - began, up), flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--phones", type=int, default=20, help="by usb-redir (20); 1 to 100")
    parser.add_argument("--gadgets", type=int, default=4, help="by FunctionFS (4); 1 to 30")
    parser.add_argument("--mode", choices=["redir", "gadget"], help="only one of them")
    options = parser.parse_args()
    if not 1 <= options.phones <= 100 or not 1 <= options.gadgets <= 30:
        parser.error("1 to 100 phones, 1 to 30 gadgets")
    work = options.build.resolve().parent / "vm"
    work.mkdir(exist_ok=True)
    try:
        if not shutil.which(QEMU):
            raise initramfs.Missing("%s is missing" % QEMU)
        image, guest = initramfs.build(work, options.build.resolve())
    except initramfs.Missing as why:
        print("SKIPPED: %s (scripts/setup vm installs what is needed)" % why)
        return SKIPPED
    bad = 0
    for mode, phones in (("redir", options.phones), ("gadget", options.gadgets)):
        if options.mode in (None, mode):
            bad += run(options.build.resolve(), work, mode, phones, image, guest)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
