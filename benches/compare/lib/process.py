"""Starts programs and reads from /proc what they use. Ends only what it started."""
import os
import pathlib
import signal
import socket
import subprocess
import time

# Under valgrind on a busy machine everything takes long.
PATIENCE = 600
TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """A running program, with the processes that it started."""

    def __init__(self, command, folder, log, environment):
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen([str(part) for part in command], cwd=folder, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def check(self):
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.returncode}:\n{tail}")

    def tree(self):
        """The ids of the process and of all below it."""
        children = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            fields = _fields(stat)
            if fields:
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        found, rest = [], [self.process.pid]
        while rest:
            pid = rest.pop()
            found.append(pid)
            rest += children.get(pid, [])
        return found

    def cpu_seconds(self):
        """User and system time of the tree so far."""
        total = 0
        for pid in self.tree():
            fields = _fields(pathlib.Path(f"/proc/{pid}/stat"))
            if fields:
                total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_mib(self):
        """Resident memory of the tree; what its processes share is counted once (PSS)."""
        total = 0
        for pid in self.tree():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        return total / 1024

    def stop(self):
        for sent in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(sent)
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:
                    continue


def _fields(stat):
    """The fields of a stat file behind the command's name: state, parent, …"""
    try:
        return stat.read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start_upstream(tools, folder, port):
    """The fast server of the comparison, which all contenders forward to."""
    return Program([tools.paths["compare"], "upstream", f"127.0.0.1:{port}", folder], folder, folder / "upstream.log", tools.environment())


def machine_busy_seconds():
    """CPU time that all processes of this machine have used."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def children_seconds():
    """CPU time of the programs that were waited for."""
    times = os.times()
    return times.children_user + times.children_system


def wait_until(condition, what, program):
    """Waits until the condition holds, as long as the program lives."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        program.check()
        if condition():
            return
        time.sleep(0.05)
    raise RuntimeError(f"{what}: not within {PATIENCE} s; see {program.log}")
