//! Writes the seeds of a target into the folder that RUNBOOK_SEEDS names, before libFuzzer looks there.

use std::{fs, path::Path};

pub fn write(target: &str) {
    let Some(folder) = std::env::var_os("RUNBOOK_SEEDS") else { return };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder).expect("a folder for the seeds");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (_, name, bytes) in runbook_fuzz::seeds::all(&root).into_iter().filter(|(own, ..)| *own == target) {
        fs::write(folder.join(name), bytes).expect("room for the seeds");
    }
}
