//! The rows of the table that take a token endpoint or a hook: a request for a token, and what it is refused with.

use boomgate::types::Reason;
use serde_json::json;

use super::calls::{Call, by};
use super::rows::{decided, refused};
use super::{Row, Stage};
use crate::issuance::hooks::{ask_plain, hook_setup};
use crate::issuance::support::{LEDGER, SECRET, form, post, setup};
use crate::support::site::{AGENT, AGENT_USER, HUMAN, OTHER_AGENT, block};

pub(super) fn all() -> Vec<Row> {
    let only_ledger = block(
        "only-ledger",
        json!({"applications": {"includeApplications": [LEDGER]}}),
    );
    let one_human = block(
        "one-human",
        json!({"users": {"includeUsers": [HUMAN]}, "clientApplications": {}}),
    );
    vec![
        refused(
            Reason::TokenRequestContradictory,
            400,
            "",
            ask(&[
                ("grant_type", "user_fic"),
                ("client_id", OTHER_AGENT),
                ("client_secret", SECRET),
                ("user_id", AGENT_USER),
                ("scope", "https://ledger.example/.default"),
            ]),
        )
        .at_the_token_endpoint("invalid_grant"),
        refused(
            Reason::ClientAssertionRefused,
            401,
            "",
            ask(&[
                ("grant_type", "client_credentials"),
                ("client_id", AGENT),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", "no-token"),
            ]),
        )
        .at_the_token_endpoint("invalid_client"),
        decided(
            Reason::SubjectUnknown,
            400,
            "",
            ask(&[
                ("grant_type", "refresh_token"),
                ("client_id", AGENT),
                ("client_secret", SECRET),
                ("refresh_token", SECRET),
                ("scope", "https://ledger.example/.default"),
            ]),
        )
        .on(setup(vec![one_human]))
        .at(Stage::Decided("on_behalf_of", "failure"))
        .at_the_token_endpoint("invalid_grant"),
        refused(
            Reason::HookCallerRefused,
            401,
            "",
            by(|site| Box::pin(ask_plain(site, "another-key"))),
        )
        .on(hook_setup())
        .at_the_hook(),
        refused(
            Reason::TokenRequestMalformed,
            400,
            "",
            ask(&[("grant_type", "client_credentials")]),
        )
        .at_the_token_endpoint("invalid_request"),
        decided(
            Reason::ExemptFromPolicy,
            200,
            "",
            ask_for("api://AzureADTokenExchange/.default"),
        )
        .at_the_token_endpoint(""),
        decided(
            Reason::TargetUnknown,
            400,
            "",
            ask_for("api://nobody-knows/.default"),
        )
        .on(setup(vec![only_ledger]))
        .at(Stage::Decided("agent_identity", "failure"))
        .at_the_token_endpoint("invalid_target"),
    ]
}

impl Row {
    fn at_the_hook(mut self) -> Self {
        self.expected.resource = "plain-hook";
        self.expected.oauth = Some("invalid_request");
        self.expected.challenge = Some(", error=\"invalid_token\"");
        self
    }

    fn at_the_token_endpoint(mut self, error: &'static str) -> Self {
        if self.setup.resources.is_empty() {
            self.setup = setup(Vec::new());
        }
        self.expected.resource = "entra-token";
        self.expected.oauth = Some(error);
        self
    }
}

/// Asks for a token with this form.
fn ask(parameters: &[(&str, &str)]) -> Call {
    let body = form(parameters);
    by(move |site| {
        let body = body.clone();
        Box::pin(async move { post(site, "/entra/token", None, &body).await })
    })
}

/// Asks for a token of the default agent's for this scope.
fn ask_for(scope: &str) -> Call {
    ask(&[
        ("grant_type", "client_credentials"),
        ("client_id", AGENT),
        ("client_secret", SECRET),
        ("scope", scope),
    ])
}
