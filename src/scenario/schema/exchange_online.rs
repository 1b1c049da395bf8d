//! One tenant of Exchange Online. Parameters are those of New-OutboundConnector, New-InboundConnector, New-TransportRule, New-RemoteDomain,
//! Set-OrganizationConfig and Set-TransportConfig, in snake_case.

use super::{Checks, DomainType, Loose, MessageType};
use crate::scenario::source::{Field, Named, Text};

words! {
    /// Whose systems a connector is about.
    pub enum ConnectorType("a connector type") { Partner, OnPremises }
    /// What an outbound connector asks of TLS.
    pub enum TlsSettings("a value of `tls_settings`") { Opportunistic, EncryptionOnly, CertificateValidation, DomainValidation }
    /// How a connector uses DANE.
    pub enum SmtpDaneMode("a value of `smtp_dane_mode`") { Opportunistic, Mandatory, None }
    /// How a connector uses MTA-STS.
    pub enum MtaStsMode("a value of `mta_sts_mode`") { Opportunistic, None }
    /// Where a connector came from.
    pub enum ConnectorSource("a connector source") { Default, HybridWizard, Migrated, AdminUI }
    /// Where a rule looks for the sender.
    pub enum SenderAddressLocation("a value of `sender_address_location`") { Header, Envelope, HeaderOrEnvelope }
    /// May mailboxes pass mail on to people outside?
    pub enum AutoForwardingMode("a value of `auto_forwarding_mode`") { Automatic, On, Off }
    /// Does a mailbox answer by itself (Set-MailboxAutoReplyConfiguration)?
    pub enum AutoReplyState("a value of `auto_reply_state`") { Disabled, Enabled, Scheduled }
    /// Whom outside it answers.
    pub enum ExternalAudience("a value of `external_audience`") { None, Known, All }
    /// Which answers about absence a remote domain takes.
    pub enum AllowedOofType("a value of `allowed_oof_type`") { External, ExternalLegacy, InternalLegacy, None }
    /// Does a mail-flow rule act?
    pub enum RuleMode("a mode of a mail-flow rule") { Enforce, Audit, AuditAndNotify }
}

kinds! {
    /// What stands behind an address of an Exchange directory.
    pub enum DirectoryRecipient("a kind of recipient") {
        fields { Mailbox(ExchangeMailbox), MailUser(MailUser), Group(Group) }
    }
}

