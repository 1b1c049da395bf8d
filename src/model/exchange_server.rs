//! An Exchange organization as one of its servers sees it: servers and sites, Send connectors, accepted domains.
//!
//! Source: cmdlet parameters of New-SendConnector, New-AcceptedDomain, Set-AdSiteLink.

use super::automatic_reply::AutomaticReply;
use super::directory::{DirectoryEntry, DsnAuthority, RemoteDomain};
use super::exchange::AcceptedDomain;
use super::manner::Manner;
use super::receive_connector::{Range, ReceiveConnector};
use super::settings::{Timers, TlsLevel, TlsPolicy};
use super::sites::{Site, SitePath};
use crate::base::{DAY, HOUR, HostId, MINUTE, NextHopId, Pattern, SystemId};

/// Which product.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ServerVersion {
    /// Exchange 2010: one transport service, no front end.
    Exchange2010,
    /// Exchange 2013.
    Exchange2013,
    /// Exchange 2016.
    Exchange2016,
    /// Exchange 2019.
    Exchange2019,
    /// Exchange Server Subscription Edition.
    ExchangeSe,
}

/// An organization, from the place of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    /// Its system.
    pub system: SystemId,
    /// Which product.
    pub version: ServerVersion,
    /// The server that these settings are of.
    pub here: HostId,
    /// All servers, in the order of names.
    pub servers: Vec<Server>,
    /// All sites, in the order of names.
    pub sites: Vec<Site>,
    /// Least-cost paths from here, one per site; `None` where no site link leads.
    pub paths: Vec<Option<SitePath>>,
    /// Accepted domains, in the order of names.
    pub accepted_domains: Vec<AcceptedDomain>,
    /// Mailboxes that this server can deliver to, most exact pattern first.
    pub mailboxes: Vec<Pattern>,
    /// Mailboxes that live on one other server, most exact pattern first.
    pub elsewhere: Vec<(Pattern, HostId)>,
    /// What an Edge server knows of the recipients inside (EdgeSync).
    pub synchronized: Vec<Pattern>,
    /// Names of the database availability groups, in that order.
    pub dags: Vec<Box<str>>,
    /// Mailbox databases with a name, in the order of names.
    pub databases: Vec<Database>,
    /// Forwards, mail users and groups, most exact pattern first.
    pub entries: Vec<DirectoryEntry>,
    /// Mailboxes that answer by themselves, most exact pattern first.
    pub automatic_replies: Vec<AutomaticReply>,
    /// Most exact one first.
    pub remote_domains: Vec<RemoteDomain>,
    /// In whose name it writes reports.
    pub dsn: DsnAuthority,
    /// In the order of names.
    pub send_connectors: Vec<SendConnector>,
    /// Of this server, in no order that counts.
    pub receive_connectors: Vec<ReceiveConnector>,
    /// Queues, limits, protection.
    pub transport: Transport,
    /// Unknown recipients of Authoritative domains are refused at RCPT (recipient filtering).
    pub filters_recipients: bool,
    /// Whom a login may send as, beside itself.
    pub send_as: Vec<(Box<str>, Vec<Pattern>)>,
    /// `InternalSMTPServers`: relays of the organization that checks of the sender pass over.
    pub internal_smtp_servers: Vec<Range>,
}

/// One server of an organization.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// The machine.
    pub host: HostId,
    /// Its name.
    pub name: Box<str>,
    /// Its site, by number.
    pub site: usize,
    /// Edge Transport, outside of the forest.
    pub edge: bool,
    /// Where the other servers reach it.
    pub hop: NextHopId,
    /// Its database availability group, by number.
    pub dag: Option<usize>,
}

/// A mailbox database.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// Its name.
    pub name: Box<str>,
    /// The mailboxes in it.
    pub mailboxes: Vec<Pattern>,
    /// The server that has the active copy.
    pub active: HostId,
    /// What that copy lacked when it became the active one: the mail of the last so many nanoseconds.
    pub behind_ns: u64,
}

impl Organization {
    /// One without anything, for tests.
    #[cfg(test)]
    #[must_use]
    pub fn bare(version: ServerVersion) -> Self {
        Self {
            system: SystemId(0),
            version,
            here: HostId(0),
            servers: vec![],
            sites: vec![],
            paths: vec![],
            accepted_domains: vec![],
            mailboxes: vec![],
            elsewhere: vec![],
            synchronized: vec![],
            dags: vec![],
            databases: vec![],
            entries: vec![],
            automatic_replies: vec![],
            remote_domains: vec![],
            dsn: DsnAuthority::default(),
            send_connectors: vec![],
            receive_connectors: vec![],
            transport: Transport::default(),
            filters_recipients: false,
            send_as: vec![],
            internal_smtp_servers: vec![],
        }
    }

