//! Where do domains show their MTA-STS policies? The web servers of a time, as far as senders see them.

use crate::base::{CertId, NameId};

/// The policy host of one domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicySite {
    /// The domain whose policy it shows; the host is `mta-sts.` and that name.
    pub domain: NameId,
    /// The file as written.
    pub text: Box<str>,
    /// What it shows to HTTPS clients; `None` = it does not speak HTTPS.
    pub certificate: Option<CertId>,
}

/// What goes wrong with a policy host.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PolicyHostFault {
    /// It has no such file (404).
    PolicyGone,
    /// It does not answer.
    HttpsDown,
    /// Its certificate is not to be trusted.
    BadCertificate,
    /// The file makes no sense.
    Malformed,
}
