//! What happens next? Events in the order of their time, and at equal times in the order in which they were put in: a written promise.
//!
//! A key is 128 bits: 64 of time, 36 of insertion number, 28 of what and whom. The next few lie sorted, the first one last; what else is due within
//! the current 17 seconds lies in an implicit heap with four children; what comes later lies unsorted, by its 17 seconds, until they begin: a
//! retry in an hour costs the heap nothing, and a world with little under way never uses it.

use crate::base::SimTime;
use std::collections::BTreeMap;

/// Bits that name the row an event is about.
const ROW_BITS: u32 = 25;
/// Bits that name an event's kind and row.
const SLOT_BITS: u32 = 28;
/// Insertion numbers.
const NUMBER_MAX: u64 = 1 << 36;

/// So many of the next events lie sorted at most.
const FRONT: usize = 64;
/// So many are sorted at once when none is left.
const FRONT_FILL: usize = 32;

/// How late an event may be to go into the heap at once: 2^34 ns, 17 s.
const SPAN_BITS: u32 = 34;

/// What happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The next message of a source is due.
    Inject,
    /// A copy may be tried.
    Ready,
    /// A connect reaches a machine that listens.
    Admit,
    /// An attempt, a transaction or a part of it is over.
    Settle,
    /// Somebody who waits in a receiver's line goes away.
    Leave,
    /// Other settings become current.
    Change,
    /// A runner goes through the mail that waits.
    QueueRun,
}

const KINDS: [Kind; 7] = [Kind::Inject, Kind::Ready, Kind::Admit, Kind::Settle, Kind::Leave, Kind::Change, Kind::QueueRun];

/// One event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Event {
    pub(crate) at: SimTime,
    pub(crate) kind: Kind,
    pub(crate) row: u32,
    /// Its insertion number: a row that waits for another one takes no notice.
    pub(crate) number: u64,
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventQueue {
    /// The next events, the first one last: all before those of `heap`.
    front: Vec<u128>,
    /// All other events of spans before `horizon`.
    heap: Vec<u128>,
    /// The others, by span.
    later: BTreeMap<u64, Vec<u128>>,
    horizon: u64,
    inserted: u64,
}

impl EventQueue {
    /// Puts an event in and says its insertion number.
    #[inline]
    pub(crate) fn push(&mut self, at: SimTime, kind: Kind, row: u32) -> u64 {
        let number = self.inserted;
        assert!(number < NUMBER_MAX && row < 1 << ROW_BITS, "fewer than 2^36 events and 2^25 rows at once");
        self.inserted += 1;
        let key = u128::from(at.0) << 64 | u128::from(number) << SLOT_BITS | u128::from(u32::from(kind as u8) << ROW_BITS | row);
        let span = at.0 >> SPAN_BITS;
        if span >= self.horizon {
            self.later.entry(span).or_default().push(key);
        } else if self.heap.is_empty() || self.front.first().is_some_and(|last| key < *last) {
            // Among equal times the new one is the last: its number is the greatest so far.
            let place = self.front.partition_point(|other| (*other >> 64) as u64 > at.0);
            self.front.insert(place, key);
            if self.front.len() > FRONT {
                self.overflow();
            }
        } else {
            self.push_heap(key);
        }
        number
    }

    /// The later half of the sorted events goes into the heap.
    #[cold]
    fn overflow(&mut self) {
        for at in 0..FRONT - FRONT_FILL {
            self.push_heap(self.front[at]);
        }
        self.front.drain(..FRONT - FRONT_FILL);
    }

    #[inline]
    fn push_heap(&mut self, key: u128) {
        self.heap.push(key);
        self.up(self.heap.len() - 1, key);
    }

    /// None of the next events is left: the next ones of the heap are sorted, or those of the next span that has some.
    #[cold]
    fn advance(&mut self) -> Option<u128> {
        if self.heap.is_empty() {
            let (span, keys) = self.later.pop_first()?;
            self.horizon = span + 1;
            for key in keys {
                self.push_heap(key);
            }
        }
        while self.front.len() < FRONT_FILL
            && let Some(key) = self.pop_heap()
        {
            self.front.push(key);
        }
        self.front.reverse();
        self.front.pop()
    }

