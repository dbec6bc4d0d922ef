//! Text made safe and of the right length: control characters escaped, secrets masked, widths measured, times in words.

use runbook_state::record::Site;
use unicode_width::UnicodeWidthChar;

use super::look::{Ink, Look, Mark};

const SECRET: &str = "{{secret:";

impl Look {
    /// A text from outside as it may be shown: secrets masked, control and direction characters escaped, on one line.
    pub fn shown(&self, text: &str) -> String {
        escape(&mask(text, self.mark(Mark::Secret)))
    }

    /// Cuts a text (without colours) to a width, saying so.
    pub fn fit(&self, text: &str, width: usize) -> String {
        if measure(text) <= width {
            return text.to_owned();
        }
        let more = self.mark(Mark::More);
        let room = width.saturating_sub(measure(more));
        let mut used = 0;
        let mut out = String::new();
        for c in text.chars() {
            used += c.width().unwrap_or(0);
            if used > room {
                break;
            }
            out.push(c);
        }
        out.push_str(more);
        if measure(&out) > width { ".".repeat(width) } else { out }
    }

    /// Cuts or fills a text (without colours) to exactly a width.
    pub fn pad(&self, text: &str, width: usize) -> String {
        let text = self.fit(text, width);
        let gap = width.saturating_sub(measure(&text));
        format!("{text}{}", " ".repeat(gap))
    }

    /// `name     text`: a name in a column of its own, the text broken at spaces under itself.
    pub fn named(&self, name: &str, column: usize, text: &str) -> String {
        let room = self.width.saturating_sub(column + 1).max(20);
        let mut lines: Vec<String> = vec![String::new()];
        for word in text.split(' ') {
            match lines.last_mut() {
                Some(line) if line.is_empty() || measure(line) + 1 + measure(word) <= room => {
                    if !line.is_empty() {
                        line.push(' ');
                    }
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        let name = self.ink(Ink::Bold, &self.pad(name, column));
        format!("{name}{}\n", lines.join(&format!("\n{}", " ".repeat(column))))
    }

    /// A time of day.
    pub fn time_of_day(&self, at_ms: i64) -> String {
        jiff::Timestamp::from_millisecond(at_ms)
            .map(|at| at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string())
            .unwrap_or_default()
    }
}

/// Columns that a text (without colours) takes.
pub fn measure(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Control characters, direction marks and other invisible ones as `\u{…}`; a line break as `\n`, a tab as a space.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            c if invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Puts a mask in place of every secret's placeholder, broken ones too.
pub fn mask(text: &str, with: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(SECRET) {
        out.push_str(&rest[..start]);
        out.push_str(with);
        let inside = &rest[start + SECRET.len()..];
        rest = inside.find("}}").map_or("", |end| &inside[end + 2..]);
    }
    out + rest
}

/// A length of time as a clock shows it: `0:04`, `23:10`, `1:02:03`.
pub fn clock(ms: i64) -> String {
    let seconds = (ms.max(0) + 500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A short length of time: `0.4 s`, `12 s`, then as a clock.
pub fn brief(ms: i64) -> String {
    match ms.max(0) {
        ms if ms < 9_950 => format!("{}.{} s", (ms + 50) / 1000, (ms + 50) % 1000 / 100),
        ms if ms < 59_500 => format!("{} s", (ms + 500) / 1000),
        ms => clock(ms),
    }
}

/// A rough length of time: `40 s`, `2 min`, `3 h`, `5 days`.
pub fn rough(ms: i64) -> String {
    let seconds = (ms.max(0) + 500) / 1000;
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", (seconds + 30) / 60),
        5_400..129_600 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => plural(u64::try_from((seconds + 43_200) / 86_400).unwrap_or(0), "day"),
    }
}

/// How long ago, for lists: `2 h ago`, `yesterday`, `3 days ago`.
pub fn ago(ms: i64) -> String {
    match ms.max(0) / 1000 {
        0..10 => "just now".to_owned(),
        86_400..129_600 => "yesterday".to_owned(),
        _ => format!("{} ago", rough(ms)),
    }
}

/// `1 effect`, `2 effects`, `3 policies`, `4 addresses`.
pub fn plural(count: u64, noun: &str) -> String {
    if count == 1 {
        return format!("1 {noun}");
    }
    let before_y = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) => format!("{count} {stem}ies"),
        None if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => format!("{count} {noun}es"),
        None => format!("{count} {noun}s"),
    }
}

/// `lib/network.rhai:12:3`.
pub fn place(site: &Site) -> String {
    match (site.line, site.column) {
        (0, _) => escape(&site.file),
        (line, 0) => format!("{}:{line}", escape(&site.file)),
        (line, column) => format!("{}:{line}:{column}", escape(&site.file)),
    }
}

/// A word as a shell takes it: quoted when it needs to be.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(escape("a\u{1b}[31mb\u{202e}c\nd\u{7}"), "a\\u{1b}[31mb\\u{202e}c\\nd\\u{7}");
        assert_eq!(escape("é 漢 ✓"), "é 漢 ✓");
    }

    #[test]
    fn masks_every_placeholder() {
        assert_eq!(mask("a {{secret:p:0123}} b {{secret:q|base64:ff}}c", "***"), "a *** b ***c");
        assert_eq!(mask("cut {{secret:p:01", "***"), "cut ***");
    }

    #[test]
    fn cuts_by_columns() {
        let look = Look { unicode: true, ..Look::plain() };
        assert_eq!(look.fit("漢字漢字", 5), "漢字…");
        assert_eq!(look.pad("ab", 4), "ab  ");
        assert_eq!(Look::plain().fit("abcdef", 5), "ab...");
        assert_eq!(Look::plain().fit("abcdef", 2), "..");
    }

    #[test]
    fn says_times() {
        assert_eq!([clock(4_000), clock(1_390_000), clock(3_723_000)], ["0:04", "23:10", "1:02:03"]);
        assert_eq!([brief(412), brief(12_000), brief(161_000)], ["0.4 s", "12 s", "2:41"]);
        assert_eq!(
            [rough(40_000), rough(130_000), rough(7_200_000), rough(260_000_000)],
            ["40 s", "2 min", "2 h", "3 days"]
        );
        assert_eq!(ago(90_000_000), "yesterday");
    }

    #[test]
    fn quotes_for_a_shell() {
        assert_eq!(quoted("redis1/network/vpc"), "redis1/network/vpc");
        assert_eq!(quoted("redis in cluster 1"), "'redis in cluster 1'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
