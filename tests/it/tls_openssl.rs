//! What a TLS library of others may not do on the listener's connections (Debian's openssl): begin anew, and send data
//! before the handshake is over.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tempfile::TempDir;

use crate::support::client::PATIENCE;
use crate::support::servers::{Server, free_address};
use crate::support::site::{AGENT, Setup, Site};

/// `openssl s_client`, and all that it has written.
struct OpenSsl {
    child: Child,
    input: ChildStdin,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl OpenSsl {
    fn connect(site: &Site, address: SocketAddr, options: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_client", "-servername", "localhost", "-alpn", "http/1.1"])
            .args(["-connect", &address.to_string()])
            .arg("-CAfile")
            .arg(site.pki.path("ca.pem"))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::default();
        follow(child.stdout.take().unwrap(), &said);
        follow(child.stderr.take().unwrap(), &said);
        let input = child.stdin.take().unwrap();
        Self { child, input, said }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock()).into_owned()
    }

    /// Waits until it has written this.
    async fn until(&self, text: &str) {
        let patience = Instant::now() + PATIENCE;
        while !self.said().contains(text) {
            assert!(Instant::now() < patience, "no `{text}`: {}", self.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Writes this to it; one that has ended reads nothing.
    fn write(&mut self, text: &str) -> bool {
        let written = self.input.write_all(text.as_bytes());
        written.and_then(|()| self.input.flush()).is_ok()
    }

    /// Waits for its end; gives whether all was well.
    async fn end(&mut self) -> bool {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < patience, "goes on: {}", self.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn follow(mut from: impl Read + Send + 'static, into: &Arc<Mutex<Vec<u8>>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            into.lock().extend_from_slice(&piece[..length]);
        }
    });
}

fn request(site: &Site) -> String {
    let token = site.agent_token(AGENT);
    format!("GET /hr/people HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

#[tokio::test]
async fn nobody_begins_the_handshake_anew_on_a_connection() {
    let site = Site::start(Setup::default()).await;
    let mut plain = OpenSsl::connect(&site, site.address(), &["-tls1_2"]);
    plain.until("Verify return code: 0 (ok)").await;
    assert!(plain.write(&request(&site)));
    plain.until("HTTP/1.1 200 OK").await;
    assert_eq!(site.upstream.calls().len(), 1);
    // The extension of RFC 5746, without which clients do not connect. It offers nothing.
    let said = plain.said();
    assert!(said.contains("Secure Renegotiation IS supported"), "{said}");

    for options in [&["-tls1_2"][..], &["-tls1_2", "-legacy_renegotiation"]] {
        let mut asking = OpenSsl::connect(&site, site.address(), options);
        asking.until("Verify return code: 0 (ok)").await;
        assert!(asking.write("R\n"));
        asking.until("RENEGOTIATING").await;
        // Whether it still reads this is its own matter.
        let _read = asking.write(&request(&site));
        assert!(!asking.end().await);
        let said = asking.said();
        assert!(said.contains("no renegotiation"), "{said}");
        assert!(!said.contains("HTTP/1.1"), "{said}");
    }
    assert_eq!(site.upstream.calls().len(), 1);
    let both = "the decision and the outcome of one call are recorded";
    site.until(both, async |site| site.records().len() == 2)
        .await;

    // TLS 1.3 has no such thing.
    let mut newest = OpenSsl::connect(&site, site.address(), &["-tls1_3"]);
    newest.until("Verify return code: 0 (ok)").await;
    assert!(newest.write("R\n"));
    newest.until("RENEGOTIATING").await;
    assert!(!newest.end().await);
    assert_eq!(site.upstream.calls().len(), 1);
}

/// Sends a call as early data with this session, then another one in the connection that comes of it.
async fn sent_early(site: &Site, folder: &Path) -> String {
    let (session, early) = (folder.join("session"), folder.join("early"));
    std::fs::write(&early, request(site)).unwrap();
    let options = [
        "-tls1_3",
        "-sess_in",
        session.to_str().unwrap(),
        "-early_data",
        early.to_str().unwrap(),
    ];
    let mut client = OpenSsl::connect(site, site.address(), &options);
    client.until("Early data was ").await;
    client.until("Verify return code: ").await;
    assert!(client.write(&request(site)));
    client.until("HTTP/1.1 200 OK").await;
    client.said()
}

/// Keeps the session that a server gives.
async fn keep_session(site: &Site, address: SocketAddr, folder: &Path) -> String {
    let session = folder.join("session");
    let _none = std::fs::remove_file(&session);
    let options = ["-tls1_3", "-sess_out", session.to_str().unwrap()];
    let mut client = OpenSsl::connect(site, address, &options);
    client.until("Verify return code: 0 (ok)").await;
    // It comes behind the handshake.
    let patience = Instant::now() + PATIENCE;
    while std::fs::metadata(&session).map_or(0, |file| file.len()) == 0 {
        assert!(Instant::now() < patience, "no session: {}", client.said());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // What the session allows is shown once it was written down.
    client.until("Max Early Data: ").await;
    // A server of openssl that has no input may have ended the connection before.
    let _asked = client.write("Q\n");
    let _well = client.end().await;
    client.said()
}

#[tokio::test]
async fn data_that_is_sent_before_the_handshake_is_over_goes_nowhere() {
    let site = Site::start(Setup::default()).await;
    let folder = TempDir::new().unwrap();
    // Its own sessions allow none, so an honest client sends none.
    let said = keep_session(&site, site.address(), folder.path()).await;
    assert!(said.contains("Max Early Data: 0"), "{said}");
    let said = sent_early(&site, folder.path()).await;
    // Whether the session is taken up again or not.
    assert!(said.contains("Early data was not sent"), "{said}");
    assert_eq!(site.upstream.calls().len(), 1);

    // With the session of a server that allows it, one that has the same certificate, the data is on its way at once.
    let address = free_address();
    let mut command = Command::new("openssl");
    command
        .args(["s_server", "-early_data", "-tls1_3", "-quiet"])
        .args(["-accept", &address.to_string(), "-alpn", "http/1.1"])
        .arg("-cert")
        .arg(site.pki.path("server.pem"))
        .arg("-key")
        .arg(site.pki.path("server.key"))
        .stderr(Stdio::null());
    let server = Server::start("openssl", command, address, TempDir::new().unwrap()).await;
    let said = keep_session(&site, server.address, folder.path()).await;
    assert!(said.contains("Max Early Data: 16384"), "{said}");
    let said = sent_early(&site, folder.path()).await;
    assert!(said.contains("Early data was rejected"), "{said}");
    let all = "the decisions and the outcomes of two calls are recorded";
    site.until(all, async |site| site.records().len() == 4)
        .await;
    assert_eq!(
        site.upstream.calls().len(),
        2,
        "each time the second call alone"
    );
}
