//! Detections: how well they tell attacks from normal traffic, and what they do to a running gateway.

mod agents;
mod attacks;
mod levels;
mod live;
mod quality;
mod replay;
mod score;
pub(crate) mod theft;
mod tls;
mod traffic;
