//! Named locations over the API: their three types, and what policies on them do once they change.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::evaluate::{ask, question};
use super::{POLICIES, block, changes, error, send};
use crate::support::site::{AGENT, Setup, Site};

const LOCATIONS: &str = "/beta/identity/conditionalAccess/namedLocations";

/// A gateway with a folder for named locations, and nothing in it.
async fn site() -> Site {
    let setup = Setup {
        policies: vec![block("on-risk", json!({"agentIdRiskLevels": "high"}))],
        sections: "named_locations: {dir: locations}".to_owned(),
        ..Setup::default()
    };
    let ground = crate::support::site::Ground::lay(&setup).await;
    std::fs::create_dir(ground.path("locations")).unwrap();
    Site::on(ground)
}

fn office(range: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "Office", "isTrusted": true,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": range}]})
}

async fn made(site: &Site, path: &str, body: &Value) -> Value {
    let answer = send(site, Method::POST, path, &[], &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
    answer.json()
}

#[tokio::test]
async fn a_policy_follows_the_location_that_it_names() {
    let site = site().await;
    let location = made(&site, LOCATIONS, &office("192.0.2.0/24")).await;
    let id = location["id"].as_str().unwrap();
    let (_, mut policy) = block("unused", json!({"locations": {"includeLocations": [id]}}));
    policy.as_object_mut().unwrap().remove("id");
    made(&site, POLICIES, &policy).await;
    // From here, as What-If says it of the snapshot that calls are judged by.
    let applies = async || {
        let from_here = question(AGENT, &json!({"ipAddress": "127.0.0.1"}));
        let results = ask(&site, &from_here).await;
        let on_location = results
            .iter()
            .find(|result| result["id"] != "on-risk")
            .unwrap();
        (
            on_location["policyApplies"] == true,
            on_location["analysisReasons"].clone(),
        )
    };
    assert_eq!(applies().await, (false, json!("location")));

    let address = format!("{LOCATIONS}/{id}");
    let mut patch = office("127.0.0.0/8");
    patch.as_object_mut().unwrap().remove("displayName");
    let answer = send(&site, Method::PATCH, &address, &[], &patch.to_string()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.json());
    assert_eq!(applies().await, (true, json!("notSet")));
    let got = send(&site, Method::GET, &address, &[], "").await.json();
    assert_eq!(got["displayName"], "Office");
    assert_eq!(got["@odata.type"], "#microsoft.graph.ipNamedLocation");

    // The policy would be left with a place that is not there.
    let refused = send(&site, Method::DELETE, &address, &[], "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        error(&refused)
            .1
            .contains(&format!("there is no named location `{id}`"))
    );
    assert_eq!(applies().await, (true, json!("notSet")));
    let records = changes(&site, 8).await;
    assert_eq!(records[7]["activityDisplayName"], "Delete named location");
    assert_eq!(records[7]["result"], "failure");
    let property = &records[5]["targetResources"][0]["modifiedProperties"][0];
    assert_eq!(property["displayName"], "NamedLocation");
    assert!(
        property["oldValue"]
            .as_str()
            .unwrap()
            .contains("192.0.2.0/24")
    );
}

#[tokio::test]
async fn each_type_is_kept_and_v1_knows_two_of_them() {
    let site = site().await;
    let country = json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "Home",
        "countriesAndRegions": ["NO", "SE"], "includeUnknownCountriesAndRegions": false,
        "countryLookupMethod": "clientIpAddress"});
    let network = json!({"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "displayName": "Network",
        "compliantNetworkType": "allTenantCompliantNetworks", "isTrusted": true});
    let v1 = LOCATIONS.replace("beta", "v1.0");
    made(&site, &v1, &office("192.0.2.0/24")).await;
    made(&site, &v1, &country).await;
    let refused = send(&site, Method::POST, &v1, &[], &network.to_string()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let network = made(&site, LOCATIONS, &network).await;
    let names = async |path: &str| {
        let list = send(&site, Method::GET, path, &[], "").await.json();
        let items = list["value"].as_array().unwrap().iter();
        let mut names: Vec<_> = items
            .map(|item| item["displayName"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(LOCATIONS).await, ["Home", "Network", "Office"]);
    assert_eq!(names(&v1).await, ["Home", "Office"]);
    let trusted = format!("{LOCATIONS}?$filter=isTrusted%20eq%20true");
    assert_eq!(names(&trusted).await, ["Network", "Office"]);
    let count = send(&site, Method::GET, &format!("{v1}/$count"), &[], "").await;
    assert_eq!(count.body, b"2");
    let id = network["id"].as_str().unwrap();
    for method in [Method::GET, Method::DELETE] {
        let answer = send(&site, method, &format!("{v1}/{id}"), &[], "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let deleted = send(&site, Method::DELETE, &format!("{LOCATIONS}/{id}"), &[], "").await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(
        std::fs::read_dir(site.path("locations")).unwrap().count(),
        2
    );
}

#[tokio::test]
async fn a_location_that_is_none_is_refused_by_its_member() {
    let site = site().await;
    let location = made(&site, LOCATIONS, &office("192.0.2.0/24")).await;
    let address = format!("{LOCATIONS}/{}", location["id"].as_str().unwrap());
    let with = |member: &str, value: Value| {
        let mut location = office("192.0.2.0/24");
        location[member] = value;
        location
    };
    let wrong_range = office("192.0.2.0/33");
    let wrong_type = with("@odata.type", json!("#microsoft.graph.moonLocation"));
    for (method, path, body, member) in [
        (
            Method::POST,
            LOCATIONS,
            &wrong_range,
            "ipRanges[0].cidrAddress",
        ),
        (
            Method::PATCH,
            &address,
            &wrong_range,
            "ipRanges[0].cidrAddress",
        ),
        (Method::POST, LOCATIONS, &wrong_type, "@odata.type"),
        (
            Method::PATCH,
            &address,
            &with(
                "@odata.type",
                json!("#microsoft.graph.countryNamedLocation"),
            ),
            "@odata.type",
        ),
        (
            Method::POST,
            LOCATIONS,
            &with("displayName", json!(null)),
            "displayName",
        ),
    ] {
        let refused = send(&site, method, path, &[], &body.to_string()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(refused.json()["error"]["details"][0]["target"], member);
    }
    let got = send(&site, Method::GET, &address, &[], "").await.json();
    assert_eq!(got["ipRanges"], location["ipRanges"]);
}

#[tokio::test]
async fn without_a_folder_of_named_locations_there_is_none_to_write_to() {
    let site = super::site().await;
    let refused = send(
        &site,
        Method::POST,
        LOCATIONS,
        &[],
        &office("192.0.2.0/24").to_string(),
    )
    .await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(
        error(&refused)
            .1
            .contains("`named_locations.dir` names none")
    );
}
