//! `run --format json`: the contract with other programs, schema `mailtwin.run/1`; `explain` shows one message in the same words.
//!
//! Keys come in a fixed order and are never left out: `null` where there is nothing to say, code 0 where no server spoke. Keys may be added
//! within a version, not renamed. Times are seconds since the start as exact decimals. A decision that many messages share is written once,
//! in `decisions`; `hops` and `attempts` name its place in that list.

use super::writer::Writer;
use crate::analysis::delays::{delays_ns, percentile};
use crate::analysis::failover::{Failover, Why, failovers};
use crate::analysis::outcome::{
    Attempt, Authentication, Connection, Decision, FaultFacts, Hop, HostFacts, Kind, Message, Outcome, Place, Reason, Recipient, Stopped,
    Tls,
};
use crate::analysis::paths::{label, route};
use crate::base::ConnectionResult;
use crate::base::{Fate, TlsOutcome};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The whole document of a run, with a final line break.
#[must_use]
pub fn run_json(outcome: &Outcome) -> String {
    let mut decisions = Decisions::default();
    let mut writer = Writer::new();
    writer.object(|w| {
        w.line_key("schema").string("mailtwin.run/1");
        w.line_key("scenario").string(&*outcome.scenario);
        w.line_key("what_if").string(Some(&*outcome.what_if).filter(|flags| !flags.is_empty()));
        w.line_key("version").string(env!("CARGO_PKG_VERSION"));
        w.line_key("seed").number(outcome.seed);
        w.line_key("until_s").moment(outcome.until);
        w.line_key("stopped").string(match &outcome.stopped {
            Stopped::Settled => "settled",
            Stopped::Until => "until",
            Stopped::Bound(bound) => bound,
        });
        w.line_key("ended_at_s").moment(outcome.ended_at);
        w.line_key("events").number(outcome.events);
        w.line_key("messages").lines(&outcome.messages, |w, message| write_message(w, message, &mut decisions));
        w.line_key("decisions").lines(&decisions.texts, |w, text| w.raw(text));
        w.line_key("hosts").lines(&outcome.hosts, write_host);
        w.line_key("faults").lines(&outcome.faults, write_fault);
        w.line_key("failovers").lines(&failovers(outcome), write_failover);
        w.line_key("totals").object(|w| write_totals(w, outcome));
        w.last_line();
    });
    writer.into_text() + "\n"
}

/// `explain --format json`: one message and the reports about it, as in the document of a run; `None` if there is no such message.
#[must_use]
pub fn explain_json(outcome: &Outcome, id: &str) -> Option<String> {
    let message = outcome.messages.iter().find(|message| &*message.id == id)?;
    let reports = outcome.messages.iter().filter(|other| other.parent.as_ref() == Some(&message.id));
    let mut decisions = Decisions::default();
    let mut writer = Writer::new();
    writer.object(|w| {
        w.line_key("schema").string("mailtwin.explain/1");
        w.line_key("scenario").string(&*outcome.scenario);
        w.line_key("version").string(env!("CARGO_PKG_VERSION"));
        w.line_key("seed").number(outcome.seed);
        write_message(w.line_key("message"), message, &mut decisions);
        w.line_key("reports").lines(reports, |w, report| write_message(w, report, &mut decisions));
        w.line_key("decisions").lines(&decisions.texts, |w, text| w.raw(text));
        w.last_line();
    });
    Some(writer.into_text() + "\n")
}

/// Every decision once, in the order of its first use.
#[derive(Default)]
struct Decisions {
    texts: Vec<String>,
    by_text: BTreeMap<String, usize>,
    /// Shared decisions are met by address first, which spares writing them again; the order of addresses is never seen.
    by_address: BTreeMap<*const Decision, usize>,
}

impl Decisions {
    fn place(&mut self, decision: &Rc<Decision>) -> u64 {
        let address = Rc::as_ptr(decision);
        if let Some(place) = self.by_address.get(&address) {
            return *place as u64;
        }
        let mut writer = Writer::new();
        write_decision(&mut writer, decision);
        let text = writer.into_text();
        let texts = &mut self.texts;
        let place = *self.by_text.entry(text).or_insert_with_key(|text| {
            texts.push(text.clone());
            texts.len() - 1
        });
        self.by_address.insert(address, place);
        place as u64
    }
}

