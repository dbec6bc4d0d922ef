//! What fuzzing starts from besides the kept corpus: what stands in the repository anyway.

use std::{fs, path::Path};

use runbook_engine::script::program::Program;
use runbook_state::{sqlite::Sqlite, store::Store};

/// An input: its target, a name, its bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// The seeds of all targets. `root`: the repository.
pub fn all(root: &Path) -> Vec<Seed> {
    let mut seeds = scripts(root);
    for (target, folder, end) in
        [("rehearsal", "runbooks", ".rehearsal.yaml"), ("customer", "runbooks/customers", ".yaml")]
    {
        for (name, bytes) in files(&root.join(folder), end) {
            seeds.push((target, name, bytes));
        }
    }
    seeds.extend(
        fs::read(root.join("modules/src/sandbox/standard.yaml"))
            .ok()
            .map(|b| ("rehearsal", "standard.yaml".to_owned(), b)),
    );
    seeds.extend(journals(root));
    seeds
}

/// The shipped runbooks, their modules, the README's examples; a declaration for the parameters of each.
fn scripts(root: &Path) -> Vec<Seed> {
    let mut found = Vec::new();
    for folder in ["runbooks", "runbooks/lib"] {
        found.extend(files(&root.join(folder), ".rhai"));
    }
    let readme = fs::read_to_string(root.join("README.md")).unwrap_or_default();
    for (n, example) in readme.split("```rhai\n").skip(1).enumerate() {
        let text = example.split("```").next().unwrap_or_default();
        found.push((format!("readme-{n}.rhai"), text.as_bytes().to_vec()));
    }
    let mut seeds: Vec<Seed> = Vec::new();
    for (name, bytes) in found {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((_, rest)) = text.split_once("params(#{")
            && let Some((declared, _)) = rest.split_once("});")
        {
            let values = Program::open(name.trim_end_matches(".rhai"), &[]).and_then(|program| program.params());
            let lines: String = values.unwrap_or_default().iter().map(|spec| format!("{}=x\n", spec.name)).collect();
            let input = format!("const P = params(#{{{declared}}});\n%%\n{lines}%%\nparams: {{}}\n");
            seeds.push(("params", name.clone(), input.into_bytes()));
        }
        seeds.push(("parser", name, bytes));
    }
    seeds
}

/// The journals of earlier versions, one run each.
fn journals(root: &Path) -> Vec<Seed> {
    let copy = tempfile::tempdir().expect("a folder");
    fs::copy(root.join("tests/journals/v0.1.0/runs.db"), copy.path().join("runs.db")).expect("a stored journal");
    let store = Sqlite::open(copy.path()).expect("a stored journal");
    let mut seeds = Vec::new();
    for run in store.runs().unwrap_or_default() {
        let lines = store.journal(&run.id).unwrap_or_default().into_iter();
        let lines: Vec<String> = lines.filter_map(|entry| serde_json::to_string(&entry.record).ok()).collect();
        seeds.push(("journal", format!("{}-{}", run.runbook, &run.id[..4]), lines.join("\n").into_bytes()));
    }
    seeds
}

/// The files of a folder whose names end so, sorted.
fn files(folder: &Path, end: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, fs::read(entry.path()).ok()?)));
    let mut found: Vec<_> = named.filter(|(name, _)| name.ends_with(end)).collect();
    found.sort();
    found
}
