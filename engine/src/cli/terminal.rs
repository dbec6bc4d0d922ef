//! The terminal: what it can show, questions, and the key `t` while a run goes on.

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _},
    sync::{Mutex, PoisonError},
};

use jiff::tz::TimeZone;
use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use super::{error::Problem, options::Color};
use crate::ui::{look::Look, out};

/// The terminal's settings before [`watch_keys`] changed them.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// What text on a stream may look like.
pub fn look(stream: &impl std::os::fd::AsFd, terminal: bool, color: Color) -> Look {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !set("NO_COLOR") && !dumb,
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let size = termios::tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    Look { width: size.or(columns).unwrap_or(80).clamp(40, 200), color, unicode: unicode(), zone: TimeZone::system() }
}

/// The terminal's height.
pub fn height() -> usize {
    termios::tcgetwinsize(std::io::stderr()).map_or(24, |size| usize::from(size.ws_row)).max(8)
}

/// Whether a moving picture can be drawn on standard error.
pub fn can_move() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn unicode() -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Whether somebody can be asked.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line; what is typed must be `expected`.
///
/// # Errors
/// RB0206 when nobody can be asked (naming the flag), or the answer is another.
pub fn ask(question: &str, expected: &[&str], flag: &str) -> Result<String, Problem> {
    if !can_ask() {
        return Err(Problem::usage("RB0206", "failed to ask: there is no terminal")
            .hint(format!("{flag} goes on without asking")));
    }
    out::say(question);
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    let line = line.trim();
    match read {
        Ok(_) if expected.contains(&line) => Ok(line.to_owned()),
        _ => Err(Problem::usage("RB0206", "not confirmed; nothing was done")),
    }
}

/// Calls `tell` whenever `t` is typed, if the terminal is ours to read. [`restore`] puts its settings back.
pub fn watch_keys(tell: impl Fn() + Send + 'static) {
    let stdin = std::io::stdin();
    let ours = termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp());
    let Ok(before) = termios::tcgetattr(&stdin) else { return };
    if !ours || !can_ask() {
        return;
    }
    let mut single = before.clone();
    single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    if termios::tcsetattr(&stdin, OptionalActions::Now, &single).is_err() {
        return;
    }
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    // The thread waits for keys until the process ends.
    std::thread::spawn(move || {
        for byte in std::io::stdin().lock().bytes() {
            match byte {
                Ok(b't' | b'T') => tell(),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
}

/// Puts the terminal's settings back.
pub fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that has gone needs nothing back.
        let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
    }
}
