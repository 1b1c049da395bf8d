//! Which certificates are there from a moment on, and who trusts them?

use std::collections::BTreeMap;

use crate::base::{CertId, InOrder, SimTime, common_form};
use crate::diag::{Diagnostic, closest, code};
use crate::model::certificate::{Certificate, Issuer, Revocation};
use crate::model::settings::ClientCertificate;
use crate::model::topology::HostSet;
use crate::scenario::schema::{self, CertificateDef, Scenario};
use crate::scenario::source::{Field, Text};

use super::desk::Desk;
use super::scope::Scope;
use super::tables::Tables;

/// The certificates of one stage by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Certificates(BTreeMap<Box<str>, CertId>);

/// What a machine shows when the text does not say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    Nothing,
    Public,
    SelfSigned,
}

impl Certificates {
    pub(super) fn of(tree: &Scenario, scope: &Scope, tables: &mut Tables, desk: &mut Desk) -> Self {
        let mut named = BTreeMap::new();
        for (name, issuer) in [("public", Issuer::Public), ("self-signed", Issuer::SelfSigned)] {
            named.insert(name.into(), tables.certificate(always_there(name, issuer)));
        }
        let mut written: Vec<(&Text, &CertificateDef)> = tree.certificates.iter().collect();
        written.in_order_by_key(|(name, _)| name.as_str());
        for (name, definition) in written {
            if matches!(name.as_str(), "public" | "self-signed" | "none") {
                desk.error(
                    code::RESERVED,
                    name.span(),
                    format!("`{name}` exists always and cannot be described"),
                    "give the certificate another name",
                );
                continue;
            }
            let certificate = certificate(name, definition, tree, scope, desk);
            named.insert(name.as_str().into(), tables.certificate(certificate));
        }
        Self(named)
    }

    /// The certificate that a text names; `None` for "none".
    pub(super) fn find(&self, text: &Text, desk: &mut Desk) -> Option<CertId> {
        if text.as_str() == "none" {
            return None;
        }
        let found = self.0.get(text.as_str()).copied();
        if found.is_none() {
            let problem = Diagnostic::error(code::UNKNOWN_NAME, text.span(), format!("no certificate is called `{text}`"));
            let known = self.0.keys().map(|name| &**name).chain(["none"]);
            let otherwise = "certificates stand at the top level; \"public\", \"self-signed\" and \"none\" always exist";
            desk.unknown(problem, text, known, otherwise);
        }
        found
    }

    /// What a client shows whose connector names a certificate as Exchange writes it, `<I>issuer<S>subject`; `own` is the machine's certificate,
    /// the only one that it has. A bare subject is taken as well.
    pub(super) fn named_by_connector(text: &Text, own: Option<CertId>, tables: &Tables) -> ClientCertificate {
        let Some(certificate) = own.map(|id| &tables.certificates[id.index()]) else { return ClientCertificate::Missing };
        let (issuer, subject) = match text.trim().strip_prefix("<I>").and_then(|rest| rest.split_once("<S>")) {
            Some((issuer, subject)) => (Some(common_name(issuer)), common_name(subject)),
            None => (None, common_name(text)),
        };
        let carries = certificate.any_name || *certificate.subject == *subject || certificate.names.iter().any(|name| **name == *subject);
        let issued = issuer.is_none_or(|issuer| common_name(&certificate.issuer_name) == issuer);
        match own {
            Some(id) if carries && issued => ClientCertificate::This(id),
            _ => ClientCertificate::Missing,
        }
    }

    /// The certificate of a machine.
    pub(super) fn shown(&self, field: &Field<Text>, default: Shown, desk: &mut Desk) -> Option<CertId> {
        match (field.get(), default) {
            (Some(text), _) => self.find(text, desk),
            (None, Shown::Nothing) => None,
            (None, Shown::Public) => self.0.get("public").copied(),
            (None, Shown::SelfSigned) => self.0.get("self-signed").copied(),
        }
    }
}

/// `CN=mail.contoso.com, O=Contoso` without all that is not the name; lower case.
fn common_name(text: &str) -> String {
    let first = |part: &str| common_form(part.split(',').next().unwrap_or("").trim());
    let of_cn = text.split(',').map(str::trim).find_map(|part| part.strip_prefix("CN=").or_else(|| part.strip_prefix("cn=")));
    of_cn.map_or_else(|| first(text), first)
}

/// What Exchange Online shows where it is a client.
pub(super) fn of_exchange_online() -> Certificate {
    Certificate {
        subject: "mail.protection.outlook.com".into(),
        names: ["mail.protection.outlook.com", "*.mail.protection.outlook.com", "*.mail.eo.outlook.com"].map(Into::into).to_vec(),
        any_name: false,
        ..always_there("mail.protection.outlook.com", Issuer::Public)
    }
}

/// What the front ends of Exchange Online show as servers: beside these names each has that of the endpoint. It is called "public" in TLSA records.
pub(super) fn of_the_front_ends() -> Certificate {
    let Certificate { subject, names, .. } = of_exchange_online();
    Certificate { subject, names, ..always_there("public", Issuer::Public) }
}

