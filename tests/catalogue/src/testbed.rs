//! Figures of the tests on the testbed: those sections run one test, which prints them.

use std::process::Stdio;

use serde_json::Value;

use crate::{
    bench::{Bench, cargo},
    sheet::Part,
};

/// What a test printed, whether it held or not.
pub struct Printed {
    figures: Value,
    text: String,
}

/// Runs the test that prints a line of JSON after this word; None, and the part has failed: it prints none.
pub fn printed(bench: &Bench, part: &mut Part, test: &str, word: &str, trials: usize) -> Option<Printed> {
    let mut command = cargo("test");
    command.args(["--quiet", "--workspace", "--test", "testbed", "--", test, "--nocapture"]);
    command.env("RUNBOOK_TESTBED", "required").env("RUNBOOK_TRIALS", trials.to_string());
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures = text.lines().find_map(|line| serde_json::from_str(line.strip_prefix(word)?.trim_start()).ok());
    if figures.is_none() {
        part.failed(bench, word, &format!("{text}\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Some(Printed { figures: figures?, text })
}

impl Printed {
    /// A figure; 0 when it is missing.
    pub fn figure(&self, name: &str) -> usize {
        self.figures[name].as_u64().and_then(|figure| usize::try_from(figure).ok()).unwrap_or(0)
    }

    /// Everything that it printed.
    pub fn text(&self) -> &str {
        &self.text
    }
}
