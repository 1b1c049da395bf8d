//! Mail-flow rules of a tenant: names to ids, texts to patterns, and what New-TransportRule refuses.
//!
//! Source: New-TransportRule, parameters and their constraints. Not modelled yet: bodies, and message types other than `AutoForward`.

use regex::RegexBuilder;

use crate::base::{Enhanced, SimTime};
use crate::decide::exchange::mail_flow_rule::rejection;
use crate::diag::{Diagnostic, code};
use crate::model::exchange::OutboundConnector;
use crate::model::letter::Header;
use crate::model::mail_flow_rule::{Action, Condition, MailFlowRule, RuleState, Scope, SenderPlace, Test, Texts};
use crate::scenario::schema::{DirectoryRecipient, ExchangeOnline, Loose, RuleConditions, RuleMode, SenderAddressLocation, TransportRule};
use crate::scenario::source::{Field, Named, Text};

use super::desk::Desk;
use super::expansions::addresses;

/// Memory of one compiled pattern at most.
const PATTERN_BYTES_MAX: usize = 256 << 10;

/// All rules of a tenant, in order of priority.
pub(super) fn rules(tenant: &ExchangeOnline, at: SimTime, connectors: &[OutboundConnector], desk: &mut Desk) -> Vec<MailFlowRule> {
    tenant.transport_rules.iter().map(|(name, rule)| compile(name, (rule, at), tenant, connectors, desk)).collect()
}

fn compile(
    name: &Text,
    (rule, at): (&TransportRule, SimTime),
    tenant: &ExchangeOnline,
    connectors: &[OutboundConnector],
    desk: &mut Desk,
) -> MailFlowRule {
    refuse(rule, desk);
    let (from, until) = (desk.instant_or(&rule.activation_date, SimTime::ZERO), desk.instant_or(&rule.expiry_date, SimTime::NEVER));
    let state = match (rule.enabled.or(true), rule.mode.or(RuleMode::Enforce)) {
        _ if at < from || at >= until => RuleState::NotNow,
        (false, _) => RuleState::Off,
        (true, RuleMode::Enforce) => RuleState::Acts,
        (true, RuleMode::Audit | RuleMode::AuditAndNotify) => RuleState::Audits,
    };
    let mut reader = Reader { recipients: &tenant.recipients, desk };
    let (conditions, exceptions) = (reader.conditions(&rule.conditions), reader.exceptions(&rule.conditions));
    MailFlowRule {
        name: name.as_str().into(),
        state,
        looks_in: match rule.sender_address_location.or(SenderAddressLocation::Header) {
            SenderAddressLocation::Header => SenderPlace::Header,
            SenderAddressLocation::Envelope => SenderPlace::Envelope,
            SenderAddressLocation::HeaderOrEnvelope => SenderPlace::Both,
        },
        conditions,
        exceptions,
        actions: actions(rule, connectors, desk),
        stops: rule.stop_rule_processing.or(false),
    }
}

fn refuse(rule: &TransportRule, desk: &mut Desk) {
    let conditions = &rule.conditions;
    desk.no_field(&conditions.subject_or_body_contains_words, "mail-flow rules that read the body");
}

/// What a rule does, in the order in which the service does it: what ends the message last.
fn actions(rule: &TransportRule, connectors: &[OutboundConnector], desk: &mut Desk) -> Vec<Action> {
    let mut actions = Vec::new();
    match (rule.set_header_name.get(), rule.set_header_value.get()) {
        (Some(name), Some(value)) => actions.push(Action::SetHeader(Header { name: name.as_str().into(), value: value.as_str().into() })),
        (None, None) => {}
        (Some(text), None) | (None, Some(text)) => {
            let help = "write both: set_header_name: \"X-Processed\", set_header_value: \"yes\"";
            desk.error(code::CMDLET_REFUSES, text.span(), "`set_header_name` and `set_header_value` belong together", help);
        }
    }
    actions.extend(rule.remove_header.get().map(|name| Action::RemoveHeader(name.to_ascii_lowercase().into())));
    actions.extend(level(&rule.set_scl, desk).map(Action::SetScl));
    actions.extend(rule.prepend_subject.get().map(|text| Action::PrependSubject(text.as_str().into())));
    if let Some(name) = rule.route_message_outbound_connector.get() {
        match connectors.iter().position(|connector| connector.name.eq_ignore_ascii_case(name)) {
            Some(at) => actions.push(Action::Route(at)),
            None => {
                let message = format!("`{name}` is not an outbound connector of this tenant");
                let known = connectors.iter().map(|connector| &*connector.name);
                let help = "write it among the `outbound_connectors`, with `is_transport_rule_scoped: true`";
                desk.unknown(Diagnostic::error(code::UNKNOWN_NAME, name.span(), message), name, known, help);
            }
        }
    }
    if rule.route_message_outbound_require_tls.or(false) {
        actions.push(Action::RequireTls);
    }
    let copies = [(&rule.blind_copy_to, "blind_copy_to"), (&rule.copy_to, "copy_to"), (&rule.add_to_recipients, "add_to_recipients")];
    for (field, what) in copies.into_iter().filter(|(field, _)| field.is_written()) {
        actions.push(Action::Copy(addresses(field, what, rule.place, desk)));
    }
    if rule.redirect_message_to.is_written() {
        actions.push(Action::Redirect(addresses(&rule.redirect_message_to, "redirect_message_to", rule.place, desk)));
    }
    if rule.quarantine.or(false) {
        actions.push(Action::Quarantine);
    }
    if rule.reject_message_reason_text.is_written() || rule.reject_message_enhanced_status_code.is_written() {
        let status = rule.reject_message_enhanced_status_code.get().and_then(|text| rejection_code(text, desk));
        actions.push(Action::Reject(rejection(status, rule.reject_message_reason_text.as_str())));
    }
    if rule.delete_message.or(false) {
        actions.push(Action::Delete);
    }
    actions
}

