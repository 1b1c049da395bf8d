//! How a diagnostic looks: the line of the file with carets under it, drawn by annotate-snippets.

use annotate_snippets::{AnnotationKind, Element, Level, Padding, Renderer, Snippet};

use super::{Diagnostic, Severity, Sources, Span};
use crate::base::printable;

/// With colours for a terminal, or without.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// For files, pipes and tests.
    Plain,
    /// For a terminal.
    Coloured,
}

/// Places farther apart than this are drawn as pictures of their own.
const LINES_IN_ONE_PICTURE: usize = 200;

/// All problems as text, in the order given, an empty line between two.
#[must_use]
pub fn render(problems: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let pictures: Vec<String> = problems.iter().map(|problem| draw(problem, sources, &renderer)).collect();
    let mut text = pictures.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn draw(problem: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut marks = vec![Mark { span: problem.span, label: &problem.label, primary: true }];
    marks.extend(problem.also.iter().map(|(span, label)| Mark { span: *span, label, primary: false }));
    let mut group = level.primary_title(&*problem.message).id(problem.code.id).elements(Vec::<Element<'_>>::new());
    let mut drawn = false;
    for together in neighbours(marks, sources) {
        group = group.element(snippet(&together, sources));
        drawn = true;
    }
    if drawn && !problem.help.is_empty() {
        group = group.element(Padding);
    }
    for help in &problem.help {
        group = group.element(Level::HELP.message(&**help));
    }
    renderer.render(&[group]).to_string()
}

#[derive(Clone, Copy)]
struct Mark<'a> {
    span: Span,
    label: &'a str,
    primary: bool,
}

/// Marks that fit into one picture together: same text, few lines apart.
fn neighbours<'a>(marks: Vec<Mark<'a>>, sources: &Sources) -> Vec<Vec<Mark<'a>>> {
    let mut pictures: Vec<Vec<Mark<'a>>> = Vec::new();
    for mark in marks {
        let Some((start, _)) = sources.range(mark.span) else { continue };
        let near = |other: &Mark<'_>| {
            other.span.file == mark.span.file
                && sources.range(other.span).is_some_and(|(line, _)| line.line.abs_diff(start.line) < LINES_IN_ONE_PICTURE)
        };
        match pictures.iter_mut().find(|picture| near(&picture[0])) {
            Some(picture) => picture.push(mark),
            None => pictures.push(vec![mark]),
        }
    }
    pictures
}

fn snippet<'a>(marks: &[Mark<'a>], sources: &Sources) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let file = marks[0].span.file;
    let lines = marks.iter().filter_map(|mark| sources.range(mark.span));
    let first = lines.clone().map(|(start, _)| start.line).min().unwrap_or(1);
    let last = lines.map(|(start, end)| end.line.min(start.line + LINES_IN_ONE_PICTURE)).max().unwrap_or(first);
    let (window, offset) = sources.lines(file, first, last);
    let (shown, places) = visible(window);
    let at = |byte: u32| places[(byte as usize).saturating_sub(offset).min(window.len())];
    let annotations = marks.iter().map(|mark| {
        let (start, end) = (at(mark.span.start), at(mark.span.end));
        // A place of no width (the end of a file) still gets its caret.
        let end = if end > start { end } else { (start + 1).min(shown.len().max(start)) };
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        kind.span(start..end).label((!mark.label.is_empty()).then(|| mark.label.to_owned()))
    });
    let annotations: Vec<_> = annotations.collect();
    Snippet::source(shown.clone()).line_start(first).path(printable(sources.name(file)).into_owned()).annotations(annotations)
}

/// The text with everything invisible written out, and for each of its bytes the place where it is now.
fn visible(text: &str) -> (String, Vec<usize>) {
    let mut shown = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        places.resize(at + c.len_utf8(), shown.len());
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' => {}
            _ => shown.push_str(&printable(c.encode_utf8(&mut [0; 4]))),
        }
    }
    places.push(shown.len());
    (shown, places)
}

#[cfg(test)]
mod tests {
    use super::super::{Diagnostic, code};
    use super::*;

    #[test]
    fn pictures() {
        let mut sources = Sources::new();
        let file = sources.add("x.ron", "first\nsmart_hosts: [\"edge\u{202e}-1\"],\r\nlast");
        let problem = Diagnostic::error(code::UNKNOWN_FIELD, Span::new(file, 6, 17), "no `\u{1b}[31m` here")
            .label("this one")
            .also(Span::new(file, 0, 5), "defined here")
            .help("write another");
        let expected = "\
error[MT0002]: no `\\u{1b}[31m` here
 --> x.ron:2:1
  |
1 | first
  | ----- defined here
2 | smart_hosts: [\"edge\\u{202e}-1\"],
  | ^^^^^^^^^^^ this one
  |
  = help: write another
";
        assert_eq!(render(&[problem], &sources, Style::Plain), expected);
        let nowhere = Diagnostic::error(code::CANNOT_READ, Span::NOWHERE, "no file `x`").help("look");
        assert_eq!(render(&[nowhere], &sources, Style::Plain), "error[MT0050]: no file `x`\n |\n = help: look\n");
        let end = Span::new(file, 44, 44);
        assert_eq!(sources.range(end).map(|(start, _)| start.line), Some(3));
        let end = render(&[Diagnostic::error(code::SYNTAX, end, "ends here")], &sources, Style::Plain);
        assert_eq!(end, "error[MT0001]: ends here\n --> x.ron:3:5\n  |\n3 | last\n  |     ^\n");
    }
}
