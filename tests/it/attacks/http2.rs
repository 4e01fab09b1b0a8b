//! Attacks as frames.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Outcome;
use super::rows::{Flag, Frame, Kind, Row, Then, bytes_of};
use crate::support::client::RawClient;
use crate::support::http2_bytes::{PREFACE, frame, push_text, status};

pub(super) async fn attack(client: RawClient, row: &Row, token: &str) -> Outcome {
    let bytes = sent(row, token);
    let (mut reading, mut writing) = tokio::io::split(client.0);
    let write = async {
        // A server that refuses need not read on.
        let written = writing.write_all(&bytes).await;
        drop((written, writing.flush().await));
    };
    let read = async {
        let mut outcome = Outcome::default();
        loop {
            let mut head = [0; 9];
            if reading.read_exact(&mut head).await.is_err() {
                return outcome;
            }
            let [high, middle, low, kind, flags, ..] = head;
            let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            let mut payload = vec![0; length];
            if reading.read_exact(&mut payload).await.is_err() {
                return outcome;
            }
            if row.is_flood() {
                continue;
            }
            match kind {
                1 => outcome.answers.push(status(&payload)),
                3 => {
                    outcome.then = Then::Reset;
                    return outcome;
                }
                _ => {}
            }
            if matches!(kind, 0 | 1) && flags & 1 != 0 {
                outcome.then = Then::Open;
                return outcome;
            }
        }
    };
    let ((), outcome) = tokio::join!(write, read);
    outcome
}

/// The bytes of the attack, the preface and empty settings before it.
fn sent(row: &Row, token: &str) -> Vec<u8> {
    if let Some(bytes) = &row.bytes {
        return bytes_of(bytes, token);
    }
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    if let Some(fields) = &row.fields {
        let mut fields = fields.clone();
        let has_credential = fields
            .iter()
            .any(|field| field.starts_with("authorization:"));
        if !row.anonymous && !has_credential {
            fields.push("authorization: Bearer {token}".to_owned());
        }
        // By it the record is found.
        fields.push(format!("user-agent: {}", row.attack));
        let body = row.body.as_deref();
        let end = if body.is_none() { 5 } else { 4 };
        bytes.extend(frame(1, end, 1, &block(&fields, token)));
        if let Some(body) = body {
            bytes.extend(frame(0, 1, 1, &bytes_of(body, token)));
        }
    }
    for number in 0..row.repeat {
        for one in row.frames.iter().flatten() {
            let encoded = encode(one, number, token);
            for _ in 0..one.repeat {
                bytes.extend_from_slice(&encoded);
            }
        }
    }
    bytes
}

fn encode(one: &Frame, number: u32, token: &str) -> Vec<u8> {
    let payload = match &one.fields {
        Some(fields) => block(fields, token),
        None => bytes_of(&one.payload, token),
    };
    let flags = one.flags.iter().fold(0, |flags, flag| {
        flags
            | match flag {
                Flag::Ack | Flag::EndStream => 1,
                Flag::EndHeaders => 4,
                Flag::Padded => 8,
            }
    });
    let kind = match one.kind {
        Kind::Data => 0,
        Kind::Headers => 1,
        Kind::Priority => 2,
        Kind::RstStream => 3,
        Kind::Settings => 4,
        Kind::PushPromise => 5,
        Kind::Ping => 6,
        Kind::WindowUpdate => 8,
        Kind::Continuation => 9,
        Kind::Unknown => 0xbb,
    };
    frame(kind, flags, one.stream + number * one.step, &payload)
}

/// Literals without indexing and without Huffman coding (RFC 7541 §6.2.2).
fn block(fields: &[String], token: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        let (name, value) = field.split_once(": ").unwrap();
        bytes.push(0);
        push_text(&mut bytes, &bytes_of(name, token));
        push_text(&mut bytes, &bytes_of(value, token));
    }
    bytes
}
