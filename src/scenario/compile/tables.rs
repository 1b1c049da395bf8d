//! Rows that everything compiled refers to by number: names, next hops, certificates.

use std::net::IpAddr;

use crate::base::{CertId, Domain, Interner, NameId, NextHopId};
use crate::diag::{Diagnostic, Span, code};
use crate::model::certificate::Certificate;
use crate::model::dns::Names;
use crate::model::settings::{NextHop, Target};
use crate::scenario::source::Text;

use super::desk::Desk;

/// A CIDR block as a smart host stands for at most so many addresses.
const BLOCK_MAX: usize = 256;

/// The rows so far.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) names: Names,
    pub(super) next_hops: Interner<NextHop>,
    pub(super) certificates: Vec<Certificate>,
    /// Names that mail is sent to, to be looked for among what is covered.
    pub(super) wanted: Vec<(NameId, Span)>,
    /// Addresses that mail is sent to, written one by one.
    pub(super) addressed: Vec<(IpAddr, Span)>,
    /// Names of the resolvers, by number.
    pub(super) resolvers: Vec<Box<str>>,
}

/// How a list of hosts is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notation {
    /// `name`, `[name]`, `[address]`, each with `:port`.
    Mta,
    /// `SmartHosts` of a connector: a name, an address, a block of addresses.
    Connector,
}

impl Tables {
    /// The row of a certificate; equal ones share it.
    pub(super) fn certificate(&mut self, certificate: Certificate) -> CertId {
        let known = self.certificates.iter().position(|known| *known == certificate);
        let at = known.unwrap_or_else(|| {
            self.certificates.push(certificate);
            self.certificates.len() - 1
        });
        CertId(at as u32)
    }

    /// A list of next hops, in written order.
    pub(super) fn hops(&mut self, texts: &[Text], notation: Notation, desk: &mut Desk) -> Vec<NextHopId> {
        texts.iter().flat_map(|text| self.hop(text, notation, desk)).collect()
    }

    fn hop(&mut self, text: &Text, notation: Notation, desk: &mut Desk) -> Vec<NextHopId> {
        let targets = match read_hop(text, notation) {
            Ok(targets) => targets,
            Err(help) => {
                desk.say(Diagnostic::error(code::VALUE, text.span(), format!("`{text}` is not a next hop")).help(help));
                return Vec::new();
            }
        };
        let (targets, port) = targets;
        let row = |tables: &mut Self, target| NextHopId(tables.next_hops.intern(NextHop { target, port }));
        if let Hop::Addresses(addresses) = &targets
            && let [address] = addresses[..]
        {
            self.addressed.push((address, text.span()));
        }
        match targets {
            Hop::Addresses(addresses) => addresses.into_iter().map(|address| row(self, Target::Ip(address))).collect(),
            Hop::Name(name, asks_mx) => {
                let name = self.names.intern(name.as_str());
                self.wanted.push((name, text.span()));
                vec![row(self, if asks_mx { Target::Mx(name) } else { Target::Host(name) })]
            }
        }
    }
}

/// What one entry names.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Hop {
    Addresses(Vec<IpAddr>),
    /// With: its MX is asked first.
    Name(Domain, bool),
}

