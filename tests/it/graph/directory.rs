//! The directory: types told apart, casts, filters, and attributes for those who select them.

use http::StatusCode;
use serde_json::{Value, json};

use super::{all, error, found, get};
use crate::support::site::{
    AGENT, AGENT_USER, BLUEPRINT, OTHER_AGENT, PRINCIPAL, Setup, Site, agent,
};

const APPLICATION: &str = "b1b1b1b1-0000-4000-8000-0000000000f1";

/// The default directory, with the application of its blueprint, and attributes for one agent.
async fn site() -> Site {
    let mut setup = Setup::default();
    setup.directory.retain(|object| object["id"] != AGENT);
    let mut described = agent(AGENT, "hr-agent");
    described["createdDateTime"] = json!("2026-03-02T09:00:00Z");
    described["customSecurityAttributes"] = attributes();
    setup.directory.push(described);
    setup.directory.push(json!({
        "@odata.type": "#microsoft.graph.agentIdentityBlueprint",
        "id": APPLICATION, "appId": BLUEPRINT, "displayName": "HR assistant",
    }));
    Site::start(setup).await
}

fn attributes() -> Value {
    json!({"AgentAttributes": {
        "@odata.type": "#Microsoft.DirectoryServices.CustomSecurityAttributeValue",
        "AgentApprovalStatus@odata.type": "#Collection(String)",
        "AgentApprovalStatus": ["New", "HR_Approved"],
        "Department": "HR",
        "Level": 3,
        "Reviewed": true,
    }})
}

#[tokio::test]
async fn service_principals_are_told_apart_by_their_type() {
    let site = site().await;
    for version in ["v1.0", "beta"] {
        let list = found(&site, &format!("/{version}/servicePrincipals")).await;
        assert_eq!(
            list["@odata.context"],
            format!("https://graph.microsoft.com/{version}/$metadata#servicePrincipals")
        );
        let by_type = list["value"].as_array().unwrap().iter();
        let by_type: Vec<_> = by_type
            .map(|one| {
                (
                    one["@odata.type"].as_str().unwrap(),
                    one["id"].as_str().unwrap(),
                )
            })
            .collect();
        let identity = "#microsoft.graph.agentIdentity";
        let principal = "#microsoft.graph.agentIdentityBlueprintPrincipal";
        assert_eq!(
            by_type,
            [
                (identity, AGENT),
                (identity, OTHER_AGENT),
                (principal, PRINCIPAL)
            ]
        );
    }
    let one = found(&site, &format!("/v1.0/servicePrincipals/{AGENT}")).await;
    assert_eq!(
        one,
        json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals/$entity",
            "@odata.etag": one["@odata.etag"],
            "@odata.type": "#microsoft.graph.agentIdentity",
            "id": AGENT, "appId": AGENT, "displayName": "hr-agent", "accountEnabled": true,
            "servicePrincipalType": "ServiceIdentity", "agentIdentityBlueprintId": BLUEPRINT,
            "createdDateTime": "2026-03-02T09:00:00Z",
        })
    );
}

