//! Which parameters and objects does Exchange have that a scenario cannot say, and what is written in their place?
//!
//! Whoever copies a cmdlet's parameters meets words that are real and not modelled: they are refused by name (MT0501), never as slips of the pen. Words
//! that have another form here are refused as unknown, with that form as the way out. Sources: the parameter lists of the cmdlets named at the tests.

use crate::diag::{Code, code};

/// What is said about a word that the format does not have.
pub(super) struct Known {
    /// Unknown, or known and not modelled.
    pub(super) code: Code,
    /// The way out.
    pub(super) help: &'static str,
}

/// Words of some brackets (of all, where none are named); a `*` at the end stands for any rest.
struct Words {
    of: &'static [&'static str],
    words: &'static str,
    help: &'static str,
}

const ONLINE: &str = "`ExchangeOnline`";
const SERVER: &str = "`ExchangeServer`";
const MAILBOX: &str = "`Mailbox`";
const USER: &str = "`MailUser`";
const GROUP: &str = "`Group`";
const OUTBOUND: &str = "an outbound connector";
const INBOUND: &str = "an inbound connector";
const SEND: &str = "a Send connector";
const RECEIVE: &str = "a Receive connector";
const RULE: &str = "a mail-flow rule";
const REMOTE: &str = "a remote domain";
const TRANSPORT: &str = "`transport_config`";
const SERVICE: &str = "`transport_service`";
const ORGANIZATION: &str = "`organization_config`";
const INBOX: &str = "an Inbox rule";
const DATABASE: &str = "a mailbox database";

/// Everything that is written with the words of Exchange.
const ALL: &[&str] = &[
    ONLINE,
    SERVER,
    MAILBOX,
    USER,
    GROUP,
    OUTBOUND,
    INBOUND,
    SEND,
    RECEIVE,
    RULE,
    REMOTE,
    TRANSPORT,
    SERVICE,
    ORGANIZATION,
    INBOX,
    DATABASE,
    "`automatic_replies`",
    "`hosted_outbound_spam_filter_policy`",
    "a database availability group",
    "a site",
    "a site link",
];

/// Words that are written otherwise here.
const WRITTEN_OTHERWISE: &[Words] = &[
    Words {
        of: &[MAILBOX],
        words: "forwarding_smtp_address forwarding_address",
        help: "a mailbox forwards by `forward_to`: [\"address\"]; with `deliver_to_mailbox_and_forward: true` it keeps a copy",
    },
    Words {
        of: &[MAILBOX],
        words: "database",
        help: "which mailboxes a database has stands in `mailbox_databases`: { \"DB1\": (mailboxes: […], servers: […]) }",
    },
    Words {
        of: &[USER],
        words: "external_email_address target_address remote_routing_address",
        help: "the address outside is written `external`",
    },
    Words { of: &[GROUP], words: "require_sender_authentication_enabled", help: "it is written `require_sender_authentication`" },
    Words {
        of: &[MAILBOX, USER, GROUP],
        words: "primary_smtp_address windows_email_address",
        help: "the address stands before the colon: { \"al@contoso.com\": … }",
    },
    Words {
        of: &[MAILBOX, USER, GROUP],
        words: "city company country_or_region department office title manager state_or_province custom_attribute* extension_custom_attribute*",
        help: "what rules look at stands in `attributes`: { \"Department\": \"Sales\" }",
    },
    Words {
        of: &[ONLINE, SERVER],
        words: "distribution_groups mail_users mail_contacts remote_mailboxes contacts users groups dynamic_distribution_groups",
        help: "groups, mail users, contacts and remote mailboxes stand in `recipients`: { \"team@contoso.com\": Group( … ) }",
    },
    Words {
        of: &[ONLINE],
        words: "hosted_connection_filter_policy",
        help: "its `IPAllowList` stands in `ip_allow_list` of the tenant; whom it blocks and the safe list are not modelled",
    },
    Words { of: &[ONLINE], words: "dkim_signing_config", help: "the domain that signs stands in `dkim` of the tenant" },
    Words { of: &[ONLINE], words: "reject_direct_send", help: "it stands in `organization_config`: (reject_direct_send: true)" },
    Words {
        of: &[ONLINE, SERVER],
        words: "address_lists default_domain make_default catch_all_recipient_id domain_type",
        help: "a domain is written { \"contoso.com\": Authoritative }; of its other parameters `match_sub_domains` and the like are lists of the system",
    },
    Words { of: &[SERVER], words: "ad_site_links", help: "links between sites stand in `site_links`" },
    Words {
        of: &[TRANSPORT],
        words: "smtp_client_authentication_disabled allow_legacy_tls_clients",
        help: "only a tenant of Exchange Online has it",
    },
    Words {
        of: &[TRANSPORT],
        words: "max_send_size max_receive_size internal_delay_dsn_enabled external_delay_dsn_enabled tls_send_domain_secure_list tls_receive_domain_secure_list internal_smtp_servers shadow_* reject_message_on_shadow_failure max_retries_for_* safety_net_hold_time max_dumpster_*",
        help: "only an organization with Exchange Server has it",
    },
    Words {
        of: &[SERVER],
        words: "inbound_connectors outbound_connectors",
        help: "Exchange Server has `send_connectors` and `receive_connectors`; those of Exchange Online belong to its tenant",
    },
    Words {
        of: &[ONLINE],
        words: "send_connectors receive_connectors",
        help: "Exchange Online has `outbound_connectors` and `inbound_connectors`; those of Exchange Server belong to the organization",
    },
];

