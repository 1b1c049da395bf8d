//! Which Receive connector of an Exchange server has a client, and what may he do there?
//!
//! RCV-1 the connector with this binding whose RemoteIPRanges hold the client's address most narrowly; RCV-2 what the client is: a server of the
//! organization, a login, the other half of a hybrid by its certificate, or nobody in particular; RCV-3 the right to send to anybody.
//! Sources: Exchange Server "Receive connectors", "Allow anonymous relay", New-ReceiveConnector. Whom a login sends as: `server_login`. Not modelled:
//! the Partners group for others than senders of secured domains.

use super::super::visitor::Visitor;
use super::super::{Because, Decision, because};
use super::redundancy;
use crate::base::{Enhanced, Reply};
use crate::model::exchange_server::{Organization, ServerVersion, ShadowRefusal};
use crate::model::receive_connector::ReceiveConnector;

const SOURCE: &str = "New-ReceiveConnector";

/// What a client is to a connector.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rights {
    /// He may submit at all.
    pub submits: bool,
    /// He may name any recipient.
    pub relays: bool,
    /// He is known: never held up.
    pub authenticated: bool,
}

/// The connector that has this client: the narrowest range that holds its address.
#[must_use]
pub fn find<'a>(organization: &'a Organization, visitor: &Visitor<'_>) -> Option<&'a ReceiveConnector> {
    let (listener, address) = (visitor.listener?, visitor.peer.address?);
    let narrowest = |is_bound: &dyn Fn(&ReceiveConnector) -> bool| {
        let candidates = organization.receive_connectors.iter().filter(|connector| is_bound(connector));
        let holding = candidates.filter_map(|connector| Some((connector.width_for(address)?, connector)));
        holding.min_by_key(|(width, _)| *width).map(|(_, connector)| connector)
    };
    narrowest(&|connector| connector.is_at_one_of(&listener.only_at, listener.port))
        .or_else(|| narrowest(&|connector| connector.is_at_all_for(address, listener.port)))
}

/// Why the other connectors at the same port do not have this client.
#[must_use]
pub fn others(organization: &Organization, has_it: &ReceiveConnector, visitor: &Visitor<'_>) -> Vec<Because> {
    let (Some(listener), Some(address)) = (visitor.listener, visitor.peer.address) else { return Vec::new() };
    let at_port = |connector: &&ReceiveConnector| connector.bindings.iter().any(|(_, port)| *port == listener.port);
    let bound_to_it = |connector: &ReceiveConnector| connector.is_at_one_of(&listener.only_at, listener.port);
    let lost = |connector: &ReceiveConnector| {
        if !connector.is_at_all_for(address, listener.port) && !bound_to_it(connector) {
            return because("RCV-1", &*connector.name, "bound to another address of the server", "New-ReceiveConnector Bindings");
        }
        if connector.width_for(address).is_none() {
            let why = format!("its remote addresses do not hold {address}");
            return because("RCV-1", &*connector.name, why, "New-ReceiveConnector RemoteIPRanges");
        }
        if bound_to_it(has_it) && !bound_to_it(connector) {
            let why = format!("bound to all addresses of the server; `{}` is bound to the very one", has_it.name);
            return because("RCV-1", &*connector.name, why, "New-ReceiveConnector Bindings");
        }
        let why = format!("its remote addresses hold {address}, too, but less narrowly than those of `{}`", has_it.name);
        because("RCV-1", &*connector.name, why, "New-ReceiveConnector RemoteIPRanges")
    };
    organization.receive_connectors.iter().filter(at_port).filter(|other| other.name != has_it.name).map(lost).collect()
}

/// No Receive connector has the client, so nobody greets it.
#[must_use]
pub fn nobody_has(client: std::net::IpAddr) -> Decision<Reply> {
    let why = "no Receive connector at this port has remote addresses that hold it";
    let reply = Reply::new(421, Some(Enhanced(4, 3, 2)), "Service not available");
    Decision::for_reason(reply, because("RCV-1", client.to_string(), why, "New-ReceiveConnector RemoteIPRanges"))
}

