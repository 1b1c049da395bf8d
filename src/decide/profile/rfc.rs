//! What the RFCs say, strictly; where they leave a choice, the choice is named here.
//!
//! Sources: RFC 5321 §4.5.4.1 and §5.1, RFC 7505, RFC 3463, RFC 3207 §4, RFC 7435.

use super::{Behaviour, BrokenHandshake, End, ExpiryTest, MxRules, OrderRule, SessionRules, TlsRules, bounce, defer};
use crate::base::Enhanced;

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "rfc",
    mx: MxRules {
        nxdomain_asks_address: false,
        no_such_domain: End { code: 550, ..bounce(5, 1, 2) },
        no_address: End { code: 550, ..bounce(5, 4, 4) },
        lookup_failed: defer(4, 4, 3),
        no_usable_target: End { code: 550, ..bounce(5, 4, 4) },
        no_usable_target_yet: defer(4, 4, 4),
        null_mx: End { code: 556, ..bounce(5, 1, 10) },
        null_mx_wins: false,
        null_mx_any_preference: false,
        address_in_mx_data: false,
        self_is_best: End { code: 554, ..bounce(5, 4, 6) },
        self_without_primary: defer(4, 4, 4),
        self_by_address_only: false,
        smart_host_lost: None,
    },
    order: OrderRule::ByHost,
    session: SessionRules {
        banner_5xx_bounces_at_last: true,
        helo_after_any_refusal: false,
        helo_5xx_bounces: true,
        tempfail_tries_next: true,
        rcpt_4xx_tries_next: true,
        rcpt_552_is_temporary: true,
        size_checked_before_mail: true,
        own_name_is_loop: true,
        refused: Enhanced(4, 4, 1),
        connect_timeout: Enhanced(4, 4, 1),
        unreachable: Enhanced(4, 4, 1),
        lost: Enhanced(4, 4, 2),
        too_big: Enhanced(5, 3, 4),
    },
    tls: TlsRules {
        refused_5xx_bounces: false,
        broken_handshake: BrokenHandshake::PlaintextAtOnce,
        not_offered: Enhanced(4, 7, 4),
        not_verified: Enhanced(4, 7, 5),
        starttls_refused: Enhanced(4, 7, 0),
        handshake: Enhanced(4, 7, 5),
    },
    expiry_status: None,
    expiry: ExpiryTest::BeforeNext,
};
