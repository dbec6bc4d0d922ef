//! `runbook explain CODE`

use clap::Args;
use include_dir::{Dir, include_dir};

use super::{context::Context, error::Problem, exit::Exit};

/// One page for each code.
static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/errors");

/// Explain an error code, e.g. RB0412.
#[derive(Debug, Args)]
pub struct Explain {
    /// The code; without one, all codes are listed.
    pub code: Option<String>,
}

/// Prints the page.
///
/// # Errors
/// RB0209 for a code that there is not.
pub fn run(context: &Context, args: &Explain) -> Result<Exit, Problem> {
    let Some(code) = &args.code else {
        let mut titles: Vec<&str> = pages().filter_map(|(_, text)| text.lines().next()).collect();
        titles.sort_unstable();
        let list: String = titles.iter().map(|title| title.trim_start_matches("# ").to_owned() + "\n").collect();
        context.answer(&list);
        return Ok(Exit::Ok);
    };
    let wanted = code.to_uppercase();
    match page(&wanted) {
        Some(text) => {
            context.answer(text);
            Ok(Exit::Ok)
        }
        None => {
            let nearest = runbook_modules::input::nearest(&wanted, pages().map(|(name, _)| name));
            let problem = Problem::usage("RB0209", format!("there is no error code {code}"));
            Err(if nearest.is_empty() { problem } else { problem.hint(format!("near it: {}", nearest.join(", "))) }
                .next("runbook explain"))
        }
    }
}

/// The page of a code.
pub fn page(code: &str) -> Option<&'static str> {
    pages().find(|(name, _)| *name == code).map(|(_, text)| text)
}

fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES.files().filter_map(|file| {
        let name = file.path().file_stem()?.to_str()?;
        name.starts_with("RB").then_some((name, file.contents_utf8()?))
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    /// Every code that a source file below a folder names in quotes.
    fn codes(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                codes(&path, into);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let quoted = text.split('"').filter(|part| part.len() == 6 && part.starts_with("RB"));
                let digits = |code: &&str| code[2..].bytes().all(|byte| byte.is_ascii_digit());
                into.extend(quoted.filter(digits).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_code_has_a_page_and_every_page_its_title() {
        let mut used = BTreeSet::new();
        codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        let known: BTreeSet<String> = pages().map(|(name, _)| name.to_owned()).collect();
        let missing: Vec<&String> = used.difference(&known).collect();
        assert!(missing.is_empty(), "without a page: {missing:?}");
        assert!(pages().all(|(name, text)| text.starts_with(&format!("# {name}: "))));
    }
}
