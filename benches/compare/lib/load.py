"""Drives a contender with wrk or h2load, and reads what they say."""
import json
import re
import subprocess

SCRIPT = """
local requests, at = {{}}, 0
function init()
  for line in io.lines("{requests}") do
    local headers = {{["Authorization"] = "Bearer " .. line{more}}}
    requests[#requests + 1] = wrk.format("{method}", "{path}", headers, {body})
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{{"calls": %d, "microseconds": %d, "refused": %d, "broken": %d}}\\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout))
end
"""


def _tokens(world, workload, path):
    """Writes the tokens of a workload in the order in which they are presented, and gives the first."""
    lists = [((world / f"{name}.txt").read_text().split(), share) for name, share in workload.tokens]
    if len(lists) == 1:
        mixed = lists[0][0]
    else:
        # Spread evenly: of every ten, so many of each list.
        mixed, at = [], 0
        for tens in range(max(len(tokens) for tokens, _ in lists) // 10):
            for tokens, share in lists:
                mixed += [tokens[(tens * 10 + at) % len(tokens)] for at in range(round(share * 10))]
    path.write_text("\n".join(mixed) + "\n")
    return mixed[0]


def prepare(world, workload):
    """The files that the load generators read."""
    folder = world / "load"
    folder.mkdir(exist_ok=True)
    tokens = folder / f"{workload.name}.txt"
    token = _tokens(world, workload, tokens)
    body, more = "nil", ""
    if workload.upload:
        body, more = f'string.rep("x", {workload.upload})', ', ["Content-Type"] = "application/octet-stream"'
    if workload.close:
        more += ', ["Connection"] = "close"'
    if workload.upload:
        # A request is a megabyte: few of them, over and over.
        tokens.write_text("\n".join(tokens.read_text().split()[:16]) + "\n")
    script = folder / f"{workload.name}.lua"
    script.write_text(SCRIPT.format(requests=tokens, path=workload.path, body=body, more=more,
                                    method="POST" if workload.upload else "GET"))
    return script, token


def saturate(tools, prepared, workload, port, seconds):
    """As many calls as the contender answers. Gives calls, seconds, refused and broken ones."""
    script, token = prepared
    if workload.http2_streams:
        command = [tools.paths["h2load"], "-D", f"{max(1, round(seconds))}", "-c", workload.connections, "-t", 1,
                   "-m", workload.http2_streams, "-H", f"authorization: Bearer {token}", f"https://localhost:{port}{workload.path}"]
        text = _run(tools, command)
        total = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", text)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
        if not total or not codes:
            raise RuntimeError(f"h2load says nothing that is understood:\n{text[-1000:]}")
        done, _, _, errored = map(int, total.groups())
        return {"calls": done, "seconds": float(max(1, round(seconds))), "refused": int(codes[3]), "broken": errored + int(codes[4])}
    command = [tools.paths["wrk"], "-t", 1, "-c", workload.connections, "-d", f"{max(1, round(seconds))}s", "--timeout", "30s",
               "-s", script, f"https://localhost:{port}"]
    text = _run(tools, command)
    try:
        said = json.loads(text.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RuntimeError(f"wrk says nothing that is understood:\n{text[-1000:]}") from error
    return {"calls": said["calls"], "seconds": said["microseconds"] / 1e6, "refused": said["refused"], "broken": said["broken"]}


def latency(tools, prepared, workload, port, seconds, rate, folder):
    """Times of calls at a fixed rate, with one token, in microseconds: the quantiles of what h2load logs."""
    connections = workload.connections
    log = folder / "h2load.log"
    log.unlink(missing_ok=True)
    command = [tools.paths["h2load"], "-D", f"{max(1, round(seconds))}", "-c", connections, "-t", 1, "-m", max(1, workload.http2_streams),
               f"--rps={rate / connections:.3f}", f"--log-file={log}", "-H", f"authorization: Bearer {prepared[1]}"]
    if not workload.http2_streams:
        command.append("--h1")
    _run(tools, [*command, f"https://localhost:{port}{workload.path}"])
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines() if line.split("\t")[1] == "200")
    if len(times) < 20:
        raise RuntimeError(f"only {len(times)} calls were answered at {rate:.0f} calls a second")
    return {f"p{name}": times[min(len(times) - 1, int(len(times) * share))] for name, share in
            (("50", 0.5), ("99", 0.99), ("99.9", 0.999))} | {"calls": len(times)}


def _run(tools, command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=tools.environment())
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
    return done.stdout
