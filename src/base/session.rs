//! Words about one attempt to deliver: the phases of a session, how a connection and how an attempt ended.

/// Where in a session something happened, in the order of a session.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// TCP.
    Connect,
    /// The 220.
    Banner,
    /// EHLO.
    Ehlo,
    /// HELO after a refused EHLO.
    Helo,
    /// STARTTLS and the handshake.
    Starttls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The content on the wire.
    Content,
    /// The reply to the final dot.
    FinalDot,
}

impl Phase {
    /// The word in text and JSON, the command where there is one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Banner => "banner",
            Self::Ehlo => "EHLO",
            Self::Helo => "HELO",
            Self::Starttls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Content => "content",
            Self::FinalDot => "final dot",
        }
    }
}

/// How one connection ended for this recipient.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConnectionResult {
    /// The server took the message for this recipient.
    Accepted,
    /// Nothing listens.
    Refused,
    /// No answer to the connect.
    ConnectTimeout,
    /// No route to the host.
    Unreachable,
    /// A 4xx reply.
    Tempfail,
    /// A 5xx reply.
    Permfail,
    /// The server closed or reset the connection.
    Dropped,
    /// The server fell silent.
    Timeout,
    /// TLS was wanted and did not come about as the policy asks.
    TlsFailed,
    /// The sender went away by its own rules (size, own name, no feature).
    Left,
    /// Under way when the run ended.
    Unfinished,
}

impl ConnectionResult {
    /// The word in text and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::ConnectTimeout => "no-answer",
            Self::Unreachable => "unreachable",
            Self::Tempfail => "temporary-failure",
            Self::Permfail => "permanent-failure",
            Self::Dropped => "dropped",
            Self::Timeout => "timeout",
            Self::TlsFailed => "tls-failed",
            Self::Left => "left",
            Self::Unfinished => "unfinished",
        }
    }
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AttemptResult {
    /// Taken by the next system (or put into a mailbox).
    Delivered,
    /// To be tried again.
    Deferred,
    /// Given up for good at once.
    Bounced,
    /// Given up because its lifetime is over.
    Expired,
    /// Under way when the run ended.
    Unfinished,
    /// Nothing was tried: it joined a queue in Retry.
    Joined,
}

impl AttemptResult {
    /// The word in text and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Unfinished => "unfinished",
            Self::Joined => "joined",
        }
    }
}
