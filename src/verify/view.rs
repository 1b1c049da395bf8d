//! Which recipients of which messages does an expectation speak about?
//!
//! Every recipient of ordinary mail, narrowed by `For`. Reports are in view only where `For(from: "<>")` asks for them.

use super::desk::Desk;
use crate::analysis::outcome::{Kind, Message, Outcome, Recipient};
use crate::base::{Clock, Pattern, SimTime};
use crate::diag::Span;
use crate::scenario::schema;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A finished run with what expectations ask for often.
pub(super) struct Scene<'a> {
    pub outcome: &'a Outcome,
    pub clock: Clock,
    reports: BTreeMap<&'a str, Vec<usize>>,
    /// Views by the `For` that made them and the view it narrowed.
    narrowed: RefCell<BTreeMap<(Span, u32), Rc<View>>>,
    /// Answers about a whole view, which every recipient asks for again.
    answers: RefCell<BTreeMap<(Span, u32), bool>>,
    views: Cell<u32>,
}

impl<'a> Scene<'a> {
    pub fn new(outcome: &'a Outcome, clock: Clock) -> Self {
        let mut reports: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, message) in outcome.messages.iter().enumerate() {
            if let Some(parent) = &message.parent {
                reports.entry(parent).or_default().push(at);
            }
        }
        Self { outcome, clock, reports, narrowed: RefCell::default(), answers: RefCell::default(), views: Cell::new(0) }
    }

    /// The view that a `For` leaves of another one.
    pub fn narrow(&self, place: Span, filter: &Filter, view: &View) -> Rc<View> {
        if let Some(known) = self.narrowed.borrow().get(&(place, view.id)) {
            return known.clone();
        }
        self.views.set(self.views.get() + 1);
        let narrow = Rc::new(View { id: self.views.get(), ..filter.narrow(self, view) });
        self.narrowed.borrow_mut().insert((place, view.id), narrow.clone());
        narrow
    }

    /// Does what stands at this place hold for the whole view? Asked once.
    pub fn answer(&self, place: Span, view: &View, ask: impl FnOnce() -> bool) -> bool {
        let known = self.answers.borrow().get(&(place, view.id)).copied();
        known.unwrap_or_else(|| {
            let answer = ask();
            self.answers.borrow_mut().insert((place, view.id), answer);
            answer
        })
    }

    /// The reports about a message, in the order they were made.
    pub fn reports_about(&self, message: &Message) -> impl Iterator<Item = &'a Message> {
        let rows = self.reports.get(&*message.id).map_or(&[][..], Vec::as_slice);
        rows.iter().map(|at| &self.outcome.messages[*at])
    }

    pub fn seen<'s>(&'s self, view: &'s View, (message, recipient): (u32, u32)) -> Seen<'s> {
        let at = (message as usize, recipient as usize);
        let message = &self.outcome.messages[at.0];
        Seen { scene: self, view, message, recipient: &message.recipients[at.1], at }
    }
}

/// Recipients, each by the numbers of its message and of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub items: Vec<(u32, u32)>,
    /// Nothing was left out but reports.
    pub is_whole: bool,
    /// Which of the views of its scene; the first one is 0.
    id: u32,
}

impl View {
    /// All ordinary mail of a run.
    pub fn of_mail(outcome: &Outcome) -> Self {
        Self { is_whole: true, ..Self::of(outcome, |message| message.kind == Kind::Mail) }
    }

    /// The ordinary mail of one source.
    pub fn of_traffic(outcome: &Outcome, traffic: &str) -> Self {
        let view = Self::of(outcome, |message| message.kind == Kind::Mail && &*message.traffic == traffic);
        let all = Self::of_mail(outcome).items.len();
        Self { is_whole: view.items.len() == all, ..view }
    }

    fn of(outcome: &Outcome, wanted: impl Fn(&Message) -> bool) -> Self {
        let messages = outcome.messages.iter().enumerate().filter(|(_, message)| wanted(message));
        let items = messages.flat_map(|(at, message)| (0..message.recipients.len() as u32).map(move |recipient| (at as u32, recipient)));
        Self { items: items.collect(), is_whole: false, id: 0 }
    }

    /// Those of one message.
    pub fn of_message(&self, message: usize) -> &[(u32, u32)] {
        let first = self.items.partition_point(|item| (item.0 as usize) < message);
        let last = self.items.partition_point(|item| item.0 as usize <= message);
        &self.items[first..last]
    }
}

/// One recipient in its view.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub scene: &'a Scene<'a>,
    pub view: &'a View,
    pub message: &'a Message,
    pub recipient: &'a Recipient,
    pub at: (usize, usize),
}

/// What `For` leaves in view.
pub(super) struct Filter {
    from: Option<Pattern>,
    to: Option<Pattern>,
    traffic: Option<String>,
    sent: Option<(SimTime, SimTime)>,
    reports: bool,
}

impl Filter {
    pub fn read(it: &schema::For, desk: &mut Desk<'_>) -> Self {
        let moment = |text, desk: &mut Desk<'_>| desk.moment_is(text).unwrap_or_default();
        Self {
            from: desk.pattern(&it.from),
            to: desk.pattern(&it.to),
            traffic: desk.traffic(&it.traffic),
            sent: it.sent.get().map(|(from, until)| (moment(from, desk), moment(until, desk))),
            reports: it.from.as_str() == Some("<>"),
        }
    }

    /// Windows include their first instant, not their last.
    pub fn has(&self, seen: &Seen<'_>) -> bool {
        let (message, recipient) = (seen.message, seen.recipient);
        self.from.as_ref().is_none_or(|from| from.matches(&message.from))
            && self.to.as_ref().is_none_or(|to| to.matches(&recipient.to) || recipient.became.as_ref().is_some_and(|now| to.matches(now)))
            && self.traffic.as_ref().is_none_or(|traffic| *message.traffic == **traffic)
            && self.sent.is_none_or(|(from, until)| (from..until).contains(&message.sent_at))
    }

    /// Looks beyond the view only for what it asks for by name: reports, or traffic beside a test's own message.
    fn narrow(&self, scene: &Scene<'_>, view: &View) -> View {
        let wider = if self.traffic.is_some() { View::of_mail(scene.outcome) } else { view.clone() };
        let mut items = wider.items;
        if self.reports {
            let ids: BTreeSet<&str> = items.iter().map(|item| &*scene.outcome.messages[item.0 as usize].id).collect();
            let about_these = |message: &Message| message.parent.as_ref().is_some_and(|parent| ids.contains(&**parent));
            let reports = View::of(scene.outcome, about_these).items;
            items.extend(reports);
            items.sort_unstable();
            items.dedup();
        }
        items.retain(|item| self.has(&scene.seen(view, *item)));
        let is_whole = wider.is_whole && items.len() == View::of_mail(scene.outcome).items.len();
        View { items, is_whole, id: 0 }
    }
}
