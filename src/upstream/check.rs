//! Asks endpoints whether they are well: one checker per process and upstream, beside the calls.
//!
//! A check opens its own connection, as a call would, so that it finds what a call would find. Never here: a token,
//! or a word of any call.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode, Uri, Version};

use super::connect::{Sender, connect};
use super::member::Member;
use super::settings::HealthCheck;
use super::table::Upstream;
use super::upload::{Progress, Upload};
use crate::call::Body;
use crate::telemetry::UpstreamEvent;
use crate::types::ResourceName;

/// Asks from now on, until nobody has the upstream any more.
pub(super) fn follow(resource: &ResourceName, upstream: &Arc<Upstream>) {
    let Some(rule) = upstream.settings.health_check.clone() else {
        return;
    };
    let resource = resource.clone();
    let upstream = Arc::downgrade(upstream);
    tokio::spawn(async move {
        while let Some(upstream) = Weak::upgrade(&upstream) {
            ask_all(&resource, &upstream, &rule).await;
            drop(upstream);
            tokio::time::sleep(with_jitter(rule.interval)).await;
        }
    });
}

/// Asks all endpoints at once, and waits for the last answer.
async fn ask_all(resource: &ResourceName, upstream: &Arc<Upstream>, rule: &HealthCheck) {
    let mut asked = tokio::task::JoinSet::new();
    for member in upstream.live.members().iter() {
        let (upstream, member) = (Arc::clone(upstream), Arc::clone(member));
        let (resource, rule) = (resource.clone(), rule.clone());
        asked.spawn(async move {
            let answer = ask(&upstream, &member, &rule);
            let status = tokio::time::timeout(rule.timeout, answer).await;
            let well = status.is_ok_and(|status| status == Some(rule.status));
            if member.checked(well, Instant::now(), &rule) {
                upstream.live.count(UpstreamEvent::Unhealthy);
                let address = member.address;
                tracing::warn!(%resource, %address, "an upstream's endpoint does not pass its check");
            }
        });
    }
    while asked.join_next().await.is_some() {}
}

/// The status that an endpoint answers with, if it does.
async fn ask(upstream: &Upstream, member: &Member, rule: &HealthCheck) -> Option<StatusCode> {
    let authority = &upstream.names_of(member.origin)?.authority;
    let mut request = Request::new(Upload::new(Body::Empty, Progress::new(), rule.timeout));
    let agent = HeaderValue::from_static("boomgate-health-check");
    request.headers_mut().insert(USER_AGENT, agent);
    let answered = match Box::pin(connect(upstream, member)).await.ok()? {
        Sender::Http1(mut sender) => {
            request.headers_mut().insert(HOST, authority.clone());
            *request.uri_mut() = rule.path.parse().ok()?;
            sender.send_request(request).await
        }
        Sender::Http2(mut sender, _streams) => {
            *request.version_mut() = Version::HTTP_2;
            let scheme = upstream.scheme();
            let uri = Uri::builder()
                .scheme(scheme)
                .authority(authority.as_bytes());
            *request.uri_mut() = uri.path_and_query(&*rule.path).build().ok()?;
            sender.send_request(request).await
        }
    };
    Some(answered.ok()?.status())
}

/// A tenth more or less, so that gateways that started together do not ask together for ever.
fn with_jitter(interval: Duration) -> Duration {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    let percent = 90_u32.saturating_add(u32::try_from(random % 21).unwrap_or(0));
    interval.saturating_mul(percent) / 100
}
