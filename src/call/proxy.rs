//! The PROXY protocol, versions 1 and 2 (haproxy's `proxy-protocol.txt`, 2020/03/05): before the first byte of a
//! connection a load balancer says whose connection it passes on.
//!
//! One reading or none, as with heads. Never here: whom to believe it, and IO.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, its CR LF included (§2.1).
const MAX_TEXT_BYTES: usize = 107;
/// How version 1 begins.
const TEXT: &[u8] = b"PROXY ";
/// How version 2 begins (§2.2): what no other protocol begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2 up to its addresses: signature, version and command, family and protocol, length.
const FIXED_BYTES: usize = 16;
/// The most behind that: addresses, and what balancers add of their own. It is skipped.
const MAX_REST_BYTES: usize = 2048;

/// A header, read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// How many bytes it is long.
    pub length: usize,
    /// The client whose connection is passed on; `None` for one of the balancer's own, as its health checks are.
    pub client: Option<SocketAddr>,
}

/// Bytes that begin no header of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a header of the PROXY protocol")]
pub struct Malformed;

/// Reads the header at the front of these bytes; `None` while its end has not come.
///
/// # Errors
/// [`Malformed`], as soon as it is certain.
pub fn read(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    if begins(bytes, SIGNATURE) {
        binary(bytes)
    } else if begins(bytes, TEXT) {
        text(bytes)
    } else {
        Err(Malformed)
    }
}

/// Whether the bytes, however few, are those of `start` as far as they go.
fn begins(bytes: &[u8], start: &[u8]) -> bool {
    bytes.iter().zip(start).all(|(one, other)| one == other)
}

/// Version 1: one line.
fn text(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let shown = bytes.get(..MAX_TEXT_BYTES).unwrap_or(bytes);
    let Some(end) = shown.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() < MAX_TEXT_BYTES {
            Ok(None)
        } else {
            Err(Malformed)
        };
    };
    let length = end.saturating_add(1);
    let line = shown
        .get(..length)
        .and_then(|line| line.strip_suffix(b"\r\n"));
    let line = line.and_then(|line| std::str::from_utf8(line).ok());
    let line = line.and_then(|line| line.strip_prefix("PROXY "));
    let client = said(line.ok_or(Malformed)?)?;
    Ok(Some(Header { length, client }))
}

/// Family, both addresses and both ports, with one blank between each.
fn said(line: &str) -> Result<Option<SocketAddr>, Malformed> {
    let mut parts = line.split(' ');
    let family = parts.next();
    // What follows then is to be skipped (§2.1).
    if family == Some("UNKNOWN") {
        return Ok(None);
    }
    let (Some(family), Some(source), Some(target), Some(source_port), Some(target_port), None) = (
        family,
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return Err(Malformed);
    };
    let address = match family {
        "TCP4" => pair::<Ipv4Addr>(source, target).map(Into::into),
        "TCP6" => pair::<Ipv6Addr>(source, target).map(Into::into),
        _ => None,
    };
    let ports = port(source_port).zip(port(target_port));
    match (address, ports) {
        (Some(address), Some((port, _))) => Ok(Some(SocketAddr::new(address, port))),
        _ => Err(Malformed),
    }
}

/// The first of two addresses that are both of the kind.
fn pair<A: std::str::FromStr>(source: &str, target: &str) -> Option<A> {
    let (source, target) = (source.parse().ok()?, target.parse::<A>().ok()?);
    drop(target);
    Some(source)
}

/// Digits without a sign or a leading zero.
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = text == "0" || !text.starts_with('0');
    (is_plain && is_short).then(|| text.parse().ok()).flatten()
}

/// Version 2.
fn binary(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED_BYTES>() else {
        return Ok(None);
    };
    let [.., command, family, high, low] = *fixed;
    let rest_length = usize::from(u16::from_be_bytes([high, low]));
    if rest_length > MAX_REST_BYTES {
        return Err(Malformed);
    }
    let is_own = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(Malformed),
    };
    let Some(rest) = rest.get(..rest_length) else {
        return Ok(None);
    };
    let client = if is_own {
        None
    } else {
        addresses(family, rest)?
    };
    Ok(Some(Header {
        length: FIXED_BYTES.saturating_add(rest_length),
        client,
    }))
}

/// The client of a connection that is passed on. Datagrams and Unix sockets are no connections that come here.
fn addresses(family: u8, rest: &[u8]) -> Result<Option<SocketAddr>, Malformed> {
    match family {
        0x00 => Ok(None),
        0x11 => {
            let (source, port) = ends::<4, 12>(rest)?;
            Ok(Some((Ipv4Addr::from(source), port).into()))
        }
        0x21 => {
            let (source, port) = ends::<16, 36>(rest)?;
            Ok(Some((Ipv6Addr::from(source), port).into()))
        }
        _ => Err(Malformed),
    }
}

