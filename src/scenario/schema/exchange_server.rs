//! One Exchange Server organization. Parameters are those of New-SendConnector, New-ReceiveConnector, Set-TransportConfig and
//! Set-TransportService, in snake_case.

use super::{Checks, DirectoryRecipient, DomainType, Host, Loose};
use crate::scenario::source::{Field, Named, Text};

/// The names of the Receive connectors that servers are delivered with, of all versions and roles.
pub const DEFAULT_RECEIVE_CONNECTORS: [&str; 7] = [
    "Default internal receive connector",
    "Default Frontend",
    "Client Frontend",
    "Outbound Proxy Frontend",
    "Client Proxy",
    "Default",
    "Client",
];

words! {
    /// Which product.
    pub enum ExchangeVersion("a version of Exchange Server") { Exchange2010, Exchange2013, Exchange2016, Exchange2019, ExchangeSE }
    /// What a Send connector asks of TLS.
    pub enum TlsAuthLevel("a value of `tls_auth_level`") { Opportunistic, EncryptionOnly, CertificateValidation, DomainValidation }
    /// How a Send connector logs in at a smart host.
    pub enum SmartHostAuthMechanism("a value of `smart_host_auth_mechanism`") {
        None, BasicAuth, BasicAuthRequireTLS, ExchangeServer, ExternalAuthoritative,
    }
    /// What a Send connector is for.
    pub enum Usage("a usage") { Custom, Internal, Internet, Partner }
    /// How much a connector writes down.
    pub enum ProtocolLoggingLevel("a logging level") { None, Verbose }
    /// Which rewriting of replies a Send connector does.
    pub enum ErrorPolicy("an error policy") { Default, DowngradeDnsFailures, DowngradeCustomFailures, UpgradeCustomFailures }
    /// The kind of a Send connector.
    pub enum SendConnectorType("a type of Send connector") { Default, XPremises }
    /// How a Receive connector lets clients prove who they are.
    pub enum AuthMechanism("a value of `auth_mechanism`") {
        None, Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExchangeServer, ExternalAuthoritative,
    }
    /// Whose rights a Receive connector hands out.
    pub enum PermissionGroup("a permission group") {
        None, AnonymousUsers, ExchangeUsers, ExchangeServers, ExchangeLegacyServers, Partners, Custom,
    }
    /// Which service owns a Receive connector.
    pub enum TransportRole("a transport role") { FrontendTransport, HubTransport }
    /// Where a shadow copy is made.
    pub enum ShadowPreference("a value of `shadow_message_preference_setting`") { PreferRemote, RemoteOnly, LocalOnly }
    /// By what a message rate is counted.
    pub enum MessageRateSource("a value of `message_rate_source`") { None, User, IPAddress, All }
}

