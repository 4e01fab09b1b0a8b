//! Lines on their way to a file: written in order, each whole, however often the file refuses a part of them.

use std::io::{self, ErrorKind, Write};

/// More than this is not kept allocated for the next burst.
const KEPT_BYTES: usize = 1024 * 1024;

/// Lines that were not written yet, or not entirely.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// How many of the bytes are written; it may be in the middle of a line.
    done: usize,
    /// Whether the sink may still hold some of them back.
    unflushed: bool,
}

impl Lines {
    /// Adds a line, which ends with a line break.
    pub(super) fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.done)
    }

    /// Whether nothing waits, in the sink neither.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && !self.unflushed
    }

    /// Writes what waits. After an error the next attempt goes on where this one stopped.
    pub(super) fn write_to(&mut self, sink: &mut impl Write) -> io::Result<()> {
        while let Some(rest) = self.bytes.get(self.done..).filter(|rest| !rest.is_empty()) {
            self.unflushed = true;
            match sink.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.done = self.done.saturating_add(written),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        sink.flush()?;
        self.unflushed = false;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.done = 0;
        Ok(())
    }

    /// Prepares for another file: a line that was begun is written there from its start.
    /// If that file ends in the middle of a line (`torn`), a line break comes first.
    pub(super) fn start_over(&mut self, torn: bool) {
        self.unflushed = false;
        let written = self.bytes.get(..self.done).unwrap_or_default();
        let line_start = written
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at.saturating_add(1));
        self.bytes.drain(..line_start);
        self.done = 0;
        if torn {
            self.bytes.insert(0, b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        lines.push(b"one\n");
        lines.push(b"two\n");
        let mut sink = Full(Vec::new(), 6);
        assert!(lines.write_to(&mut sink).is_err());
        assert_eq!(lines.len(), 2);
        lines.push(b"three\n");
        sink.1 = 100;
        lines.write_to(&mut sink).unwrap();
        assert_eq!(sink.0, b"one\ntwo\nthree\n");
        assert!(lines.is_empty());
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
        lines.push(b"one\n");
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
        lines.push(b"one\n");
        lines.push(b"two\n");
        assert!(lines.write_to(&mut Full(Vec::new(), 6)).is_err());
        lines.start_over(true);
        let mut next = Vec::new();
        lines.write_to(&mut next).unwrap();
        assert_eq!(next, b"\ntwo\n");
    }
}
