//! The page: one line a figure, the limits beside it. A full run writes the part of each section that it has ended anew.

use std::{fmt::Write as _, path::PathBuf, process::Command};

use crate::{
    SECTIONS, Section,
    bench::{Bench, workspace},
    sheet::Part,
};

const HEAD: &str = "# Reliability

What the program promises was tried, and these are the figures. `cargo catalogue --full` measures them and writes this page; on every change
CI tries a sample of them (`tests/run`). `missed` stands beside a figure that is not what it must be, `not measured`
beside one that was not taken, with the reason.

";

const LIMITS: &str = "## What these figures do not say

* They are of the built-in sandbox and of emulators, which are not AWS. The sandbox does what the AWS reference says in the cases
  of the conformance suite (`tests/README.md`); no figure here is of a real account.
* A request that is executed by the provider later than the settle time (120 s) after its process died cannot be prevented from making
  a second resource where the provider has no idempotency token; it can only be found afterwards.
* Whoever is root on the machine, or runs programs as the same user, can read secrets in memory. Core files are forbidden (the limit is
  0); a system that hands core dumps to a program may ignore that limit.
* A state directory that was copied to a second machine is not locked against the first: both use the same tokens, and each looks for
  what the other has made before it makes it, which bounds the harm.
";

/// Writes the sheet and says where: RELIABILITY.md of a full run, below the target directory of a sample, nowhere of one case.
/// A full run keeps the sections that it has not measured.
pub fn write(bench: &Bench, parts: &[Part]) -> Result<Option<PathBuf>, String> {
    if bench.case().is_some() {
        return Ok(None);
    }
    let path = if bench.full() { workspace().join("RELIABILITY.md") } else { bench.folder().join("RELIABILITY.md") };
    let before = if bench.full() { std::fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        let fresh = parts.iter().find(|part| part.section.name == section.name).map(|part| block(bench, part));
        let told = fresh.or_else(|| kept(&before, section.name));
        page.push_str(&told.unwrap_or_else(|| if bench.full() { missing(section) } else { String::new() }));
    }
    page.push_str(LIMITS);
    let folder = path.parent().unwrap_or(&path);
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, page)).map_err(|error| error.to_string())?;
    Ok(Some(path))
}

fn begin(name: &str) -> String {
    format!("<!-- {name}: begin -->\n")
}

fn end(name: &str) -> String {
    format!("<!-- {name}: end -->\n\n")
}

/// A section's part of the page as it was.
fn kept(page: &str, name: &str) -> Option<String> {
    let from = page.find(&begin(name))?;
    let to = page[from..].find(&end(name))? + from + end(name).len();
    Some(page[from..to].to_owned())
}

/// The place of a section that was never run to its end.
fn missing(section: &Section) -> String {
    let (begin, end) = (begin(section.name), end(section.name));
    format!(
        "{begin}## {}\n\n{}\n\nNot measured: no full run of it was brought to its end yet.\n{end}",
        section.title, section.how
    )
}

fn block(bench: &Bench, part: &Part) -> String {
    let section = part.section;
    let mut text = format!("{}## {}\n\n{}\n\n", begin(section.name), section.title, section.how);
    text.push_str("| | figure | target | measured | |\n|---|---|---|---|---|\n");
    for figure in &part.figures {
        let (measured, mark) = match (&figure.measured, figure.good) {
            (Err(why), _) => (format!("not measured: {why}"), ""),
            (Ok(measured), Some(false)) => (measured.clone(), "missed"),
            (Ok(measured), Some(true)) => (measured.clone(), "held"),
            (Ok(measured), None) => (measured.clone(), ""),
        };
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let (name, target, measured) = (cell(&figure.name), cell(&figure.target), cell(&measured));
        let _text = writeln!(text, "| {} | {name} | {target} | {measured} | {mark} |", figure.id);
    }
    for failure in &part.failures {
        let _text = writeln!(text, "\nFailed: {failure}");
    }
    for limit in section.limits {
        let _text = writeln!(text, "\nLimit: {limit}");
    }
    let size = if bench.full() { "full run" } else { "sample" };
    let (seconds, seed, commit, date) = (
        part.took.as_secs(),
        bench.seed(),
        told("git", &["rev-parse", "--short", "HEAD"]),
        told("date", &["-u", "+%F"]),
    );
    let _text = writeln!(
        text,
        "\nMeasured {date} at {commit}: {size}, seed {seed}, {seconds} s with {} trials side by side.",
        bench.workers()
    );
    text.push_str(&end(section.name));
    text
}

fn told(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(workspace()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
