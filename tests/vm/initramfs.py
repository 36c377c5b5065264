"""The guest of scripts/test-usb-vm: Debian's own kernel, downloaded and unpacked but never installed, and an initramfs with
busybox, the USB modules, udevd, and programs of this build with the libraries they are linked with."""
import os
import pathlib
import re
import shutil
import stat
import subprocess

MODULES = ["drivers/usb/common", "drivers/usb/core", "drivers/usb/gadget/udc", "drivers/usb/gadget/function/usb_f_fs.ko",
           "drivers/usb/gadget/libcomposite.ko", "drivers/usb/host/xhci-hcd.ko", "drivers/usb/host/xhci-pci.ko", "fs/configfs"]
PROGRAMS = ["/lib/systemd/systemd-udevd", "/bin/udevadm"]
RULES = "/lib/udev/rules.d/50-udev-default.rules"
HERE = pathlib.Path(__file__).resolve().parent
OWN_RULES = HERE.parent.parent / "devices" / "51-drover.rules"
PASSWD = "root:x:0:0::/:/bin/sh\nfarmer:x:1000:1000::/tmp:/bin/sh\nguest:x:1001:1001::/tmp:/bin/sh\n"
GROUP = "root:x:0:\nplugdev:x:46:farmer\nfarmer:x:1000:\nguest:x:1001:\n"


class Missing(Exception):
    """Something this host lacks; the text says what."""


def kernel_package():
    text = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True).stdout
    found = re.search(r"Depends: (linux-image-\S+)", text)
    if not found:
        raise Missing("apt knows no kernel package (linux-image-amd64): run apt-get update")
    return found.group(1)


def unpack_kernel(folder):
    """The kernel's image and its modules, downloaded once. Returns (image, modules folder, release)."""
    package = kernel_package()
    release = package[len("linux-image-"):]
    root = folder / package
    if not root.exists():
        folder.mkdir(parents=True, exist_ok=True)
        debs = sorted(folder.glob(package + "_*.deb"))
        if not debs:
            done = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True)
            debs = sorted(folder.glob(package + "_*.deb"))
            if done.returncode != 0 or not debs:
                raise Missing("the kernel package %s cannot be downloaded: %s" % (package, done.stderr.strip()[-200:]))
        half = folder / "unpacking"
        shutil.rmtree(half, ignore_errors=True)
        subprocess.run(["dpkg-deb", "-x", debs[-1], half], check=True)
        half.rename(root)
    return root / "boot" / ("vmlinuz-" + release), root / "lib" / "modules" / release, release


def copy_in(root, source, target=None):
    destination = root / (target or source).lstrip("/")
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(os.path.realpath(source), destination)
    return destination


def copy_program(root, source, target=None):
    copy_in(root, source, target)
    listed = subprocess.run(["ldd", source], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+) \(0x", listed):
        if not (root / library.lstrip("/")).exists():
            copy_in(root, library)


def write_cpio(root, path):
    """The `newc` format, as Documentation/driver-api/early-userspace/buffer-format.rst has it; uncompressed, so that an
    emulated processor need not inflate it."""
    def entry(out, number, name, mode, data):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out.write(b"070701" + b"".join(b"%08x" % f for f in fields) + name + b"\0")
        out.write(b"\0" * (-(110 + len(name) + 1) % 4) + data + b"\0" * (-len(data) % 4))

    with open(path, "wb") as out:
        number = 1
        for source in sorted(root.rglob("*")):
            info = source.lstat()
            data = b""
            if stat.S_ISLNK(info.st_mode):
                data = os.readlink(source).encode()
            elif stat.S_ISREG(info.st_mode):
                data = source.read_bytes()
            entry(out, number, str(source.relative_to(root)).encode(), info.st_mode, data)
            number += 1
        entry(out, number, b"TRAILER!!!", 0, b"")


def build(folder, build_dir):
    """Returns (kernel image, initramfs)."""
    for program in ["/bin/busybox", *PROGRAMS]:
        if not os.path.exists(program):
            raise Missing("%s is missing" % program)
    image, modules, release = unpack_kernel(folder)
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ["bin", "dev", "proc", "sys", "run", "tmp", "etc", "sbin", "usr/bin", "usr/sbin", "ffs"]:
        (root / name).mkdir(parents=True)
    copy_in(root, "/bin/busybox")
    into = root / "lib" / "modules" / release
    into.mkdir(parents=True)
    for name in MODULES:
        source, target = modules / "kernel" / name, into / "kernel" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    for name in ["modules.builtin", "modules.builtin.modinfo", "modules.order"]:
        shutil.copy2(modules / name, into)
    subprocess.run(["depmod", "-b", root, release], check=True)
    for program in PROGRAMS:
        copy_program(root, program)
    copy_in(root, RULES)
    copy_in(root, str(OWN_RULES), "/etc/udev/rules.d/51-drover.rules")
    copy_program(root, str(build_dir / "drover"), "/bin/drover")
    copy_program(root, str(build_dir / "tests/vm/vm_ffs_phone"), "/bin/vm_ffs_phone")
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text(GROUP)
    for name, target in [("guest.sh", "init"), ("mode-redir.sh", "mode-redir.sh"), ("mode-gadget.sh", "mode-gadget.sh"),
                         ("sim.yaml", "sim.yaml")]:
        copy_in(root, str(HERE / name), target)
    (root / "init").chmod(0o755)
    write_cpio(root, folder / "initramfs.cpio")
    return image, folder / "initramfs.cpio"