fn read_hop(text: &str, notation: Notation) -> Result<(Hop, u16), String> {
    if text.contains("://") {
        return Err("the name or the address alone, without what a web address has".into());
    }
    let (host, port) = split_port(text)?;
    if notation == Notation::Connector && host.len() < text.trim().len() {
        return Err("a connector's smart host has no port: the service goes to port 25, a Send connector has `port`".into());
    }
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let bare = inner.strip_prefix("IPv6:").or_else(|| inner.strip_prefix("ipv6:")).unwrap_or(inner);
        return match bare.parse::<IpAddr>() {
            Ok(address) => Ok((Hop::Addresses(vec![address]), port)),
            Err(_) if notation == Notation::Connector => Err("a connector's smart host is a name or an address, without brackets".into()),
            Err(_) => Ok((Hop::Name(domain(inner)?, false), port)),
        };
    }
    if notation == Notation::Connector {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok((Hop::Addresses(vec![address]), port));
        }
        if host.contains('/') {
            let block: ipnet::IpNet = host.parse().map_err(|_| "a block of addresses is written \"192.0.2.0/28\"".to_owned())?;
            let addresses: Vec<IpAddr> = block.hosts().take(BLOCK_MAX + 1).collect();
            if addresses.len() > BLOCK_MAX {
                return Err(format!("a block of more than {BLOCK_MAX} addresses is too large for a smart host"));
            }
            return Ok((Hop::Addresses(addresses), port));
        }
    } else if host.parse::<IpAddr>().is_ok() {
        return Err(format!("an address stands in brackets here, or its MX is asked: \"[{host}]\""));
    }
    Ok((Hop::Name(domain(host)?, true), port))
}

fn domain(text: &str) -> Result<Domain, String> {
    match Domain::parse(text) {
        Ok(name) if name.as_str().is_empty() || name.as_str().starts_with('*') => Err("a whole name stands here".into()),
        Ok(name) if name.as_str().chars().all(|c| c.is_ascii_digit() || c == '.') => {
            Err("an address has four numbers from 0 to 255".into())
        }
        Ok(name) => Ok(name),
        Err(problem) => Err(problem.to_string()),
    }
}

/// `host:port`, `[2001:db8::1]:587`, or a host alone.
fn split_port(text: &str) -> Result<(&str, u16), String> {
    let text = text.trim();
    let after_bracket = text.rfind(']').map_or(0, |at| at + 1);
    let colon = text[after_bracket..].rfind(':').map(|at| at + after_bracket);
    match colon {
        Some(colon) if after_bracket > 0 || text[..colon].find(':').is_none() => {
            let port = text[colon + 1..].parse::<u16>().ok().filter(|port| *port > 0);
            port.map(|port| (&text[..colon], port)).ok_or_else(|| "a port is a number from 1 to 65535".to_owned())
        }
        _ => Ok((text, 25)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_hops() {
        let show = |text: &str, notation| match read_hop(text, notation) {
            Ok((Hop::Addresses(addresses), port)) => format!("{addresses:?} {port}"),
            Ok((Hop::Name(name, asks_mx), port)) => format!("{name} {} {port}", if asks_mx { "mx" } else { "host" }),
            Err(_) => "error".into(),
        };
        let mta = [
            ("hop.test", "hop.test mx 25"),
            ("Hop.Test.:587", "hop.test mx 587"),
            ("[hop.test]", "hop.test host 25"),
            ("[hop.test]:26", "hop.test host 26"),
            ("[192.0.2.1]", "[192.0.2.1] 25"),
            ("[2001:db8::1]:26", "[2001:db8::1] 26"),
            ("[ipv6:2001:db8::1]", "[2001:db8::1] 25"),
            ("192.0.2.1", "error"),
            ("hop.test:0", "error"),
            ("hop..test", "error"),
            ("*.test", "error"),
            ("", "error"),
        ];
        for (text, expected) in mta {
            assert_eq!(show(text, Notation::Mta), expected, "{text}");
        }
        let connector = [
            ("mail.contoso.com", "mail.contoso.com mx 25"),
            ("192.0.2.1", "[192.0.2.1] 25"),
            ("2001:db8::1", "[2001:db8::1] 25"),
            ("192.0.2.0/30", "[192.0.2.1, 192.0.2.2] 25"),
            ("10.0.0.0/8", "error"),
            ("[mail.contoso.com]", "error"),
            ("192.0.2.1:2525", "error"),
            ("mail.contoso.com:25", "error"),
            ("300.1.1.1", "error"),
            ("smtp://mail.contoso.com", "error"),
        ];
        for (text, expected) in connector {
            assert_eq!(show(text, Notation::Connector), expected, "{text}");
        }
    }
}
