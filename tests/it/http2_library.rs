//! Floods of a client that speaks HTTP/2 with a library of others, Python's `h2` (`tests/http2/flood.py`): each ends its
//! own connection, and nobody else's call.

use std::path::Path;
use std::process::Command;

use crate::support::servers::{run, tool};
use crate::support::site::{AGENT, Setup, Site};

#[tokio::test]
async fn every_flood_ends_its_connection_and_the_next_call_is_answered() {
    let Some(python) = tool("BOOMGATE_PYTHON") else {
        return;
    };
    let site = Site::start(Setup::default()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http2/flood.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(site.address().port().to_string())
        .arg(site.pki.path("ca.pem"))
        .arg(site.agent_token(AGENT));
    let said = run(command).await.unwrap();
    let expected = "rapid_reset closed\npings closed\nsettings closed\nwindows closed\npriorities closed\n\
        empty_data closed\ncontinuations closed\ncall 200\n";
    assert_eq!(said, expected);
    // Not one of the calls that carried no credential reached it.
    assert_eq!(site.upstream.only_call().target, "/hr/people");
}
