//! mailtwin: a digital twin of mail flow.

pub mod analysis;
pub mod base;
pub mod cli;
pub mod decide;
pub mod diag;
pub mod engine;
pub mod model;
pub mod report;
pub mod scenario;
pub mod trace;
pub mod verify;

pub use scenario::{Invalid, Loaded, load_path as load};
