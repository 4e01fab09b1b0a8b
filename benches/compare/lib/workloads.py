"""The calls that contenders are measured with."""
import dataclasses

BOOMGATES = ("floor", "boomgate-10", "boomgate", "boomgate-10000")


@dataclasses.dataclass(frozen=True)
class Workload:
    """One kind of calls. `tokens`: files of the world with their shares; `cache`: entries of caches of tokens."""
    name: str
    about: str
    tokens: tuple = (("rs256-known", 1.0),)
    path: str = "/hello"
    connections: int = 32
    upload: int = 0
    close: bool = False
    http2_streams: int = 0
    cache: int = 100_000
    contenders: tuple = ()

    @property
    def blocked(self):
        """The share of calls that contenders with checks answer with 403."""
        return sum(share for name, share in self.tokens if name.endswith("blocked"))

    @property
    def checked(self):
        """The algorithm of the signatures, where every call takes one check of one: no cache knows the token."""
        return next((name.split("-")[0] for name, _ in self.tokens if name.endswith("fresh")), None)


ALL = [
    Workload("get", "small GETs, HTTP/1.1 keep-alive, RS256, 1,000 tokens seen before"),
    Workload("es256", "the same with ES256", tokens=(("es256-known", 1.0),)),
    Workload("fresh-rs256", "every call a token that is in no cache, RS256", tokens=(("rs256-fresh", 1.0),), cache=1000),
    Workload("fresh-es256", "every call a token that is in no cache, ES256", tokens=(("es256-fresh", 1.0),), cache=1000),
    Workload("http2", "small GETs, HTTP/2, 4 connections of 25 streams", connections=4, http2_streams=25),
    Workload("connect", "a new TLS connection for each call", close=True),
    Workload("download", "responses of 100 KB", path="/bytes/102400"),
    Workload("upload", "uploads of 1 MB", upload=1024 * 1024, connections=8),
    Workload("blocked30", "30 % of the calls are of blocked agents", tokens=(("rs256-known", 0.7), ("rs256-blocked", 0.3))),
    Workload("blocked", "every call is of a blocked agent", tokens=(("rs256-blocked", 1.0),)),
    Workload("policies", "Boomgate with 10, 100 and 10,000 policies", contenders=BOOMGATES),
]


def choose(names):
    """The workloads of a list of names."""
    if names == "all":
        return ALL
    by_name = {one.name: one for one in ALL}
    unknown = [name for name in names.split(",") if name not in by_name]
    if unknown:
        raise ValueError(f"no workload `{unknown[0]}`; there are: {', '.join(by_name)}")
    return [by_name[name] for name in names.split(",")]
