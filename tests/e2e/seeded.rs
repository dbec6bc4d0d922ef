//! What is shipped has neither crash points nor seeded faults: nothing of them is in the binary.

use std::process::Command;

/// Whether a text stands in the program; grep, since a debug build of such a search would take minutes.
fn is_there(text: &str) -> bool {
    let searched = Command::new("grep").args(["-qaF", "-e", text, env!("CARGO_BIN_EXE_runbook")]).status();
    match searched.expect("grep").code() {
        Some(0) => true,
        Some(1) => false,
        other => panic!("grep ended with {other:?}"),
    }
}

#[test]
fn no_seeded_trouble_is_in_the_program() {
    for name in ["RUNBOOK_CRASH", "RUNBOOK_CRASH_TRACE", "RUNBOOK_CRASH_SIGNAL", "RUNBOOK_CRASH_SENT", "RUNBOOK_MUTANT"]
    {
        assert!(!is_there(name), "{name}");
    }
    for mutant in ["no-fence", "random-token", "synchronous-off", "skip-look-up"] {
        assert!(!is_there(mutant), "{mutant}");
    }
    assert!(is_there("RUNBOOK_STATE"), "the search finds what is there");
}
