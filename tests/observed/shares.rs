//! Many messages at once: counts, shares and ranges instead of single ones.
//!
//! Which of two equal hosts one message takes is luck, and in the recordings the messages came a few hundredths of a second apart.

use crate::case::Case;
use crate::compare::{ASPECTS, Parts, Verdict, View, find, reports_made, reports_seen, tls_part};
use crate::document::Document;
use crate::observation::Observation;
use std::collections::{BTreeMap, BTreeSet};

pub fn compare(case: &Case, seen: &Observation, run: &Document) -> Vec<Verdict> {
    let sources = case.source_names();
    let views: Vec<Option<View>> = (0..seen.recipients.len())
        .map(|at| find(seen, run, &sources, at).map(|(message, to)| View::new(message, to, &seen.recipients[at], seen.ended == "attempts")))
        .collect();
    let mut parts: BTreeMap<&'static str, Parts> = ASPECTS.iter().map(|aspect| (*aspect, Parts::default())).collect();
    let mut part = |aspect: &'static str, agrees: bool, expected: String, got: String| {
        parts.entry(aspect).or_default().add(agrees, expected, got);
    };
    let found: Vec<&View> = views.iter().flatten().collect();

    let expected = counted(seen.recipients.iter().map(|recipient| recipient.state.clone()));
    let got = counted(views.iter().map(|view| view.as_ref().map_or("missing", |view| view.state).to_owned()));
    part("fate", expected == got, format!("{expected:?}"), format!("{got:?}"));

    let expected: BTreeSet<String> =
        seen.recipients.iter().map(|to| format!("{} {}", to.code.unwrap_or(0), to.dsn.as_deref().unwrap_or("-"))).collect();
    // Some servers do not log the reply code of accepted mail.
    let words = |(to, view): (&crate::observation::Recipient, &View)| {
        format!("{} {}", view.code().0.filter(|_| to.code.is_some()).unwrap_or(0), view.code().1.unwrap_or("-"))
    };
    let got: BTreeSet<String> = seen.recipients.iter().zip(&views).filter_map(|(to, view)| Some(words((to, view.as_ref()?)))).collect();
    part("code", expected == got, format!("{expected:?}"), format!("{got:?}"));

    let expected = counted(seen.recipients.iter().filter(|to| to.state == "sent").filter_map(|to| to.ip.clone()));
    let last_address = |view: &&View| Some(view.attempts.last()?.connections.last()?.address.clone());
    let got = counted(found.iter().filter(|view| view.state == "sent").filter_map(last_address));
    if !expected.is_empty() {
        // A kept connection takes many messages to one host: then only luck says how many.
        let caches = case.sender.postfix.get("smtp_connection_cache_on_demand").is_none_or(|value| value != "no");
        let reuses = seen.server == "opensmtpd" || seen.server == "postfix" && caches;
        part("hosts", shares_agree(&expected, &got, reuses), format!("{expected:?}"), format!("{got:?}"));
    }

    let runs: Vec<Vec<Vec<f64>>> = (0..seen.recipients.len()).map(|at| seen.runs_of(at)).collect();
    let counts = || runs.iter().flatten().map(Vec::len);
    let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let made: Vec<usize> = found.iter().map(|view| view.attempts.len()).collect();
    let fits = made.iter().all(|count| (least..=most).contains(count));
    part("attempts", fits, format!("{least} to {most}"), format!("{:?} to {:?}", made.iter().min(), made.iter().max()));

    for (recipient, view) in seen.recipients.iter().zip(&views) {
        if let Some((expected, got, agrees)) = view.as_ref().and_then(|view| tls_part(recipient, view)) {
            part("tls", agrees, format!("{}: {expected}", recipient.recipient), got);
        }
    }
    let (expected, got) = (reports_seen(seen), reports_made(run, None));
    part("dsn", expected == got, format!("failure, delay: {expected:?}"), format!("{got:?}"));

    let waits = |times: Vec<f64>| -> (f64, f64) {
        let mut times = times;
        times.sort_by(f64::total_cmp);
        (times.get(times.len() / 2).copied().unwrap_or(0.0), times.last().copied().unwrap_or(0.0))
    };
    let expected = waits(seen.recipients.iter().filter_map(|to| Some(to.final_t? - to.submitted_t)).collect());
    let got = waits(found.iter().filter_map(|view| Some(view.attempts.last()?.end_s - view.message.sent_at_s)).collect());
    let grain = 1.0 + if most > 1 { (case.timers.queue_run_s + 1.0) * (most - 1) as f64 } else { 0.0 };
    let agrees = (expected.0 - got.0).abs() <= grain && (expected.1 - got.1).abs() <= grain;
    part("times", agrees, format!("median, last: {expected:.2?}"), format!("{got:.2?}"));

    ASPECTS.iter().filter_map(|aspect| parts.remove(aspect)?.verdict(aspect)).collect()
}

fn counted(words: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

/// Shares within four standard deviations of two samples of that size, and one more; with kept connections only who takes part at all.
fn shares_agree(expected: &BTreeMap<String, usize>, got: &BTreeMap<String, usize>, reuses: bool) -> bool {
    let (all_expected, all_got) = (expected.values().sum::<usize>() as f64, got.values().sum::<usize>() as f64);
    if all_got == 0.0 {
        return false;
    }
    if reuses {
        return got.keys().all(|host| expected.contains_key(host));
    }
    let hosts: BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
    hosts.into_iter().all(|host| {
        let (e, g) = (expected.get(host).copied().unwrap_or(0) as f64, got.get(host).copied().unwrap_or(0) as f64);
        let share = (e + g) / (all_expected + all_got);
        let deviation = (share * (1.0 - share) * (1.0 / all_expected + 1.0 / all_got)).sqrt();
        (e / all_expected - g / all_got).abs() <= 4.0 * deviation + 1.0 / all_expected
    })
}
