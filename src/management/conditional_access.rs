//! Graph's `identity/conditionalAccess` (`reference/entra.md` §3, §6): policies, named locations, templates, What-If.
//!
//! The same under `/v1.0` and `/beta`: v1.0 shows and takes less. What is shown is what is in force. Never here: a rule.

mod entities;
mod evaluate;
mod locations;
mod policies;
mod templates;
mod versions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::Control;
use entities::{of_all, of_one};

/// The addresses, relative to a version of the schema.
pub(super) fn routes() -> Router<Arc<Control>> {
    const POLICIES: &str = "/identity/conditionalAccess/policies";
    const LOCATIONS: &str = "/identity/conditionalAccess/namedLocations";
    const TEMPLATES: &str = "/identity/conditionalAccess/templates";
    Router::new()
        .route(POLICIES, of_all(&policies::ENTITIES, get(policies::list)))
        .route(&format!("{POLICIES}/$count"), get(policies::count))
        .route(
            &format!("{POLICIES}/{{id}}"),
            of_one(&policies::ENTITIES, get(policies::one)),
        )
        .route(
            LOCATIONS,
            of_all(&locations::ENTITIES, get(locations::list)),
        )
        .route(&format!("{LOCATIONS}/$count"), get(locations::count))
        .route(
            &format!("{LOCATIONS}/{{id}}"),
            of_one(&locations::ENTITIES, get(locations::one)),
        )
        .route(TEMPLATES, get(templates::list))
        .route(&format!("{TEMPLATES}/{{id}}"), get(templates::one))
        .route(
            "/identity/conditionalAccess/evaluate",
            post(evaluate::evaluate),
        )
}
