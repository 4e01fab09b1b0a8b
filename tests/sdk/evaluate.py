"""What-If through the SDK, as an agent: what applies, and why the rest does not."""

from msgraph_beta.generated.identity.conditional_access.evaluate.evaluate_post_request_body import (
    EvaluatePostRequestBody,
)
from msgraph_beta.generated.models.agent_id_risk_level import AgentIdRiskLevel
from msgraph_beta.generated.models.agent_sign_in import AgentSignIn
from msgraph_beta.generated.models.application_context import ApplicationContext
from msgraph_beta.generated.models.sign_in_conditions import SignInConditions
from msgraph_beta.generated.models.what_if_analysis_reasons import WhatIfAnalysisReasons

from gateway import AGENT, RESOURCE, run, sdk


async def ask(risk: AgentIdRiskLevel, applied_only: bool):
    body = EvaluatePostRequestBody(
        sign_in_identity=AgentSignIn(agent_service_principal_id=AGENT),
        sign_in_context=ApplicationContext(include_applications=[RESOURCE]),
        sign_in_conditions=SignInConditions(agent_id_risk_level=risk),
        applied_policies_only=applied_only,
    )
    answer = await sdk().identity.conditional_access.evaluate.post(body)
    return {result.display_name: (result.policy_applies, result.analysis_reasons) for result in answer.value}


async def main():
    applies = (True, [WhatIfAnalysisReasons.NotSet])
    high = await ask(AgentIdRiskLevel.High, False)
    assert high == {
        "policy high": applies,
        "policy other": (False, [WhatIfAnalysisReasons.AgentIdentities]),
        "policy off": (False, [WhatIfAnalysisReasons.PolicyNotEnabled]),
    }, high
    low = await ask(AgentIdRiskLevel.Low, False)
    assert low["policy high"] == (False, [WhatIfAnalysisReasons.AgentIdRisk]), low
    assert await ask(AgentIdRiskLevel.High, True) == {"policy high": applies}
    assert await ask(AgentIdRiskLevel.Low, True) == {}


run(main)
