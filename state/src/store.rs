//! The narrow trait through which the engine reaches the store, and the rows it gives back.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    error::{Holder, Result},
    record::{EffectKey, Owned, Record},
};

/// A run's row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// 128 random bits, 32 lower-hex characters.
    pub id: String,
    /// The runbook's name, e.g. `redis-ha`.
    pub runbook: String,
    /// The customer file's name, if any.
    pub customer: Option<String>,
    /// `sandbox` or `aws`.
    pub target: String,
    /// Region, speed and the like, as the command line gave them: a resume needs them again.
    pub settings: Value,
    /// Digest of the root script; the files are in [`Store::run_files`].
    pub script: String,
    /// When it was created, milliseconds since the Unix epoch.
    pub created_ms: i64,
    /// Summary for lists, kept by the store from the journal.
    pub summary: Summary,
}

/// What a list of runs shows. Rebuilt from the journal when it is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The last ending (`record::Ending` as JSON); None while a process drives it, or after one died.
    pub ending: Option<Value>,
    /// Mode of the last `Began`: `run`, `resume`, `undo`.
    pub mode: String,
    /// Steps finished.
    pub steps_done: u32,
    /// Effects done.
    pub effects_done: u32,
    /// Resources in the inventory that are not gone.
    pub owned: u32,
    /// When the last entry was written.
    pub last_ms: i64,
}

/// A run to be created.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// See [`Run::id`].
    pub id: String,
    /// See [`Run::runbook`].
    pub runbook: String,
    /// See [`Run::customer`].
    pub customer: Option<String>,
    /// See [`Run::target`].
    pub target: String,
    /// See [`Run::settings`].
    pub settings: Value,
    /// The script's files.
    pub files: Vec<File>,
    /// See [`Run::created_ms`].
    pub created_ms: i64,
}

/// A stored file of a script: the root first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// As the runbook names it: `redis-ha.rhai`, `lib/network.rhai`, `manifests/x.yaml`.
    pub name: String,
    /// The content.
    pub content: Vec<u8>,
}

/// The version of a script: a digest of the names and contents of all its files, in their order. Journals keep it for ever.
pub fn version(files: &[File]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [file.name.as_bytes(), &file.content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hex::encode(hash.finalize())
}

/// A journal entry with its place and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Place in the run's journal, from 1, without gaps.
    pub seq: u64,
    /// When it was written, milliseconds since the Unix epoch (for people; order comes from `seq`).
    pub at_ms: i64,
    /// The target's time, when that is another (simulated).
    pub sim_ms: Option<i64>,
    /// What.
    pub record: Record,
}

/// An inventory row: what the run owns and what is known of its deletion.
#[derive(Debug, Clone, PartialEq)]
pub struct InventoryRow {
    /// The effect that made it.
    pub effect: EffectKey,
    /// Place of the creating record in the journal.
    pub seq: u64,
    /// The resource.
    pub owned: Owned,
    /// It is gone.
    pub gone: bool,
}

/// The right to drive a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: String,
    /// Rises with every acquisition; every write checks it.
    pub fence: u64,
    /// The holder whose lease was taken over because it was dead.
    pub taken_from: Option<Holder>,
}

/// When a write must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before `append` returns.
    Now,
    /// With the next commit, at the latest a few milliseconds later. In order: never after a later `Now`.
    Soon,
}

/// The store, as the engine sees it.
pub trait Store: Send + Sync {
    /// Creates a run and stores its files, in one commit.
    ///
    /// # Errors
    /// See [`crate::error::Error`]; so for all.
    fn create(&self, run: &NewRun) -> Result<()>;

    /// All runs, newest first.
    ///
    /// # Errors
    /// As all.
    fn runs(&self) -> Result<Vec<Run>>;

    /// One run by its whole id.
    ///
    /// # Errors
    /// As all.
    fn run(&self, id: &str) -> Result<Run>;

    /// A run by unique prefix, or `latest`.
    ///
    /// # Errors
    /// As all.
    fn find(&self, prefix: &str) -> Result<Run>;

