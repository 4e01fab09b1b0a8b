//! What holds of the parsers on the path of a call, whatever the bytes. The fuzz targets look for bytes that break it;
//! `tests/it/fuzz_call.rs` replays the corpora.

use boomgate::call::headers::{self, RequestLimits, is_reserved};
use boomgate::call::proxy;
use boomgate::call::target::{Target, normalise};
use boomgate::call::wire::{Fault, Reader};
use boomgate::call::{ForwardingHeader, TrustedProxies};
use boomgate::identity::jose;
use boomgate::types::IpRange;
use http::{HeaderMap, HeaderName, HeaderValue};

/// A path that is not refused is in normal form, and decodes to nothing that a server could take for another one.
pub fn request_target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(Target { path, query }) = Target::parse(text) else {
        return;
    };
    assert_eq!(normalise(&path).as_deref(), Ok(&*path), "normalised twice");
    assert!(path.starts_with('/') && path.is_ascii());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        assert!(segment != "." && segment != "..", "{path}");
        assert!(!segment.is_empty() || segments.peek().is_none(), "{path}");
    }
    let decoded = decoded(&path);
    let slashes = |text: &str| text.matches('/').count();
    assert_eq!(
        slashes(&decoded),
        slashes(&path),
        "a slash appeared: {path}"
    );
    for forbidden in ['\\', ';', '\0', '\r', '\n', '#'] {
        assert!(forbidden == '#' || !decoded.contains(forbidden), "{path}");
        assert!(!path.contains(forbidden), "{path}");
    }
    assert!(!path.contains('?'));
    let query = query.unwrap_or_default();
    assert!(
        query
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    );
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&digits, 16).expect("normal form has two digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("normal form is of UTF-8")
}

/// However a stream is cut, the same bytes go on; and a head that goes on is one to the library behind too, of the
/// same length and with the same framing.
pub fn wire(data: &[u8]) {
    let whole = run(data, data.len().max(1), |_| {});
    for size in [1, 3, 17] {
        let pieces = run(data, size, |head| {
            if size == 1 {
                agrees_with_the_library(head);
            }
        });
        assert_eq!(pieces, whole, "in pieces of {size}");
    }
}

/// How many bytes go on, and what ends them. `on_head` sees what goes on when a head ends.
fn run(data: &[u8], size: usize, mut on_head: impl FnMut(&[u8])) -> (usize, Option<Fault>) {
    let mut reader = Reader::new(RequestLimits::COMMON);
    let mut held: Vec<u8> = Vec::new();
    let mut passed = 0;
    for piece in data.chunks(size) {
        held.extend_from_slice(piece);
        loop {
            let heads = reader.heads();
            match reader.advance(&held) {
                Ok(0) => break,
                Ok(cleared) => {
                    let gone: Vec<u8> = held.drain(..cleared).collect();
                    if reader.heads() > heads {
                        on_head(&gone);
                    }
                    passed += cleared;
                }
                Err(fault) => return (passed, Some(fault)),
            }
        }
    }
    (passed, None)
}

fn agrees_with_the_library(head: &[u8]) {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        other => panic!("the library does not take it: {other:?}"),
    };
    assert_eq!(length, head.len(), "the library ends the head elsewhere");
    let target = request.path.expect("a request has a target");
    assert!(!target.contains('#') && target.parse::<http::Uri>().is_ok());
    let values = |name: &str| {
        let fields = request.headers.iter();
        fields
            .filter(|field| field.name.eq_ignore_ascii_case(name))
            .count()
    };
    assert!(values("content-length") + values("transfer-encoding") <= 1);
    for field in request.headers.iter() {
        assert!(HeaderName::from_bytes(field.name.as_bytes()).is_ok());
        assert!(HeaderValue::from_bytes(field.value).is_ok());
    }
}

/// Lines `name: value`. Headers that are not refused have one reading, and what is taken away stays away.
pub fn headers(data: &[u8]) {
    let mut map = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some(at) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..at]);
        let value = HeaderValue::from_bytes(&line[at + 1..]);
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    if headers::check(&map, &RequestLimits::COMMON).is_err() {
        return;
    }
    let authorizations = map.get_all("authorization").iter().count();
    headers::strip(&mut map);
    for name in map.keys() {
        let name = name.as_str();
        let folded = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        assert!(!is_reserved(&folded), "{name} went on");
        let hop = [
            "connection",
            "keep-alive",
            "transfer-encoding",
            "upgrade",
            "proxy-connection",
        ];
        assert!(!hop.contains(&&*folded), "{name} went on");
    }
    assert!(!map.contains_key("content-length") && !map.contains_key("trailer"));
    // The credential is judged by others: all of it is still there.
    assert_eq!(map.get_all("authorization").iter().count(), authorizations);
    let once = map.clone();
    headers::strip(&mut map);
    assert_eq!(map, once, "taken away twice");
}

/// Whatever a credential holds, reading it ends, and refuses what is over the limit.
pub fn jwt_header(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if jose::read(text, 16 * 1024).is_ok() {
        assert_eq!(text.matches('.').count(), 2);
        assert!(jose::read(text, text.len() - 1).is_err());
    }
}

/// However a header of the PROXY protocol comes in, it says the same; half of one is waited for; what is behind it does
/// not matter.
pub fn proxy_header(data: &[u8]) {
    let whole = proxy::read(data);
    let Ok(Some(header)) = whole else {
        // What is no header does not become one.
        for end in 0..data.len() {
            assert!(
                !matches!(proxy::read(&data[..end]), Ok(Some(_))),
                "ends at {end}"
            );
        }
        return;
    };
    assert!(header.length <= data.len());
    for end in 0..header.length {
        assert_eq!(proxy::read(&data[..end]), Ok(None), "cut at {end}");
    }
    assert_eq!(proxy::read(&data[..header.length]), whole);
    let longer = [&data[..header.length], &b"\x16\x03\x01\r\n"[..]].concat();
    assert_eq!(proxy::read(&longer), whole);
}

/// What trusted proxies say is believed no further than to the first address that is none of theirs; whatever a client
/// puts before it changes nothing.
pub fn forwarded(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let peer = "10.0.0.1".parse().expect("an address");
    let range = IpRange::parse("10.0.0.0/8").expect("a range");
    for (header, name, other, own) in [
        (
            ForwardingHeader::XForwardedFor,
            "x-forwarded-for",
            "forwarded",
            "192.0.2.1",
        ),
        (
            ForwardingHeader::Forwarded,
            "forwarded",
            "x-forwarded-for",
            "for=192.0.2.1",
        ),
    ] {
        let proxies = TrustedProxies {
            addresses: vec![range],
            header,
        };
        let mut headers = HeaderMap::new();
        headers.append(other, value.clone());
        assert_eq!(proxies.client(peer, &headers), Ok(peer), "the other header");
        headers.append(name, value.clone());
        let alone = proxies.client(peer, &headers);
        if let Ok(client) = alone {
            assert_eq!(client, client.to_canonical());
        }
        headers.append(name, HeaderValue::from_static(own));
        let appended = proxies
            .client(peer, &headers)
            .map(|client| client.to_string());
        assert_eq!(appended.as_deref(), Ok("192.0.2.1"), "a field behind it");
        headers.remove(name);
        let line = [data, b", ", own.as_bytes()].concat();
        if let Ok(line) = HeaderValue::from_bytes(&line)
            && line.to_str().is_ok()
        {
            headers.append(name, line);
            let appended = proxies
                .client(peer, &headers)
                .map(|client| client.to_string());
            assert_eq!(appended.as_deref(), Ok("192.0.2.1"), "a member behind it");
        }
    }
}
