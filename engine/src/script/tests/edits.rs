//! Which steps an edit changed: code counts, comments and white space do not, and what a step calls counts with it.

use std::sync::Arc;

use runbook_state::record::Site;

use super::bed::program;
use crate::{
    run::{
        history::{Step, StepState},
        session::Edits as _,
        version::Version,
    },
    script::fingerprint::Compared,
};

const OLD: &str = "let n = 1;\nstep(\"a\", || n + 1);\nstep(\"b\", || helper(2));\nfn helper(x) { x * 2 }\n";

/// Where a step is called.
fn site(text: &str, name: &str) -> Site {
    let (line, found) = text.lines().enumerate().find(|(_, line)| line.contains(&format!("step(\"{name}\""))).unwrap();
    let column = found.find("step(").unwrap() + 1;
    Site { file: "test.rhai".to_owned(), line: line as u32 + 1, column: column as u32 }
}

/// Whether step `name` is the same code in another text.
fn same(name: &str, new: &str) -> bool {
    let load = |text| Arc::new(program(&[("test.rhai", text)]).unwrap());
    let known = Step {
        attempt: 1,
        site: site(OLD, name),
        version: Version::default(),
        started_ms: 0,
        ended_ms: 0,
        first: 1,
        started: 1,
        state: StepState::Started,
    };
    Compared::new(vec![load(OLD)], load(new)).same_code(name, &known, &site(new, name))
}

#[test]
fn only_code_is_a_change_of_a_step() {
    let told = |new: &str| (same("a", new), same("b", new));
    assert_eq!(told(OLD), (true, true));
    assert_eq!(told(&format!("// a comment\n\n{OLD}")), (true, true));
    assert_eq!(told(&OLD.replace("n + 1", "n  +  1 /* as before */")), (true, true));
    assert_eq!(told(&OLD.replace("n + 1", "n + 2")), (false, true));
    assert_eq!(told(&OLD.replace("x * 2", "x * 3")), (true, false), "what it calls is its code too");
}