fn write_message(w: &mut Writer, message: &Message, decisions: &mut Decisions) {
    w.object(|w| {
        w.key("id").string(&*message.id);
        w.key("parent").string(message.parent.as_deref());
        w.key("traffic").string(&*message.traffic);
        w.key("from").string(&*message.from);
        w.key("size").number(message.size);
        w.key("sent_at_s").moment(message.sent_at);
        w.key("entered_at").object(|w| write_place(w, &message.entered_at));
        w.key("kind").string(message.kind.as_str());
        w.key("reporting_mta").string(message.reporting.as_deref());
        w.key("returns").string(message.returns);
        w.key("envelope_id").string(message.envelope_id.as_deref());
        w.key("report").array(&message.report, |w, line| {
            w.object(|w| {
                w.key("recipient").string(&*line.recipient);
                w.key("original").string(line.original.as_deref());
                w.key("action").string(line.action);
                w.key("status").string(line.status.map(|status| status.to_string()).as_deref());
                w.key("diagnostic").string(&*line.diagnostic);
            });
        });
        w.key("recipients").array(&message.recipients, |w, recipient| write_recipient(w, recipient, decisions));
    });
}

fn write_recipient(w: &mut Writer, recipient: &Recipient, decisions: &mut Decisions) {
    w.object(|w| {
        w.key("to").string(&*recipient.to);
        w.key("became").string(recipient.became.as_deref());
        w.key("fate").string(recipient.fate.as_str());
        w.key("code").number(recipient.code);
        w.key("enhanced").string(&*recipient.enhanced.to_string());
        w.key("text").string(&*recipient.text);
        w.key("at_s").moment(recipient.at);
        w.key("final_system").string(recipient.final_place.as_ref().map(|place| &*place.system));
        w.key("final_host").string(recipient.final_place.as_ref().map(|place| &*place.host));
        w.key("said_by").string(recipient.said_by.as_ref().map(|place| &*place.system));
        w.key("duplicates").number(recipient.duplicates);
        w.key("hops").array(&recipient.hops, |w, hop| write_hop(w, hop, decisions));
        w.key("decisions").array(&recipient.arrival, |w, decision| w.number(decisions.place(decision)));
    });
}

fn write_hop(w: &mut Writer, hop: &Hop, decisions: &mut Decisions) {
    w.object(|w| {
        w.key("from").string(label(&hop.from));
        w.key("sender").string(&*hop.sender);
        w.key("to").string(hop.to.as_ref().map(label));
        w.key("from_system").string(&*hop.from.system);
        w.key("from_host").string(&*hop.from.host);
        w.key("to_system").string(hop.to.as_ref().map(|place| &*place.system));
        w.key("to_host").string(hop.to.as_ref().map(|place| &*place.host));
        w.key("queued_at_s").moment(hop.queued_at);
        w.key("left_at_s").moment(hop.left_at);
        w.key("queue").string(&*hop.queue);
        w.key("rule").string(hop.rule);
        w.key("decisions").array(&hop.decisions, |w, decision| w.number(decisions.place(decision)));
        w.key("attempts").array(&hop.attempts, |w, attempt| write_attempt(w, attempt, decisions));
        w.key("decided_at_end").array(&hop.at_end, |w, decision| w.number(decisions.place(decision)));
        write_tls(w.key("tls"), hop.tls.as_ref());
    });
}

fn write_attempt(w: &mut Writer, attempt: &Attempt, decisions: &mut Decisions) {
    w.object(|w| {
        w.key("at_s").moment(attempt.at);
        w.key("end_s").moment(attempt.end);
        w.key("result").string(attempt.result.as_str());
        w.key("code").number(attempt.code);
        w.key("enhanced").string(&*attempt.enhanced.to_string());
        w.key("text").string(&*attempt.text);
        w.key("next_at_s").moment(attempt.next_at);
        w.key("next_why").string(attempt.next_why);
        w.key("lookups").array(&attempt.lookups, |w, lookup| {
            w.object(|w| {
                w.key("at_s").moment(lookup.at);
                w.key("name").string(&*lookup.name);
                w.key("type").string(lookup.kind);
                w.key("answer").string(&*lookup.answer);
                w.key("cached").raw(if lookup.cached { "true" } else { "false" });
            });
        });
        w.key("decisions").array(&attempt.decisions, |w, decision| w.number(decisions.place(decision)));
        w.key("not_used").array(&attempt.not_used, |w, host| {
            w.object(|w| {
                w.key("at_s").moment(host.at);
                w.key("name").string(&*host.name);
                w.key("address").string(&*host.address.to_string());
                w.key("policy").string(&*host.tls.policy);
                w.key("result").string(host.tls.result);
                w.key("why").string(&*host.tls.why);
            });
        });
        w.key("connections").array(&attempt.connections, write_connection);
    });
}

