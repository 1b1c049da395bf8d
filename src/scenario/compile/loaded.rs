//! From a file or a text to a model ready to run, with everything that was said on the way; and the same with overlays.

use std::path::Path;

use crate::base::SimTime;
use crate::diag::{Diagnostic, Severity, Sources, Span, in_file_order};
use crate::model::Model;
use crate::model::traffic::Source;
use crate::scenario::load::Loader;
use crate::scenario::merge::overlay;
use crate::scenario::schema::{Message, Scenario};

use super::desk::Desk;
use super::entry::Entries;
use super::{compile, traffic, volume};

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The world.
    pub model: Model,
    /// The merged text.
    pub tree: Scenario,
    /// What was read, for later messages and overlays.
    pub loader: Loader,
    /// What is probably not meant, in file order.
    pub warnings: Vec<Diagnostic>,
    /// The merged text without its variants and tests, for what is laid over it.
    bare: Scenario,
    /// The machines of the internet that send, with weights.
    internet: Vec<(crate::base::HostId, u32)>,
}

/// A scenario that cannot be run: every problem, and the texts that they point into.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// In file order.
    pub problems: Vec<Diagnostic>,
    /// For [`crate::diag::render`].
    pub sources: Sources,
}

/// Loads a file with everything that it stands on.
///
/// # Errors
/// Every problem in the texts, in file order.
pub fn load_path(path: &Path) -> Result<Loaded, Invalid> {
    let mut loader = Loader::new();
    let tree = loader.file(path);
    Loaded::finish(loader, tree, &path.file_stem().unwrap_or_default().to_string_lossy())
}

/// Loads a text under the name that messages show; it has no folder, so it can mention no files.
///
/// # Errors
/// Every problem in the text, in file order.
pub fn load_text(name: &str, text: &str) -> Result<Loaded, Invalid> {
    let mut loader = Loader::new();
    let tree = loader.text(name, text);
    Loaded::finish(loader, tree, name)
}

impl Loaded {
    /// Compiles what a loader has read, flags included. `name` is that of a scenario that has none.
    ///
    /// # Errors
    /// Every problem, those of the loader among them, in file order.
    pub fn finish(mut loader: Loader, tree: Option<Scenario>, name: &str) -> Result<Self, Invalid> {
        let Some(tree) = tree.filter(|_| !loader.failed()) else { return Err(invalid(loader, Vec::new())) };
        let mut desk = Desk::default();
        let (mut model, internet) = compile(&tree, &mut loader, &mut desk);
        if model.name.is_empty() {
            model.name = name.into();
        }
        let mut problems = std::mem::take(&mut loader.problems);
        problems.append(&mut desk.problems);
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(invalid(loader, problems));
        }
        in_file_order(&mut problems);
        let bare = Scenario { changes: tree.changes.clone(), ..tree.bare() };
        Ok(Self { model, tree, bare, loader, warnings: problems, internet })
    }

    /// The same scenario with others laid over it, in order, and flags of the command line last.
    ///
    /// # Errors
    /// Every problem of the whole, in file order.
    pub fn with(&self, overlays: &[&Scenario]) -> Result<Self, Invalid> {
        let mut loader = self.loader.clone();
        let mut tree = self.bare.clone();
        for over in overlays {
            tree = overlay(&tree, over, &mut loader.problems);
        }
        tree = loader.flags_again(tree);
        Self::finish(loader, Some(tree), &self.model.name)
    }

    /// Is more sent until then than can be followed hop by hop? The bound is a million, or what the scenario writes under `limits`.
    #[must_use]
    pub fn too_many_to_follow(&self, until: Option<SimTime>) -> Option<Diagnostic> {
        volume::too_many_to_follow(&self.tree, &self.model.sources, until, self.followed_max())
    }

    fn followed_max(&self) -> u64 {
        let written = self.tree.limits.get().is_some_and(|limits| limits.messages.is_written());
        if written { self.model.limits.messages } else { volume::FOLLOWED_MAX }
    }

    /// One message as a source called `name`: it enters where its `by` or its sender says.
    ///
    /// # Errors
    /// Every problem of the message.
    pub fn send(&self, name: &str, message: &Message) -> Result<Source, Vec<Diagnostic>> {
        let mut desk =
            Desk { start: self.tree.start.get().and_then(|text| crate::scenario::values::parse_date(text).ok()), ..Desk::default() };
        let entries = Entries::new(&self.model, self.internet.clone());
        let place = if message.place.is_somewhere() { message.place } else { Span::NOWHERE };
        let source = traffic::message(name, place, message, &entries, &mut desk);
        if let Some(source) = &source {
            let most = self.model.limits.messages.min(self.followed_max());
            let many = volume::too_many(&self.tree, std::slice::from_ref(source), None, most);
            desk.problems.extend(many.map(|problem| Diagnostic { span: message.count.span(), ..problem }));
        }
        match source {
            Some(source) if desk.problems.iter().all(|problem| problem.severity != Severity::Error) => Ok(source),
            _ => Err(desk.problems),
        }
    }
}

fn invalid(mut loader: Loader, mut problems: Vec<Diagnostic>) -> Invalid {
    problems.append(&mut loader.problems);
    in_file_order(&mut problems);
    Invalid { problems, sources: loader.sources }
}
