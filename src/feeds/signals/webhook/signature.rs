//! Whether a report comes from somebody who has the secret, and was sent just now.
//!
//! The time is signed with the body, so an old report cannot be given a new one. Never here: a comparison whose time
//! tells how much was right.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};

use super::settings::{Encoding, SignatureSettings};
use crate::types::Timestamp;

/// Why a report counts as nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing, there twice, or not of its form.
    #[error("the header of the {0} is missing, given twice or not of its form")]
    Header(&'static str),
    /// Nobody who has the secret signed this.
    #[error("the signature is not valid")]
    Wrong,
    /// It was sent too long ago, or not yet.
    #[error("the time of sending is too far from now")]
    Stale,
}

/// Checks a report.
///
/// # Errors
/// [`SignatureError`]; nothing of the report may be read then.
pub(super) fn check(
    settings: &SignatureSettings,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let signature = only(headers, &settings.header);
    let signature = signature
        .and_then(|text| text.strip_prefix(&*settings.prefix))
        .and_then(|text| decode(text, settings.encoding))
        .ok_or(SignatureError::Header("signature"))?;
    let time = only(headers, &settings.timestamp_header);
    let time = time
        .filter(|text| text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or(SignatureError::Header("time"))?;
    let seconds: i64 = time
        .parse()
        .map_err(|_error| SignatureError::Header("time"))?;
    let signed = [
        settings.before.as_bytes(),
        time.as_bytes(),
        settings.between.as_bytes(),
        body,
    ]
    .concat();
    let mut secrets = settings.secrets.iter();
    if !secrets.any(|secret| secret.has_signed(&signed, &signature)) {
        return Err(SignatureError::Wrong);
    }
    let sent_at = Timestamp::from_seconds(seconds);
    let distance = now.since(sent_at).max(sent_at.since(now));
    if distance > settings.window {
        return Err(SignatureError::Stale);
    }
    Ok(())
}

/// The text of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

fn decode(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Hex => {
            let digit = |byte: u8| {
                char::from(byte)
                    .to_digit(16)
                    .and_then(|of| u8::try_from(of).ok())
            };
            let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
                [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
                _ => None,
            });
            pairs.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;
    use crate::types::Secret;

    fn settings() -> SignatureSettings {
        SignatureSettings {
            secrets: vec![Secret::new("It's a Secret to Everybody")],
            header: HeaderName::from_static("x-hub-signature-256"),
            prefix: "sha256=".into(),
            encoding: Encoding::Hex,
            timestamp_header: HeaderName::from_static("x-time"),
            before: "".into(),
            between: ".".into(),
            window: Duration::from_secs(300),
        }
    }

    fn checked(
        settings: &SignatureSettings,
        signature: &str,
        now: i64,
    ) -> Result<(), SignatureError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-hub-signature-256",
            HeaderValue::from_str(signature).unwrap(),
        );
        headers.insert("x-time", HeaderValue::from_static("1790000000"));
        check(
            settings,
            &headers,
            b"Hello, World!",
            Timestamp::from_seconds(now),
        )
    }

    #[test]
    fn what_another_implementation_signed_is_good_within_the_window_only() {
        // printf '1790000000.Hello, World!' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"
        let hex = "e45eef3357b6405ff129013ebd8233f9fe445b8d041acfc3c7230303a87cd245";
        let of = |now| checked(&settings(), &format!("sha256={hex}"), now);
        assert_eq!(of(1_790_000_000), Ok(()));
        assert_eq!(of(1_790_000_300), Ok(()));
        assert_eq!(of(1_789_999_700), Ok(()));
        assert_eq!(of(1_790_000_301), Err(SignatureError::Stale));
        assert_eq!(of(1_789_999_699), Err(SignatureError::Stale));
        let base64 = SignatureSettings {
            prefix: "".into(),
            encoding: Encoding::Base64,
            secrets: vec![
                Secret::new("another"),
                Secret::new("It's a Secret to Everybody"),
            ],
            ..settings()
        };
        assert_eq!(
            checked(
                &base64,
                "5F7vM1e2QF/xKQE+vYIz+f5EW40EGs/DxyMDA6h80kU=",
                1_790_000_000
            ),
            Ok(())
        );
    }

    #[test]
    fn what_is_no_signature_or_somebody_elses_is_refused() {
        let header = Err(SignatureError::Header("signature"));
        for signature in [
            "",
            "sha256=",
            "sha1=00",
            "sha256=0",
            "sha256=zz",
            "sha256=00ä",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                "x-hub-signature-256",
                HeaderValue::from_bytes(signature.as_bytes()).unwrap(),
            );
            headers.insert("x-time", HeaderValue::from_static("1790000000"));
            let refused = check(
                &settings(),
                &headers,
                b"",
                Timestamp::from_seconds(1_790_000_000),
            );
            let expected = if signature == "sha256=" {
                Err(SignatureError::Wrong)
            } else {
                header
            };
            assert_eq!(refused, expected, "{signature}");
        }
        let wrong = format!("sha256={}", "00".repeat(32));
        assert_eq!(
            checked(&settings(), &wrong, 1_790_000_000),
            Err(SignatureError::Wrong)
        );
        // The truth about the time is told to nobody but those who have the secret.
        assert_eq!(checked(&settings(), &wrong, 0), Err(SignatureError::Wrong));
    }
}
