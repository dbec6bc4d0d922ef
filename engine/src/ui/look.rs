//! How text may look here: width, colour, and which symbols the terminal can show.

use jiff::tz::TimeZone;

/// What the output can show. Colour is never the only signal.
#[derive(Debug, Clone)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// ANSI colours.
    pub color: bool,
    /// Symbols beyond ASCII.
    pub unicode: bool,
    /// The zone of times for people.
    pub zone: TimeZone,
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// A heading or a name.
    Bold,
    /// Of less interest.
    Dim,
    /// Went well.
    Good,
    /// Went wrong.
    Bad,
    /// Needs somebody's eye.
    Warn,
    /// A command to paste.
    Command,
}

/// A symbol with its ASCII stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Open: has parts that are running.
    Open,
    /// To come.
    ToCome,
    /// Parked.
    Parked,
    /// The line down from an open part.
    Guide,
    /// Between the names of a path.
    Under,
    /// Between facts.
    Dot,
    /// From … to.
    To,
    /// Left out.
    More,
    /// Nothing.
    None,
    /// A secret.
    Secret,
    /// Times (a factor).
    Times,
    /// A piece of a bar.
    Bar,
    /// Gives.
    Gives,
}

impl Look {
    /// Plain ASCII without colour, 80 columns, UTC.
    pub fn plain() -> Self {
        Self { width: 80, color: false, unicode: false, zone: TimeZone::UTC }
    }

    /// Colours a text.
    pub fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Good => "32",
            Ink::Bad => "1;31",
            Ink::Warn => "33",
            Ink::Command => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The symbol.
    pub fn mark(&self, mark: Mark) -> &'static str {
        let (symbol, ascii) = match mark {
            Mark::Done => ("✓", "+"),
            Mark::Failed => ("✗", "x"),
            Mark::Open => ("▾", "v"),
            Mark::ToCome => ("○", "o"),
            Mark::Parked => ("‖", "="),
            Mark::Guide => ("│", "|"),
            Mark::Under => (" › ", " > "),
            Mark::Dot => (" · ", " - "),
            Mark::To => ("–", "-"),
            Mark::More => ("…", "..."),
            Mark::None => ("–", "-"),
            Mark::Secret => ("•••", "***"),
            Mark::Times => ("×", "x"),
            Mark::Bar => ("━", "="),
            Mark::Gives => (" → ", " -> "),
        };
        if self.unicode { symbol } else { ascii }
    }

    /// The turning sign of something that runs.
    pub fn spinner(&self, frame: usize) -> &'static str {
        const DOTS: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        const ASCII: [&str; 4] = ["-", "\\", "|", "/"];
        if self.unicode { DOTS[frame % DOTS.len()] } else { ASCII[frame % ASCII.len()] }
    }

    /// The names of a step's key, joined for people: `redis1 › network`.
    pub fn path(&self, key: &str) -> String {
        key.split('/').map(|name| self.shown(name)).collect::<Vec<_>>().join(self.mark(Mark::Under))
    }

    /// Facts in one line: `a · b`. Empty ones are left out.
    pub fn facts(&self, facts: &[String]) -> String {
        let facts: Vec<&str> = facts.iter().map(String::as_str).filter(|fact| !fact.is_empty()).collect();
        facts.join(self.mark(Mark::Dot))
    }
}
