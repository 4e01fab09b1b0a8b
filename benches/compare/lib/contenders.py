"""The proxies that are compared: what each needs, and how it is started."""
import json
import os
import pathlib
import re

from . import world

PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"
CORES = len(os.sched_getaffinity(0))


class Contender:
    """A proxy in one configuration. `verifies`: whether it refuses tokens; `checks`: whether it blocks the ten agents too."""

    def __init__(self, name, about, needs, command, checks=True, verifies=None):
        self.name, self.about, self.needs, self.command, self.checks = name, about, needs, command, checks
        self.verifies = checks if verifies is None else verifies


class Place:
    """Where a contender runs: the world's folder, its own, its ports, and what the workload asks of it."""

    def __init__(self, tools, folder, ports, workload):
        self.tools, self.world, self.workload = tools, folder, workload
        self.port, self.management, self.upstream = ports
        self.folder = folder / "run"
        self.folder.mkdir(exist_ok=True)

    def file(self, name, *left_out):
        """Writes a configuration from its template, without the sections that are left out, and gives its path."""
        text = (PEERS / name).read_text()
        for section in left_out:
            text = re.sub(rf"(?ms)^ *# {section}$.*?# end of {section}$\n", "", text)
        principals = [{"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": [{"key": "claims"}, {"key": "azp"}],
                                    "value": {"string_match": {"exact": agent}}}} for agent in world.blocked(self.world)]
        values = {"PORT": self.port, "UPSTREAM": self.upstream, "WORLD": self.world, "CORES": CORES,
                  "CACHE": self.workload.cache, "PRINCIPALS": json.dumps(principals), "NJS": self.tools.paths.get("njs")}
        text = re.sub(r"@([A-Z]+)@", lambda found: str(values[found[1]]), text)
        path = self.folder / name
        path.write_text(text)
        return path


def floor(*more):
    return lambda place: [place.tools.paths["compare"], "floor", f"127.0.0.1:{place.port}", f"127.0.0.1:{place.upstream}", place.world, CORES, *more]


def haproxy(*left_out):
    return lambda place: [place.tools.paths["haproxy"], "-db", "-C", place.world, "-f", place.file("haproxy.cfg", *left_out)]


def envoy(*left_out):
    return lambda place: [place.tools.paths["envoy"], "--concurrency", CORES, "--disable-hot-restart", "--log-level", "error",
                          "-c", place.file("envoy.yaml", *left_out)]


def nginx(*left_out):
    def command(place):
        place.file("jwt.js")
        return [place.tools.paths["nginx"], "-p", place.folder, "-c", place.file("nginx.conf", *left_out)]
    return command


def boomgate(policies, binary="boomgate"):
    def command(place):
        path = place.tools.boomgates.get(binary) or place.tools.paths["boomgate"]
        ports = (place.port, place.management, place.upstream)
        return [path, "run", "--config", world.boomgate(place.world, policies, *ports, place.workload.cache)]
    return command


ALL = [
    Contender("floor", "a bare proxy on hyper and rustls: no checks, nothing counted", ("compare",), floor(), checks=False),
    Contender("floor-check", "the bare proxy, with one check of a signature for each call", ("compare",), floor("check"),
              checks=False, verifies=True),
    Contender("boomgate", "100 policies, records and metrics on", ("boomgate",), boomgate(100)),
    Contender("haproxy-floor", "HAProxy without any check", ("haproxy",), haproxy("checks"), checks=False),
    Contender("haproxy", "HAProxy with jwt_verify and a list of blocked agents", ("haproxy",), haproxy()),
    Contender("envoy-floor", "Envoy without any check", ("envoy",), envoy("checks"), checks=False),
    Contender("envoy-cache", "Envoy with jwt_authn, rbac and its cache of tokens", ("envoy",), envoy()),
    Contender("envoy", "Envoy with jwt_authn and rbac", ("envoy",), envoy("cache")),
    Contender("nginx-floor", "nginx without any check", ("nginx", "njs"), nginx("checks"), checks=False),
    Contender("nginx", "nginx with tokens verified in njs", ("nginx", "njs"), nginx()),
    Contender("boomgate-10", "10 policies", ("boomgate",), boomgate(10)),
    Contender("boomgate-10000", "10,000 policies", ("boomgate",), boomgate(10_000)),
]
NOT_BY_DEFAULT = {"boomgate-10", "boomgate-10000"}
# For workloads whose every call takes a check of a signature.
WHERE_CHECKED = {"floor-check"}


def choose(only, workload, tools):
    """The contenders of a workload that can be had."""
    every = ALL + [Contender(name, f"the Boomgate at {path}", ("boomgate",), boomgate(100, name))
                   for name, path in tools.boomgates.items()]
    names = [one.name for one in every]
    wanted = [name for name in only.split(",") if name] or list(workload.contenders) \
        or [name for name in names if name not in NOT_BY_DEFAULT]
    if not workload.checked:
        wanted = [name for name in wanted if name not in WHERE_CHECKED]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ValueError(f"no contender `{unknown[0]}`; there are: {', '.join(names)}")
    chosen = [one for one in every if one.name in wanted or one.name in tools.boomgates]
    missing = {one.name: tools.missing[need] for one in chosen for need in one.needs if need in tools.missing}
    return [one for one in chosen if one.name not in missing], missing
