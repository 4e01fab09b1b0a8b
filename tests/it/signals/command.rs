//! `boomgate signals` as operators run it: the real binary against a running gateway.

use serde_json::Value;

use super::World;
use crate::support::process::Process;
use crate::support::site::Site;

/// Runs the command; gives its exit code and what it printed.
async fn run(site: &Site, arguments: &[&str]) -> (Option<i32>, String, String) {
    let management = format!("https://{}", site.app.management());
    let (ca, token) = (site.pki.path("ca.pem"), site.path("admin-token"));
    let access = [
        "--management",
        &management,
        "--ca-file",
        ca.to_str().unwrap(),
        "--admin-token-file",
        token.to_str().unwrap(),
    ];
    let mut process = Process::start(&[&["signals"], arguments, &access].concat());
    let code = process.end().await.code();
    (code, process.stdout(), process.stderr())
}

/// The cells of a table, line by line.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let cells = |line| str::split(line, "  ").map(str::trim);
    let rows = text.lines().map(cells);
    rows.map(|row| row.filter(|cell| !cell.is_empty()).collect())
        .collect()
}

#[tokio::test]
async fn streams_are_listed_verified_paused_and_resumed() {
    let world = World::poll("").await;
    world
        .site
        .until("the stream is well", async |site| {
            let (code, stdout, _) = run(site, &["list", "--output", "json"]).await;
            let all: Value = serde_json::from_str(&stdout).unwrap();
            code == Some(0) && all[0]["status"] == "ok" && all[0]["lastHeard"].is_string()
        })
        .await;
    let (code, stdout, stderr) = run(&world.site, &["list"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let rows = rows(&stdout);
    assert_eq!(
        rows[0],
        [
            "NAME",
            "DELIVERY",
            "STATUS",
            "LAST HEARD",
            "REQUIRED",
            "ISSUER",
            "FAULTS"
        ]
    );
    assert_eq!(rows[1][..3], ["idp", "poll", "ok"], "{stdout}");
    assert_eq!(rows[1][4..], ["no", &world.transmitter.issuer, "-"]);
    let column = |line: &str, of: &str| line.find(of);
    let mut lines = stdout.lines();
    let (titles, stream) = (lines.next().unwrap(), lines.next().unwrap());
    assert_eq!(column(titles, "DELIVERY"), column(stream, "poll"));

    let before = world.transmitter.verifications().len();
    assert_eq!(run(&world.site, &["verify", "idp"]).await.0, Some(0));
    assert!(world.transmitter.verifications().len() > before);
    assert_eq!(run(&world.site, &["pause", "idp"]).await.0, Some(0));
    assert_eq!(world.transmitter.status(), "paused");
    world
        .site
        .until("its row says that it is paused", async |site| {
            let (_, stdout, _) = run(site, &["list"]).await;
            stdout.contains("faulty") && stdout.contains("paused")
        })
        .await;
    let (code, stdout, _) = run(&world.site, &["resume", "idp", "--output", "json"]).await;
    assert_eq!(code, Some(0));
    let all: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(all[0]["name"], "idp");
    assert_eq!(world.transmitter.status(), "enabled");

    let (code, stdout, stderr) = run(&world.site, &["pause", "other"]).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("stream `other`"), "{stderr}");
    world.site.app.stop().await.unwrap();
}