schema! {
    /// One organization; its `hosts` are the servers.
    pub struct ExchangeServer("`ExchangeServer`") inlines host: Host {
        hosts: Named<Host>,
        version: Field<ExchangeVersion>,
        sites: Named<Site>,
        site_links: Named<SiteLink>,
        database_availability_groups: Named<DatabaseAvailabilityGroup>,
        mailbox_databases: Named<MailboxDatabase>,
        accepted_domains: Named<DomainType>,
        match_sub_domains: Field<Vec<Text>>,
        recipients: Named<DirectoryRecipient>,
        recipient_filtering: Field<bool>,
        address_book_enabled: Named<bool>,
        send_connectors: Named<SendConnector>,
        receive_connectors: Named<ReceiveConnector>,
        remote_domains: Named<super::RemoteDomain>,
        transport_config: Field<TransportConfig>,
        transport_service: Field<TransportService>,
        send_as: Named<Vec<Text>>,
        checks: Field<Checks>,
        switches: Named<Text>,
    }

    /// Set-AdSite
    pub struct Site("a site") {
        hub_site_enabled: Field<bool>,
    }

    /// New-DatabaseAvailabilityGroup, and its members.
    pub struct DatabaseAvailabilityGroup("a database availability group") {
        servers: Field<Vec<Text>>,
    }

    /// New-MailboxDatabase, and its copies.
    pub struct MailboxDatabase("a mailbox database") {
        mailboxes: Field<Vec<Text>>,
        servers: Field<Vec<Text>>,
        active: Field<Text>,
        behind: Field<Text>,
    }

    /// An AD IP site link.
    pub struct SiteLink("a site link") {
        sites: Field<Vec<Text>>,
        cost: Field<u64>,
        exchange_cost: Field<u64>,
    }

    /// New-SendConnector
    pub struct SendConnector("a Send connector") {
        enabled: Field<bool>,
        usage: Field<Usage>,
        /// The usage as a switch of the cmdlet.
        custom: Field<bool>,
        internal: Field<bool>,
        internet: Field<bool>,
        partner: Field<bool>,
        address_spaces: Field<Vec<Text>>,
        dns_routing_enabled: Field<bool>,
        smart_hosts: Field<Vec<Text>>,
        smart_host_auth_mechanism: Field<SmartHostAuthMechanism>,
        authentication_credential: Field<Text>,
        port: Field<u64>,
        require_tls: Field<bool>,
        tls_auth_level: Field<TlsAuthLevel>,
        tls_domain: Field<Text>,
        tls_certificate_name: Field<Text>,
        ignore_starttls: Field<bool>,
        domain_secure_enabled: Field<bool>,
        fqdn: Field<Text>,
        force_helo: Field<bool>,
        source_transport_servers: Field<Vec<Text>>,
        is_scoped_connector: Field<bool>,
        max_message_size: Field<Text>,
        frontend_proxy_enabled: Field<bool>,
        cloud_services_mail_enabled: Field<bool>,
        connector_type: Field<SendConnectorType>,
        error_policies: Field<Vec<ErrorPolicy>>,
        connection_inactivity_time_out: Field<Text>,
        smtp_max_messages_per_connection: Field<Loose>,
        use_external_dns_servers_enabled: Field<bool>,
        protocol_logging_level: Field<ProtocolLoggingLevel>,
        source_ip_address: Field<Text>,
        linked_receive_connector: Field<Text>,
        comment: Field<Text>,
    }

    /// New-ReceiveConnector, and which server it is on.
    pub struct ReceiveConnector("a Receive connector", usual &DEFAULT_RECEIVE_CONNECTORS) {
        server: Field<Text>,
        enabled: Field<bool>,
        transport_role: Field<TransportRole>,
        bindings: Field<Vec<Text>>,
        remote_ip_ranges: Field<Vec<Text>>,
        auth_mechanism: Field<Vec<AuthMechanism>>,
        permission_groups: Field<Vec<PermissionGroup>>,
        /// The right to relay, given to anonymous clients.
        anonymous_relay: Field<bool>,
        require_tls: Field<bool>,
        domain_secure_enabled: Field<bool>,
        fqdn: Field<Text>,
        banner: Field<Text>,
        tls_certificate_name: Field<Text>,
        tls_domain_capabilities: Field<Vec<Text>>,
        max_hop_count: Field<u64>,
        max_local_hop_count: Field<u64>,
        max_message_size: Field<Text>,
        max_header_size: Field<Text>,
        max_recipients_per_message: Field<u64>,
        max_inbound_connection: Field<Loose>,
        max_inbound_connection_per_source: Field<Loose>,
        max_inbound_connection_percentage_per_source: Field<Loose>,
        connection_timeout: Field<Text>,
        connection_inactivity_timeout: Field<Text>,
        message_rate_limit: Field<Loose>,
        message_rate_source: Field<MessageRateSource>,
        tarpit_interval: Field<Text>,
        max_protocol_errors: Field<Loose>,
        max_logon_failures: Field<Loose>,
        max_acknowledgement_delay: Field<Text>,
        protocol_logging_level: Field<ProtocolLoggingLevel>,
        size_enabled: Field<Loose>,
        chunking_enabled: Field<bool>,
        pipelining_enabled: Field<bool>,
        eight_bit_mime_enabled: Field<bool>,
        binary_mime_enabled: Field<bool>,
        smtp_utf8_enabled: Field<bool>,
        delivery_status_notification_enabled: Field<bool>,
        enhanced_status_codes_enabled: Field<bool>,
        default_domain: Field<Text>,
        comment: Field<Text>,
    }

    /// Set-TransportConfig of an organization.
    pub struct TransportConfig("`transport_config`") {
        max_send_size: Field<Text>,
        max_receive_size: Field<Text>,
        max_recipient_envelope_limit: Field<Loose>,
        internal_delay_dsn_enabled: Field<bool>,
        external_delay_dsn_enabled: Field<bool>,
        internal_dsn_reporting_authority: Field<Text>,
        external_dsn_reporting_authority: Field<Text>,
        tls_send_domain_secure_list: Field<Vec<Text>>,
        tls_receive_domain_secure_list: Field<Vec<Text>>,
        internal_smtp_servers: Field<Vec<Text>>,
        shadow_redundancy_enabled: Field<bool>,
        reject_message_on_shadow_failure: Field<bool>,
        shadow_heartbeat_frequency: Field<Text>,
        shadow_resubmit_time_span: Field<Text>,
        shadow_message_preference_setting: Field<ShadowPreference>,
        shadow_message_auto_discard_interval: Field<Text>,
        max_retries_for_local_site_shadow: Field<u64>,
        max_retries_for_remote_site_shadow: Field<u64>,
        safety_net_hold_time: Field<Text>,
        shadow_heartbeat_timeout_interval: Field<Text>,
        shadow_heartbeat_retry_count: Field<u64>,
        max_dumpster_size_per_database: Field<Text>,
        max_dumpster_time: Field<Text>,
    }

    /// Set-TransportService, with the timers of EdgeTransport.exe.config.
    pub struct TransportService("`transport_service`") {
        queue_glitch_retry_count: Field<u64>,
        queue_glitch_retry_interval: Field<Text>,
        transient_failure_retry_count: Field<u64>,
        transient_failure_retry_interval: Field<Text>,
        outbound_connection_failure_retry_interval: Field<Text>,
        message_retry_interval: Field<Text>,
        mailbox_delivery_queue_retry_interval: Field<Text>,
        message_expiration_timeout: Field<Text>,
        delay_notification_timeout: Field<Text>,
        max_idle_time_before_resubmit: Field<Text>,
        queue_max_idle_time: Field<Text>,
        max_outbound_connections: Field<Loose>,
        max_per_domain_outbound_connections: Field<Loose>,
        smtp_connector_queue_message_count_threshold_for_concurrent_connections: Field<u64>,
        max_connection_rate_per_minute: Field<Loose>,
        external_dns_servers: Field<Vec<Text>>,
        internal_dns_servers: Field<Vec<Text>>,
    }
}
