//! The user's text becomes a model.

pub mod zone;
