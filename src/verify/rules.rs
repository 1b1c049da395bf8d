//! Is there a rule with this id? The page of rules has every one that a decision can carry (a test of the page holds that).

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../docs/rules.md");

/// The ids in the first columns of its tables.
fn ids() -> BTreeSet<String> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.flat_map(|cell| cell.split(", ")).flat_map(ids_of).collect()
}

/// `OUT-3`, or all of `AUTH-1 to AUTH-4`.
fn ids_of(cell: &str) -> Vec<String> {
    let Some((first, last)) = cell.split_once(" to ") else { return vec![cell.trim().to_owned()] };
    let number = |id: &str| Some((id.rsplit_once('-')?.0.to_owned(), id.rsplit_once('-')?.1.parse::<u32>().ok()?));
    match (number(first), number(last)) {
        (Some((family, first)), Some((_, last))) => (first..=last).map(|at| format!("{family}-{at}")).collect(),
        _ => vec![cell.to_owned()],
    }
}

/// Is there such a rule? If not, the one that was probably meant.
///
/// # Errors
/// There is none.
pub(super) fn known(id: &str) -> Result<(), Option<String>> {
    let ids = ids();
    if ids.iter().any(|known| known.eq_ignore_ascii_case(id)) {
        return Ok(());
    }
    Err(crate::diag::closest(id, ids.iter().map(String::as_str)).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_there_are() {
        for id in ["OUT-3", "out-3", "R12", "AUTH-2", "AUTH-4", "DMP-3", "SH-2", "LOOKUP", "TRUST-2", "MX", "DOM-2"] {
            assert!(known(id).is_ok(), "{id}");
        }
        for id in ["OUT-33", "OUT", "", "AUTH-1 to AUTH-4", "nope"] {
            assert!(known(id).is_err(), "{id}");
        }
    }
}
