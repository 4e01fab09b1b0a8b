//! The token of a client that asks for itself (RFC 6749 §4.4): how it is asked for, what an answer grants, how long it is used.
//! How the client proves who it is, and what an error means, is its user's.
//! Never here: a token that shows, and one that is used after its time.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use serde_json::Value;
use tokio::time::Instant;

use crate::client::{ClientError, parse_address};
use crate::types::Secret;

/// How long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(60);

/// How long a token is used that does not say when it ends.
const UNSAID: Duration = Duration::from_secs(300);

/// The token in use.
#[derive(Debug, Default)]
pub(super) struct ClientToken {
    current: Option<(Secret, Instant)>,
}

/// What a token endpoint granted: the token, and how long it lives.
pub(super) type Granted = (Secret, Duration);

impl ClientToken {
    /// The token: the one that there is, or the one that is asked for now.
    pub(super) async fn get<E>(
        &mut self,
        ask: impl Future<Output = Result<Granted, E>>,
    ) -> Result<Secret, E> {
        if let Some((token, until)) = &self.current
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        let (token, lifetime) = ask.await?;
        self.current = Some((token.clone(), Instant::now() + time_of_use(lifetime)));
        Ok(token)
    }

    /// This token was refused: the next request asks for another one.
    pub(super) fn forget(&mut self, refused: &Secret) {
        self.current.take_if(|(token, _)| token == refused);
    }
}

/// How long a token is used that lives so long. One that lives shortly is used for half of its time at least.
fn time_of_use(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(EARLY.min(lifetime / 2))
}

/// The request for a token, with this form as its body.
pub(super) fn request(endpoint: &str, form: String) -> Result<Request<Bytes>, ClientError> {
    let mut request = Request::new(Bytes::from(form));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = parse_address(endpoint)?;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form);
    Ok(request)
}

/// What the document of an answer of 200 grants (RFC 6749 §5.1).
///
/// # Errors
/// What it lacks.
pub(super) fn granted(document: &Value) -> Result<Granted, &'static str> {
    let token = document.get("access_token").and_then(Value::as_str);
    let token = token.ok_or("no `access_token`")?;
    let kind = document.get("token_type").and_then(Value::as_str);
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")) {
        return Err("its `token_type` is not `Bearer`");
    }
    let lifetime = document.get("expires_in").and_then(Value::as_u64);
    let lifetime = lifetime.map_or(UNSAID, Duration::from_secs);
    Ok((Secret::new(token), lifetime))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;

    fn token(name: &str, seconds: u64) -> Granted {
        (Secret::new(name), Duration::from_secs(seconds))
    }

    async fn next(tokens: &mut ClientToken, name: &str, seconds: u64) -> String {
        let asked = async { Ok::<_, Infallible>(token(name, seconds)) };
        let Ok(token) = tokens.get(asked).await;
        token.expose().to_owned()
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        let seconds = |lifetime| time_of_use(Duration::from_secs(lifetime)).as_secs();
        assert_eq!(
            [3600, 300, 120, 60, 10, 0].map(seconds),
            [3540, 240, 60, 30, 5, 0]
        );
    }

    #[tokio::test]
    async fn a_token_whose_time_is_over_is_asked_for_anew() {
        let mut tokens = ClientToken::default();
        assert_eq!(next(&mut tokens, "first", 0).await, "first");
        assert_eq!(next(&mut tokens, "second", 300).await, "second");
        assert_eq!(next(&mut tokens, "third", 300).await, "second");
    }

    #[tokio::test]
    async fn only_the_token_that_was_refused_is_forgotten() {
        let mut tokens = ClientToken::default();
        assert_eq!(next(&mut tokens, "first", 300).await, "first");
        tokens.forget(&Secret::new("another"));
        assert_eq!(next(&mut tokens, "second", 300).await, "first");
        tokens.forget(&Secret::new("first"));
        assert_eq!(next(&mut tokens, "second", 300).await, "second");
    }

    #[test]
    fn an_answer_grants_a_bearer_token_or_nothing() {
        let whole = json!({"access_token": "t", "token_type": "bearer", "expires_in": 20});
        assert_eq!(granted(&whole), Ok(token("t", 20)));
        let unsaid = json!({"access_token": "t", "token_type": "Bearer"});
        assert_eq!(granted(&unsaid), Ok(token("t", 300)));
        assert!(granted(&json!({"token_type": "Bearer"})).is_err());
        assert!(granted(&json!({"access_token": "t"})).is_err());
        assert!(granted(&json!({"access_token": "t", "token_type": "DPoP"})).is_err());
    }
}
