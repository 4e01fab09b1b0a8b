//! What it costs to read a head strictly, before the HTTP library reads it: every HTTP/1.1 call pays for it. Beside it,
//! what the library's own parser takes for the same bytes.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up should stop"
)]

use boomgate::call::RequestLimits;
use boomgate::call::wire::Reader;
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The least that can be asked, and what an agent's client sends.
fn heads() -> [String; 2] {
    let token = format!("eyJ{}", "a1b2C3d4-_".repeat(80));
    let usual = format!(
        "GET /hr/people/7?fields=name,mail&page=3 HTTP/1.1\r\nHost: hr.example.com\r\n\
         User-Agent: agent-framework/1.4 (linux; x86_64)\r\nAccept: application/json\r\nAccept-Encoding: gzip, br\r\n\
         Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\
         X-Request-Id: 6f1e4d1c-5a2b-4a77-9a53-0d1f2a3b4c5d\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), usual]
}

#[divan::bench(args = heads())]
fn read_strictly(bencher: Bencher<'_, '_>, head: &String) {
    bencher.bench(|| {
        let mut reader = Reader::new(RequestLimits::COMMON);
        reader
            .advance(divan::black_box(head.as_bytes()))
            .expect("it is well-formed")
    });
}

#[divan::bench(args = heads())]
fn read_by_the_library(bencher: Bencher<'_, '_>, head: &String) {
    bencher.bench(|| {
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut fields);
        request
            .parse(divan::black_box(head.as_bytes()))
            .expect("it is well-formed")
    });
}
