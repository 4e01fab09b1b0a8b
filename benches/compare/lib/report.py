"""Prints what was measured as a table, and stores it: JSON, Markdown, plots."""
import json
import statistics

from . import goals, plot

HEAD = ("contender", "CPU us/call", "spread", "vs floor", "calls/s", "MiB", "at half load", "p50 ms", "p99 ms", "p99.9 ms")
HALF = "CPU us/call at half load"


def median(values):
    values = list(values)
    return statistics.median(values) if values else None


def rows(workload):
    """A row per contender: medians, the spread of the CPU, and its ratio to the floor round by round."""
    base = goals.values(workload, "floor")
    for name in workload["contenders"]:
        cpu = goals.values(workload, name)
        if not cpu:
            yield [name, "failed", *[""] * (len(HEAD) - 2)]
            continue
        calls, memory = (median(goals.values(workload, name, figure)) for figure in ("calls_per_second", "memory_mib"))
        half, *times = (median(goals.values(workload, name, figure, "latency")) for figure in ("cpu_us", "p50", "p99", "p99.9"))
        yield [name, *_cpu(cpu, base), f"{calls:.0f}", f"{memory:.1f}", "" if half is None else f"{half:.1f}",
               *(f"{time / 1000:.2f}" if time is not None else "" for time in times)]


def _cpu(cpu, base):
    """The cells of CPU a call: the median, the spread, and the ratio to the floor round by round."""
    ratio = median(own / floor for own, floor in zip(cpu, base))
    return [f"{median(cpu):.1f}", f"{min(cpu):.1f}-{max(cpu):.1f}", f"{ratio:.2f}" if ratio else ""]


SUM = goals.CHECK


def check_row(workload):
    """The least that a call with a token never seen before can cost: the bare proxy, and one check of a signature."""
    sums = goals.values(workload, SUM)
    return [[SUM, *_cpu(sums, goals.values(workload, "floor")), *[""] * (len(HEAD) - 4)]] if sums else []


def check_text(workload):
    """What one check costs, in a sentence."""
    checks = workload.get("checks")
    if not checks:
        return []
    own, least = ([one[name] for one in checks] for name in ("check_us", "least_us"))
    return [f"One check of a signature, as Boomgate makes it: {median(own):.1f} us ({min(own):.1f}-{max(own):.1f}); "
            f"with the key parsed beforehand {median(least):.1f} us ({min(least):.1f}-{max(least):.1f})."]


def ratios(workload, when="rounds"):
    """What Boomgate's CPU is of each other contender's: the median of the ratios within each round. `latency`: at half load."""
    own = goals.values(workload, "boomgate", when=when)
    found = {}
    for name in [*workload["contenders"], SUM]:
        pairs = [ours / theirs for ours, theirs in zip(own, goals.values(workload, name, when=when))]
        if pairs and name != "boomgate":
            found[name] = {"median": median(pairs), "lowest": min(pairs), "highest": max(pairs)}
    return found


def overview(result, head="CPU us/call", figure="cpu_us", show="{:.1f}".format, when="rounds"):
    """One table of all: a row per contender, a column per workload, the median of one figure."""
    every = result["workloads"]
    names = list(dict.fromkeys(name for workload in every.values() for name in workload["contenders"]))
    table = [[head, *every]]
    for name in [*names, SUM]:
        cells = [goals.values(workload, name, figure, when) for workload in every.values()]
        if any(cells):
            table.append([name, *(show(median(cell)) if cell else "" for cell in cells)])
    return table if len(every) > 1 and len(table) > 1 else []


def half_load(result):
    """What a call costs and the slowest of a hundred takes when all contenders have as many calls to carry: an overview of each."""
    return overview(result, HALF, when="latency"), overview(result, "p99 ms", "p99", lambda us: f"{us / 1000:.2f}", "latency")


def standing(result):
    """The goals that were measured, as a table."""
    rows_ = [[one["figure"], f"{one['goal']:.2f}", ratio(one),
              "reached" if one["reached"] else "missed"] for one in goals.standing(result)]
    return [["figure", "goal", "ratio", ""], *rows_] if rows_ else []


def ratio(one):
    """A ratio with its spread."""
    return f"{one['median']:.2f} ({one['lowest']:.2f}-{one['highest']:.2f})"


def said(found):
    """Ratios in a sentence."""
    return ", ".join(f"{other} {ratio(one)}" for other, one in found.items())


