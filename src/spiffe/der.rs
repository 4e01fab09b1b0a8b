//! Elements of DER (X.690), one after the other.
//!
//! Never here: BER. A length that is not in its shortest form, or not there, is not read.

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// Tag, length and content.
    pub(super) whole: &'a [u8],
}

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next element; `None` if there is none that is whole.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (tag, rest) = self.0.split_first()?;
        // A tag of several bytes has no place in a certificate.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (first, rest) = rest.split_first()?;
        let (length, rest) = if *first < 0x80 {
            (usize::from(*first), rest)
        } else {
            long_length(usize::from(first & 0x7f), rest)?
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole_length = self.0.len().checked_sub(after.len())?;
        let whole = self.0.get(..whole_length)?;
        self.0 = after;
        Some(Element {
            tag: *tag,
            content,
            whole,
        })
    }

    /// The content of the next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let element = self.next().filter(|element| element.tag == tag)?;
        Some(element.content)
    }

    /// The content of the next element if it has this tag; else nothing is read.
    pub(super) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let content = ahead.expect(tag)?;
        *self = ahead;
        Some(content)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn long_length(bytes: usize, rest: &[u8]) -> Option<(usize, &[u8])> {
    if !(1..=4).contains(&bytes) {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(bytes)?;
    let length = digits
        .iter()
        .fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
    let is_shortest = length >= 0x80 && digits.first() != Some(&0);
    is_shortest.then_some((length, rest))
}

/// The elements of a concatenation, each whole; `None` if there is anything else in it.
pub(super) fn split(concatenated: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader(concatenated);
    let mut elements = Vec::new();
    while !reader.is_empty() {
        let element = reader.next()?;
        elements.push(element.whole);
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_taken_apart_and_odd_ones_refused() {
        let two = split(&[0x30, 1, 0, 0x04, 0x81, 0x80]);
        assert_eq!(two, None, "the second one is cut off");
        let mut long = vec![0x04, 0x81, 0x80];
        long.extend([7; 0x80]);
        let whole = [&[0x30, 1, 0], long.as_slice()].concat();
        assert_eq!(split(&whole).unwrap(), [&[0x30, 1, 0], long.as_slice()]);
        for odd in [
            &[0x30_u8][..],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 1, 0],
            &[0x30, 0x82, 0, 1, 0],
            &[0x30, 0x85, 0, 0, 0, 0, 1, 0],
            &[0x3f, 1, 0],
        ] {
            assert_eq!(split(odd), None, "{odd:?}");
        }
    }
}
