//! SHA-256 of bytes, and of any value that can be hashed.
//!
//! A value goes in through its own [`Hash`], which ends every string and counts every list, so that no two
//! values have one encoding. The result is good within one process only; nothing here is ever stored.

use std::fmt;
use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::take(digest(&SHA256, bytes).as_ref())
    }

    /// Of this value, with all that its `Hash` names.
    #[must_use]
    pub fn of<T: Hash + ?Sized>(value: &T) -> Self {
        let mut hasher = Sha256(Context::new(&SHA256));
        value.hash(&mut hasher);
        Self::take(hasher.0.finish().as_ref())
    }

    fn take(bytes: &[u8]) -> Self {
        let mut all = [0; 32];
        for (to, from) in all.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self(all)
    }
}

impl fmt::Debug for Digest {
    /// The first eight bytes: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(8)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

struct Sha256(Context);

impl Hasher for Sha256 {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let whole = self.0.clone().finish();
        whole
            .as_ref()
            .first_chunk()
            .map_or(0, |first| u64::from_be_bytes(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sha_256() {
        let abc = Digest::of_bytes(b"abc");
        assert_eq!(format!("{abc:?}"), "ba7816bf8f01cfea");
    }

    #[test]
    fn boundaries_between_strings_count() {
        assert_ne!(Digest::of(&["ab", "c"][..]), Digest::of(&["a", "bc"][..]));
        assert_ne!(Digest::of(&["a", ""][..]), Digest::of(&["a"][..]));
        assert_ne!(
            Digest::of(&(None::<u8>, 1_u8)),
            Digest::of(&(Some(1_u8), 0_u8))
        );
        assert_eq!(Digest::of("a"), Digest::of(&String::from("a")));
    }
}
