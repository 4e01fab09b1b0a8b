//! Lines on their way to a file: written in order, each whole, however often the file refuses a part of them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::sync::Arc;

use super::outbox::Batch;

/// At most so many batches are written at once.
const AT_ONCE: usize = 64;

/// Lines that were not written yet, or not entirely.
#[derive(Debug, Default)]
pub(super) struct Lines {
    batches: VecDeque<Arc<Batch>>,
    /// How many bytes of the first batch are written; it may be in the middle of a line.
    done: usize,
    /// Whether the file ends in the middle of another line.
    torn: bool,
    /// Whether the sink may still hold some of them back.
    unflushed: bool,
}

impl Lines {
    /// Adds lines, if there are any.
    pub(super) fn push(&mut self, batch: Arc<Batch>) {
        if !batch.bytes().is_empty() {
            self.batches.push_back(batch);
        }
    }

    /// Whether nothing waits, in the sink neither.
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty() && !self.unflushed
    }

    /// Writes what waits, as much of it at once as there is: a few large writes to a file cost the kernel less than many small
    /// ones. After an error the next attempt goes on where this one stopped.
    pub(super) fn write_to(&mut self, sink: &mut impl Write) -> io::Result<()> {
        while !self.batches.is_empty() {
            self.unflushed = true;
            if self.torn {
                sink.write_all(b"\n")?;
                self.torn = false;
            }
            match sink.write_vectored(&self.next()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.note_written(written),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        if self.unflushed {
            sink.flush()?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// What comes next, batch by batch.
    fn next(&self) -> Vec<IoSlice<'_>> {
        let mut done = self.done;
        let batches = self.batches.iter().take(AT_ONCE);
        let rest = batches.map(|batch| batch.bytes().get(std::mem::take(&mut done)..));
        rest.map(|rest| IoSlice::new(rest.unwrap_or_default()))
            .collect()
    }

    /// So many bytes more are written: lets go of the batches that are.
    fn note_written(&mut self, bytes: usize) {
        self.done = self.done.saturating_add(bytes);
        while let Some(batch) = self.batches.front() {
            let Some(beyond) = self.done.checked_sub(batch.bytes().len()) else {
                break;
            };
            self.done = beyond;
            self.batches.pop_front();
        }
    }

    /// Prepares for another file: a line that was begun is written there from its start.
    /// If that file ends in the middle of a line (`torn`), a line break comes first.
    pub(super) fn start_over(&mut self, torn: bool) {
        self.unflushed = false;
        self.torn = torn;
        let first = self.batches.front().map_or(&[][..], |batch| batch.bytes());
        let written = first.get(..self.done).unwrap_or_default();
        let line_break = written.iter().rposition(|byte| *byte == b'\n');
        self.done = line_break.map_or(0, |at| at.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::outbox::LineOf;
    use crate::record::outbox::tests::text;

    fn batch(lines: &[&str]) -> Arc<Batch> {
        let mut batch = Batch::default();
        for line in lines {
            batch
                .push(LineOf::Change, text((*line).to_owned()))
                .unwrap();
        }
        Arc::new(batch)
    }

    /// Takes some bytes, then refuses.
    struct Full(Vec<u8>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let free = self.1 - self.0.len();
            if free == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            let taken = free.min(bytes.len());
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn goes_on_in_the_middle_of_a_line_where_the_file_was_full() {
        let mut lines = Lines::default();
        lines.push(batch(&["one", "two"]));
        let mut sink = Full(Vec::new(), 6);
        assert!(lines.write_to(&mut sink).is_err());
        assert!(!lines.is_empty());
        assert_eq!(lines.done, 6, "two bytes wait");
        lines.push(batch(&["three"]));
        sink.1 = 100;
        lines.write_to(&mut sink).unwrap();
        assert_eq!(sink.0, b"one\ntwo\nthree\n");
        assert!(lines.is_empty());
    }

    /// Takes of all that it is given at once as many bytes as it is told, time after time.
    struct Parts(Vec<u8>, usize);

    impl Write for Parts {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
            let bytes = parts.iter().flat_map(|part| part.iter());
            let before = self.0.len();
            self.0.extend(bytes.take(self.1));
            Ok(self.0.len() - before)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn goes_on_wherever_a_write_of_several_batches_ended() {
        for at_once in 1..20 {
            let mut lines = Lines::default();
            for of in [&["one", "two"][..], &[], &["three"], &["4"]] {
                lines.push(batch(of));
            }
            let mut sink = Parts(Vec::new(), at_once);
            lines.write_to(&mut sink).unwrap();
            assert_eq!(sink.0, b"one\ntwo\nthree\n4\n", "{at_once}");
            assert!(lines.is_empty());
            assert_eq!(lines.done, 0);
        }
    }

    /// Takes everything, and refuses to hand it on once.
    #[derive(Default)]
    struct Held(Vec<u8>, bool);

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            if std::mem::replace(&mut self.1, true) {
                Ok(())
            } else {
                Err(ErrorKind::StorageFull.into())
            }
        }
    }

    #[test]
    fn what_the_sink_holds_back_waits_too() {
        let mut lines = Lines::default();
        lines.push(batch(&["one"]));
        let mut sink = Held::default();
        assert!(lines.write_to(&mut sink).is_err());
        assert!(!lines.is_empty(), "or nobody would try again");
        lines.write_to(&mut sink).unwrap();
        assert_eq!(sink.0, b"one\n");
        assert!(lines.is_empty());
    }

    #[test]
    fn repeats_a_begun_line_in_the_next_file() {
        let mut lines = Lines::default();
        lines.push(batch(&["one", "two"]));
        assert!(lines.write_to(&mut Full(Vec::new(), 6)).is_err());
        lines.start_over(true);
        let mut next = Vec::new();
        lines.write_to(&mut next).unwrap();
        assert_eq!(next, b"\ntwo\n");
    }
}
