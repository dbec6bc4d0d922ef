//! A script's text through all that `runbook check` does: compiling, the checks, the declaration of its parameters.
//!
//! The input is the root file. A line `//// NAME` begins another file of the runbook; shipped files that are named are there too.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use rhai::{Engine, OptimizationLevel};
use runbook_engine::{
    error::Failure,
    script::program::{Compared, Limits, Program},
    targets,
};
use runbook_modules::table::Table;
use runbook_state::store::File;

use super::told;

/// The root file.
pub const ROOT: &str = "s.rhai";

static TABLE: LazyLock<Arc<Table>> = LazyLock::new(targets::table);

static SHIPPED: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let programs = Program::names(&[]).into_iter().filter_map(|name| Program::open(&name, &[]).ok());
    let files = programs.flat_map(|program| program.files().to_vec());
    files.filter(|file| file.name.starts_with("lib/")).map(|file| (file.name, file.content)).collect()
});

/// So little that a script which does nothing useful is soon over; time is not looked at, so that twice gives the same.
pub fn limits() -> Limits {
    Limits {
        operations: 20_000,
        deadline: Duration::from_secs(3600),
        memory: 64 << 20,
        text: 1 << 16,
        list: 10_000,
        map: 10_000,
        ..Limits::default()
    }
}

/// Reads it and insists:
///
/// * every mistake is told as [`told::failure`] wants it, also the one for which it cannot be read at all;
/// * checked twice, and read twice, it gives the same;
/// * what plain Rhai parses is parsed, what it does not parse is not, and the line of the mistake is the same;
/// * compared with itself no file has changed.
pub fn run(data: &[u8]) {
    let files = files(data);
    let read = || Program::within(&files, limits());
    let program = match read() {
        Ok(program) => program,
        Err(failure) => {
            told::failure(&failure, &files);
            assert_eq!(read().err().as_ref(), Some(&failure), "read twice it is told otherwise");
            return as_rhai(&files, Some(&failure));
        }
    };
    as_rhai(&files, None);
    let found = program.check(&TABLE);
    let declared = program.params();
    found.iter().chain(declared.as_ref().err()).for_each(|failure| told::failure(failure, &files));
    assert_eq!(program.check(&TABLE), found, "checked twice it is told otherwise");
    let again = Arc::new(read().expect("it was read a moment ago"));
    assert_eq!(again.check(&TABLE), found, "read twice it is told otherwise");
    assert_eq!(again.params(), declared, "read twice it declares other parameters");
    let changed = Compared::new(vec![Arc::new(program)], again).changed_files();
    assert!(changed.is_empty(), "changed without an edit: {changed:?}");
}

/// The files of an input, the root first.
pub fn files(data: &[u8]) -> Vec<File> {
    let mut files = vec![File { name: ROOT.to_owned(), content: Vec::new() }];
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let name = line.strip_prefix(b"//// ").and_then(|name| std::str::from_utf8(name).ok()).map(str::trim);
        if let Some(name) = name.filter(|name| files.iter().all(|file| file.name != *name)) {
            files.push(File { name: name.to_owned(), content: Vec::new() });
        } else if let Some(file) = files.last_mut() {
            file.content.extend_from_slice(line);
        }
    }
    let mut next = 0;
    while let Some(file) = files.get(next) {
        let text = String::from_utf8_lossy(&file.content).into_owned();
        for (name, content) in SHIPPED.iter() {
            let known = files.iter().any(|file| file.name == *name);
            if !known && text.contains(name.trim_end_matches(".rhai")) {
                files.push(File { name: name.clone(), content: content.clone() });
            }
        }
        next += 1;
    }
    files
}

/// The root as plain Rhai reads it, beside what became of it here.
fn as_rhai(files: &[File], ours: Option<&Failure>) {
    let Ok(text) = std::str::from_utf8(&files[0].content) else {
        return assert!(ours.is_some(), "what is no text was read");
    };
    let root = |failure: &&Failure| failure.sites.first().is_some_and(|site| site.file == ROOT);
    let syntax = ours.filter(|failure| failure.code == "RB0102").filter(root);
    // Of a switch and of a computed key we make one more operation, and only we look how lines end.
    let stricter =
        |failure: &Failure| ["complexity", "carriage return"].iter().any(|why| failure.message.contains(why));
    match (plain().compile(text), syntax) {
        (Ok(_), Some(failure)) => assert!(stricter(failure), "plain Rhai reads it: {failure:?}"),
        (Err(error), _) => {
            let ours = ours.unwrap_or_else(|| panic!("plain Rhai does not read it: {error:?}"));
            let line = ours.sites.first().map(|site| site.line as usize);
            if !stricter(ours) && !error.1.is_none() {
                assert_eq!(line, error.1.line(), "the mistake is told elsewhere: {error:?}, {ours:?}");
            }
        }
        (Ok(_), None) => {}
    }
}

fn plain() -> Engine {
    let (mut engine, limits) = (Engine::new_raw(), limits());
    engine
        .set_max_call_levels(limits.calls)
        .set_max_expr_depths(limits.expressions, limits.expressions)
        .set_max_string_size(limits.text)
        .set_max_array_size(limits.list)
        .set_max_map_size(limits.map)
        .set_max_variables(2_000)
        .set_max_functions(4_000)
        .set_max_modules(limits.files)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .set_optimization_level(OptimizationLevel::None);
    engine.disable_symbol("eval");
    engine
}
