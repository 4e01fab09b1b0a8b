//! From the file's shape to the rooms' settings: what no schema can say, checked in one pass that never stops
//! at the first fault.
//!
//! A part whose shape is at fault is not looked at again, so that one slip is one fault.

mod checker;
mod detections;
mod files;
mod graph;
mod issuers;
mod listeners;
mod process;
mod resources;
mod secrets;
mod signals;
mod spiffe;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::member::MemberPath;
use super::raw::{self, text};
use super::settings::{Settings, Sources};
use crate::call::Resources;
use crate::decision::{DecisionSettings, FactKind, UnknownAgents};
use crate::feeds::detections::FeedSettings;
use crate::identity::KeySet;
use crate::policy::OnUnsupported;
use crate::policy::locations::OwnRanges;
use crate::types::{IpRange, ResourceName};
use crate::upstream::settings::UpstreamSettings;

pub use checker::{Checker, Extent};

/// The settings of `config`; `None` if one of the sections that must be there is not, or is at fault.
pub fn validate(check: &mut Checker<'_>, config: &raw::Config) -> Option<Validated> {
    let root = MemberPath::root();
    let listeners = config
        .listeners
        .as_ref()
        .map(|raw| listeners::listeners(check, raw, &root.key("listeners")));
    let management = config
        .management
        .as_ref()
        .and_then(|raw| listeners::management(check, raw, &root.key("management")));
    let issuers = config
        .issuers
        .as_ref()
        .map(|raw| issuers::issuers(check, raw, &root.key("issuers")));
    let resources = resources(check, config);
    let tokens = issuers::tokens(check, &config.tokens, &root.key("tokens"));
    let records = process::records(check, &config.records, &root.key("records"));
    let store = store::store(check, &config.store, &root.key("store"));
    let signals = signals::signals(check, &config.signals, &root.key("signals"));
    let graph = config
        .graph
        .as_ref()
        .map(|raw| graph::graph(check, raw, config.directory.graph.as_ref(), &root));
    let responses = process::responses(check, &config.responses, &root.key("responses"));
    let assertions = config
        .assertions
        .as_ref()
        .map(|raw| process::assertions(check, raw, &root.key("assertions")));
    let (reload_interval, shutdown) = process::times(check, config);
    let detections = detections::detections(check, &config.detections, &root.key("detections"));
    between_sections(check, config);

    let (resources, upstreams) = resources?;
    let (issuers, keys) = issuers?;
    let settings = Settings {
        listeners: listeners?,
        management: management?,
        spiffe: config.spiffe.as_ref().map(spiffe::workload_api),
        resources,
        upstreams,
        issuers,
        tokens,
        decisions: decisions(config),
        assertions,
        detections,
        responses,
        records,
        store: store?,
        signals: signals?,
        graph: match graph {
            Some(graph) => Some(graph?),
            None => None,
        },
        sources: sources(check, config)?,
        reload_interval,
        shutdown,
        log: config.log.settings(),
        workers: config.workers.map(usize::from),
    };
    Some(Validated { settings, keys })
}

/// What decisions rest on, less the files that it names.
#[derive(Debug)]
pub struct Judging {
    /// The resources; `None` if their section is at fault.
    pub resources: Option<Arc<Resources>>,
    /// How decisions are made.
    pub decisions: DecisionSettings,
    /// How the traffic of agents is looked at.
    pub detections: FeedSettings,
    /// Where the rest is; `None` if the section of policies is at fault.
    pub sources: Option<Sources>,
}

/// The sections of `config` that decisions rest on, without a look at the others.
pub fn judging(check: &mut Checker<'_>, config: &raw::Config) -> Judging {
    let resources = resources(check, config).map(|(resources, _upstreams)| resources);
    between_deciding_sections(check, config);
    let at = MemberPath::root().key("detections");
    Judging {
        resources,
        detections: detections::detections(check, &config.detections, &at),
        decisions: decisions(config),
        sources: sources(check, config),
    }
}

type Upstreams = BTreeMap<ResourceName, UpstreamSettings>;

