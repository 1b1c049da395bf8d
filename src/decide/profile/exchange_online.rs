//! Exchange Online as a sender: its deferral codes, its retry spacing, never plaintext after a broken handshake.
//!
//! Sources: Exchange Online NDR and deferral tables (4.4.312 to 4.4.318, 4.7.320), queued-and-deferred FAQ (24 h), RFC 7505.

use super::{Behaviour, BrokenHandshake, End, ExpiryTest, MxRules, OrderRule, SessionRules, TlsRules, bounce, defer};
use crate::base::Enhanced;

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "exchange-online",
    mx: MxRules {
        nxdomain_asks_address: false,
        no_such_domain: defer(4, 4, 312),
        no_address: defer(4, 4, 312),
        lookup_failed: defer(4, 4, 312),
        no_usable_target: defer(4, 4, 312),
        no_usable_target_yet: defer(4, 4, 312),
        null_mx: End { code: 556, ..bounce(5, 1, 10) },
        null_mx_wins: false,
        null_mx_any_preference: false,
        address_in_mx_data: false,
        self_is_best: bounce(5, 4, 6),
        self_without_primary: defer(4, 4, 312),
        self_by_address_only: true,
        smart_host_lost: None,
    },
    order: OrderRule::ByHost,
    session: SessionRules {
        banner_5xx_bounces_at_last: true,
        helo_after_any_refusal: false,
        helo_5xx_bounces: true,
        tempfail_tries_next: true,
        rcpt_4xx_tries_next: true,
        rcpt_552_is_temporary: false,
        size_checked_before_mail: true,
        own_name_is_loop: false,
        refused: Enhanced(4, 4, 316),
        connect_timeout: Enhanced(4, 4, 315),
        unreachable: Enhanced(4, 4, 317),
        lost: Enhanced(4, 4, 318),
        too_big: Enhanced(5, 3, 4),
    },
    tls: TlsRules {
        refused_5xx_bounces: false,
        broken_handshake: BrokenHandshake::Never,
        not_offered: Enhanced(4, 4, 317),
        not_verified: Enhanced(4, 7, 320),
        starttls_refused: Enhanced(4, 4, 317),
        handshake: Enhanced(4, 4, 317),
    },
    expiry_status: Some((550, Enhanced(5, 4, 300), "Message expired")),
    expiry: ExpiryTest::Timer,
};
