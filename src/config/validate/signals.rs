//! Sources of signals: streams of security events, and webhooks.

mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Checker;
use super::issuers::algorithm;
use super::secrets::secret;
use crate::config::member::MemberPath;
use crate::config::raw::issuers::Algorithm;
use crate::config::raw::signals::{
    AccountEffect, Effect as RawEffect, Level, Manage, Signals, Stream,
};
use crate::config::raw::text::{Name, SecretSource};
use crate::feeds::signals::settings::{
    Access, Delivery, SourceSettings, StreamManagement, StreamSettings,
};
use crate::identity::security_event::EventIssuer;
use crate::risk::signal::{Effect, Effects, SignalEvent};
use crate::store::settings::Freshness;
use crate::telemetry::SignalSource;
use crate::types::{RiskLevel, Secret};

/// The largest file of CA certificates.
const MAX_ROOTS_BYTES: u64 = 1024 * 1024;

/// The most that a transmitter's clock may be ahead.
const MAX_LEEWAY: &str = "300s";

/// Every source; names are their own.
pub(super) fn signals(
    check: &mut Checker<'_>,
    raw: &Signals,
    at: &MemberPath,
) -> Option<Vec<SourceSettings>> {
    let mut names = BTreeSet::new();
    let mut done = Vec::new();
    for (index, stream) in raw.shared_signals.iter().enumerate() {
        let at = at.key("shared_signals").item(index);
        own_name(check, &mut names, &stream.name, &at);
        done.push(one(check, stream, &at).map(SourceSettings::Stream));
    }
    for (index, webhook) in raw.webhooks.iter().enumerate() {
        let at = at.key("webhooks").item(index);
        own_name(check, &mut names, &webhook.name, &at);
        done.push(webhooks::webhook(check, webhook, &at).map(SourceSettings::Webhook));
    }
    done.into_iter().collect()
}

fn own_name(check: &mut Checker<'_>, names: &mut BTreeSet<Arc<str>>, name: &Name, at: &MemberPath) {
    let mut taken = SignalSource::ALL.iter().map(|source| source.as_str());
    if taken.any(|source| *source == *name.0) {
        check.refuse(
            &at.key("name"),
            "is the name of another source, expected one of its own",
        );
    }
    if !names.insert(Arc::clone(&name.0)) {
        check.refuse(&at.key("name"), "is the name of another source of signals");
    }
}

fn one(check: &mut Checker<'_>, raw: &Stream, at: &MemberPath) -> Option<StreamSettings> {
    let delivery = delivery(check, raw, at);
    let management = raw
        .manage
        .as_ref()
        .map(|manage| access(check, manage, &at.key("manage")));
    for (index, one) in raw.algorithms.iter().enumerate() {
        let allowed = [
            Algorithm::Rs256,
            Algorithm::Ps256,
            Algorithm::Es256,
            Algorithm::EdDsa,
        ];
        if !allowed.contains(one) {
            let at = at.key("algorithms").item(index);
            check.refuse(
                &at,
                "is not for events, expected `RS256`, `PS256`, `ES256` or `EdDSA`",
            );
        }
    }
    let ca_file = raw.ca_file.as_ref().map(|file| {
        let path = check.locate(file);
        // Read again when it is needed; that it can be read is told now.
        let _bytes = check.read(&at.key("ca_file"), &path, MAX_ROOTS_BYTES);
        path
    });
    let effects = effects(check, raw, &at.key("effects"));
    let leeway = check.between(&at.key("leeway"), &raw.leeway, ("0s", MAX_LEEWAY));
    let timeout = check.between(&at.key("timeout"), &raw.timeout, ("100ms", "1m"));
    let interval = check.between(&at.key("interval"), &raw.interval, ("1s", "1d"));
    let freshness = Freshness {
        max_age: check.between(&at.key("max_age"), &raw.max_age, ("5s", "7d")),
        required: raw.required,
    };
    if freshness.required && freshness.max_age < interval && raw.push.is_some() {
        let message = "shorter than `interval`: the stream is not heard of often enough";
        check.error(&at.key("max_age"), message);
    }
    Some(StreamSettings {
        name: Arc::clone(&raw.name.0),
        events: EventIssuer {
            issuer: Arc::clone(&raw.issuer.0),
            audiences: raw.audiences.iter().map(|one| Arc::clone(&one.0)).collect(),
            algorithms: raw.algorithms.iter().copied().map(algorithm).collect(),
            leeway,
        },
        jwks_uri: raw.jwks_uri.as_ref().map(|uri| Arc::clone(&uri.0)),
        ca_file,
        delivery: delivery?,
        management: match management {
            Some(access) => Some(StreamManagement { access: access? }),
            None => None,
        },
        effects: Arc::new(effects),
        freshness,
        timeout,
        interval,
    })
}

