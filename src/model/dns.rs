//! What does DNS say? The compiled zones: names as ids, records as data, one pure lookup.
//!
//! Sources: RFC 1034 §4.3.2 (how an answer is found), RFC 2181 §5 and §10 (record sets, aliases), RFC 2308 (negative
//! answers), RFC 4592 (wildcards). Not modelled: zone cuts and referrals (an `NS` record is only data), types that mail
//! never asks for, signatures (a domain is declared secure, insecure or bogus), DNAME.

mod answer;
mod lookup;
mod names;
mod record;
mod zones;

pub use answer::{Answer, Outcome};
pub use names::{Names, normal_form, parent_text, reverse_name};
pub use record::{RecordData, RecordType, Soa, Tlsa, TlsaData};
pub use zones::{Dnssec, RecordSet, Rest, Zones, ZonesBuilder};