fn resources(check: &mut Checker<'_>, config: &raw::Config) -> Option<(Arc<Resources>, Upstreams)> {
    let at = MemberPath::root().key("resources");
    let read = resources::resources(check, config.resources.as_ref()?, &at);
    let mut upstreams = BTreeMap::new();
    let resources = read.into_iter().map(|(resource, upstream)| {
        upstreams.extend(upstream.map(|upstream| (resource.name.clone(), upstream)));
        Arc::new(resource)
    });
    let resources = Resources::new(resources.collect());
    Some((Arc::new(resources), upstreams))
}

/// The settings, and the key sets that were read on the way.
#[derive(Debug)]
pub struct Validated {
    /// The settings.
    pub settings: Settings,
    /// The keys of the issuers whose keys are in a file, by the issuer's name.
    pub keys: BTreeMap<Arc<str>, KeySet>,
}

/// Where policies, directory, named locations and risk are; `None` if the section of policies is at fault.
#[must_use]
pub fn sources(check: &Checker<'_>, config: &raw::Config) -> Option<Sources> {
    let locate = |file: &Option<text::File>| file.as_ref().map(|file| check.locate(file));
    let policies = config.policies.as_ref()?;
    Some(Sources {
        policies: check.locate(&policies.dir),
        on_unsupported: match policies.on_unsupported {
            raw::OnUnsupported::Reject => OnUnsupported::Reject,
            raw::OnUnsupported::ReportOnly => OnUnsupported::ReportOnly,
        },
        no_policies: policies.dangerous_allow_none,
        directory: locate(&config.directory.dir),
        graph_directory: config
            .directory
            .graph
            .as_ref()
            .map(|graph| check.locate(&graph.dir)),
        named_locations: locate(&config.named_locations.dir),
        own_ranges: OwnRanges {
            mfa_trusted_ips: ranges(config.named_locations.mfa_trusted_ips.as_deref()),
            compliant_network: ranges(config.named_locations.compliant_networks.as_deref()),
        },
        countries: locate(&config.named_locations.country_database),
        risk: locate(&config.risk.file),
    })
}

fn ranges(raw: Option<&[text::IpRange]>) -> Option<Vec<IpRange>> {
    raw.map(|ranges| ranges.iter().map(|range| range.0).collect())
}

fn decisions(config: &raw::Config) -> DecisionSettings {
    DecisionSettings {
        entra_parity: config.evaluation.entra_parity,
        unknown_agents: match config.directory.unknown_agents {
            raw::UnknownAgents::Evaluate => UnknownAgents::Evaluate,
            raw::UnknownAgents::Block => UnknownAgents::Block,
        },
        risk_required: config.risk.required,
        optional_facts: config
            .evaluation
            .optional_facts
            .iter()
            .map(|k| fact_kind(*k))
            .collect(),
    }
}

const fn fact_kind(raw: raw::FactKind) -> FactKind {
    match raw {
        raw::FactKind::Groups => FactKind::Groups,
        raw::FactKind::DirectoryRoles => FactKind::DirectoryRoles,
        raw::FactKind::UserType => FactKind::UserType,
        raw::FactKind::Country => FactKind::Country,
        raw::FactKind::Platform => FactKind::Platform,
        raw::FactKind::ClientAppType => FactKind::ClientAppType,
        raw::FactKind::TransferMethod => FactKind::TransferMethod,
        raw::FactKind::Device => FactKind::Device,
        raw::FactKind::AgentContext => FactKind::AgentContext,
        raw::FactKind::Controls => FactKind::Controls,
        raw::FactKind::ServicePrincipal => FactKind::ServicePrincipal,
    }
}

/// Tokens with a role are an issuer's, and no tokens of calls.
fn role_tokens(
    check: &mut Checker<'_>,
    config: &raw::Config,
    oidc: &raw::listeners::ManagementOidc,
    at: &MemberPath,
) {
    let mut issuers = config.issuers.iter().flatten().flatten();
    if !issuers.any(|issuer| issuer.name.0 == oidc.issuer.0) {
        let message = "is the name of no issuer, expected one of `issuers`";
        check.refuse(&at.key("issuer"), message);
    }
    let mut resources = config.resources.iter().flatten().flatten();
    if resources.any(|resource| {
        resource
            .audiences
            .iter()
            .any(|one| one.0 == oidc.audience.0)
    }) {
        let message = "is an audience of a resource, expected one of its own";
        check.refuse(&at.key("audience"), message);
    }
}

