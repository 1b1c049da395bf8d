//! One expectation of the file, made ready to be judged: its texts read, its names looked up, its kind sent to the room that knows it.

use super::desk::Desk;
use super::judge::{Check, Node};
use super::view::{Filter, Seen};
use super::{authentication, fate, many, reason, reports, route, seen, tls};
use crate::diag::Span;
use crate::scenario::schema::Expectation;

/// Reads an expectation; problems are left on the desk.
pub(super) fn read(expectation: &Expectation, desk: &mut Desk<'_>) -> Node {
    let place = expectation.place();
    let check = match expectation {
        Expectation::Not(inner) => {
            desk.negated = !desk.negated;
            let inner = read(&inner.value, desk);
            desk.negated = !desk.negated;
            Check::Not(Box::new(inner))
        }
        Expectation::Any(inner) => Check::Any(Box::new(read(&inner.value, desk))),
        Expectation::OneOf(list) => Check::OneOf(read_all(&list.value, place, "`OneOf([…])`", desk)),
        Expectation::For(it) => {
            let filter = Filter::read(it, desk);
            Check::For(filter, read_all(it.expect.items(), place, "`expect: […]`", desk))
        }
        Expectation::Delivered(it) => fate::delivered(it, desk),
        Expectation::Bounced(it) => fate::bounced(it, desk),
        Expectation::Expired(it) => fate::expired(it, desk),
        Expectation::Rejected(it) => fate::rejected(it, desk),
        Expectation::Discarded(it) => fate::discarded(it, desk),
        Expectation::Quarantined(it) => fate::quarantined(it, desk),
        Expectation::Looped(it) => fate::looped(it, desk),
        Expectation::Frozen(it) => fate::frozen(it, desk),
        Expectation::Queued(it) => fate::queued(it, desk),
        Expectation::NotModelled(_) => fate::not_modelled(),
        Expectation::Deferred(it) => route::deferred(it, desk),
        Expectation::Path(names) => route::path(&names.value, place, desk),
        Expectation::Via(names) => route::via(&names.value, place, desk),
        Expectation::Tried(it) => route::tried(it, desk),
        Expectation::Contacted(it) => route::contacted(it, desk),
        Expectation::Hops(it) => route::hops(it, desk),
        Expectation::Attempts(it) => route::attempts(it, desk),
        Expectation::Transactions(it) => route::transactions(it, desk),
        Expectation::Copies(it) => route::copies(it, desk),
        Expectation::Chosen(it) => reason::chosen(it, desk),
        Expectation::PassedOver(it) => reason::passed_over(it, desk),
        Expectation::Asked(it) => reason::asked(it, desk),
        Expectation::Tls(it) => tls::hop(it, desk),
        Expectation::Ndr(it) => reports::ndr(it, desk),
        Expectation::DelayNotice(it) => reports::delay_notice(it, desk),
        Expectation::AutomaticReply(it) => reports::automatic_reply(it, desk),
        Expectation::Notice(it) => reports::notice(it, desk),
        Expectation::Share(it) => many::share(it, desk),
        Expectation::Touched(it) => many::touched(it, desk),
        Expectation::Connections(it) => many::connections_to(it, desk),
        Expectation::Delay(it) => many::delay(it, desk),
        Expectation::Queue(it) => many::queue(it, desk),
        Expectation::Drained(it) => many::drained(it, desk),
        Expectation::Failover(it) => many::failover(it, desk),
        Expectation::NothingLost(_) => many::nothing_lost(),
        Expectation::Checked(it) => authentication::checked(it, desk),
        Expectation::Seen(it) => seen::seen(it, desk),
        Expectation::Attributed(it) => reason::attributed(it, desk),
    };
    Node { place, check }
}

fn read_all(list: &[Expectation], place: Span, what: &str, desk: &mut Desk<'_>) -> Vec<Node> {
    if list.is_empty() {
        desk.missing(place, &format!("{what} expects nothing"), "write at least one expectation in it");
    }
    list.iter().map(|inner| read(inner, desk)).collect()
}

/// An expectation about one recipient.
pub(super) fn each(holds: impl Fn(&Seen<'_>) -> bool + 'static, got: impl Fn(&Seen<'_>) -> String + 'static) -> Check {
    Check::Each { holds: Box::new(holds), got: Box::new(got) }
}
