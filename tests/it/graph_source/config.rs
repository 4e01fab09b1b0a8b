//! What is wrong in the section `graph`.

use boomgate::config;

use super::{lay, section};

#[tokio::test]
async fn what_is_wrong_in_the_section_is_named() {
    let (ground, graph) = lay("").await;
    let path = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, _) = text.split_once("graph: {").unwrap();
    let secret = "client_secret: 'file:graph-secret'";
    let both = format!("{secret}, federated_token_file: x");
    for (section, says) in [
        (section(&graph.url, secret, ""), ""),
        (
            section(&graph.url, &both, ""),
            "expected one of `client_secret`, `federated_token_file`",
        ),
        (
            section(&graph.url, "client_secret: open", ""),
            "a secret must not stand in the file",
        ),
        (
            section(
                &graph.url,
                secret,
                ", required: true, max_age: 2s, interval: 2s",
            ),
            "not longer than `interval`",
        ),
        (
            section(&format!("{}/beta", graph.url), secret, ""),
            "ends with a version of Graph",
        ),
        (
            section(&format!("{}/?x=1", graph.url), secret, ""),
            "has a query",
        ),
        (
            section("http://graph.example.com", secret, ""),
            "is not an address",
        ),
        (section(&graph.url, secret, ", max_pages: 0"), "max_pages"),
        (
            section(&graph.url, secret, ", overlap: 2d"),
            "is out of range",
        ),
        (section(&graph.url, secret, ", unheard_of: 1"), "unheard_of"),
    ] {
        std::fs::write(&path, format!("{before}\n{section}\n")).unwrap();
        let (_, faults) = config::load(&path, &config::process_environment);
        let faults = faults.sorted();
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        match says {
            "" => assert!(faults.is_empty(), "{faults:?}"),
            says => assert!(
                faults.iter().any(|fault| fault.contains(says)),
                "{says}: {faults:?}"
            ),
        }
    }
}
