//! One case of a table: what it expects, against what comes out.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use boomgate::policy::{
    AnalysisReason, Controls, Evaluation, Facts, Policy, PolicyOutcome, PolicyResult, PolicySet,
    Verdict,
};
use boomgate::types::Attributes;
use serde::Deserialize;

use super::World;
use super::cast::{Cast, attributes};
use crate::twin;

type PerPolicy<T> = BTreeMap<String, T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    under: Option<Vec<String>>,
    pub(super) who: String,
    pub(super) resource: String,
    #[serde(default)]
    pub(super) contexts: Vec<Arc<str>>,
    pub(super) risk: Option<String>,
    pub(super) agent_risk: Option<String>,
    pub(super) user_risk: Option<String>,
    pub(super) sign_in_risk: Option<String>,
    pub(super) insider_risk: Option<String>,
    pub(super) from: Option<String>,
    pub(super) country: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) client: Option<String>,
    pub(super) flow: Option<String>,
    #[serde(default, deserialize_with = "attributes")]
    pub(super) device: Attributes,
    #[serde(default)]
    pub(super) started_from: Vec<Arc<str>>,
    /// Controls that were shown: a built-in one by its name, others by a name of the cast.
    #[serde(default)]
    pub(super) shown: Vec<String>,
    #[serde(default)]
    pub(super) unknown: Vec<String>,
    #[serde(default)]
    pub(super) required_unknown: Vec<String>,
    #[serde(default)]
    pub(super) entra_parity: bool,
    verdict: String,
    applied: PerPolicy<String>,
    #[serde(default)]
    applies_to: PerPolicy<Vec<String>>,
    #[serde(default)]
    not_satisfied: PerPolicy<Vec<String>>,
    #[serde(default)]
    on_unknown: PerPolicy<Vec<String>>,
    #[serde(default)]
    included_by: PerPolicy<Vec<String>>,
    #[serde(default)]
    excluded_by: PerPolicy<Vec<String>>,
    #[serde(default)]
    controls: PerPolicy<BTreeMap<String, String>>,
    #[serde(default)]
    reason: PerPolicy<String>,
    could_be_met_by: Option<Vec<String>>,
}

impl Case {
    pub(super) fn check(&self, cast: &Cast, world: &World) -> Result<(), String> {
        let all = &world.policies;
        let names: Vec<&String> = match &self.under {
            Some(names) => names.iter().collect(),
            None => all.keys().collect(),
        };
        let policy = |name: &&String| {
            let policy = all.get(*name).ok_or(format!("no policy `{name}`"));
            policy.cloned()
        };
        let policies: Vec<Policy> = names.iter().map(policy).collect::<Result<_, _>>()?;
        let owned = self.owned(cast);
        let facts = self.facts(cast, &owned)?;
        let set = PolicySet::compile(policies.clone(), &world.compiled);
        let evaluation = set.evaluate(&facts);
        let results = set.evaluate_all(&facts);
        let result_of = |name: &String| -> Result<(usize, &PolicyResult), String> {
            let at = names.iter().position(|one| *one == name);
            let at = at.ok_or(format!("`{name}` is not in force here"))?;
            Ok((at, &results[at]))
        };

        same("verdict", &verdict(&self.verdict)?, &evaluation.verdict)?;
        let applied = evaluation.applied.iter().map(|result| {
            let place = usize::try_from(result.policy).unwrap();
            (names[place].clone(), result.outcome.as_str().to_owned())
        });
        same("applied", &self.applied, &applied.collect())?;
        self.check_results(result_of)?;
        for (name, expected) in &self.reason {
            let (at, result) = result_of(name)?;
            let policy = set.policy(u32::try_from(at).unwrap()).unwrap();
            let found = AnalysisReason::of(policy, result).as_str();
            same(&format!("reason of `{name}`"), &expected.as_str(), &found)?;
        }
        self.check_remedy(&evaluation)?;

        let world = twin::World {
            policies: &policies,
            locations: &world.locations,
            own: &world.own,
        };
        agrees(world, &facts, &evaluation, &results)
    }

    fn check_results<'a>(
        &self,
        result_of: impl Fn(&String) -> Result<(usize, &'a PolicyResult), String>,
    ) -> Result<(), String> {
        type Names = fn(&PolicyResult) -> Vec<&'static str>;
        let lists: [(&str, &PerPolicy<Vec<String>>, Names); 5] = [
            ("applies to", &self.applies_to, |result| {
                result.principals.iter().map(|one| one.as_str()).collect()
            }),
            ("not satisfied", &self.not_satisfied, |result| {
                result
                    .not_satisfied
                    .iter()
                    .map(|one| one.as_str())
                    .collect()
            }),
            ("unknown", &self.on_unknown, |result| {
                let conditions = result.unknown.iter().map(|one| one.as_str());
                let controls = result.controls.unknown.iter().map(|one| one.as_str());
                conditions.chain(controls).collect()
            }),
            ("included by", &self.included_by, |result| {
                result.included_by.iter().map(|one| one.as_str()).collect()
            }),
            ("excluded by", &self.excluded_by, |result| {
                result.excluded_by.iter().map(|one| one.as_str()).collect()
            }),
        ];
        for (what, expected, names) in lists {
            for (name, expected) in expected {
                let (_, result) = result_of(name)?;
                same_set(&format!("{what} of `{name}`"), expected, names(result))?;
            }
        }
        for (name, expected) in &self.controls {
            let (_, result) = result_of(name)?;
            let controls = &result.controls;
            let of = |controls: Controls, what: &'static str| {
                controls
                    .iter()
                    .map(move |control| (control.as_str().to_owned(), what.to_owned()))
            };
            let found = of(controls.satisfied, "satisfied")
                .chain(of(controls.unsatisfied, "unsatisfied"))
                .chain(of(controls.not_applicable, "not-applicable"));
            same(&format!("controls of `{name}`"), expected, &found.collect())?;
        }
        Ok(())
    }

    fn check_remedy(&self, evaluation: &Evaluation) -> Result<(), String> {
        let Some(expected) = &self.could_be_met_by else {
            return Ok(());
        };
        let found = evaluation.could_be_met_by();
        let found = found.iter().map(|one| one.as_str()).collect();
        same_set("could be met by", expected, found)
    }
}

/// Whether the slow evaluator says the same.
fn agrees(
    world: twin::World<'_>,
    facts: &Facts<'_>,
    evaluation: &Evaluation,
    results: &[PolicyResult],
) -> Result<(), String> {
    let (verdict, said) = twin::evaluate(world, facts);
    same("the twin's verdict", &evaluation.verdict, &verdict)?;
    let outcomes: Vec<PolicyOutcome> = results.iter().map(|result| result.outcome).collect();
    let of_twin = said.iter().map(|said| said.outcome).collect();
    same("the twin's outcomes", &outcomes, &of_twin)
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

fn same_set(what: &str, expected: &[String], mut found: Vec<&str>) -> Result<(), String> {
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    same(what, &expected, &found)
}
