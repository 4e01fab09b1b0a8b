//! Reads named locations as Microsoft Graph exports them: one object, a Graph list or an array, in any encoding that
//! exports come in. Never here: a file, and a location of which a part was left out in silence.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{NamedLocation, Place};
use crate::policy::model::Origin;
use crate::policy::read::{
    Kind, Reading, entries, enumeration, is_annotation, item, member, parse, steps, text, texts,
    without_annotations,
};
use crate::types::json::Step;
use crate::types::{Country, Fault, Faults, IpRange, ObjectId, Severity};

/// The members of every kind of named location, and of one kind each.
const COMMON: &[&str] = &[
    "id",
    "displayName",
    "createdDateTime",
    "modifiedDateTime",
    "deletedDateTime",
];
const OF_IP: &[&str] = &["ipRanges", "isTrusted"];
const OF_COUNTRY: &[&str] = &[
    "countriesAndRegions",
    "countryLookupMethod",
    "includeUnknownCountriesAndRegions",
];
const OF_COMPLIANT_NETWORK: &[&str] = &["compliantNetworkType", "isTrusted"];

/// Reads the named locations of one file, whose name is for messages only.
///
/// Where the faults hold an error, the locations must not be used for anything but further checks.
#[must_use]
pub fn read(file: &str, bytes: &[u8]) -> (Vec<NamedLocation>, Faults) {
    let file: Arc<str> = file.into();
    let mut faults = Faults::new();
    let mut locations = Vec::new();
    match parse(bytes) {
        Ok((text, value)) => {
            for entry in entries(&text, &value) {
                let mut reading = Reading::strict(&file, &entry);
                match entry.kind {
                    Kind::Object => locations.extend(location(&mut reading, entry.value)),
                    Kind::NextPage => reading.malformed(
                        &[],
                        "the list goes on at another page; once every page is here, remove this member",
                    ),
                    Kind::UnknownOfList => {
                        reading.malformed(&[], "is not a member of a Graph list that is known");
                    }
                }
                faults.extend(reading.into_faults());
            }
        }
        Err((message, line, column)) => faults.push(Fault {
            file,
            line,
            column,
            member: String::new(),
            message,
            severity: Severity::Error,
        }),
    }
    (locations, faults)
}

fn location(reading: &mut Reading<'_>, value: &Value) -> Option<NamedLocation> {
    let Value::Object(object) = value else {
        let expected = "expected a named location: an object, a list of them, or a Graph list";
        reading.malformed(&[], expected);
        return None;
    };
    let id = id(reading, value);
    let display_name = text(reading, value, "displayName");
    let place = place(reading, value);
    let is_trusted = flag(reading, value, "isTrusted");
    let id = id?;
    let (line, column) = reading.start();
    Some(NamedLocation {
        display_name: display_name.map_or_else(|| id.to_shared(), Arc::from),
        id,
        place,
        is_trusted,
        origin: Origin {
            file: Arc::clone(reading.file()),
            line,
            column,
        },
        source: without_annotations(object),
    })
}

fn id(reading: &mut Reading<'_>, value: &Value) -> Option<ObjectId> {
    let Some(Value::String(text)) = member(value, "id") else {
        reading.malformed(&steps("id"), "expected the named location's id");
        return None;
    };
    match ObjectId::parse(text) {
        Ok(id) => Some(id),
        Err(fault) => {
            reading.malformed(&steps("id"), fault.to_string());
            None
        }
    }
}

