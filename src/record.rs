//! Room 6: writes what was decided, before the call is forwarded, and how it ended. Never a body, a token or a secret.

pub mod settings;