#[tokio::test]
async fn a_cast_narrows_a_collection_and_is_named_in_full_or_short() {
    let site = site().await;
    for (path, ids) in [
        (
            "servicePrincipals/microsoft.graph.agentIdentity",
            vec![AGENT, OTHER_AGENT],
        ),
        (
            "servicePrincipals/graph.agentIdentity",
            vec![AGENT, OTHER_AGENT],
        ),
        (
            "servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal",
            vec![PRINCIPAL],
        ),
        (
            "servicePrincipals/graph.agentIdentityBlueprintPrincipal",
            vec![PRINCIPAL],
        ),
        ("users/microsoft.graph.agentUser", vec![AGENT_USER]),
        ("users/graph.agentUser", vec![AGENT_USER]),
        (
            "applications/microsoft.graph.agentIdentityBlueprint",
            vec![APPLICATION],
        ),
        (
            "applications/graph.agentIdentityBlueprint",
            vec![APPLICATION],
        ),
    ] {
        for version in ["v1.0", "beta"] {
            let path = format!("/{version}/{path}");
            assert_eq!(all(&site, &path, "id").await, ids, "{path}");
            let count = get(&site, &format!("{path}/$count")).await;
            assert_eq!(count.header("content-type"), "text/plain");
            assert_eq!(count.body, ids.len().to_string().as_bytes(), "{path}");
        }
    }
    for (path, what) in [
        (
            format!("servicePrincipals/{AGENT_USER}"),
            "no agent identity and no blueprint's principal has this id",
        ),
        (
            format!("servicePrincipals/{PRINCIPAL}/microsoft.graph.agentIdentity"),
            "no agent identity has this id",
        ),
        (format!("users/{AGENT}"), "no agent user has this id"),
        (
            format!("applications/{PRINCIPAL}"),
            "no blueprint has this id",
        ),
        (
            "servicePrincipals/nobody".to_owned(),
            "no agent identity and no blueprint's principal has this id",
        ),
    ] {
        let answer = get(&site, &format!("/beta/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(
            error(&answer),
            ("ResourceNotFound".to_owned(), what.to_owned())
        );
    }
    for path in [
        format!("servicePrincipals/{PRINCIPAL}/graph.agentIdentityBlueprintPrincipal"),
        format!("servicePrincipals/{}", AGENT.to_uppercase()),
        format!("users/{AGENT_USER}/microsoft.graph.agentUser"),
        format!("applications/{APPLICATION}"),
    ] {
        found(&site, &format!("/beta/{path}")).await;
    }
    let user = found(&site, &format!("/beta/users/{AGENT_USER}")).await;
    assert_eq!(user["@odata.type"], "#microsoft.graph.agentUser");
    assert_eq!(user["identityParentId"], AGENT);
}

#[tokio::test]
async fn attributes_are_shown_as_written_to_those_who_select_them() {
    let site = site().await;
    let path = format!("/beta/servicePrincipals/{AGENT}");
    let plain = found(&site, &path).await;
    assert_eq!(plain.get("customSecurityAttributes"), None);
    let selected = found(
        &site,
        &format!("{path}?$select=id,customSecurityAttributes"),
    )
    .await;
    assert_eq!(
        selected,
        json!({
            "@odata.etag": selected["@odata.etag"],
            "@odata.context": "https://graph.microsoft.com/beta/$metadata#servicePrincipals(id,customSecurityAttributes)/$entity",
            "@odata.type": "#microsoft.graph.agentIdentity",
            "id": AGENT,
            "customSecurityAttributes": attributes(),
        })
    );
    let set = "customSecurityAttributes/AgentAttributes";
    for (filter, ids) in [
        (format!("{set}/Department eq 'hr'"), vec![AGENT]),
        (format!("{set}/Level ge 3"), vec![AGENT]),
        (format!("{set}/Reviewed eq true"), vec![AGENT]),
        (
            format!("{set}/AgentApprovalStatus/any(s: s eq 'hr_approved')"),
            vec![AGENT],
        ),
        (
            format!("{set}/Department eq null"),
            vec![OTHER_AGENT, PRINCIPAL],
        ),
    ] {
        let path = format!("/v1.0/servicePrincipals?$filter={filter}");
        assert_eq!(all(&site, &path, "id").await, ids, "{filter}");
    }
}

#[tokio::test]
async fn a_query_is_answered_whole_or_refused_with_its_place() {
    let site = site().await;
    let list = "/v1.0/servicePrincipals";
    for (query, names) in [
        (
            "$filter=accountEnabled eq true&$orderby=displayName desc&$top=1",
            vec!["other-agent", "hr-agent", "HR assistant"],
        ),
        (
            "$filter=startsWith(displayName,'HR')&$orderby=displayName",
            vec!["HR assistant", "hr-agent"],
        ),
        (
            "$filter=not (servicePrincipalType eq 'Application')&$top=1",
            vec!["hr-agent", "other-agent"],
        ),
        ("$filter=createdDateTime lt 2026-04-01", vec!["hr-agent"]),
        ("$filter=accountEnabled eq false", vec![]),
    ] {
        let path = format!("{list}?{query}");
        assert_eq!(all(&site, &path, "displayName").await, names, "{query}");
    }
    let counted = found(&site, &format!("{list}?$count=true&$top=1&$select=id")).await;
    assert_eq!(counted["@odata.count"], 3);
    assert_eq!(
        counted["@odata.nextLink"]
            .as_str()
            .unwrap()
            .split("$skiptoken=")
            .next(),
        Some("https://localhost:9443/v1.0/servicePrincipals?$count=true&$top=1&$select=id&")
    );
    for (query, code, message) in [
        (
            "$filter=nothing eq 1",
            "BadRequest",
            "`$filter`, character 1: there is no property `nothing`",
        ),
        (
            "$filter=accountEnabled eq 'true'",
            "BadRequest",
            "`$filter`, character 19: `accountEnabled` is a boolean, expected true or false",
        ),
        (
            "$filter=length(displayName) eq 3",
            "Request_UnsupportedQuery",
            "`$filter`, character 1: the function `length` is not supported",
        ),
        (
            "$expand=sponsors",
            "Request_UnsupportedQuery",
            "`$expand` is not supported here, only $filter, $orderby, $top, $skiptoken, $select, $count",
        ),
        (
            "$skiptoken=abc",
            "BadRequest",
            "`$skiptoken` is not one that this list gave out; start again without it, or follow `@odata.nextLink` as it is",
        ),
    ] {
        let answer = get(&site, &format!("{list}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(
            error(&answer),
            (code.to_owned(), message.to_owned()),
            "{query}"
        );
    }
    let one = get(&site, &format!("{list}/{AGENT}?$filter=id eq 'a'")).await;
    assert_eq!(
        error(&one).1,
        "`$filter` is not supported here, only $select"
    );
}