fn write_connection(w: &mut Writer, connection: &Connection) {
    w.object(|w| {
        w.key("at_s").moment(connection.at);
        w.key("end_s").moment(connection.end);
        w.key("system").string(connection.to.as_ref().map(|place| &*place.system));
        w.key("host").string(connection.to.as_ref().map(|place| &*place.host));
        w.key("name").string(&*connection.name);
        match connection.preference {
            Some(preference) => w.key("preference").number(preference),
            None => w.key("preference").raw("null"),
        }
        w.key("address").string(&*connection.address.to_string());
        w.key("port").number(connection.port);
        w.key("phase").string(connection.phase.as_str());
        w.key("reply").string(connection.reply.as_ref().map(ToString::to_string).as_deref());
        w.key("result").string(connection.result.as_str());
        write_tls(w.key("tls"), connection.tls.as_ref().filter(|_| connection.result != ConnectionResult::TlsFailed));
        write_authentication(w.key("authentication"), connection.authentication.as_deref());
        w.key("why").string(&*connection.why);
    });
}

fn write_tls(w: &mut Writer, tls: Option<&Tls>) {
    let Some(tls) = tls else { return w.raw("null") };
    w.object(|w| {
        w.key("outcome").string(tls.outcome.as_str());
        w.key("version").string(tls.version.map(|version| version.as_str()));
        w.key("policy").string(&*tls.policy);
        w.key("result").string(tls.result);
        w.key("why").string(&*tls.why);
    });
}

fn write_authentication(w: &mut Writer, found: Option<&Authentication>) {
    let Some(found) = found else { return w.raw("null") };
    w.object(|w| {
        w.key("address").string(&*found.address.to_string());
        w.key("spf").string(found.spf);
        w.key("spf_domain").string(&*found.spf_domain);
        w.key("dkim").string(found.dkim);
        w.key("dkim_domains").array(&found.dkim_domains, |w, domain| w.string(&**domain));
        w.key("dmarc").string(found.dmarc);
        w.key("author").string(found.author.as_deref());
        w.key("wanted").string(found.wanted);
        w.key("action").string(found.action);
    });
}

fn write_decision(w: &mut Writer, decision: &Decision) {
    let reasons = |w: &mut Writer, reasons: &[Reason]| {
        w.array(reasons, |w, reason| {
            w.object(|w| {
                w.key("name").string(&*reason.name);
                w.key("rule").string(reason.rule);
                w.key("why").string(&*reason.why);
                w.key("source").string(reason.source);
            });
        });
    };
    w.object(|w| {
        w.key("question").string(&*decision.question);
        w.key("by").object(|w| write_place(w, &decision.by));
        w.key("verdict").string(&*decision.verdict);
        reasons(w.key("chosen"), &decision.chosen);
        reasons(w.key("passed_over"), &decision.passed_over);
    });
}

fn write_place(w: &mut Writer, place: &Place) {
    w.key("system").string(&*place.system);
    w.key("host").string(&*place.host);
}

fn write_host(w: &mut Writer, host: &HostFacts) {
    w.object(|w| {
        w.key("name").string(&*host.name);
        w.key("system").string(&*host.system);
        w.key("down").array(&host.down, |w, (from, until)| {
            w.object(|w| {
                w.key("from_s").moment(*from);
                w.key("until_s").moment(*until);
            });
        });
        w.key("queued_max").number(host.queued.iter().map(|(_, count)| *count).max().unwrap_or(0));
    });
}

fn write_fault(w: &mut Writer, fault: &FaultFacts) {
    w.object(|w| {
        w.key("name").string(&*fault.name);
        w.key("kind").string(fault.kind);
        w.key("hosts").array(&fault.hosts, |w, host| w.string(&**host));
        w.key("from_s").moment(fault.from);
        w.key("until_s").moment(fault.until);
    });
}

