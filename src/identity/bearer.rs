//! The credential of a call: what the `Authorization` header holds (RFC 6750 §2.1, RFC 9449 §7.1, RFC 9110 §11.4).
//!
//! Never here: a token from anywhere else. A query parameter, a cookie or a form is not looked at.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::types::Reason;

/// How a token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Whoever has the token may use it.
    Bearer,
    /// With a proof that the caller holds the key that it is bound to.
    Dpop,
}

/// A token. One that was verified before is known by its bytes, so it is read only where it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// As it stands in a header.
    Unread(&'t [u8]),
    /// As it was taken from elsewhere.
    Text(&'t str),
}

impl<'t> Token<'t> {
    pub(super) const fn bytes(self) -> &'t [u8] {
        match self {
            Self::Unread(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }

    /// Its text; that of a header is one `token68` (RFC 9110 §11.2). A list of credentials is none: it holds a comma.
    ///
    /// # Errors
    /// [`Reason::CredentialMalformed`]
    pub(super) fn read(self) -> Result<&'t str, Reason> {
        match self {
            Self::Unread(bytes) => std::str::from_utf8(bytes)
                .ok()
                .filter(|text| is_token68(text))
                .ok_or(Reason::CredentialMalformed),
            Self::Text(text) => Ok(text),
        }
    }
}

/// A token as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent<'h> {
    pub(super) scheme: Scheme,
    pub(super) token: Token<'h>,
}

/// The token of a call. The scheme is read in any case, and exactly one space follows it.
///
/// # Errors
/// [`Reason::CredentialMissing`] without a credential or with one of another scheme;
/// [`Reason::CredentialMalformed`] for one that is given twice, or whose scheme is none.
pub(super) fn read(headers: &HeaderMap) -> Result<Sent<'_>, Reason> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let field = fields.next().ok_or(Reason::CredentialMissing)?;
    if fields.next().is_some() {
        return Err(Reason::CredentialMalformed);
    }
    let bytes = field.as_bytes();
    let space = bytes.iter().position(|byte| *byte == b' ');
    let (scheme, token) = match space.and_then(|space| bytes.split_at_checked(space)) {
        Some((scheme, [_space, token @ ..])) => (scheme, token),
        Some((scheme, token)) => (scheme, token),
        None => (bytes, &[][..]),
    };
    if scheme.is_empty() || !scheme.iter().copied().all(is_token_byte) {
        return Err(Reason::CredentialMalformed);
    }
    let scheme = if scheme.eq_ignore_ascii_case(b"Bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case(b"DPoP") {
        Scheme::Dpop
    } else {
        return Err(Reason::CredentialMissing);
    };
    Ok(Sent {
        scheme,
        token: Token::Unread(token),
    })
}

/// `tchar` of RFC 9110 §5.6.2, which a scheme is made of.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    // Without stopping at the first that is none, so that many are looked at in one instruction.
    !body.is_empty()
        && body.bytes().fold(true, |all, byte| {
            all & (byte.is_ascii_alphanumeric()
                | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
        })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(fields: &[&[u8]]) -> Result<String, Reason> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
        }
        read(&headers)?.token.read().map(ToOwned::to_owned)
    }

    #[test]
    fn reads_one_bearer_token_in_any_case_of_the_scheme() {
        for field in ["Bearer a.b-c_d~e+f/g==", "bearer a", "BEARER a"] {
            assert!(of(&[field.as_bytes()]).is_ok(), "{field}");
        }
        assert_eq!(of(&[b"Bearer a.b.c"]).unwrap(), "a.b.c");
    }

    #[test]
    fn another_scheme_is_no_credential() {
        assert_eq!(of(&[]), Err(Reason::CredentialMissing));
        for field in ["Basic dTpw", "Digest a.b.c", "Negotiate", "Bearers a"] {
            let found = of(&[field.as_bytes()]);
            assert_eq!(found, Err(Reason::CredentialMissing), "{field}");
        }
    }

    #[test]
    fn refuses_what_is_not_exactly_one_token() {
        let fields: [&[u8]; 14] = [
            b"",
            b"Bearer",
            b"Bearer ",
            b"Bearer  a",
            b"Bearer\ta",
            b" Bearer a",
            b"Bearer a ",
            b"Bearer a b",
            b"Bearer a,b",
            b"Bearer a, Bearer b",
            b"Bearer =",
            b"Bearer a=b",
            b"Bearer \"a\"",
            b"Bearer a\xff",
        ];
        for field in fields {
            let shown = String::from_utf8_lossy(field);
            assert_eq!(of(&[field]), Err(Reason::CredentialMalformed), "{shown}");
        }
    }

    #[test]
    fn refuses_a_second_field_whatever_it_holds() {
        for second in [&b"Bearer a"[..], b"Bearer b", b"Basic dTpw", b""] {
            assert_eq!(of(&[b"Bearer a", second]), Err(Reason::CredentialMalformed));
            assert_eq!(of(&[second, b"Bearer a"]), Err(Reason::CredentialMalformed));
        }
    }
}
