//! YAML that somebody else wrote is looked at before it is parsed: the parser needs a time that grows with the square of two things,
//! and looks at its own limits only when it is done.

/// Lists and maps in brackets may stand in each other so deep; libyaml itself has this limit since 0.2.5, its port has not.
const DEEPEST: usize = 1_000;
/// `%TAG` and the like.
const DIRECTIVES: usize = 100;
/// What ends a line in YAML, beside a line feed.
const BREAKS: [char; 4] = ['\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Insists that a text is parsed in a time that grows with its length. Brackets inside of quotes are counted too: a text of which
/// a thousand stay open is no file that a person wrote.
///
/// # Errors
/// In a few words, what there is too much of, with the line.
pub fn bounded(text: &str) -> Result<(), String> {
    let (mut open, mut directives) = (0_usize, 0);
    for (number, line) in text.lines().enumerate() {
        directives += line.split(BREAKS).filter(|line| line.starts_with('%')).count();
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > DEEPEST {
                return Err(format!("more than {DEEPEST} brackets in each other at line {}", number + 1));
            }
        }
        if directives > DIRECTIVES {
            return Err(format!("more than {DIRECTIVES} directives at line {}", number + 1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::bounded;

    #[test]
    fn what_takes_the_square_of_its_length_is_refused() {
        let nested = format!("a:\n  b: {}", "{a: ".repeat(1_001));
        assert_eq!(bounded(&nested), Err("more than 1000 brackets in each other at line 2".to_owned()));
        let tags = "%TAG !a! b\n".repeat(101);
        assert_eq!(bounded(&tags), Err("more than 100 directives at line 101".to_owned()));
        for ending in ["\r", "\u{85}", "\u{2028}", "\u{2029}"] {
            let tags = format!("%TAG !a! b{ending}").repeat(101);
            assert_eq!(bounded(&tags), Err("more than 100 directives at line 1".to_owned()));
        }
    }

    #[test]
    fn long_texts_are_let_through() {
        assert_eq!(bounded(&"- {a: [1, 2]}\n".repeat(10_000)), Ok(()));
        assert_eq!(bounded(&"key: \"]\"\n".repeat(10_000)), Ok(()));
    }
}
