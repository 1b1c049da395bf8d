//! Rows of a queue by its passes: those of one pass stand together, so that a message of many attempts is told in one walk.

use crate::engine::Run;

/// The part of rows, which are in the order of their passes, that belongs to one.
pub(super) fn of_pass(rows: &[u32], pass: u16, pass_of: impl Fn(u32) -> u16) -> &[u32] {
    let from = rows.partition_point(|row| pass_of(*row) < pass);
    let length = rows[from..].partition_point(|row| pass_of(*row) == pass);
    &rows[from..from + length]
}

/// Rows by what they belong to.
pub(super) fn group(count: usize, owners: impl Iterator<Item = u32>) -> Vec<Vec<u32>> {
    let mut groups = vec![Vec::new(); count];
    for (at, owner) in owners.enumerate() {
        if let Some(group) = groups.get_mut(owner as usize) {
            group.push(at as u32);
        }
    }
    groups
}

/// Rows by the queue that they belong to, each in the order of its passes.
pub(super) fn group_by_pass(count: usize, owners: impl Iterator<Item = u32>, pass_of: impl Fn(u32) -> u16) -> Vec<Vec<u32>> {
    let mut groups = group(count, owners);
    groups.iter_mut().for_each(|rows| rows.sort_by_key(|at| pass_of(*at)));
    groups
}

/// The recipients of each message with the copies that hold them, by recipient.
pub(super) fn holders(run: &Run) -> Vec<Vec<(u16, u32)>> {
    let mut holders: Vec<Vec<(u16, u32)>> = vec![Vec::new(); run.trace.messages.len()];
    for (at, row) in run.trace.copies.iter().enumerate() {
        let Some(of_message) = holders.get_mut(row.message.index()) else { continue };
        of_message.extend(run.tables.recipient_sets.get(row.recipients).iter().map(|index| (*index, at as u32)));
    }
    holders.iter_mut().for_each(|rows| rows.sort_unstable());
    holders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_pass() {
        // Queue and pass of each row.
        let rows: [(u32, u16); 7] = [(0, 1), (1, 1), (0, 1), (0, 3), (1, 4), (0, 2), (0, 3)];
        let groups = group_by_pass(2, rows.iter().map(|row| row.0), |at| rows[at as usize].1);
        assert_eq!(groups, [vec![0, 2, 5, 3, 6], vec![1, 4]]);
        let cases: [(usize, u16, &[u32]); 5] = [(0, 1, &[0, 2]), (0, 2, &[5]), (0, 3, &[3, 6]), (0, 4, &[]), (1, 4, &[4])];
        for (queue, pass, expected) in cases {
            assert_eq!(of_pass(&groups[queue], pass, |at| rows[at as usize].1), expected, "queue {queue}, pass {pass}");
        }
    }
}
