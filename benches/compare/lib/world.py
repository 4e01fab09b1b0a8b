"""What every contender is given: certificates, keys, tokens, and for Boomgate its files."""
import fcntl
import json
import pathlib
import shutil
import subprocess
import time

from .tools import FOLDER, say

TOKENS = 1_000
FRESH = 50_000
# Tokens live for 85,000 s; a world this old is made anew.
OLDEST = 12 * 3600

AGENT = "a9a9a9a9-0000-4000-8000-{:012x}"
BLUEPRINT = "b1b1b1b1-0000-4000-8000-000000000001"
RESOURCE = "e5e5e5e5-0000-4000-8000-000000000005"

# So many policies are in one file.
PAGE = 10_000
# The lock of this process, once it has it.
_held = None


def make(tools, quick):
    """The folder with all of it; made when there is none that is young enough. It is ours until this process ends."""
    _alone()
    folder = FOLDER / ("world-quick" if quick else "world")
    stamp = folder / "complete"
    if stamp.exists() and time.time() - stamp.stat().st_mtime < OLDEST:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say("making certificates and tokens")
    fresh = 2_000 if quick else FRESH
    subprocess.run([tools.paths["compare"], "world", folder, str(TOKENS), str(fresh)], check=True)
    stamp.touch()
    return folder


def _alone():
    """Waits until no other run has the world: they would take away each other's files, and processors."""
    global _held
    if _held is None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        _held = open(FOLDER / "lock", "w")
        try:
            fcntl.flock(_held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting until another run has done with {FOLDER}")
            fcntl.flock(_held, fcntl.LOCK_EX)


def boomgate(world, policies, port, management, upstream, cache, workers=None, resources=1, connections=None, name=None, reuse_port=False):
    """The files of a gateway with so many policies, and its configuration. Calls go to the last of the resources.

    `connections`: how many may be open, and silent, for long; `reuse_port`: several of these share the port.
    """
    folder = world / (name or f"boomgate-{policies}")
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("policies", "agents"):
        (folder / name).mkdir(parents=True)
    # A file has at most 16 MiB.
    for first in range(0, policies, PAGE):
        _write(folder / f"policies/policies-{first:06}.json", [_policy(at) for at in range(first, min(first + PAGE, policies))])
    _write(folder / "agents/agents.json", list(_agents()))
    token = folder / "admin-token"
    token.write_text("0123456789abcdef" * 4)
    token.chmod(0o600)
    configuration = folder / "gateway.yaml"
    limits = (f"limits: {{max_connections: {connections}, max_connections_per_client: {connections}, max_concurrent_handshakes: 5000, "
              "idle_timeout: 1h, header_timeout: 5m}") if connections else ""
    others = "".join(f'''  - name: api-{at}
    app_id: e5e5e5e5-0000-4000-8000-1{at:011x}
    hosts: ["api-{at}.test"]
    audiences: ["api://resource-{at}"]
    upstream: {{url: "http://127.0.0.1:{upstream}"}}
''' for at in range(1, resources))
    configuration.write_text(f"""
listeners:
  - name: public
    address: "127.0.0.1:{port}"
    tls: {{certificate_file: ../server.pem, key_file: ../server.key}}
    reuse_port: {str(reuse_port).lower()}
    {limits}
management:
  address: "127.0.0.1:{management}"
  tls: {{certificate_file: ../server.pem, key_file: ../server.key}}
  admin_token: "file:admin-token"
  unauthenticated_probes: true
issuers:
  - name: idp
    profile: oidc
    issuers: ["https://idp.test/"]
    algorithms: [RS256, ES256]
    token_types: [JWT]
    claims: {{agent_id: azp, blueprint_id: xms_par_app_azp, roles: roles}}
    keys: {{file: ../jwks.json}}
resources:
{others}  - name: api
    app_id: {RESOURCE}
    hosts: ["*"]
    audiences: ["api://resource"]
    upstream:
      url: "https://127.0.0.1:{upstream}"
      tls: {{ca_file: ../ca.pem, server_name: localhost}}
      max_idle_connections: 128
policies: {{dir: policies}}
directory: {{dir: agents}}
tokens: {{cache_entries: {cache}}}
records: {{file: records.jsonl}}
# The first look at the files reads everything once more: not while something is measured.
reload: {{interval: 10m}}
""" + (f"workers: {workers}\n" if workers else ""))
    return configuration


def _write(path, items):
    path.write_text(json.dumps({"value": items}))


def _agents():
    yield {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "displayName": "Blueprint",
           "id": BLUEPRINT.replace("-8000-", "-9000-"), "appId": BLUEPRINT}
    for at in range(10 + TOKENS):
        agent = AGENT.format(at)
        yield {"@odata.type": "#microsoft.graph.agentIdentity", "id": agent, "appId": agent, "accountEnabled": True,
               "displayName": f"agent-{at}", "createdDateTime": "2026-09-01T08:00:00Z", "agentIdentityBlueprintId": BLUEPRINT,
               "customSecurityAttributes": {"AgentAttributes": {
                   "AgentApprovalStatus@odata.type": "#Collection(String)", "AgentApprovalStatus": ["HR_Approved"]}}}


def _policy(at):
    """Policies as an organisation has them: one that blocks the ten, a few for everybody, many that name one thing."""
    resources, agents, risk = ["All"], ["All"], "high"
    if at == 0:
        agents, risk = [AGENT.format(one) for one in range(10)], None
    elif at >= 5 and at % 2 == 0:
        resources = [f"e5e5e5e5-0000-4000-9000-{at:012x}"]
    elif at >= 5:
        agents = [AGENT.format(at)]
    return {"id": f"10000000-0000-4000-8000-{at:012x}", "displayName": f"Policy {at}", "state": "enabled",
            "conditions": {"applications": {"includeApplications": resources}, "agentIdRiskLevels": risk,
                           "clientApplications": {"includeAgentIdServicePrincipals": agents}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}}


def blocked(world):
    """The ids of the agents that every contender blocks."""
    return pathlib.Path(world / "blocked.txt").read_text().split()
