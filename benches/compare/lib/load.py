"""Drives a contender with wrk or h2load, and reads what they say."""
import json
import re
import subprocess

# With a number of milliseconds as its argument each connection waits between calls, so long on average.
SCRIPT = """
local requests, at = {{}}, 0
function init(args)
  for line in io.lines("{requests}") do
    local headers = {{["Authorization"] = "Bearer " .. line{more}}}
    requests[#requests + 1] = wrk.format("{method}", "{path}", headers, {body})
  end
  local pause = tonumber(args[1])
  if pause then
    -- Evenly spread, so that the connections do not keep step.
    function delay() return math.floor(pause * 2 * math.random() + 0.5) end
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{{"calls": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d, "p99.9": %d}}\\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
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
        text = _h2load(tools, token, workload, port, seconds)
        total = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", text)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
        if not total or not codes:
            raise RuntimeError(f"h2load says nothing that is understood:\n{text[-1000:]}")
        done, _, _, errored = map(int, total.groups())
        return {"calls": done, "seconds": float(max(1, round(seconds))), "refused": int(codes[3]), "broken": errored + int(codes[4])}
    said = _wrk(tools, script, workload, port, seconds)
    return {"calls": said["calls"], "seconds": said["microseconds"] / 1e6, "refused": said["refused"], "broken": said["broken"]}


def latency(tools, prepared, workload, port, seconds, rate, folder):
    """Times of calls at about a rate, in microseconds, and how many were refused and broke. Of HTTP/2 with one token: the quantiles of what
    h2load logs. Of HTTP/1.1 what wrk says, which corrects for the calls that a slow one has held up; of a new connection without its handshake."""
    script, token = prepared
    if workload.http2_streams:
        said = _logged(tools, token, workload, port, seconds, rate, folder / "h2load.log")
    else:
        said = _wrk(tools, script, workload, port, seconds, "--", f"{workload.connections / rate * 1000:.2f}")
    if said["calls"] < 20:
        raise RuntimeError(f"only {said['calls']} calls were answered at {rate:.0f} calls a second")
    return {name: said[name] for name in ("p50", "p99", "p99.9", "calls", "refused", "broken")}


def _wrk(tools, script, workload, port, seconds, *more):
    text = _run(tools, [tools.paths["wrk"], "-t", 1, "-c", workload.connections, "-d", f"{max(1, round(seconds))}s", "--timeout", "30s",
                        "-s", script, f"https://localhost:{port}", *more])
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RuntimeError(f"wrk says nothing that is understood:\n{text[-1000:]}") from error


def _logged(tools, token, workload, port, seconds, rate, log):
    """What h2load logs of each call at a rate: when it began, its status and its microseconds."""
    log.unlink(missing_ok=True)
    _h2load(tools, token, workload, port, seconds, f"--rps={rate / workload.connections:.3f}", f"--log-file={log}")
    calls = [line.split("\t") for line in log.read_text().splitlines()]
    times = sorted(int(time) for _, status, time in calls if status == "200") or [0]
    refused = sum(status.startswith("4") for _, status, _ in calls)
    quantiles = {f"p{name}": times[min(len(times) - 1, int(len(times) * share))] for name, share in
                 (("50", 0.5), ("99", 0.99), ("99.9", 0.999))}
    return quantiles | {"calls": len(calls), "refused": refused, "broken": sum(status != "200" for _, status, _ in calls) - refused}


def _h2load(tools, token, workload, port, seconds, *more):
    return _run(tools, [tools.paths["h2load"], "-D", f"{max(1, round(seconds))}", "-c", workload.connections, "-t", 1,
                        "-m", workload.http2_streams, *more, "-H", f"authorization: Bearer {token}", f"https://localhost:{port}{workload.path}"])


def _run(tools, command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=tools.environment())
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
    return done.stdout
