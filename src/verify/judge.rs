//! Does an expectation hold? The combinators, and how a verdict about many recipients becomes one.
//!
//! An expectation about one recipient must hold for each one in view; `Not` wants it to hold for none, `Any` for at least one, `OneOf` one of
//! several for each. Expectations about the whole (`Share`, `Failover` …) hold or do not hold for the view. Nothing in view is no success.

use super::view::{Scene, Seen, View};
use crate::diag::Span;

/// One expectation, read and ready to be judged.
pub(super) struct Node {
    pub place: Span,
    pub check: Check,
}

type OfOne<T> = Box<dyn Fn(&Seen<'_>) -> T>;
type OfAll = Box<dyn Fn(&Scene<'_>, &View) -> Told>;

pub(super) enum Check {
    /// About one recipient: does it hold, and how was it?
    Each {
        holds: OfOne<bool>,
        got: OfOne<String>,
    },
    /// About the view.
    Many(OfAll),
    Not(Box<Node>),
    Any(Box<Node>),
    OneOf(Vec<Node>),
    For(super::view::Filter, Vec<Node>),
}

/// An answer about the view.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub holds: bool,
    /// How it was.
    pub got: String,
    /// Message and recipient, where one of them shows it.
    pub shown_by: Option<(usize, usize)>,
}

/// What an expectation came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Judged {
    Holds,
    /// There was nothing that it could speak of.
    NothingInView(Span),
    Fails(Vec<Miss>),
}

/// One expectation that does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Miss {
    pub place: Span,
    pub got: String,
    pub shown_by: Option<(usize, usize)>,
}

/// Judges an expectation about a view.
pub(super) fn judge(node: &Node, scene: &Scene<'_>, view: &View) -> Judged {
    match nothing_in_view(node, scene, view) {
        Some(place) => Judged::NothingInView(place),
        None => match misses(node, scene, view) {
            misses if misses.is_empty() => Judged::Holds,
            misses => Judged::Fails(misses),
        },
    }
}

/// The first expectation that has nothing to speak of.
fn nothing_in_view(node: &Node, scene: &Scene<'_>, view: &View) -> Option<Span> {
    if view.items.is_empty() {
        return Some(node.place);
    }
    match &node.check {
        Check::Each { .. } | Check::Many(_) => None,
        Check::Not(inner) | Check::Any(inner) => nothing_in_view(inner, scene, view),
        Check::OneOf(nodes) => nodes.iter().find_map(|inner| nothing_in_view(inner, scene, view)),
        Check::For(filter, nodes) => {
            let narrow = scene.narrow(node.place, filter, view);
            if narrow.items.is_empty() { Some(node.place) } else { nodes.iter().find_map(|inner| nothing_in_view(inner, scene, &narrow)) }
        }
    }
}

fn misses(node: &Node, scene: &Scene<'_>, view: &View) -> Vec<Miss> {
    let miss = |got, shown_by| vec![Miss { place: node.place, got, shown_by }];
    match &node.check {
        Check::Many(tell) => match tell(scene, view) {
            told if told.holds => vec![],
            told => miss(told.got, told.shown_by),
        },
        Check::Not(inner) if is_about_the_whole(inner) => match tell(inner, scene, view) {
            told if told.holds => miss(told.got, told.shown_by),
            _ => vec![],
        },
        Check::Any(_) => match tell(node, scene, view) {
            told if told.holds => vec![],
            told => miss(told.got, told.shown_by),
        },
        Check::For(filter, nodes) => {
            let narrow = scene.narrow(node.place, filter, view);
            nodes.iter().flat_map(|inner| misses(inner, scene, &narrow)).collect()
        }
        Check::Each { .. } | Check::Not(_) | Check::OneOf(_) => {
            let wrong: Vec<&(u32, u32)> = view.items.iter().filter(|item| !holds_for(node, &scene.seen(view, **item))).collect();
            let Some(first) = wrong.first() else { return vec![] };
            let seen = scene.seen(view, **first);
            let got = format!("{}{}", of_how_many(wrong.len(), view.items.len()), got(node, &seen));
            miss(got, Some(seen.at))
        }
    }
}

/// `3 of 120, the first: `; nothing where there is only one.
fn of_how_many(some: usize, all: usize) -> String {
    if all == 1 { String::new() } else { format!("{some} of {all} recipients, the first: ") }
}

/// Does it hold for this recipient? What speaks about the whole holds for all of them or for none.
fn holds_for(node: &Node, seen: &Seen<'_>) -> bool {
    match &node.check {
        Check::Each { holds, .. } => holds(seen),
        Check::Many(_) | Check::Any(_) => seen.scene.answer(node.place, seen.view, || tell(node, seen.scene, seen.view).holds),
        Check::Not(inner) => !holds_for(inner, seen),
        Check::OneOf(nodes) => nodes.iter().any(|inner| holds_for(inner, seen)),
        Check::For(filter, nodes) => {
            let narrow = seen.scene.narrow(node.place, filter, seen.view);
            filter.has(seen) && nodes.iter().all(|inner| holds_for(inner, &Seen { view: &narrow, ..*seen }))
        }
    }
}

