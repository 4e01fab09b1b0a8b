//! Files of records as blocks of whole lines, so that several threads can read at once and none holds a file.
//!
//! Never here: what a line says.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use crate::config::folders;
use crate::types::Fault;

/// How much is read at once.
const BLOCK_BYTES: usize = 1024 * 1024;
/// The longest line that is read; a gateway's are some kilobytes.
const MAX_LINE_BYTES: usize = 8 * 1024 * 1024;
/// How a file begins that gzip made.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// A file of records, opened.
pub(in crate::cli) struct Source<'a> {
    /// Its name, for messages.
    pub(in crate::cli) name: Arc<str>,
    /// How large it is; `None` of what has no size.
    pub(in crate::cli) size: Option<u64>,
    /// How much of it was read.
    pub(in crate::cli) done: Arc<AtomicU64>,
    from: Box<dyn Read + 'a>,
}

/// Whole lines of one source.
pub(in crate::cli) struct Block {
    /// Which source.
    pub(in crate::cli) source: usize,
    /// The number of the first line, from 1.
    pub(in crate::cli) first_line: u64,
    pub(in crate::cli) bytes: Vec<u8>,
    /// Whether these bytes are the start of a line that is too long to be a record.
    pub(in crate::cli) is_too_long: bool,
}

/// Opens all files, so that one that is missing is told before the first is read.
///
/// # Errors
/// Which cannot be read.
pub(in crate::cli) fn open<'a>(
    paths: &[PathBuf],
    input: &'a mut dyn Read,
) -> Result<Vec<Source<'a>>, Fault> {
    let mut input = Some(input);
    let opened = paths.iter().map(|path| {
        let source = if path.as_os_str() == "-" {
            match input.take() {
                Some(input) => Source::of("(standard input)", None, input),
                None => Err("given twice".to_owned()),
            }
        } else {
            Source::of_file(path)
        };
        source.map_err(|reason| folders::of_file(path, format!("cannot be read: {reason}")))
    });
    opened.collect()
}

impl<'a> Source<'a> {
    fn of_file(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|fault| fault.to_string())?;
        let about = file.metadata().map_err(|fault| fault.to_string())?;
        if about.is_dir() {
            return Err("it is a folder".to_owned());
        }
        let size = about.is_file().then_some(about.len());
        Self::of(&path.to_string_lossy(), size, file)
    }

    fn of(name: &str, size: Option<u64>, from: impl Read + 'a) -> Result<Self, String> {
        let done = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            from,
            done: Arc::clone(&done),
        };
        let mut plain = BufReader::with_capacity(64 * 1024, counted);
        let start = io::BufRead::fill_buf(&mut plain).map_err(|fault| fault.to_string())?;
        let from: Box<dyn Read + 'a> = if start.starts_with(&GZIP) {
            Box::new(MultiGzDecoder::new(plain))
        } else {
            Box::new(plain)
        };
        Ok(Self {
            name: name.into(),
            size,
            done,
            from,
        })
    }

    /// Gives the source's lines block by block, for as long as they are taken.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub(in crate::cli) fn read(
        &mut self,
        source: usize,
        mut give: impl FnMut(Block) -> bool,
    ) -> io::Result<()> {
        let mut held = Vec::new();
        let mut first_line = 1;
        let mut skips = false;
        loop {
            let read = self.fill(&mut held)?;
            let end = match held.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => last.saturating_add(1),
                // The last line may be without an end: it is being written, or was cut off.
                None if read == 0 => held.len(),
                None if held.len() < MAX_LINE_BYTES => continue,
                None => held.len(),
            };
            let is_too_long =
                end == held.len() && end >= MAX_LINE_BYTES && read > 0 && !held.ends_with(b"\n");
            let rest = held.split_off(end);
            let bytes = std::mem::replace(&mut held, rest);
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            let block = Block {
                source,
                first_line,
                bytes,
                is_too_long,
            };
            first_line += u64::try_from(lines).unwrap_or(0);
            let (block, still) = if skips {
                without_first_line(block)
            } else {
                (Some(block), false)
            };
            skips = still || is_too_long;
            if let Some(block) = block
                && !block.bytes.is_empty()
                && !give(block)
            {
                return Ok(());
            }
            if read == 0 {
                return Ok(());
            }
        }
    }

    /// Reads on; 0 at the end.
    fn fill(&mut self, held: &mut Vec<u8>) -> io::Result<usize> {
        let limit = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
        self.from.by_ref().take(limit).read_to_end(held)
    }
}

/// A block that begins in the middle of a line that was too long, from its first whole line on; and whether that line
/// goes on behind it.
fn without_first_line(mut block: Block) -> (Option<Block>, bool) {
    match block.bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            block.bytes.drain(..=end);
            block.first_line += 1;
            (Some(block), false)
        }
        None => (None, true),
    }
}

/// Counts what passes.
struct Counted<R> {
    from: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.done
            .fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, usize, bool)> {
        let mut source = Source::of("f", None, bytes).unwrap();
        let mut blocks = Vec::new();
        let mut all = Vec::new();
        source
            .read(0, |block| {
                blocks.push((block.first_line, block.bytes.len(), block.is_too_long));
                all.extend(block.bytes);
                true
            })
            .unwrap();
        if blocks.iter().all(|(.., is_too_long)| !is_too_long) {
            assert!(all == bytes);
        }
        blocks
    }

    #[test]
    fn blocks_hold_whole_lines_with_their_numbers() {
        assert_eq!(read(b""), []);
        assert_eq!(read(b"one\ntwo\nthr"), [(1, 8, false), (3, 3, false)]);
        let line = [vec![b'x'; 299_999], vec![b'\n']].concat();
        let bytes = line.repeat(9);
        let firsts: Vec<_> = read(&bytes).iter().map(|(first, ..)| *first).collect();
        assert_eq!(firsts, [1, 4, 7]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = vec![b'x'; MAX_LINE_BYTES + 3 * BLOCK_BYTES];
        let bytes = [b"a\n".to_vec(), long, b"\nb\nc\n".to_vec()].concat();
        let blocks = read(&bytes);
        let told: Vec<_> = blocks.iter().filter(|(.., too_long)| *too_long).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, 2);
        assert_eq!(blocks.last(), Some(&(3, 4, false)));
    }

    #[test]
    fn what_gzip_made_is_read_as_it_was() {
        use std::io::Write as _;
        let gzip = |text: &[u8]| {
            let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            to.write_all(text).unwrap();
            to.finish().unwrap()
        };
        // As `cat a.gz b.gz` gives it.
        let bytes = [gzip(b"one\n"), gzip(b"two\n")].concat();
        let mut source = Source::of("f", None, &*bytes).unwrap();
        let mut all = Vec::new();
        source
            .read(0, |block| {
                all.extend(block.bytes);
                true
            })
            .unwrap();
        assert_eq!(all, b"one\ntwo\n");
        let done = source.done.load(Ordering::Relaxed);
        assert_eq!(usize::try_from(done), Ok(bytes.len()));
    }
}
