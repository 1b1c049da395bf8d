//! How much does a mail server bear of one client?

/// Limits of a server, by client or by session.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ClientLimits {
    /// Connections of one address at once (Postfix `smtpd_client_connection_count_limit`, Exim `smtp_accept_max_per_host`); 0 = no limit.
    pub connections: u32,
    /// From so many refusals in a session on each answer comes late (`smtpd_soft_error_limit`); 0 = never.
    pub soft_errors: u32,
    /// So much later (`smtpd_error_sleep_time`).
    pub late_ns: u64,
    /// After so many refusals the session is over (`smtpd_hard_error_limit`); 0 = never.
    pub hard_errors: u32,
}
