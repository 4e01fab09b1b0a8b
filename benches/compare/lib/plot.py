"""Plots as SVG: bars with their spread, and lines. Readable on light and on dark pages."""
import html
import math
import statistics

STYLE = """<style>text{font:13px system-ui,sans-serif;fill:#555}.name{fill:#333}.own{fill:#c2410c}.other{fill:#64748b}
.line{fill:none;stroke:#c2410c;stroke-width:2}.grid,.spread{stroke:#999;stroke-width:1}
@media(prefers-color-scheme:dark){text{fill:#aaa}.name{fill:#ddd}}</style>"""


def _page(width, height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">\n'
            f"<title>{html.escape(title)}</title>\n{STYLE}\n" + "\n".join(parts) + "\n</svg>\n")


def bars(title, named):
    """A bar per name: the median of its values, with a line from the least to the greatest."""
    named = sorted(named, key=lambda one: statistics.median(one[1]))
    most = max((max(values) for _, values in named), default=1)
    left, width, step = 140, 720, 26
    scale = (width - left - 70) / most
    parts = [f'<text class="name" x="0" y="16">{html.escape(title)}</text>']
    for row, (name, values) in enumerate(named):
        y, middle = 30 + row * step, statistics.median(values)
        kind = "own" if name.startswith("boomgate") else "other"
        parts.append(f'<text class="name" x="{left - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>')
        parts.append(f'<rect class="{kind}" x="{left}" y="{y}" width="{middle * scale:.1f}" height="18"/>')
        low, high = left + min(values) * scale, left + max(values) * scale
        parts.append(f'<line class="spread" x1="{low:.1f}" y1="{y + 9}" x2="{high:.1f}" y2="{y + 9}"/>')
        parts.append(f'<text x="{high + 6:.1f}" y="{y + 14}">{middle:.1f}</text>')
    return _page(width, 36 + len(named) * step, title, parts)


def line(title, across, up, points):
    """A line over a logarithmic scale of sizes; the other axis begins at 0."""
    left, top, width, height = 70, 30, 560, 220
    sizes, values = [x for x, _ in points], [y for _, y in points]
    low, high = math.log10(min(sizes)), math.log10(max(sizes))
    most = max(values) * 1.1

    def place(x, y):
        return left + (math.log10(x) - low) / max(high - low, 1e-9) * width, top + height - y / most * height

    parts = [f'<text class="name" x="0" y="16">{html.escape(title)}</text>',
             f'<line class="grid" x1="{left}" y1="{top + height}" x2="{left + width}" y2="{top + height}"/>',
             f'<text x="{left + width}" y="{top + height + 36}" text-anchor="end">{html.escape(across)}</text>',
             f'<text x="0" y="{top + 2}">{html.escape(up)}</text>']
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    parts.append(f'<polyline class="line" points="{path}"/>')
    for size, value in points:
        x, y = place(size, value)
        parts.append(f'<circle class="own" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{value:.3g}</text>')
        parts.append(f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{size:,.0f}</text>')
    return _page(left + width + 40, top + height + 44, title, parts)
