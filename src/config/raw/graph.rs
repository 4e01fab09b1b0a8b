//! What Microsoft Graph is asked about agents.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::{DocumentUrl, Duration, Exact, File, SecretSource, Size, Tenant};

/// What Microsoft Graph is asked about agents, and as whom (one of `client_secret`, `federated_token_file`).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// The tenant.
    pub tenant: Tenant,
    /// The application that asks: its client id.
    pub client_id: Exact,
    /// Its secret (`${NAME}` or `file:PATH`).
    #[schemars(extend("writeOnly" = true))]
    pub client_secret: Option<SecretSource>,
    /// A file with a token of an issuer that the application trusts (a federated credential); it is read again for each
    /// token of Graph's.
    pub federated_token_file: Option<File>,
    /// Where Graph is: `https://graph.microsoft.com`, or that of another cloud.
    #[serde(default = "Graph::base_url")]
    pub base_url: DocumentUrl,
    /// Where tokens are given; that of the tenant at `login.microsoftonline.com` without it.
    pub token_url: Option<DocumentUrl>,
    /// What tokens are asked for; `.default` of `base_url` without it.
    pub scope: Option<Exact>,
    /// PEM: the roots that the certificates of both must lead to; those of the operating system without it.
    pub ca_file: Option<File>,
    /// The time for an answer.
    #[serde(default = "Graph::timeout")]
    pub timeout: Duration,
    /// The largest answer.
    #[serde(default = "Graph::max_page_size")]
    pub max_page_size: Size,
    /// The most pages of one list.
    #[serde(default = "Graph::max_pages")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_pages: u32,
    /// The time between two looks at what has changed.
    #[serde(default = "Graph::interval")]
    pub interval: Duration,
    /// The time between two readings of everything.
    #[serde(default = "Graph::full_interval")]
    pub full_interval: Duration,
    /// How far before the last change that was seen a look begins, since changes do not become visible in their order.
    #[serde(default = "Graph::overlap")]
    pub overlap: Duration,
    /// For so long calls are decided although Graph was not read whole …
    #[serde(default = "Graph::max_age")]
    pub max_age: Duration,
    /// … and refused after that, and before it was read for the first time.
    #[serde(default)]
    pub required: bool,
}

/// The agents that Microsoft Graph lists.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphDirectory {
    /// A folder of the gateway's own, where they are kept, so that a restart without Graph knows them.
    pub dir: File,
    /// The time between two readings.
    #[serde(default = "GraphDirectory::interval")]
    pub interval: Duration,
    /// Whether their custom security attributes are read too, which takes a permission and a role of its own.
    #[serde(default)]
    pub custom_security_attributes: bool,
}

impl GraphDirectory {
    const fn interval() -> Duration {
        Duration::seconds(300)
    }
}

impl Graph {
    fn base_url() -> DocumentUrl {
        DocumentUrl("https://graph.microsoft.com".into())
    }

    const fn timeout() -> Duration {
        Duration::seconds(30)
    }

    const fn max_page_size() -> Size {
        Size::kib(8 * 1024)
    }

    const fn max_pages() -> u32 {
        1_000
    }

    const fn interval() -> Duration {
        Duration::seconds(30)
    }

    const fn full_interval() -> Duration {
        Duration::seconds(3_600)
    }

    const fn overlap() -> Duration {
        Duration::seconds(300)
    }

    const fn max_age() -> Duration {
        Duration::seconds(900)
    }
}
