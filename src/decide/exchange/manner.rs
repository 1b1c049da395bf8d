//! In what manner does a Send connector connect, and what does it make of refusals?
//!
//! SND-8 domain security; SND-9 HELO instead of EHLO; SND-10 replies and failures of another class; SND-11 through the Front End Transport of the site;
//! SND-12 whose DNS; SND-13 from which address; SND-14 how long it bears silence.
//! Sources: New-SendConnector, Set-TransportService `ExternalDNSServers`, Set-TransportConfig `TLSSendDomainSecureList`. What a "custom" failure is stands
//! nowhere: by the switch `custom_failures` every reply of a server is one, or none is.

use super::super::failure::Effect;
use super::super::profile::End;
use super::super::{Because, Decision, because};
use crate::base::{Reply, duration};
use crate::model::exchange_server::SendConnector;
use crate::model::manner::ErrorPolicies;
use crate::model::settings::{ClientCertificate, TlsLevel, TlsPolicy};

/// The reasons for everything in which a connector differs; empty for most.
#[must_use]
pub fn reasons(connector: &SendConnector) -> Vec<Because> {
    let manner = &connector.manner;
    let errors = manner.errors;
    let say = |rule, why: &str, source| because(rule, &*connector.name, why, source);
    let mut found = Vec::new();
    if manner.helo {
        found.push(say(
            "SND-9",
            "ForceHELO: HELO instead of EHLO, so no extension can be used, STARTTLS among them",
            "New-SendConnector ForceHELO",
        ));
    }
    if errors != ErrorPolicies::default() {
        let words = [
            (errors.downgrades_dns, "a name that cannot be found is looked for again"),
            (errors.downgrades_replies, "what a server refuses for good is tried again"),
            (errors.upgrades_replies, "what a server refuses for now is given up"),
        ];
        let words: Vec<&str> = words.into_iter().filter(|(on, _)| *on).map(|(_, words)| words).collect();
        found.push(say("SND-10", &words.join("; "), "New-SendConnector ErrorPolicies"));
    }
    if manner.through_front_end {
        found.push(say(
            "SND-11",
            "FrontendProxyEnabled: it leaves through the Front End Transport of the site",
            "New-SendConnector FrontendProxyEnabled",
        ));
    }
    if manner.resolver.is_some() {
        found.push(say("SND-12", "other DNS servers than those of the machine are asked", "Set-TransportService ExternalDNSServers"));
    }
    if let Some(address) = manner.source {
        found.push(say("SND-13", &format!("it connects from {address}"), "New-SendConnector SourceIPAddress"));
    }
    if manner.patience_ns > 0 {
        let why = format!("a server that says nothing for {} is left", duration(manner.patience_ns));
        found.push(say("SND-14", &why, "New-SendConnector ConnectionInactivityTimeOut"));
    }
    found
}

/// Mutual TLS with a domain on the list: the certificate of the recipient's domain is wanted, and one of its own is shown.
#[must_use]
pub fn domain_security(connector: &SendConnector, domain: &str) -> Option<Decision<TlsPolicy>> {
    if !connector.domain_secure.iter().any(|secured| **secured == *domain) {
        return None;
    }
    let shown = connector.tls.certificate;
    let (certificate, words) = match shown {
        ClientCertificate::Nothing | ClientCertificate::Missing => (ClientCertificate::Missing, "; it has none of its own to show"),
        ClientCertificate::Own | ClientCertificate::This(_) => (shown, ", and shows its own"),
    };
    let policy = TlsPolicy { names: vec![domain.into()], certificate, ..TlsPolicy::of(TlsLevel::DomainSecure) };
    let why = format!("`{domain}` is a secured domain: it wants a trusted certificate with that name{words}");
    Some(Decision::for_reason(policy, because("SND-8", &*connector.name, why, "Set-TransportConfig TLSSendDomainSecureList")))
}

/// What becomes of a name that cannot be found.
#[must_use]
pub fn lookup_failed(errors: ErrorPolicies, end: End) -> End {
    if errors.downgrades_dns && end.bounce { End { bounce: false, code: 0, status: end.status.with_class(4), ..end } } else { end }
}

