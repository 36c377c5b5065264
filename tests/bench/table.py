"""What the tables of all benchmarks share. Pure: values in, text out."""
import statistics


def spread(values, digits):
    """Median (min-max)."""
    form = "%%.%df" % digits
    if len(values) == 1:
        return form % values[0]
    return "%s (%s-%s)" % tuple(form % v for v in (statistics.median(values), min(values), max(values)))


def about(m, noise):
    """The machine, and how quiet it was."""
    pinned = "host processes on one core, virtual phones on the others" if m["pinned"] else "one core for all: nothing is pinned"
    return ["%s, %d cores%s, %.1f GiB, %s, kernel %s, %s. Loopback TCP; %s." %
            (m["cpu"], m["cores"], " (virtual machine)" if m["virtual"] else "", m["memory_gib"], m["system"], m["kernel"], m["time"],
             pinned),
            "Other programs used %.2f cores meanwhile%s." %
            (noise["others_cores"], ": these figures are noisy" if noise["others_cores"] > 0.1 else "")]