/// `5.7.1`, or one of those that Microsoft leaves to its customers.
fn rejection_code(text: &Text, desk: &mut Desk) -> Option<Enhanced> {
    let read = Enhanced::parse(text).filter(|status| matches!(status, Enhanced(5, 7, 1 | 900..=999)));
    if read.is_none() {
        let message = format!("a rule cannot refuse with `{text}`");
        desk.error(code::CMDLET_REFUSES, text.span(), message, "\"5.7.1\", or from \"5.7.900\" to \"5.7.999\"");
    }
    read
}

/// A spam confidence level.
fn level(field: &Field<i64>, desk: &mut Desk) -> Option<i8> {
    let at = field.at()?;
    let read = i8::try_from(at.value).ok().filter(|scl| (-1..=9).contains(scl));
    if read.is_none() {
        desk.error(code::RANGE, at.span, format!("{} is not a spam confidence level", at.value), "from -1 to 9");
    }
    read
}

/// Reads conditions of one tenant.
struct Reader<'a> {
    recipients: &'a Named<DirectoryRecipient>,
    desk: &'a mut Desk,
}

/// Fields that were written become conditions: `read!(self, from the struct, field by function, ...)`.
macro_rules! read {
    ($reader:expr, $written:expr, $($field:ident by $make:ident),* $(,)?) => {{
        let mut conditions = Vec::new();
        $(if $written.$field.is_written() {
            conditions.extend($reader.$make(&$written.$field).map(|test| Condition { field: stringify!($field), test }));
        })*
        conditions
    }};
}

