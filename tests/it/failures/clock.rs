//! The clock of the machine is set while the gateway runs, as a process under `libfaketime`: tokens are judged by the
//! new time, and what waits goes on waiting by a clock that nobody sets.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;

use crate::reload::ways::Way;
use crate::support::gateway::Gateway;
use crate::support::process::{Process, command};
use crate::support::servers::tool;
use crate::support::site::{Ground, Setup, now};

/// A gateway whose clock is as far off as a file says.
struct Clocked {
    ground: Ground,
    gateway: Gateway,
    offset: PathBuf,
}

impl Clocked {
    async fn start(library: &Path, setup: &Setup) -> Self {
        let ground = Ground::lay(setup).await;
        let offset = ground.path("offset");
        fs::write(&offset, "+0").unwrap();
        let mut command = command(&["run", "--config"]);
        command
            .arg(ground.path("boomgate.yaml"))
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", &offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
        let gateway = Gateway::of(Process::of(command)).await;
        Self {
            ground,
            gateway,
            offset,
        }
    }

    /// Sets the clock, all at once.
    fn set(&self, offset: &str) {
        Way::RenameOver.write(&self.offset, offset);
    }

    /// What becomes of a call, in a time that has nothing to do with the clock.
    async fn status(&self, token: &str) -> u16 {
        let call = self.gateway.get(&self.ground.pki, "/hr/people", token);
        let answer = tokio::time::timeout(Duration::from_secs(30), call).await;
        answer.unwrap().status.as_u16()
    }

    /// A token that is good from so many seconds after now until so many.
    fn token(&self, from: i64, until: i64) -> String {
        let now = now();
        let claims = json!({"iat": now + from, "nbf": now + from, "exp": now + until});
        self.ground.token(&claims)
    }
}

#[tokio::test]
async fn tokens_are_judged_by_the_time_to_which_the_clock_was_set() {
    let Some(library) = tool("BOOMGATE_FAKETIME") else {
        return;
    };
    let clocked = Clocked::start(&library, &Setup::default()).await;
    let (of_now, of_later) = (clocked.token(0, 300), clocked.token(600, 1_200));
    // Whatever is remembered of a token, its time counts anew each time.
    for _ in 0..2 {
        for (offset, now, later) in [("+0", 200, 401), ("+11m", 401, 200), ("-11m", 401, 401)] {
            clocked.set(offset);
            assert_eq!(clocked.status(&of_now).await, now, "{offset}");
            assert_eq!(clocked.status(&of_later).await, later, "{offset}");
        }
    }
    clocked.set("+0");
    assert_eq!(clocked.status(&of_now).await, 200);
    let ready = clocked.gateway;
    let said = ready.manage(&clocked.ground.pki, http::Method::GET, "/readyz", "");
    assert_eq!(said.await.status, 200);
}

#[tokio::test]
async fn what_waits_does_not_see_that_the_clock_is_set() {
    let Some(library) = tool("BOOMGATE_FAKETIME") else {
        return;
    };
    const LIMIT: Duration = Duration::from_secs(3);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup {
        upstream: vec![
            format!("url: http://{}", silent.local_addr().unwrap()),
            format!("response_timeout: {}s", LIMIT.as_secs()),
        ],
        ..Setup::default()
    };
    let clocked = Clocked::start(&library, &setup).await;
    let token = clocked.token(0, 300);
    for offset in ["+30m", "-30m"] {
        clocked.set("+0");
        let began = Instant::now();
        let call = clocked.status(&token);
        let step = async {
            let _taken = silent.accept().await.unwrap();
            clocked.set(offset);
            // Held open, and nothing said.
            std::future::pending::<()>().await;
        };
        let status = tokio::select! {
            status = call => status,
            () = step => unreachable!("it is pending"),
        };
        assert_eq!(status, 504, "{offset}");
        let waited = began.elapsed();
        assert!(waited >= LIMIT, "{offset}: {waited:?}");
        assert!(waited < LIMIT * 5, "{offset}: {waited:?}");
    }
    let mut gateway = clocked.gateway;
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.end().await.code(), Some(0));
}
