//! Which of a sender's TLS policies counts for a connection?
//!
//! Sources: postconf(5) `smtp_tls_policy_maps` (the next hop as it is written; a plain domain also by `.parent`, the longest first); Sendmail's access map,
//! `TLS_Srv:` (the name of the server, the domains above it, its address). Not modelled: `TLS_Rcpt:`, networks in the access map.

use crate::model::settings::{ClientTls, TlsPolicy};
use std::net::IpAddr;

/// The server that a session is with.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// Its name, as the MX record or the configuration has it.
    pub name: &'a str,
    /// Its address.
    pub address: IpAddr,
}

/// The policy for a next hop (as queues are called), at a server; `by_server`: the sender's table knows servers, not next hops.
#[must_use]
pub fn policy_for<'a>(tls: &'a ClientTls, by_server: bool, next_hop: &str, server: Option<Server<'_>>) -> &'a TlsPolicy {
    let find = |key: &str| tls.policies.iter().find(|(known, _)| **known == *key).map(|(_, policy)| policy);
    let found = match server {
        Some(server) if by_server => {
            std::iter::once(server.name).chain(above(server.name)).find_map(find).or_else(|| find(&server.address.to_string()))
        }
        None if by_server => None,
        _ if next_hop.contains([':', '[']) => find(next_hop),
        _ => find(next_hop).or_else(|| above(next_hop).find_map(|parent| find(&format!(".{parent}")))),
    };
    found.unwrap_or(&tls.policy)
}

/// The names above a name, the longest first.
fn above(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.split_once('.'), |(_, rest)| rest.split_once('.')).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::TlsVersion;
    use crate::model::settings::TlsLevel;

    #[test]
    fn which_counts() {
        let mut tls = ClientTls::of(TlsPolicy::of(TlsLevel::May), (TlsVersion::Tls10, TlsVersion::Tls13));
        let policies = [
            ("d.test", TlsLevel::Encrypt),
            (".d.test", TlsLevel::Verify),
            (".x.d.test", TlsLevel::None),
            ("[mx.e.test]", TlsLevel::Secure),
            ("d.test:26", TlsLevel::Fingerprint),
            ("192.0.2.7", TlsLevel::Dane),
        ];
        tls.policies = policies.iter().map(|(key, level)| ((*key).into(), TlsPolicy::of(*level))).collect();
        let server = |name| Some(Server { name, address: [192, 0, 2, 7].into() });
        let cases = [
            ("d.test", false, server("mx.e.test"), TlsLevel::Encrypt),
            ("a.d.test", false, None, TlsLevel::Verify),
            ("a.x.d.test", false, None, TlsLevel::None),
            ("x.d.test", false, None, TlsLevel::Verify),
            ("[mx.e.test]", false, None, TlsLevel::Secure),
            ("[a.d.test]", false, None, TlsLevel::May),
            ("d.test:26", false, None, TlsLevel::Fingerprint),
            ("e.test", false, server("d.test"), TlsLevel::May),
            ("e.test", true, server("d.test"), TlsLevel::Encrypt),
            ("e.test", true, server("mx.d.test"), TlsLevel::Encrypt),
            ("d.test", true, server("mx.e.test"), TlsLevel::Dane),
            ("d.test", true, None, TlsLevel::May),
        ];
        for (next_hop, by_server, server, expected) in cases {
            assert_eq!(policy_for(&tls, by_server, next_hop, server).level, expected, "{next_hop} {by_server} {server:?}");
        }
    }
}
