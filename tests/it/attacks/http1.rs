//! Attacks as bytes. A last request behind each of them shows whether the connection is still in step.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Outcome;
use super::rows::{Row, Then, bytes_of};
use crate::support::client::RawClient;

/// What the last request is answered with.
const LAST: u16 = 404;

pub(super) async fn attack(client: RawClient, row: &Row, token: &str) -> Outcome {
    let mut bytes = sent(row, token);
    let last = format!(
        "GET /last HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        row.sni
    );
    bytes.extend_from_slice(last.as_bytes());
    let (mut reading, mut writing) = tokio::io::split(client.0);
    let write = async {
        // A server that refuses need not read on.
        let written = writing.write_all(&bytes).await;
        drop((written, writing.flush().await));
    };
    let read = async {
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = reading.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..length]);
        }
        answer
    };
    let ((), answer) = tokio::join!(write, read);
    outcome(&answer)
}

/// The bytes of the attack itself.
pub(super) fn sent(row: &Row, token: &str) -> Vec<u8> {
    let Some(head) = &row.head else {
        return bytes_of(row.bytes.as_deref().unwrap(), token);
    };
    let mut bytes = bytes_of(head, token);
    let has_credential = head.to_ascii_lowercase().contains("\nauthorization:");
    if !row.anonymous && !has_credential {
        bytes.extend_from_slice(format!("\nAuthorization: Bearer {token}").as_bytes());
    }
    bytes.extend_from_slice(b"\n\n");
    let mut lines = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if byte == b'\n' {
            lines.push(b'\r');
        }
        lines.push(byte);
    }
    lines.extend(bytes_of(row.body.as_deref().unwrap_or(""), token));
    lines
}

fn outcome(mut bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    while !bytes.is_empty() {
        let (status, decision, rest) = answer(bytes);
        bytes = rest;
        if status >= 200 {
            outcome.answers.push(status);
            outcome.decisions.push(decision);
        }
    }
    if outcome.answers.last() == Some(&LAST) && outcome.answers.len() > 1 {
        outcome.answers.pop();
        outcome.then = Then::Open;
    }
    outcome
}

/// One answer: its status, the id of its decision, and what is behind it.
fn answer(bytes: &[u8]) -> (u16, String, &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (head, _) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let header = |wanted: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        fields
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.to_owned())
    };
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let rest = &bytes[(head.len() + 4 + length).min(bytes.len())..];
    let decision = header("boomgate-decision-id").unwrap_or_default();
    (status.expect("a status"), decision, rest)
}