    /// The stored files of a run, the root first. With `--edited`, the newest set.
    ///
    /// # Errors
    /// As all.
    fn run_files(&self, id: &str) -> Result<Vec<File>>;

    /// Every script that the run was ever driven with, oldest first; the last one is that of [`Store::run_files`].
    ///
    /// # Errors
    /// `NoSuchRun`, `Damaged` when a content does not fit its digest.
    fn scripts(&self, id: &str) -> Result<Vec<Vec<File>>>;

    /// Replaces the files of a run by an edited set (the old ones stay stored by content).
    ///
    /// # Errors
    /// As all.
    fn set_run_files(&self, lease: &Lease, files: &[File]) -> Result<()>;

    /// The whole journal of a run, its hash chain checked.
    ///
    /// # Errors
    /// `Damaged` names the first entry that does not fit.
    fn journal(&self, id: &str) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.read_journal(id, &mut |entry| entries.push(entry))?;
        Ok(entries)
    }

    /// The same, one entry after the other, never all of it in memory. What was taken counts only when the end was reached. `take` must
    /// not call the store.
    ///
    /// # Errors
    /// As [`Store::journal`].
    fn read_journal(&self, id: &str, take: &mut dyn FnMut(Entry)) -> Result<()>;

    /// The journal's entries after `seq`, unchecked: for following a live run.
    ///
    /// # Errors
    /// As all.
    fn journal_after(&self, id: &str, seq: u64) -> Result<Vec<Entry>>;

    /// Appends records in one commit, in order, the inventory and summary kept in the same commit. Checks the fence and the
    /// legality of every transition in the same transaction. Callers on several threads share commits.
    ///
    /// # Errors
    /// `Fenced` when the lease was taken over, `Illegal`, or the disk's: then nothing was written, and after a disk error nothing more ever is.
    fn append(&self, lease: &Lease, at_ms: i64, sim_ms: Option<i64>, records: Vec<Record>, when: When) -> Result<()>;

    /// Appends a record that needs no lease: `CancelAsked`, `Approved`.
    ///
    /// # Errors
    /// `Illegal` for any other record.
    fn tell(&self, id: &str, at_ms: i64, record: Record) -> Result<()>;

    /// The inventory of a run, oldest first.
    ///
    /// # Errors
    /// As all.
    fn inventory(&self, id: &str) -> Result<Vec<InventoryRow>>;

    /// Takes the lease of a run: free, or its holder dead (same host: no such process, other boot, other start time).
    /// A holder on another host counts as dead when its heartbeat is older than `stale_ms`.
    ///
    /// # Errors
    /// `Held` names the holder.
    fn acquire(&self, id: &str, holder: &Holder, now_ms: i64, stale_ms: i64) -> Result<Lease>;

    /// Renews the heartbeat.
    ///
    /// # Errors
    /// `Fenced` when it was taken over.
    fn renew(&self, lease: &Lease, now_ms: i64) -> Result<()>;

    /// Gives the lease back. All `Soon` writes are on the disk afterwards.
    ///
    /// # Errors
    /// As all.
    fn release(&self, lease: &Lease, now_ms: i64) -> Result<()>;

    /// The live holder of a run's lease, if any, and since when.
    ///
    /// # Errors
    /// As all.
    fn holder(&self, id: &str, now_ms: i64, stale_ms: i64) -> Result<Option<(Holder, i64)>>;

    /// Keeps a sealed secret of a run. The value is ciphertext: this crate never sees a plain one.
    ///
    /// # Errors
    /// As all.
    fn put_secret(&self, id: &str, name: &str, sealed: &[u8]) -> Result<()>;

    /// A sealed secret of a run.
    ///
    /// # Errors
    /// As all.
    fn secret(&self, id: &str, name: &str) -> Result<Option<Vec<u8>>>;

    /// The names of a run's secrets.
    ///
    /// # Errors
    /// As all.
    fn secret_names(&self, id: &str) -> Result<Vec<String>>;
}
