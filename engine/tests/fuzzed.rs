//! What fuzzing found and kept, once more: every file of `tests/fuzz/corpus` and every seed through the same functions, without libFuzzer.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread,
};

use fuzz::{TARGETS, Target, seeds};

#[path = "../../tests/fuzz/src/lib.rs"]
mod fuzz;

/// A main thread's stack, on which the program itself reads a script.
const STACK: usize = 8 << 20;
/// The kept corpus stays small, in bytes.
const LARGEST: u64 = 200 << 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn kept(target: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    files.sort();
    files
}

/// Replays inputs, by name, and gives those at which something did not hold.
fn replayed((name, run): Target, inputs: Vec<(String, Vec<u8>)>) -> Vec<String> {
    let all = move || {
        let wrong = |(input, bytes): (String, Vec<u8>)| {
            catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_err().then(|| format!("{name}: {input}"))
        };
        inputs.into_iter().filter_map(wrong).collect()
    };
    thread::Builder::new().stack_size(STACK).spawn(all).unwrap().join().unwrap()
}

#[test]
fn the_kept_corpus_holds() {
    let mut wrong = Vec::new();
    for target in TARGETS {
        let files = kept(target.0);
        assert!(!files.is_empty(), "no corpus for {}", target.0);
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inputs = files.iter().map(|path| (name(path), fs::read(path).unwrap())).collect();
        wrong.extend(replayed(target, inputs));
    }
    assert!(wrong.is_empty(), "what did not hold is told above: {wrong:?}");
}

#[test]
fn the_seeds_hold() {
    let seeds = seeds::all(&root());
    let mut wrong = Vec::new();
    for target in TARGETS {
        let own = seeds.iter().filter(|(name, ..)| *name == target.0);
        let inputs: Vec<_> = own.map(|(_, name, bytes)| (name.clone(), bytes.clone())).collect();
        assert!(!inputs.is_empty() || target.0 == "database", "no seed for {}", target.0);
        wrong.extend(replayed(target, inputs));
    }
    assert!(wrong.is_empty(), "what did not hold is told above: {wrong:?}");
}

#[test]
fn the_corpus_is_small_and_every_target_is_one() {
    let size: u64 = TARGETS.iter().flat_map(|(name, _)| kept(name)).map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(size <= LARGEST, "{size} bytes");
    for (name, _) in TARGETS {
        assert!(root().join(format!("tests/fuzz/fuzz_targets/{name}.rs")).is_file(), "{name}");
    }
}
