//! What holds of everything that a person is shown.

use runbook_engine::{
    cli::explain,
    error::Failure,
    ui::{failure::draw, look::Look},
};
use runbook_state::store::File;

/// A failure has a code with a page, says something, and points into a file of the runbook. It is no bug of ours.
pub fn failure(failure: &Failure, files: &[File]) {
    assert!(explain::page(&failure.code).is_some(), "{} has no page: {failure:?}", failure.code);
    assert!(!failure.code.starts_with("RB09"), "a bug: {failure:?}");
    assert!(!failure.message.trim().is_empty(), "nothing is said: {failure:?}");
    for site in &failure.sites {
        let file = files.iter().find(|file| file.name == site.file);
        let file = file.unwrap_or_else(|| panic!("{} is no file of the runbook: {failure:?}", site.file));
        let text = String::from_utf8_lossy(&file.content);
        let lines = text.split('\n').count();
        assert!(site.line as usize <= lines, "line {} of {lines}: {failure:?}", site.line);
        let Some(line) = text.split('\n').nth((site.line as usize).saturating_sub(1)) else { continue };
        // Where a script leaves no room, what follows is told to stand two columns further right (`script/respell.rs`).
        let room = line.chars().count() + 1 + 2 * line.matches('=').count();
        assert!(site.column as usize <= room, "column {} of {room}: {failure:?}", site.column);
    }
    let source = |name: &str| {
        let file = files.iter().find(|file| file.name == name)?;
        String::from_utf8(file.content.clone()).ok()
    };
    for look in [Look::plain(), Look { unicode: true, width: 40, ..Look::plain() }] {
        let drawn = draw(failure, &source, &look);
        assert!(drawn.contains(&failure.code), "the code is not shown: {drawn}");
        shown(&drawn);
    }
}

/// A text on a terminal has nothing that a terminal would obey, and no placeholder of a secret.
pub fn shown(text: &str) {
    let obeyed = text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(obeyed, None, "a terminal would obey: {text:?}");
    assert!(!text.contains("{{secret:"), "a placeholder is shown: {text:?}");
}
