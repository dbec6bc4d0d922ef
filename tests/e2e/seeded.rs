//! What is shipped has neither crash points nor seeded faults: nothing of them is in the binary.

/// How often bytes stand in the program.
fn count(needle: &str) -> usize {
    let program = std::fs::read(env!("CARGO_BIN_EXE_runbook")).expect("the program");
    program.windows(needle.len()).filter(|window| *window == needle.as_bytes()).count()
}

#[test]
fn no_seeded_trouble_is_in_the_program() {
    // Built out of parts, so that this test does not find itself if it is ever linked in.
    for name in ["CRASH", "CRASH_TRACE", "MUTANT"] {
        assert_eq!(count(&format!("RUNBOOK_{name}")), 0, "RUNBOOK_{name}");
    }
    for mutant in ["no-fence", "random-token", "synchronous-off", "skip-look-up"] {
        assert_eq!(count(mutant), 0, "{mutant}");
    }
    assert!(count("RUNBOOK_STATE") > 0, "the search finds what is there");
}
