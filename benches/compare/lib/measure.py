"""The comparison itself: for each workload the contenders in turn, round after round."""
import json
import os
import shutil
import statistics
import subprocess
import time

from . import contenders, load, machine, probe, world
from .process import Program, children_seconds, free_port, machine_busy_seconds, start_upstream, wait_until
from .tools import say

# How far the share of refused calls may be from what it should be.
SLACK = 0.01


def run(options, workloads, tools):
    """Measures all that is asked for."""
    folder = world.make(tools, options.quick)
    described = machine.describe(tools, options) | {"latency_seconds": options.latency_seconds}
    result = {"machine": described, "missing": {}, "failed": {}, "workloads": {}}
    ports = [free_port() for _ in range(3)]
    upstream = start_upstream(tools, folder, ports[2])
    try:
        wait_until(lambda: probe.status(folder, ports[2]) == 200, "the upstream answers", upstream)
        for workload in workloads:
            result["workloads"][workload.name] = _workload(options, tools, folder, ports, workload, upstream, result)
    finally:
        upstream.stop()
    return result


def _workload(options, tools, folder, ports, workload, upstream, result):
    chosen, missing = contenders.choose(options.only, workload, tools)
    result["missing"] |= missing
    prepared = load.prepare(folder, workload)
    say(f"\n{workload.name}: {workload.about}")
    checks = []
    measured = {one.name: {"about": one.about, "rounds": [], "latency": []} for one in chosen}

    failed = set()

    def each(what, act, after=lambda: None):
        for number in range(options.rounds):
            for one in chosen:
                if (workload.name, one.name) in failed:
                    continue
                try:
                    place = contenders.Place(tools, folder, ports, workload)
                    act(one, _started(one, place), upstream)
                except RuntimeError as error:
                    failed.add((workload.name, one.name))
                    result["failed"][f"{workload.name}/{one.name}"] = str(error)
                    say(f"  {one.name}: FAILED: {error}")
            after()
            say(f"  {what}, round {number + 1} of {options.rounds} done")

    def saturate(one, program, upstream):
        with program:
            load.saturate(tools, prepared, workload, ports[0], 1)
            figures = _saturated(options, tools, prepared, workload, ports[0], program.program, upstream, one)
        measured[one.name]["rounds"].append(figures)
        say(f"    {one.name:16} {figures['cpu_us']:8.1f} us of CPU a call  {figures['calls_per_second']:9.0f} calls/s"
            f"  {figures['memory_mib']:7.1f} MiB  others used {figures['others_percent']:.0f} %")

    def check():
        if workload.checked:
            checks.append(_signature_check(options, tools, folder, workload.checked))
            say(f"    {'one check':16} {checks[-1]['check_us']:8.1f} us of CPU, alone on one thread")

    each("saturation", saturate, check)
    rates = [statistics.median(r["calls_per_second"] for r in one["rounds"]) for one in measured.values() if one["rounds"]]
    if options.no_latency or not rates:
        return {"about": workload.about, "contenders": measured, "checks": checks}
    rate = min(rates) / 2

    def quantiles(one, program, _upstream):
        with program:
            load.saturate(tools, prepared, workload, ports[0], 1)
            before = program.program.cpu_seconds()
            figures = load.latency(tools, prepared, workload, ports[0], options.latency_seconds, rate, folder)
            used = program.program.cpu_seconds() - before
            _did_its_part(figures, workload, one)
        measured[one.name]["latency"].append(figures | {"cpu_us": used / figures["calls"] * 1e6})

    each(f"times at {rate:.0f} calls/s", quantiles)
    return {"about": workload.about, "rate": rate, "contenders": measured, "checks": checks}


def _signature_check(options, tools, folder, algorithm):
    """What one check of a signature costs by itself, with the tokens of this world."""
    command = [tools.paths["compare"], "check", folder, algorithm, str(options.seconds)]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"a signature check cannot be measured: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


class _started:
    """A contender that answers and does its part; stopped at the end of `with`."""

    def __init__(self, one, place):
        self.one, self.place = one, place

    def __enter__(self):
        place, one = self.place, self.one
        shutil.rmtree(place.folder, ignore_errors=True)
        place.folder.mkdir()
        self.program = Program(one.command(place), place.folder, place.world / f"{one.name}.log", place.tools.environment())
        try:
            wait_until(lambda: probe.status(place.world, place.port) in ((401,) if one.verifies else (200,)),
                       f"{one.name} answers", self.program)
            probe.check(place.world, place.port, one)
        except BaseException:
            self.program.stop()
            raise
        return self

    def __exit__(self, *_):
        self.program.stop()


def _did_its_part(done, workload, one):
    """Raises when other calls were refused than should be: what refuses or breaks is fast."""
    if not done["calls"]:
        raise RuntimeError("no call was answered")
    expected = workload.blocked if one.checks else 0
    share = done["refused"] / done["calls"]
    if abs(share - expected) > SLACK or done["broken"] > done["calls"] * SLACK:
        raise RuntimeError(f"{share:.1%} of the calls were refused, where {expected:.0%} should be; {done['broken']} broke")


def _saturated(options, tools, prepared, workload, port, program, upstream, one):
    before = program.cpu_seconds(), upstream.cpu_seconds(), machine_busy_seconds(), children_seconds(), time.monotonic()
    done = load.saturate(tools, prepared, workload, port, options.seconds)
    after = program.cpu_seconds(), upstream.cpu_seconds(), machine_busy_seconds(), children_seconds(), time.monotonic()
    used, behind, busy, driver, wall = (late - early for early, late in zip(before, after))
    memory = program.memory_mib()
    program.check()
    _did_its_part(done, workload, one)
    capacity = wall * len(os.sched_getaffinity(0))
    return {
        "cpu_us": used / done["calls"] * 1e6,
        "cpu_seconds_per_100000": used / done["calls"] * 1e5,
        "calls_per_second": done["calls"] / done["seconds"],
        "calls": done["calls"],
        "memory_mib": memory,
        "others_percent": max(0.0, (busy - used - behind - driver) / capacity * 100),
        "load": os.getloadavg()[0],
    }
