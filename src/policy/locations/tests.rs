use super::*;
use crate::types::DevicePlatform;

const FILE: &str = r##"{
  "@odata.context": "x",
  "value": [
    {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "77777777-0000-4000-8000-000000000007", "displayName": "Head office",
     "isTrusted": true, "createdDateTime": "2026-01-01T00:00:00Z", "modifiedDateTime": null,
     "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"},
                  {"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:db8::/48"}]},
    {"id": "77777777-0000-4000-8000-000000000017", "displayName": "One desk", "ipRanges": [{"cidrAddress": "198.51.100.7/32"}, {"cidrAddress": "198.51.100.7"}]},
    {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "88888888-0000-4000-8000-000000000008", "displayName": "Home",
     "countriesAndRegions": ["NO", "se"], "countryLookupMethod": "clientIpAddress", "includeUnknownCountriesAndRegions": true},
    {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": "3d46dbda-8382-466a-856d-eb00cbc6b910",
     "compliantNetworkType": "allTenantCompliantNetworks", "isTrusted": true}
  ]
}"##;

fn messages(text: &str) -> Vec<String> {
    let (_, faults) = read("l.json", text.as_bytes());
    let faults = faults.sorted();
    faults.iter().map(ToString::to_string).collect()
}

fn compiled(own: &OwnRanges) -> NamedLocations {
    let (locations, faults) = read("l.json", FILE.as_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    let (compiled, faults) = NamedLocations::compile(locations, own);
    assert!(faults.is_empty(), "{faults:?}");
    compiled
}

fn session(address: &str, country: Fact<Option<Country>>) -> SessionFacts<'static> {
    SessionFacts {
        address: Fact::Known(address.parse().unwrap()),
        country,
        platform: Fact::Known(DevicePlatform::Linux),
        ..SessionFacts::UNKNOWN
    }
}

fn names(compiled: &NamedLocations, session: &SessionFacts<'_>) -> Vec<String> {
    let all = compiled.of_session(session);
    all.map(|one| one.display_name.to_string()).collect()
}

#[test]
fn an_address_and_a_country_say_which_locations_they_lie_in() {
    let compiled = compiled(&OwnRanges::default());
    let norway = Fact::Known(Country::parse("NO"));
    for (address, country, expected) in [
        (
            "198.51.100.7",
            norway,
            vec!["Head office", "One desk", "Home"],
        ),
        (
            "198.51.100.8",
            Fact::Known(Country::parse("SE")),
            vec!["Head office", "Home"],
        ),
        ("198.51.101.0", Fact::Known(Country::parse("DE")), vec![]),
        ("198.51.99.255", Fact::Known(None), vec!["Home"]),
        ("2001:db8:0:ffff::1", Fact::Unknown, vec!["Head office"]),
        ("2001:db8:1::", Fact::RequiredUnknown, vec![]),
        ("::", Fact::Unknown, vec![]),
        ("255.255.255.255", Fact::Unknown, vec![]),
    ] {
        assert_eq!(
            names(&compiled, &session(address, country)),
            expected,
            "{address}"
        );
    }
}

#[test]
fn the_operator_tells_the_ranges_that_graph_does_not() {
    let told = |own: &OwnRanges, id: &str| compiled(own).find(id).map(|(_, told)| told);
    for id in [MFA_TRUSTED_IPS, COMPLIANT_NETWORK] {
        assert_eq!(told(&OwnRanges::default(), id), Some(ToldBy::Nobody));
    }
    let own = OwnRanges {
        mfa_trusted_ips: Some(vec![IpRange::parse("203.0.113.0/24").unwrap()]),
        compliant_network: Some(vec![IpRange::parse("192.0.2.1").unwrap()]),
    };
    for id in [MFA_TRUSTED_IPS, COMPLIANT_NETWORK] {
        assert_eq!(told(&own, id), Some(ToldBy::Address));
    }
    assert_eq!(told(&own, "77777777-0000-4000-8000-000000000099"), None);
    let compiled = compiled(&own);
    let places = |address| {
        let places = compiled.places(&session(address, Fact::Unknown));
        places.of_address.known().unwrap().to_vec()
    };
    assert_eq!(places("203.0.113.9"), [ALL_TRUSTED, MFA_TRUSTED]);
    assert_eq!(places("192.0.2.1"), [ALL_TRUSTED, COMPLIANT]);
    assert_eq!(places("198.51.100.1"), [ALL_TRUSTED, FIRST_NAMED]);
    assert_eq!(places("192.0.2.2"), [0_u32; 0]);
}