/// A certificate with the host's own name, valid for ever.
fn always_there(name: &str, issuer: Issuer) -> Certificate {
    Certificate {
        name: name.into(),
        subject: "".into(),
        names: Vec::new(),
        any_name: true,
        issuer_name: name.into(),
        issuer,
        not_before: SimTime::ZERO,
        not_after: SimTime::NEVER,
        sends_chain: true,
        revocation: Revocation::Good,
        weak_signature: false,
        key: name.into(),
        key_digest: "".into(),
        digest: "".into(),
    }
}

fn certificate(name: &Text, definition: &CertificateDef, tree: &Scenario, scope: &Scope, desk: &mut Desk) -> Certificate {
    let lower = |text: &Text| common_form(text).into();
    Certificate {
        name: name.as_str().into(),
        subject: definition.subject.get().map_or_else(|| "".into(), lower),
        names: definition.names.items().iter().map(lower).collect(),
        any_name: false,
        issuer_name: definition.issuer.as_str().unwrap_or("public").into(),
        issuer: issuer(&definition.issuer, tree, scope, desk),
        not_before: desk.instant_or(&definition.not_before, SimTime::ZERO),
        not_after: desk.instant_or(&definition.not_after, SimTime::NEVER),
        sends_chain: definition.sends_chain.or(true),
        revocation: match definition.revocation.or(schema::Revocation::Good) {
            schema::Revocation::Good => Revocation::Good,
            schema::Revocation::Revoked => Revocation::Revoked,
            schema::Revocation::Unreachable => Revocation::Unreachable,
        },
        weak_signature: definition.weak_signature.or(false),
        key: key_of(name, definition).into(),
        key_digest: digest(&definition.spki_sha256, desk),
        digest: digest(&definition.cert_sha256, desk),
    }
}

/// The name of a certificate's key.
pub(super) fn key_of<'a>(name: &'a str, definition: &'a CertificateDef) -> &'a str {
    definition.key.as_str().unwrap_or(name)
}

/// SHA-256 as people paste it.
fn digest(field: &Field<Text>, desk: &mut Desk) -> Box<str> {
    let Some(text) = field.get() else { return "".into() };
    let plain: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect::<String>().to_ascii_lowercase();
    if plain.len() != 64 || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        desk.error(code::VALUE, text.span(), format!("`{text}` is not a SHA-256 digest"), "it has 64 hexadecimal digits");
    }
    plain.into()
}

fn issuer(field: &Field<Text>, tree: &Scenario, scope: &Scope, desk: &mut Desk) -> Issuer {
    let Some(text) = field.get() else { return Issuer::Public };
    match text.as_str() {
        "public" => return Issuer::Public,
        "self-signed" => return Issuer::SelfSigned,
        _ => {}
    }
    let Some(authority) = tree.authorities.get(text) else {
        unknown_issuer(text, tree, desk);
        return Issuer::Public;
    };
    let everybody = !authority.trusted_by.is_written() || authority.trusted_by.items().iter().any(|name| name.as_str() == "*");
    let trusted_by = if everybody { HostSet::All } else { HostSet::These(scope.all_of(authority.trusted_by.items(), desk)) };
    Issuer::Authority { name: text.as_str().into(), trusted_by, not_after: desk.instant_or(&authority.not_after, SimTime::NEVER) }
}

/// A slip of the finger, or a public authority that nobody needs to describe.
fn unknown_issuer(text: &Text, tree: &Scenario, desk: &mut Desk) {
    let known = tree.authorities.keys().map(Text::as_str).chain(["public", "self-signed"]);
    match closest(text, known) {
        Some(name) => {
            let message = format!("no authority is called `{text}`");
            desk.error(code::UNKNOWN_NAME, text.span(), message, format!("did you mean `{name}`?"));
        }
        None => {
            let message = format!("`{text}` is not among the `authorities`, so it is taken for a public one that everybody trusts");
            let problem = Diagnostic::warning(code::UNKNOWN_NAME, text.span(), message);
            desk.say(problem.help(format!("to say who trusts it, add authorities: {{ \"{text}\": () }}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_by_a_connector() {
        let mut tables = Tables::default();
        let mail = Certificate {
            subject: "mail.contoso.com".into(),
            any_name: false,
            issuer_name: "DigiCert Global CA".into(),
            ..always_there("mail", Issuer::Public)
        };
        let mail = tables.certificate(mail);
        let cases = [
            ("<I>CN=DigiCert Global CA<S>CN=mail.contoso.com", Some(mail), ClientCertificate::This(mail)),
            ("<I>CN=DigiCert Global CA, O=DigiCert Inc<S>CN=Mail.contoso.com, C=NL", Some(mail), ClientCertificate::This(mail)),
            ("mail.contoso.com", Some(mail), ClientCertificate::This(mail)),
            ("<I>CN=Another CA<S>CN=mail.contoso.com", Some(mail), ClientCertificate::Missing),
            ("<I>CN=DigiCert Global CA<S>CN=other.contoso.com", Some(mail), ClientCertificate::Missing),
            ("<I>CN=DigiCert Global CA<S>CN=mail.contoso.com", None, ClientCertificate::Missing),
        ];
        for (text, own, expected) in cases {
            assert_eq!(Certificates::named_by_connector(&Text::made_up(text), own, &tables), expected, "{text}");
        }
    }
}
