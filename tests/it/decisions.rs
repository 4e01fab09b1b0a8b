//! Runs the decision tables of `tests/cases` (its README says how they read) and lists every case that comes out
//! otherwise. Each case is put to the slow [`twin`] as well.

mod case;
mod cast;
mod facts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use boomgate::policy::locations::{self, NamedLocation, OwnRanges};
use boomgate::policy::read::read;
use boomgate::policy::{NamedLocations, OnUnsupported, Policy};
use boomgate::types::IpRange;
use serde::Deserialize;
use serde_json::Value;

use case::Case;
use cast::Cast;

/// Fewer cases than this mean that a table got lost.
const LEAST_CASES: usize = 320;

#[test]
fn every_case_of_the_decision_tables_comes_out_as_written() {
    let cast: Cast = load(&folder().join("cast.yaml"));
    let mut cases = 0;
    let mut deviations = Vec::new();
    for path in tables() {
        let table: Table = load(&path);
        let world = table.world(&cast);
        let file = path.file_name().unwrap().to_string_lossy();
        for case in &table.cases {
            cases += 1;
            if let Err(deviation) = case.check(&cast, &world) {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    about: String,
    on_unsupported: Option<String>,
    /// Whether the operator tells the MFA trusted IPs and the compliant network, as the cast has them.
    #[serde(default = "yes")]
    own_ranges: bool,
    policies: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

const fn yes() -> bool {
    true
}

/// What the cases of one table are decided under.
struct World {
    policies: BTreeMap<String, Policy>,
    locations: Vec<NamedLocation>,
    own: OwnRanges,
    compiled: NamedLocations,
}

impl Table {
    fn world(&self, cast: &Cast) -> World {
        let mut listed = Value::Array(cast.locations.values().cloned().collect());
        cast.resolve(&mut listed);
        let bytes = serde_json::to_vec(&listed).unwrap();
        let (locations, faults) = locations::read("cast.yaml", &bytes);
        assert!(!faults.has_errors(), "{faults:?}");
        let ranges = |texts: &[String]| {
            let ranges = texts.iter().map(|text| IpRange::parse(text).unwrap());
            self.own_ranges.then(|| ranges.collect())
        };
        let own = OwnRanges {
            mfa_trusted_ips: ranges(&cast.mfa_trusted_ips),
            compliant_network: ranges(&cast.compliant_network),
        };
        let (compiled, faults) = NamedLocations::compile(locations.clone(), &own);
        assert!(faults.is_empty(), "{faults:?}");
        World {
            policies: self.policies(cast),
            locations,
            own,
            compiled,
        }
    }

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
