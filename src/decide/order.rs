//! In which order are candidates tried, and where does an attempt stop?
//!
//! The luck comes in as numbers, so this file stays pure. Sources: RFC 5321 §5.1 (equal preferences must be spread), postconf(5)
//! `smtp_randomize_addresses`, `smtp_address_preference`, `smtp_balance_inet_protocols`, `smtp_mx_address_limit`.

use super::mx::Candidate;
use super::profile::OrderRule;
use crate::model::settings::{Families, FamilyPreference, Sender};
use smallvec::SmallVec;

/// What a candidate is sorted by: preference, family, two lots, and its place.
type Key = (u16, bool, u64, u64, u16);

/// Places in the list of candidates, in the order of trying.
pub type Order = SmallVec<[u16; 6]>;

/// Added to a place: the luck of the address, not of its host.
pub const OF_ADDRESS: u32 = 1 << 16;

/// Orders `candidates` (sorted by preference already). `luck(n)` is the number of the n-th candidate in this attempt; `shuffled`: the resolver hands
/// out the addresses of a host in an order of luck, else they stay as listed.
#[inline(always)]
pub fn order(rule: OrderRule, sender: &Sender, candidates: &[Candidate], shuffled: bool, mut luck: impl FnMut(u32) -> u64) -> Order {
    let as_listed = || (0..candidates.len() as u16).collect::<Order>();
    if candidates.len() < 2 {
        return as_listed();
    }
    let at = |place: u16| &candidates[place as usize];
    let mut places: Order;
    match rule {
        OrderRule::ByHost => {
            // One number per host: its addresses stay together in the resolver's order.
            let mut keys: SmallVec<[(u16, u64, u16); 8]> = SmallVec::new();
            let mut last: Option<(u16, crate::base::NameId, u64)> = None;
            let mut several = false;
            for place in 0..candidates.len() as u16 {
                let candidate = at(place);
                let next = candidates.get(usize::from(place) + 1).map(|candidate| candidate.preference);
                let key = match last {
                    Some((preference, name, key)) if preference == candidate.preference && name == candidate.name => {
                        several = true;
                        key
                    }
                    // Who stands alone at a preference needs no luck.
                    Some((preference, ..)) if preference != candidate.preference && next != Some(candidate.preference) => 0,
                    _ => luck(u32::from(place)),
                };
                last = Some((candidate.preference, candidate.name, key));
                keys.push((candidate.preference, key, place));
            }
            if several && shuffled {
                let answered = as_answered(candidates, luck);
                (0_u16..).zip(&answered).for_each(|(rank, place)| keys[usize::from(*place)].2 = rank);
                keys.sort_unstable();
                return keys.iter().map(|key| answered[usize::from(key.2)]).collect();
            }
            keys.sort_unstable();
            return keys.iter().map(|key| key.2).collect();
        }
        OrderRule::ByHostAndAddress => {
            places = as_listed();
            let later_family = |place: u16| match sender.families.prefer {
                FamilyPreference::V4 => at(place).address.is_ipv6(),
                FamilyPreference::Any | FamilyPreference::V6 => at(place).address.is_ipv4(),
            };
            let key = |place: u16| {
                let host = places.iter().find(|other| at(**other).name == at(place).name).copied().unwrap_or(place);
                (u32::from(host), u32::from(place) + OF_ADDRESS)
            };
            let mut keys: SmallVec<[Key; 8]> = SmallVec::new();
            for place in &places {
                let (host, address) = key(*place);
                keys.push((at(*place).preference, later_family(*place), luck(host), luck(address), *place));
            }
            keys.sort_unstable();
            // An address that stands there twice is tried once.
            let mut seen: SmallVec<[std::net::IpAddr; 8]> = SmallVec::new();
            places.clear();
            for key in keys {
                if !seen.contains(&at(key.4).address) {
                    seen.push(at(key.4).address);
                    places.push(key.4);
                }
            }
        }
        OrderRule::ByAddress => {
            if sender.randomize_addresses {
                places = as_listed();
                let keys: SmallVec<[u64; 8]> = (0..places.len() as u32).map(&mut luck).collect();
                places.sort_by_key(|place| (at(*place).preference, family_rank(&sender.families, at(*place)), keys[*place as usize]));
            } else {
                places = in_answered_order(sender, candidates, shuffled, &mut luck);
            }
            if sender.address_limit > 1 && sender.families.balance {
                balance(&mut places, candidates, sender.address_limit as usize);
            }
        }
    }
    places
}

