//! Small pieces of scenario text: quoted words, lists, moments.

/// A text in quotes.
pub fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// `["a", "b"]`
pub fn list<T: AsRef<str>>(texts: &[T]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text.as_ref())).collect::<Vec<_>>().join(", "))
}

/// Seconds with their unit: `2s`, `1500ms`.
pub fn moment(seconds: f64) -> String {
    if seconds.fract() == 0.0 { format!("{seconds:.0}s") } else { format!("{:.0}ms", seconds * 1000.0) }
}

/// A block of entries in braces under a name, one line each; nothing if there are none.
pub fn block(field: &str, entries: &[String]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let lines: String = entries.iter().map(|entry| format!("        {entry},\n")).collect();
    format!("    {field}: {{\n{lines}    }},\n")
}
