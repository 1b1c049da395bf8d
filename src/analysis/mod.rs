//! Questions to a finished run: which path, which host, over what TLS, why?

pub mod outcome;
