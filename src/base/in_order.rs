//! How are lists brought into order where speed does not matter? By one compiled sort for all of them.
//!
//! The standard sort is compiled anew for every type and every comparison: a thousand lines of machine code each, for lists of a few names.
//! Here places are sorted, by a comparison behind a pointer, and the things then put where they belong. Stable, like the standard sort. The
//! engine's hot lists take that one.

use std::cmp::Ordering;

/// Lists that can be brought into order.
pub trait InOrder {
    /// What stands in them.
    type Item;

    /// Sorts by a comparison; equal things keep their order.
    fn in_order_by(&mut self, compare: impl Fn(&Self::Item, &Self::Item) -> Ordering);

    /// Sorts by a key.
    fn in_order_by_key<K: Ord>(&mut self, key: impl Fn(&Self::Item) -> K) {
        self.in_order_by(|a, b| key(a).cmp(&key(b)));
    }

    /// Sorts.
    fn in_order(&mut self)
    where
        Self::Item: Ord,
    {
        self.in_order_by(Ord::cmp);
    }
}

impl<T> InOrder for [T] {
    type Item = T;

    fn in_order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering) {
        let mut goes_to = destinations(self.len(), &|a, b| compare(&self[a], &self[b]));
        for at in 0..goes_to.len() {
            while goes_to[at] != at {
                let to = goes_to[at];
                self.swap(at, to);
                goes_to.swap(at, to);
            }
        }
    }
}

/// Where each place of a list goes.
fn destinations(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    let mut goes_to = vec![0; len];
    for (to, from) in order.into_iter().enumerate() {
        goes_to[from] = to;
    }
    goes_to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_standard_sort() {
        for seed in 0..200_u64 {
            let list: Vec<(u64, usize)> = (0..(seed % 40) as usize).map(|at| ((seed * 7 + at as u64 * at as u64 * 13) % 11, at)).collect();
            let (mut ours, mut theirs) = (list.clone(), list);
            ours.in_order_by(|a, b| a.0.cmp(&b.0));
            theirs.sort_by_key(|(key, _)| *key);
            assert_eq!(ours, theirs);
            ours.in_order();
            theirs.sort();
            assert_eq!(ours, theirs);
        }
    }
}