/// Whoever does not shuffle keeps the resolver's order, of MX records and of addresses.
#[cold]
#[inline(never)]
fn in_answered_order(sender: &Sender, candidates: &[Candidate], shuffled: bool, luck: &mut dyn FnMut(u32) -> u64) -> Order {
    let at = |place: u16| &candidates[usize::from(place)];
    let first_of = |place: u16| candidates.iter().position(|other| other.name == at(place).name).unwrap_or(0) as u32;
    let of_host: SmallVec<[u64; 8]> = (0..candidates.len() as u16).map(|place| if shuffled { luck(first_of(place)) } else { 0 }).collect();
    let mut places: Order = if shuffled { as_answered(candidates, luck) } else { (0..candidates.len() as u16).collect() };
    places.sort_by_key(|place| (at(*place).preference, family_rank(&sender.families, at(*place)), of_host[usize::from(*place)]));
    places
}

/// The list as the resolver answered: the addresses in one answer by their own luck, so that one more or less leaves the others as they were.
fn as_answered(candidates: &[Candidate], mut luck: impl FnMut(u32) -> u64) -> Order {
    let mut keys: SmallVec<[(u16, u64, u16); 8]> = SmallVec::new();
    let mut first = 0;
    for place in 0..candidates.len() as u16 {
        let of_answer = |place: u16| {
            let candidate = &candidates[usize::from(place)];
            (candidate.preference, candidate.name, candidate.address.is_ipv6())
        };
        if of_answer(first) != of_answer(place) {
            first = place;
        }
        keys.push((first, luck(u32::from(place) + OF_ADDRESS), place));
    }
    keys.sort_unstable();
    keys.iter().map(|key| key.2).collect()
}

/// Sorts a family to the front of its preference, if one is preferred.
fn family_rank(families: &Families, candidate: &Candidate) -> bool {
    match families.prefer {
        FamilyPreference::Any => false,
        FamilyPreference::V4 => candidate.address.is_ipv6(),
        FamilyPreference::V6 => candidate.address.is_ipv4(),
    }
}