/// What a reply means after the policies; `None` if they leave it as it was.
#[must_use]
pub fn of_reply(errors: ErrorPolicies, connector: &str, reply: &Reply, effect: Effect) -> Option<Decision<Effect>> {
    let say = |effect, why: &str| Some(Decision::for_reason(effect, because("SND-10", connector, why, "New-SendConnector ErrorPolicies")));
    match effect {
        Effect::Bounce(status) if errors.downgrades_replies && reply.class() == 5 => {
            say(Effect::Next(status.with_class(4)), "DowngradeCustomFailures: the refusal counts for now, and it is tried again")
        }
        Effect::Next(status) | Effect::Defer(status) if errors.upgrades_replies && reply.class() == 4 => {
            say(Effect::Bounce(status.with_class(5)), "UpgradeCustomFailures: the refusal counts for good")
        }
        Effect::Bounce(_) | Effect::Next(_) | Effect::Defer(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CertId, Enhanced, SECOND};
    use crate::model::manner::Manner;

    #[test]
    fn refusals_of_another_class() {
        let down = ErrorPolicies { downgrades_replies: true, ..ErrorPolicies::default() };
        let up = ErrorPolicies { upgrades_replies: true, ..ErrorPolicies::default() };
        let both = ErrorPolicies { downgrades_replies: true, upgrades_replies: true, ..ErrorPolicies::default() };
        let (hard, soft) = (Reply::new(550, Some(Enhanced(5, 1, 1)), "no"), Reply::new(451, Some(Enhanced(4, 7, 1)), "later"));
        let (bounce, next) = (Effect::Bounce(Enhanced(5, 1, 1)), Effect::Next(Enhanced(4, 7, 1)));
        let cases = [
            ("as it is", ErrorPolicies::default(), &hard, bounce, None),
            ("for good becomes for now", down, &hard, bounce, Some(Effect::Next(Enhanced(4, 1, 1)))),
            ("and not the other way round", down, &soft, next, None),
            ("for now becomes for good", up, &soft, next, Some(Effect::Bounce(Enhanced(5, 7, 1)))),
            ("both turn both round", both, &soft, next, Some(Effect::Bounce(Enhanced(5, 7, 1)))),
            ("both turn both round", both, &hard, bounce, Some(Effect::Next(Enhanced(4, 1, 1)))),
        ];
        for (case, errors, reply, effect, expected) in cases {
            assert_eq!(of_reply(errors, "c", reply, effect).map(|decision| decision.outcome), expected, "{case}");
        }
        let end = End { code: 0, ..crate::decide::profile::behaviour(crate::model::settings::Profile::ExchangeServer).mx.no_such_domain };
        let dns = ErrorPolicies { downgrades_dns: true, ..ErrorPolicies::default() };
        assert!(end.bounce && lookup_failed(ErrorPolicies::default(), end).bounce && !lookup_failed(dns, end).bounce);
        assert_eq!(lookup_failed(dns, end).status, Enhanced(4, 4, 4));
    }

    #[test]
    fn manners_and_secured_domains() {
        let plain = SendConnector::bare("out");
        assert!(reasons(&plain).is_empty());
        let manner = Manner {
            helo: true,
            errors: ErrorPolicies { downgrades_dns: true, ..ErrorPolicies::default() },
            through_front_end: true,
            resolver: Some(crate::base::ResolverId(0)),
            source: Some("192.0.2.1".parse().unwrap()),
            patience_ns: 30 * SECOND,
        };
        let rules: Vec<&str> = reasons(&SendConnector { manner, ..plain.clone() }).iter().map(|reason| reason.rule).collect();
        assert_eq!(rules, ["SND-9", "SND-10", "SND-11", "SND-12", "SND-13", "SND-14"]);
        let secure = SendConnector { domain_secure: vec!["b.test".into()], ..plain };
        let of = |shown, domain| {
            let tls = TlsPolicy { certificate: shown, ..secure.tls.clone() };
            domain_security(&SendConnector { tls, ..secure.clone() }, domain).map(|decision| decision.outcome)
        };
        let own = of(ClientCertificate::This(CertId(1)), "b.test").expect("a secured domain");
        assert_eq!((own.level, &*own.names[0], own.certificate), (TlsLevel::DomainSecure, "b.test", ClientCertificate::This(CertId(1))));
        assert_eq!(
            of(ClientCertificate::Nothing, "b.test").map(|policy| policy.certificate),
            Some(ClientCertificate::Missing),
            "both sides prove it"
        );
        assert_eq!(of(ClientCertificate::Own, "c.test"), None, "not on the list");
        assert_eq!(of(ClientCertificate::Own, "eu.b.test"), None, "domains below are others");
    }
}
