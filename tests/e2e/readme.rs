//! What the README shows works.

use crate::harness::Place;

const README: &str = include_str!("../../README.md");

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = README.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("```").next().expect("an end")).collect()
}

#[test]
fn its_scripts_run_and_are_undone() {
    let scripts = blocks("rhai");
    assert!(!scripts.is_empty(), "the README shows a script");
    for script in scripts {
        let place = Place::new();
        place.write("first.rhai", script);
        place.expect(0, ["check", "first.rhai"]);
        place.expect(0, ["run", "first.rhai", "--sandbox", "--speed", "0"]);
        place.expect(0, ["undo", "latest", "--yes"]);
    }
}

#[test]
fn its_commands_exist() {
    let help = Place::new().expect(0, ["--help"]).out;
    let table = README.split("## Commands").nth(1).expect("a section").split("\n## ").next().expect("a section");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let names = rows.flat_map(|line| line.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2));
    let mut seen = 0;
    for name in names.filter_map(|command| command.split_whitespace().next()) {
        assert!(help.lines().any(|line| line.trim_start().starts_with(name)), "no command {name} in:\n{help}");
        seen += 1;
    }
    assert!(seen > 10, "{seen} commands");
}
