//! Lists of many pages, what has changed since, and pages that are not as they should be.

use std::time::Duration;

use super::server::{Graph, Trouble};
use super::{RISKY, World, risky};
use crate::support::site::AGENT;

/// Agents before and after the default one, on three pages.
fn fill(graph: &Graph) {
    graph.set_page_size(2);
    for number in 0..4 {
        let id = format!("a9a9a9a9-0000-4000-8000-0000000001{number:02}");
        graph.put(RISKY, risky(&id, "low", "atRisk", "2026-10-01T11:00:00Z"));
    }
    graph.put(
        RISKY,
        risky(AGENT, "high", "atRisk", "2026-10-01T12:00:00Z"),
    );
}

#[tokio::test]
async fn all_pages_are_read_and_later_only_what_has_changed_since_with_an_overlap() {
    let world = World::with(", overlap: 10m", fill).await;
    world.until_status(403).await;
    world.rounds(RISKY, 2).await;
    let asked = world.graph.asked(RISKY);
    let first: Vec<_> = asked.iter().take(3).map(|one| one.query.as_str()).collect();
    assert_eq!(
        first,
        ["$top=500", "$top=500&$skiptoken=2", "$top=500&$skiptoken=4"]
    );
    let filters: Vec<_> = asked
        .iter()
        .skip(3)
        .map(|one| one.filter().unwrap())
        .collect();
    assert!(!filters.is_empty());
    for filter in filters {
        assert_eq!(filter, "riskLastModifiedDateTime ge 2026-10-01T11:50:00Z");
    }
    world.graph.put(
        RISKY,
        risky(AGENT, "none", "dismissed", "2026-10-01T13:00:00Z"),
    );
    world.until_status(200).await;
    world.rounds(RISKY, 2).await;
    let last = world.graph.asked(RISKY).pop().unwrap();
    assert_eq!(
        last.filter().unwrap(),
        "riskLastModifiedDateTime ge 2026-10-01T12:50:00Z"
    );
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn everything_is_read_again_now_and_then() {
    let world = World::with(", full_interval: 2s", fill).await;
    world.until_status(403).await;
    let full = async |_: &_| {
        let asked = world.graph.asked(RISKY);
        let first = asked.iter().filter(|one| one.is_first_page());
        first.filter(|one| one.filter().is_none()).count() >= 2
    };
    world.site.until("everything is read again", full).await;
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_time_that_lies_ahead_does_not_hide_what_changes_until_then() {
    let world = World::with("", |graph| {
        graph.put(
            RISKY,
            risky(
                "a9a9a9a9-0000-4000-8000-000000000199",
                "low",
                "atRisk",
                "2999-01-01T00:00:00Z",
            ),
        );
    })
    .await;
    world.rounds(RISKY, 2).await;
    let filter = world.graph.asked(RISKY).pop().unwrap().filter().unwrap();
    assert!(
        !filter.contains("2998") && !filter.contains("2999"),
        "{filter}"
    );
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn failures_pass_and_what_is_known_then_counts() {
    let world = World::with(", required: true, max_age: 1m", |graph| {
        fill(graph);
        graph.always(RISKY, Some(Trouble::Status(502, "BadGateway")));
    })
    .await;
    world.until_fault(RISKY, "502").await;
    assert_eq!(world.status().await, 503);
    world.graph.always(RISKY, None);
    // Blocked by its risk, which is known, not for want of knowledge.
    world.until_status(403).await;
    let before = world.graph.asked(RISKY).len();
    world
        .graph
        .next(RISKY, Trouble::Status(500, "InternalServerError"));
    world
        .graph
        .next(RISKY, Trouble::Status(504, "GatewayTimeout"));
    world.rounds(RISKY, 3).await;
    assert!(world.graph.asked(RISKY).len() >= before + 3);
    world.until_fault(RISKY, "").await;
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again_and_not_those_before_it() {
    let world = World::with("", |graph| {
        fill(graph);
        graph.next(RISKY, Trouble::Pass);
        graph.next(RISKY, Trouble::Status(500, "InternalServerError"));
        graph.next(RISKY, Trouble::Throttle(1));
    })
    .await;
    world.until_status(403).await;
    let asked = world.graph.asked(RISKY);
    let queries: Vec<_> = asked.iter().take(5).map(|one| &*one.query).collect();
    let second = "$top=500&$skiptoken=2";
    let third = "$top=500&$skiptoken=4";
    assert_eq!(queries, ["$top=500", second, second, second, third]);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_next_page_is_fetched_from_nowhere_but_graph() {
    let world = World::with(", required: true, max_age: 1m", fill).await;
    world.until_status(403).await;
    let elsewhere = Graph::start(&world.site.pki).await;
    let port = world.graph.url.rsplit(':').next().unwrap().to_owned();
    for link in [
        format!(
            "{}/beta/identityProtection/riskyAgents?$skiptoken=2",
            elsewhere.url
        ),
        format!("http://localhost:{port}/beta/identityProtection/riskyAgents"),
        format!("https://localhost:{port}@127.0.0.1/beta/identityProtection/riskyAgents"),
        "https://169.254.169.254/metadata/identity/oauth2/token".to_owned(),
        "/beta/identityProtection/riskyAgents?$skiptoken=2".to_owned(),
    ] {
        world.graph.set_next_link(Some(&link));
        world.graph.put(
            RISKY,
            risky(
                "a9a9a9a9-0000-4000-8000-000000000101",
                "low",
                "atRisk",
                "2026-10-01T12:00:00Z",
            ),
        );
        world.graph.put(
            RISKY,
            risky(
                "a9a9a9a9-0000-4000-8000-000000000102",
                "low",
                "atRisk",
                "2026-10-01T12:00:00Z",
            ),
        );
        let fault = world.until_fault(RISKY, "at another place").await;
        assert!(!fault.contains("skiptoken"), "{fault}");
        world.graph.set_next_link(None);
        world.until_fault(RISKY, "").await;
    }
    assert_eq!(elsewhere.asked(RISKY).len() + elsewhere.forms().len(), 0);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_list_without_an_end_is_given_up() {
    let world = World::with(", max_pages: 2", fill).await;
    let fault = world.until_fault(RISKY, "more than 2 pages").await;
    assert!(fault.contains("`max_pages`"), "{fault}");
    // What is on the pages that were read counts all the same; that it is all does not.
    let link = format!(
        "{}/beta/identityProtection/riskyAgents?$top=500",
        world.graph.url
    );
    world.graph.set_next_link(Some(&link));
    world.until_fault(RISKY, "its next page is itself").await;
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_never_an_empty_one() {
    let world = World::with(", max_page_size: 64KiB, timeout: 1s", |graph| {
        graph.put(
            RISKY,
            risky(AGENT, "high", "atRisk", "2026-10-01T12:00:00Z"),
        );
    })
    .await;
    world.until_status(403).await;
    let large = format!(r#"{{"value":[],"x":"{}"}}"#, "x".repeat(70_000));
    let without_id = r#"{"value":[{"riskLevel":"none","riskState":"dismissed","identityType":"agentIdentity"}]}"#;
    let user = r##"{"value":[{"@odata.type":"#microsoft.graph.riskyUser","id":"u","riskLevel":"none","riskState":"none"}]}"##;
    for (trouble, says) in [
        (
            Trouble::Body("<html>maintenance</html>".to_owned()),
            "no strict JSON",
        ),
        (Trouble::Body("[]".to_owned()), "no object"),
        (Trouble::Body("{}".to_owned()), "no array `value`"),
        (
            Trouble::Body(r#"{"value":{}}"#.to_owned()),
            "no array `value`",
        ),
        (
            Trouble::Body(r#"{"value":[],"value":[]}"#.to_owned()),
            "no strict JSON",
        ),
        (
            Trouble::Body(r#"{"value":[],"@odata.nextLink":7}"#.to_owned()),
            "is not text",
        ),
        (
            Trouble::Body(r#"{"value":[7]}"#.to_owned()),
            "an object was expected",
        ),
        (Trouble::Body(without_id.to_owned()), "`id` is missing"),
        (Trouble::Body(user.to_owned()), "not an agent"),
        (Trouble::Body(large), "larger than 65536 bytes"),
        (
            Trouble::Slow(Duration::from_secs(3)),
            "no complete answer within",
        ),
        (Trouble::Status(302, "Moved"), "302"),
    ] {
        world.graph.always(RISKY, Some(trouble));
        world.until_fault(RISKY, says).await;
        assert_eq!(world.status().await, 403, "{says}");
        world.graph.always(RISKY, None);
        world.until_fault(RISKY, "").await;
    }
    world.site.app.stop().await.unwrap();
}