fn write_failover(w: &mut Writer, failover: &Failover) {
    w.object(|w| {
        w.key("by").string(&*failover.by);
        w.key("from").string(&*failover.from.host);
        w.key("missed_at_s").moment(failover.missed_at);
        w.key("noticed_at_s").moment(failover.noticed_at);
        w.key("result").string(failover.result.as_str());
        let (fault, said) = match &failover.why {
            Why::Fault(name) => (Some(&**name), None),
            Why::Said(words) => (None, Some(&**words)),
        };
        w.key("fault").string(fault);
        w.key("said").string(said);
        w.key("to").array(&failover.to, |w, taker| {
            w.object(|w| {
                w.key("host").string(&*taker.place.host);
                w.key("taken_at_s").moment(taker.taken_at);
                w.key("messages").number(taker.messages as u64);
            });
        });
        w.key("repaired_at_s").moment(failover.repaired_at);
        w.key("back_at_s").moment(failover.back_at);
        w.key("parts").array(&failover.parts, |w, part| {
            w.object(|w| {
                w.key("host").string(&*part.host);
                w.key("missed_at_s").moment(part.missed_at);
                w.key("back_at_s").moment(part.back_at);
            });
        });
    });
}

/// All messages of the document count, reports too; delays are those of ordinary mail that arrived.
fn write_totals(w: &mut Writer, outcome: &Outcome) {
    let recipients = || outcome.messages.iter().flat_map(|message| message.recipients.iter().map(move |recipient| (message, recipient)));
    let mut by_path: BTreeMap<String, u64> = BTreeMap::new();
    recipients().for_each(|(message, recipient)| *by_path.entry(route(message, recipient)).or_default() += 1);
    let mut by_tls: BTreeMap<TlsOutcome, u64> = BTreeMap::new();
    let hops = recipients().flat_map(|(_, recipient)| &recipient.hops);
    hops.filter_map(|hop| hop.tls.as_ref()).for_each(|tls| *by_tls.entry(tls.outcome).or_default() += 1);
    let delays = delays_ns(outcome);

    w.key("messages").number(outcome.messages.len() as u64);
    w.key("mail").number(outcome.messages.iter().filter(|message| message.kind == Kind::Mail).count() as u64);
    w.key("recipients").number(recipients().count() as u64);
    w.key("fates").object(|w| {
        for fate in Fate::ALL {
            w.key(fate.as_str()).number(recipients().filter(|(_, recipient)| recipient.fate == fate).count() as u64);
        }
    });
    w.key("by_path").object(|w| by_path.iter().for_each(|(path, count)| w.key(path).number(*count)));
    w.key("by_tls").object(|w| {
        for tls in [TlsOutcome::Plaintext, TlsOutcome::Encrypted, TlsOutcome::Authenticated] {
            w.key(tls.as_str()).number(by_tls.get(&tls).copied().unwrap_or(0));
        }
    });
    w.key("failovers").number(failovers(outcome).len() as u64);
    w.key("queue_alerts").array(&outcome.queue_alerts, |w, alert| {
        w.object(|w| {
            w.key("system").string(&*alert.system);
            w.key("threshold").number(u64::from(alert.threshold));
            w.key("from_s").moment(alert.from);
            w.key("until_s").moment(alert.until);
            w.key("most").number(u64::from(alert.most));
        });
    });
    w.key("delay_s").object(|w| {
        for (name, per_mille) in [("p50", 500), ("p95", 950), ("p99", 990), ("max", 1000)] {
            w.key(name).duration(percentile(&delays, per_mille));
        }
    });
    w.key("duplicates").number(recipients().map(|(_, recipient)| u64::from(recipient.duplicates)).sum::<u64>());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;
    use crate::base::SimTime;

    /// The keys of the contract, by the path to them; `[]` is any member of a list.
    const CONTRACT: [(&str, &str); 8] = [
        ("", "schema scenario version seed until_s stopped events messages totals"),
        ("messages[]", "id parent from size sent_at_s kind recipients"),
        ("messages[].recipients[]", "to fate code enhanced text at_s final_system duplicates hops"),
        ("messages[].recipients[].hops[]", "from to queue rule attempts tls"),
        ("messages[].recipients[].hops[].attempts[]", "at_s end_s result code enhanced next_at_s connections"),
        ("messages[].recipients[].hops[].attempts[].connections[]", "at_s host address port phase reply result tls authentication"),
        ("totals", "messages recipients fates by_path by_tls failovers queue_alerts delay_s"),
        ("totals.delay_s", "p50 p95 p99 max"),
    ];

    fn members<'a>(value: &'a serde_json::Value, path: &str) -> Vec<&'a serde_json::Value> {
        path.split('.').filter(|step| !step.is_empty()).fold(vec![value], |found, step| match step.strip_suffix("[]") {
            Some(name) => found.iter().flat_map(|value| value[name].as_array().expect(name)).collect(),
            None => found.iter().map(|value| &value[step]).collect(),
        })
    }

    #[test]
    fn no_key_is_missing() {
        let document: serde_json::Value = serde_json::from_str(&run_json(&fixture::two_sites())).unwrap();
        for (path, keys) in CONTRACT {
            let found = members(&document, path);
            assert!(!found.is_empty(), "{path}");
            for key in keys.split(' ') {
                assert!(found.iter().all(|value| value.get(key).is_some()), "{path}.{key}");
            }
        }
        let tls = &document["messages"][0]["recipients"][0]["hops"][1]["tls"];
        assert_eq!(tls["outcome"], "encrypted");
        assert_eq!((&tls["version"], &tls["policy"]), (&"TLS 1.3".into(), &"EncryptionOnly".into()));
    }

    #[test]
    fn totals() {
        let text = run_json(&fixture::two_sites());
        let start = text.find("  \"totals\"").unwrap();
        let expected = concat!(
            "  \"totals\": {\"messages\": 7, \"mail\": 6, \"recipients\": 7, ",
            "\"fates\": {\"delivered\": 4, \"left the model\": 1, \"bounced\": 1, \"expired\": 0, \"rejected\": 0, \"looped\": 0, ",
            "\"queued\": 1, \"discarded\": 0, \"quarantined\": 0, \"frozen\": 0, \"expanded\": 0, \"lost\": 0, ",
            "\"the scenario does not say\": 0}, ",
            "\"by_path\": {\"eop > internet\": 1, \"internet > eop\": 2, \"internet > eop > site-a\": 2, \"internet > eop > site-b\": 2}, ",
            "\"by_tls\": {\"plaintext\": 0, \"encrypted\": 11, \"authenticated\": 0}, \"failovers\": 1, \"queue_alerts\": [], ",
            "\"delay_s\": {\"p50\": 0.5, \"p95\": 30.54, \"p99\": 30.54, \"max\": 30.54}, \"duplicates\": 0}\n}\n",
        );
        assert_eq!(&text[start..], expected);
    }

    #[test]
    fn nothing_at_all_is_a_document_too() {
        let mut outcome = fixture::two_sites();
        (outcome.messages, outcome.hosts, outcome.faults) = (vec![], vec![], vec![]);
        (outcome.until, outcome.ended_at) = (None, SimTime::ZERO);
        outcome.stopped = Stopped::Bound("events: 99".into());
        outcome.scenario = "\u{1b}[31m\"<".into();
        let document: serde_json::Value = serde_json::from_str(&run_json(&outcome)).unwrap();
        assert_eq!(document["scenario"], "\u{1b}[31m\"<");
        assert_eq!(document["stopped"], "events: 99");
        assert_eq!(document["until_s"], serde_json::Value::Null);
        assert_eq!(document["totals"]["delay_s"]["max"], serde_json::Value::Null);
    }

    #[test]
    fn a_decision_is_written_once() {
        let document: serde_json::Value = serde_json::from_str(&run_json(&fixture::two_sites())).unwrap();
        assert_eq!(document["decisions"].as_array().unwrap().len(), 2);
        for number in [0, 2] {
            assert_eq!(document["messages"][number]["recipients"][0]["hops"][1]["decisions"][0], 0);
        }
        assert_eq!(document["decisions"][0]["chosen"][0]["rule"], "OUT-3");
    }

    #[test]
    fn one_message_and_its_reports() {
        let text = explain_json(&fixture::two_sites(), "inbound#5").unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["message"]["recipients"][0]["fate"], "bounced");
        assert_eq!(document["reports"][0]["id"], "inbound#5/dsn1");
        assert_eq!(document["decisions"][1]["verdict"], "site-a.contoso.com, then the other");
        assert_eq!(explain_json(&fixture::two_sites(), "nothing"), None);
    }
}
