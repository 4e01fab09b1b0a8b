"""A gateway of some size, with an upstream behind it: what a call costs there, and the memory."""
import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from lib import load, probe, world
from lib.process import Program, free_port, start_upstream, wait_until
from lib.tools import say
from lib.workloads import Workload

PAGE = 20_000
BLUEPRINTS = 1_000
STATUS = ("New", "In_Review", "HR_Approved", "Finance_Approved", "IT_Approved")
KNOWN = 1_000
# The agents that policy 0 blocks come first, and do not call.
BLOCKED = 10
SECONDS = 3
# How long memory that was freed has to go back to the system.
SETTLE = 5


def demo(tools):
    """The demo as it stands a few seconds after its start: gateway, issuer and sample resources in one process."""
    with tempfile.TemporaryDirectory() as folder:
        program = Program([tools.paths["boomgate"], "demo", "--dir", f"{folder}/demo"], folder, pathlib.Path(folder) / "demo.log", None)
        try:
            wait_until(lambda: "curl" in program.log.read_text(errors="replace"), "the demo has begun", program)
            time.sleep(3)
            figures = memory(program)
        finally:
            program.stop()
    say(f"the demo at rest: {figures['resident_mib']:.1f} MiB, at most {figures['peak_mib']:.1f}")
    return figures


class Gateway:
    """A gateway of some size, with an upstream behind it."""

    def __init__(self, tools, folder, policies=100, agents=0, tokens=KNOWN, resources=1):
        self.tools, self.folder, self.tokens = tools, folder, tokens
        # In a small directory, only those who are in it call.
        self.callers = min(KNOWN, agents or KNOWN)
        self.ports = [free_port() for _ in range(3)]
        self.configuration = world.boomgate(folder, policies, *self.ports, 200_000, resources=resources)
        if agents:
            directory(self.configuration.parent / "agents", agents)

    def measure(self, everything=False, seconds=SECONDS):
        """What a call costs, and the memory. `everything`: with all tokens that there are."""
        upstream = start_upstream(self.tools, self.folder, self.ports[2])
        begun = time.monotonic()
        program = Program([self.tools.paths["boomgate"], "run", "--config", self.configuration], self.folder,
                          self.folder / "growth.log", None)
        try:
            wait_until(lambda: probe.status(self.folder, self.ports[0]) == 401, "the gateway answers", program)
            figures = {"start_seconds": time.monotonic() - begun}
            if everything:
                time.sleep(SETTLE)
            figures["idle_mib"] = memory(program)["resident_mib"]
            self.present(100_000 if everything else self.tokens)
            before = program.cpu_seconds()
            calls = self.drive(self.workload("rs256-known", self.callers), seconds)
            figures |= {"cpu_us": (program.cpu_seconds() - before) / calls * 1e6} | memory(program)
            if everything:
                figures["reload_seconds"] = self.reload(program)
                change_one(self.configuration.parent / "agents")
                # Old and new are there together for a while.
                figures["change_seconds"] = self.reload(program)
                # Threads give memory back while they work.
                self.drive(self.workload("rs256-known", self.callers), SETTLE)
                again = memory(program)
                figures |= {"resident_again_mib": again["resident_mib"], "peak_again_mib": again["peak_mib"]}
        finally:
            program.stop()
            upstream.stop()
            shutil.rmtree(self.configuration.parent, ignore_errors=True)
        if everything:
            say(f"1,000,000 agents: {figures['idle_mib']:.0f} MiB at rest after {figures['start_seconds']:.0f} s, "
                f"{figures['resident_mib']:.0f} MiB with 100,000 tokens, at most {figures['peak_mib']:.0f}, "
                f"{figures['cpu_us']:.1f} us of CPU a call; a reload takes {figures['reload_seconds']:.1f} s, one of another directory "
                f"{figures['change_seconds']:.1f} s, and then {figures['resident_again_mib']:.0f} MiB, at most {figures['peak_again_mib']:.0f}")
        return figures

    def reload(self, program):
        """How many seconds a reload takes, from the signal that asks for it."""
        before, begun = _reloads(program), time.monotonic()
        program.process.send_signal(signal.SIGHUP)
        wait_until(lambda: _reloads(program) > before, "the files are read again", program)
        return time.monotonic() - begun

    def present(self, tokens):
        """Presents so many tokens, and those of the measurement, until all are known."""
        known = self.misses()
        for name, count in (("rs256-known", self.callers), ("rs256-fresh", tokens - KNOWN), ("es256-fresh", tokens - KNOWN - world.FRESH)):
            count = min(count, world.FRESH)
            if count <= 0:
                continue
            workload, seconds, known = self.workload(name, count), 1, known + count
            while self.misses() < known:
                # Each run begins with the first token, so one of them must be long enough for all.
                self.drive(workload, seconds)
                seconds *= 2

    def workload(self, name, count):
        return some_tokens(self.folder, name, 0, count)

    def drive(self, workload, seconds):
        return drive(self.tools, self.folder, workload, self.ports[0], seconds)["calls"]

    def misses(self):
        """How many tokens were looked up and not found, and so are known now."""
        done = subprocess.run(["curl", "-s", "--cacert", self.folder / "ca.pem", f"https://localhost:{self.ports[1]}/metrics"],
                              capture_output=True, text=True)
        found = re.search(r'boomgate_token_cache_total\{result="miss"\} (\d+)', done.stdout)
        return int(found[1]) if found else 0


