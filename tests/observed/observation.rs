//! What did the real server do? One observation as its file says it; keys that the comparison does not use are skipped.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Observation {
    #[serde(default)]
    pub server: String,
    /// `queues-empty`, `attempts` (stopped after so many), `limit` (the time was over).
    pub ended: String,
    #[serde(default)]
    pub summary: Summary,
    pub recipients: Vec<Recipient>,
    #[serde(default)]
    pub connections: Vec<Connection>,
    #[serde(default)]
    pub dsn_events: Vec<DsnEvent>,
    #[serde(default)]
    pub dsn_messages: Vec<Report>,
    #[serde(default)]
    pub repeats: Vec<Repeat>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Summary {
    #[serde(default)]
    pub reached: Vec<String>,
    #[serde(default)]
    pub returned: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Recipient {
    pub message: String,
    pub recipient: String,
    #[serde(default)]
    pub submitted_t: f64,
    #[serde(rename = "final")]
    pub state: String,
    pub final_t: Option<f64>,
    pub dsn: Option<String>,
    pub code: Option<u16>,
    pub ip: Option<String>,
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    #[serde(default)]
    pub attempt_times: Vec<f64>,
    #[serde(default)]
    pub tls: Tls,
}

/// One attempt; only its words are used here.
#[derive(Debug, Deserialize)]
pub struct Attempt {
    #[serde(default)]
    pub text: String,
}

impl Recipient {
    /// Sendmail looked it up when it came in, could not, and logged nothing of its later tries.
    pub fn is_only_queued(&self) -> bool {
        self.attempts.first().is_some_and(|attempt| attempt.text == "queued")
    }
}

/// `"none"`, `{protocol, verdict}`, or null where the message was not carried or nobody looked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Tls {
    Encrypted {
        protocol: Option<String>,
        verdict: Option<String>,
    },
    Word(String),
    #[default]
    Unknown,
}

#[derive(Debug, Deserialize)]
pub struct Connection {
    pub t: f64,
    pub mta: String,
    pub ip: String,
    pub result: String,
}

#[derive(Debug, Deserialize)]
pub struct DsnEvent {
    #[serde(rename = "type")]
    pub kind: String,
    /// The message that it is about.
    pub msg: Option<String>,
}

/// A report that came back.
#[derive(Debug, Deserialize)]
pub struct Report {
    #[serde(default)]
    pub per_recipient: Vec<ReportLine>,
}

#[derive(Debug, Deserialize)]
pub struct ReportLine {
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub final_recipient: String,
    #[serde(default)]
    pub status: String,
}

/// Message, recipient, final state, its time, times of attempts.
type RepeatedRecipient = (String, String, String, Option<f64>, Vec<f64>);

/// The short form of a further run.
#[derive(Debug, Deserialize)]
pub struct Repeat {
    #[serde(default)]
    pub recipients: Vec<RepeatedRecipient>,
    /// Time, address, result.
    #[serde(default)]
    pub connections: Vec<(f64, String, String)>,
}

impl Observation {
    /// The times of one recipient's attempts in the recorded runs, the first run first; `nth` of equal recipients of one message.
    pub fn runs_of(&self, at: usize) -> Vec<Vec<f64>> {
        let recipient = &self.recipients[at];
        let same = |other: &Recipient| other.message == recipient.message && other.recipient == recipient.recipient;
        let nth = self.recipients[..at].iter().filter(|other| same(other)).count();
        let repeats = self.repeats.iter().filter_map(|repeat| {
            let of_it = |row: &&RepeatedRecipient| row.0 == recipient.message && row.1 == recipient.recipient;
            repeat.recipients.iter().filter(of_it).nth(nth).map(|row| row.4.clone())
        });
        // OpenSMTPD's timer ends a message without a last attempt, and its log has a line for that.
        let timer = recipient.attempts.last().is_some_and(|attempt| attempt.text == "Envelope expired");
        let made = recipient.attempt_times.len() - usize::from(timer);
        let mut runs: Vec<Vec<f64>> = std::iter::once(recipient.attempt_times[..made].to_vec()).chain(repeats).collect();
        if recipient.state == "expired" {
            // Exim writes two lines about its last attempt: that it failed, and that it was the last.
            runs.iter_mut().for_each(|times| times.dedup_by(|later, earlier| *later - *earlier < 0.02));
        }
        runs
    }
}