/// Real ones that would change something.
const NOT_MODELLED: &[Words] = &[
    Words {
        of: &[MAILBOX, USER, GROUP],
        words: "email_addresses",
        help: "further addresses are not modelled: write each as a mail user with the first one as `external`",
    },
    Words {
        of: &[SERVER],
        words: "transport_rules",
        help: "mail-flow rules are modelled for `ExchangeOnline` only: leave them out, or play the tenant that has them",
    },
    Words {
        of: &[ONLINE, SERVER],
        words: "journal_rules",
        help: "copies for a journal are not modelled: a mail-flow rule with `blind_copy_to` sends a copy, though not as a journal report",
    },
    Words {
        of: &[TRANSPORT],
        words: "journaling_report_ndr_to journal_archiving_enabled journal_message_expiration_days journal_report_dl_member_substitution_enabled legacy_archive_journaling_enabled legacy_archive_live_journaling_enabled legacy_journaling_migration_enabled redirect_dl_messages_for_legacy_archive_journaling redirect_unprovisioned_user_messages_for_legacy_archive_journaling prevent_duplicate_journaling_enabled voicemail_journaling_enabled",
        help: "journaling is not modelled: leave it out",
    },
    Words { of: &[MAILBOX], words: "journal_archive_address", help: "journaling is not modelled: leave it out" },
    Words {
        of: &[MAILBOX, USER],
        words: "moderation_enabled moderated_by bypass_moderation_from_senders_or_members send_moderation_notifications arbitration_mailbox",
        help: "a moderator decides, and no scenario says how: leave it out",
    },
    Words {
        of: &[GROUP],
        words: "moderated_by bypass_moderation_from_senders_or_members bypass_nested_moderation_enabled send_moderation_notifications arbitration_mailbox",
        help: "with `moderation_enabled: true` mail to the group ends as \"the scenario does not say\"; who decides is not modelled",
    },
    Words {
        of: &[RULE],
        words: "moderate_message_by_user moderate_message_by_manager",
        help: "a moderator decides, and no scenario says how: leave the action out, or write `delete_message` or `reject_message_reason_text` for a refusal",
    },
    Words {
        of: &[RULE],
        words: "add_manager_as_recipient_type manager_addresses manager_for_evaluated_user sender_management_relationship ad_comparison_attribute ad_comparison_operator except_if_manager_addresses except_if_manager_for_evaluated_user except_if_sender_management_relationship except_if_ad_comparison_attribute except_if_ad_comparison_operator",
        help: "who is whose manager is not modelled: write the addresses, as in `add_to_recipients`, `from` or `sent_to`",
    },
    Words {
        of: &[RULE],
        words: "attachment_* except_if_attachment_* has_attachment",
        help: "attachments are not modelled: mark such messages with a header of their own and let the rule look at that",
    },
    Words {
        of: &[RULE],
        words: "has_classification has_no_classification has_sender_override message_contains_* content_character_set_contains_words with_importance sender_in_recipient_list recipient_in_sender_list except_if_has_classification except_if_has_no_classification except_if_has_sender_override except_if_message_contains_* except_if_content_character_set_contains_words except_if_with_importance except_if_sender_in_recipient_list except_if_recipient_in_sender_list",
        help: "the condition is not modelled: mark such messages with a header of their own and let the rule look at that",
    },
    Words {
        of: &[RULE],
        words: "any_of_* except_if_any_of_* recipient_address_type except_if_recipient_address_type",
        help: "conditions about all recipients of a message or its To and Cc are not modelled: `sent_to` and its like look at each recipient by itself",
    },
    Words {
        of: &[RULE],
        words: "smtp_reject_message_reject_text smtp_reject_message_reject_status_code disconnect",
        help: "it is for rules of Edge Transport servers, which are not modelled: `reject_message_reason_text` refuses",
    },
    Words {
        of: &[RULE],
        words: "notify_sender rule_error_action rule_sub_type dlp_policy generate_incident_report incident_report_content incident_report_original_mail generate_notification",
        help: "it is not modelled: leave it out",
    },
    Words {
        of: &[MAILBOX, USER, GROUP],
        words: "accept_messages_only_from accept_messages_only_from_dl_members accept_messages_only_from_senders_or_members reject_messages_from reject_messages_from_dl_members reject_messages_from_senders_or_members",
        help: "who may write to one recipient is not modelled, but for `require_sender_authentication` of groups: a mail-flow rule with `from` and `sent_to` refuses as well",
    },
    Words {
        of: &[MAILBOX, USER],
        words: "require_sender_authentication_enabled",
        help: "it is modelled for groups only: a mail-flow rule with `from_scope` and `sent_to` refuses as well",
    },
    Words {
        of: &[MAILBOX, USER, GROUP],
        words: "max_send_size max_receive_size recipient_limits",
        help: "limits of single recipients are not modelled: write those of the connector or the organization",
    },
    Words {
        of: &[MAILBOX],
        words: "prohibit_send_quota prohibit_send_receive_quota issue_warning_quota recoverable_items_quota recoverable_items_warning_quota rules_quota use_database_quota_defaults use_database_retention_defaults account_disabled message_copy_for_* grant_send_on_behalf_to antispam_bypass_enabled external_oof_options scl_* default_auth_policy authentication_policy retain_deleted_items_* archive_* auto_expanding_archive",
        help: "it is not modelled: the mailbox takes what comes to it",
    },
    Words {
        of: &[GROUP],
        words: "report_to_manager_enabled report_to_originator_enabled managed_by recipient_filter included_recipients conditional_* recipient_container",
        help: "it is not modelled: reports go to the sender, and members are written in `members`",
    },
    Words {
        of: &[RECEIVE],
        words: "reject_reserved_second_level_recipient_domains reject_reserved_top_level_recipient_domains reject_single_label_recipient_domains bare_linefeed_rejection_enabled require_ehlo_domain live_credential_enabled orar_enabled long_addresses_enabled suppress_x_anonymous_tls enable_auth_gssapi extended_protection_policy auth_tarpit_interval",
        help: "it is not modelled: leave it out, its default holds",
    },
    Words {
        of: &[RECEIVE],
        words: "client custom internal internet partner usage",
        help: "a usage presets other parameters: write `permission_groups` and `auth_mechanism`",
    },
    Words { of: &[SEND], words: "require_oorg is_coexistence_connector", help: "it is not modelled: leave it out, its default holds" },
    Words {
        of: &[REMOTE],
        words: "smtp_dane_mandatory_mode_enabled",
        help: "it is not modelled: DANE stands in `smtp_dane_mode` of an outbound connector",
    },
    Words {
        of: &[REMOTE],
        words: "meeting_forward_notification_enabled message_count_threshold",
        help: "it is not modelled: leave it out",
    },
    Words {
        of: &[TRANSPORT],
        words: "message_expiration",
        help: "of a server it stands in `transport_service` as `message_expiration_timeout`: Set-TransportConfig has it for tenants only",
    },
    Words {
        of: &[TRANSPORT],
        words: "generate_copy_of_dsn_for external_postmaster_address",
        help: "copies of reports are not modelled: leave it out",
    },
    Words {
        of: &[TRANSPORT],
        words: "agent_generated_message_loop_detection_* anonymous_sender_to_recipient_rate_per_hour attribution_reject_before_m_serv_request header_promotion_mode_setting max_allowed_agent_generated_message_depth* open_domain_routing_enabled reply_all_storm_* supervision_tags transport_rule_* verify_secure_submit_enabled current_transport_system_state",
        help: "it is not modelled: leave it out, its default holds",
    },
    Words {
        of: &[SERVICE],
        words: "antispam_agents_enabled max_concurrent_mailbox_* poison_* recipient_validation_cache_enabled external_dns_adapter_* internal_dns_adapter_* external_dns_protocol_option internal_dns_protocol_option external_ip_address intra_org_connector_smtp_max_messages_per_connection pickup_directory_* replay_directory_path root_drop_directory_path use_downgraded_exchange_server_auth",
        help: "it is not modelled: leave it out, its default holds",
    },
    Words {
        of: &[ONLINE, SERVER],
        words: "can_have_cloud_cache external_domain_* federat* mail_flow_partner pending_* externally_managed is_coexistence_domain enable_nego2_authentication skip_dns_provisioning skip_domain_name_validation initial_domain authentication_type live_id_instance_type email_only",
        help: "it is not modelled: leave it out",
    },
    Words {
        of: &[ONLINE, SERVER],
        words: "hosted_content_filter_policy hosted_content_filter_rule malware_filter_policy anti_phish_policy safe_links_policy safe_attachment_policy quarantine_policy tenant_allow_block_list* arc_config report_submission_policy dlp_policies dlp_policy content_filter_config sender_filter_config sender_id_config sender_reputation_config recipient_filter_config ip_allow_list_config ip_block_list* ip_allow_list_provider* enable_safe_list",
        help: "judging what a message says or who sent it is not modelled, but for `checks` and `ip_allow_list`: leave it out, or write `filter` at a server of its own",
    },
    Words {
        of: &[ONLINE, SERVER],
        words: "address_rewrite_entries delivery_agent_connectors foreign_connectors edge_subscriptions routing_groups email_address_policies on_premises_organization intra_organization_connectors organization_relationships hybrid_configuration partner_applications public_folders mail_public_folders mailbox_import transport_agents transport_pipeline throttling_policies",
        help: "it is not modelled: leave it out",
    },
    Words {
        of: &[ORGANIZATION],
        words: "send_from_alias_enabled connectors_enabled default_authentication_policy auto_enable_archive_mailbox mail_tips_* message_recall_* oauth2_client_profile_enabled delayed_delicensing_enabled customer_lockbox_enabled is_agree_to_send_* smtp_actionable_messages_enabled required_charset_coverage default_public_folder_* focused_inbox_on",
        help: "it is not modelled: leave it out",
    },
    Words {
        of: &[INBOX],
        words: "forward_as_attachment_to move_to_folder copy_to_folder mark_as_read mark_importance apply_category apply_system_category pin_message send_text_message_notification_to soft_delete_message",
        help: "only rules that pass mail on or delete it are modelled: leave it out",
    },
    Words {
        of: &[INBOX],
        words: "body_contains_words flagged_for_action from_address_contains_words from_subscription has_attachment has_classification header_contains_words message_type_matches my_name_* received_* recipient_address_contains_words sent_only_to_me sent_to with_importance within_size_range* with_sensitivity except_if_*",
        help: "the condition is not modelled: rules of mailboxes look at `from`, `subject_contains_words` and `subject_or_body_contains_words`",
    },
    Words {
        of: &[DATABASE],
        words: "journal_recipient prohibit_send_quota prohibit_send_receive_quota issue_warning_quota mounted replay_lag_times truncation_lag_times activation_preference circular_logging_enabled",
        help: "it is not modelled: which copy is active, and what it lacks, stand in `active` and `behind`",
    },
];

