//! One failure for people: code, message, the script's line with a caret, the calls that led there, outcome, hints.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles,
};
use runbook_state::record::Site;

use super::{
    look::{Ink, Look, Mark},
    text::{mask, place},
};
use crate::error::Failure;

/// Gives the text of a script's file, as the run has it.
pub type Source<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The column of names like `hint`.
const NAMES: usize = 9;

/// Draws a failure; every line ends with a line break.
pub fn draw(failure: &Failure, source: Source<'_>, look: &Look) -> String {
    let title = format!("error {}:", look.shown(&failure.code));
    let message = look.named(&title, title.len() + 1, &look.shown(&failure.message));
    let mut out = message.replacen(&title, &look.ink(Ink::Bad, &title), 1);
    let cause = look.shown(&failure.cause);
    let short = cause.len() < look.width / 2;
    let site = failure.sites.first().filter(|site| !site.file.is_empty());
    let drawn = site.and_then(|site| snippet(&source(&site.file)?, site, if short { &cause } else { "" }, look));
    match (&drawn, site) {
        (Some(drawn), _) => out.push_str(drawn),
        (None, Some(site)) => out.push_str(&look.named("at", NAMES, &place(site))),
        (None, None) => {}
    }
    let calls: Vec<String> = failure.sites.iter().skip(1).take(8).map(place).collect();
    let attempts = if failure.attempts > 1 { format!("attempts {}", failure.attempts) } else { String::new() };
    let request = failure.request_id.as_deref().map(|id| format!("request {}", look.shown(id))).unwrap_or_default();
    let rows = [
        ("cause", if drawn.is_some() && short { String::new() } else { cause }),
        ("called", if calls.is_empty() { String::new() } else { format!("from {}", calls.join(", from ")) }),
        ("step", if failure.step.is_empty() { String::new() } else { look.path(&failure.step) }),
        ("outcome", look.shown(&failure.outcome)),
        ("call", look.facts(&[look.shown(&failure.op), request, attempts])),
    ];
    for (name, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        out.push_str(&look.named(name, NAMES, text));
    }
    for hint in &failure.hints {
        out.push_str(&look.named("hint", NAMES, &look.shown(hint)));
    }
    out
}

/// The line with its caret, drawn by miette without a heading of its own.
fn snippet(text: &str, site: &Site, label: &str, look: &Look) -> Option<String> {
    let line_number = usize::try_from(site.line).ok().filter(|line| *line > 0)?;
    let column = usize::try_from(site.column).unwrap_or(1).max(1) - 1;
    // Shown as it stands but for what a terminal would obey, and no wider than the terminal.
    let room = look.width.saturating_sub(12);
    let skipped = if column + 12 > room { column.saturating_sub(room / 2) } else { 0 };
    let cut = |line: &str| super::text::escape(line).chars().skip(skipped).take(room).collect::<String>();
    let shown: Vec<String> = mask(text, look.mark(Mark::Secret)).lines().map(cut).collect();
    let line = shown.get(line_number - 1)?;
    let before: usize = shown[..line_number - 1].iter().map(|line| line.len() + 1).sum();
    let start = line.char_indices().nth(column - skipped).map_or(line.len(), |(at, _)| at);
    let word = |c: char| c.is_alphanumeric() || "_.:".contains(c);
    let length = line[start..].chars().take_while(|c| word(*c)).map(char::len_utf8).sum::<usize>().max(1);
    let length = length.min((line.len() - start).max(1));
    let label = if label.is_empty() { None } else { Some(label.to_owned()) };
    let shot = Shot {
        source: NamedSource::new(super::text::escape(&site.file), shown.join("\n") + "\n"),
        label: LabeledSpan::new(label, before + start, length),
    };
    let theme = theme(look);
    let corner = [theme.characters.ltop, theme.characters.hbar].iter().collect::<String>();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(look.width).with_context_lines(1);
    let mut drawn = String::new();
    handler.with_links(false).render_report(&mut drawn, &shot).ok()?;
    // Above the corner stands miette's heading; ours has been written.
    let body: Vec<&str> = drawn.lines().skip_while(|line| !line.contains(&corner)).collect();
    if body.is_empty() { None } else { Some(format!("{}\n", body.join("\n"))) }
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
