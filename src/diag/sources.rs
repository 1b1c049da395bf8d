//! Which texts make up a scenario, and which line is byte 1234? A place names its text, because trees of several files are merged.

use std::sync::Arc;

/// One of the texts: a file, standard input, the text of a `--set`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileId(u32);

/// A run of bytes in one of the texts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// Which text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// The byte behind the last one.
    pub end: u32,
}

impl Span {
    /// No place at all: a value that nobody wrote.
    pub const NOWHERE: Self = Self { file: FileId(u32::MAX), start: 0, end: 0 };

    /// A run of bytes.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        // Texts are bounded far below 4 GiB when they are read.
        Self { file, start: start as u32, end: end as u32 }
    }

    /// Is this a real place?
    #[must_use]
    pub fn is_somewhere(self) -> bool {
        self != Self::NOWHERE
    }
}

impl Default for Span {
    fn default() -> Self {
        Self::NOWHERE
    }
}

/// A line and a column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

#[derive(Clone, Debug)]
struct Source {
    name: Box<str>,
    text: Arc<str>,
    line_starts: Box<[u32]>,
}

/// All texts of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// No texts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name that messages will show.
    pub fn add(&mut self, name: &str, text: impl Into<Arc<str>>) -> FileId {
        let text = text.into();
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
        let line_starts = std::iter::once(0).chain(starts).collect();
        self.list.push(Source { name: name.into(), text, line_starts });
        FileId(self.list.len() as u32 - 1)
    }

    /// All texts, in the order in which they were read.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|source| &*source.text)
    }

    fn get(&self, file: FileId) -> Option<&Source> {
        self.list.get(file.0 as usize)
    }

    /// The name of a text; empty for [`Span::NOWHERE`].
    #[must_use]
    pub fn name(&self, file: FileId) -> &str {
        self.get(file).map_or("", |source| &source.name)
    }

    /// A text; empty for [`Span::NOWHERE`].
    #[must_use]
    pub fn text(&self, file: FileId) -> Arc<str> {
        self.get(file).map_or_else(|| "".into(), |source| source.text.clone())
    }

    /// What stands at a place.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).and_then(|source| source.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// The texts in the order they were added: name and text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|source| (&*source.name, &*source.text))
    }

    /// First and last position of a place; `None` for [`Span::NOWHERE`].
    #[must_use]
    pub fn range(&self, span: Span) -> Option<(Position, Position)> {
        let source = self.get(span.file)?;
        let position = |byte: u32| {
            let line = source.line_starts.partition_point(|start| *start <= byte);
            let start = source.line_starts[line - 1] as usize;
            let column = source.text.get(start..byte as usize).map_or(1, |before| before.chars().count() + 1);
            Position { line, column }
        };
        Some((position(span.start), position(span.end)))
    }

    /// The lines `first..=last` (from 1) with their line ends, and the byte where they begin.
    pub(super) fn lines(&self, file: FileId, first: usize, last: usize) -> (&str, usize) {
        let Some(source) = self.get(file) else { return ("", 0) };
        let start = source.line_starts.get(first - 1).map_or(source.text.len(), |at| *at as usize);
        let end = source.line_starts.get(last).map_or(source.text.len(), |at| *at as usize);
        (&source.text[start..end], start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        let mut sources = Sources::new();
        let file = sources.add("x.ron", "ab\näö, c\r\n");
        let cases = [(0, (1, 1)), (1, (1, 2)), (3, (2, 1)), (7, (2, 3)), (9, (2, 5)), (12, (3, 1))];
        for (byte, (line, column)) in cases {
            let (start, _) = sources.range(Span::new(file, byte, byte)).unwrap();
            assert_eq!((start.line, start.column), (line, column), "byte {byte}");
        }
        assert_eq!(sources.range(Span::NOWHERE), None);
        assert_eq!(sources.slice(Span::new(file, 3, 7)), "äö");
    }
}
