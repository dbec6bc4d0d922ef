//! One failure for people: code, message, the script's line with a caret, the calls that led there, outcome, hints.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles,
};
use runbook_state::record::Site;

use super::{
    look::{Ink, Look},
    text::{mask, place},
};
use crate::error::Failure;

/// Gives the text of a script's file, as the run has it.
pub type Source<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Draws a failure; every line ends with a line break.
pub fn draw(failure: &Failure, source: Source<'_>, look: &Look) -> String {
    let mut out = format!(
        "{} {}\n",
        look.ink(Ink::Bad, &format!("error {}:", look.shown(&failure.code))),
        look.shown(&failure.message)
    );
    if let Some(site) = failure.sites.first().filter(|site| !site.file.is_empty()) {
        let drawn = source(&site.file).and_then(|text| snippet(&text, site, &look.shown(&failure.cause), look));
        let cause = if failure.cause.is_empty() { String::new() } else { format!(": {}", look.shown(&failure.cause)) };
        out += &drawn.unwrap_or_else(|| format!("   at {}{cause}\n", place(site)));
    } else if !failure.cause.is_empty() {
        out += &format!("cause    {}\n", look.shown(&failure.cause));
    }
    let calls: Vec<String> = failure.sites.iter().skip(1).take(8).map(place).collect();
    if !calls.is_empty() {
        out += &format!("called   from {}\n", calls.join(", from "));
    }
    let fact = |name: &str, value: &str| {
        if value.is_empty() { String::new() } else { format!("{name}  {}", look.shown(value)) }
    };
    let attempts = if failure.attempts > 1 { format!("attempts  {}", failure.attempts) } else { String::new() };
    if !failure.step.is_empty() {
        out += &format!("step     {}\n", look.path(&failure.step));
    }
    let facts = [
        fact("outcome", &failure.outcome),
        fact("call", &failure.op),
        fact("request", failure.request_id.as_deref().unwrap_or_default()),
        attempts,
    ];
    let facts: Vec<&str> = facts.iter().map(String::as_str).filter(|fact| !fact.is_empty()).collect();
    if !facts.is_empty() {
        out += &format!("{}\n", facts.join("     "));
    }
    for hint in &failure.hints {
        out += &format!("{}     {}\n", look.ink(Ink::Warn, "hint"), look.shown(hint));
    }
    out
}

/// A few words of a failure for a list: where and what.
pub fn brief(failure: &Failure, look: &Look) -> String {
    let step = if failure.step.is_empty() { String::new() } else { format!("{}: ", look.path(&failure.step)) };
    format!("{step}{} ({})", look.shown(&failure.message), look.shown(&failure.code))
}

/// The line with its caret, drawn by miette without a heading of its own.
fn snippet(text: &str, site: &Site, label: &str, look: &Look) -> Option<String> {
    let line_number = usize::try_from(site.line).ok().filter(|line| *line > 0)?;
    // Shown as it stands but for what a terminal would obey; lengths stay those of what is shown.
    let shown: Vec<String> = mask(text, "***").lines().map(super::text::escape).collect();
    let line = shown.get(line_number - 1)?;
    let before: usize = shown[..line_number - 1].iter().map(|line| line.len() + 1).sum();
    let column = usize::try_from(site.column).unwrap_or(1).max(1);
    let start = line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at);
    let word = |c: char| c.is_alphanumeric() || "_.:".contains(c);
    let length = line[start..].chars().take_while(|c| word(*c)).map(char::len_utf8).sum::<usize>().max(1);
    let length = length.min((line.len() - start).max(1));
    let label = if label.is_empty() { None } else { Some(label.to_owned()) };
    let shot = Shot {
        source: NamedSource::new(super::text::escape(&site.file), shown.join("\n") + "\n"),
        label: LabeledSpan::new(label, before + start, length),
    };
    let mut drawn = String::new();
    let handler =
        GraphicalReportHandler::new_themed(theme(look)).with_width(look.width).with_context_lines(1).with_links(false);
    handler.render_report(&mut drawn, &shot).ok()?;
    // The first lines are the heading, which has been written above.
    let body: Vec<&str> = drawn.lines().skip_while(|line| !line.contains(".rhai") && !line.contains('[')).collect();
    if body.is_empty() { None } else { Some(body.join("\n") + "\n") }
}

fn theme(look: &Look) -> GraphicalTheme {
    GraphicalTheme {
        characters: if look.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if look.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    }
}

#[derive(Debug)]
struct Shot {
    source: NamedSource<String>,
    label: LabeledSpan,
}

impl fmt::Display for Shot {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Shot {}

impl Diagnostic for Shot {
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}