/// Real ones that change nothing about where mail goes or when.
const WITHOUT_EFFECT: &[Words] = &[
    Words {
        of: &[],
        words: "identity confirm what_if domain_controller force debug verbose ignore_default_scope resolve_* async organizational_unit ignore_naming_policy mail_tip mail_tip_translations display_name alias simple_display_name hidden_from_address_lists_enabled email_address_policy_enabled notes",
        help: "it changes nothing about where mail goes or when: leave it out",
    },
    Words {
        of: &[RULE],
        words: "apply_html_disclaimer_* apply_classification apply_ome apply_rights_protection_* remove_om* remove_rms_attachment_encryption log_event_text set_audit_severity use_legacy_regex modify_subject",
        help: "it changes what the message looks like, not where it goes: leave it out",
    },
    Words {
        of: &[RECEIVE],
        words: "advertise_client_settings service_discovery_fqdn",
        help: "it changes nothing about where mail goes or when: leave it out",
    },
    Words {
        of: &[REMOTE],
        words: "byte_encoder_type_for7_bit_charsets character_set content_type display_sender_name line_wrap_size ndr_diagnostic_info_enabled non_mime_character_set preferred_internet_code_page_for_shift_jis required_charset_coverage use_simple_display_name",
        help: "it changes what the message looks like, not where it goes: leave it out",
    },
    Words {
        of: &[TRANSPORT],
        words: "address_book_policy_routing_enabled clear_categories convert_disclaimer_wrapper_to_eml diagnostics_aggregation_service_port dsn_conversion_mode external_dsn_default_language external_dsn_language_detection_enabled external_dsn_max_message_attach_size external_dsn_send_html internal_dsn_default_language internal_dsn_language_detection_enabled internal_dsn_max_message_attach_size internal_dsn_send_html hygiene_suite migration_enabled preserve_report_bodypart queue_diagnostics_aggregation_interval rfc2231_encoding_enabled xexch50_enabled",
        help: "it changes nothing about where mail goes or when: leave it out",
    },
    Words {
        of: &[SERVICE],
        words: "active_user_statistics_log_* agent_log_* connectivity_log_* content_conversion_tracing_enabled dns_log_* intra_org_connector_protocol_logging_level irm_log_* journal_log_* message_tracking_log_* pipeline_tracing_* queue_log_* receive_protocol_log_* resource_log_* routing_table_log_* send_protocol_log_* server_statistics_log_* transport_http_log_* transport_maintenance_log_* transport_sync_* wlm_log_*",
        help: "it changes nothing about where mail goes or when: leave it out",
    },
    Words {
        of: &[MAILBOX],
        words: "audit_* calendar_* client_access_* default_public_folder_mailbox end_date_for_retention_hold external_directory* forced_* language litigation_hold_* mailbox_region max_blocked_senders max_safe_senders message_tracking_read_status_enabled office* retention_* role_assignment_policy sharing_policy single_item_recovery_enabled start_date_for_retention_hold type user_certificate user_smime_certificate",
        help: "it changes nothing about where mail goes or when: leave it out",
    },
];