    /// The server that these settings are of.
    #[must_use]
    pub fn own(&self) -> Option<&Server> {
        self.server(self.here)
    }

    /// Does a route depend on more of a message than its recipient? The size counts where a connector has a limit, the origin for groups, the client where
    /// a connector is linked.
    #[must_use]
    pub fn reads_letters(&self) -> bool {
        if self.transport.skips_dead_connectors {
            return true;
        }
        let limited = self.transport.max_send_size.is_some() || self.transport.max_receive_size.is_some();
        let by_message = |connector: &SendConnector| connector.max_message_size.is_some() || connector.linked.is_some();
        limited || self.transport.recipients_max.is_some() || !self.entries.is_empty() || self.send_connectors.iter().any(by_message)
    }

    /// The server that has this address.
    #[must_use]
    pub fn server_at(&self, address: std::net::IpAddr, hosts: &[super::topology::Host]) -> Option<&Server> {
        self.servers.iter().find(|server| hosts[server.host.index()].addresses.contains(&address))
    }

    /// One of the servers.
    #[must_use]
    pub fn server(&self, host: HostId) -> Option<&Server> {
        self.servers.iter().find(|server| server.host == host)
    }
}

/// New-SendConnector, the parameters that choose routes.
#[derive(Clone, Debug, PartialEq)]
pub struct SendConnector {
    /// `Name`
    pub name: Box<str>,
    /// `Enabled`
    pub enabled: bool,
    /// `AddressSpaces`
    pub address_spaces: Vec<AddressSpace>,
    /// `DNSRoutingEnabled`
    pub dns_routing: bool,
    /// `SmartHosts`, in written order, with `Port`.
    pub smart_hosts: Vec<NextHopId>,
    /// `RequireTLS` with `TlsAuthLevel` and `TlsDomain`, or `IgnoreSTARTTLS`.
    pub tls: TlsPolicy,
    /// The name in the certificate is that of the recipient's domain: `DomainValidation` without `TlsDomain`.
    pub recipient_domain_validated: bool,
    /// `SourceTransportServers`
    pub sources: Vec<HostId>,
    /// `Fqdn`: what its servers call themselves in EHLO and HELO, where that is not their own name.
    pub fqdn: Option<Box<str>>,
    /// `IsScopedConnector`
    pub scoped: bool,
    /// `MaxMessageSize`, bytes; `None` = unlimited.
    pub max_message_size: Option<u64>,
    /// The mailbox of `AuthenticationCredential`, where `SmartHostAuthMechanism` is one of the Basic ones.
    pub login: Option<Box<str>>,
    /// `LinkedReceiveConnector` (Exchange 2010): takes all that came in on that one, whoever it is for.
    pub linked: Option<Box<str>>,
    /// `CloudServicesMailEnabled`
    pub keeps_headers: bool,
    /// `DomainSecureEnabled`: recipients in these domains (`TLSSendDomainSecureList`) need mutual TLS; empty without it.
    pub domain_secure: Vec<Box<str>>,
    /// `SmtpMaxMessagesPerConnection`; `u32::MAX` is `unlimited`.
    pub mails_per_connection: u32,
    /// How it connects.
    pub manner: Manner,
    /// How long it waits for each answer, where that is not as delivered.
    pub timers: Option<Box<Timers>>,
}

impl SendConnector {
    /// One without an address space, for everything else as New-SendConnector makes it, on no server.
    #[must_use]
    pub fn bare(name: &str) -> Self {
        Self {
            name: name.into(),
            enabled: true,
            address_spaces: Vec::new(),
            dns_routing: true,
            smart_hosts: Vec::new(),
            tls: TlsPolicy::of(TlsLevel::Opportunistic),
            recipient_domain_validated: false,
            sources: Vec::new(),
            fqdn: None,
            scoped: false,
            max_message_size: None,
            login: None,
            linked: None,
            keeps_headers: false,
            domain_secure: Vec::new(),
            mails_per_connection: 20,
            manner: Manner::default(),
            timers: None,
        }
    }
}

/// One entry of `AddressSpaces`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressSpace {
    /// What it covers.
    pub space: Space,
    /// From 1 to 100.
    pub cost: u32,
}