/// What kind of place it is, by its type, and without one by its members.
fn place(reading: &mut Reading<'_>, value: &Value) -> Place {
    let has = |name: &str| member(value, name).is_some();
    let declared = value.get("@odata.type").and_then(Value::as_str);
    let kind = declared.map(|name| name.trim_start_matches("#microsoft.graph."));
    let (place, own) = match kind {
        Some("ipNamedLocation") => (ip_ranges(reading, value), OF_IP),
        Some("countryNamedLocation") => (countries(reading, value), OF_COUNTRY),
        Some("compliantNetworkNamedLocation") => (Place::CompliantNetwork, OF_COMPLIANT_NETWORK),
        None if has("ipRanges") => (ip_ranges(reading, value), OF_IP),
        None if has("countriesAndRegions") => (countries(reading, value), OF_COUNTRY),
        None if has("compliantNetworkType") => (Place::CompliantNetwork, OF_COMPLIANT_NETWORK),
        Some(other) => {
            let message =
                format!("`{other}` is not a kind of named location that is honoured here");
            return not_honoured(reading, &[Step::Member("@odata.type")], &message);
        }
        None => {
            let expected = "expected `ipRanges`, `countriesAndRegions` or an `@odata.type`";
            reading.malformed(&[], expected);
            return Place::NotHonoured;
        }
    };
    let known = |name: &str| COMMON.contains(&name) || own.contains(&name);
    let unknown = value.as_object().and_then(|members| {
        let mut given = members.iter().filter(|(_, value)| !value.is_null());
        given.find(|(name, _)| !is_annotation(name) && !known(name))
    });
    match unknown {
        Some((name, _)) => {
            let message = "not a member that is known here";
            not_honoured(reading, &[Step::Member(name)], message)
        }
        None => place,
    }
}

/// It may well be that no policy names it, so this alone stops nothing.
fn not_honoured(reading: &mut Reading<'_>, at: &[Step<'_>], message: &str) -> Place {
    let consequence = "a policy on this location counts it as unknown, and blocks where it blocks";
    reading.warn(at, format!("{message}; {consequence}"));
    Place::NotHonoured
}

fn ip_ranges(reading: &mut Reading<'_>, value: &Value) -> Place {
    let path = "ipRanges";
    let Some(Value::Array(items)) = member(value, path) else {
        reading.malformed(&steps(path), "expected a list of ranges");
        return Place::NotHonoured;
    };
    let mut ranges = Vec::new();
    for (at, range) in items.iter().enumerate() {
        let mut place = item(path, at);
        let text = range.get("cidrAddress").and_then(Value::as_str);
        match text.and_then(IpRange::parse) {
            Some(range) => ranges.push(range),
            None => {
                if range.get("cidrAddress").is_some() {
                    place.push(Step::Member("cidrAddress"));
                }
                let expected = "expected a range in CIDR notation, like `198.51.100.0/24`";
                reading.malformed(&place, expected);
            }
        }
    }
    Place::Ip(ranges)
}

fn countries(reading: &mut Reading<'_>, value: &Value) -> Place {
    let path = "countriesAndRegions";
    let mut countries = BTreeSet::new();
    for (at, text) in texts(reading, value, path) {
        match Country::parse(text) {
            Some(country) => {
                countries.insert(country);
            }
            None => {
                let expected =
                    format!("expected two letters of ISO 3166-1, like `NO`, found `{text}`");
                reading.malformed(&item(path, at), expected);
            }
        }
    }
    let includes_unknown = flag(reading, value, "includeUnknownCountriesAndRegions");
    let methods = enumeration(
        reading,
        value,
        "countryLookupMethod",
        "`clientIpAddress` or `authenticatorAppGps`",
        |name| {
            let mut known = ["clientIpAddress", "authenticatorAppGps"].into_iter();
            known.find(|known| known.eq_ignore_ascii_case(name))
        },
    );
    if methods.is_some_and(|methods| methods.contains("authenticatorAppGps")) {
        let message = "no position of an app is known here";
        return not_honoured(reading, &steps("countryLookupMethod"), message);
    }
    Place::Country {
        countries,
        includes_unknown,
    }
}

/// An optional Boolean.
fn flag(reading: &mut Reading<'_>, value: &Value, path: &str) -> bool {
    match member(value, path) {
        None => false,
        Some(Value::Bool(on)) => *on,
        Some(_) => {
            reading.malformed(&steps(path), "expected `true` or `false`");
            false
        }
    }
}
