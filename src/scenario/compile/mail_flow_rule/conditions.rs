//! Conditions and exceptions of a mail-flow rule: what was written becomes tests.
//!
//! Source: New-TransportRule, conditions and their constraints: what it says of the cloud's values counts.

use regex::RegexBuilder;

use crate::base::common_form;
use crate::diag::{Diagnostic, code};
use crate::model::mail_flow_rule::{Condition, Scope, Test, Texts};
use crate::scenario::check::{attributes, receive_connector};
use crate::scenario::schema::{DirectoryRecipient, Loose, MessageType, RuleConditions};
use crate::scenario::source::{Field, Named, Text};

use super::super::desk::Desk;
use super::super::filter::spam_level;
use super::super::traffic::message_type;

/// Memory of one compiled pattern at most.
const PATTERN_BYTES_MAX: usize = 256 << 10;
/// Letters of one word or phrase to look for.
const WORD_MAX: usize = 128;

/// Reads conditions of one tenant.
pub(super) struct Reader<'a> {
    pub(super) recipients: &'a Named<DirectoryRecipient>,
    pub(super) desk: &'a mut Desk,
}

/// A parameter that is Null is no condition: an overlay takes one away so, as `Set-TransportRule -From $null` does.
pub(super) trait Null {
    fn is_null(&self) -> bool;
}

impl<T> Null for Field<Vec<T>> {
    fn is_null(&self) -> bool {
        self.items().is_empty()
    }
}

impl Null for Field<Text> {
    fn is_null(&self) -> bool {
        self.as_str().unwrap_or_default().is_empty()
    }
}

impl Null for Field<Loose> {
    fn is_null(&self) -> bool {
        self.get().is_none_or(|word| word.is_empty())
    }
}

impl Null for Field<i64> {
    fn is_null(&self) -> bool {
        !self.is_written()
    }
}

impl Null for Field<MessageType> {
    fn is_null(&self) -> bool {
        !self.is_written()
    }
}

/// Fields that are not Null become conditions: `read!(self, from the struct, field by function, ...)`.
macro_rules! read {
    ($reader:expr, $written:expr, $($field:ident by $make:ident),* $(,)?) => {{
        let mut conditions = Vec::new();
        $(if !$written.$field.is_null() {
            conditions.extend($reader.$make(&$written.$field).map(|test| Condition { field: stringify!($field), test }));
        })*
        conditions
    }};
}