fn delivery(check: &mut Checker<'_>, raw: &Stream, at: &MemberPath) -> Option<Delivery> {
    match (&raw.push, &raw.poll) {
        (Some(push), None) => {
            let at = at.key("push");
            if push.authorization.is_none() {
                let message = "anybody may send events, of which only the signature is checked";
                check.warn(&at, message);
            }
            if raw.manage.is_some() && push.endpoint_url.is_none() {
                let message = "is missing: the transmitter is told it, with `manage`";
                check.error(&at.key("endpoint_url"), message);
            }
            Some(Delivery::Push {
                authorization: kept(check, push.authorization.as_ref(), &at.key("authorization"))?,
                endpoint: push.endpoint_url.as_ref().map(|url| Arc::clone(&url.0)),
            })
        }
        (None, Some(poll)) => {
            if raw.manage.is_none() && poll.endpoint_url.is_none() {
                let message = "is missing: without `manage` nobody else says it";
                check.error(&at.key("poll").key("endpoint_url"), message);
            }
            Some(Delivery::Poll {
                endpoint: poll.endpoint_url.as_ref().map(|url| Arc::clone(&url.0)),
            })
        }
        _ => {
            check.error(at, "expected one of `push`, `poll`");
            None
        }
    }
}

fn access(check: &mut Checker<'_>, raw: &Manage, at: &MemberPath) -> Option<Access> {
    match (&raw.token, &raw.client) {
        (Some(_), None) => {
            secret(check, &at.key("token")).map(|token| Access::Token(Secret::new(token)))
        }
        (None, Some(client)) => {
            let secret = secret(check, &at.key("client").key("secret"))?;
            Some(Access::Client {
                token_endpoint: Arc::clone(&client.token_endpoint.0),
                id: Arc::clone(&client.id.0),
                secret: Secret::new(secret),
                scope: Arc::clone(&client.scope.0),
            })
        }
        _ => {
            check.error(at, "expected one of `token`, `client`");
            None
        }
    }
}

/// A secret that may be left out; `None` if it is there and at fault.
#[expect(clippy::option_option, reason = "left out is not at fault")]
fn kept(
    check: &mut Checker<'_>,
    raw: Option<&SecretSource>,
    at: &MemberPath,
) -> Option<Option<Secret>> {
    match raw {
        Some(_) => secret(check, at).map(|text| Some(Secret::new(text))),
        None => Some(None),
    }
}

fn effects(check: &mut Checker<'_>, raw: &Stream, at: &MemberPath) -> Effects {
    let mut own = BTreeMap::new();
    for (name, raw) in &raw.effects {
        match SignalEvent::parse(name) {
            Some(event) => drop(own.insert(event, effect(*raw))),
            None => {
                let names: Vec<_> = SignalEvent::ALL.iter().map(|one| one.as_str()).collect();
                let message = format!("is no event, expected one of `{}`", names.join("`, `"));
                check.error(&at.key(name), message);
            }
        }
    }
    Effects::new(own)
}

fn effect(raw: RawEffect) -> Effect {
    Effect {
        risk: raw.risk.map(|level| match level {
            Level::None => RiskLevel::None,
            Level::Low => RiskLevel::Low,
            Level::Medium => RiskLevel::Medium,
            Level::High => RiskLevel::High,
        }),
        revoke_tokens: raw.revoke_tokens,
        enabled: raw.account.map(|account| match account {
            AccountEffect::Disable => false,
            AccountEffect::Enable => true,
        }),
    }
}
