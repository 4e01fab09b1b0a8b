//! Room 8: the control plane: health, metrics, the Graph subset. Decides nothing.

pub mod settings;
