"""Policies through the SDK: list, create, get, change, delete, and a change of what another has changed."""

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph_beta.generated.models.conditional_access_agent_id_risk_levels import ConditionalAccessAgentIdRiskLevels
from msgraph_beta.generated.models.conditional_access_applications import ConditionalAccessApplications
from msgraph_beta.generated.models.conditional_access_client_app import ConditionalAccessClientApp
from msgraph_beta.generated.models.conditional_access_client_applications import ConditionalAccessClientApplications
from msgraph_beta.generated.models.conditional_access_condition_set import ConditionalAccessConditionSet
from msgraph_beta.generated.models.conditional_access_grant_control import ConditionalAccessGrantControl
from msgraph_beta.generated.models.conditional_access_grant_controls import ConditionalAccessGrantControls
from msgraph_beta.generated.models.conditional_access_policy import ConditionalAccessPolicy
from msgraph_beta.generated.models.conditional_access_policy_state import ConditionalAccessPolicyState
from msgraph_beta.generated.models.conditional_access_users import ConditionalAccessUsers
from msgraph_beta.generated.models.o_data_errors.o_data_error import ODataError

from gateway import AGENT, OTHER_AGENT, run, sdk


def new_policy() -> ConditionalAccessPolicy:
    return ConditionalAccessPolicy(
        display_name="Made by the SDK",
        state=ConditionalAccessPolicyState.Enabled,
        conditions=ConditionalAccessConditionSet(
            client_app_types=[ConditionalAccessClientApp.All],
            applications=ConditionalAccessApplications(include_applications=["All"]),
            users=ConditionalAccessUsers(include_users=["None"]),
            client_applications=ConditionalAccessClientApplications(
                include_agent_id_service_principals=[AGENT], exclude_agent_id_service_principals=[]
            ),
            agent_id_risk_levels=ConditionalAccessAgentIdRiskLevels.High,
        ),
        grant_controls=ConditionalAccessGrantControls(
            operator="OR", built_in_controls=[ConditionalAccessGrantControl.Block]
        ),
    )


async def main():
    policies = sdk().identity.conditional_access.policies
    before = {policy.id for policy in (await policies.get()).value}

    made = await policies.post(new_policy())
    assert made.id and made.id not in before
    assert made.created_date_time and made.modified_date_time is None
    assert made.state == ConditionalAccessPolicyState.Enabled
    assert {policy.id for policy in (await policies.get()).value} == before | {made.id}

    one = policies.by_conditional_access_policy_id(made.id)
    got = await one.get()
    assert got.display_name == "Made by the SDK"
    assert got.conditions.agent_id_risk_levels == [ConditionalAccessAgentIdRiskLevels.High]
    assert got.conditions.client_applications.include_agent_id_service_principals == [AGENT]
    assert got.grant_controls.built_in_controls == [ConditionalAccessGrantControl.Block]

    change = ConditionalAccessPolicy(
        state=ConditionalAccessPolicyState.EnabledForReportingButNotEnforced,
        conditions=ConditionalAccessConditionSet(
            client_applications=ConditionalAccessClientApplications(include_agent_id_service_principals=[OTHER_AGENT])
        ),
    )
    assert await one.patch(change) is None
    changed = await one.get()
    assert changed.state == ConditionalAccessPolicyState.EnabledForReportingButNotEnforced
    assert changed.conditions.client_applications.include_agent_id_service_principals == [OTHER_AGENT]
    # What the change did not name is as it was.
    assert changed.conditions.agent_id_risk_levels == [ConditionalAccessAgentIdRiskLevels.High]
    assert changed.conditions.applications.include_applications == ["All"]
    assert changed.modified_date_time > made.created_date_time

    seen = RequestConfiguration()
    seen.headers.add("If-Match", got.additional_data["@odata.etag"])
    assert await refused(one.patch(ConditionalAccessPolicy(display_name="late"), seen)) == (412, "PreconditionFailed")
    seen = RequestConfiguration()
    seen.headers.add("If-Match", changed.additional_data["@odata.etag"])
    await one.patch(ConditionalAccessPolicy(display_name="in time"), seen)
    assert (await one.get()).display_name == "in time"

    bad = new_policy()
    bad.conditions.additional_data = {"phaseOfTheMoon": ["full"]}
    assert await refused(policies.post(bad)) == (400, "BadRequest")

    await one.delete()
    assert await refused(one.get()) == (404, "ResourceNotFound")
    assert {policy.id for policy in (await policies.get()).value} == before


async def refused(request):
    try:
        await request
    except ODataError as error:
        assert error.error.message and error.error.inner_error.request_id
        return error.response_status_code, error.error.code
    raise AssertionError("this should have been refused")


run(main)
