"""Prints what was measured as a table, and stores it: JSON, Markdown, plots."""
import json
import statistics

from . import plot

HEAD = ("contender", "CPU us/call", "spread", "vs floor", "calls/s", "MiB", "p50 ms", "p99 ms", "p99.9 ms")


def median(values):
    values = list(values)
    return statistics.median(values) if values else None


def rows(workload):
    """A row per contender: medians, the spread of the CPU, and its ratio to the floor round by round."""
    every = workload["contenders"]
    base = every.get("floor", {"rounds": []})["rounds"]
    for name, one in every.items():
        rounds = one["rounds"]
        if not rounds:
            yield [name, "failed", "", "", "", "", "", "", ""]
            continue
        cpu = [figures["cpu_us"] for figures in rounds]
        ratio = median(own["cpu_us"] / floor["cpu_us"] for own, floor in zip(rounds, base))
        times = [median(figures[key] for figures in one["latency"]) for key in ("p50", "p99", "p99.9")]
        yield [name, f"{median(cpu):.1f}", f"{min(cpu):.1f}-{max(cpu):.1f}", f"{ratio:.2f}" if ratio else "",
               f"{median(f['calls_per_second'] for f in rounds):.0f}", f"{median(f['memory_mib'] for f in rounds):.1f}",
               *(f"{time / 1000:.2f}" if time is not None else "" for time in times)]


def ratios(workload):
    """What Boomgate's CPU is of each other contender's: the median of the ratios within each round."""
    every = workload["contenders"]
    own = every.get("boomgate", {"rounds": []})["rounds"]
    found = {}
    for name, one in every.items():
        pairs = [ours["cpu_us"] / theirs["cpu_us"] for ours, theirs in zip(own, one["rounds"])]
        if pairs and name != "boomgate":
            found[name] = {"median": median(pairs), "lowest": min(pairs), "highest": max(pairs)}
    return found


def text(result):
    """The tables as aligned text."""
    lines = []
    for name, workload in result["workloads"].items():
        table = [list(HEAD), *rows(workload)]
        widths = [max(len(row[column]) for row in table) for column in range(len(HEAD))]
        lines += ["", f"{name}: {workload['about']}"]
        for row in table:
            cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
            lines.append("  ".join(cells).rstrip())
        lines += [f"boomgate / {other}: {one['median']:.2f} ({one['lowest']:.2f}-{one['highest']:.2f})"
                  for other, one in ratios(workload).items()]
    for what in ("missing", "failed"):
        lines += [f"{what}: {name}: {why}" for name, why in result[what].items()]
    return "\n".join(lines)


def markdown(result):
    """The tables for a page."""
    machine = result["machine"]
    lines = [f"Measured {machine['date']} at {machine['commit']}: {machine['cores']} cores of {machine['cpu']}, "
             f"{machine['memory_gib']} GiB, Linux {machine['kernel']}; {machine['rounds']} rounds of {machine['seconds']} s, interleaved.",
             "", "; ".join(f"{name}: {version}" for name, version in machine["versions"].items()) + "."]
    for name, workload in result["workloads"].items():
        lines += ["", f"### {name}: {workload['about']}", "", f"![CPU of each contender]({name}.svg)", "",
                  "| " + " | ".join(HEAD) + " |", "| --- |" + " ---: |" * (len(HEAD) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in rows(workload)]
        if ratios(workload):
            said = (f"{other} {one['median']:.2f} ({one['lowest']:.2f}-{one['highest']:.2f})" for other, one in ratios(workload).items())
            lines += ["", "Boomgate's CPU against: " + ", ".join(said) + "."]
        if "rate" in workload:
            lines += ["", f"Times at {workload['rate']:.0f} calls a second, half of what the slowest contender carries."]
    for what in ("missing", "failed"):
        lines += ["", *(f"{what.capitalize()}: {name}: {why}" for name, why in result[what].items())] if result[what] else []
    return "\n".join(lines) + "\n"


def write(result, folder):
    """Prints the result and stores it in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "result.md").write_text(markdown(result))
    for name, workload in result["workloads"].items():
        bars = [(other, [figures["cpu_us"] for figures in one["rounds"]]) for other, one in workload["contenders"].items()]
        (folder / f"{name}.svg").write_text(plot.bars(f"CPU microseconds a call, {name}", [bar for bar in bars if bar[1]]))
    print(text(result))
    print(f"\nstored in {folder}/result.json, result.md and a plot per workload")