def _reloads(program):
    log = program.log.read_text(errors="replace")
    if "configuration not reloaded" in log:
        raise RuntimeError(f"the files were not read again:\n{log[-1000:]}")
    return log.count("configuration reloaded")


def some_tokens(folder, name, first, end):
    """Calls with a part of a list of tokens."""
    few = folder / f"{name}-{first}-{end}.txt"
    few.write_text("\n".join((folder / f"{name}.txt").read_text().split()[first:end]) + "\n")
    return Workload(f"growth-{name}", "", tokens=((few.stem, 1.0),))


def drive(tools, folder, workload, port, seconds):
    """As many calls as are answered; every one must be."""
    done = load.saturate(tools, load.prepare(folder, workload), workload, port, seconds)
    if not done["calls"] or done["refused"] or done["broken"]:
        raise RuntimeError(f"calls failed: {done}")
    return done


def memory(program):
    status = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    return {"resident_mib": program.memory_mib(), "peak_mib": peak}


def directory(folder, agents):
    """A directory of so many agents, in pages, with the members that Graph gives. The first are those of the tokens that call."""
    def blueprint(at):
        number = f"{at + 1:012x}"
        return {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "displayName": f"Blueprint {at}",
                "id": f"b1b1b1b1-0000-4000-9000-{number}", "appId": f"b1b1b1b1-0000-4000-8000-{number}"}

    def agent(at):
        name = world.AGENT.format(at)
        return {"@odata.type": "#microsoft.graph.agentIdentity", "id": name, "appId": name, "accountEnabled": True,
                "displayName": f"agent-{at:07}", "createdDateTime": "2026-09-01T08:00:00Z",
                "agentIdentityBlueprintId": f"b1b1b1b1-0000-4000-8000-{(0 if at < 2_000 else at % BLUEPRINTS) + 1:012x}",
                "sponsors": [{"id": f"d4d4d4d4-0000-4000-8000-{at % 5000:012x}"}],
                "customSecurityAttributes": {"AgentAttributes": {
                    "AgentApprovalStatus@odata.type": "#Collection(String)", "AgentApprovalStatus": [STATUS[at % 5]],
                    "Department": "HR"}}}

    for old in folder.iterdir():
        old.unlink()
    (folder / "blueprints.json").write_text(json.dumps({"value": [blueprint(at) for at in range(BLUEPRINTS)]}))
    for first in range(BLOCKED, agents + BLOCKED, PAGE):
        page = [agent(at) for at in range(first, min(first + PAGE, agents + BLOCKED))]
        (folder / f"agents-{first:08}.json").write_text(json.dumps({"value": page}))


def change_one(folder):
    """Names one agent otherwise, in the last of its pages."""
    page = max(folder.glob("agents-*.json"))
    agents = json.loads(page.read_text())
    agents["value"][-1]["displayName"] += " again"
    page.write_text(json.dumps(agents))
