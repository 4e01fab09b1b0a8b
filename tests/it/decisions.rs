//! Runs the decision tables of `tests/cases` (its README says how they read) and lists every case that comes out
//! otherwise. Each case is put to the slow [`twin`] as well.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boomgate::policy::read::read;
use boomgate::policy::{
    AgentFacts, AgentUserFacts, Facts, HumanFacts, OnUnsupported, Policy, PolicyOutcome,
    PolicyResult, PolicySet, ResourceFacts, SessionFacts, Subject, Verdict,
};
use boomgate::types::attributes::fold;
use boomgate::types::{AttributeValue, Attributes, Fact, RiskLevel, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::twin;

/// Fewer cases than this mean that a table got lost.
const LEAST_CASES: usize = 140;

#[test]
fn every_case_of_the_decision_tables_comes_out_as_written() {
    let cast: Cast = load(&folder().join("cast.yaml"));
    let mut cases = 0;
    let mut deviations = Vec::new();
    for path in tables() {
        let table: Table = load(&path);
        let policies = table.policies(&cast);
        let file = path.file_name().unwrap().to_string_lossy();
        for case in &table.cases {
            cases += 1;
            if let Err(deviation) = case.check(&cast, &policies) {
                deviations.push(format!(
                    "{file} ({}): {}: {deviation}",
                    table.about, case.name
                ));
            }
        }
    }
    println!("{cases} cases");
    assert!(deviations.is_empty(), "\n{}", deviations.join("\n"));
    assert!(cases >= LEAST_CASES, "only {cases} cases");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Every table, in the order of its name.
fn tables() -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut tables: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .filter(|path| !path.ends_with("cast.yaml"))
        .collect();
    tables.sort();
    tables
}

fn load<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Who and what the tables speak of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cast {
    blueprints: BTreeMap<String, CastBlueprint>,
    agents: BTreeMap<String, CastAgent>,
    agent_users: BTreeMap<String, CastAgentUser>,
    humans: BTreeMap<String, String>,
    resources: BTreeMap<String, CastResource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CastBlueprint {
    app_id: String,
    principal_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CastAgent {
    id: String,
    blueprint: Option<String>,
    #[serde(default, deserialize_with = "attributes")]
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CastAgentUser {
    id: String,
    agent: String,
    #[serde(default, deserialize_with = "attributes")]
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CastResource {
    app_id: String,
    #[serde(default)]
    is_agent: bool,
    #[serde(default, deserialize_with = "attributes")]
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

fn attributes<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Attributes, D::Error> {
    let values = BTreeMap::<String, Values>::deserialize(from)?;
    Ok(Attributes::from_pairs(values.into_iter().map(
        |(name, values)| {
            let values = match values {
                Values::One(one) => AttributeValue::One(fold(&one)),
                Values::Many(many) => {
                    AttributeValue::Many(many.iter().map(|one| fold(one)).collect())
                }
            };
            (Arc::from(name), values)
        },
    )))
}

impl Cast {
    /// The id that a `$name` in a policy stands for.
    fn id(&self, name: &str) -> &str {
        if let Some(name) = name.strip_suffix(".principal") {
            return &self.blueprints[name].principal_id;
        }
        let ids = [
            self.blueprints.get(name).map(|one| &one.app_id),
            self.agents.get(name).map(|one| &one.id),
            self.agent_users.get(name).map(|one| &one.id),
            self.humans.get(name),
            self.resources.get(name).map(|one| &one.app_id),
        ];
        let mut ids = ids.into_iter().flatten();
        ids.next().unwrap_or_else(|| panic!("`${name}` is nobody"))
    }

    /// Puts ids in the place of names.
    fn resolve(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(name) = text.strip_prefix('$') {
                    *text = self.id(name).to_owned();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.resolve(item)),
            Value::Object(members) => members.values_mut().for_each(|one| self.resolve(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn agent(&self, name: &str, risk: Fact<RiskLevel>) -> AgentFacts<'_> {
        let agent = self
            .agents
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` is no agent"));
        let blueprint = agent.blueprint.as_ref().map(|name| &self.blueprints[name]);
        AgentFacts {
            id: &agent.id,
            blueprint_app_id: blueprint.map(|one| one.app_id.as_str()),
            blueprint_principal_id: blueprint.map(|one| one.principal_id.as_str()),
            attributes: &agent.attributes,
            risk,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    about: String,
    on_unsupported: Option<String>,
    policies: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

impl Table {
    /// The table's policies, read as a file of Graph's JSON would be.
    fn policies(&self, cast: &Cast) -> BTreeMap<String, Policy> {
        let on_unsupported = match self.on_unsupported.as_deref() {
            None => OnUnsupported::Reject,
            Some("report_only") => OnUnsupported::ReportOnly,
            Some(other) => panic!("{}: on_unsupported: {other}", self.about),
        };
        let read_one = |(name, value): (&String, &Value)| {
            let bytes = match value.get("file").and_then(Value::as_str) {
                Some(file) => std::fs::read(folder().join("../data/entra").join(file)).unwrap(),
                None => {
                    let mut value = value.clone();
                    value["id"] = name.replace(' ', "-").into();
                    value["displayName"] = name.as_str().into();
                    cast.resolve(&mut value);
                    serde_json::to_vec_pretty(&value).unwrap()
                }
            };
            let (policies, faults) = read(name, &bytes, on_unsupported);
            assert!(!faults.has_errors(), "{}: {faults:?}", self.about);
            (name.clone(), policies.into_iter().next().unwrap())
        };
        self.policies.iter().map(read_one).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    under: Option<Vec<String>>,
    who: String,
    resource: String,
    risk: Option<String>,
    agent_risk: Option<String>,
    #[serde(default)]
    entra_parity: bool,
    verdict: String,
    applied: BTreeMap<String, String>,
    #[serde(default)]
    not_satisfied: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    included_by: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    excluded_by: BTreeMap<String, Vec<String>>,
}

impl Case {
    fn check(&self, cast: &Cast, all: &BTreeMap<String, Policy>) -> Result<(), String> {
        let names: Vec<&String> = match &self.under {
            Some(names) => names.iter().collect(),
            None => all.keys().collect(),
        };
        let policy = |name: &&String| all.get(*name).ok_or(format!("no policy `{name}`"));
        let policies: Vec<Policy> = names
            .iter()
            .map(policy)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .cloned()
            .collect();
        let facts = self.facts(cast)?;
        let set = PolicySet::compile(policies.clone());
        let evaluation = set.evaluate(&facts);
        let results = set.evaluate_all(&facts);
        let result_of = |name: &String| -> Result<&PolicyResult, String> {
            let at = names.iter().position(|one| *one == name);
            at.map(|at| &results[at])
                .ok_or(format!("`{name}` is not in force here"))
        };

        same("verdict", &verdict(&self.verdict)?, &evaluation.verdict)?;
        let applied = evaluation.applied.iter().map(|result| {
            let place = usize::try_from(result.policy).unwrap();
            (names[place].clone(), result.outcome.as_str().to_owned())
        });
        same("applied", &self.applied, &applied.collect())?;
        for (name, expected) in &self.not_satisfied {
            let found = result_of(name)?.not_satisfied;
            let found = found.iter().map(|one| one.as_str());
            same_set(&format!("not satisfied of `{name}`"), expected, found)?;
        }
        for (what, expected) in [
            ("included", &self.included_by),
            ("excluded", &self.excluded_by),
        ] {
            for (name, expected) in expected {
                let result = result_of(name)?;
                let found = match what {
                    "included" => result.included_by,
                    _ => result.excluded_by,
                };
                same_set(
                    &format!("{what} of `{name}` by"),
                    expected,
                    found.iter().map(|one| one.as_str()),
                )?;
            }
        }

        let (twin_verdict, twin_outcomes) = twin::evaluate(&policies, &facts);
        same("the twin's verdict", &evaluation.verdict, &twin_verdict)?;
        let outcomes: Vec<PolicyOutcome> = results.iter().map(|result| result.outcome).collect();
        let twin_outcomes = twin_outcomes
            .into_iter()
            .map(|(outcome, _)| outcome)
            .collect();
        same("the twin's outcomes", &outcomes, &twin_outcomes)
    }

    fn facts<'a>(&'a self, cast: &'a Cast) -> Result<Facts<'a>, String> {
        let resource = cast
            .resources
            .get(&self.resource)
            .ok_or("no such resource")?;
        let level = risk(self.risk.as_deref())?;
        let subject = if let Some((human, agent)) = self.who.split_once(" via ") {
            Subject::OnBehalfOf {
                human: HumanFacts::unknown(Fact::Known(&cast.humans[human])),
                agent: cast.agent(agent, level),
            }
        } else if let Some(user) = cast.agent_users.get(&self.who) {
            Subject::AgentUser {
                user: AgentUserFacts {
                    id: &user.id,
                    attributes: &user.attributes,
                    risk: level,
                },
                agent: cast.agent(&user.agent, risk(self.agent_risk.as_deref())?),
            }
        } else if let Some(human) = cast.humans.get(&self.who) {
            Subject::Human(HumanFacts::unknown(Fact::Known(human)))
        } else {
            Subject::AgentIdentity(cast.agent(&self.who, level))
        };
        Ok(Facts {
            subject,
            resource: ResourceFacts {
                app_id: Fact::Known(&resource.app_id),
                attributes: Fact::Known(&resource.attributes),
                is_agent: Fact::Known(resource.is_agent),
                authentication_contexts: &[],
            },
            session: SessionFacts::UNKNOWN,
            now: Timestamp::from_seconds(1_790_000_000),
            entra_parity: self.entra_parity,
        })
    }
}

fn risk(text: Option<&str>) -> Result<Fact<RiskLevel>, String> {
    match text {
        None => Ok(Fact::Known(RiskLevel::None)),
        Some("unknown") => Ok(Fact::Unknown),
        Some("required-unknown") => Ok(Fact::RequiredUnknown),
        Some(level) => RiskLevel::parse(level)
            .map(Fact::Known)
            .ok_or(format!("risk: `{level}`")),
    }
}

fn verdict(text: &str) -> Result<Verdict, String> {
    match text {
        "allow" => Ok(Verdict::Allow),
        "block" => Ok(Verdict::Block),
        "block-on-unknown" => Ok(Verdict::BlockOnUnknown),
        other => Err(format!("verdict: `{other}`")),
    }
}

fn same<T: PartialEq + Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, found {found:?}"))
}

fn same_set<'a>(
    what: &str,
    expected: &[String],
    found: impl Iterator<Item = &'a str>,
) -> Result<(), String> {
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    let mut found: Vec<_> = found.collect();
    expected.sort_unstable();
    found.sort_unstable();
    same(what, &expected, &found)
}
