"""Throughput from one core to two, where the load generator has no cores of its own.

A worker gets a part of a core by a control group, two workers twice as much, and the load generator and the upstream have the
rest of the machine: so the proxy is what limits the calls in both, and says so by having used all that it was given. The ratio of
the calls a second is then what a second core brings. What two workers take from each other (locks, shared lines of the caches)
shows in it, and as CPU per call; that two cores share a memory bus with the load generator does too, so the bare proxy, whose
workers share nothing, is measured in the same rounds: it says what this machine gives at best.
"""
import os
import statistics

from gateway import drive, some_tokens
from lib import probe, world
from lib.process import Program, free_port, start_upstream, wait_until
from lib.quota import Quota
from lib.tools import say

# Of a core, for each worker. What a gateway does for each millisecond and not for each call weighs the more the smaller it is.
SHARE = 0.4
# How often a measurement is made again in which something else limited the calls, before nothing is said at all.
AGAIN = 3
# The least part of its quota that a proxy must have used, to have been what limits the calls.
USED = 0.9
NAMES = ("floor", "boomgate")
# Tokens: so few that all are known after the first second, however small the share.
KNOWN = 100


def measure(tools, folder, rounds, seconds, share=SHARE):
    """Rounds of each proxy with one worker and with two, in turns."""
    if len(os.sched_getaffinity(0)) < 2:
        raise RuntimeError("throughput from one core to two needs two cores")
    found = {name: [] for name in NAMES}
    for number in range(rounds):
        for name in NAMES:
            pair = [_valid(tools, folder, name, workers, seconds, share) for workers in (1, 2)]
            ratio = pair[1]["calls_per_second"] / pair[0]["calls_per_second"]
            found[name].append({"one": pair[0], "two": pair[1], "ratio": ratio})
            say(f"  round {number + 1}, {name}: " + ", ".join(
                f"{workers} worker{'s' * (workers > 1)} {one['calls_per_second']:.0f} calls/s at {one['cpu_us']:.1f} us of CPU, {one['used']:.0%}"
                " of the quota" for workers, one in zip((1, 2), pair)) + f": {ratio:.2f}")
    return {"share": share, "seconds": seconds, **{name: {"rounds": of, "ratio": statistics.median(one["ratio"] for one in of)}
                                                   for name, of in found.items()}}


class NotTheLimit(RuntimeError):
    """Something else than the proxy limited the calls, so that they say nothing of it."""


def _valid(*what):
    """A measurement that counts."""
    for number in range(AGAIN):
        try:
            return _once(*what) | {"discarded": number}
        except NotTheLimit as fault:
            say(f"  discarded: {fault}")
            last = fault
    raise last


def _once(tools, folder, name, workers, seconds, share):
    ports = [free_port() for _ in range(3)]
    if name == "floor":
        command = [tools.paths["compare"], "floor", f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[2]}", folder, workers]
    else:
        command = [tools.paths["boomgate"], "run", "--config", world.boomgate(folder, 100, *ports, 100_000, workers=workers)]
    upstream = start_upstream(tools, folder, ports[2])
    try:
        with Quota(share * workers) as quota:
            program = Program(quota.command(command), folder, folder / f"cores-{name}.log", tools.environment())
            try:
                ready = 200 if name == "floor" else 401
                wait_until(lambda: probe.status(folder, ports[2]) == 200, "the upstream answers", upstream)
                wait_until(lambda: probe.status(folder, ports[0]) == ready, f"{name} answers", program)
                workload = some_tokens(folder, "rs256-known", 0, KNOWN)
                drive(tools, folder, workload, ports[0], 1)
                before = program.cpu_seconds(), quota.throttled()
                done = drive(tools, folder, workload, ports[0], seconds)
                cpu, throttled = program.cpu_seconds() - before[0], quota.throttled()
                program.check()
            finally:
                program.stop()
    finally:
        upstream.stop()
    # The time of wrk, from its first call to its last: before it, nobody asks.
    used = cpu / (quota.cores * done["seconds"])
    periods, held = (late - early for early, late in zip(before[1], throttled))
    if used < USED:
        raise NotTheLimit(f"{name} with {workers} worker{'s' * (workers > 1)} used {used:.0%} of its quota, so something else limits the calls:"
                          " the machine is busy, or the share too large for what drives it")
    return {"calls_per_second": done["calls"] / done["seconds"], "cpu_us": cpu / done["calls"] * 1e6, "used": used,
            "throttled": held / max(periods, 1)}
