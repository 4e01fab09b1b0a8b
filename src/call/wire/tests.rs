//! Streams of bytes, and how far they may go.

use super::*;

fn reader() -> Reader {
    Reader::new(RequestLimits::COMMON)
}

/// How many bytes of a stream go on, and what ends it, when it comes in pieces of `size`.
fn run(bytes: &[u8], size: usize) -> (usize, Option<Fault>) {
    let mut reader = reader();
    let mut held: Vec<u8> = Vec::new();
    let mut passed = 0;
    for piece in bytes.chunks(size) {
        held.extend_from_slice(piece);
        loop {
            match reader.advance(&held) {
                Ok(0) => break,
                Ok(cleared) => {
                    held.drain(..cleared);
                    passed += cleared;
                }
                Err(fault) => return (passed, Some(fault)),
            }
        }
    }
    (passed, None)
}

/// The same, however it is cut into pieces.
fn verdict(text: &str) -> (usize, Option<Fault>) {
    let whole = run(text.as_bytes(), usize::MAX);
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(
            run(text.as_bytes(), size),
            whole,
            "in pieces of {size}: {text:?}"
        );
    }
    whole
}

const MALFORMED: Option<Fault> = Some(Fault::Head(Reason::RequestMalformed));

#[test]
fn what_is_well_formed_goes_on_whole() {
    for text in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost:a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t b \t\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-LENGTH:  5 \r\n\r\nhelloGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n00a;x=\"y\" \r\n0\r\n\r\nGET /\r\n0\r\nX-Sum: a b\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(verdict(text), (text.len(), None), "{text:?}");
    }
}

#[test]
fn an_unfinished_head_is_held_back() {
    for text in [
        "G",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r",
    ] {
        assert_eq!(verdict(text), (0, None), "{text:?}");
    }
}

#[test]
fn a_head_that_could_be_read_in_two_ways_goes_nowhere() {
    for text in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\n",
        "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\u{0}\r\n\r\n",
        "GET / HTTP/1.1\r\n\rHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n A: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "GET / HTTP/1.1\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n",
        "GET\t/ HTTP/1.1\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / http/1.1\r\n\r\n",
        "GET / HTTP/1.2\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
        "GET /a#/../b HTTP/1.1\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n",
    ] {
        assert_eq!(verdict(text), (0, MALFORMED), "{text:?}");
    }
}

#[test]
fn a_body_that_is_not_in_the_form_of_chunks_ends_there() {
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (sound, fault) in [
        ("", "\r\n"),
        ("", "g"),
        ("", " 5"),
        ("0", "x5"),
        ("", "-1"),
        ("", ";a\r\n"),
        ("5", "\n"),
        ("5", " \r\n"),
        ("5;a", "\n"),
        ("5;a\r", "\r"),
        ("123456789abcdef", "0\r\n"),
        ("1\r\na", "b"),
        ("1\r\na\r", "0"),
        ("1\r\na", "\n"),
        ("0\r\n", "\n"),
        ("0\r\n", " A: b"),
        ("0\r\nA", " : b"),
        ("0\r\nA: b", "\n"),
        ("0\r\nA: b\r\n", ": c"),
        ("0\r\n\r", "x"),
    ] {
        let text = format!("{head}{sound}{fault}");
        let expected = (head.len() + sound.len(), Some(Fault::Body));
        assert_eq!(verdict(&text), expected, "{text:?}");
    }
    let long = format!("{head}1;{}\r\n", "a".repeat(5000));
    assert_eq!(verdict(&long).1, Some(Fault::Body));
    let long = format!("{head}0\r\nA: {}\r\n", "a".repeat(9000));
    assert_eq!(verdict(&long).1, Some(Fault::Body));
}

#[test]
fn nothing_behind_a_refused_head_goes_on() {
    let text = "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nA : b\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    assert_eq!(verdict(text), (18, MALFORMED));
}

#[test]
fn a_head_over_a_limit_is_named_by_its_limit() {
    let limits = RequestLimits {
        max_uri_bytes: 10,
        max_header_bytes: 100,
        max_headers: 3,
        ..RequestLimits::COMMON
    };
    let fault = |text: &str| {
        let mut reader = Reader::new(limits);
        match reader.advance(text.as_bytes()) {
            Err(Fault::Head(reason)) => Some(reason),
            Ok(_) | Err(Fault::Body) => None,
        }
    };
    let long = "a".repeat(2000);
    for (text, expected) in [
        ("GET /123456789 HTTP/1.1\r\n\r\n".to_owned(), None),
        (
            "GET /1234567890 HTTP/1.1\r\n\r\n".to_owned(),
            Some(Reason::UriTooLong),
        ),
        (format!("GET /{long}"), Some(Reason::UriTooLong)),
        (
            format!("GET / HTTP/1.1\r\nA: {long}"),
            Some(Reason::HeadersTooLarge),
        ),
        ("GET / HTTP/1.1\r\nA:\r\nA:\r\nA:\r\n\r\n".to_owned(), None),
        (
            "GET / HTTP/1.1\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n".to_owned(),
            Some(Reason::HeadersTooLarge),
        ),
    ] {
        assert_eq!(fault(&text), expected, "{text:.60}");
    }
}
