//! Room 6: forwards a call to its resource, and takes nothing but a [`Permit`](crate::enforcement::Permit) for it.

pub mod settings;
