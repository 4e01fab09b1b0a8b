"""Roles, with tokens of an issuer: what each may do, and Graph's 403 for what it may not, which changes nothing."""

from gateway import OTHER_AGENT, RESOURCE, http, token

POLICIES = "/beta/identity/conditionalAccess/policies"
RISKY = "/beta/identityProtection/riskyAgents"
POLICY = {
    "displayName": "Made by a role",
    "state": "disabled",
    "conditions": {
        "applications": {"includeApplications": [RESOURCE]},
        "clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
}


def of(role):
    return http(headers={"Authorization": f"Bearer {token(role)}"})


def forbidden(response):
    assert response.status_code == 403, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert error["code"] == "Forbidden" and error["message"], error
    assert error["innerError"]["request-id"] == response.headers["request-id"]


async def policies():
    async with of("reader") as reader:
        response = await reader.get(POLICIES)
        assert response.status_code == 200, response.text
        return response.json()["value"]


async def main():
    before = await policies()
    confirm = {"agentIds": [OTHER_AGENT]}
    one = f"{POLICIES}/{before[0]['id']}"
    async with of("stranger") as stranger:
        forbidden(await stranger.get(POLICIES))
    for role in ("reader", "operator"):
        async with of(role) as who:
            forbidden(await who.post(POLICIES, json=POLICY))
            forbidden(await who.patch(one, json={"state": "disabled"}))
            forbidden(await who.delete(one))
    async with of("reader") as reader:
        forbidden(await reader.post(f"{RISKY}/confirmCompromised", json=confirm))
        assert (await reader.get(RISKY)).json()["value"] == []
    assert await policies() == before
    async with of("operator") as operator:
        assert (await operator.post(f"{RISKY}/confirmCompromised", json=confirm)).status_code == 204
        [risky] = (await operator.get(RISKY)).json()["value"]
        assert (risky["id"], risky["riskState"]) == (OTHER_AGENT, "confirmedCompromised")
    async with of("admin") as admin:
        made = await admin.post(POLICIES, json=POLICY)
        assert made.status_code == 201, made.text
        assert len(await policies()) == len(before) + 1
        assert (await admin.delete(f"{POLICIES}/{made.json()['id']}")).status_code == 204
    assert await policies() == before
