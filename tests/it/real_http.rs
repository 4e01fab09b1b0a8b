//! What HTTP has beside plain calls, between a client and a server of others (curl, nginx): HEAD, ranges, conditions,
//! `Expect: 100-continue` and interim answers.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::script::Script;
use crate::support::servers::{Server, run};
use crate::support::site::{AGENT, Setup, Site};

const VERSIONS: [&str; 2] = ["--http1.1", "--http2"];

/// curl as the default agent.
fn curl(site: &Site, version: &str, path: &str, more: &[&str]) -> Command {
    curl_with(site, &site.agent_token(AGENT), version, path, more)
}

fn curl_with(site: &Site, token: &str, version: &str, path: &str, more: &[&str]) -> Command {
    let port = site.address().port();
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", "60", version])
        .arg("--cacert")
        .arg(site.pki.path("ca.pem"))
        .arg("--header")
        .arg(format!("authorization: Bearer {token}"))
        .args(["--resolve", &format!("localhost:{port}:127.0.0.1")])
        .args(more)
        .arg(format!("https://localhost:{port}{path}"));
    command
}

async fn in_front_of(url: String) -> Site {
    Site::start(Setup {
        upstream: vec![format!("url: {url}")],
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn heads_ranges_and_conditions_are_as_the_server_answers_them() {
    let files = TempDir::new().unwrap();
    std::fs::create_dir(files.path().join("hr")).unwrap();
    std::fs::write(
        files.path().join("hr/letters"),
        "abcdefghijklmnopqrstuvwxyz",
    )
    .unwrap();
    let root = files.path().to_str().unwrap();
    // Whoever nginx runs as may read it.
    allow_all(files.path());
    let block = format!("listen {{address}}; root {root};");
    let Some(nginx) = Server::nginx(&block).await else {
        return;
    };
    let site = in_front_of(format!("http://{}", nginx.address)).await;
    for version in VERSIONS {
        let ask = async |more: &[&str]| {
            let said = run(curl(&site, version, "/hr/letters", more))
                .await
                .unwrap();
            said.to_ascii_lowercase()
        };
        let head = ask(&["--head"]).await;
        assert!(head.contains(" 200"), "{head}");
        assert!(head.contains("content-length: 26\r\n"), "{head}");
        assert!(head.contains("accept-ranges: bytes\r\n"), "{head}");

        let part = ask(&["--range", "2-5", "--include"]).await;
        assert!(part.contains(" 206"), "{part}");
        assert!(part.contains("content-range: bytes 2-5/26\r\n"), "{part}");
        assert!(part.ends_with("\r\n\r\ncdef"), "{part}");
        let beyond = ask(&["--range", "100-200", "--include"]).await;
        assert!(beyond.contains(" 416"), "{beyond}");
        assert!(beyond.contains("content-range: bytes */26\r\n"), "{beyond}");
        let parts = ask(&["--range", "0-1,4-5", "--include"]).await;
        assert!(parts.contains(" 206"), "{parts}");
        assert!(parts.contains("multipart/byteranges"), "{parts}");

        let tag = head.lines().find_map(|line| line.strip_prefix("etag: "));
        let condition = format!("if-none-match: {}", tag.unwrap().trim_end());
        let unchanged = ask(&["--header", &condition, "--include"]).await;
        assert!(unchanged.contains(" 304"), "{unchanged}");
    }
}

/// Lets everybody read a folder.
fn allow_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, mode).unwrap();
}

#[tokio::test]
async fn who_waits_to_be_asked_for_a_body_is_asked_and_interim_answers_do_not_disturb() {
    let script = Script::new().await;
    let site = in_front_of(format!("http://{}", script.address)).await;
    let body = site.path("body");
    std::fs::write(&body, "x".repeat(200_000)).unwrap();
    let data = format!("@{}", body.display());
    // Over HTTP/1.1 it sends the body when it is told to, or never. Over HTTP/2 the library asks nobody, and clients wait
    // for a second.
    let asked = |seconds: &'static str| {
        let expect = ["--header", "expect: 100-continue", "--expect100-timeout"];
        [&expect[..], &[seconds, "--data-binary", &data, "--include"]].concat()
    };
    let table = [("--http1.1", asked("3000")), ("--http2", asked("1"))];
    for (version, more) in table {
        let calling = run(curl(&site, version, "/hr/people", &more));
        let play = async {
            let (mut scene, head) = script.call().await;
            // Whether it is asked is between the caller and the gateway.
            assert!(!head.to_ascii_lowercase().contains("expect:"), "{head}");
            scene.write("HTTP/1.1 100 Continue\r\n\r\n").await;
            scene.read_until(&"x".repeat(1_000)).await;
            scene.read_exactly(199_000).await;
            scene
                .write("HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n")
                .await;
            scene
                .write("HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\ndone")
                .await;
        };
        let (said, ()) = tokio::join!(calling, play);
        let said = said.unwrap();
        assert!(said.contains(" 201"), "{said}");
        assert!(said.ends_with("\r\n\r\ndone"), "{said}");
        if version == "--http1.1" {
            assert!(said.starts_with("HTTP/1.1 100 Continue\r\n"), "{said}");
        }
        // It ends at the gateway.
        assert!(!said.contains(" 103"), "{said}");
    }
    // Who is refused is not asked for the body.
    let mut refused = curl_with(&site, "none", "--http1.1", "/hr/people", &asked("3000"));
    refused.args(["--write-out", "\nsent %{size_upload}"]);
    let said = run(refused).await.unwrap();
    assert!(said.contains(" 401"), "{said}");
    assert!(said.ends_with("\nsent 0"), "{said}");
}
