//! mailtwin: a digital twin of mail flow.

pub mod base;
pub mod model;
