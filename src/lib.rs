//! mailtwin: a digital twin of mail flow.

pub mod analysis;
pub mod base;
pub mod decide;
pub mod diag;
pub mod model;
pub mod report;
pub mod scenario;
pub mod verify;
