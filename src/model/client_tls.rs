//! What does a sender ask of the other side's encryption?

use crate::base::{CertId, TlsVersion};

/// What a client asks of encryption.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientTls {
    /// For every next hop without a policy of its own.
    pub policy: TlsPolicy,
    /// By next hop as written in the table: a domain, `[host]`, an address.
    pub policies: Vec<(Box<str>, TlsPolicy)>,
    /// Oldest and newest version that it speaks.
    pub versions: (TlsVersion, TlsVersion),
    /// The same where TLS is a must, if that differs (Postfix `smtp_tls_mandatory_protocols`).
    pub demanded_versions: Option<(TlsVersion, TlsVersion)>,
    /// Which digests of TLSA records it reads.
    pub digests: DaneDigests,
    /// After a broken handshake, where TLS is optional: in clear to the same address at once, whatever its kind does otherwise.
    pub plain_retry: bool,
}

impl ClientTls {
    /// One policy for all, and the versions.
    #[must_use]
    pub const fn of(policy: TlsPolicy, versions: (TlsVersion, TlsVersion)) -> Self {
        Self { policy, policies: Vec::new(), versions, demanded_versions: None, digests: DaneDigests::Sha512First, plain_retry: false }
    }
}

/// Which digests of TLSA records a sender reads, the one that it trusts most first (Postfix `tls_dane_digests`). Data without a digest is always read.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum DaneDigests {
    /// Both.
    #[default]
    Sha512First,
    /// Both, in the other order.
    Sha256First,
    /// SHA-512 only.
    Sha512,
    /// SHA-256 only.
    Sha256,
}

impl DaneDigests {
    /// How much a matching type is trusted, most first; `None`: not read.
    #[must_use]
    pub fn rank(self, matching: u8) -> Option<u8> {
        let order: &[u8] = match self {
            Self::Sha512First => &[2, 1],
            Self::Sha256First => &[1, 2],
            Self::Sha512 => &[2],
            Self::Sha256 => &[1],
        };
        if matching == 0 { Some(0) } else { order.iter().position(|other| *other == matching).map(|at| at as u8) }
    }
}

/// One TLS policy.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TlsPolicy {
    /// How much, where nothing that the receiving domain publishes asks for more.
    pub level: TlsLevel,
    /// Names that the certificate must carry instead of those of the level; `nexthop`, `dot-nexthop`, `hostname` or a name. Of level
    /// `Fingerprint`: digests.
    pub names: Vec<Box<str>>,
    /// Are TLSA records looked up (RFC 7672)?
    pub dane: DaneUse,
    /// What becomes of `DaneUse::Try` where the MX answer is not signed.
    pub unsigned_list: UnsignedList,
    /// Are policies of receiving domains fetched (RFC 8461)?
    pub mta_sts: bool,
    /// TLS from the first byte (RFC 8314 §3.3; Postfix `smtp_tls_wrappermode`).
    pub implicit: bool,
    /// The certificate that the client shows.
    pub certificate: ClientCertificate,
}

/// What a client shows to the server in a handshake.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ClientCertificate {
    /// What the machine shows everywhere, if it has something to show.
    #[default]
    Own,
    /// Nothing.
    Nothing,
    /// This one (`TlsCertificateName` of a Send connector).
    This(CertId),
    /// One is named that the machine does not have: no handshake begins.
    Missing,
}

impl TlsPolicy {
    /// A level and nothing else.
    #[must_use]
    pub const fn of(level: TlsLevel) -> Self {
        Self {
            level,
            names: Vec::new(),
            dane: DaneUse::Never,
            unsigned_list: UnsignedList::AsProfile,
            mta_sts: false,
            implicit: false,
            certificate: ClientCertificate::Own,
        }
    }

    /// Does the policy depend on what the receiving domain publishes?
    #[must_use]
    pub fn asks(&self) -> bool {
        self.dane != DaneUse::Never || self.mta_sts
    }
}

/// What a sender makes of DANE.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DaneUse {
    /// Nothing.
    #[default]
    Never,
    /// Where the receiving domain has it (Postfix `dane`, Exim `hosts_try_dane`, Exchange Online `Opportunistic`).
    Try,
    /// No delivery without (Postfix `dane-only`, Exim `hosts_require_dane`, Exchange Online `Mandatory`).
    Must,
    /// The same, but only of next hops that have a name: an address has nothing that could be signed (smart hosts of Exchange Online).
    MustOfNames,
}

