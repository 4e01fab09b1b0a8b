//! A form (`application/x-www-form-urlencoded`), read in the one way that every server reads it.
//!
//! Servers differ in what they make of a name with brackets or another case, of `;`, of a bad `%`, of two values of one
//! name. Whatever they could differ in is refused, so that who judges a form and who serves it see the same.
//! Never here: what a parameter means. Values may be secrets: nothing but [`Form::one`] and [`Form::all`] shows them.

use std::fmt;

use super::target::octet;

/// The most parameters of a form.
const MAX_PARAMETERS: usize = 64;
/// The longest name.
const MAX_NAME_BYTES: usize = 64;

/// A form's parameters, in the order of the body.
pub struct Form(Vec<(Box<str>, Box<str>)>);

/// Why a body is not such a form. It never holds a piece of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A byte that must be percent-encoded, a `%` without two hexadecimal digits, or octets that are not UTF-8.
    #[error("the form is not encoded as `application/x-www-form-urlencoded`")]
    Encoding,
    /// A name that some servers read as another one.
    #[error(
        "a parameter's name is not made of letters, digits, `_` and `-`, or is longer than {MAX_NAME_BYTES} bytes"
    )]
    Name,
    /// Two names that differ in nothing but case, or not at all (RFC 6749 §3.2).
    #[error("a parameter is given twice")]
    Repeated,
    /// More than anybody needs.
    #[error("the form has more than {MAX_PARAMETERS} parameters")]
    TooMany,
}

impl Form {
    /// Reads a form. A name may come twice only if it is one of `repeatable`.
    ///
    /// # Errors
    /// [`FormError`] says what could be read in two ways.
    pub fn parse(body: &[u8], repeatable: &[&str]) -> Result<Self, FormError> {
        let mut parameters: Vec<(Box<str>, Box<str>)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|p| !p.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match at.and_then(|at| pair.split_at_checked(at)) {
                Some((name, value)) => (name, value.get(1..).unwrap_or_default()),
                None => (pair, &[][..]),
            };
            let (name, value) = (decode(name)?, decode(value)?);
            if !is_name(&name) {
                return Err(FormError::Name);
            }
            let mut same = parameters.iter().map(|(known, _)| known);
            let is_repeated = same.any(|known| known.eq_ignore_ascii_case(&name));
            if is_repeated && !repeatable.contains(&name.as_str()) {
                return Err(FormError::Repeated);
            }
            if parameters.len() == MAX_PARAMETERS {
                return Err(FormError::TooMany);
            }
            parameters.push((name.into(), value.into()));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter. One without a value counts as not given (RFC 6749 §3.2).
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of a parameter that may be given several times.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, value)| **known == *name && !value.is_empty())
            .map(|(_, value)| &**value)
    }

    /// Every name, as it was written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Decodes one name or value. A `;` ends a parameter for some servers, so it must be encoded.
fn decode(text: &[u8]) -> Result<String, FormError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => octet(bytes.next(), bytes.next()).ok_or(FormError::Encoding)?,
            b';' => return Err(FormError::Encoding),
            b' '..=b'~' => byte,
            _ => return Err(FormError::Encoding),
        });
    }
    String::from_utf8(decoded).map_err(|_not_utf8| FormError::Encoding)
}

/// Names that no server folds into another one: brackets, dots and blanks make lists or other names of them somewhere.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Form, FormError> {
        Form::parse(body.as_bytes(), &["resource"])
    }

    #[test]
    fn reads_names_and_values_as_every_server_does() {
        let form = parse("a=1&b=x+y%2Bz&&c&d=&e==%3d=&f=%C3%A9&g=api://x/.default").unwrap();
        for (name, value) in [
            ("a", Some("1")),
            ("b", Some("x y+z")),
            ("c", None),
            ("d", None),
            ("e", Some("===")),
            ("f", Some("é")),
            ("g", Some("api://x/.default")),
            ("h", None),
        ] {
            assert_eq!(form.one(name), value, "{name}");
        }
        let form = parse("resource=a&resource=b").unwrap();
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn refuses_what_two_servers_could_read_differently() {
        for (body, error) in [
            ("a=%", FormError::Encoding),
            ("a=%4", FormError::Encoding),
            ("a=%zz", FormError::Encoding),
            ("a=%ff", FormError::Encoding),
            ("a=1;b=2", FormError::Encoding),
            ("a=\u{e9}", FormError::Encoding),
            ("a=1\r\n", FormError::Encoding),
            ("a=\0", FormError::Encoding),
            ("=1", FormError::Name),
            ("a[]=1", FormError::Name),
            ("a%5B0%5D=1", FormError::Name),
            ("a.b=1", FormError::Name),
            ("%20a=1", FormError::Name),
            ("a+=1", FormError::Name),
            ("a%00=1", FormError::Name),
            ("\u{feff}a=1", FormError::Encoding),
            ("a=1&a=1", FormError::Repeated),
            ("a=1&A=2", FormError::Repeated),
            ("a=&a=2", FormError::Repeated),
            ("a&a", FormError::Repeated),
            ("resource=a&Resource=b", FormError::Repeated),
        ] {
            assert_eq!(parse(body).err(), Some(error), "{body}");
        }
        let long = format!("{}=1", "a".repeat(MAX_NAME_BYTES + 1));
        assert_eq!(parse(&long).err(), Some(FormError::Name));
        let many: Vec<_> = (0..=MAX_PARAMETERS).map(|n| format!("a{n}=1")).collect();
        assert_eq!(parse(&many.join("&")).err(), Some(FormError::TooMany));
        assert!(parse(&many[1..].join("&")).is_ok());
    }

    #[test]
    fn shows_no_value() {
        let form = parse("client_secret=hush&scope=x").unwrap();
        assert_eq!(format!("{form:?}"), r#"{"client_secret", "scope"}"#);
    }
}