#[test]
fn ranges_that_overlap_and_touch_are_told_apart() {
    let range = |text: &str| IpRange::parse(text).unwrap();
    let location = |id: &str, ranges: &[&str]| NamedLocation {
        id: ObjectId::parse(id).unwrap(),
        display_name: id.into(),
        place: Place::Ip(ranges.iter().map(|text| range(text)).collect()),
        is_trusted: false,
        origin: Origin {
            file: "l.json".into(),
            line: 1,
            column: 1,
        },
        source: Map::new(),
    };
    let locations = vec![
        location("everything", &["0.0.0.0/0", "::/0"]),
        location("ten", &["10.0.0.0/8", "10.1.0.0/16"]),
        location(
            "neighbours",
            &["10.1.0.0/17", "10.1.128.0/17", "11.0.0.0/8"],
        ),
        location("top", &["255.255.255.255", "ffff::/16"]),
    ];
    let (compiled, _) = NamedLocations::compile(locations.clone(), &OwnRanges::default());
    for address in [
        "0.0.0.0",
        "9.255.255.255",
        "10.0.0.0",
        "10.0.255.255",
        "10.1.0.0",
        "10.1.127.255",
        "10.1.128.0",
        "10.1.255.255",
        "10.2.0.0",
        "10.255.255.255",
        "11.0.0.0",
        "12.0.0.0",
        "255.255.255.255",
        "::",
        "ffff::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        let of_session = names(&compiled, &session(address, Fact::Unknown));
        let address: IpAddr = address.parse().unwrap();
        let one_by_one = locations.iter().filter(|location| match &location.place {
            Place::Ip(ranges) => ranges.iter().any(|range| range.contains(address)),
            _ => false,
        });
        let one_by_one: Vec<_> = one_by_one.map(|one| one.display_name.to_string()).collect();
        assert_eq!(of_session, one_by_one, "{address}");
    }
}

#[test]
fn what_is_wrong_with_a_location_is_said_with_its_place() {
    for (text, expected) in [
        ("{", "l.json:1:1: error: the text ends too early"),
        ("[4]", "l.json:1:2: error: [0]: expected a named location"),
        (
            r#"{"ipRanges": []}"#,
            "l.json:1:1: error: id: expected the named location's id",
        ),
        (
            r#"{"id": "a", "ipRanges": [{"cidrAddress": "198.51.100.0/33"}]}"#,
            "l.json:1:27: error: ipRanges[0].cidrAddress: expected a range in CIDR notation",
        ),
        (
            r#"{"id": "a", "ipRanges": ["198.51.100.0/24"]}"#,
            "l.json:1:26: error: ipRanges[0]: expected a range",
        ),
        (
            r#"{"id": "a", "countriesAndRegions": ["NO", "Norway"]}"#,
            "l.json:1:43: error: countriesAndRegions[1]: expected two letters of ISO 3166-1, like `NO`, found `Norway`",
        ),
        (
            r#"{"id": "a", "countriesAndRegions": [], "countryLookupMethod": "stars"}"#,
            "error: countryLookupMethod: expected `clientIpAddress` or `authenticatorAppGps`, found `stars`",
        ),
        (
            r#"{"id": "a", "countriesAndRegions": ["NO"], "countryLookupMethod": "authenticatorAppGps"}"#,
            "warning: countryLookupMethod: no position of an app is known here",
        ),
        (
            r##"{"id": "a", "@odata.type": "#microsoft.graph.moonNamedLocation"}"##,
            "warning: @odata.type: `moonNamedLocation` is not a kind of named location",
        ),
        (
            r#"{"id": "a", "ipRanges": [], "exceptMondays": true}"#,
            "l.json:1:29: warning: exceptMondays: not a member that is known here",
        ),
        (
            r#"{"id": "a", "ipRanges": [], "isTrusted": "yes"}"#,
            "error: isTrusted: expected `true` or `false`",
        ),
        (
            r#"{"id": "a"}"#,
            "expected `ipRanges`, `countriesAndRegions`",
        ),
        (
            r#"{"value": [], "@odata.nextLink": "x"}"#,
            "error: @odata.nextLink: the list goes on",
        ),
    ] {
        let messages = messages(text);
        assert!(
            messages.iter().any(|message| message.contains(expected)),
            "{text}: {messages:?}"
        );
    }
}

#[test]
fn two_locations_with_one_id_are_an_error() {
    let text = r#"[{"id": "A", "ipRanges": []},
 {"id": "A", "ipRanges": []}]"#;
    let (locations, _) = read("l.json", text.as_bytes());
    let (_, faults) = NamedLocations::compile(locations, &OwnRanges::default());
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "l.json:2:2: error: id: `A` is also the id of the named location at l.json:1:2; expected each id once"
        ]
    );
}
