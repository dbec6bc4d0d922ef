//! Golden files: reviewed by people, compared by tests. RUNBOOK_GOLDEN=write writes them anew.

use std::{fs, path::PathBuf};

/// Insists that the lines are those of the golden file of that name, and otherwise names the first that differ.
pub fn same(name: &str, lines: &[String]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/live/golden").join(name);
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    if std::env::var("RUNBOOK_GOLDEN").is_ok_and(|how| how == "write") {
        fs::write(&path, &text).expect("the golden file can be written");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    if golden == text {
        return;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (golden.lines().collect(), text.lines().collect());
    panic!(
        "{} differs (RUNBOOK_GOLDEN=write accepts it)\nmissing: {:#?}\nnew: {:#?}",
        path.display(),
        without(&old, &new),
        without(&new, &old)
    );
}

/// The lines of `all` that `other` lacks, equal lines counted.
fn without<'a>(all: &[&'a str], other: &[&str]) -> Vec<&'a str> {
    let mut other = other.to_vec();
    let taken = |line: &&&str| match other.iter().position(|o| o == *line) {
        Some(at) => {
            other.remove(at);
            false
        }
        None => true,
    };
    all.iter().filter(taken).copied().collect()
}
