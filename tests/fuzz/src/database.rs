//! A journal on the disk whose bytes are damaged.
//!
//! The input is a list of damages to `tests/journals/v0.1.0/runs.db`, five bytes each: where (a number of 32 bits, the smallest byte
//! first, counted around the file), and what stands there instead. A place with its highest bit set cuts the file there.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use runbook_state::{
    error::Result,
    sqlite::Sqlite,
    store::{Entry, Store},
};

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| fs::read(sound()).expect("the journal of v0.1.0"));

static MEANING: LazyLock<BTreeMap<String, Vec<Entry>>> = LazyLock::new(|| {
    let journals = meaning(&SOUND).expect("it is sound");
    journals.into_iter().map(|(id, journal)| (id, journal.expect("it is sound"))).collect()
});

fn sound() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let stored = above.map(|folder| folder.join("tests/journals/v0.1.0/runs.db"));
    stored.into_iter().find(|file| file.is_file()).expect("the journal of v0.1.0")
}

/// Opens it and insists that every journal that can be read is the one that was written.
pub fn run(data: &[u8]) {
    let mut bytes = SOUND.clone();
    for damage in data.as_chunks::<5>().0.iter().take(64) {
        let place = u32::from_le_bytes([damage[0], damage[1], damage[2], damage[3]]);
        let at = (place & 0x7fff_ffff) as usize % SOUND.len();
        if place >> 31 == 1 {
            bytes.truncate(at);
        } else if let Some(byte) = bytes.get_mut(at) {
            *byte = damage[4];
        }
    }
    let Ok(journals) = meaning(&bytes) else { return };
    for (id, journal) in journals {
        if let Ok(journal) = journal {
            assert_eq!(Some(&journal), MEANING.get(&id), "run {id} reads otherwise, without an error");
        }
    }
}

type Journals = BTreeMap<String, Result<Vec<Entry>>>;

/// The runs of a file's bytes, each with its journal.
fn meaning(bytes: &[u8]) -> Result<Journals> {
    FOLDER.with(|folder| read(folder.path(), bytes))
}

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
}

fn read(folder: &Path, bytes: &[u8]) -> Result<Journals> {
    let file = folder.join("runs.db");
    for beside in ["runs.db-wal", "runs.db-shm", "runs.db-journal"] {
        // Most of them are not there.
        let _ = fs::remove_file(folder.join(beside));
    }
    // The same file again and again: the store keeps every file open that it has looked into.
    fs::write(&file, bytes).expect("room for a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
    let store = Sqlite::open(folder)?;
    let runs = store.runs()?;
    Ok(runs.into_iter().map(|run| (run.id.clone(), store.journal(&run.id))).collect())
}
