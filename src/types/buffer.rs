//! [`Buffer`]: bytes written one behind the other into memory that is there before they come.
//!
//! A line is made of some two hundred small parts. Each is one look at how much is left, and a copy; no part grows a
//! vector by itself. Never here: what the bytes say.

/// Memory is made ready in steps of so many bytes, as far as there is some: more is written to twice, less is looked at often.
const STEP: usize = 1024;

/// Bytes, and memory behind them that is ready to be written to.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// Without bytes; memory for at least so many.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            memory: Vec::with_capacity(bytes),
            length: 0,
        }
    }

    /// What was written.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// How many bytes were written.
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// What was written, in the memory in which it lies.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut memory = self.memory;
        memory.truncate(self.length);
        memory
    }

    /// Forgets what was written behind the first `length` bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The next `length` bytes, to be written over.
    pub(crate) fn next(&mut self, length: usize) -> &mut [u8] {
        let start = self.length;
        let end = start.saturating_add(length);
        if end > self.memory.len() {
            self.grow(end);
        }
        self.length = end;
        self.memory.get_mut(start..end).unwrap_or_default()
    }

    /// Appends bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.next(bytes.len()).copy_from_slice(bytes);
    }

    /// Appends a byte.
    pub(crate) fn push(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// What was written behind the first `start` bytes, to be changed.
    pub(crate) fn since(&mut self, start: usize) -> &mut [u8] {
        self.memory.get_mut(start..self.length).unwrap_or_default()
    }

    /// Takes out the byte at `at`; those behind it move up.
    pub(crate) fn remove(&mut self, at: usize) {
        if let behind @ [_, ..] = self.since(at) {
            behind.rotate_left(1);
            self.length -= 1;
        }
    }

    /// How much memory there is, in bytes.
    #[cfg(test)]
    pub(crate) const fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// Gives back most of the memory that no byte needs. Sizes are powers of two, so that what one gives back is of use to
    /// another.
    pub(crate) fn fit(&mut self) {
        let needed = self.length.next_power_of_two();
        self.memory.truncate(needed);
        self.memory.shrink_to(needed);
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        self.memory.reserve(needed - self.memory.len());
        let ready = needed.saturating_add(STEP).min(self.memory.capacity());
        self.memory.resize(ready, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn holds_what_a_vector_would(
            steps in proptest::collection::vec((0..5_u8, proptest::collection::vec(any::<u8>(), 0..40)), 0..40),
        ) {
            let (mut buffer, mut vector) = (Buffer::default(), Vec::new());
            for (step, bytes) in steps {
                let at = bytes.len().min(vector.len());
                match step {
                    0 => {
                        buffer.truncate(at);
                        vector.truncate(at);
                    }
                    1 if at < vector.len() => {
                        buffer.remove(at);
                        vector.remove(at);
                    }
                    2 => buffer.fit(),
                    _ => {
                        buffer.put(&bytes);
                        vector.extend_from_slice(&bytes);
                    }
                }
                prop_assert_eq!(buffer.bytes(), &vector[..]);
                prop_assert_eq!(buffer.since(at.min(vector.len())), &vector[at.min(vector.len())..]);
            }
            prop_assert_eq!(buffer.into_bytes(), vector);
        }
    }
}
