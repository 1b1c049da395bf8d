//! What can a record say? The types that mail asks for.
//!
//! Sources: RFC 1035 §3.3, RFC 3596 (AAAA), RFC 2782 (SRV), RFC 6698 §2 (TLSA), RFC 7505 (the null MX is `0 .`).

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::base::NameId;

macro_rules! record_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// The type of a record or of a question.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum RecordType {
            $($(#[$doc])* $name,)*
            /// Any type that the model keeps no records of: a question for it finds none.
            Other,
        }

        impl RecordType {
            /// The types that the model keeps, in the order of their declaration.
            pub const KEPT: &[Self] = &[$(Self::$name),*];

            /// The type as master files write it; `other` for the rest.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other => "other",
                }
            }
        }
    };
}

record_types! {
    /// An IPv4 address.
    A = "A",
    /// An IPv6 address.
    Aaaa = "AAAA",
    /// A host that takes mail for the name.
    Mx = "MX",
    /// The name is an alias.
    Cname = "CNAME",
    /// Text: SPF, DKIM, DMARC, MTA-STS.
    Txt = "TXT",
    /// A certificate of a TLS server.
    Tlsa = "TLSA",
    /// The name of an address.
    Ptr = "PTR",
    /// A name server.
    Ns = "NS",
    /// A host for a service.
    Srv = "SRV",
    /// The beginning of a zone.
    Soa = "SOA",
}

impl fmt::Display for RecordType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The text is no type that the model keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotKept;

impl FromStr for RecordType {
    type Err = NotKept;

    /// Reads a kept type, in any case.
    fn from_str(text: &str) -> Result<Self, NotKept> {
        Self::KEPT.iter().copied().find(|kept| kept.as_str().eq_ignore_ascii_case(text)).ok_or(NotKept)
    }
}

/// The data of one record. `N` is a name: its id in a compiled model, its normal form as text while a file is read.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RecordData<N = NameId> {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A host that takes mail; the root as `exchange` is the null MX.
    Mx {
        /// Lower is tried first.
        preference: u16,
        /// The host.
        exchange: N,
    },
    /// The name that this one stands for.
    Cname(N),
    /// All strings of the record, joined without a space between them.
    Txt(Box<[u8]>),
    /// What a TLS server must show.
    Tlsa(Tlsa),
    /// The name of an address.
    Ptr(N),
    /// A name server.
    Ns(N),
    /// A host for a service; the root as `target` means that there is none.
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// Share among equal priorities.
        weight: u16,
        /// TCP or UDP port.
        port: u16,
        /// The host.
        target: N,
    },
    /// The beginning of a zone.
    Soa(Soa<N>),
    /// Data of a type that mail never asks for: the name exists.
    Other,
}

/// RFC 6698 §2.1, with numbers as written, also those that no client knows.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tlsa {
    /// 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE.
    pub usage: u8,
    /// 0 whole certificate, 1 public key.
    pub selector: u8,
    /// 0 the thing itself, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// What is compared.
    pub data: TlsaData,
}

impl fmt::Display for Tlsa {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {} ", self.usage, self.selector, self.matching)?;
        match &self.data {
            TlsaData::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
            TlsaData::KeyOf(name) => write!(out, "@spki256:{name}"),
            TlsaData::CertificateOf(name) => write!(out, "@cert256:{name}"),
            TlsaData::AuthorityOf(name) => write!(out, "@ca256:{name}"),
        }
    }
}

/// The last field of a TLSA record.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TlsaData {
    /// Real bytes, as pasted.
    Bytes(Box<[u8]>),
    /// The digest of the public key of a certificate of the scenario (`@spki256:NAME`).
    KeyOf(Box<str>),
    /// The digest of a certificate of the scenario (`@cert256:NAME`).
    CertificateOf(Box<str>),
    /// The digest of an authority of the scenario (`@ca256:NAME`).
    AuthorityOf(Box<str>),
}

/// RFC 1035 §3.3.13; times are seconds.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Soa<N = NameId> {
    /// The primary name server.
    pub primary: N,
    /// The mailbox of the responsible person, written as a name.
    pub contact: N,
    /// The version of the zone.
    pub serial: u32,
    /// How often secondaries look.
    pub refresh_seconds: u32,
    /// How soon they look again after a failure.
    pub retry_seconds: u32,
    /// When they give up.
    pub expire_seconds: u32,
    /// The longest time that a negative answer is kept (RFC 2308 §4).
    pub minimum_seconds: u32,
}

impl<N> RecordData<N> {
    /// The type of this data.
    #[must_use]
    pub fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Mx { .. } => RecordType::Mx,
            Self::Cname(_) => RecordType::Cname,
            Self::Txt(_) => RecordType::Txt,
            Self::Tlsa(_) => RecordType::Tlsa,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Ns(_) => RecordType::Ns,
            Self::Srv { .. } => RecordType::Srv,
            Self::Soa(_) => RecordType::Soa,
            Self::Other => RecordType::Other,
        }
    }

    /// The data of an address record.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::A(address),
            IpAddr::V6(address) => Self::Aaaa(address),
        }
    }

    /// The address, if this is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::A(address) => Some(IpAddr::V4(*address)),
            Self::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        }
    }

    /// The text, if this is one; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Txt(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    /// The name of another host or domain that this data leads to.
    #[must_use]
    pub fn target(&self) -> Option<&N> {
        match self {
            Self::Mx { exchange: target, .. } | Self::Cname(target) | Self::Ptr(target) | Self::Ns(target) | Self::Srv { target, .. } => {
                Some(target)
            }
            Self::A(_) | Self::Aaaa(_) | Self::Txt(_) | Self::Tlsa(_) | Self::Soa(_) | Self::Other => None,
        }
    }

    /// The same data with other names in it.
    pub fn map_names<M>(self, mut rename: impl FnMut(N) -> M) -> RecordData<M> {
        match self {
            Self::A(address) => RecordData::A(address),
            Self::Aaaa(address) => RecordData::Aaaa(address),
            Self::Mx { preference, exchange } => RecordData::Mx { preference, exchange: rename(exchange) },
            Self::Cname(target) => RecordData::Cname(rename(target)),
            Self::Txt(bytes) => RecordData::Txt(bytes),
            Self::Tlsa(tlsa) => RecordData::Tlsa(tlsa),
            Self::Ptr(target) => RecordData::Ptr(rename(target)),
            Self::Ns(target) => RecordData::Ns(rename(target)),
            Self::Srv { priority, weight, port, target } => RecordData::Srv { priority, weight, port, target: rename(target) },
            Self::Other => RecordData::Other,
            Self::Soa(soa) => RecordData::Soa(Soa {
                primary: rename(soa.primary),
                contact: rename(soa.contact),
                serial: soa.serial,
                refresh_seconds: soa.refresh_seconds,
                retry_seconds: soa.retry_seconds,
                expire_seconds: soa.expire_seconds,
                minimum_seconds: soa.minimum_seconds,
            }),
        }
    }
}
