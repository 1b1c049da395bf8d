//! Does a server refuse a domain that nobody could answer or reach (Postfix `reject_unknown_sender_domain`, `reject_unknown_recipient_domain`)?
//!
//! Sources: postconf(5), smtpd_check.c `reject_unknown_address`, `reject_unknown_mailhost`; RFC 7505 §4.2 for the codes of a null MX. Domains served here and
//! address literals are never asked for. The questions cost no time here. Not modelled: `unknown_address_tempfail_action`, access tables, policy services.

use super::authentication::{Ask, DnsAnswer};
use super::{Because, because};
use crate::base::{Enhanced, Reply};
use crate::model::dns::{RecordData, RecordType};
use crate::model::restrictions::{Restriction, Restrictions};

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Envelope sender, empty for mail of nobody.
    pub sender: &'a str,
    /// The recipient.
    pub recipient: &'a str,
    /// The client may send anywhere.
    pub trusted: bool,
    /// The client has logged in.
    pub logged_in: bool,
}

/// What a list says against a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Objection {
    /// The reply to RCPT.
    pub reply: Reply,
    /// Only if nothing else speaks against it (DNS failed for now).
    pub if_permitted: bool,
    /// Why.
    pub because: Because,
}

/// What DNS says about a domain that mail should go to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Found {
    Exists,
    NullMx,
    Nothing,
    Failed(&'static str),
}

/// Asks a list about a message. `is_local`: is a domain served here?
pub fn ask_list(
    list: &[Restriction],
    restrictions: &Restrictions,
    visit: &Visit<'_>,
    is_local: impl Fn(&str) -> bool,
    ask: &mut Ask<'_>,
) -> Option<Objection> {
    let mut deferred = None;
    for restriction in list {
        let (address, who, parameter) = match restriction {
            Restriction::PermitNetworks if visit.trusted => break,
            Restriction::PermitLogin if visit.logged_in => break,
            Restriction::Permit => break,
            Restriction::PermitNetworks | Restriction::PermitLogin => continue,
            Restriction::UnknownSender => (visit.sender, "Sender", "reject_unknown_sender_domain"),
            Restriction::UnknownRecipient => (visit.recipient, "Recipient", "reject_unknown_recipient_domain"),
        };
        let Some((_, domain)) = address.rsplit_once('@').filter(|(_, domain)| !domain.starts_with('[') && !is_local(domain)) else {
            continue;
        };
        let is_sender = *restriction == Restriction::UnknownSender;
        let rejected = format!("<{address}>: {who} address rejected: Domain");
        let subject = if is_sender { (1, 8) } else { (1, 2) };
        let status = |class| Some(Enhanced(class, subject.0, subject.1));
        let objection =
            |reply, why: String, if_permitted| Objection { reply, if_permitted, because: because("DOOR-4", domain, why, parameter) };
        match look_up(domain, ask) {
            Found::Exists => {}
            Found::NullMx => {
                let (code, status) = if is_sender { (550, Enhanced(5, 7, 27)) } else { (556, Enhanced(5, 1, 10)) };
                let reply = Reply::new(code, Some(status), &format!("{rejected} {domain} does not accept mail (nullMX)"));
                return Some(objection(reply, "its null MX says that it takes no mail".into(), false));
            }
            Found::Nothing => {
                let code = if restrictions.unknown_code == 0 { 450 } else { restrictions.unknown_code };
                let reply = Reply::new(code, status((code / 100) as u8), &format!("{rejected} not found"));
                return Some(objection(reply, "neither MX nor address: nobody could be told that mail for it failed".into(), false));
            }
            Found::Failed(what) => {
                let reply = Reply::new(450, status(4), &format!("{rejected} not found"));
                deferred.get_or_insert(objection(reply, format!("its lookup failed for now ({what})"), true));
            }
        }
    }
    deferred
}

