//! The kinds of systems, and those of them that are not Exchange.

use super::host::profile_changes;
use super::{Checks, ClientTls, ExchangeOnline, ExchangeServer, Host, QueueRuns, SenderKind};
use crate::scenario::source::{Field, Named, Text};

kinds! {
    /// One administration.
    pub enum System("a kind of system") {
        fields {
            Mta(Mta), Gateway(Mta), ExchangeOnline(ExchangeOnline), ExchangeServer(ExchangeServer), Internet(Internet), Device(Device), Fope(Fope),
        }
    }

    /// What stands behind an address of an MTA.
    pub enum Recipient("a kind of recipient") {
        fields { Mailbox(LocalMailbox), Forward(Forward), List(MailingList) }
    }

    /// What a filter does.
    pub enum FilterAction("an action of a filter") {
        fields {
            Reject(RejectAction), Quarantine(QuarantineAction), Discard(DiscardAction), Tag(TagAction), Delay(DelayAction), Redirect(RedirectAction),
        }
    }

    /// Where a FOPE connector applies.
    pub enum Association("an association") {
        values { Domains(Vec<Text>) }
        words { Company }
    }

    /// Where a FOPE connector sends.
    pub enum FopeDestination("a destination") {
        values { Ip(Text), Fqdn(Text), MultiSmtp(Text) }
    }

    /// What a FOPE connector asks of TLS.
    pub enum FopeTls("a TLS choice") {
        values { Matches(Text) }
        words { Opportunistic, SelfSigned, TrustedCa, MatchesDestinationDomain }
    }
}

words! {
    /// Which server's habits it has.
    pub enum Profile("a profile") {
        Rfc, Postfix, Exim, Sendmail, OpenSmtpd, Qmail, KumoMta, ExchangeServer, ExchangeOnline, NoRetry,
    }
    /// What a system does to a message on its way.
    pub enum Modification("a modification") { Footer, SubjectTag, FromRewritten, HeaderAdded }
    /// How a device uses TLS.
    pub enum DeviceTls("a value of a device's `tls`") { None, Starttls, Implicit }
}

schema! {
    /// A mail server that is not Exchange, or an appliance.
    pub struct Mta("`Mta`") inlines host: Host first forget_settings_of_another_server {
        hosts: Named<Host>,
        profile: Field<Profile>,
        version: Field<Text>,
        settings: Named<Text>,
        recipients: Named<Recipient>,
        relay_domains: Field<Vec<Text>>,
        relay_clients: Field<Vec<Text>>,
        smart_hosts: Field<Vec<Text>>,
        routes: Named<Vec<Text>>,
        fallback_hosts: Field<Vec<Text>>,
        login: Field<Text>,
        oauth: Field<bool>,
        send_as: Named<Vec<Text>>,
        client_certificate: Field<Text>,
        tls: Field<ClientTls>,
        max_message_size: Field<Text>,
        max_recipients: Field<u64>,
        hop_limit: Field<u64>,
        checks: Field<Checks>,
        /// The domain that signs everything that leaves.
        dkim: Field<Text>,
        /// What is done to everything that is passed on.
        modifies: Field<Vec<Modification>>,
        queue_runs: Field<QueueRuns>,
        filter: Named<FilterRule>,
    }

    /// A mailbox of an MTA.
    pub struct LocalMailbox("`Mailbox`") {
        automatic_replies: Field<AutomaticReplies>,
    }

    /// A mailbox of an MTA that answers by itself (RFC 3834).
    pub struct AutomaticReplies("`automatic_replies`") {
        start_time: Field<Text>,
        end_time: Field<Text>,
        /// How long a sender is not answered again.
        every: Field<Text>,
    }

    /// Mail goes on to other addresses, the sender stays (unless `srs`).
    pub struct Forward("`Forward`") {
        to: Field<Vec<Text>>,
        srs: Field<bool>,
    }

    /// A mailing list.
    pub struct MailingList("`List`") {
        members: Field<Vec<Text>>,
        owner: Field<Text>,
        footer: Field<bool>,
    }

    /// One rule of an MTA's filter.
    pub struct FilterRule("a filter rule") {
        from: Field<Vec<Text>>,
        to: Field<Vec<Text>>,
        header: Field<Text>,
        except_header: Field<Text>,
        size_over: Field<Text>,
        scl_at_least: Field<i64>,
        then: Field<FilterAction>,
    }

    /// Refuse with this reply.
    pub struct RejectAction("`Reject`") { code: Field<Text> }
    /// Keep away from the mailbox.
    pub struct QuarantineAction("`Quarantine`") {}
    /// Take it and forget it.
    pub struct DiscardAction("`Discard`") {}
    /// Write a header.
    pub struct TagAction("`Tag`") { header: Field<Text>, value: Field<Text> }
    /// Hold it for a time.
    pub struct DelayAction("`Delay`") { by: Field<Text> }
    /// Send it to another address.
    pub struct RedirectAction("`Redirect`") { to: Field<Text> }

    /// Everybody else.
    pub struct Internet("`Internet`") inlines host: Host {
        senders: Named<SenderKind>,
    }

    /// A printer or an application: hands over what it has and keeps no queue unless told.
    pub struct Device("`Device`") inlines host: Host {
        server: Field<Text>,
        port: Field<u64>,
        tls: Field<DeviceTls>,
        login: Field<Text>,
        oauth: Field<bool>,
        client_certificate: Field<Text>,
        sends_for: Field<Vec<Text>>,
        retry: Field<Text>,
    }

    /// Forefront Online Protection for Exchange, of 2012.
    pub struct Fope("`Fope`") inlines host: Host {
        domains: Field<Vec<Text>>,
        catch_all_domains: Field<Vec<Text>>,
        filter: Named<FilterRule>,
        multi_smtp_profiles: Named<Vec<Text>>,
        associations: Named<Association>,
        inbound: Named<FopeDestination>,
        outbound_connectors: Named<FopeConnector>,
        /// Who may send anywhere through it, beside the tenants that it protects.
        relay_clients: Field<Vec<Text>>,
        switches: Named<Text>,
    }

    /// A connector of FOPE.
    pub struct FopeConnector("a FOPE connector") {
        description: Field<Text>,
        recipient_domains: Field<Vec<Text>>,
        deliver_all_messages_to: Field<FopeDestination>,
        tls: Field<FopeTls>,
    }
}

/// Parameters of one server mean nothing to another.
fn forget_settings_of_another_server(old: &mut Mta, over: &Mta) {
    if profile_changes(&old.profile, &over.profile) {
        old.settings = Named::default();
        old.queue_runs = Field::default();
    }
}