/// What holds between two sections.
fn between_sections(check: &mut Checker<'_>, config: &raw::Config) {
    let root = MemberPath::root();
    let listeners = config.listeners.iter().flatten().flatten();
    if let Some(management) = &config.management
        // Two sockets that ask for port 0 get two ports.
        && management.address.0.port() != 0
        && listeners
            .clone()
            .any(|listener| listener.address.0 == management.address.0)
    {
        let at = root.key("management").key("address");
        check.refuse(&at, "is the address of a listener, expected one of its own");
    }
    if let Some(oidc) = config.management.as_ref().and_then(|m| m.oidc.as_ref()) {
        role_tokens(check, config, oidc, &root.key("management").key("oidc"));
    }
    let smallest = listeners
        .map(|listener| listener.limits.max_header_size.0)
        .min();
    if smallest.is_some_and(|smallest| config.tokens.max_size.0 >= smallest) {
        let at = root.key("tokens").key("max_size");
        let message = "not less than a listener's `max_header_size`: no such token can arrive";
        check.warn(&at, message);
    }
    for (index, resource) in config.resources.iter().flatten().enumerate() {
        let asserts = resource
            .as_ref()
            .is_some_and(|r| r.assertion_audience.is_some());
        if asserts && config.assertions.is_none() {
            let at = root.key("resources").item(index).key("assertion_audience");
            check.error(&at, "needs the section `assertions`, which says who signs");
        }
    }
    if config.directory.graph.is_some() && config.graph.is_none() {
        let message = "needs the section `graph`, which says as whom Graph is asked";
        check.error(&root.key("directory").key("graph"), message);
    }
    spiffe::uses(check, config);
    issuers_of_requests(check, config);
    between_deciding_sections(check, config);
}

/// The same between those that decisions rest on.
fn between_deciding_sections(check: &mut Checker<'_>, config: &raw::Config) {
    if config.directory.dir.is_none()
        && config.directory.graph.is_none()
        && config.directory.unknown_agents == raw::UnknownAgents::Block
    {
        let at = MemberPath::root().key("directory").key("unknown_agents");
        let message = "blocks every agent, since there is no directory: set `directory.dir`";
        check.warn(&at, message);
    }
}

/// The issuers whose tokens are asked for are among those that there are; what Entra says is read by its profile.
fn issuers_of_requests(check: &mut Checker<'_>, config: &raw::Config) {
    let named = |name: &text::Name| {
        let mut issuers = config.issuers.iter().flatten().flatten();
        issuers.find(|issuer| issuer.name == *name)
    };
    let not_named = "is not the name of one of `issuers`";
    for (index, resource) in config.resources.iter().flatten().enumerate() {
        let Some(resource) = resource else { continue };
        let at = MemberPath::root().key("resources").item(index);
        if let Some(endpoint) = &resource.token_endpoint
            && named(&endpoint.issuer).is_none()
        {
            check.refuse(&at.key("token_endpoint").key("issuer"), not_named);
        }
        let Some(hook) = &resource.token_hook else {
            continue;
        };
        let at = at.key("token_hook");
        match named(&hook.issuer) {
            None => check.refuse(&at.key("issuer"), not_named),
            Some(issuer)
                if hook.form == raw::hooks::HookForm::Entra
                    && issuer.profile != raw::issuers::Profile::Entra =>
            {
                let message = "is of another `profile`, expected `entra` for this `form`";
                check.refuse(&at.key("issuer"), message);
            }
            Some(_) => {}
        }
        let giver = hook.bearer.as_ref().and_then(|token| token.issuer.as_ref());
        if giver.is_some_and(|giver| named(giver).is_none()) {
            check.refuse(&at.key("bearer").key("issuer"), not_named);
        }
    }
}
