//! A [`Tag`] of a token, by which one thread knows it again: a fifth of what its SHA-256 costs.
//!
//! AES-GMAC of the token (NIST SP 800-38D) under a random key and always one nonce. As a signature that would be broken:
//! whoever sees two tags of one nonce can make others. As a keyed hash that nobody sees it is sound: two tokens of at most
//! 16 n bytes, chosen without the key, have one tag with a chance of n + 1 in 2^128, the roots that the difference of two
//! polynomials can have (ibid., §6.4), and whoever tries learns of each only whether it was let in.
//! Never here: a tag, or anything of the key, that leaves this process, is shown, or is compared with what somebody sends.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// What stands for a token in one process, as long as it runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tag([u8; 16]);

/// What makes tags.
pub(super) struct Tagger(LessSafeKey);

impl Tagger {
    /// With a key that nobody has; `None` where the system gives no random bytes.
    pub(super) fn new() -> Option<Self> {
        let mut key = [0; 16];
        aws_lc_rs::rand::fill(&mut key).ok()?;
        Self::with(&key)
    }

    fn with(key: &[u8; 16]) -> Option<Self> {
        let key = UnboundKey::new(&AES_128_GCM, key).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Of a token; of a text that is too long for any, none.
    pub(super) fn tag(&self, token: &[u8]) -> Option<Tag> {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        // Nothing is encrypted: the token is what is only vouched for.
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(token), &mut []);
        tag.ok()?.as_ref().first_chunk().copied().map(Tag)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag")
    }
}

impl fmt::Debug for Tagger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tagger")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// As `openssl mac -cipher AES-128-GCM` says with a nonce of zeros, and for the empty text the first test case of the
    /// GCM specification.
    #[test]
    fn is_gmac() {
        let with = |key, text| {
            let tag = Tagger::with(&key).unwrap().tag(text).unwrap();
            u128::from_be_bytes(tag.0)
        };
        assert_eq!(
            with([0; 16], b""),
            0x58e2_fcce_fa7e_3061_367f_1d57_a4e7_455a
        );
        let counted = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(
            with(counted, b"token"),
            0x8f28_8917_4592_c024_7696_7de0_3df8_d41d
        );
    }

    proptest! {
        #[test]
        fn two_texts_have_one_tag_if_they_are_the_same(
            one in proptest::collection::vec(any::<u8>(), 0..70), other in proptest::collection::vec(any::<u8>(), 0..70),
        ) {
            let tagger = Tagger::new().unwrap();
            prop_assert_eq!(tagger.tag(&one) == tagger.tag(&other), one == other);
            prop_assert_eq!(tagger.tag(&one), tagger.tag(&one));
        }

        #[test]
        fn every_bit_counts_and_so_does_the_length(text in proptest::collection::vec(any::<u8>(), 0..70)) {
            let tagger = Tagger::new().unwrap();
            let tag = tagger.tag(&text);
            for bit in 0..text.len() * 8 {
                let mut other = text.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(tagger.tag(&other) != tag);
            }
            for padding in 1..33 {
                let mut other = text.clone();
                other.resize(text.len() + padding, 0);
                prop_assert!(tagger.tag(&other) != tag);
            }
        }
    }

    #[test]
    fn another_key_gives_other_tags_and_nothing_of_either_is_shown() {
        let [one, other] = [(); 2].map(|()| Tagger::new().unwrap());
        let (tag, others) = (one.tag(b"token").unwrap(), other.tag(b"token").unwrap());
        assert!(tag != others);
        assert_eq!(format!("{one:?} {tag:?}"), "Tagger Tag");
    }
}
