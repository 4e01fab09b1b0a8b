//! Detections: why an agent is risky, until an administrator settles it, and the record of the administrator's word.

use http::{Method, StatusCode};
use serde_json::json;

use super::{all, found, get, get_with};
use crate::support::site::{AGENT, BLUEPRINT, OTHER_AGENT, PRINCIPAL, Setup, Site};

const DETECTIONS: &str = "/beta/identityProtection/agentRiskDetections";
const AGENTS: &str = "/beta/identityProtection/riskyAgents";

async fn say(site: &Site, action: &str, ids: &[&str]) {
    let body = json!({"agentIds": ids}).to_string();
    let answer = site
        .manage(Method::POST, &format!("{AGENTS}/{action}"), &body)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.json());
}

#[tokio::test]
async fn a_confirmed_compromise_is_a_detection_until_it_is_settled() {
    let site = Site::start(Setup::default()).await;
    assert!(all(&site, DETECTIONS, "id").await.is_empty());
    say(&site, "confirmCompromised", &[AGENT, OTHER_AGENT]).await;
    let list = found(
        &site,
        &format!("{DETECTIONS}?$filter=identityId eq '{AGENT}'"),
    )
    .await;
    let detection = &list["value"][0];
    let (id, at) = (&detection["id"], &detection["detectedDateTime"]);
    assert_eq!(
        *detection,
        json!({
            "id": id, "agentId": AGENT, "agentDisplayName": "hr-agent", "identityId": AGENT, "displayName": "hr-agent",
            "identityType": "agentIdentity", "blueprintId": BLUEPRINT,
            "activityDateTime": at, "detectedDateTime": at, "lastModifiedDateTime": at, "detectionTimingType": "offline",
            "riskEventType": "adminConfirmedAgentCompromised", "riskLevel": "high", "riskState": "confirmedCompromised",
            "riskDetail": "adminConfirmedAgentCompromised", "riskEvidence": "confirmed by admin token",
            "additionalInfo": null, "source": "management", "signInCorrelationId": null, "signInRequestId": null,
            "signInClientDisplayName": null, "clientSessionId": null,
        })
    );
    let id = id.as_str().unwrap();

    say(&site, "dismiss", &[AGENT]).await;
    say(&site, "confirmCompromised", &[AGENT]).await;
    let settled = found(&site, &format!("{DETECTIONS}/{id}")).await;
    assert_eq!(settled["riskState"], "dismissed");
    assert_eq!(settled["riskDetail"], "adminDismissedRiskForAgent");
    assert_eq!(settled["riskEventType"], "adminConfirmedAgentCompromised");
    let open = format!("{DETECTIONS}?$filter=riskState eq 'confirmedCompromised'&$top=1");
    assert_eq!(
        all(&site, &open, "identityId").await,
        [AGENT, OTHER_AGENT],
        "the newest is first"
    );
    assert_eq!(get(&site, &format!("{DETECTIONS}/$count")).await.body, b"3");
    let nobody = get(&site, &format!("{DETECTIONS}/{AGENT}")).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_that_came_later_is_found_by_all_and_seen_by_those_who_know_it() {
    let site = Site::start(Setup::default()).await;
    say(&site, "confirmCompromised", &[PRINCIPAL, AGENT]).await;
    let filter = format!("{AGENTS}?$filter=identityType eq 'agentIdentityBlueprintPrincipal'");
    assert_eq!(all(&site, &filter, "id").await, [PRINCIPAL]);
    assert_eq!(
        all(&site, &filter, "identityType").await,
        ["unknownFutureValue"]
    );
    let knows = [("prefer", "include-unknown-enum-members")];
    let answer = get_with(&site, &filter, &knows).await;
    assert_eq!(
        answer.json()["value"][0]["identityType"],
        "agentIdentityBlueprintPrincipal"
    );
}

#[tokio::test]
async fn what_an_administrator_says_of_an_agent_is_on_record() {
    let site = Site::start(Setup::default()).await;
    say(&site, "confirmCompromised", &[AGENT]).await;
    say(&site, "confirmSafe", &[AGENT]).await;
    let of = |site: &Site| {
        let mut records = site.records();
        records.retain(|record| record["boomgate"]["change"] == "ended");
        records
    };
    site.until("both words are on record", async |site| of(site).len() == 2)
        .await;
    let [compromised, safe] = <[_; 2]>::try_from(of(&site)).unwrap();
    assert_eq!(
        compromised["activityDisplayName"],
        "Confirm agent compromised"
    );
    assert_eq!(compromised["result"], "success");
    assert_eq!(
        compromised["initiatedBy"]["app"],
        json!({"id": null, "displayName": "admin token", "roles": ["admin"]})
    );
    assert_eq!(safe["activityDisplayName"], "Confirm agent safe");
    assert_eq!(
        safe["targetResources"],
        json!([{
            "id": AGENT, "displayName": "hr-agent", "type": "ServicePrincipal",
            "modifiedProperties": [
                {"displayName": "riskLevel", "oldValue": "\"high\"", "newValue": "\"none\""},
                {"displayName": "riskState", "oldValue": "\"confirmedCompromised\"", "newValue": "\"confirmedSafe\""},
            ],
        }])
    );
}