impl Reader<'_> {
    fn conditions(&mut self, written: &RuleConditions) -> Vec<Condition> {
        let mut conditions = read!(
            self, written,
            from by sender_is, from_member_of by sender_in, from_scope by sender_scope,
            from_address_contains_words by sender_words, from_address_matches_patterns by sender_patterns,
            sender_domain_is by sender_domain, sender_ip_ranges by sender_ip,
            sender_ad_attribute_contains_words by sender_attribute_words, sender_ad_attribute_matches_patterns by sender_attribute_patterns,
            sent_to by recipient_is, sent_to_member_of by recipient_in, sent_to_scope by recipient_scope,
            recipient_domain_is by recipient_domain,
            recipient_address_contains_words by recipient_words, recipient_address_matches_patterns by recipient_patterns,
            recipient_ad_attribute_contains_words by recipient_attribute_words,
            recipient_ad_attribute_matches_patterns by recipient_attribute_patterns,
            subject_contains_words by subject_words, message_size_over by size_over, scl_over by scl_over,
            message_type_matches by message_type,
        );
        let words = (&written.header_contains_message_header, &written.header_contains_words);
        conditions.extend(self.header("header_contains_words", words, Self::words));
        let patterns = (&written.header_matches_message_header, &written.header_matches_patterns);
        conditions.extend(self.header("header_matches_patterns", patterns, Self::patterns));
        conditions
    }

    fn exceptions(&mut self, written: &RuleConditions) -> Vec<Condition> {
        let mut conditions = read!(
            self, written,
            except_if_from by sender_is, except_if_from_member_of by sender_in, except_if_from_scope by sender_scope,
            except_if_from_address_contains_words by sender_words, except_if_from_address_matches_patterns by sender_patterns,
            except_if_sender_domain_is by sender_domain, except_if_sender_ip_ranges by sender_ip,
            except_if_sender_ad_attribute_contains_words by sender_attribute_words,
            except_if_sender_ad_attribute_matches_patterns by sender_attribute_patterns,
            except_if_sent_to by recipient_is, except_if_sent_to_member_of by recipient_in, except_if_sent_to_scope by recipient_scope,
            except_if_recipient_domain_is by recipient_domain,
            except_if_recipient_address_contains_words by recipient_words,
            except_if_recipient_address_matches_patterns by recipient_patterns,
            except_if_recipient_ad_attribute_contains_words by recipient_attribute_words,
            except_if_recipient_ad_attribute_matches_patterns by recipient_attribute_patterns,
            except_if_subject_contains_words by subject_words, except_if_message_size_over by size_over, except_if_scl_over by scl_over,
            except_if_message_type_matches by message_type,
        );
        let words = (&written.except_if_header_contains_message_header, &written.except_if_header_contains_words);
        conditions.extend(self.header("except_if_header_contains_words", words, Self::words));
        let patterns = (&written.except_if_header_matches_message_header, &written.except_if_header_matches_patterns);
        conditions.extend(self.header("except_if_header_matches_patterns", patterns, Self::patterns));
        conditions
    }

    fn addresses(&mut self, field: &Field<Vec<Text>>) -> Vec<Box<str>> {
        field.items().iter().filter_map(|text| self.desk.address(text)).map(|address| address.to_string().into()).collect()
    }

    fn sender_is(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::SenderIs(self.addresses(field)))
    }

    fn recipient_is(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::RecipientIs(self.addresses(field)))
    }

    fn sender_in(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::SenderIs(self.members(field)))
    }

    fn recipient_in(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::RecipientIs(self.members(field)))
    }

    /// The members of groups, those of groups inside of groups among them.
    fn members(&mut self, field: &Field<Vec<Text>>) -> Vec<Box<str>> {
        let mut groups: Vec<&Text> = Vec::new();
        for text in field.items() {
            match self.group(text) {
                Some(_) => groups.push(text),
                None => {
                    let problem = Diagnostic::error(code::UNKNOWN_NAME, text.span(), format!("`{text}` is not a group of this tenant"));
                    let known = self.recipients.keys().map(Text::as_str);
                    self.desk.unknown(problem, text, known, "write it among the `recipients`: Group(members: [\"alice@contoso.com\"])");
                }
            }
        }
        let (mut members, mut next): (Vec<Box<str>>, usize) = (Vec::new(), 0);
        while let Some(group) = groups.get(next).copied() {
            next += 1;
            for member in self.group(group).unwrap_or_default() {
                match self.group(member) {
                    Some(_) if groups.iter().any(|known| known.eq_ignore_ascii_case(member)) => {}
                    Some(_) => groups.push(member),
                    None => members.push(member.to_lowercase().into()),
                }
            }
        }
        members
    }

    fn group(&self, address: &str) -> Option<&[Text]> {
        self.recipients.iter().find_map(|(name, recipient)| match recipient {
            DirectoryRecipient::Group(group) if name.eq_ignore_ascii_case(address) => Some(group.members.items()),
            DirectoryRecipient::Group(_) | DirectoryRecipient::Mailbox(_) | DirectoryRecipient::MailUser(_) => None,
        })
    }

    fn scope(&mut self, field: &Field<Loose>) -> Option<Scope> {
        let word = field.get()?;
        match word.as_str() {
            "InOrganization" => Some(Scope::Inside),
            "NotInOrganization" => Some(Scope::Outside),
            "ExternalPartner" | "ExternalNonPartner" => {
                self.desk.not_modelled(word.span(), "partners of an organization");
                None
            }
            other => {
                let problem = Diagnostic::error(code::UNKNOWN_WORD, word.span(), format!("`{other}` is not a scope"));
                let known = ["InOrganization", "NotInOrganization"];
                self.desk.unknown(problem, other, known, "`InOrganization` or `NotInOrganization`");
                None
            }
        }
    }

    fn sender_scope(&mut self, field: &Field<Loose>) -> Option<Test> {
        self.scope(field).map(Test::SenderScope)
    }

    fn recipient_scope(&mut self, field: &Field<Loose>) -> Option<Test> {
        self.scope(field).map(Test::RecipientScope)
    }

    fn domains(&mut self, field: &Field<Vec<Text>>) -> Vec<Box<str>> {
        field.items().iter().filter_map(|text| self.desk.domain(text)).map(|domain| domain.as_str().into()).collect()
    }

    fn sender_domain(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::SenderDomain(self.domains(field)))
    }

    fn recipient_domain(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::RecipientDomain(self.domains(field)))
    }

    fn sender_ip(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        let networks = field.items().iter().filter_map(|text| {
            let network = text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(Into::into));
            if network.is_none() {
                let help = "an address or a network: \"192.0.2.10\", \"192.0.2.0/24\"";
                self.desk.error(code::VALUE, text.span(), format!("`{text}` is not a range of addresses"), help);
            }
            network
        });
        Some(Test::SenderIp(networks.collect()))
    }

    fn words(&mut self, texts: &[Text]) -> Texts {
        Texts::Words(texts.iter().filter(|text| !text.trim().is_empty()).map(|text| text.trim().into()).collect())
    }

    fn patterns(&mut self, texts: &[Text]) -> Texts {
        Texts::Patterns(texts.iter().filter_map(|text| self.pattern(text, text)).collect())
    }

    fn pattern(&mut self, pattern: &str, place: &Text) -> Option<regex::Regex> {
        let built = RegexBuilder::new(pattern).case_insensitive(true).size_limit(PATTERN_BYTES_MAX).build();
        built
            .map_err(|problem| {
                let what = match problem {
                    regex::Error::CompiledTooBig(_) => "it grows too large: shorten its repetitions".to_owned(),
                    other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
                };
                self.desk.error(code::VALUE, place.span(), format!("`{pattern}` is not a pattern"), what);
            })
            .ok()
    }

    fn sender_words(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::SenderAddress(self.words(field.items())))
    }

    fn sender_patterns(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::SenderAddress(self.patterns(field.items())))
    }

    fn recipient_words(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::RecipientAddress(self.words(field.items())))
    }

    fn recipient_patterns(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::RecipientAddress(self.patterns(field.items())))
    }

    /// `City:Paris,Lyon`
    fn attributes(&mut self, field: &Field<Vec<Text>>, patterns: bool) -> Vec<(Box<str>, Texts)> {
        let mut tests = Vec::new();
        for text in field.items() {
            let Some((name, values)) = text.split_once(':') else {
                let help = "an attribute and its words: \"City:Paris,Lyon\"";
                self.desk.error(code::VALUE, text.span(), format!("`{text}` names no attribute"), help);
                continue;
            };
            let values = values.split(',').map(str::trim).filter(|value| !value.is_empty());
            let texts = if patterns {
                Texts::Patterns(values.filter_map(|value| self.pattern(value, text)).collect())
            } else {
                Texts::Words(values.map(Into::into).collect())
            };
            tests.push((name.trim().to_ascii_lowercase().into(), texts));
        }
        tests
    }

    fn sender_attribute_words(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::SenderAttribute(self.attributes(field, false)))
    }

    fn sender_attribute_patterns(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::SenderAttribute(self.attributes(field, true)))
    }

    fn recipient_attribute_words(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::RecipientAttribute(self.attributes(field, false)))
    }

    fn recipient_attribute_patterns(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::RecipientAttribute(self.attributes(field, true)))
    }

    fn subject_words(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::Header { name: "subject".into(), texts: self.words(field.items()) })
    }

    fn size_over(&mut self, field: &Field<Text>) -> Option<Test> {
        self.desk.size(field.get()?)?.map(Test::SizeOver)
    }

    fn message_type(&mut self, field: &Field<Loose>) -> Option<Test> {
        let word = field.get()?;
        if word.as_str() == "AutoForward" {
            return Some(Test::IsForwarded);
        }
        self.desk.not_modelled(word.span(), "types of messages other than `AutoForward`");
        None
    }

    fn scl_over(&mut self, field: &Field<i64>) -> Option<Test> {
        level(field, self.desk).map(Test::SclOver)
    }

    /// A header and what it must hold: one without the other means nothing.
    fn header(
        &mut self,
        field: &'static str,
        (name, texts): (&Field<Text>, &Field<Vec<Text>>),
        read: impl FnOnce(&mut Self, &[Text]) -> Texts,
    ) -> Option<Condition> {
        match (name.get(), texts.is_written()) {
            (Some(name), true) => {
                let test = Test::Header { name: name.as_str().into(), texts: read(self, texts.items()) };
                Some(Condition { field, test })
            }
            (None, false) => None,
            (written, _) => {
                let place = written.map_or(texts.span(), Text::span);
                let help = "write both: the name of the header, and the words or patterns to look for";
                self.desk.error(code::CMDLET_REFUSES, place, "a header and what it holds belong together", help);
                None
            }
        }
    }
}
