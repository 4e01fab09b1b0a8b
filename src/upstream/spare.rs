//! A request kept for sending it again, at little cost: nearly none is ever sent again.
//!
//! A copied map of headers counts references to each part and takes memory twice; its text takes it once. Never here: a
//! body; what has one is not sent again.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use http_body::Body as _;

use super::upload::{Progress, Upload};
use crate::call::Body;

/// A request whose repetition is as good as once.
#[derive(Debug)]
pub(super) struct Spare {
    method: Method,
    uri: Uri,
    version: Version,
    headers: Fields,
    progress: Arc<Progress>,
}

impl Spare {
    /// Whether sending it twice is as good as once (RFC 9110 §9.2.2), and all of it is in its head.
    pub(super) fn is_possible(request: &Request<Upload>) -> bool {
        let idempotent = matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
        );
        idempotent && request.body().is_end_stream()
    }

    /// That of a request without a body.
    pub(super) fn of(request: &Request<Upload>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            headers: Fields::of(request.headers()),
            progress: Arc::clone(&request.body().progress),
        }
    }

    /// The request.
    pub(super) fn into_request(self) -> Option<Box<Request<Upload>>> {
        let upload = Upload::new(Body::Empty, self.progress, Duration::ZERO);
        let mut request = Request::new(upload);
        *request.headers_mut() = self.headers.read()?;
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.version_mut() = self.version;
        Some(Box::new(request))
    }
}

/// Fields as text: what tells whether the value is a secret, the name, a colon, the value and a line feed. No name holds a
/// colon, and no value a line feed (RFC 9110 §5.1, §5.5).
#[derive(Debug)]
struct Fields(Vec<u8>);

const OPEN: u8 = b' ';
const SECRET: u8 = b'!';

impl Fields {
    fn of(headers: &HeaderMap) -> Self {
        let length =
            |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 3;
        let mut text = Vec::with_capacity(headers.iter().map(length).sum());
        for (name, value) in headers {
            text.push(if value.is_sensitive() { SECRET } else { OPEN });
            text.extend_from_slice(name.as_str().as_bytes());
            text.push(b':');
            text.extend_from_slice(value.as_bytes());
            text.push(b'\n');
        }
        Self(text)
    }

    fn read(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for line in self.0.split_inclusive(|byte| *byte == b'\n') {
            let (kind, field) = line.strip_suffix(b"\n")?.split_first()?;
            let colon = field.iter().position(|byte| *byte == b':')?;
            let (name, value) = field.split_at_checked(colon)?;
            let mut value = HeaderValue::from_bytes(value.strip_prefix(b":")?).ok()?;
            value.set_sensitive(*kind == SECRET);
            headers.append(HeaderName::from_bytes(name).ok()?, value);
        }
        Some(headers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn headers_come_out_as_they_went_in(
            fields in proptest::collection::vec(
                ("[!#$%&'*+.^_`|~0-9a-z-]{1,12}", proptest::collection::vec(any::<u8>(), 0..24), any::<bool>()),
                0..12,
            ),
        ) {
            let mut headers = HeaderMap::new();
            for (name, value, is_secret) in fields {
                if let Ok(mut value) = HeaderValue::from_bytes(&value) {
                    value.set_sensitive(is_secret);
                    headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
                }
            }
            let read = Fields::of(&headers).read().unwrap();
            let secrets = |headers: &HeaderMap| {
                headers.iter().map(|(_, value)| value.is_sensitive()).collect::<Vec<_>>()
            };
            prop_assert_eq!(&read, &headers);
            prop_assert_eq!(secrets(&read), secrets(&headers));
        }
    }

    #[test]
    fn a_request_is_sent_again_as_it_was() {
        let progress = Progress::new();
        let upload = Upload::new(Body::Empty, Arc::clone(&progress), Duration::ZERO);
        let request = Request::put("/hr?x=1")
            .version(Version::HTTP_2)
            .header("host", "hr")
            .header("x-two", "1")
            .header("x-two", "2")
            .body(upload)
            .unwrap();
        assert!(Spare::is_possible(&request));
        let again = Spare::of(&request).into_request().unwrap();
        assert_eq!(
            (
                again.method(),
                again.uri(),
                again.version(),
                again.headers()
            ),
            (
                request.method(),
                request.uri(),
                request.version(),
                request.headers()
            )
        );
        assert!(Arc::ptr_eq(&again.body().progress, &progress));
        assert!(again.body().is_end_stream());
    }
}