/// Kinds of recipients: how each is written, or why it is not.
const KINDS: &[(&str, Code, &str)] = &[
    (
        "RemoteMailbox RemoteUserMailbox RemoteSharedMailbox RemoteRoomMailbox",
        code::UNKNOWN_WORD,
        "a remote mailbox is a mail user with the address in the cloud: MailUser(external: \"al@contoso.mail.onmicrosoft.com\")",
    ),
    (
        "Contact MailContact GuestMailUser GuestUser",
        code::UNKNOWN_WORD,
        "a contact is a mail user with the address outside: MailUser(external: \"al@example.com\")",
    ),
    (
        "SharedMailbox UserMailbox RoomMailbox EquipmentMailbox LinkedMailbox SchedulingMailbox TeamMailbox",
        code::UNKNOWN_WORD,
        "for mail it is a mailbox like any other: Mailbox()",
    ),
    (
        "DistributionGroup SecurityGroup MailUniversalDistributionGroup MailUniversalSecurityGroup UnifiedGroup GroupMailbox Microsoft365Group Office365Group DistributionList",
        code::UNKNOWN_WORD,
        "write Group(members: […])",
    ),
    ("DynamicGroup DynamicDistributionGroup", code::NOT_MODELLED, "write Group(members: […]) with those whom its filter finds"),
    ("Forward", code::UNKNOWN_WORD, "a mailbox that forwards is Mailbox(forward_to: […])"),
    ("List", code::UNKNOWN_WORD, "a list of recipients is Group(members: […])"),
    (
        "PublicFolder MailPublicFolder ArbitrationMailbox SystemMailbox DiscoveryMailbox MonitoringMailbox JournalMailbox MailboxPlan",
        code::NOT_MODELLED,
        "leave it out, or write what its mail needs: Mailbox()",
    ),
];