schema! {
    /// One tenant.
    pub struct ExchangeOnline("`ExchangeOnline`") {
        tenant: Field<Text>,
        accepted_domains: Named<DomainType>,
        match_sub_domains: Field<Vec<Text>>,
        sending_from_domain_disabled: Field<Vec<Text>>,
        sending_to_domain_disabled: Field<Vec<Text>>,
        outbound_only: Field<Vec<Text>>,
        mailboxes: Field<Vec<Text>>,
        recipients: Named<DirectoryRecipient>,
        /// `false`: some recipients are unknown here, so the edge cannot refuse.
        directory_complete: Field<bool>,
        outbound_connectors: Named<OutboundConnector>,
        inbound_connectors: Named<InboundConnector>,
        transport_rules: Named<TransportRule>,
        remote_domains: Named<RemoteDomain>,
        organization_config: Field<OrganizationConfig>,
        transport_config: Field<TenantTransportConfig>,
        send_as: Named<Vec<Text>>,
        ip_allow_list: Field<Vec<Text>>,
        checks: Field<Checks>,
        /// The domain that signs everything that leaves.
        dkim: Field<Text>,
        protected_by: Field<Text>,
        security_defaults: Field<bool>,
        hosted_outbound_spam_filter_policy: Field<OutboundSpamPolicy>,
        replication: Field<Text>,
        switches: Named<Text>,
    }

    /// A mailbox of Exchange.
    pub struct ExchangeMailbox("`Mailbox`") {
        forward_to: Field<Vec<Text>>,
        deliver_to_mailbox_and_forward: Field<bool>,
        inbox_rules: Named<InboxRule>,
        automatic_replies: Field<AutoReplyConfiguration>,
        attributes: Named<Text>,
    }

    /// Set-MailboxAutoReplyConfiguration
    pub struct AutoReplyConfiguration("`automatic_replies`") {
        auto_reply_state: Field<AutoReplyState>,
        start_time: Field<Text>,
        end_time: Field<Text>,
        external_audience: Field<ExternalAudience>,
        /// The contacts of the mailbox, for `Known`.
        contacts: Field<Vec<Text>>,
        internal_message: Field<Text>,
        external_message: Field<Text>,
    }

    /// New-InboxRule, as far as rules pass mail on.
    pub struct InboxRule("an Inbox rule") {
        enabled: Field<bool>,
        from: Field<Vec<Text>>,
        subject_contains_words: Field<Vec<Text>>,
        subject_or_body_contains_words: Field<Vec<Text>>,
        forward_to: Field<Vec<Text>>,
        redirect_to: Field<Vec<Text>>,
        delete_message: Field<bool>,
        stop_processing_rules: Field<bool>,
    }

    /// Set-HostedOutboundSpamFilterPolicy
    pub struct OutboundSpamPolicy("`hosted_outbound_spam_filter_policy`") {
        auto_forwarding_mode: Field<AutoForwardingMode>,
    }

    /// A mail user, contact or remote mailbox.
    pub struct MailUser("`MailUser`") {
        external: Field<Text>,
        attributes: Named<Text>,
    }

    /// A distribution group.
    pub struct Group("`Group`") {
        members: Field<Vec<Text>>,
        require_sender_authentication: Field<bool>,
        moderation_enabled: Field<bool>,
        send_oof_message_to_originator_enabled: Field<bool>,
        /// The server that opens it (Exchange Server).
        expansion_server: Field<Text>,
        attributes: Named<Text>,
    }

    /// New-OutboundConnector
    pub struct OutboundConnector("an outbound connector") {
        enabled: Field<bool>,
        connector_type: Field<ConnectorType>,
        recipient_domains: Field<Vec<Text>>,
        all_accepted_domains: Field<bool>,
        use_mx_record: Field<bool>,
        smart_hosts: Field<Vec<Text>>,
        is_transport_rule_scoped: Field<bool>,
        route_all_messages_via_on_premises: Field<bool>,
        cloud_services_mail_enabled: Field<bool>,
        sender_rewriting_enabled: Field<bool>,
        tls_settings: Field<TlsSettings>,
        tls_domain: Field<Text>,
        smtp_dane_mode: Field<SmtpDaneMode>,
        mta_sts_mode: Field<MtaStsMode>,
        test_mode: Field<bool>,
        connector_source: Field<ConnectorSource>,
        comment: Field<Text>,
        is_validated: Field<bool>,
        last_validation_timestamp: Field<Text>,
        validation_recipients: Field<Vec<Text>>,
        link_for_modified_connector: Field<Text>,
    }

    /// New-InboundConnector
    pub struct InboundConnector("an inbound connector") {
        enabled: Field<bool>,
        connector_type: Field<ConnectorType>,
        sender_domains: Field<Vec<Text>>,
        sender_ip_addresses: Field<Vec<Text>>,
        tls_sender_certificate_name: Field<Text>,
        require_tls: Field<bool>,
        restrict_domains_to_ip_addresses: Field<bool>,
        restrict_domains_to_certificate: Field<bool>,
        associated_accepted_domains: Field<Vec<Text>>,
        cloud_services_mail_enabled: Field<bool>,
        treat_messages_as_internal: Field<bool>,
        ef_skip_last_ip: Field<bool>,
        ef_skip_ips: Field<Vec<Text>>,
        ef_users: Field<Vec<Text>>,
        ef_test_mode: Field<bool>,
        ef_skip_mail_gateway: Field<Vec<Text>>,
        trusted_organizations: Field<Vec<Text>>,
        scan_and_drop_recipients: Field<Vec<Text>>,
        client_host_names: Field<Vec<Text>>,
        connector_source: Field<ConnectorSource>,
        comment: Field<Text>,
    }

    /// What a mail-flow rule looks at.
    pub struct RuleConditions("a mail-flow rule") {
        from: Field<Vec<Text>>,
        from_member_of: Field<Vec<Text>>,
        from_scope: Field<Loose>,
        from_address_contains_words: Field<Vec<Text>>,
        from_address_matches_patterns: Field<Vec<Text>>,
        sender_domain_is: Field<Vec<Text>>,
        sender_ip_ranges: Field<Vec<Text>>,
        sender_ad_attribute_contains_words: Field<Vec<Text>>,
        sender_ad_attribute_matches_patterns: Field<Vec<Text>>,
        sent_to: Field<Vec<Text>>,
        sent_to_member_of: Field<Vec<Text>>,
        sent_to_scope: Field<Loose>,
        recipient_domain_is: Field<Vec<Text>>,
        recipient_address_contains_words: Field<Vec<Text>>,
        recipient_address_matches_patterns: Field<Vec<Text>>,
        recipient_ad_attribute_contains_words: Field<Vec<Text>>,
        recipient_ad_attribute_matches_patterns: Field<Vec<Text>>,
        header_contains_message_header: Field<Text>,
        header_contains_words: Field<Vec<Text>>,
        header_matches_message_header: Field<Text>,
        header_matches_patterns: Field<Vec<Text>>,
        subject_contains_words: Field<Vec<Text>>,
        subject_matches_patterns: Field<Vec<Text>>,
        subject_or_body_contains_words: Field<Vec<Text>>,
        subject_or_body_matches_patterns: Field<Vec<Text>>,
        between_member_of1: Field<Vec<Text>>,
        between_member_of2: Field<Vec<Text>>,
        message_size_over: Field<Text>,
        message_type_matches: Field<MessageType>,
        scl_over: Field<i64>,
        except_if_from: Field<Vec<Text>>,
        except_if_from_member_of: Field<Vec<Text>>,
        except_if_from_scope: Field<Loose>,
        except_if_from_address_contains_words: Field<Vec<Text>>,
        except_if_from_address_matches_patterns: Field<Vec<Text>>,
        except_if_sender_domain_is: Field<Vec<Text>>,
        except_if_sender_ip_ranges: Field<Vec<Text>>,
        except_if_sender_ad_attribute_contains_words: Field<Vec<Text>>,
        except_if_sender_ad_attribute_matches_patterns: Field<Vec<Text>>,
        except_if_sent_to: Field<Vec<Text>>,
        except_if_sent_to_member_of: Field<Vec<Text>>,
        except_if_sent_to_scope: Field<Loose>,
        except_if_recipient_domain_is: Field<Vec<Text>>,
        except_if_recipient_address_contains_words: Field<Vec<Text>>,
        except_if_recipient_address_matches_patterns: Field<Vec<Text>>,
        except_if_recipient_ad_attribute_contains_words: Field<Vec<Text>>,
        except_if_recipient_ad_attribute_matches_patterns: Field<Vec<Text>>,
        except_if_header_contains_message_header: Field<Text>,
        except_if_header_contains_words: Field<Vec<Text>>,
        except_if_header_matches_message_header: Field<Text>,
        except_if_header_matches_patterns: Field<Vec<Text>>,
        except_if_subject_contains_words: Field<Vec<Text>>,
        except_if_subject_matches_patterns: Field<Vec<Text>>,
        except_if_subject_or_body_contains_words: Field<Vec<Text>>,
        except_if_subject_or_body_matches_patterns: Field<Vec<Text>>,
        except_if_between_member_of1: Field<Vec<Text>>,
        except_if_between_member_of2: Field<Vec<Text>>,
        except_if_message_size_over: Field<Text>,
        except_if_message_type_matches: Field<MessageType>,
        except_if_scl_over: Field<i64>,
    }

    /// New-TransportRule: conditions and exceptions, then what it does.
    pub struct TransportRule("a mail-flow rule") inlines conditions: RuleConditions {
        priority: Field<u64>,
        enabled: Field<bool>,
        mode: Field<RuleMode>,
        sender_address_location: Field<SenderAddressLocation>,
        comments: Field<Text>,
        activation_date: Field<Text>,
        expiry_date: Field<Text>,
        route_message_outbound_connector: Field<Text>,
        route_message_outbound_require_tls: Field<bool>,
        set_header_name: Field<Text>,
        set_header_value: Field<Text>,
        remove_header: Field<Text>,
        set_scl: Field<i64>,
        prepend_subject: Field<Text>,
        redirect_message_to: Field<Vec<Text>>,
        blind_copy_to: Field<Vec<Text>>,
        copy_to: Field<Vec<Text>>,
        add_to_recipients: Field<Vec<Text>>,
        reject_message_reason_text: Field<Text>,
        reject_message_enhanced_status_code: Field<Text>,
        delete_message: Field<bool>,
        quarantine: Field<bool>,
        stop_rule_processing: Field<bool>,
    }

    /// New-RemoteDomain: shapes content and automatic replies, never a route.
    pub struct RemoteDomain("a remote domain") {
        domain_name: Field<Text>,
        auto_forward_enabled: Field<bool>,
        auto_reply_enabled: Field<bool>,
        ndr_enabled: Field<bool>,
        delivery_report_enabled: Field<bool>,
        allowed_oof_type: Field<AllowedOofType>,
        tnef_enabled: Field<bool>,
        trusted_mail_inbound_enabled: Field<bool>,
        trusted_mail_outbound_enabled: Field<bool>,
        is_internal: Field<bool>,
        target_delivery_domain: Field<bool>,
    }

    /// Set-OrganizationConfig
    pub struct OrganizationConfig("`organization_config`") {
        reject_direct_send: Field<bool>,
    }

    /// Set-TransportConfig of a tenant.
    pub struct TenantTransportConfig("`transport_config`") {
        smtp_client_authentication_disabled: Field<bool>,
        allow_legacy_tls_clients: Field<bool>,
        max_recipient_envelope_limit: Field<Loose>,
        message_expiration: Field<Text>,
        internal_dsn_reporting_authority: Field<Text>,
        external_dsn_reporting_authority: Field<Text>,
    }
}

impl ExchangeMailbox {
    /// Does mail that comes for it stay in it, or is all of it passed on?
    #[must_use]
    pub fn keeps_mail(&self) -> bool {
        self.forward_to.items().is_empty() || self.deliver_to_mailbox_and_forward.or(false)
    }
}