    /// How many events are in it, stale ones among them.
    pub(crate) fn len(&self) -> usize {
        self.front.len() + self.heap.len() + self.later.values().map(Vec::len).sum::<usize>()
    }

    /// The earliest event.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let key = match self.front.pop() {
            Some(key) => key,
            None => self.advance()?,
        };
        let slot = (key as u32) & ((1 << SLOT_BITS) - 1);
        Some(Event {
            at: SimTime((key >> 64) as u64),
            kind: KINDS[(slot >> ROW_BITS) as usize],
            row: slot & ((1 << ROW_BITS) - 1),
            number: ((key as u64) >> SLOT_BITS) & (NUMBER_MAX - 1),
        })
    }

    #[inline]
    fn pop_heap(&mut self) -> Option<u128> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first() else { return Some(last) };
        let key = *first;
        self.down(last);
        Some(key)
    }

    #[inline]
    fn up(&mut self, mut at: usize, key: u128) {
        while at > 0 {
            let parent = (at - 1) / 4;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = key;
    }

    /// The hole at the top sinks to the bottom along the least children; the last key, which is mostly late, goes up from there.
    #[inline]
    fn down(&mut self, key: u128) {
        let length = self.heap.len();
        let (mut at, mut first) = (0, 1);
        while let Some(&[a, b, c, d]) = self.heap.get(first..first + 4) {
            let (front, least_front) = if b < a { (first + 1, b) } else { (first, a) };
            let (back, least_back) = if d < c { (first + 3, d) } else { (first + 2, c) };
            let (least, smallest) = if least_back < least_front { (back, least_back) } else { (front, least_front) };
            self.heap[at] = smallest;
            at = least;
            first = at * 4 + 1;
        }
        if first < length {
            let (least, smallest) = (first + 1..length).fold((first, self.heap[first]), |(at, least), child| {
                if self.heap[child] < least { (child, self.heap[child]) } else { (at, least) }
            });
            self.heap[at] = smallest;
            at = least;
        }
        self.up(at, key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_then_insertion() {
        let mut queue = EventQueue::default();
        for (at, row) in [(5, 1), (3, 2), (5, 3), (3, 4), (0, 5), (5, 6)] {
            queue.push(SimTime(at), Kind::Ready, row);
        }
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|event| event.row).collect();
        assert_eq!(order, vec![5, 2, 4, 1, 3, 6]);
    }

    #[test]
    fn a_sorted_list_comes_out() {
        let mut queue = EventQueue::default();
        let mut expected: Vec<(u64, u64)> = Vec::new();
        for n in 0..5000u64 {
            let at = super::super::chance::mix(n) % 700;
            expected.push((at, queue.push(SimTime(at), Kind::Settle, n as u32)));
        }
        expected.sort_unstable();
        let got: Vec<(u64, u64)> = std::iter::from_fn(|| queue.pop()).map(|event| (event.at.0, event.number)).collect();
        assert_eq!(got, expected);
    }

    /// Near and far, with events put in while others come out, as in a run; the last moment there is among them.
    #[test]
    fn spans_come_in_order() {
        let mut queue = EventQueue::default();
        let mut waiting: std::collections::BTreeSet<(u64, u64)> = std::collections::BTreeSet::new();
        let mut now = 0;
        for n in 0..20_000u64 {
            let luck = super::super::chance::mix(n);
            if luck & 1 == 0 || waiting.is_empty() {
                let wait = [0, 1 << 20, 1 << 33, 1 << 34, 1 << 40, u64::MAX - now][(luck >> 8) as usize % 6].max(1);
                let at = now + (luck >> 20) % wait;
                waiting.insert((at, queue.push(SimTime(at), Kind::Settle, n as u32)));
            } else {
                let event = queue.pop().expect("somebody waits");
                let first = waiting.pop_first().expect("somebody waits");
                assert_eq!((event.at.0, event.number), first);
                now = event.at.0.min(u64::MAX / 2);
            }
        }
    }
}
