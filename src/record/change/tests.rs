use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::record::RecorderThread;
use crate::record::settings::{Destination, Overflow, RecordSettings};
use crate::telemetry::Metrics;

fn start(path: &Path, overflow: Overflow) -> (Recorder, RecorderThread) {
    let settings = RecordSettings {
        destination: Destination::File(path.to_owned()),
        queue: 4,
        wait: Duration::from_secs(10),
        overflow,
        list_not_applied: false,
        recent: 100,
    };
    Recorder::start(&settings, Metrics::new().unwrap()).unwrap()
}

fn change() -> Change {
    let (before, after) = (json!({"state": "enabled"}), json!({"state": "disabled"}));
    let whole = Property::whole(
        "ConditionalAccessPolicy",
        before.as_object(),
        after.as_object(),
    );
    Change {
        id: "1".to_owned(),
        correlation_id: "2".to_owned(),
        activity_date_time: Timestamp::from_seconds(1_790_858_096),
        activity_display_name: "Update conditional access policy",
        category: "Policy",
        operation_type: "Update",
        initiated_by: Initiator {
            app: Some(Identity {
                id: None,
                display_name: "admin token".into(),
                roles: vec!["admin"],
            }),
            user: None,
        },
        target_resources: vec![Target {
            id: "3".to_owned(),
            display_name: Some("a policy".to_owned()),
            kind: "Policy",
            modified_properties: vec![whole],
        }],
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_change_is_on_record_before_it_is_made_and_then_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.jsonl");
    let (recorder, thread) = start(&path, Overflow::Refuse);
    let begun = recorder.change(change()).await.unwrap();
    let first = lines(&path);
    let expected = json!({
        "id": "1", "correlationId": "2", "activityDateTime": "2026-10-01T12:34:56Z",
        "activityDisplayName": "Update conditional access policy", "category": "Policy",
        "operationType": "Update", "loggedByService": "Boomgate",
        "initiatedBy": {"app": {"id": null, "displayName": "admin token", "roles": ["admin"]}, "user": null},
        "targetResources": [{"id": "3", "displayName": "a policy", "type": "Policy", "modifiedProperties": [
            {"displayName": "ConditionalAccessPolicy", "oldValue": "{\"state\":\"enabled\"}",
                "newValue": "{\"state\":\"disabled\"}"}]}],
        "boomgate": {"change": "begun"},
    });
    assert_eq!(first, [expected]);

    begun.ended(Ok(()));
    recorder
        .change(change())
        .await
        .unwrap()
        .ended(Err("the folder is read-only"));
    thread.finish(Duration::from_secs(10)).unwrap();
    let told: Vec<_> = lines(&path)
        .iter()
        .map(|line| {
            (
                line["result"].clone(),
                line["resultReason"].clone(),
                line["boomgate"]["change"].clone(),
            )
        })
        .collect();
    let begun = (Value::Null, Value::Null, json!("begun"));
    let failed = (
        json!("failure"),
        json!("the folder is read-only"),
        json!("ended"),
    );
    assert_eq!(
        told,
        [
            begun.clone(),
            (json!("success"), Value::Null, json!("ended")),
            begun,
            failed
        ]
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_recorded_is_not_to_be_made_even_where_calls_go_on() {
    for overflow in [Overflow::Refuse, Overflow::DangerousDrop] {
        // The first finds a disk that nobody knows to be full.
        let (recorder, _thread) = start(Path::new("/dev/full"), overflow);
        for _ in 0..2 {
            let refused = recorder.change(change()).await;
            assert!(matches!(refused, Err(RecordUnavailable)), "{refused:?}");
        }
    }
}

#[test]
fn members_that_differ_are_properties_each() {
    let before = json!({"accountEnabled": true, "id": "1", "tags": []});
    let after = json!({"accountEnabled": false, "id": "1", "displayName": "x"});
    let properties = Property::of_members(before.as_object().unwrap(), after.as_object().unwrap());
    let told: Vec<_> = properties
        .iter()
        .map(|p| {
            (
                &*p.display_name,
                p.old_value.as_deref(),
                p.new_value.as_deref(),
            )
        })
        .collect();
    let expected = [
        ("accountEnabled", Some("true"), Some("false")),
        ("displayName", None, Some("\"x\"")),
        ("tags", Some("[]"), None),
    ];
    assert_eq!(told, expected);
}
