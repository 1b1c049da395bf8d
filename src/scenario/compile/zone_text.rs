//! What do the pieces of DNS text say? Each layer of records, files and removals, read once, with places for later complaints.

use std::ops::Range;

use crate::diag::{Diagnostic, FileId, Severity, Span, code};
use crate::model::dns::{RecordData, RecordType, TlsaData};
use crate::scenario::load::Loader;
use crate::scenario::schema::{Layer, Scenario};
use crate::scenario::source::Text;
use crate::scenario::zone::{self, ZoneProblem, dedent, read_removal};

use super::desk::Desk;

/// One record of a text.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) owner: Box<str>,
    pub(super) ttl_seconds: u32,
    pub(super) data: RecordData<Box<str>>,
    /// The whole record.
    pub(super) span: Span,
    /// What it leads to.
    pub(super) target: Span,
}

/// One layer: first it takes away, then it replaces what it mentions.
#[derive(Clone, Debug, Default)]
pub(super) struct LayerText {
    pub(super) removed: Vec<(Box<str>, Option<RecordType>)>,
    pub(super) records: Vec<Written>,
}

/// Reads layers; a layer that several stages have in common is read once.
#[derive(Debug, Default)]
pub(super) struct ZoneTexts {
    read: Vec<(Layer, LayerText)>,
}

impl ZoneTexts {
    /// All layers of a list, in order.
    pub(super) fn layers(&mut self, layers: &[Layer], loader: &mut Loader, desk: &mut Desk) -> Vec<LayerText> {
        layers.iter().map(|layer| self.layer(layer, loader, desk)).collect()
    }

    fn layer(&mut self, layer: &Layer, loader: &mut Loader, desk: &mut Desk) -> LayerText {
        if let Some((_, text)) = self.read.iter().find(|(known, _)| known == layer) {
            return text.clone();
        }
        let mut text = LayerText::default();
        for removal in layer.remove.items() {
            match read_removal(removal) {
                Ok(found) => text.removed.push((found.owner, found.record_type)),
                Err(problem) => desk.say(complaint(&problem, removal.part(problem.range.clone()))),
            }
        }
        for file in layer.files.items() {
            if let Some(id) = loader.read_beside(file) {
                let whole = Text::of_file(loader.sources.text(id), id);
                text.records.extend(read(&whole, loader, desk));
            }
        }
        if let Some(records) = layer.records.get() {
            text.records.extend(read(records, loader, desk));
        }
        self.read.push((layer.clone(), text.clone()));
        text
    }
}

/// Reads one block of master-file text.
fn read(text: &Text, loader: &mut Loader, desk: &mut Desk) -> Vec<Written> {
    let block = dedent(text);
    let mut included: Vec<FileId> = Vec::new();
    let mut include = |path: &str| {
        let before = loader.problems.len();
        let found = loader.read_beside(&Text::escaped(path, text.span()));
        let said = loader.problems.split_off(before);
        let Some(id) = found else {
            return Err(said.first().map_or_else(|| format!("cannot read `{path}`"), |problem| problem.message.clone()));
        };
        included.push(id);
        Ok((loader.sources.name(id).to_owned(), loader.sources.text(id).to_string()))
    };
    let zone = zone::read(block.text(), &mut include);
    let place = |file: usize, range: Range<usize>| match file {
        0 => text.part(block.original(range)),
        n => included.get(n - 1).map_or(text.span(), |id| Span::new(*id, range.start, range.end)),
    };
    for problem in &zone.problems {
        desk.say(complaint(problem, place(problem.file, problem.range.clone())));
    }
    let records = zone.records.into_iter().map(|record| Written {
        span: place(record.file, record.range),
        target: place(record.file, record.target_range),
        owner: record.owner,
        ttl_seconds: record.ttl_seconds,
        data: record.data,
    });
    records.collect()
}

fn complaint(problem: &ZoneProblem, span: Span) -> Diagnostic {
    let id = code::by_id(problem.code).expect("the zone reader's ids are in the table");
    let severity = match problem.severity {
        zone::Severity::Error => Severity::Error,
        zone::Severity::Warning => Severity::Warning,
    };
    let said = Diagnostic { severity, ..Diagnostic::error(id, span, &problem.message) };
    match &problem.help {
        Some(help) => said.help(help),
        None => said,
    }
}

/// TLSA data may name a certificate or an authority of the scenario.
pub(super) fn check_tlsa<'a>(layers: impl Iterator<Item = &'a LayerText>, tree: &Scenario, desk: &mut Desk) {
    for record in layers.flat_map(|layer| &layer.records) {
        let RecordData::Tlsa(tlsa) = &record.data else { continue };
        let (name, known): (&str, Vec<&str>) = match &tlsa.data {
            TlsaData::Bytes(_) => continue,
            TlsaData::KeyOf(name) | TlsaData::CertificateOf(name) => {
                (name, tree.certificates.keys().map(Text::as_str).chain(["public"]).collect())
            }
            TlsaData::AuthorityOf(name) => (name, tree.authorities.keys().chain(tree.certificates.keys()).map(Text::as_str).collect()),
        };
        if !known.contains(&name) {
            let problem = Diagnostic::error(code::UNKNOWN_NAME, record.target, format!("no certificate or authority is called `{name}`"));
            let otherwise = "certificates and authorities stand at the top level";
            desk.unknown(problem, name, known, otherwise);
        }
    }
}
