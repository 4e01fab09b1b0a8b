"""Open connections: what a call costs, and what each connection takes, while so many others are open and silent.

Silent connections are held by `compare hold`: each made a call with a token, and waits. Beside them wrk drives 32 others. A
process may hold as many files as its limit says; where that is too few for the gateway, several share the port, and the figure
says how many. The memory is that of the processes: what the kernel keeps for a socket is not in it.
"""
import os
import resource
import subprocess
import time

from gateway import drive, some_tokens
from lib import probe, world
from lib.process import Program, free_port, start_upstream, wait_until
from lib.tools import say

# Files that a gateway has open beside the connections: of 32 others, of those to upstreams, its own.
SPARE = 1_000
# Tokens of these connections are presented from one address each, as `hold` spreads them; wrk has the others.
ADDRESSES = 64
KNOWN = 1_000
# How long connections that were opened must stand, and what memory is freed after so many handshakes, before it is read.
SETTLE = 2


class TooMany(RuntimeError):
    """More connections than this machine lets processes have."""


def files():
    """How many files a process may have open; raised as far as it goes. What is started from here on has that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (1_000_000, 200_000, 100_000):
        if hard != resource.RLIM_INFINITY and wanted > hard:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
                return wanted
            except (ValueError, OSError):
                continue
    most = min(1_000_000, hard) if hard != resource.RLIM_INFINITY else 1_000_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def processes(count):
    """How many processes such a number of connections needs."""
    each = files() - SPARE
    if each <= 0:
        raise TooMany(f"a process may have {each + SPARE} files open: too few to hold connections")
    return -(-count // each)


class Several:
    """Programs that share a port, as one."""

    def __init__(self):
        self.programs = []

    def cpu_seconds(self):
        return sum(program.cpu_seconds() for program in self.programs)

    def memory_mib(self):
        return sum(program.memory_mib() for program in self.programs)

    def stop(self):
        for program in self.programs:
            program.stop()


def measure(tools, folder, name, count, seconds, several=None):
    """CPU of a call and memory with so many connections held. `several`: processes that share the port."""
    several = several or processes(count)
    port, up = free_port(), free_port()
    upstream = start_upstream(tools, folder, up)
    running, holders = Several(), []
    try:
        wait_until(lambda: probe.status(folder, up) == 200, "the upstream answers", upstream)
        for at in range(several):
            management = free_port()
            if name == "floor":
                command = [tools.paths["compare"], "floor", f"127.0.0.1:{port}", f"127.0.0.1:{up}", folder, len(os.sched_getaffinity(0))]
            else:
                configuration = world.boomgate(folder, 100, port, management, up, 100_000, connections=200_000, name=f"held-{at}",
                                               reuse_port=several > 1)
                command = [tools.paths["boomgate"], "run", "--config", configuration]
            running.programs.append(Program(command, folder, folder / f"held-{name}-{at}.log", tools.environment()))
            ready = 200 if name == "floor" else 401
            # The one that was started last must answer, so ask often enough that each is asked.
            answers = lambda: all(probe.status(folder, port) == ready for _ in range(1 if several == 1 else 40))  # noqa: E731
            wait_until(answers, f"{name} answers", running.programs[-1])
        workload = some_tokens(folder, "rs256-known", ADDRESSES * several, KNOWN)
        drive(tools, folder, workload, port, 1)
        before_mib = running.memory_mib()
        begun = time.monotonic()
        holders = _hold(tools, folder, port, count, several)
        opened = time.monotonic() - begun
        time.sleep(SETTLE)
        after_mib = running.memory_mib()
        drive(tools, folder, workload, port, 1)
        before = running.cpu_seconds()
        calls = drive(tools, folder, workload, port, seconds)["calls"]
        cpu_us = (running.cpu_seconds() - before) / calls * 1e6
        still = sum(_ask(holder) for holder in holders)
        if still != count:
            raise RuntimeError(f"{count - still:,} of {count:,} connections were closed meanwhile, or something came on them")
        return {"cpu_us": cpu_us, "resident_mib": running.memory_mib(), "processes": several, "opened_seconds": opened,
                "kib_per_connection": (after_mib - before_mib) * 1024 / count}
    finally:
        for holder in holders:
            holder.stdin.close()
            holder.wait()
        running.stop()
        upstream.stop()


def _hold(tools, folder, port, count, several):
    """Starts what holds the connections, as many processes as the gateway has, and waits until all are open."""
    holders = []
    for at in range(several):
        part = count // several + (1 if at < count % several else 0)
        command = [tools.paths["compare"], "hold", f"127.0.0.1:{port}", str(part), folder, str(at)]
        holders.append(subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=tools.environment()))
    try:
        for holder in holders:
            _number(holder, "held")
    except RuntimeError:
        for holder in holders:
            holder.kill()
            holder.wait()
        raise
    return holders


def _ask(holder):
    """How many connections are still open."""
    holder.stdin.write("\n")
    holder.stdin.flush()
    return _number(holder, "open")


def _number(holder, word):
    line = holder.stdout.readline().split()
    if len(line) != 2 or line[0] != word:
        raise RuntimeError(f"connections cannot be held: {holder.stderr.read()[-500:]}")
    return int(line[1])


def axis(tools, folder, sizes, rounds, seconds, faults):
    """Each size in turns, for the floor and for Boomgate. What went wrong is added to the faults."""
    found = {name: {} for name in ("floor", "boomgate")}
    points = [(size, None) for size in sizes]
    most = max((processes(size) for size in sizes), default=1)
    if most > 1:
        # What several processes cost by themselves, for the sizes that need several.
        say(f"  a process may have {files():,} files open: the largest size takes {most} gateways that share a port")
        points.insert(0, (sizes[0], most))
    for _ in range(rounds):
        for size, several in points:
            for name, of in found.items():
                try:
                    figures = measure(tools, folder, name, size, seconds, several)
                except RuntimeError as error:
                    faults.append(f"{size:,} connections, {name}: {error}")
                    say(f"  FAILED: {faults[-1]}")
                    continue
                say(f"  {size:>9,} open connections, {name}: {figures['cpu_us']:6.1f} us of CPU a call, {figures['resident_mib']:7.1f} MiB, "
                    f"{figures['kib_per_connection']:6.1f} KiB each, {figures['processes']} process{'es' * (figures['processes'] > 1)}, "
                    f"opened in {figures['opened_seconds']:.0f} s")
                of.setdefault((size, figures["processes"]), []).append(figures)
    if not all(found.values()):
        raise RuntimeError("no size was measured")
    return found