/// The connector that mail from this address came in on, at the port for everybody.
#[must_use]
pub fn came_in_on(organization: &Organization, address: std::net::IpAddr) -> Option<&ReceiveConnector> {
    let at_port = organization.receive_connectors.iter().filter(|connector| connector.bindings.iter().any(|(_, port)| *port == 25));
    let held = at_port.filter_map(|connector| Some((connector.width_for(address)?, connector)));
    held.min_by_key(|(width, _)| *width).map(|(_, connector)| connector)
}

/// The Send connector that is linked to where a message came in (Exchange 2010).
#[must_use]
pub fn linked_connector(organization: &Organization, client: std::net::IpAddr) -> Option<Decision<usize>> {
    let came_in = came_in_on(organization, client)?;
    let is_linked = |connector: &&crate::model::exchange_server::SendConnector| {
        connector.enabled && connector.linked.as_deref() == Some(&*came_in.name)
    };
    let at = organization.send_connectors.iter().position(|connector| is_linked(&connector))?;
    let why = format!("linked to `{}`, where the message came in: address spaces are not looked at", came_in.name);
    Some(Decision::for_reason(
        at,
        because("LINK", &*organization.send_connectors[at].name, why, "New-SendConnector LinkedReceiveConnector"),
    ))
}

/// What the client may do at a connector, and why.
#[must_use]
pub fn rights(organization: &Organization, connector: &ReceiveConnector, visitor: &Visitor<'_>) -> (Rights, Because) {
    let all = Rights { submits: true, relays: true, authenticated: true };
    let say = |rule, why: &str| because(rule, &*connector.name, why, SOURCE);
    let own = organization.server(visitor.peer.host).is_some();
    if own && connector.servers && connector.knows_servers {
        return (all, say("RCV-2", "a server of the same organization"));
    }
    if connector.external_authoritative && connector.servers {
        return (all, say("RCV-2", "ExternalAuthoritative: whoever comes from these addresses counts as a server of the organization"));
    }
    if visitor.login.is_some() && connector.users {
        return (all, say("RCV-2", "logged in (ExchangeUsers)"));
    }
    let cloud = connector.cloud_names.iter().find(|name| visitor.proves(name));
    if let Some(name) = cloud.filter(|_| visitor.other_tenant) {
        let why = format!(
            "TlsDomainCapabilities: its certificate is that of `{name}`, which all tenants show, and this mail left a tenant with which the \
             organization shares no accepted domain (X-OriginatorOrg; switch `originator_org`): {}",
            if connector.anonymous { "anonymous" } else { "nobody in particular, and the connector takes no anonymous mail" }
        );
        let rights =
            Rights { submits: connector.anonymous, relays: connector.anonymous && connector.anonymous_relay, authenticated: false };
        return (rights, say("RCV-2", &why));
    }
    if let Some(name) = cloud {
        return (
            all,
            say("RCV-2", &format!("TlsDomainCapabilities: its certificate is that of `{name}`, the other half of the organization")),
        );
    }
    if connector.cloud_in_clear && visitor.tls.is_none() {
        let why = "TlsDomainCapabilities with NO-TLS: whoever comes without TLS counts as the other half of the organization";
        return (all, say("RCV-2", why));
    }
    let partner = connector.partners && proves_its_domain(connector, visitor);
    if partner && !connector.anonymous {
        let rights = Rights { submits: true, relays: false, authenticated: false };
        let why =
            "a partner: a sender of a secured domain, with a certificate of that domain (Partners); recipients of accepted domains only";
        return (rights, say("RCV-2", why));
    }
    let submits = connector.anonymous;
    let relays = connector.anonymous && connector.anonymous_relay;
    let why = match (submits, relays) {
        (false, _) if own => {
            "a server of the same organization, and the connector lets none in (ExchangeServers, AuthMechanism ExchangeServer)"
        }
        (true, false) if own => {
            "a server of the same organization, taken for a stranger: the connector lets none in (ExchangeServers, AuthMechanism ExchangeServer)"
        }
        (false, _) if connector.partners && connector.domain_secure.is_empty() => {
            "nobody in particular; Partners lets in who proves a secured domain by certificate, and the connector has no domain security"
        }
        (false, _) if connector.partners => {
            "nobody in particular; Partners lets in who proves a secured domain by certificate, and the client did not"
        }
        (false, _) => "nobody in particular, and the connector takes no anonymous mail",
        (true, true) => "anonymous, with the right ms-Exch-SMTP-Accept-Any-Recipient",
        (true, false) if visitor.certificate.is_some() && connector.cloud_names.is_empty() => {
            "anonymous: recipients of accepted domains only; the connector has no TlsDomainCapabilities for the certificate that the client shows"
        }
        (true, false) if visitor.certificate.is_some() => {
            "anonymous: recipients of accepted domains only; TlsDomainCapabilities asks for a name that the client's certificate does not prove"
        }
        (true, false) => "anonymous: recipients of accepted domains only",
    };
    (Rights { submits, relays, authenticated: false }, say(if relays { "RCV-3" } else { "RCV-2" }, why))
}