impl Reader<'_> {
    pub(super) fn conditions(&mut self, written: &RuleConditions) -> Vec<Condition> {
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
            subject_contains_words by subject_words, subject_matches_patterns by subject_patterns,
            subject_or_body_contains_words by content_words, subject_or_body_matches_patterns by content_patterns, message_size_over by size_over, scl_over by scl_over,
            message_type_matches by message_type,
        );
        let words = (&written.header_contains_message_header, &written.header_contains_words);
        conditions.extend(self.header("header_contains_words", words, Self::words));
        let patterns = (&written.header_matches_message_header, &written.header_matches_patterns);
        conditions.extend(self.header("header_matches_patterns", patterns, Self::patterns));
        conditions.extend(self.between("between_member_of1", &written.between_member_of1, &written.between_member_of2));
        conditions
    }

    pub(super) fn exceptions(&mut self, written: &RuleConditions) -> Vec<Condition> {
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
            except_if_subject_contains_words by subject_words, except_if_subject_matches_patterns by subject_patterns,
            except_if_subject_or_body_contains_words by content_words,
            except_if_subject_or_body_matches_patterns by content_patterns, except_if_message_size_over by size_over, except_if_scl_over by scl_over,
            except_if_message_type_matches by message_type,
        );
        let words = (&written.except_if_header_contains_message_header, &written.except_if_header_contains_words);
        conditions.extend(self.header("except_if_header_contains_words", words, Self::words));
        let patterns = (&written.except_if_header_matches_message_header, &written.except_if_header_matches_patterns);
        conditions.extend(self.header("except_if_header_matches_patterns", patterns, Self::patterns));
        let (one, other) = (&written.except_if_between_member_of1, &written.except_if_between_member_of2);
        conditions.extend(self.between("except_if_between_member_of1", one, other));
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
                    match self.recipients.iter().find(|(name, _)| common_form(name) == common_form(text)) {
                        Some((name, recipient)) => {
                            let problem = problem.also(name.span(), format!("a `{}`", recipient.word()));
                            self.desk.say(problem.help("this condition wants groups: for one recipient write `from` or `sent_to`"));
                        }
                        None => {
                            let groups = self.recipients.iter().filter(|(_, other)| matches!(other, DirectoryRecipient::Group(_)));
                            let known = groups.map(|(name, _)| name.as_str());
                            let help = "write it among the `recipients`: Group(members: [\"alice@contoso.com\"])";
                            self.desk.unknown(problem, text, known, help);
                        }
                    }
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
                    None => members.push(common_form(member).to_lowercase().into()),
                }
            }
        }
        members
    }

    fn group(&self, address: &str) -> Option<&[Text]> {
        self.recipients.iter().find_map(|(name, recipient)| match recipient {
            DirectoryRecipient::Group(group) if common_form(name) == common_form(address) => Some(group.members.items()),
            DirectoryRecipient::Group(_) | DirectoryRecipient::Mailbox(_) | DirectoryRecipient::MailUser(_) => None,
        })
    }

    fn scope(&mut self, field: &Field<Loose>) -> Option<Scope> {
        let word = field.get()?;
        match word.as_str() {
            "InOrganization" => Some(Scope::Inside),
            "NotInOrganization" => Some(Scope::Outside),
            partner @ ("ExternalPartner" | "ExternalNonPartner") => {
                let message = format!("`{partner}` is a scope of Exchange Server alone: partners are those of its domain security");
                let help = "in Exchange Online name the partner: `recipient_domain_is`, or `sender_domain_is`";
                self.desk.error(code::CMDLET_REFUSES, word.span(), message, help);
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
        let ranges = field.items().iter().filter_map(|text| {
            let range = receive_connector::range(text);
            if range.is_none() {
                let help = "an address, a network or a range: \"192.0.2.10\", \"192.0.2.0/24\", \"192.0.2.1-192.0.2.9\"";
                self.desk.error(code::VALUE, text.span(), format!("`{text}` is not a range of addresses"), help);
            }
            range
        });
        Some(Test::SenderIp(ranges.collect()))
    }

    fn words(&mut self, texts: &[Text]) -> Texts {
        for text in texts.iter().filter(|text| text.chars().count() > WORD_MAX) {
            let message = format!("a word or phrase has at most {WORD_MAX} letters");
            self.desk.error(code::CMDLET_REFUSES, text.span(), message, "shorten it, or look for a pattern");
        }
        Texts::Words(texts.iter().filter(|text| !text.trim().is_empty()).map(|text| text.trim().into()).collect())
    }

    fn patterns(&mut self, texts: &[Text]) -> Texts {
        Texts::Patterns(texts.iter().filter_map(|text| self.pattern(text, text)).collect())
    }

    fn pattern(&mut self, pattern: &str, place: &Text) -> Option<regex::Regex> {
        if pattern.is_empty() {
            self.desk.error(
                code::VALUE,
                place.span(),
                "an empty pattern is found in every text",
                "write what to look for, or leave it out",
            );
            return None;
        }
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
            attributes::of_rule(name.trim(), text, self.desk);
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

    fn subject_patterns(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::Header { name: "subject".into(), texts: self.patterns(field.items()) })
    }

    fn content_words(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::Content(self.words(field.items())))
    }

    fn content_patterns(&mut self, field: &Field<Vec<Text>>) -> Option<Test> {
        Some(Test::Content(self.patterns(field.items())))
    }

    /// Members of two groups who write to each other: one without the other means nothing.
    fn between(&mut self, field: &'static str, one: &Field<Vec<Text>>, other: &Field<Vec<Text>>) -> Option<Condition> {
        match (!one.is_null(), !other.is_null()) {
            (true, true) => Some(Condition { field, test: Test::Between(self.members(one), self.members(other)) }),
            (false, false) => None,
            (first, _) => {
                let span = if first { one.span() } else { other.span() };
                let help = "write both groups; for mail within one group name it twice";
                self.desk.error(code::CMDLET_REFUSES, span, "mail between two groups needs both of them", help);
                None
            }
        }
    }

    fn size_over(&mut self, field: &Field<Text>) -> Option<Test> {
        let text = field.get()?;
        let size = self.desk.size(text)?;
        if size.is_none() {
            self.desk.error(code::RANGE, text.span(), "no message is larger than that", "a size such as \"10MB\"");
        }
        size.map(Test::SizeOver)
    }

    fn message_type(&mut self, field: &Field<MessageType>) -> Option<Test> {
        Some(Test::IsOf(message_type(*field.get()?)))
    }

    fn scl_over(&mut self, field: &Field<i64>) -> Option<Test> {
        spam_level(field, self.desk).map(Test::SclOver)
    }

    /// A header and what it must hold: one without the other means nothing.
    fn header(
        &mut self,
        field: &'static str,
        (name, texts): (&Field<Text>, &Field<Vec<Text>>),
        read: impl FnOnce(&mut Self, &[Text]) -> Texts,
    ) -> Option<Condition> {
        match (name.get().filter(|name| !name.is_empty()), !texts.is_null()) {
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