/// What an address space covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Space {
    /// `*`
    All,
    /// `*.contoso.com`: the domain and everything below it.
    Below(Box<str>),
    /// `contoso.com`
    Domain(Box<str>),
    /// `--`: the accepted domains (Edge Transport).
    Accepted,
    /// An address type that is not SMTP, in capitals: for recipients of that type alone.
    OtherType(Box<str>),
}

/// Set-TransportService and Set-TransportConfig, as far as no retry rule says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// `MessageRetryInterval`: after a host that works put one message off.
    pub message_retry_ns: u64,
    /// `MaxIdleTimeBeforeResubmit`: after so long in Retry a queue is routed again.
    pub resubmit_after_ns: u64,
    /// `QueueMaxIdleTime`: an empty queue is removed after so long.
    pub queue_idle_ns: u64,
    /// One connection more for each so many messages in a queue.
    pub messages_per_connection: u32,
    /// `MaxSendSize` of the organization, bytes; `None` = unlimited.
    pub max_send_size: Option<u64>,
    /// `MaxReceiveSize` of the organization.
    pub max_receive_size: Option<u64>,
    /// `MaxRecipientEnvelopeLimit`; `None` = unlimited.
    pub recipients_max: Option<u32>,
    /// `ShadowResubmitTimeSpan`, in Exchange 2010 so many heartbeats; `None` = no shadow redundancy.
    pub shadow_resubmit_ns: Option<u64>,
    /// `ShadowHeartbeatFrequency`
    pub shadow_heartbeat_ns: u64,
    /// `RejectMessageOnShadowFailure`
    pub refuses_without_shadow: Option<ShadowRefusal>,
    /// `MaxOutboundConnections`: of the server in all.
    pub connections_in_all: u32,
    /// `MaxConnectionRatePerMinute`: connections that a server takes in a minute.
    pub connections_per_minute: u32,
    /// `ShadowMessagePreferenceSetting`
    pub shadow_place: ShadowPlace,
    /// `MaxRetriesForLocalSiteShadow` and `MaxRetriesForRemoteSiteShadow`: how many servers are asked.
    pub shadow_tries: (u32, u32),
    /// `SafetyNetHoldTime`; in Exchange 2010 `MaxDumpsterTime`.
    pub safety_net_hold_ns: u64,
    /// `MaxDumpsterSizePerDatabase` (Exchange 2010).
    pub dumpster_bytes: u64,
    /// `MailboxDeliveryQueueRetryInterval`
    pub mailbox_retry_ns: u64,
    /// `InternalDelayDsnEnabled` and `ExternalDelayDsnEnabled`: which senders hear of a delay.
    pub delay_notices: (bool, bool),
    /// Switch `dead_connector`: a connector whose queue is in Retry is left out where another one matches.
    pub skips_dead_connectors: bool,
    /// Switch `suspended_mail`: what an administrator holds back does not expire.
    pub suspended_mail_stays: bool,
    /// Switch `originator_org`: the headers of any tenant count, not only of one that shares an accepted domain.
    pub trusts_any_tenant: bool,
    /// Switch `message_age`: a message is as old as its time at this server, not as its time in the organization.
    pub age_begins_at_each_server: bool,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            message_retry_ns: 15 * MINUTE,
            resubmit_after_ns: 12 * HOUR,
            queue_idle_ns: 3 * MINUTE,
            messages_per_connection: 20,
            max_send_size: Some(10 << 20),
            max_receive_size: Some(10 << 20),
            recipients_max: Some(500),
            shadow_resubmit_ns: Some(3 * HOUR),
            shadow_heartbeat_ns: 2 * MINUTE,
            refuses_without_shadow: None,
            connections_in_all: 1000,
            connections_per_minute: 1200,
            shadow_place: ShadowPlace::PreferRemote,
            shadow_tries: (2, 4),
            safety_net_hold_ns: 2 * DAY,
            dumpster_bytes: 18 << 20,
            mailbox_retry_ns: 5 * MINUTE,
            delay_notices: (true, true),
            skips_dead_connectors: false,
            suspended_mail_stays: false,
            trusts_any_tenant: false,
            age_begins_at_each_server: false,
        }
    }
}

/// Where in a database availability group over several sites a shadow copy is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ShadowPlace {
    /// In another site, else in this one.
    PreferRemote,
    /// In another site.
    RemoteOnly,
    /// In this site.
    LocalOnly,
}

/// What a server says that cannot make a shadow copy: two sources, two replies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ShadowRefusal {
    /// 451 4.4.0
    AsArticle,
    /// 450 4.5.1
    AsCmdlet,
}
