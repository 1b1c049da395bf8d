//! Parameters of the profile `Rfc`: names of ours, since no server has them. Durations carry their unit.

use super::{Meaning, Table};
use crate::model::settings::{FamilyPreference, Retry};

/// Waiting and limits, for every profile without names of its own.
pub(super) static TIMERS: Table = &[
    ("connect_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.connect_ns = ns)),
    ("banner_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.banner_ns = ns)),
    ("ehlo_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.ehlo_ns = ns)),
    ("starttls_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.starttls_ns = ns)),
    ("auth_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.auth_ns = ns)),
    ("mail_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.mail_ns = ns)),
    ("rcpt_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.rcpt_ns = ns)),
    ("data_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.data_ns = ns)),
    ("content_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.content_ns = ns)),
    ("final_dot_timeout", Meaning::DurationAboveZero(|t, ns| t.sender.timers.final_dot_ns = ns)),
    ("address_limit", Meaning::Number(|t, n| t.sender.address_limit = n)),
    ("session_limit", Meaning::Number(|t, n| t.sender.session_limit = n)),
    ("recipient_limit", Meaning::Number(|t, n| t.sender.recipient_limit = n)),
    ("concurrency_limit", Meaning::Number(|t, n| t.sender.concurrency = (n, n))),
    ("randomize_addresses", Meaning::YesNo(|t, yes| t.sender.randomize_addresses = yes)),
    (
        "address_preference",
        Meaning::Word(&[
            ("any", |t| t.sender.families.prefer = FamilyPreference::Any),
            ("ipv4", |t| t.sender.families.prefer = FamilyPreference::V4),
            ("ipv6", |t| t.sender.families.prefer = FamilyPreference::V6),
        ]),
    ),
];

/// Puts a value into a field of the retry rule.
macro_rules! retry {
    ($field:ident) => {
        |t, value| {
            if let Retry::Rfc { $field, .. } = &mut t.sender.retry {
                *$field = value;
            }
        }
    };
}

/// When it tries again.
pub(super) static RETRY: Table = &[
    ("retry_first", Meaning::Duration(retry!(first_ns))),
    ("retry_factor", Meaning::Factor(retry!(factor_percent))),
    ("retry_max", Meaning::Duration(retry!(max_ns))),
    ("lifetime", Meaning::Duration(retry!(lifetime_ns))),
    ("delay_notice", Meaning::Duration(retry!(delay_notice_ns))),
];