/// The refusal at MAIL, if there is one: nobody's client, no TLS, no right to submit, a sender of a secured domain without its certificate.
#[must_use]
pub fn refusal_at_mail(
    organization: &Organization,
    visitor: &Visitor<'_>,
    encrypted: bool,
    somebody_keeps_shadows: bool,
) -> Option<Decision<Reply>> {
    let client = visitor.peer.address.filter(|_| !organization.receive_connectors.is_empty())?;
    let Some(connector) = find(organization, visitor) else { return Some(nobody_has(client)) };
    let refuse = |code, status, text: &'static str, reasons: Vec<Because>| {
        let passed_over = others(organization, connector, visitor);
        Some(Decision { outcome: Reply::new(code, Some(status), text), chosen: reasons, passed_over })
    };
    let say = |why: &str, source| because("RCV-2", &*connector.name, why, source);
    if connector.require_tls && !encrypted {
        let why = say("it takes nothing without TLS", "New-ReceiveConnector RequireTLS");
        return refuse(451, Enhanced(5, 7, 3), "STARTTLS is required to send mail", vec![narrowest(connector), why]);
    }
    let (rights, why) = rights(organization, connector, visitor);
    if !rights.submits
        && connector.partners
        && let Some(refusal) = proves_too_little(connector, visitor)
    {
        return Some(refusal);
    }
    if !rights.submits {
        let reasons = vec![narrowest(connector), why];
        return match organization.version {
            ServerVersion::Exchange2010 => refuse(530, Enhanced(5, 7, 1), "Client was not authenticated", reasons),
            _ => refuse(530, Enhanced(5, 7, 57), "Client not authenticated to send mail", reasons),
        };
    }
    if let Some(refusal) = proves_too_little(connector, visitor) {
        return Some(refusal);
    }
    let shadowed = organization.transport.shadow_resubmit_ns.is_some() && organization.own().is_some_and(|own| !own.edge);
    let alone = shadowed && !somebody_keeps_shadows;
    let text = "Message failed to be made redundant";
    let why = if redundancy::shadow_servers(organization).is_empty() {
        "no other server can keep a shadow copy"
    } else {
        "none of the servers that are asked to keep a shadow copy takes one now"
    };
    let why = || vec![say(why, "Set-TransportConfig RejectMessageOnShadowFailure")];
    match organization.transport.refuses_without_shadow.filter(|_| alone && !rights.authenticated)? {
        ShadowRefusal::AsArticle => refuse(451, Enhanced(4, 4, 0), text, why()),
        ShadowRefusal::AsCmdlet => refuse(450, Enhanced(4, 5, 1), text, why()),
    }
}

/// A sender in a secured domain with a certificate of it.
fn proves_its_domain(connector: &ReceiveConnector, visitor: &Visitor<'_>) -> bool {
    let secured = |domain: &&str| connector.domain_secure.iter().any(|secured| **secured == **domain);
    visitor.sender_domain().filter(secured).is_some() && proves_too_little(connector, visitor).is_none()
}

