//! HTTP/2: counts the frames that cost work and carry nothing (RFC 9113 §10.5): pings, settings, priorities, resets,
//! window updates, empty data, frames of unknown types.
//!
//! The library answers or drops them one by one, however many come. A connection may send some at once, some more each
//! second, and more the more it is sent. Never here: what a frame says; the library refuses what is not well-formed.

use std::time::Instant;

/// Octets before the first frame.
const PREFACE_BYTES: usize = 24;
/// The head of a frame.
const HEAD_BYTES: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;

/// What may be saved up.
const MOST_CREDIT: u64 = 2_000;
/// What comes in a second, whatever happens.
const CREDIT_PER_SECOND: u64 = 200;
/// A peer that takes bytes opens windows: a frame more for so many bytes that were written.
const BYTES_PER_CREDIT: u64 = 512;

/// The frames of one connection on their way in.
#[derive(Debug)]
pub(super) struct Frames {
    /// Octets until the next head begins.
    skip: usize,
    head: [u8; HEAD_BYTES],
    /// How much of the head is there.
    known: usize,
    credit: u64,
    /// Written bytes that are no credit yet.
    written: u64,
    refilled: Instant,
}

/// More idle frames than a peer may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flood;

impl Frames {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            skip: PREFACE_BYTES,
            head: [0; HEAD_BYTES],
            known: 0,
            credit: MOST_CREDIT,
            written: 0,
            refilled: now,
        }
    }

    /// Bytes were written to the peer.
    pub(super) fn note_written(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.written = self.written.saturating_add(bytes);
    }

    /// Bytes came.
    pub(super) fn read(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Flood> {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip = self.skip.saturating_sub(skipped);
            bytes = bytes.get(skipped..).unwrap_or_default();
            let missing = HEAD_BYTES.saturating_sub(self.known).min(bytes.len());
            let (begin, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
            for byte in begin {
                if let Some(place) = self.head.get_mut(self.known) {
                    *place = *byte;
                }
                self.known = self.known.saturating_add(1);
            }
            bytes = rest;
            if self.known == HEAD_BYTES {
                self.known = 0;
                self.count(now)?;
            }
        }
        Ok(())
    }

    /// A head is whole.
    fn count(&mut self, now: Instant) -> Result<(), Flood> {
        let [high, middle, low, kind, flags, ..] = self.head;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let carries = match kind {
            // Padding may be all that there is, and no client in use pads.
            DATA => (self.skip > 0 && flags & PADDED == 0) || flags & END_STREAM != 0,
            kind => kind == HEADERS,
        };
        if carries {
            return Ok(());
        }
        if self.credit == 0 {
            self.refill(now);
        }
        self.credit = self.credit.checked_sub(1).ok_or(Flood)?;
        Ok(())
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled);
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let by_time = millis.saturating_mul(CREDIT_PER_SECOND) / 1_000;
        let by_bytes = self.written / BYTES_PER_CREDIT;
        let credit = by_time.saturating_add(by_bytes);
        if credit > 0 {
            self.credit = credit.min(MOST_CREDIT);
            self.refilled = now;
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
        let length = u8::try_from(payload).unwrap();
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.resize(HEAD_BYTES + payload, 0);
        frame
    }

    fn connection(now: Instant) -> Frames {
        let mut frames = Frames::new(now);
        frames.read(&[0; PREFACE_BYTES], now).unwrap();
        frames
    }

    #[test]
    fn ends_a_flood_of_every_kind_and_lets_calls_through() {
        let now = Instant::now();
        for (kind, payload) in [
            (2, 5),
            (3, 4),
            (4, 0),
            (6, 8),
            (8, 4),
            (9, 0),
            (77, 3),
            (0, 0),
        ] {
            let mut frames = connection(now);
            let bytes = frame(kind, 0, payload);
            let sent = (0..10_000).take_while(|_| frames.read(&bytes, now).is_ok());
            assert_eq!(sent.count(), 2_000, "type {kind}");
        }
        let mut frames = connection(now);
        for _ in 0..10_000 {
            frames.read(&frame(HEADERS, 5, 20), now).unwrap();
            frames.read(&frame(DATA, 0, 1), now).unwrap();
            frames.read(&frame(DATA, END_STREAM, 0), now).unwrap();
        }
    }

    #[test]
    fn frames_are_found_wherever_their_bytes_are_cut() {
        let now = Instant::now();
        let mut bytes = vec![0; PREFACE_BYTES];
        for _ in 0..2_000 {
            bytes.extend(frame(6, 0, 8));
            bytes.extend(frame(DATA, 0, 200));
        }
        for size in [1, 7, 9, 100, 9_999] {
            let mut frames = Frames::new(now);
            assert!(
                bytes
                    .chunks(size)
                    .all(|part| frames.read(part, now).is_ok())
            );
            assert_eq!(frames.read(&frame(6, 0, 8), now), Err(Flood), "{size}");
        }
    }

    #[test]
    fn credit_comes_with_time_and_with_what_the_peer_is_sent() {
        let now = Instant::now();
        let ping = frame(6, 0, 8);
        let spend = |frames: &mut Frames, now| {
            let sent = (0..10_000).take_while(|_| frames.read(&ping, now).is_ok());
            let count = sent.count();
            // What was too much was told by its head.
            frames.read(&ping[HEAD_BYTES..], now).unwrap();
            count
        };
        let mut frames = connection(now);
        assert_eq!(spend(&mut frames, now), 2_000);
        let later = now + Duration::from_secs(1);
        assert_eq!(spend(&mut frames, later), 200);
        frames.note_written(51_200);
        assert_eq!(spend(&mut frames, later), 100);
        assert_eq!(spend(&mut frames, later + Duration::from_secs(3600)), 2_000);
    }
}
