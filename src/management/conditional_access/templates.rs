//! `…/templates`: policies to begin with (`reference/entra.md` §3.2). Both are for agents, so only beta has them whole.
//!
//! Never here: a policy that is in force.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::versions;
use crate::management::graph::GraphError;
use crate::management::odata::{Asked, Direction, EntitySet, Kind, Property, Version};

/// `conditionalAccessTemplate`
static SET: EntitySet = EntitySet {
    path: "identity/conditionalAccess/templates",
    properties: &[
        Property::new("id", Kind::Id),
        Property::new("name", Kind::Text),
        Property::new("description", Kind::Text),
        Property::new("scenarios", Kind::Text),
        Property::new("details", Kind::Open),
    ],
    only_selected: &[],
    order: Direction::Ascending,
};

struct Template {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    /// Which risk of the agent it asks for, if any.
    risk: Option<&'static str>,
}

static TEMPLATES: [Template; 2] = [
    Template {
        id: "6bdcbbb7-ebd1-4f8f-a02f-652db0e3665d",
        name: "Block agent identities at high risk",
        description: "Blocks every call of an agent identity whose risk is held to be high.",
        risk: Some("high"),
    },
    Template {
        id: "c5bf9137-a43c-48e1-9d13-8258b31b855d",
        name: "Block all agent identities",
        description: "Blocks every call of every agent identity. Exclude those that may call.",
        risk: None,
    },
];

/// `GET …/templates`
pub(super) async fn list(asked: Asked) -> Result<Response, GraphError> {
    asked.list(&SET, TEMPLATES.iter(), id, |template| {
        show(template, asked.version)
    })
}

/// `GET …/templates/{id}`
pub(super) async fn one(Path(id): Path<String>, asked: Asked) -> Result<Response, GraphError> {
    let mut templates = TEMPLATES.iter();
    let found = templates.find(|template| template.id.eq_ignore_ascii_case(&id));
    let template = found.ok_or_else(|| {
        GraphError::new(StatusCode::NOT_FOUND, "there is no template with this id")
    })?;
    asked.entity(&SET, show(template, asked.version))
}

fn id<'t>(template: &'t &Template) -> &'t str {
    template.id
}

fn show(template: &Template, version: Version) -> Value {
    json!({
        "id": template.id,
        "name": template.name,
        "description": template.description,
        // Of Graph's scenarios, agents' has no name that clients know.
        "scenarios": "unknownFutureValue",
        "details": versions::shown(details(template), version),
    })
}

fn details(template: &Template) -> Map<String, Value> {
    let mut conditions = json!({
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"], "excludeApplications": [], "includeUserActions": [],
            "includeAuthenticationContextClassReferences": [], "applicationFilter": null},
        "users": {"includeUsers": ["None"], "excludeUsers": [], "includeGroups": [], "excludeGroups": [],
            "includeRoles": [], "excludeRoles": []},
        "clientApplications": {"includeServicePrincipals": [], "excludeServicePrincipals": [],
            "includeAgentIdServicePrincipals": ["All"], "excludeAgentIdServicePrincipals": []},
    });
    if let (Some(risk), Some(conditions)) = (template.risk, conditions.as_object_mut()) {
        conditions.insert("agentIdRiskLevels".to_owned(), json!(risk));
    }
    Map::from_iter([
        ("conditions".to_owned(), conditions),
        (
            "grantControls".to_owned(),
            json!({"operator": "OR", "builtInControls": ["block"], "customAuthenticationFactors": [], "termsOfUse": []}),
        ),
        ("sessionControls".to_owned(), Value::Null),
    ])
}
