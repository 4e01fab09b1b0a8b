//! Room 8: accepts connections, speaks TLS and HTTP, keeps limits. Decides nothing.

pub mod settings;