/// What is known about a field that some brackets do not have.
pub(super) fn field(outer: &str, name: &str) -> Option<Known> {
    if !ALL.contains(&outer) {
        return None;
    }
    let tables = [(WRITTEN_OTHERWISE, code::UNKNOWN_FIELD), (NOT_MODELLED, code::NOT_MODELLED), (WITHOUT_EFFECT, code::NOT_MODELLED)];
    tables.into_iter().find_map(|(table, code)| {
        let found = table
            .iter()
            .find(|row| (row.of.is_empty() || row.of.contains(&outer)) && row.words.split(' ').any(|word| is_it(word, name)))?;
        Some(Known { code, help: found.help })
    })
}

/// What is known about a kind that is none of `what`.
pub(in super::super) fn kind(what: &str, word: &str) -> Option<(Code, &'static str)> {
    let rows = KINDS.iter().filter(|_| what == "a kind of recipient");
    rows.into_iter().find(|(words, ..)| words.split(' ').any(|known| known == word)).map(|(_, code, help)| (*code, *help))
}

fn is_it(word: &str, name: &str) -> bool {
    match word.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == word,
    }
}

#[cfg(test)]
mod tests {
    use super::super::mistakes::snake_case;
    use super::*;
    use crate::scenario::read::Brackets;
    use crate::scenario::schema;

    /// The parameters of a cmdlet (New- and Set-), and where they are written.
    struct Cmdlet {
        of: &'static str,
        outer: &'static str,
        has: fn() -> Box<dyn Brackets>,
        parameters: &'static str,
    }

