"""Sign-ins through the SDK: real calls first, then their records, filtered and page by page."""

import asyncio

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph_beta.generated.audit_logs.sign_ins.sign_ins_request_builder import SignInsRequestBuilder
from msgraph_beta.generated.models.conditional_access_status import ConditionalAccessStatus
from msgraph_core.tasks.page_iterator import PageIterator

from gateway import AGENT, OTHER_AGENT, RESOURCE, call, sdk

ALLOWED, BLOCKED = 5, 3
PATIENCE = 60


async def pages(client, filter, top):
    """Every sign-in that the filter leaves, over all pages, and how large the first page was."""
    query = SignInsRequestBuilder.SignInsRequestBuilderGetQueryParameters(filter=filter, top=top)
    page = await client.audit_logs.sign_ins.get(RequestConfiguration(query_parameters=query))
    first = len(page.value)
    found = []

    def collect(sign_in):
        found.append(sign_in)
        return True

    await PageIterator(page, client.request_adapter).iterate(collect)
    return found, first


async def main():
    client = sdk()
    decisions = {"agent": [], "other-agent": []}
    for caller, count, status in (("agent", ALLOWED, 200), ("other-agent", BLOCKED, 403)):
        for _ in range(count):
            answer = await call(caller, "/hr/people")
            assert answer.status_code == status, (caller, answer.text)
            decisions[caller].append(answer.headers["boomgate-decision-id"])

    blocked, first = await pages(client, "conditionalAccessStatus eq 'failure'", 2)
    assert first == 2
    assert [one.id for one in blocked] == decisions["other-agent"][::-1], "the newest first, none twice, none left out"
    for one in blocked:
        assert one.conditional_access_status == ConditionalAccessStatus.Failure
        assert one.status.error_code == 53003
        assert one.service_principal_id == OTHER_AGENT and one.resource_id == RESOURCE
        assert [policy.display_name for policy in one.applied_conditional_access_policies] == ["policy other"]

    allowed, first = await pages(client, f"servicePrincipalId eq '{AGENT}' and status/errorCode eq 0", 1)
    assert first == 1
    assert [one.id for one in allowed] == decisions["agent"][::-1]
    since = blocked[-1].created_date_time.isoformat().replace("+00:00", "Z")
    later, _ = await pages(client, f"createdDateTime ge {since}", 2)
    assert [one.id for one in later] == [one.id for one in blocked]
    none, first = await pages(client, "servicePrincipalId eq 'nobody'", 2)
    assert none == [] and first == 0

    # How a call ended is in its sign-in once it has ended.
    outcomes = []
    for _ in range(PATIENCE * 10):
        ended, _ = await pages(client, "boomgate/outcome/result eq 'completed'", 3)
        outcomes = [one.id for one in ended]
        if set(decisions["agent"]) <= set(outcomes):
            break
        await asyncio.sleep(0.1)
    assert set(decisions["agent"]) <= set(outcomes), outcomes
