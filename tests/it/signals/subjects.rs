//! Whom an event is about, by every name that the standards have (RFC 9493, SSF §3).

use serde_json::{Value, json};

use super::{CAEP, World, high};
use crate::support::site::{AGENT, AGENT_USER, BLUEPRINT, ISSUER, OTHER_AGENT, now};

/// What comes of a call of the default agent after this event about this subject.
async fn after(subject: Value, kind: &str, event: Value) -> (u16, u64) {
    let world = World::push("").await;
    let token = world
        .site
        .token(&json!({"iat": now() - 10, "jti": "t-1", "uti": "t-1", "sid": "s-1"}));
    let kind = format!("{CAEP}{kind}");
    let claims = world.transmitter.claims("e", &kind, subject.clone(), event);
    let answer = world.send(&world.transmitter.sign(&claims)).await;
    assert_eq!(answer.status, 202, "{subject}: {answer:?}");
    let status = world.site.get("/hr/people", &token).await.status.as_u16();
    let labels = [("source", "idp"), ("result", "unknown_subject")];
    let unknown = world
        .site
        .count("boomgate_risk_signals_total", &labels)
        .await;
    world.site.app.stop().await.unwrap();
    (status, unknown)
}

#[tokio::test]
async fn an_agent_is_known_by_each_of_its_names() {
    let agent = json!({"format": "iss_sub", "iss": ISSUER, "sub": AGENT});
    let nobody = json!({"format": "email", "email": "nobody@example.com"});
    for subject in [
        agent.clone(),
        json!({"format": "opaque", "id": AGENT.to_uppercase()}),
        json!({"format": "opaque", "id": BLUEPRINT}),
        json!({"format": "aliases", "identifiers": [nobody, agent]}),
        json!({"format": "complex", "application": agent, "tenant": {"format": "opaque", "id": "t"}}),
        json!({"format": "complex", "user": agent, "session": {"format": "opaque", "id": "s"}}),
        json!({"subject_type": "iss-sub", "iss": ISSUER, "sub": AGENT}),
    ] {
        assert_eq!(
            after(
                subject.clone(),
                "risk-level-change",
                json!({"current_level": "HIGH"})
            )
            .await,
            (403, 0),
            "{subject}"
        );
    }
    let token = json!({"format": "jwt_id", "iss": ISSUER, "jti": "t-1"});
    assert_eq!(after(token, "session-revoked", json!({})).await, (401, 0));
    let other = json!({"format": "jwt_id", "iss": ISSUER, "jti": "t-2"});
    assert_eq!(after(other, "session-revoked", json!({})).await, (200, 0));
}

#[tokio::test]
async fn a_session_is_revoked_by_its_own_id_and_no_other_one_is() {
    let session = |id: &str| json!({"format": "iss_sub", "iss": ISSUER, "sub": id});
    let agent = json!({"format": "iss_sub", "iss": ISSUER, "sub": OTHER_AGENT});
    let by_opaque_id = json!({"format": "opaque", "id": "s-1"});
    for (subject, principal, what) in [
        (json!({"session": session("s-1")}), None, (401, 0)),
        (json!({"session": session("s-2")}), None, (200, 0)),
        // An id of its own is one of the issuer that names somebody else beside it.
        (
            json!({"session": by_opaque_id, "user": agent}),
            Some("SESSION"),
            (401, 0),
        ),
        (
            json!({"session": {"format": "jwt_id", "iss": ISSUER, "jti": "t-1"}}),
            None,
            (401, 0),
        ),
        // Nobody says whose id it is.
        (json!({"session": by_opaque_id}), None, (200, 1)),
        // Who is named beside it counts, unless the event says otherwise.
        (
            json!({"session": session("s-1"), "user": agent}),
            None,
            (200, 0),
        ),
    ] {
        let mut subject = subject;
        subject["format"] = "complex".into();
        let event = principal.map_or_else(|| json!({}), |of| json!({"principal": of}));
        let came = after(subject.clone(), "session-revoked", event).await;
        assert_eq!(came, what, "{subject}");
    }
    let risk = json!({"current_level": "HIGH"});
    let session = json!({"format": "complex", "session": session("s-1")});
    assert_eq!(after(session, "risk-level-change", risk).await, (200, 1));
}

#[tokio::test]
async fn whom_nobody_knows_is_counted_and_no_error_and_nobody_else_is_hit() {
    for subject in [
        json!({"format": "opaque", "id": "somebody"}),
        json!({"format": "email", "email": "nobody@example.com"}),
        json!({"format": "uri", "uri": "spiffe://example.com/nobody"}),
        json!({"format": "iss_sub", "iss": "https://other.example", "sub": AGENT}),
        json!({"format": "phone_number", "phone_number": "+1"}),
        json!({"format": "of-tomorrow", "name": AGENT}),
        json!({"format": "complex", "device": {"format": "opaque", "id": AGENT}}),
        json!({"format": "complex", "application": {"format": "of-tomorrow", "id": AGENT}}),
        // The one that the event's `principal` names is a session's.
        json!({"format": "complex", "session": {"format": "opaque", "id": AGENT},
            "application": {"format": "opaque", "id": OTHER_AGENT}}),
    ] {
        let event = json!({"current_level": "HIGH", "principal": "SESSION"});
        let what = after(subject.clone(), "risk-level-change", event).await;
        assert_eq!(what, (200, 1), "{subject}");
    }
    let other = json!({"format": "opaque", "id": OTHER_AGENT});
    assert_eq!(after(other, "risk-level-change", high()).await, (200, 0));
    let user = json!({"format": "opaque", "id": AGENT_USER});
    assert_eq!(after(user, "risk-level-change", high()).await, (200, 0));
}

#[tokio::test]
async fn an_event_with_a_member_that_must_be_understood_and_is_not_does_nothing() {
    let world = World::push("").await;
    world.transmitter.make_critical("org_unit");
    let agent = json!({"format": "opaque", "id": AGENT});
    let unit = json!({"format": "opaque", "id": "u"});
    let subject = json!({"format": "complex", "application": agent, "org_unit": unit});
    let mut id = 0;
    world
        .site
        .until("the transmitter's word is known", async |_| {
            id += 1;
            let kind = format!("{CAEP}session-presented");
            let subject = json!({"format": "complex", "application": agent, "org_unit": unit});
            let claims = world
                .transmitter
                .claims(&id.to_string(), &kind, subject, json!({}));
            assert_eq!(
                world.send(&world.transmitter.sign(&claims)).await.status,
                202
            );
            world.transmitter.metadata_reads() > 2
        })
        .await;
    let kind = format!("{CAEP}risk-level-change");
    let claims = world.transmitter.claims("e", &kind, subject, high());
    assert_eq!(
        world.send(&world.transmitter.sign(&claims)).await.status,
        202
    );
    assert_eq!(
        world
            .counted("risk-level-change.high", "unknown_subject")
            .await,
        1
    );
    assert_eq!(world.status().await, 200);
    world.site.app.stop().await.unwrap();
}
