//! What is asked for, as a command line names it. Never here: a reading of paths and hosts.

use crate::decision::supposed::what::What;

/// What for.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// This resource, by its name, appId or display name
    #[arg(long, value_name = "RESOURCE", required_unless_present = "path")]
    pub resource: Option<String>,
    /// The resource that answers to this path; the answer names the operation too
    #[arg(long, value_name = "PATH", conflicts_with = "resource")]
    pub path: Option<String>,
    /// The host beside the path, where resources of several hosts have the path
    #[arg(
        long,
        value_name = "HOST",
        requires = "path",
        conflicts_with = "resource"
    )]
    pub host: Option<String>,
    /// The method beside the path [default: GET]
    #[arg(
        long,
        value_name = "METHOD",
        requires = "path",
        conflicts_with = "resource"
    )]
    pub method: Option<String>,
}

impl Arguments {
    /// What is supposed to be called.
    pub(super) fn what(&self) -> What {
        What {
            resource: self.resource.clone(),
            path: self.path.clone(),
            host: self.host.clone(),
            method: self.method.clone(),
        }
    }
}
