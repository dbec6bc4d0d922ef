//! The oracle: every mutating request that reached the proxy, in order. It is written by the proxy alone, from what came over the
//! wire, and never from what the program under test believes.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use serde_json::Value;

use super::{
    answer::{Answer, By},
    faults::Fault,
    ids,
    parse::Call,
};

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It reached the proxy.
    Sent,
    /// An emulator (or the proxy in its place) executed it, or the ledger knew it.
    Forwarded,
    /// Its answer was delivered.
    Answered,
}

/// A mutating request.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// When it came, milliseconds of the Unix time.
    pub at_ms: i64,
    /// `ec2`.
    pub service: String,
    /// `CreateVpc`.
    pub operation: String,
    /// The program that sent it: the header `user-agent`.
    pub agent: String,
    /// The account of the signer.
    pub account: String,
    /// The region of the signature.
    pub region: String,
    /// The fields, from path, query and body.
    pub fields: Value,
    /// The token's field and value.
    pub token: Option<(&'static str, String)>,
    /// How far it got.
    pub outcome: Outcome,
    /// The status of the answer, once it was executed.
    pub status: Option<u16>,
    /// The ids that its answer brought into the world.
    pub made: Vec<String>,
    /// Who answered.
    pub by: Option<By>,
    /// The fault that was injected.
    pub fault: Option<Fault>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: Vec<Entry>,
    file: Option<File>,
}

/// The log, in memory and as a file of JSON lines. The file gets a line each time an entry changes: the last line of a number counts.
#[derive(Debug, Default)]
pub struct Log {
    kept: Mutex<Kept>,
}

impl Log {
    /// A log that also goes to a file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(file: Option<&Path>) -> std::io::Result<Self> {
        let file = file.map(File::create).transpose()?;
        Ok(Self { kept: Mutex::new(Kept { entries: Vec::new(), file }) })
    }

    /// Enters a request and gives it its number.
    pub fn enter(&self, call: &Call) -> u64 {
        let mut kept = self.kept();
        let number = kept.entries.len() as u64 + 1;
        let entry = Entry {
            number,
            at_ms: jiff::Timestamp::now().as_millisecond(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            agent: call.agent.clone(),
            account: call.account.clone(),
            region: call.region().to_owned(),
            fields: call.fields.clone(),
            token: call.token.as_ref().map(|token| (token.field, token.value.clone())),
            outcome: Outcome::Sent,
            status: None,
            made: Vec::new(),
            by: None,
            fault: None,
        };
        kept.write(&entry);
        kept.entries.push(entry);
        number
    }

    /// Notes the fault that a request met.
    pub fn met(&self, number: Option<u64>, fault: &Fault) {
        self.change(number, |entry| entry.fault = Some(fault.clone()));
    }

    /// Notes that a request was executed.
    pub fn executed(&self, number: Option<u64>, answer: &Answer) {
        self.change(number, |entry| {
            entry.outcome = Outcome::Forwarded;
            entry.status = Some(answer.status.as_u16());
            entry.made = ids::made(&entry.fields, answer);
            entry.by = Some(answer.by);
        });
    }

    /// Notes that an answer was delivered.
    pub fn delivered(&self, number: Option<u64>, status: u16) {
        self.change(number, |entry| {
            entry.outcome = Outcome::Answered;
            entry.status = Some(status);
        });
    }

    fn change(&self, number: Option<u64>, change: impl FnOnce(&mut Entry)) {
        let mut kept = self.kept();
        let place = number.and_then(|number| usize::try_from(number - 1).ok());
        let Some(entry) = place.and_then(|place| kept.entries.get_mut(place)) else { return };
        change(entry);
        let entry = entry.clone();
        kept.write(&entry);
    }

    /// All entries so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.kept().entries.clone()
    }

    /// Forgets all entries; numbers begin at 1 again.
    pub fn clear(&self) {
        self.kept().entries.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn write(&mut self, entry: &Entry) {
        let Some(file) = &mut self.file else { return };
        let line = serde_json::to_string(entry).unwrap_or_default();
        // The log in memory is what tests read; a full disk must not change what the proxy does.
        let _ = writeln!(file, "{line}");
    }
}
