//! What does a forwarder make of the envelope sender, so that SPF speaks for it and reports find back? (Sender Rewriting Scheme)
//!
//! `x@s.example` leaves `f.example` as `SRS0=HHHH=TT=s.example=x@f.example`; a second forwarder writes `SRS1=HHHH=f.example==HHHH=TT=s.example=x@g.example`,
//! so that a report takes one step to the first one. HHHH proves who wrote it, TT is the day. There is no RFC; source: the description of SRS by
//! S. Wong, as libsrs2, postsrsd and OpenSMTPD have it. Exchange Online writes the name of the one who passes it on before that:
//! `al+SRS=HHHH=TT=s.example=x@contoso.com` (Microsoft, "Sender Rewriting Scheme (SRS) in Microsoft 365"). Not modelled: how long such an address is
//! taken (TT is written, and never too old).

use crate::base::Address;

/// What stands behind the name of the one who passes it on.
const FOR: &str = "+SRS=";
/// The digits of HHHH and TT.
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The sender as a forwarder in `domain` writes it on a day; its own domain needs no rewriting.
#[must_use]
pub fn rewrite(sender: &Address, domain: &str, day: u64) -> Address {
    if *sender.domain == *domain {
        return sender.clone();
    }
    let local = if let Some(rest) = tagged(&sender.local, "SRS0") {
        let host = &*sender.domain;
        format!("SRS1={}={host}=={rest}", proof(&[domain, host, rest]))
    } else if let Some((_, rest)) = tagged(&sender.local, "SRS1").and_then(|rest| rest.split_once('=')) {
        format!("SRS1={}={rest}", proof(&[domain, &rest.replacen("==", "=", 1)]))
    } else {
        let stamp = format!("{}{}", digit(day / 32), digit(day));
        format!("SRS0={}={stamp}={}={}", proof(&[domain, &stamp, &sender.domain, &sender.local]), sender.domain, sender.local)
    };
    Address { local: local.into(), domain: domain.into() }
}

/// The sender as Exchange Online writes it on a day for somebody of a tenant who passes mail on.
#[must_use]
pub fn rewrite_for(mailbox: &Address, sender: &Address, day: u64) -> Address {
    let stamp = format!("{}{}", digit(day / 32), digit(day));
    let proved = proof(&[&mailbox.domain, &mailbox.local, &stamp, &sender.domain, &sender.local]);
    let local = format!("{}{FOR}{proved}={stamp}={}={}", mailbox.local, sender.domain, sender.local);
    Address { local: local.into(), domain: mailbox.domain.clone() }
}

/// Whom an address stands for that Exchange Online wrote in `domain`; `None` if it did not.
#[must_use]
pub fn restore_for(local: &str, domain: &str) -> Option<Address> {
    let at = local.to_ascii_uppercase().find(FOR)?;
    let mailbox = &local[..at];
    let mut parts = local[at + FOR.len()..].splitn(4, '=');
    let (proved, stamp, host, user) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let own = proof(&[domain, mailbox, stamp, host, user]).eq_ignore_ascii_case(proved);
    own.then(|| Address { local: user.into(), domain: host.into() })
}

/// Where a report to such an address goes on from the forwarder in `domain`; `None` if it is none of its own.
#[must_use]
pub fn restore(local: &str, domain: &str) -> Option<Address> {
    if let Some(rest) = tagged(local, "SRS0") {
        let mut parts = rest.splitn(4, '=');
        let (proved, stamp, host, user) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let own = proof(&[domain, stamp, host, user]).eq_ignore_ascii_case(proved);
        return own.then(|| Address { local: user.into(), domain: host.into() });
    }
    let (proved, rest) = tagged(local, "SRS1")?.split_once('=')?;
    let (host, rest) = rest.split_once("==")?;
    let own = proof(&[domain, host, rest]).eq_ignore_ascii_case(proved);
    own.then(|| Address { local: format!("SRS0={rest}").into(), domain: host.into() })
}

/// What follows `SRS0=` (the separator may also be `+` or `-`).
fn tagged<'a>(local: &'a str, tag: &str) -> Option<&'a str> {
    let front = local.get(..tag.len())?;
    let rest = &local[tag.len()..];
    (front.eq_ignore_ascii_case(tag) && rest.starts_with(['=', '+', '-'])).then(|| &rest[1..])
}

fn digit(number: u64) -> char {
    DIGITS[(number % 32) as usize] as char
}

/// Four digits that only this forwarder would write: FNV-1a of the parts, folded.
fn proof(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.join("=").bytes() {
        hash = (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3);
    }
    (0..4).map(|place| digit((hash ^ hash >> 32) >> (5 * place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let sender = Address::parse("x@s.example").unwrap();
        let first = rewrite(&sender, "f.example", 20_514);
        assert!(first.local.starts_with("SRS0=") && first.to_string().ends_with("=s.example=x@f.example"), "{first}");
        let second = rewrite(&first, "g.example", 20_514);
        assert!(second.local.starts_with("SRS1=") && second.local.contains("=f.example=="), "{second}");
        let third = rewrite(&second, "h.example", 20_514);
        assert!(third.local.starts_with("SRS1=") && third.local.contains("=f.example=="), "{third}");
        for (from, domain) in [(&second, "g.example"), (&third, "h.example")] {
            assert_eq!(restore(&from.local, domain).as_ref(), Some(&first), "{from}: one step to the first forwarder");
        }
        assert_eq!(restore(&first.local, "f.example"), Some(sender.clone()));
        let cases = [
            (&*first.local, "g.example", "another forwarder's"),
            ("SRS0=AAAA=AA=s.example=x", "f.example", "forged"),
            ("SRS0=AAAA", "f.example", "cut off"),
            ("x", "f.example", "an ordinary name"),
        ];
        for (local, domain, case) in cases {
            assert_eq!(restore(local, domain), None, "{case}");
        }
        let mailbox = Address::parse("al@contoso.com").unwrap();
        let once = rewrite_for(&mailbox, &sender, 20_514);
        assert!(once.to_string().starts_with("al+SRS=") && once.to_string().ends_with("=s.example=x@contoso.com"), "{once}");
        assert_eq!(restore_for(&once.local, "contoso.com"), Some(sender.clone()));
        let again = rewrite_for(&Address::parse("bo@cpandl.com").unwrap(), &once, 20_514);
        assert_eq!(restore_for(&again.local, "cpandl.com"), Some(once.clone()), "one step back");
        assert_eq!(restore_for(&once.local, "cpandl.com"), None, "another tenant's");
        assert_eq!(restore_for("al+SRS=AAAA=AA=s.example=x", "contoso.com"), None, "forged");
        assert_eq!(rewrite(&sender, "s.example", 1), sender, "its own domain stays");
        assert_eq!(rewrite(&sender, "f.example", 1), rewrite(&sender, "f.example", 1025), "the day goes round");
    }
}
