"""Line charts as SVG, with logarithmic axes. Pure: values in, text out."""
import html
import math

WIDTH, HEIGHT = 820, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 270, 40, 60
COLOURS = ["#1b6ca8", "#c8553d", "#588b3a", "#8d4fa8", "#b58900", "#333333", "#2aa198", "#d33682"]


def decades(low, high):
    """The powers of ten that enclose both."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return first, max(last, first + 1)


def number(value):
    if value >= 1e6:
        return "%gM" % (value / 1e6)
    return "%gk" % (value / 1e3) if value >= 1e4 else "%g" % value


class Axis:
    def __init__(self, values, begin, end):
        self.first, self.last = decades(min(values), max(values))
        self.begin, self.end = begin, end

    def at(self, value):
        part = (math.log10(value) - self.first) / (self.last - self.first)
        return self.begin + part * (self.end - self.begin)

    def marks(self):
        return [10.0 ** n for n in range(self.first, self.last + 1)]


def text(x, y, words, anchor="middle", more=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (x, y, anchor, more, html.escape(words))


def line(x1, y1, x2, y2, style):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>' % (x1, y1, x2, y2, style)


def series_marks(points, x, y, colour, dashed):
    """points: (x, median, min, max)."""
    path = " ".join("%.1f,%.1f" % (x.at(p[0]), y.at(p[1])) for p in points)
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    out = ['<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>' % (path, colour, dash)]
    for at, middle, low, high in points:
        out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x.at(at), y.at(middle), colour))
        if high > low:
            out.append(line(x.at(at), y.at(low), x.at(at), y.at(high), 'stroke="%s"' % colour))
    return out


def chart(title, x_name, y_name, series):
    """series: [(name, dashed, [(x, median, min, max), ...])], all values above 0. None when there is nothing to draw."""
    paired = any(dashed for _, dashed, _ in series)  # a solid line and a dashed one of a colour; either may have no points
    series = [(name, dashed, sorted(points), COLOURS[(i // 2 if paired else i) % len(COLOURS)])
              for i, (name, dashed, points) in enumerate(series) if points]
    if not series:
        return None
    every = [p for _, _, points, _ in series for p in points]
    x = Axis([p[0] for p in every], LEFT, WIDTH - RIGHT)
    y = Axis([p[2] for p in every] + [p[3] for p in every], HEIGHT - BOTTOM, TOP)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">' % (WIDTH, HEIGHT),
           '<rect width="%d" height="%d" fill="#ffffff"/>' % (WIDTH, HEIGHT), text(LEFT, 22, title, "start", ' font-size="15"')]
    for value in x.marks():
        out.append(line(x.at(value), y.begin, x.at(value), y.end, 'stroke="#dddddd"'))
        out.append(text(x.at(value), y.begin + 18, number(value)))
    for value in y.marks():
        out.append(line(x.begin, y.at(value), x.end, y.at(value), 'stroke="#dddddd"'))
        out.append(text(x.begin - 8, y.at(value) + 4, number(value), "end"))
    out.append(text((x.begin + x.end) / 2, HEIGHT - 18, x_name))
    middle = (y.begin + y.end) / 2
    out.append(text(20, middle, y_name, more=' transform="rotate(-90 20 %.1f)"' % middle))
    for i, (name, dashed, points, colour) in enumerate(series):
        out += series_marks(points, x, y, colour, dashed)
        at = TOP + 12 + 18 * i
        out.append(line(x.end + 12, at - 4, x.end + 36, at - 4,
                        'stroke="%s" stroke-width="2"%s' % (colour, ' stroke-dasharray="5 4"' if dashed else "")))
        out.append(text(x.end + 42, at, name, "start"))
    return "\n".join(out + ["</svg>", ""])
