//! A port that a server answers at: what it announces there, and what it wants before it takes mail.
//!
//! Sources: RFC 3207, RFC 4954, RFC 8314; Postfix master.cf, New-ReceiveConnector `Bindings`.

use crate::base::{Reply, TlsVersion};
use std::net::IpAddr;

/// One port.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Its name.
    pub name: Box<str>,
    /// TCP port.
    pub port: u16,
    /// It answers at these addresses of the machine only; empty = at all of them.
    pub only_at: Vec<IpAddr>,
    /// It answers at addresses of this family only.
    pub family: Option<Family>,
    /// TLS from the first byte.
    pub implicit_tls: bool,
    /// 530 to everything before TLS (RFC 3207 §4).
    pub require_tls: bool,
    /// 530 to MAIL before AUTH.
    pub require_login: bool,
    /// EHLO words that are not offered, upper case.
    pub without: Vec<Box<str>>,
    /// Oldest and newest TLS version.
    pub tls_versions: (TlsVersion, TlsVersion),
    /// Its answer to every recipient.
    pub turns_away: Option<Reply>,
}

impl Listener {
    /// Does it take connections to this address and port?
    #[inline]
    #[must_use]
    pub fn answers(&self, address: IpAddr, port: u16) -> bool {
        self.port == port
            && (self.only_at.is_empty() || self.only_at.contains(&address))
            && self.family.is_none_or(|family| family == Family::of(address))
    }
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// That of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}
