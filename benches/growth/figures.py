"""Draws what growth costs, and writes it as a page's tables: of one result, whatever of it is there."""
import json
import statistics
import textwrap

from lib import plot

MARK = "<!-- figures: written by benches/growth/run --docs -->"
NAMES = {"floor": "the bare proxy", "boomgate": "Boomgate"}
# The axes, and what grows on each.
AXES = {
    "policies": "policies",
    "agents": "agents in the directory",
    "tokens": "tokens seen before",
    "resources": "resources",
    "connections": "open connections, beside 32 that call",
}


def spread(values):
    """Median, least and greatest."""
    values = list(values)
    return statistics.median(values), min(values), max(values)


def series(axis, key):
    """Lines of an axis: one of Boomgate, or one of each proxy, and of each number of processes that it took."""
    if axis.get("proxies"):
        counts = sorted({one["processes"] for of in axis["proxies"].values() for one in of})
        lines = [(NAMES[name] + (f"; {count} processes" if count > 1 else ""), _points(of, key, count))
                 for count in counts for name, of in axis["proxies"].items()]
        return [(name, points) for name, points in lines if points]
    return [("Boomgate", _points(axis["points"], key))]


def _points(points, key, processes=1):
    return [(one["size"], *spread(round_[key] for round_ in one["rounds"])) for one in points if one.get("processes", 1) == processes]


def draw(result, folder):
    """An image for each part that was measured."""
    for name, what in AXES.items():
        if result.get(name):
            pair = [("CPU per call", what, "microseconds of CPU", series(result[name], "cpu_us")),
                    ("Memory", what, "MiB resident", series(result[name], "resident_mib"))]
            (folder / f"growth-{name}.svg").write_text(plot.grid(f"By {what.split(',')[0]}", pair))
    if result.get("replicas"):
        (folder / "growth-replicas.svg").write_text(replicas(result["replicas"]))
    if result.get("cores"):
        bars = [(name, [one["ratio"] for one in result["cores"][name]["rounds"]]) for name in NAMES if name in result["cores"]]
        (folder / "growth-cores.svg").write_text(plot.bars("Calls a second with two workers, times those with one", bars))


def replicas(found):
    """The share of one core of Redis by replicas, a line for each number of signals."""
    lines = []
    for signals, row in found["signals"].items():
        points = [(count, one["demand"] * 100) for count, one in zip(found["replicas"], row) if count >= 10]
        title = f"{int(signals):,} signal{'s' * (signals != '1')} a second"
        lines.append((title, [(count, share, share, share) for count, share in points]))
    return plot.lines("What one Redis carries", "replicas", "% of one core of Redis; computed from measured costs", lines,
                      mark=(100, "one core"), log_y=True)


def page(result):
    """The tables and images, in Markdown, of what there is."""
    machine = result["machine"]
    parts = result.get("parts", {}).values()
    dates, builds = (sorted({one[key] for one in parts}) for key in ("date", "build"))
    text = [f"Measured {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, {', '.join(builds)}: {machine['cores']} cores of "
            f"{machine['cpu']}, {machine['memory_gib']} GiB, "
            f"Linux {machine['kernel']}. Medians of rounds in turns, with the least and the greatest."]
    if result.get("demo"):
        text += ["", f"The demo at rest: {result['demo']['resident_mib']:.1f} MiB (at its start at most {result['demo']['peak_mib']:.1f})."]
    if result.get("large"):
        one = result["large"]
        text += ["", f"1,000,000 agents in the directory and 100,000 tokens seen before: {one['resident_mib']:.0f} MiB, {one['idle_mib']:.0f} before the"
                 f" first call, at most {one['peak_mib']:.0f} while it started, which took {one['start_seconds']:.0f} s; {one['cpu_us']:.0f} µs of CPU a"
                 f" call. A reload takes {one['reload_seconds']:.1f} s where the directory's files have not changed, {one['change_seconds']:.1f} s where an"
                 f" agent has; then {one['resident_again_mib']:.0f} MiB, at most {one['peak_again_mib']:.0f}."]
    for name, what in AXES.items():
        if result.get(name):
            text += ["", f"### By {what.split(',')[0]}", "", f"![CPU per call and memory by {what}](growth-{name}.svg)", "", *_table(what, result[name])]
            text += ["", *(f"Failed: {fault}" for fault in result[name].get("failed", []))] if result[name].get("failed") else []
    if result.get("cores"):
        text += ["", "### From one core to two", "", *_cores(result["cores"])]
    if result.get("replicas"):
        text += ["", "### By replicas", "", "![Share of one core of Redis by replicas](growth-replicas.svg)", "", *_replicas(result["replicas"])]
    wrapped = (textwrap.fill(line, 155, break_long_words=False, break_on_hyphens=False) if line[:1].isalnum() else line for line in text)
    return "\n".join(wrapped) + "\n"