def aligned(table):
    """A table as text."""
    if not table:
        return []
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["", *("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]).rstrip()
                  for row in table)]


def piped(table):
    """A table as Markdown."""
    if not table:
        return []
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return ["", lines[0], "| --- |" + " ---: |" * (len(table[0]) - 1), *lines[1:]]


def text(result):
    """The tables as aligned text."""
    lines = []
    for name, workload in result["workloads"].items():
        lines += ["", f"{name}: {workload['about']}", *aligned([list(HEAD), *rows(workload), *check_row(workload)])[1:]]
        lines += check_text(workload)
        lines += [f"boomgate / {other}: {ratio(one)}" for other, one in ratios(workload).items()]
    lines += [line for table in (overview(result), *half_load(result), standing(result)) for line in aligned(table)]
    for what in ("missing", "failed"):
        lines += [f"{what}: {name}: {why}" for name, why in result[what].items()]
    return "\n".join(lines)


def markdown(result):
    """The tables for a page."""
    machine = result["machine"]
    lines = [f"Measured {machine['date']} at {machine['commit']}: {machine['cores']} cores of {machine['cpu']}, "
             f"{machine['memory_gib']} GiB, Linux {machine['kernel']}; {machine['rounds']} rounds of {machine['seconds']} s, interleaved, "
             f"times at half load of {machine['latency_seconds']} s.",
             "", "; ".join(f"{name}: {version}" for name, version in machine["versions"].items()) + "."]
    lines += [line for table in (standing(result), overview(result), *half_load(result)) for line in piped(table)]
    for name, workload in result["workloads"].items():
        lines += ["", f"### {name}: {workload['about']}", "", f"![CPU of each contender]({name}.svg)",
                  *piped([list(HEAD), *rows(workload), *check_row(workload)])]
        lines += ["", *check_text(workload)] if check_text(workload) else []
        if ratios(workload):
            lines += ["", f"Boomgate's CPU against: {said(ratios(workload))}."]
        if "rate" in workload:
            lines += ["", f"Half load is {workload['rate']:.0f} calls a second, half of what the slowest contender carries. Boomgate's CPU "
                      f"there against: {said(ratios(workload, 'latency'))}."]
    for what in ("missing", "failed"):
        lines += ["", *(f"{what.capitalize()}: {name}: {why}" for name, why in result[what].items())] if result[what] else []
    return "\n".join(lines) + "\n"


def write(result, folder, add=False):
    """Prints the result and stores it in a folder. `add`: what the folder has of other workloads stays."""
    folder.mkdir(parents=True, exist_ok=True)
    if add and (folder / "result.json").exists():
        before = json.loads((folder / "result.json").read_text())
        if before["machine"]["versions"] != result["machine"]["versions"]:
            raise RuntimeError(f"{folder} has a result of other versions: measure all again, or into another folder")
        kept = {name: why for name, why in before["failed"].items() if name.split("/")[0] not in result["workloads"]}
        result["failed"] = kept | result["failed"]
        result["workloads"] = before["workloads"] | result["workloads"]
    for workload in result["workloads"].values():
        workload["ratios"] = ratios(workload)
    result["goals"] = goals.standing(result)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "result.md").write_text(markdown(result))
    bounded = [(one["figure"].replace("`", ""), one["median"], one["lowest"], one["highest"], one["goal"]) for one in result["goals"]]
    if bounded:
        (folder / "goals.svg").write_text(plot.limits("Each goal: what was measured, of the most that it may be", bounded))
    for name, workload in result["workloads"].items():
        (folder / f"{name}.svg").write_text(plot.bars(f"CPU microseconds a call: {workload['about']}", _bars(workload)))
        half, waits = _bars(workload, when="latency"), _bars(workload, "p99", "latency")
        if waits:
            rate = f"at {workload['rate']:.0f} calls/s: {workload['about']}"
            waits = [(other, [time / 1000 for time in times]) for other, times in waits]
            (folder / f"{name}-p99.svg").write_text(plot.bars(f"p99 in ms {rate}", waits))
            (folder / f"{name}-half.svg").write_text(plot.bars(f"CPU in us a call {rate}", half))
    print(text(result))
    print(f"\nstored in {folder}: result.json, result.md and plots")


def _bars(workload, figure="cpu_us", when="rounds"):
    """A figure of each contender that has it."""
    every = ((name, goals.values(workload, name, figure, when)) for name in [*workload["contenders"], SUM])
    return [(name, values) for name, values in every if values]
