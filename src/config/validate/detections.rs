//! Detections: what is looked for, how much it takes and how long it counts.

use super::Checker;
use crate::config::member::MemberPath;
use crate::config::raw::detections::{Detection, DetectionLevel, DetectionMode, Detections};
use crate::detection::{DetectionSettings, Kind, Mode, Rule};
use crate::feeds::detections::FeedSettings;
use crate::types::RiskLevel;

/// How the traffic is looked at.
pub(super) fn detections(
    check: &mut Checker<'_>,
    raw: &Detections,
    at: &MemberPath,
) -> FeedSettings {
    let kinds = [
        (
            Kind::UnfamiliarResourceAccess,
            "unfamiliar_resource_access",
            &raw.unfamiliar_resource_access,
        ),
        (Kind::SignInSpike, "sign_in_spike", &raw.sign_in_spike),
        (
            Kind::FailedAccessAttempt,
            "failed_access_attempt",
            &raw.failed_access_attempt,
        ),
        (
            Kind::EarlyLifeMaliciousActivity,
            "early_life_malicious_activity",
            &raw.early_life_malicious_activity,
        ),
        (Kind::TokenReplay, "token_replay", &raw.token_replay),
        (Kind::Reconnaissance, "reconnaissance", &raw.reconnaissance),
        (
            Kind::OffHoursActivity,
            "off_hours_activity",
            &raw.off_hours_activity,
        ),
    ];
    let settings = DetectionSettings {
        learning: check.between(&at.key("learning"), &raw.learning, ("1h", "90d")),
        max_agents: usize::try_from(raw.max_agents).unwrap_or(usize::MAX),
        tls_threshold: raw.token_replay_tls_threshold,
        ..DetectionSettings::default()
    };
    let rules = kinds
        .into_iter()
        .fold(settings, |settings, (kind, key, raw)| {
            settings.with(kind, rule(check, kind, raw, &at.key(key)))
        });
    FeedSettings {
        queue: usize::try_from(raw.queue).unwrap_or(usize::MAX),
        rules: raw.enabled.then_some(rules),
    }
}

fn rule(check: &mut Checker<'_>, kind: Kind, raw: &Detection, at: &MemberPath) -> Rule {
    let usual = Rule::default_of(kind);
    let expiry = raw.expiry.as_ref().map(|expiry| {
        let at = at.key("expiry");
        check.between(&at, expiry, ("1s", "90d"))
    });
    Rule {
        mode: match raw.mode {
            DetectionMode::Enforce => Mode::Enforce,
            DetectionMode::ReportOnly => Mode::ReportOnly,
            DetectionMode::Off => Mode::Off,
        },
        level: raw.level.map_or(usual.level, |level| match level {
            DetectionLevel::Low => RiskLevel::Low,
            DetectionLevel::Medium => RiskLevel::Medium,
            DetectionLevel::High => RiskLevel::High,
        }),
        expiry: expiry.unwrap_or(usual.expiry),
        threshold: raw.threshold.unwrap_or(usual.threshold),
    }
}
