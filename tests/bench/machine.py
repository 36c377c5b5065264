"""The machine a benchmark runs on: cores to pin to, what it is, and who else was busy meanwhile."""
import os
import pathlib
import platform
import resource
import time

CORES = sorted(os.sched_getaffinity(0))


def pin_to_host_core():
    """For every process whose CPU is counted."""
    os.sched_setaffinity(0, {CORES[0]})


def pin_to_phone_core():
    if len(CORES) > 1:
        os.sched_setaffinity(0, set(CORES[1:]))


def describe():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), platform.machine())
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "")
    memory_kib = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    return {"cpu": model, "cores": len(CORES), "virtual": " hypervisor" in flags, "memory_gib": round(memory_kib / 2**20, 1),
            "kernel": platform.release(), "system": system_name(), "pinned": len(CORES) > 1,
            "time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def system_name():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def cpu_seconds(pid):
    """Of all threads of a process, in steps of a nanosecond: clock_getcpuclockid(3), which Python has only for its own threads."""
    return time.clock_gettime((~pid << 3) | 2)


class Watch:
    """How busy the rest of the machine was between its making and end(): noise, to be told with the figures."""

    def __init__(self):
        self.began = self._times()
        self.wall = time.monotonic()

    @staticmethod
    def _times():
        user, nice, system, idle, iowait, irq, softirq, steal = (int(n) for n in pathlib.Path("/proc/stat").read_text().split()[1:9])
        return {"busy": user + nice + system + irq + softirq, "steal": steal}

    def end(self):
        """Call it when all children have been waited for."""
        now = self._times()
        tick = os.sysconf("SC_CLK_TCK")
        ours = sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
        seconds = time.monotonic() - self.wall
        busy = (now["busy"] - self.began["busy"]) / tick
        others = max(0.0, busy - ours)
        return {"seconds": round(seconds, 1), "others_cores": round(others / seconds, 2),
                "steal_cores": round((now["steal"] - self.began["steal"]) / tick / seconds, 3)}