/// Address and port of the client, of a block of `ALL` bytes: two addresses of `LENGTH` bytes, two ports.
fn ends<const LENGTH: usize, const ALL: usize>(
    rest: &[u8],
) -> Result<([u8; LENGTH], u16), Malformed> {
    let block = rest.first_chunk::<ALL>().ok_or(Malformed)?;
    let source = block.first_chunk::<LENGTH>().ok_or(Malformed)?;
    let ports = block.last_chunk::<4>().ok_or(Malformed)?;
    let [high, low, ..] = *ports;
    Ok((*source, u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(bytes: &[u8]) -> Result<Option<Option<String>>, Malformed> {
        let header = read(bytes)?;
        Ok(header.map(|header| header.client.map(|client| client.to_string())))
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    #[test]
    fn version_1_names_the_client() {
        for (line, expected) in [
            (
                "TCP4 192.0.2.1 198.51.100.2 56324 443",
                Some("192.0.2.1:56324"),
            ),
            ("TCP6 2001:db8::1 2001:db8::2 4 0", Some("[2001:db8::1]:4")),
            ("UNKNOWN", None),
            ("UNKNOWN ffff::1 whatever 1", None),
        ] {
            let bytes = format!("PROXY {line}\r\nGET /");
            let header = read(bytes.as_bytes()).unwrap().unwrap();
            assert_eq!(header.length, line.len() + 8, "{line}");
            let client = header.client.map(|client| client.to_string());
            assert_eq!(client.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn version_1_has_one_form() {
        for line in [
            "tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 1\r\n",
            "TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
            "TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2  2\r\n",
            "TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
            "TCP4 2001:db8::1 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2.1 2001:db8::1 1 2\r\n",
            "TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
            "UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 1 2\n",
            "TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
            "\r\n",
        ] {
            assert_eq!(
                client(format!("PROXY {line}").as_bytes()),
                Err(Malformed),
                "{line:?}"
            );
        }
        assert_eq!(
            client(&[b"PROXY UNKNOWN ", &[b'a'; 93][..]].concat()),
            Err(Malformed)
        );
    }

    #[test]
    fn version_2_names_the_client_and_skips_what_it_does_not_know() {
        let v4 = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb];
        let mut v6 = [0; 36];
        v6[..2].copy_from_slice(&[0x20, 0x01]);
        v6[15] = 1;
        v6[33] = 7;
        let more = [&v4[..], &[0x04, 0, 1, 0]].concat();
        for (bytes, expected) in [
            (version_2(0x21, 0x11, &v4), Some("192.0.2.1:56324")),
            (version_2(0x21, 0x11, &more), Some("192.0.2.1:56324")),
            (version_2(0x21, 0x21, &v6), Some("[2001::1]:7")),
            (version_2(0x21, 0x00, &[]), None),
            (version_2(0x20, 0x11, &v4), None),
            (version_2(0x20, 0x00, &[]), None),
        ] {
            let header = read(&[&bytes, &b"GET"[..]].concat()).unwrap().unwrap();
            assert_eq!(header.length, bytes.len());
            let client = header.client.map(|client| client.to_string());
            assert_eq!(client.as_deref(), expected, "{bytes:?}");
        }
        for bytes in [
            version_2(0x11, 0x11, &v4),
            version_2(0x22, 0x11, &v4),
            version_2(0x21, 0x12, &v4),
            version_2(0x21, 0x31, &[0; 216]),
            version_2(0x21, 0x11, &v4[..11]),
            version_2(0x21, 0x21, &v4),
            version_2(0x21, 0x11, &[0; 2049]),
        ] {
            assert_eq!(client(&bytes), Err(Malformed), "{:?}", &bytes[..16]);
        }
    }

    #[test]
    fn half_a_header_is_waited_for_and_no_header_is_not() {
        let text = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
        let binary = version_2(0x21, 0x11, &[1; 12]);
        for whole in [&text[..], &binary] {
            for end in 0..whole.len() {
                assert_eq!(client(&whole[..end]), Ok(None), "{end}");
            }
            assert!(client(whole).unwrap().is_some());
        }
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"\x16\x03\x01",
            b"P ",
            b"\r\n\r\n\0\r\nQUIT\r",
        ] {
            assert_eq!(client(bytes), Err(Malformed), "{bytes:?}");
        }
    }
}
