//! What each form says, and what is none of it. Whole requests over sockets are in `tests/it/issuance`.

use serde_json::{Value, json};

use super::*;
use crate::identity::settings::ClaimMapping;
use crate::types::TenantId;

const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";

fn entra() -> Profile {
    Profile::Entra {
        tenant: TenantId::parse(TENANT).unwrap(),
    }
}

fn told(client: &str) -> Told {
    Told {
        grant: Grant::ClientCredentials,
        client: client.to_owned(),
        subject: None,
        scopes: Vec::new(),
        resources: Vec::new(),
        address: None,
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn hydra_names_the_subject_of_its_session_and_leaves_lists_out() {
    let body = json!({
        "session": {"id_token": {"id_token_claims": {"sub": "other"}, "subject": "ada"}, "client_id": "runner"},
        "request": {"client_id": "runner", "grant_types": ["refresh_token"], "granted_scopes": ["b", "a"],
            "requested_scopes": ["a"], "granted_audience": null, "payload": {}},
    });
    assert_eq!(
        hydra::read(&bytes(&body)),
        Ok(Told {
            grant: Grant::RefreshToken,
            subject: Some("ada".into()),
            scopes: vec!["a".into(), "b".into()],
            ..told("runner")
        })
    );
    let bare = json!({"session": null, "request": {"client_id": "runner", "grant_types": ["client_credentials"]}});
    assert_eq!(hydra::read(&bytes(&bare)), Ok(told("runner")));
    for grants in [json!([]), json!(["a", "b"]), json!("a"), Value::Null] {
        let body = json!({"request": {"client_id": "runner", "grant_types": grants}});
        assert_eq!(hydra::read(&bytes(&body)), Err(Malformed), "{body}");
    }
}

#[test]
fn a_member_of_the_plain_form_that_is_misspelt_is_a_fault() {
    let body = |more: Value| {
        let mut body = json!({"grant_type": "client_credentials", "client_id": "runner"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        bytes(&body)
    };
    let full = json!({"subject": "ada", "grant_type": "password", "scope": "a b", "resource": "https://x",
        "audience": ["y"], "ip_address": "203.0.113.7"});
    assert_eq!(
        plain::read(&body(full)),
        Ok(Told {
            grant: Grant::Password,
            subject: Some("ada".into()),
            scopes: vec!["a b".into()],
            resources: vec!["https://x".into(), "y".into()],
            address: Some("203.0.113.7".parse().unwrap()),
            ..told("runner")
        })
    );
    let nulls = json!({"subject": null, "scope": null, "resource": null, "ip_address": null});
    assert_eq!(plain::read(&body(nulls)), Ok(told("runner")));
    for more in [
        json!({"subjct": "ada"}),
        json!({"subject": 1}),
        json!({"scope": 1}),
        json!({"resource": [1]}),
        json!({"ip_address": "localhost"}),
        json!({"client_id": null}),
    ] {
        assert_eq!(plain::read(&body(more.clone())), Err(Malformed), "{more}");
    }
    let twice = br#"{"grant_type": "password", "client_id": "a", "client_id": "b"}"#;
    assert_eq!(plain::read(twice), Err(Malformed));
}

#[test]
fn entra_is_heard_of_its_own_event_and_tenant_only() {
    let event = |change: &dyn Fn(&mut Value)| {
        let mut event = json!({
            "type": "microsoft.graph.authenticationEvent.tokenIssuanceStart",
            "source": "/tenants/x/applications/y",
            "data": {
                "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData",
                "tenantId": TENANT,
                "authenticationContext": {
                    "client": {"ip": "203.0.113.7", "locale": "en-us", "market": "en-us"},
                    "protocol": "OAUTH2.0",
                    "clientServicePrincipal": {"id": "sp", "appId": "client"},
                    "resourceServicePrincipal": {"id": "sp", "appId": "resource"},
                    "user": {"id": "ada", "userType": "Member"},
                },
            },
        });
        change(&mut event);
        entra::read(&bytes(&event), &entra())
    };
    let whole = Told {
        grant: Grant::Other,
        subject: Some("ada".into()),
        resources: vec!["resource".into()],
        address: Some("203.0.113.7".parse().unwrap()),
        ..told("client")
    };
    assert_eq!(event(&|_| {}), Ok(whole));
    let bare = event(&|event| {
        let context = &mut event["data"]["authenticationContext"];
        for member in ["client", "resourceServicePrincipal", "user"] {
            context[member] = Value::Null;
        }
    });
    assert_eq!(bare, Ok(told("client")));
    let nowhere = event(&|event| {
        event["data"]["authenticationContext"]["client"]["ip"] = json!("");
    });
    assert_eq!(nowhere.map(|told| told.address), Ok(None));
    for (pointer, value) in [
        (
            "/type",
            json!("microsoft.graph.authenticationEvent.attributeCollectionStart"),
        ),
        (
            "/data/@odata.type",
            json!("microsoft.graph.onAttributeCollectionStartCalloutData"),
        ),
        (
            "/data/tenantId",
            json!("8a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00"),
        ),
        ("/data/authenticationContext", Value::Null),
        (
            "/data/authenticationContext/clientServicePrincipal",
            Value::Null,
        ),
        (
            "/data/authenticationContext/user",
            json!({"displayName": "Ada"}),
        ),
    ] {
        let read = event(&|event| *event.pointer_mut(pointer).unwrap() = value.clone());
        assert_eq!(read, Err(Malformed), "{pointer}");
    }
    let elsewhere = Profile::Oidc(Arc::new(ClaimMapping::default()));
    assert_eq!(entra::read(b"{}", &elsewhere), Err(Malformed));
}