/// MX, and where there is none an address.
fn look_up(domain: &str, ask: &mut Ask<'_>) -> Found {
    match ask(domain, RecordType::Mx) {
        DnsAnswer::Records(records) => {
            let is_null = |record: &RecordData<Box<str>>| matches!(record, RecordData::Mx { exchange, .. } if exchange.is_empty() || &**exchange == ".");
            return if records.iter().any(is_null) { Found::NullMx } else { Found::Exists };
        }
        DnsAnswer::Unknown => return Found::Exists,
        DnsAnswer::Failed(what) => return Found::Failed(what),
        DnsAnswer::NoData | DnsAnswer::NxDomain => {}
    }
    let mut failed = None;
    for kind in [RecordType::A, RecordType::Aaaa] {
        match ask(domain, kind) {
            DnsAnswer::Records(_) | DnsAnswer::Unknown => return Found::Exists,
            DnsAnswer::Failed(what) => failed = Some(what),
            DnsAnswer::NoData | DnsAnswer::NxDomain => {}
        }
    }
    failed.map_or(Found::Nothing, Found::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case: its name, the list, the code, the sender, whether the client may relay, the reply.
    type Case<'a> = (&'a str, &'a [Restriction], u16, &'a str, bool, Option<&'a str>);

    #[test]
    fn lists() {
        let mut ask = |name: &str, kind: RecordType| {
            let mx = |exchange: &str| DnsAnswer::Records(vec![RecordData::Mx { preference: 0, exchange: exchange.into() }]);
            match (name, kind) {
                ("good.test", RecordType::Mx) => mx("mx.good.test"),
                ("null.test", RecordType::Mx) => mx(""),
                ("fails.test", _) => DnsAnswer::Failed("SERVFAIL"),
                ("bare.test", RecordType::Mx) => DnsAnswer::NoData,
                ("bare.test", RecordType::A) => DnsAnswer::Records(vec![RecordData::A([192, 0, 2, 1].into())]),
                _ => DnsAnswer::NxDomain,
            }
        };
        use Restriction::{Permit, PermitLogin, PermitNetworks, UnknownRecipient, UnknownSender};
        let cases: [Case<'_>; 13] = [
            ("it exists", &[UnknownSender], 0, "a@good.test", false, None),
            ("an address will do", &[UnknownSender], 0, "a@bare.test", false, None),
            ("no such domain", &[UnknownSender], 0, "a@gone.test", false, Some("450 4.1.8")),
            ("for good", &[UnknownSender], 550, "a@gone.test", false, Some("550 5.1.8")),
            ("it sends only", &[UnknownSender], 0, "a@null.test", false, Some("550 5.7.27")),
            ("DNS fails", &[UnknownSender], 550, "a@fails.test", false, Some("450 4.1.8")),
            ("mail of nobody", &[UnknownSender], 0, "", false, None),
            ("its own domain", &[UnknownSender], 0, "a@here.test", false, None),
            ("a literal", &[UnknownSender], 0, "a@[192.0.2.1]", false, None),
            ("the recipient", &[UnknownRecipient], 0, "", false, Some("450 4.1.2")),
            ("its own clients first", &[PermitNetworks, UnknownSender], 0, "a@gone.test", true, None),
            ("they come later", &[UnknownSender, PermitNetworks], 0, "a@gone.test", true, Some("450 4.1.8")),
            ("no login", &[PermitLogin, UnknownSender, Permit], 0, "a@gone.test", false, Some("450 4.1.8")),
        ];
        for (case, list, unknown_code, sender, trusted, expected) in cases {
            let visit = Visit { sender, recipient: "b@gone.test", trusted, logged_in: false };
            let restrictions = Restrictions { unknown_code, ..Restrictions::default() };
            let objection = ask_list(list, &restrictions, &visit, |domain| domain == "here.test", &mut ask);
            let got = objection.map(|objection| objection.reply.to_string());
            assert_eq!(got.as_deref().map(|text| &text[..expected.map_or(0, str::len)]), expected, "{case}: {got:?}");
        }
    }
}
