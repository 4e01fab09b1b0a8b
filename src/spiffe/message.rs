//! What the Workload API says: `X509SVIDResponse`, a message of protobuf.
//!
//! All of its fields are texts and bytes, so that a reader of our own is shorter than what it would take to have one
//! made. Never here: half a message.

/// One identity, as it came.
#[derive(Default)]
pub(super) struct RawSvid<'a> {
    pub(super) id: &'a [u8],
    /// DER, one after the other, leaf first.
    pub(super) chain: &'a [u8],
    /// PKCS #8.
    pub(super) key: &'a [u8],
    /// DER, one after the other.
    pub(super) bundle: &'a [u8],
}

/// All identities of a workload, lists of certificates that are revoked, and the bundles of other trust domains by the
/// domains' names.
#[derive(Default)]
pub(super) struct RawResponse<'a> {
    pub(super) svids: Vec<RawSvid<'a>>,
    /// DER, one list each.
    pub(super) revoked: Vec<&'a [u8]>,
    pub(super) federated: Vec<(&'a [u8], &'a [u8])>,
}

/// Reads a message; `None` if it is not one.
pub(super) fn response(message: &[u8]) -> Option<RawResponse<'_>> {
    let mut response = RawResponse::default();
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => response.svids.push(svid(value)?),
            2 => response.revoked.push(value),
            3 => response.federated.push(entry(value)?),
            _ => {}
        }
    }
    Some(response)
}

fn svid(message: &[u8]) -> Option<RawSvid<'_>> {
    let mut svid = RawSvid::default();
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => svid.id = value,
            2 => svid.chain = value,
            3 => svid.key = value,
            4 => svid.bundle = value,
            _ => {}
        }
    }
    Some(svid)
}

fn entry(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut key, mut of_key): (&[u8], &[u8]) = (&[], &[]);
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => key = value,
            2 => of_key = value,
            _ => {}
        }
    }
    Some((key, of_key))
}

/// The fields of a message that are still to be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The next field that has a length: its number and its value. Others are passed over. The outer `None` is a fault.
    #[expect(clippy::option_option, reason = "the end and a fault are two things")]
    fn next(&mut self) -> Option<Option<(u64, &'a [u8])>> {
        while !self.0.is_empty() {
            let key = self.varint()?;
            let length = match key & 7 {
                0 => {
                    self.varint()?;
                    continue;
                }
                1 => 8,
                2 => usize::try_from(self.varint()?).ok()?,
                5 => 4,
                _ => return None,
            };
            let (value, rest) = self.0.split_at_checked(length)?;
            self.0 = rest;
            if key & 7 == 2 {
                return Some(Some((key >> 3, value)));
            }
        }
        Some(None)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for place in 0..10_u32 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let digits = u64::from(byte & 0x7f);
            let shifted = digits.checked_shl(place.checked_mul(7)?)?;
            // The tenth byte has room for one bit.
            if place == 9 && digits > 1 {
                return None;
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field with a length.
    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        let mut field = vec![(number << 3) | 2, u8::try_from(value.len()).unwrap()];
        field.extend(value);
        field
    }

    #[test]
    fn a_message_is_taken_apart_and_unknown_fields_passed_over() {
        let one = [
            field(1, b"spiffe://a/b"),
            field(2, b"chain"),
            field(3, b"key"),
            field(4, b"bundle"),
            field(5, b"hint"),
        ];
        let other = [field(1, b"spiffe://a/c"), vec![0x78, 0x80, 1]];
        let federated = [field(1, b"spiffe://b"), field(2, b"roots")];
        let message = [
            field(1, &one.concat()),
            field(2, b"a list of revoked ones"),
            field(3, &federated.concat()),
            vec![0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7d, 1, 2, 3, 4],
            field(1, &other.concat()),
        ];
        let message = message.concat();
        let read = response(&message).unwrap();
        assert_eq!(read.federated, [(&b"spiffe://b"[..], &b"roots"[..])]);
        assert_eq!(read.revoked, [b"a list of revoked ones"]);
        let ids: Vec<_> = read.svids.iter().map(|svid| svid.id).collect();
        assert_eq!(ids, [b"spiffe://a/b", b"spiffe://a/c"]);
        let first = &read.svids[0];
        assert_eq!(
            (first.chain, first.key, first.bundle),
            (&b"chain"[..], &b"key"[..], &b"bundle"[..])
        );
        for cut in 1..message.len() {
            // Between two fields the rest is a message of its own.
            let _whole_or_not = response(&message[..cut]);
        }
        assert!(response(&message[..message.len() - 1]).is_none());
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let endless = [0xff; 11];
        for odd in [
            &[0x0a][..],
            &[0x0a, 5, 1],
            &[0x0b, 0],
            &[
                0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            &endless,
            &[0x0a, 2, 0x0a, 9],
        ] {
            assert!(response(odd).is_none(), "{odd:?}");
        }
        assert!(response(&[]).unwrap().svids.is_empty());
    }
}