/// A sender in a secured domain shows a certificate with that name (mutual TLS), or comes another time.
fn proves_too_little(connector: &ReceiveConnector, visitor: &Visitor<'_>) -> Option<Decision<Reply>> {
    let domain = visitor.sender_domain()?;
    if !connector.domain_secure.iter().any(|secured| **secured == *domain) {
        return None;
    }
    let refuse = |code, status, text, why: String| {
        let why = because("RCV-2", &*connector.name, why, "Set-TransportConfig TLSReceiveDomainSecureList");
        let outcome = Reply::new(code, Some(status), text);
        Some(Decision { outcome, chosen: vec![narrowest(connector), why], passed_over: vec![] })
    };
    if visitor.tls.is_none() {
        let why = format!("`{domain}` is a secured domain: nothing from it without TLS");
        return refuse(451, Enhanced(5, 7, 3), "STARTTLS is required to send mail", why);
    }
    if visitor.proves(domain) {
        return None;
    }
    let why = format!("`{domain}` is a secured domain, and the client has no certificate of it that can be trusted");
    refuse(454, Enhanced(4, 7, 5), "Certificate validation failure", why)
}

/// Why this connector has the client.
pub(super) fn narrowest(connector: &ReceiveConnector) -> Because {
    let words = "of the connectors at this port its remote addresses hold the client most narrowly";
    because("RCV-1", &*connector.name, words, "New-ReceiveConnector RemoteIPRanges")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{HostId, NextHopId, TlsVersion};
    use crate::decide::visitor::{Peer, ShownCertificate};
    use crate::model::exchange_server::Server;
    use crate::model::receive_connector::{Limits, Range};
    use crate::model::settings::Listener;

    fn connector(name: &str, from: &str, to: &str) -> ReceiveConnector {
        ReceiveConnector {
            name: name.into(),
            bindings: vec![("0.0.0.0".parse().unwrap(), 25)],
            ranges: vec![Range { from: from.parse().unwrap(), to: to.parse().unwrap() }],
            anonymous: true,
            users: false,
            servers: false,
            knows_servers: true,
            partners: false,
            external_authoritative: false,
            login_over_tls: true,
            anonymous_relay: false,
            require_tls: false,
            limits: Limits { message_bytes: 1000, ..Limits::USUAL },
            domain_secure: vec!["secure.test".into()],
            cloud_names: vec!["mail.protection.outlook.com".into()],
            cloud_in_clear: false,
            silent_about: vec![],
            faces: vec![],
        }
    }

    fn organization() -> Organization {
        let everybody = ReceiveConnector { servers: true, ..connector("everybody", "0.0.0.0", "255.255.255.255") };
        let net = ReceiveConnector { require_tls: true, ..connector("net", "10.0.0.0", "10.0.0.255") };
        let relay = ReceiveConnector { anonymous_relay: true, ..connector("relay", "10.0.0.50", "10.0.0.50") };
        let trusted = ReceiveConnector { servers: true, external_authoritative: true, ..connector("trusted", "10.0.0.60", "10.0.0.60") };
        let closed = ReceiveConnector { anonymous: false, users: true, ..connector("closed", "10.0.0.70", "10.0.0.70") };
        let in_clear = ReceiveConnector { cloud_in_clear: true, ..connector("in clear", "10.0.0.80", "10.0.0.80") };
        let server = |at: u32| Server { host: HostId(at), name: "S".into(), site: 0, edge: false, hop: NextHopId(0), dag: None };
        Organization {
            servers: vec![server(0), server(1)],
            receive_connectors: vec![everybody, net, relay, trusted, closed, in_clear],
            ..Organization::bare(ServerVersion::Exchange2019)
        }
    }

    #[test]
    fn who_may_do_what() {
        let organization = organization();
        let listener = Listener {
            name: "smtp".into(),
            port: 25,
            only_at: vec![],
            family: None,
            turns_away: None,
            implicit_tls: false,
            require_tls: false,
            require_login: false,
            without: vec![],
            tls_versions: (TlsVersion::Tls10, TlsVersion::Tls13),
        };
        let cases = [
            ("anybody", "192.0.2.1", 9, None, None, "everybody", (true, false), None),
            ("the narrower range, which wants TLS", "10.0.0.7", 9, None, None, "net", (true, false), Some(451)),
            ("the narrowest one", "10.0.0.50", 9, None, None, "relay", (true, true), None),
            ("externally secured", "10.0.0.60", 9, None, None, "trusted", (true, true), None),
            ("no anonymous mail", "10.0.0.70", 9, None, None, "closed", (false, false), Some(530)),
            ("but logins", "10.0.0.70", 9, Some("a@b.test"), None, "closed", (true, true), None),
            ("a server of the organization", "192.0.2.1", 1, None, None, "everybody", (true, true), None),
            ("one where the connector lets no servers in", "10.0.0.50", 1, None, None, "relay", (true, true), None),
            ("one, taken for a stranger", "10.0.0.70", 1, None, None, "closed", (false, false), Some(530)),
            ("the hybrid's other half", "192.0.2.1", 9, None, Some("mail.protection.outlook.com"), "everybody", (true, true), None),
            ("somebody else's certificate", "192.0.2.1", 9, None, Some("mail.far.test"), "everybody", (true, false), None),
            ("NO-TLS", "10.0.0.80", 9, None, None, "in clear", (true, true), None),
        ];
        for (case, address, host, login, certificate, expected, (submits, relays), code) in cases {
            let visitor = Visitor {
                listener: Some(&listener),
                login,
                certificate: certificate.map(|name| ShownCertificate { name, names: vec![name], trust: Ok(()) }),
                ..Visitor::plain(Peer { host: HostId(host), address: Some(address.parse().unwrap()) })
            };
            let found = find(&organization, &visitor).expect(case);
            let (rights, _) = rights(&organization, found, &visitor);
            assert_eq!((&*found.name, rights.submits, rights.relays), (expected, submits, relays), "{case}");
            assert_eq!(refusal_at_mail(&organization, &visitor, false, true).map(|refusal| refusal.outcome.code), code, "{case}");
        }
        let shown = |name: &'static str| Some(ShownCertificate { name, names: vec![name], trust: Ok(()) });
        let partners = ReceiveConnector { anonymous: false, partners: true, ..organization.receive_connectors[0].clone() };
        let unsecured = ReceiveConnector { domain_secure: vec![], ..partners.clone() };
        let partner = |connector: &ReceiveConnector, sender, tls: bool, certificate: Option<&'static str>| {
            let organization = Organization { receive_connectors: vec![connector.clone()], ..organization.clone() };
            let visitor = Visitor {
                listener: Some(&listener),
                sender,
                tls: tls.then_some(TlsVersion::Tls12),
                certificate: certificate.map(|name| ShownCertificate { name, names: vec![name], trust: Ok(()) }),
                ..Visitor::plain(Peer { host: HostId(9), address: "192.0.2.1".parse().ok() })
            };
            let (rights, _) = rights(&organization, connector, &visitor);
            (rights.submits, rights.relays, refusal_at_mail(&organization, &visitor, tls, true).map(|refusal| refusal.outcome.code))
        };
        assert_eq!(partner(&partners, "x@secure.test", true, Some("secure.test")), (true, false, None), "a partner");
        assert_eq!(partner(&partners, "x@secure.test", true, None), (false, false, Some(454)), "without its certificate");
        assert_eq!(partner(&partners, "x@secure.test", false, None), (false, false, Some(451)), "in clear");
        assert_eq!(partner(&partners, "x@far.test", true, Some("far.test")), (false, false, Some(530)), "of no secured domain");
        assert_eq!(partner(&partners, "", true, Some("secure.test")), (false, false, Some(530)), "the null sender proves nothing");
        assert_eq!(partner(&unsecured, "x@secure.test", true, Some("secure.test")), (false, false, Some(530)), "no domain security");
        let secured = [
            ("in clear", None, None, Some((451, "STARTTLS is required to send mail"))),
            ("nobody's certificate", Some(TlsVersion::Tls12), None, Some((454, "Certificate validation failure"))),
            ("another one's", Some(TlsVersion::Tls12), shown("far.test"), Some((454, "Certificate validation failure"))),
            ("its own", Some(TlsVersion::Tls12), shown("secure.test"), None),
        ];
        for (case, tls, certificate, expected) in secured {
            let peer = Peer { host: HostId(9), address: Some("192.0.2.1".parse().unwrap()) };
            let visitor = Visitor { listener: Some(&listener), tls, certificate, sender: "a@secure.test", ..Visitor::plain(peer) };
            let reply = refusal_at_mail(&organization, &visitor, tls.is_some(), true).map(|refusal| refusal.outcome);
            assert_eq!(reply.as_ref().map(|reply| (reply.code, &*reply.text)), expected, "{case}");
        }
    }
}
