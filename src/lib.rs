//! mailtwin: a digital twin of mail flow.

pub mod analysis;
pub mod base;
pub mod decide;
pub mod model;
