"""Plots as SVG: bars and lines, with the least and the greatest value drawn beside each median.

On a light ground of their own, so that a dark page shows the same.
"""
import html
import math
import statistics

STYLE = """<style>text{font:13px system-ui,sans-serif;fill:#475569}.ground{fill:#fff}.name{fill:#1e293b}.title{fill:#1e293b;font-weight:600}
.small{font-size:11px}.own{fill:#c2410c}.other{fill:#94a3b8}.floor{fill:#64748b}.grid{stroke:#e2e8f0}.axis{stroke:#64748b}
.spread{stroke:#1e293b;stroke-width:1.5;fill:none}.mark{stroke:#b91c1c;stroke-dasharray:5 4}.series{fill:none;stroke-width:2}</style>"""
# Of the series of one chart, in their order; told apart by their lightness too.
COLOURS = ("#334155", "#0e7490", "#7c3aed", "#a3a3a3")
OWN = "#c2410c"
LETTER = 7.2


def page(width, height, title, parts):
    """A whole image."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img">\n'
            f'<title>{html.escape(title)}</title>\n{STYLE}\n<rect class="ground" width="{width:.0f}" height="{height:.0f}" rx="6"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def words(x, y, text, anchor="start", kind=""):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def rule(x1, y1, x2, y2, kind):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def spread(low, high, y):
    """A line from the least to the greatest value over the bar at `y`."""
    return f'<path class="spread" d="M{low:.1f} {y + 5}v10M{low:.1f} {y + 10}H{high:.1f}M{high:.1f} {y + 5}v10"/>'


def bars(title, named):
    """A bar per name: the median of its values, with a line from the least to the greatest."""
    named = sorted(named, key=lambda one: statistics.median(one[1]))
    left = 30 + LETTER * max((len(name) for name, _ in named), default=1)
    width, step, top = 760, 28, 44
    ticks = steps(max((max(values) for _, values in named), default=1))
    scale = (width - left - 90) / ticks[-1]
    bottom = top + len(named) * step
    parts = [words(16, 26, title, kind="title")]
    for value in ticks:
        x = left + value * scale
        parts += [rule(x, top - 4, x, bottom, "grid"), words(x, bottom + 16, short(value), "middle", "small")]
    for row, (name, values) in enumerate(named):
        y, middle = top + row * step, statistics.median(values)
        low, high = left + min(values) * scale, left + max(values) * scale
        kind = "own" if name.startswith("boomgate") else "floor" if name == "floor" else "other"
        parts += [words(left - 8, y + 15, name, "end", "name"),
                  f'<rect class="{kind}" x="{left:.1f}" y="{y}" width="{middle * scale:.1f}" height="20"/>']
        if len(values) > 1:
            parts.append(spread(low, high, y))
        parts.append(words(max(high, left + middle * scale) + 8, y + 15, short(middle)))
    parts.append(rule(left, top - 4, left, bottom, "axis"))
    return page(width, bottom + 28, title, parts)


def limits(title, named):
    """A bar per name: the median as a share of the most that it may be, which is one line for all. `named`: names with median, least,
    greatest value, and the limit."""
    left = 30 + LETTER * max((len(name) for name, *_ in named), default=1)
    width, step, top = 860, 28, 64
    longest = max((high / limit for _, _, _, high, limit in named), default=1)
    scale = (width - left - 130) / max(longest, 1)
    bottom, mark = top + len(named) * step, left + scale
    parts = [words(16, 26, title, kind="title"), words(mark, top - 10, "goal", "middle", "small")]
    for row, (name, middle, low, high, limit) in enumerate(named):
        y, start, end = top + row * step, left + low / limit * scale, left + high / limit * scale
        kind = "own" if middle > limit else "other"
        parts += [words(left - 8, y + 15, name, "end", "name"),
                  f'<rect class="{kind}" x="{left:.1f}" y="{y}" width="{middle / limit * scale:.1f}" height="20"/>',
                  spread(start, end, y),
                  words(max(end, mark) + 8, y + 15, f"{middle:.2f} of {limit:.2f}")]
    parts += [rule(left, top - 4, left, bottom, "axis"), rule(mark, top - 4, mark, bottom, "axis")]
    return page(width, bottom + 16, title, parts)


def lines(title, across, up, series, mark=None, log_y=False):
    """Lines over a logarithmic scale of sizes. `series`: names with points of size, median, least and greatest value.

    The other axis begins at 0, unless it is logarithmic too. `mark`: a value that is drawn across, and its name.
    """
    return page(760, 380, title, chart(0, 0, 760, 380, title, across, up, series, mark, log_y))


def grid(title, charts, columns=2):
    """Charts beside and below each other; each is what `lines` takes."""
    width, height, parts = 520, 300, [words(16, 26, title, kind="title")]
    for at, one in enumerate(charts):
        parts += chart(at % columns * width, 34 + at // columns * height, width, height, *one)
    return page(width * columns, 34 + -(-len(charts) // columns) * height, title, parts)


def chart(x0, y0, width, height, title, across, up, series, mark=None, log_y=False):
    """The parts of one chart, at a place."""
    many = len(series) > 1
    across_names = max(1, min(len(series), int((width - 64) / (34 + 6.2 * max(len(name) for name, _ in series)))))
    rows = -(-len(series) // across_names) if many else 0
    left, top, right, bottom = x0 + 64, y0 + 62 + 18 * rows, x0 + width - 40, y0 + height - 50
    sizes = sorted({point[0] for _, points in series for point in points})
    highest = max([point[3] for _, points in series for point in points] + ([mark[0]] if mark else []))
    if log_y:
        least = min(point[2] for _, points in series for point in points)
        ticks = [10.0 ** power for power in range(math.floor(math.log10(least)), math.ceil(math.log10(highest)) + 1)]
    else:
        ticks = steps(highest * 1.02)
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def across_at(size):
        return left + (math.log10(size) - first) / max(last - first, 1e-9) * (right - left)

    def up_at(value):
        share = (math.log10(max(value, ticks[0]) / ticks[0]) / math.log10(ticks[-1] / ticks[0])) if log_y else value / ticks[-1]
        return bottom - share * (bottom - top)

    parts = [words(x0 + 16, y0 + 24, title, kind="title"), words(x0 + 16, y0 + 44, up, kind="small"),
             words((left + right) / 2, y0 + height - 12, across, "middle", "small")]
    for value in ticks:
        parts += [rule(left, up_at(value), right, up_at(value), "grid"), words(left - 8, up_at(value) + 4, short(value), "end", "small")]
    for size in sizes:
        parts += [rule(across_at(size), bottom, across_at(size), bottom + 4, "axis"),
                  words(across_at(size), bottom + 18, f"{size:,.0f}", "middle", "small")]
    parts.append(rule(left, bottom, right, bottom, "axis"))
    if mark:
        parts += [rule(left, up_at(mark[0]), right, up_at(mark[0]), "mark"), words(left + 6, up_at(mark[0]) - 5, mark[1], kind="small")]
    colours = {}
    for at, (name, points) in enumerate(series):
        # The same thing under another condition, which its name says behind a semicolon.
        thing, _, condition = name.partition("; ")
        colour = colours.setdefault(thing, OWN if thing == "Boomgate" else COLOURS[len(colours) % len(COLOURS)])
        dashes = ' stroke-dasharray="3 4"' if condition else ""
        if many:
            x, y = left + at % across_names * (right - left) / across_names, y0 + 55 + at // across_names * 18
            parts += [f'<path stroke="{colour}"{dashes} stroke-width="3" d="M{x:.1f} {y}h16"/>', words(x + 22, y + 4, name, kind="small")]
        path = " ".join(f"{across_at(point[0]):.1f},{up_at(point[1]):.1f}" for point in points)
        parts.append(f'<polyline class="series" stroke="{colour}"{dashes} points="{path}"/>')
        for size, middle, low, high in points:
            x = across_at(size)
            if high > low:
                parts.append(f'<path stroke="{colour}" fill="none" d="M{x - 4:.1f} {up_at(low):.1f}h8M{x:.1f} {up_at(low):.1f}V{up_at(high):.1f}'
                             f'M{x - 4:.1f} {up_at(high):.1f}h8"/>')
            parts.append(f'<circle fill="{colour}" cx="{x:.1f}" cy="{up_at(middle):.1f}" r="3.5"/>')
            if not many:
                # The first stands on the other axis, whose figures are on its left.
                anchor = "start" if size == sizes[0] else "middle"
                parts.append(words(x, up_at(high) - 9, short(middle), anchor, "small"))
    return parts


def steps(most):
    """The values of an axis from 0 to at least so much, in steps of 1, 2 or 5."""
    most = max(most, 1e-9)
    ten = 10 ** math.floor(math.log10(most / 4))
    step = next(ten * by for by in (1, 2, 5, 10) if ten * by * 5 >= most)
    return [step * at for at in range(math.ceil(most / step) + 1)]


def short(value):
    """A value with three digits that count."""
    if value and abs(value) < 0.01:
        return f"{value:g}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
