"""The goals that a comparison decides, and how each stands in a result."""
import statistics

CHECK = "floor + one check"
# What is compared, the workload and the contender of both sides, and the most that the ratio may be.
GOALS = [
    ("CPU per call against the bare proxy", ("get", "boomgate"), ("get", "floor"), 1.20),
    ("CPU per call against HAProxy doing no check", ("get", "boomgate"), ("get", "haproxy-floor"), 1.0),
    ("CPU per call against HAProxy `jwt_verify`, RS256", ("get", "boomgate"), ("get", "haproxy"), 0.5),
    ("CPU per call against HAProxy `jwt_verify`, ES256", ("es256", "boomgate"), ("es256", "haproxy"), 0.3),
    ("CPU per call against Envoy with its token cache", ("get", "boomgate"), ("get", "envoy-cache"), 0.55),
    ("CPU per call against Envoy without it", ("get", "boomgate"), ("get", "envoy"), 0.3),
    ("every token new, against the bare proxy and one check, RS256", ("fresh-rs256", "boomgate"), ("fresh-rs256", CHECK), 1.2),
    ("every token new, against the bare proxy and one check, ES256", ("fresh-es256", "boomgate"), ("fresh-es256", CHECK), 1.2),
    ("10,000 policies against 10", ("policies", "boomgate-10000"), ("policies", "boomgate-10"), 1.05),
    ("a blocked call against a forwarded one", ("blocked", "boomgate"), ("get", "boomgate"), 0.5),
    ("p99 at half load against the bare proxy", ("get", "boomgate", "p99", "latency"), ("get", "floor", "p99", "latency"), 1.2),
]


def values(workload, contender, figure="cpu_us", when="rounds"):
    """A figure of a contender in a workload's result, round by round: at saturation, or (`latency`) at half load."""
    if contender == CHECK:
        floors = values(workload, "floor") if when == "rounds" else []
        return [floor + check["check_us"] for floor, check in zip(floors, workload.get("checks", []))]
    found = workload["contenders"].get(contender, {"rounds": [], "latency": []})
    return [figures[figure] for figures in found[when]]


def standing(result):
    """Each goal that was measured: its ratio round by round, and whether it is reached."""
    found = []

    def side(workload, *which):
        return values(result["workloads"].get(workload, {"contenders": {}}), *which)

    for what, own, other, goal in GOALS:
        ratios = [ours / theirs for ours, theirs in zip(side(*own), side(*other))]
        if ratios:
            median = statistics.median(ratios)
            found.append({"figure": what, "goal": goal, "median": median, "lowest": min(ratios), "highest": max(ratios),
                          "reached": median <= goal})
    return found
