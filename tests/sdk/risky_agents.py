"""Risky agents through the SDK: confirmed as compromised, listed page by page, dismissed."""

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph_beta.generated.identity_protection.risky_agents.confirm_compromised.confirm_compromised_post_request_body import (  # noqa: E501
    ConfirmCompromisedPostRequestBody,
)
from msgraph_beta.generated.identity_protection.risky_agents.dismiss.dismiss_post_request_body import (
    DismissPostRequestBody,
)
from msgraph_beta.generated.identity_protection.risky_agents.risky_agents_request_builder import (
    RiskyAgentsRequestBuilder,
)
from msgraph_beta.generated.models.risk_level import RiskLevel
from msgraph_beta.generated.models.risk_state import RiskState
from msgraph_beta.generated.models.risky_agent_identity import RiskyAgentIdentity
from msgraph_core.tasks.page_iterator import PageIterator

from gateway import AGENT, OTHER_AGENT, run, sdk


async def main():
    client = sdk()
    agents = client.identity_protection.risky_agents
    await agents.confirm_compromised.post(ConfirmCompromisedPostRequestBody(agent_ids=[AGENT, OTHER_AGENT]))
    query = RiskyAgentsRequestBuilder.RiskyAgentsRequestBuilderGetQueryParameters(
        filter="riskLevel eq 'high' and riskState eq 'confirmedCompromised'", top=1
    )
    page = await agents.get(RequestConfiguration(query_parameters=query))
    assert len(page.value) == 1 and page.odata_next_link
    found = []

    def collect(agent):
        found.append(agent)
        return True

    await PageIterator(page, client.request_adapter).iterate(collect)
    assert [agent.id for agent in found] == [AGENT, OTHER_AGENT], found
    for agent in found:
        assert isinstance(agent, RiskyAgentIdentity)
        assert (agent.risk_level, agent.risk_state) == (RiskLevel.High, RiskState.ConfirmedCompromised)
        assert agent.agent_display_name and agent.risk_last_modified_date_time
    await agents.dismiss.post(DismissPostRequestBody(agent_ids=[AGENT]))
    one = await agents.by_risky_agent_id(AGENT).get()
    assert (one.risk_level, one.risk_state) == (RiskLevel.None_, RiskState.Dismissed)


run(main)
