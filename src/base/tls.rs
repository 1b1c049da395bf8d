//! How a connection was protected: the words that traces, tests and reports share.

/// Protocol versions, oldest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TlsVersion {
    /// TLS 1.0
    Tls10,
    /// TLS 1.1
    Tls11,
    /// TLS 1.2
    Tls12,
    /// TLS 1.3
    Tls13,
}

impl TlsVersion {
    /// `TLS 1.3`
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        }
    }
}

/// What was achieved on a connection, weakest first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TlsOutcome {
    /// No encryption.
    #[default]
    Plaintext,
    /// Encrypted; the peer's identity was not proven.
    Encrypted,
    /// Encrypted, and the peer proved to be who the policy asks for.
    Authenticated,
}

impl TlsOutcome {
    /// `plaintext`, `encrypted`, `authenticated`
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Encrypted => "encrypted",
            Self::Authenticated => "authenticated",
        }
    }
}