    fn boxed<T: Brackets + Default + 'static>() -> Box<dyn Brackets> {
        Box::new(T::default())
    }

    const CONDITIONS: &str = "ADComparisonAttribute ADComparisonOperator AnyOfCcHeader AnyOfCcHeaderMemberOf AnyOfRecipientAddressContainsWords \
        AnyOfRecipientAddressMatchesPatterns AnyOfToCcHeader AnyOfToCcHeaderMemberOf AnyOfToHeader AnyOfToHeaderMemberOf AttachmentContainsWords \
        AttachmentExtensionMatchesWords AttachmentHasExecutableContent AttachmentIsPasswordProtected AttachmentIsUnsupported AttachmentMatchesPatterns \
        AttachmentNameMatchesPatterns AttachmentProcessingLimitExceeded AttachmentPropertyContainsWords AttachmentSizeOver BetweenMemberOf1 \
        BetweenMemberOf2 ContentCharacterSetContainsWords From FromAddressContainsWords FromAddressMatchesPatterns FromMemberOf FromScope \
        HasClassification HasNoClassification HasSenderOverride HeaderContainsMessageHeader HeaderContainsWords HeaderMatchesMessageHeader \
        HeaderMatchesPatterns ManagerAddresses ManagerForEvaluatedUser MessageContainsDataClassifications MessageContainsAllDataClassifications \
        MessageSizeOver MessageTypeMatches RecipientADAttributeContainsWords RecipientADAttributeMatchesPatterns RecipientAddressContainsWords \
        RecipientAddressMatchesPatterns RecipientDomainIs RecipientInSenderList SCLOver SenderADAttributeContainsWords \
        SenderADAttributeMatchesPatterns SenderDomainIs SenderInRecipientList SenderIpRanges SenderManagementRelationship SentTo SentToMemberOf \
        SentToScope SubjectContainsWords SubjectMatchesPatterns SubjectOrBodyContainsWords SubjectOrBodyMatchesPatterns WithImportance";

    const CMDLETS: &[Cmdlet] = &[
        Cmdlet {
            of: "SendConnector",
            outer: SEND,
            has: boxed::<schema::SendConnector>,
            parameters: "AddressSpaces AuthenticationCredential CloudServicesMailEnabled Comment Confirm ConnectionInactivityTimeOut ConnectorType Custom \
                DNSRoutingEnabled DomainController DomainSecureEnabled Enabled ErrorPolicies Force ForceHELO Fqdn FrontendProxyEnabled Identity \
                IgnoreSTARTTLS Internal Internet IsCoexistenceConnector IsScopedConnector LinkedReceiveConnector MaxMessageSize Partner Port \
                ProtocolLoggingLevel RequireOorg RequireTLS SmartHostAuthMechanism SmartHosts SmtpMaxMessagesPerConnection SourceIPAddress \
                SourceTransportServers TlsAuthLevel TlsCertificateName TlsDomain Usage UseExternalDNSServersEnabled WhatIf",
        },
        Cmdlet {
            of: "ReceiveConnector",
            outer: RECEIVE,
            has: boxed::<schema::ReceiveConnector>,
            parameters: "AdvertiseClientSettings AuthMechanism AuthTarpitInterval Banner BareLinefeedRejectionEnabled BinaryMimeEnabled Bindings \
                ChunkingEnabled Client Comment Confirm ConnectionInactivityTimeout ConnectionTimeout Custom DefaultDomain \
                DeliveryStatusNotificationEnabled DomainController DomainSecureEnabled EightBitMimeEnabled EnableAuthGSSAPI Enabled \
                EnhancedStatusCodesEnabled ExtendedProtectionPolicy Fqdn Identity Internal Internet LiveCredentialEnabled LongAddressesEnabled \
                MaxAcknowledgementDelay MaxHeaderSize MaxHopCount MaxInboundConnection MaxInboundConnectionPercentagePerSource \
                MaxInboundConnectionPerSource MaxLocalHopCount MaxLogonFailures MaxMessageSize MaxProtocolErrors MaxRecipientsPerMessage \
                MessageRateLimit MessageRateSource OrarEnabled Partner PermissionGroups PipeliningEnabled ProtocolLoggingLevel \
                RejectReservedSecondLevelRecipientDomains RejectReservedTopLevelRecipientDomains RejectSingleLabelRecipientDomains RemoteIPRanges \
                RequireEHLODomain RequireTLS Server ServiceDiscoveryFqdn SizeEnabled SmtpUtf8Enabled SuppressXAnonymousTls TarpitInterval \
                TlsCertificateName TlsDomainCapabilities TransportRole Usage WhatIf",
        },
        Cmdlet {
            of: "InboundConnector",
            outer: INBOUND,
            has: boxed::<schema::InboundConnector>,
            parameters: "AssociatedAcceptedDomains ClientHostNames CloudServicesMailEnabled Comment Confirm ConnectorSource ConnectorType EFSkipIPs \
                EFSkipLastIP EFSkipMailGateway EFTestMode EFUsers Enabled Identity RequireTls RestrictDomainsToCertificate \
                RestrictDomainsToIPAddresses ScanAndDropRecipients SenderDomains SenderIPAddresses TlsSenderCertificateName TreatMessagesAsInternal \
                TrustedOrganizations WhatIf",
        },
        Cmdlet {
            of: "OutboundConnector",
            outer: OUTBOUND,
            has: boxed::<schema::OutboundConnector>,
            parameters: "AllAcceptedDomains CloudServicesMailEnabled Comment Confirm ConnectorSource ConnectorType Enabled Identity \
                IsTransportRuleScoped IsValidated LastValidationTimestamp LinkForModifiedConnector MtaStsMode RecipientDomains \
                RouteAllMessagesViaOnPremises SenderRewritingEnabled SmartHosts SmtpDaneMode TestMode TlsDomain TlsSettings UseMXRecord \
                ValidationRecipients WhatIf",
        },
        Cmdlet {
            of: "TransportRule",
            outer: RULE,
            has: boxed::<schema::TransportRule>,
            parameters: "ActivationDate AddManagerAsRecipientType AddToRecipients ApplyClassification ApplyHtmlDisclaimerFallbackAction \
                ApplyHtmlDisclaimerLocation ApplyHtmlDisclaimerText ApplyOME ApplyRightsProtectionCustomizationTemplate \
                ApplyRightsProtectionTemplate BlindCopyTo Comments Confirm CopyTo DeleteMessage Disconnect DlpPolicy DomainController Enabled \
                ExpiryDate GenerateIncidentReport GenerateNotification Identity IncidentReportContent IncidentReportOriginalMail LogEventText Mode \
                ModerateMessageByManager ModerateMessageByUser NotifySender PrependSubject Priority Quarantine RecipientAddressType \
                RedirectMessageTo RejectMessageEnhancedStatusCode RejectMessageReasonText RemoveHeader RemoveOME RemoveOMEv2 \
                RemoveRMSAttachmentEncryption RouteMessageOutboundConnector RouteMessageOutboundRequireTls RuleErrorAction RuleSubType \
                SenderAddressLocation SetAuditSeverity SetHeaderName SetHeaderValue SetSCL SmtpRejectMessageRejectStatusCode \
                SmtpRejectMessageRejectText StopRuleProcessing UseLegacyRegex WhatIf",
        },
        Cmdlet { of: "TransportRule", outer: RULE, has: boxed::<schema::TransportRule>, parameters: CONDITIONS },
        Cmdlet {
            of: "AcceptedDomain",
            outer: ONLINE,
            has: boxed::<schema::ExchangeOnline>,
            parameters: "CanHaveCloudCache CatchAllRecipientID Confirm DomainType EnableNego2Authentication Identity MakeDefault MailFlowPartner \
                MatchSubDomains OutboundOnly PendingFederatedAccountNamespace PendingFederatedDomain PendingRemoval SendingFromDomainDisabled \
                SendingToDomainDisabled WhatIf",
        },
        Cmdlet {
            of: "AcceptedDomain",
            outer: SERVER,
            has: boxed::<schema::ExchangeServer>,
            parameters: "AddressBookEnabled AuthenticationType CatchAllRecipientID Confirm DomainController DomainType Identity MakeDefault \
                MatchSubDomains SkipDnsProvisioning SkipDomainNameValidation WhatIf",
        },
        Cmdlet {
            of: "RemoteDomain",
            outer: REMOTE,
            has: boxed::<schema::RemoteDomain>,
            parameters: "AllowedOOFType AutoForwardEnabled AutoReplyEnabled ByteEncoderTypeFor7BitCharsets CharacterSet Confirm ContentType \
                DeliveryReportEnabled DisplaySenderName DomainController DomainName Identity IsInternal LineWrapSize \
                MeetingForwardNotificationEnabled MessageCountThreshold NDRDiagnosticInfoEnabled NDREnabled NonMimeCharacterSet \
                PreferredInternetCodePageForShiftJis RequiredCharsetCoverage SmtpDaneMandatoryModeEnabled TargetDeliveryDomain TNEFEnabled \
                TrustedMailInboundEnabled TrustedMailOutboundEnabled UseSimpleDisplayName WhatIf",
        },
        Cmdlet { of: "TransportConfig", outer: TRANSPORT, has: boxed::<schema::TransportConfig>, parameters: TRANSPORT_CONFIG },
        Cmdlet {
            of: "TransportConfig of a tenant",
            outer: TRANSPORT,
            has: boxed::<schema::TenantTransportConfig>,
            parameters: TRANSPORT_CONFIG,
        },
        Cmdlet {
            of: "TransportService",
            outer: SERVICE,
            has: boxed::<schema::TransportService>,
            parameters: "ActiveUserStatisticsLogMaxAge ActiveUserStatisticsLogMaxDirectorySize ActiveUserStatisticsLogMaxFileSize \
                ActiveUserStatisticsLogPath AgentLogEnabled AgentLogMaxAge AgentLogPath AntispamAgentsEnabled Confirm ConnectivityLogEnabled \
                ConnectivityLogMaxAge ConnectivityLogPath ContentConversionTracingEnabled DelayNotificationTimeout DnsLogEnabled DnsLogPath \
                DomainController ExternalDNSAdapterEnabled ExternalDNSAdapterGuid ExternalDNSProtocolOption ExternalDNSServers ExternalIPAddress \
                Identity InternalDNSAdapterEnabled InternalDNSAdapterGuid InternalDNSProtocolOption InternalDNSServers \
                IntraOrgConnectorProtocolLoggingLevel IntraOrgConnectorSmtpMaxMessagesPerConnection IrmLogEnabled JournalLogEnabled \
                MaxConcurrentMailboxDeliveries MaxConcurrentMailboxSubmissions MaxConnectionRatePerMinute MaxOutboundConnections \
                MaxPerDomainOutboundConnections MessageExpirationTimeout MessageRetryInterval MessageTrackingLogEnabled \
                MessageTrackingLogSubjectLoggingEnabled OutboundConnectionFailureRetryInterval PickupDirectoryMaxHeaderSize \
                PickupDirectoryMaxMessagesPerMinute PickupDirectoryMaxRecipientsPerMessage PickupDirectoryPath PipelineTracingEnabled \
                PoisonMessageDetectionEnabled PoisonThreshold QueueLogMaxAge QueueLogPath QueueMaxIdleTime ReceiveProtocolLogMaxAge \
                ReceiveProtocolLogPath RecipientValidationCacheEnabled ReplayDirectoryPath ResourceLogEnabled RootDropDirectoryPath \
                RoutingTableLogMaxAge SendProtocolLogMaxAge SendProtocolLogPath ServerStatisticsLogPath TransientFailureRetryCount \
                TransientFailureRetryInterval TransportHttpLogEnabled TransportMaintenanceLogEnabled TransportSyncEnabled \
                TransportSyncLogEnabled UseDowngradedExchangeServerAuth WhatIf WlmLogPath",
        },
        Cmdlet {
            of: "Mailbox",
            outer: MAILBOX,
            has: boxed::<schema::ExchangeMailbox>,
            parameters: "AcceptMessagesOnlyFrom AcceptMessagesOnlyFromDLMembers AcceptMessagesOnlyFromSendersOrMembers Alias AntispamBypassEnabled \
                ArbitrationMailbox BypassModerationFromSendersOrMembers Confirm Database DeliverToMailboxAndForward DisplayName DomainController \
                EmailAddresses EmailAddressPolicyEnabled ExternalOofOptions Force ForwardingAddress ForwardingSmtpAddress GrantSendOnBehalfTo \
                HiddenFromAddressListsEnabled Identity IssueWarningQuota JournalArchiveAddress MailTip MaxReceiveSize MaxSendSize \
                MessageCopyForSendOnBehalfEnabled MessageCopyForSentAsEnabled MessageTrackingReadStatusEnabled ModeratedBy ModerationEnabled \
                PrimarySmtpAddress ProhibitSendQuota ProhibitSendReceiveQuota RecipientLimits RejectMessagesFrom RejectMessagesFromDLMembers \
                RejectMessagesFromSendersOrMembers RequireSenderAuthenticationEnabled RulesQuota SCLDeleteEnabled SCLDeleteThreshold \
                SCLJunkEnabled SCLQuarantineEnabled SCLRejectEnabled SCLRejectThreshold SendModerationNotifications Type \
                UseDatabaseQuotaDefaults WhatIf WindowsEmailAddress Department City CustomAttribute1",
        },
        Cmdlet {
            of: "DistributionGroup",
            outer: GROUP,
            has: boxed::<schema::Group>,
            parameters: "AcceptMessagesOnlyFrom AcceptMessagesOnlyFromSendersOrMembers Alias ArbitrationMailbox BypassModerationFromSendersOrMembers \
                BypassNestedModerationEnabled Confirm EmailAddresses ExpansionServer HiddenFromAddressListsEnabled Identity ManagedBy MaxReceiveSize \
                MaxSendSize Members ModeratedBy ModerationEnabled PrimarySmtpAddress RejectMessagesFrom RejectMessagesFromSendersOrMembers \
                ReportToManagerEnabled ReportToOriginatorEnabled RequireSenderAuthenticationEnabled SendModerationNotifications \
                SendOofMessageToOriginatorEnabled WhatIf",
        },
        Cmdlet {
            of: "MailUser",
            outer: USER,
            has: boxed::<schema::MailUser>,
            parameters: "AcceptMessagesOnlyFrom Alias BypassModerationFromSendersOrMembers DisplayName EmailAddresses ExternalEmailAddress Identity \
                MaxReceiveSize ModeratedBy ModerationEnabled PrimarySmtpAddress RecipientLimits RejectMessagesFrom RemoteRoutingAddress \
                RequireSenderAuthenticationEnabled WhatIf",
        },
        Cmdlet {
            of: "HostedConnectionFilterPolicy",
            outer: ONLINE,
            has: boxed::<schema::ExchangeOnline>,
            parameters: "HostedConnectionFilterPolicy IPAllowList IPBlockList EnableSafeList",
        },
    ];

    const TRANSPORT_CONFIG: &str = "AddressBookPolicyRoutingEnabled AgentGeneratedMessageLoopDetectionInSmtpEnabled \
        AgentGeneratedMessageLoopDetectionInSubmissionEnabled AllowLegacyTLSClients AnonymousSenderToRecipientRatePerHour \
        AttributionRejectBeforeMServRequest ClearCategories Confirm ConvertDisclaimerWrapperToEml CurrentTransportSystemState \
        DiagnosticsAggregationServicePort DomainController DSNConversionMode ExternalDelayDsnEnabled ExternalDsnDefaultLanguage \
        ExternalDsnLanguageDetectionEnabled ExternalDsnMaxMessageAttachSize ExternalDsnReportingAuthority ExternalDsnSendHtml \
        ExternalPostmasterAddress GenerateCopyOfDSNFor HeaderPromotionModeSetting HygieneSuite Identity InternalDelayDsnEnabled \
        InternalDsnDefaultLanguage InternalDsnLanguageDetectionEnabled InternalDsnMaxMessageAttachSize InternalDsnReportingAuthority \
        InternalDsnSendHtml InternalSMTPServers JournalArchivingEnabled JournalingReportNdrTo JournalMessageExpirationDays \
        JournalReportDLMemberSubstitutionEnabled LegacyArchiveJournalingEnabled LegacyArchiveLiveJournalingEnabled \
        LegacyJournalingMigrationEnabled MaxAllowedAgentGeneratedMessageDepth MaxAllowedAgentGeneratedMessageDepthPerAgent \
        MaxDumpsterSizePerDatabase MaxDumpsterTime MaxReceiveSize MaxRecipientEnvelopeLimit MaxRetriesForLocalSiteShadow \
        MaxRetriesForRemoteSiteShadow MaxSendSize MessageExpiration MigrationEnabled OpenDomainRoutingEnabled PreserveReportBodypart \
        PreventDuplicateJournalingEnabled QueueDiagnosticsAggregationInterval RedirectDLMessagesForLegacyArchiveJournaling \
        RedirectUnprovisionedUserMessagesForLegacyArchiveJournaling RejectMessageOnShadowFailure ReplyAllStormBlockDurationHours \
        ReplyAllStormDetectionMinimumRecipients ReplyAllStormDetectionMinimumReplies ReplyAllStormProtectionEnabled Rfc2231EncodingEnabled \
        SafetyNetHoldTime ShadowHeartbeatFrequency ShadowHeartbeatRetryCount ShadowHeartbeatTimeoutInterval ShadowMessageAutoDiscardInterval \
        ShadowMessagePreferenceSetting ShadowRedundancyEnabled ShadowResubmitTimeSpan SmtpClientAuthenticationDisabled SupervisionTags \
        TLSReceiveDomainSecureList TLSSendDomainSecureList TransportRuleAttachmentTextScanLimit TransportRuleCollectionAddedRecipientsLimit \
        TransportRuleCollectionRegexCharsLimit TransportRuleLimit TransportRuleRegexValidationTimeout TransportRuleSizeLimit \
        VerifySecureSubmitEnabled VoicemailJournalingEnabled WhatIf Xexch50Enabled";

    /// Each is a field of the format, or is known by name.
    #[test]
    fn all_parameters_are_known() {
        let mut strangers = Vec::new();
        let mut all = 0;
        for cmdlet in CMDLETS {
            let mut fields = Vec::new();
            (cmdlet.has)().names(&mut fields);
            let exceptions = cmdlet.parameters == CONDITIONS;
            let prefixed = cmdlet.parameters.split_whitespace().map(|name| format!("ExceptIf{name}")).filter(|_| exceptions);
            for name in cmdlet.parameters.split_whitespace().map(str::to_owned).chain(prefixed) {
                let snake = snake_case(&name);
                all += 1;
                if !fields.contains(&&*snake) && field(cmdlet.outer, &snake).is_none() {
                    strangers.push(format!("{} {name} ({snake})", cmdlet.of));
                }
            }
        }
        assert!(all > 500, "{all}");
        assert!(strangers.is_empty(), "neither modelled nor known: {strangers:#?}");
    }

    /// What the format has is never called not modelled: the tables stay as true as the schema.
    #[test]
    fn nothing_modelled_is_refused() {
        let mut wrong = Vec::new();
        for cmdlet in CMDLETS.iter().filter(|cmdlet| cmdlet.outer != TRANSPORT) {
            let mut fields = Vec::new();
            (cmdlet.has)().names(&mut fields);
            wrong.extend(fields.into_iter().filter(|name| field(cmdlet.outer, name).is_some()).map(|name| (cmdlet.of, name)));
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn of_what() {
        assert!(field("`Mta`", "journal_rules").is_none() && kind("a fault", "RemoteMailbox").is_none());
        assert!(kind("a kind of recipient", "RemoteMailbox").is_some_and(|(_, help)| help.contains("MailUser(external")));
    }
}
