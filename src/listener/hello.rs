//! How a client begins TLS, as a print: what tells a program with its library from another one, whatever both call themselves.
//!
//! In the manner of JA4, and not JA4: made of what the library shows of a ClientHello, which is cipher suites, signature
//! schemes, named groups, and whether kinds of certificate and authorities are named. In order, and without what is there
//! to vary (GREASE, RFC 8701), so that a client that shuffles has one print. Resumption sends the same again.
//! Never here: what one program says differently from call to call: ALPN, the server's name, a ticket.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::server::ClientHello;

/// Says that a connection is a second try after an older version (RFC 7507): a matter of the connection.
const FALLBACK: u16 = 0x5600;

/// So many bytes of the digest are the print.
const BYTES: usize = 8;

/// The print of a client.
pub(super) fn print(hello: &ClientHello<'_>) -> Arc<str> {
    let suites = hello.cipher_suites().iter().map(|one| u16::from(*one));
    let schemes = hello.signature_schemes().iter().map(|one| u16::from(*one));
    let groups = hello.named_groups().unwrap_or_default().iter();
    let groups = groups.map(|one| u16::from(*one));
    let named = [
        hello.server_cert_types().is_some(),
        hello.client_cert_types().is_some(),
        hello.certificate_authorities().is_some(),
    ];
    of_parts(
        [suites.collect(), schemes.collect(), groups.collect()],
        named,
    )
}

fn of_parts(lists: [Vec<u16>; 3], named: [bool; 3]) -> Arc<str> {
    let mut bytes = Vec::with_capacity(256);
    for mut list in lists {
        list.retain(|number| !is_grease(*number) && *number != FALLBACK);
        list.sort_unstable();
        list.dedup();
        let length = u16::try_from(list.len()).unwrap_or(u16::MAX);
        for number in std::iter::once(length).chain(list) {
            bytes.extend(number.to_be_bytes());
        }
    }
    bytes.extend(named.map(u8::from));
    let digest = digest(&SHA256, &bytes);
    let print = digest.as_ref().iter().take(BYTES);
    let digits: Vec<_> = print.map(|byte| format!("{byte:02x}")).collect();
    digits.concat().into()
}

/// Numbers that mean nothing, and that clients send at random so that servers get used to what they do not know.
fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0F == 0x0A
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lists: [&[u16]; 3]) -> Arc<str> {
        of_parts(lists.map(<[u16]>::to_vec), [false; 3])
    }

    #[test]
    fn a_client_that_shuffles_or_greases_has_one_print() {
        let plain = of([&[0x1301, 0x1302, 0xC02B], &[0x0403, 0x0804], &[29, 23]]);
        let shuffled = of([&[0xC02B, 0x1301, 0x1302], &[0x0804, 0x0403], &[23, 29]]);
        let greased = of([
            &[0x1A1A, 0x1301, 0x1302, 0xC02B],
            &[0x0403, 0x0804],
            &[0xFAFA, 29, 23],
        ]);
        let again = of([
            &[0x5600, 0x1301, 0x1302, 0xC02B, 0xDADA],
            &[0x0403, 0x0804],
            &[0x0A0A, 29, 23],
        ]);
        assert_eq!(plain.len(), 16);
        for other in [shuffled, greased, again] {
            assert_eq!(other, plain);
        }
    }

    #[test]
    fn each_list_tells_clients_apart_and_is_no_part_of_another() {
        let one = of([&[0x1301, 0x1302], &[0x0403], &[29]]);
        for other in [
            of([&[0x1301], &[0x0403], &[29]]),
            of([&[0x1301, 0x1302], &[0x0804], &[29]]),
            of([&[0x1301, 0x1302], &[0x0403], &[23]]),
            of([&[0x1301, 0x1302], &[0x0403, 29], &[]]),
            of([&[0x1301], &[0x1302, 0x0403], &[29]]),
            of_parts(
                [vec![0x1301, 0x1302], vec![0x0403], vec![29]],
                [false, false, true],
            ),
        ] {
            assert_ne!(other, one);
        }
        // Two equal bytes that end otherwise are a number like any other.
        assert_ne!(of([&[0x1B1B], &[], &[]]), of([&[], &[], &[]]));
    }
}