def _table(what, axis):
    proxies = axis.get("proxies") or {"boomgate": axis["points"]}
    extra = " KiB each | processes |" if axis.get("proxies") else ""
    lines = [f"| {what} | proxy | CPU µs a call | MiB |{extra}", "| ---: | --- | ---: | ---: |" + " ---: | ---: |" * bool(extra)]
    for name, points in proxies.items():
        for one in points:
            cpu, memory = (_said(spread(round_[key] for round_ in one["rounds"])) for key in ("cpu_us", "resident_mib"))
            line = f"| {one['size']:,} | {NAMES[name]} | {cpu} | {memory} |"
            if extra:
                each = _said(spread(round_["kib_per_connection"] for round_ in one["rounds"])) if one["size"] >= 1_000 else ""
                line += f" {each} | {one['processes']} |"
            lines.append(line)
    first, last = (next(one for one in order if not one.get("base")) for order in (proxies["boomgate"], proxies["boomgate"][::-1]))
    cpu = [statistics.median(round_["cpu_us"] for round_ in one["rounds"]) for one in (first, last)]
    if first.get("processes", 1) == last.get("processes", 1):
        lines += ["", f"{last['size']:,} against {first['size']:,}: {cpu[1] / cpu[0]:.2f} of the CPU a call."]
    return lines


def _said(three):
    return f"{three[0]:.1f} ({three[1]:.1f}-{three[2]:.1f})"


def _cores(cores):
    lines = ["![Calls a second with two workers, times those with one](growth-cores.svg)", "",
             "| proxy | workers | calls a second | CPU µs a call | of the quota used, at least | two against one |",
             "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, title in NAMES.items():
        rounds = cores[name]["rounds"]
        for count, key in ((1, "one"), (2, "two")):
            calls, cpu, used = (spread(one[key][what] for one in rounds) for what in ("calls_per_second", "cpu_us", "used"))
            ratio = spread(one["ratio"] for one in rounds)
            last = f"{ratio[0]:.2f} ({ratio[1]:.2f}-{ratio[2]:.2f})" if count == 2 else ""
            lines.append(f"| {title} | {count} | {calls[0]:,.0f} ({calls[1]:,.0f}-{calls[2]:,.0f}) | {_said(cpu)} | {used[1]:.0%} | {last} |")
    return [*lines, "", f"Each worker has {cores['share']:g} of a core."]


def _replicas(found):
    costs = found["costs"]
    head = [f"A change written takes {costs['write_us']:.0f} µs of the engine's CPU, a reply to a replica {costs['reply_us']:.0f} µs, each further change in"
            f" it {costs['change_us']:.1f} µs. A run of {costs['check']['replicas']} replicas at {costs['check']['signals']:.0f} signals a second took"
            f" {costs['check']['measured']:.0%} of a core, where {costs['check']['computed']:.0%} were computed.", "",
            "| signals a second | replicas | asked of one core | MB a second | ms until the last replica knows |", "| ---: | ---: | ---: | ---: | ---: |"]
    for signals, row in found["signals"].items():
        for count, one in zip(found["replicas"], row):
            if count >= 10:
                said = f"{one['megabytes']:.1f} | {one['delay_ms']:.1f}" if one["carried"] else "more than one engine carries |"
                head.append(f"| {int(signals):,} | {count:,} | {one['demand']:.0%} | {said} |")
    return head


def publish(result, output, docs):
    """Draws a result beside its data; with a folder of docs, there too, and writes the page's part that is written by this."""
    draw(result, output)
    if docs is None:
        return
    draw(result, docs)
    path = docs / "growth.md"
    before, mark, _ = path.read_text().partition(MARK)
    if not mark:
        raise RuntimeError(f"{path} has no line `{MARK}`")
    path.write_text(before + mark + "\n\n" + page(result))
    (docs / "growth.json").write_text(json.dumps(result, indent=1) + "\n")