/// Keeps both families among the first `limit`: if the first are all of one family, the best of the other takes the last of those places.
fn balance(places: &mut Order, candidates: &[Candidate], limit: usize) {
    if places.len() <= limit {
        return;
    }
    let is_v6 = |place: u16| candidates[place as usize].address.is_ipv6();
    let first = is_v6(places[0]);
    if places[..limit].iter().all(|place| is_v6(*place) == first)
        && let Some(other) = places[limit..].iter().position(|place| is_v6(*place) != first)
    {
        let moved = places.remove(limit + other);
        places.insert(limit - 1, moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::NameId;
    use std::net::IpAddr;

    fn candidate(preference: u16, name: u32, address: &str) -> Candidate {
        Candidate { preference, name: NameId(name), address: address.parse::<IpAddr>().unwrap() }
    }

    #[test]
    fn preferences_and_luck() {
        let mut sender = crate::decide::profile::default_sender(crate::model::settings::Profile::Postfix);
        let list =
            [candidate(10, 1, "192.0.2.1"), candidate(10, 1, "192.0.2.2"), candidate(10, 2, "192.0.2.3"), candidate(20, 3, "192.0.2.4")];
        let luck = |numbers: [u64; 4]| move |n: u32| numbers[n as usize];
        let cases = [
            ("the second host first, addresses together", OrderRule::ByHost, [9, 0, 1, 5], vec![2, 0, 1, 3]),
            ("addresses mixed", OrderRule::ByAddress, [5, 1, 3, 0], vec![1, 2, 0, 3]),
        ];
        for (case, rule, numbers, expected) in cases {
            assert_eq!(order(rule, &sender, &list, false, luck(numbers)).to_vec(), expected, "{case}");
        }
        sender.families.prefer = FamilyPreference::V4;
        let mixed = [candidate(10, 1, "2001:db8::1"), candidate(10, 1, "192.0.2.1")];
        assert_eq!(order(OrderRule::ByAddress, &sender, &mixed, false, u64::from).to_vec(), vec![1, 0]);
    }

    #[test]
    fn exim_mixes_hosts_then_addresses_and_begins_with_ipv6() {
        let sender = crate::decide::profile::default_sender(crate::model::settings::Profile::Exim);
        let list = [
            candidate(10, 1, "192.0.2.1"),
            candidate(10, 1, "192.0.2.2"),
            candidate(10, 2, "192.0.2.3"),
            candidate(10, 2, "2001:db8::3"),
            candidate(20, 3, "192.0.2.1"),
        ];
        // Luck of hosts by the place of their first address, luck of addresses 100 above.
        let luck = |hosts: [u64; 5], addresses: [u64; 5]| {
            move |n: u32| if n >= OF_ADDRESS { addresses[(n - OF_ADDRESS) as usize] } else { hosts[n as usize] }
        };
        let cases = [
            ("the first host first", [1, 0, 2, 0, 0], [1, 2, 3, 4, 5], vec![3, 0, 1, 2]),
            ("the second host first, addresses of the first turned", [2, 0, 1, 0, 0], [2, 1, 3, 4, 5], vec![3, 2, 1, 0]),
        ];
        for (case, hosts, addresses, expected) in cases {
            assert_eq!(order(OrderRule::ByHostAndAddress, &sender, &list, true, luck(hosts, addresses)).to_vec(), expected, "{case}");
        }
    }

    /// The addresses of one answer have each its own luck: without one of them the others keep their order.
    #[test]
    fn addresses_in_the_order_of_an_answer() {
        let mut sender = crate::decide::profile::default_sender(crate::model::settings::Profile::Postfix);
        sender.randomize_addresses = false;
        let list = [
            candidate(10, 1, "2001:db8::1"),
            candidate(10, 1, "192.0.2.1"),
            candidate(10, 1, "192.0.2.2"),
            candidate(10, 1, "192.0.2.3"),
            candidate(10, 2, "192.0.2.4"),
        ];
        let luck = |addresses: Vec<u64>| move |n: u32| if n >= OF_ADDRESS { addresses[(n - OF_ADDRESS) as usize] } else { u64::from(n) };
        for rule in [OrderRule::ByHost, OrderRule::ByAddress] {
            let of = |list: &[Candidate], shuffled, addresses: &[u64]| {
                let order = order(rule, &sender, list, shuffled, luck(addresses.to_vec()));
                order.iter().map(|place| list[usize::from(*place)].address.to_string()).collect::<Vec<_>>()
            };
            let whole = ["2001:db8::1", "192.0.2.3", "192.0.2.1", "192.0.2.2", "192.0.2.4"];
            assert_eq!(of(&list, true, &[9, 5, 7, 3, 1]), whole, "{rule:?}");
            assert_eq!(of(&list, false, &[9, 5, 7, 3, 1])[1..4], ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "{rule:?}");
            for gone in 0..list.len() {
                let (mut fewer, mut lots) = (list.to_vec(), vec![9, 5, 7, 3, 1]);
                fewer.remove(gone);
                lots.remove(gone);
                let left: Vec<&str> = whole.into_iter().filter(|text| *text != list[gone].address.to_string()).collect();
                assert_eq!(of(&fewer, true, &lots), left, "{rule:?} without {gone}");
            }
        }
    }

    #[test]
    fn both_families_within_the_limit() {
        let mut sender = crate::decide::profile::default_sender(crate::model::settings::Profile::Postfix);
        (sender.address_limit, sender.randomize_addresses) = (5, false);
        let mut list: Vec<Candidate> = (1..=5).map(|n| candidate(10, n, &format!("2001:db8::{n}"))).collect();
        list.push(candidate(10, 6, "192.0.2.6"));
        assert_eq!(order(OrderRule::ByAddress, &sender, &list, true, |_| 0).to_vec(), vec![0, 1, 2, 3, 5, 4]);
    }
}
