//! What did the simulator say? The parts of `mailtwin run --format json` that are compared.

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    pub schema: String,
    pub messages: Vec<Message>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    pub id: String,
    pub sent_at_s: f64,
    pub kind: String,
    #[serde(default)]
    pub report: Vec<Line>,
    pub recipients: Vec<Recipient>,
}

/// One recipient of a report.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub recipient: String,
    pub action: String,
    pub status: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Recipient {
    pub to: String,
    pub fate: String,
    #[serde(default)]
    pub code: Option<u16>,
    #[serde(default)]
    pub enhanced: Option<String>,
    #[serde(default)]
    pub hops: Vec<Hop>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Hop {
    pub from: String,
    #[serde(default)]
    pub queue: Option<String>,
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    #[serde(default)]
    pub tls: Option<Tls>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Attempt {
    pub end_s: f64,
    pub result: String,
    #[serde(default)]
    pub code: Option<u16>,
    #[serde(default)]
    pub enhanced: Option<String>,
    #[serde(default)]
    pub connections: Vec<Connection>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Connection {
    pub at_s: f64,
    pub address: String,
    #[serde(default)]
    pub phase: String,
    pub result: String,
    #[serde(default)]
    pub why: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Tls {
    pub outcome: String,
    #[serde(default)]
    pub version: Option<String>,
}

impl Document {
    /// The messages of one source in the order of their numbers.
    pub fn of_source<'a>(&'a self, source: &str) -> impl Iterator<Item = &'a Message> + use<'a> {
        let source = source.to_owned();
        self.messages
            .iter()
            .filter(move |message| message.kind == "mail" && message.id.rsplit_once('#').is_some_and(|(name, _)| name == source.as_str()))
    }

    /// The message that an observation calls `m1`, or `m-17` for the seventeenth of `m`.
    pub fn find(&self, case_sources: &[String], observed: &str) -> Option<&Message> {
        if case_sources.iter().any(|source| source == observed) {
            return self.of_source(observed).next();
        }
        let (source, number) = observed.rsplit_once('-')?;
        self.of_source(source).nth(number.parse::<usize>().ok()?.checked_sub(1)?)
    }
}
