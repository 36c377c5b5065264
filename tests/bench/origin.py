"""What was measured: the commit, how it was built, and the adb beside it. Failure: what cannot be told is 'unknown'."""
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def said(argv):
    """What a program says, without the last line's end; None: it failed, or is not there."""
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def commit():
    short = said(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"])
    if not short:
        return "unknown"
    return short + ("-dirty" if said(["git", "-C", str(HERE), "status", "--porcelain"]) else "")


def from_cache(build, name):
    """A variable of CMake's."""
    try:
        text = (build / "CMakeCache.txt").read_text()
    except OSError:
        return "unknown"
    found = re.search(r"^%s:\w+=(.+)$" % name, text, re.MULTILINE)
    return found.group(1) if found else "unknown"


def compiler(build):
    """Its path, and what it says of itself."""
    path = from_cache(build, "CMAKE_CXX_COMPILER")
    version = said([path, "--version"])
    return "%s, %s" % (path, version.splitlines()[0]) if version else path


def adb():
    """Its version, in one line; None: there is none on this host."""
    if not shutil.which("adb"):
        return None
    return ", ".join((said(["adb", "version"]) or "adb of an unknown version").splitlines()[:2])


def describe(build):
    return {"commit": commit(), "compiler": compiler(build), "build_type": from_cache(build, "CMAKE_BUILD_TYPE"), "adb": adb()}