/// The answer of something that speaks about the whole.
fn tell(node: &Node, scene: &Scene<'_>, view: &View) -> Told {
    match &node.check {
        Check::Many(tell) => tell(scene, view),
        Check::Any(inner) => {
            let found = view.items.iter().find(|item| holds_for(inner, &scene.seen(view, **item)));
            let none = if view.items.len() == 1 { String::new() } else { format!("none of {} recipients, the first: ", view.items.len()) };
            // A view is never empty here, and the first recipient shows how it was.
            let seen = scene.seen(view, *found.unwrap_or(&view.items[0]));
            let got = if found.is_some() { got(inner, &seen) } else { format!("{none}{}", got(inner, &seen)) };
            Told { holds: found.is_some(), got, shown_by: Some(seen.at) }
        }
        Check::Not(inner) => {
            let told = tell(inner, scene, view);
            Told { holds: !told.holds, ..told }
        }
        Check::OneOf(nodes) => {
            let all: Vec<Told> = nodes.iter().map(|inner| tell(inner, scene, view)).collect();
            let got: Vec<&str> = all.iter().map(|told| &*told.got).collect();
            Told { holds: all.iter().any(|told| told.holds), got: got.join("; "), shown_by: None }
        }
        Check::For(filter, nodes) => {
            let narrow = scene.narrow(node.place, filter, view);
            let all: Vec<Told> = nodes.iter().map(|inner| tell(inner, scene, &narrow)).collect();
            let got: Vec<&str> = all.iter().map(|told| &*told.got).collect();
            Told { holds: all.iter().all(|told| told.holds), got: got.join("; "), shown_by: None }
        }
        Check::Each { .. } => unreachable!("an expectation about one recipient does not speak about the whole"),
    }
}

fn is_about_the_whole(node: &Node) -> bool {
    match &node.check {
        Check::Each { .. } => false,
        Check::Many(_) | Check::Any(_) => true,
        Check::Not(inner) => is_about_the_whole(inner),
        Check::OneOf(nodes) | Check::For(_, nodes) => nodes.iter().all(is_about_the_whole),
    }
}

/// How it was with this recipient, in the words that the expectation is about.
fn got(node: &Node, seen: &Seen<'_>) -> String {
    match &node.check {
        Check::Each { got, .. } => got(seen),
        Check::Many(_) | Check::Any(_) => tell(node, seen.scene, seen.view).got,
        Check::Not(inner) => got(inner, seen),
        Check::OneOf(nodes) | Check::For(_, nodes) => {
            let mut parts: Vec<String> = vec![];
            for part in nodes.iter().map(|inner| got(inner, seen)) {
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
            parts.join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::verify::fixture::table;

    #[test]
    fn combined() {
        table(&[
            ("OneOf([Delivered(), Bounced(), Queued()])", "holds"),
            ("OneOf([Delivered(), Bounced()])", "1 of 6 recipients, the first: queued at eop after 1h: 4.4.1 no host answers [inbound#6]"),
            (r#"Not(Delivered(to: "site-b"))"#, "2 of 6 recipients, the first: delivered to site-b after 30.54s [inbound#2]"),
            (r#"Not(Not(Via(["eop"])))"#, "holds"),
            ("Any(Not(Delivered()))", "holds"),
            ("Not(Any(Expired()))", "holds"),
            (r#"Not(For(to: "alice@*", expect: [Bounced()]))"#, "holds"),
            (
                r#"Not(For(to: "alice@*", expect: [Delivered(to: "site-b")]))"#,
                "2 of 6 recipients, the first: delivered to site-b after 30.54s [inbound#2]",
            ),
            (r#"For(to: "dave@*", expect: [Delivered()])"#, "nothing in view"),
            (r#"Not(For(to: "dave@*", expect: [Delivered()]))"#, "nothing in view"),
            (r#"For(traffic: "other", expect: [Delivered()])"#, "nothing in view"),
            (r#"For(traffic: "inbond", expect: [Delivered()])"#, "MT0101: no traffic is called `inbond` (did you mean `inbound`?)"),
            (
                r#"For(from: "bob@*", to: "alice@*", traffic: "inbound", expect: [Delivered(to: "exchange"), Hops(is: 3), Bounced()])"#,
                "4 of 4 recipients, the first: 2 hops: internet > eop > site-a [inbound#1] | 4 of 4 recipients, the first: delivered to site-a after 500ms [inbound#1]",
            ),
            (r#"OneOf([Share(to: "site-a", is: "100%"), NothingLost()])"#, "holds"),
            (r#"For(to: "alice@*", expect: [])"#, "MT0303: `expect: […]` expects nothing (write at least one expectation in it)"),
            (r#"Any(Attributed(to: "eop"))"#, "none of 6 recipients, the first: taken in nobody's name [inbound#1]"),
        ]);
    }
}