/// A sender that asks for TLSA records meets an MX answer that nobody signed (Postfix `smtp_tls_dane_insecure_mx_policy`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum UnsignedList {
    /// What its profile does.
    #[default]
    AsProfile,
    /// As without DANE.
    May,
    /// TLS, whatever the certificate.
    Encrypt,
}

/// Levels of all products, in the words of each.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TlsLevel {
    /// Never.
    None,
    /// If offered; whatever the certificate.
    May,
    /// Must; whatever the certificate.
    Encrypt,
    /// Must; chain and the name of the MX host.
    Verify,
    /// If offered; chain and the name of the MX host, and in clear where they are not right (Exim `tls_verify_hosts` alone).
    VerifyOrClear,
    /// Must; chain and the name of the next hop.
    Secure,
    /// Must; the certificate or its key is one of a list.
    Fingerprint,
    /// Must; a TLSA record of the host fits the certificate. A host gets this level when it has such records.
    Dane,
    /// Must; chain, and a SAN with the name of the MX host. A host gets this level under a policy of its domain in mode enforce.
    MtaSts,
    /// Must; chain and the name of the MX host: what the message asks for itself.
    RequireTls,
    /// Exchange `tls_settings` left out.
    Opportunistic,
    /// Exchange `EncryptionOnly`.
    EncryptionOnly,
    /// Exchange `CertificateValidation`: chain and validity.
    CertificateValidation,
    /// Exchange `DomainValidation`: also the name in `tls_domain`.
    DomainValidation,
    /// Exchange Server `BasicAuthRequireTLS`: chain and the name of the smart host.
    BasicAuthRequireTls,
    /// Exchange Server `DomainSecureEnabled`: chain and the name of the secured domain.
    DomainSecure,
    /// FOPE: must; whatever the certificate.
    SelfSigned,
    /// FOPE: must; chain and validity.
    TrustedCa,
    /// FOPE: also the domain of the recipient.
    MatchesDestinationDomain,
    /// FOPE: also the name that is written.
    Matches,
}

impl TlsLevel {
    /// What the connectors of Exchange Online, Exchange Server and FOPE can ask for.
    pub const OF_CONNECTORS: [Self; 9] = [
        Self::EncryptionOnly,
        Self::CertificateValidation,
        Self::DomainValidation,
        Self::BasicAuthRequireTls,
        Self::DomainSecure,
        Self::SelfSigned,
        Self::TrustedCa,
        Self::MatchesDestinationDomain,
        Self::Matches,
    ];

    /// Does mail stay where TLS cannot be had as it is wanted?
    #[must_use]
    pub fn insists(self) -> bool {
        !matches!(self, Self::None | Self::May | Self::VerifyOrClear | Self::Opportunistic)
    }

    /// Is more asked of the certificate than that there is one?
    #[must_use]
    pub fn judges(self) -> bool {
        match self {
            Self::None | Self::May | Self::Encrypt | Self::Fingerprint | Self::Opportunistic | Self::EncryptionOnly | Self::SelfSigned => {
                false
            }
            Self::Verify
            | Self::VerifyOrClear
            | Self::Secure
            | Self::Dane
            | Self::MtaSts
            | Self::RequireTls
            | Self::CertificateValidation
            | Self::DomainValidation
            | Self::BasicAuthRequireTls
            | Self::DomainSecure
            | Self::TrustedCa
            | Self::MatchesDestinationDomain
            | Self::Matches => true,
        }
    }

    /// The level in its product's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::May => "may",
            Self::Encrypt => "encrypt",
            Self::Verify => "verify",
            Self::VerifyOrClear => "tls_verify_hosts",
            Self::Secure => "secure",
            Self::Fingerprint => "fingerprint",
            Self::Dane => "dane",
            Self::MtaSts => "mta-sts",
            Self::RequireTls => "requiretls",
            Self::Opportunistic => "Opportunistic",
            Self::EncryptionOnly => "EncryptionOnly",
            Self::CertificateValidation => "CertificateValidation",
            Self::DomainValidation => "DomainValidation",
            Self::BasicAuthRequireTls => "BasicAuthRequireTLS",
            Self::DomainSecure => "DomainSecureEnabled",
            Self::SelfSigned => "SelfSigned",
            Self::TrustedCa => "TrustedCa",
            Self::MatchesDestinationDomain => "MatchesDestinationDomain",
            Self::Matches => "Matches",
        }
    }
}
