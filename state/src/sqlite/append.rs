//! Adds records to a journal: the fence and every transition are checked, the chain is carried on, and the effects and the
//! summary are kept, in one transaction. The cost does not depend on how long the journal is.

use runbook_seeded::mutant;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    chain::{self, Hash},
    error::{Error, Result},
    record::{EffectKey, EffectState, Record},
    status,
};

use super::inventory::{self, Change};

/// Deeper JSON could be written but, beyond serde_json's limit of 128, not read again.
const DEEPEST: usize = 120;

/// A record with its text, made by the caller's thread.
pub(super) struct Line {
    pub(super) record: Record,
    payload: String,
}

impl Line {
    pub(super) fn new(run: &str, record: Record) -> Result<Self> {
        let payload = super::json(run, &record)?;
        if nesting(&payload) > DEEPEST {
            let what = format!("a value nests more than {DEEPEST} deep");
            return Err(Error::Illegal { run: run.to_owned(), what });
        }
        Ok(Self { record, payload })
    }
}

/// A run's row in `heads`, but for its lease.
struct Head {
    n: i64,
    seq: u64,
    hash: Hash,
    mode: String,
    ending: Option<String>,
    steps_done: u32,
    effects_done: u32,
    owned: u32,
}

/// Appends. Without a fence nobody's lease is asked for.
pub(super) fn append(
    connection: &Connection, run: &str, fence: Option<u64>, at_ms: i64, sim_ms: Option<i64>, lines: &[Line],
) -> Result<()> {
    let (mut head, newest, held) = head(connection, run)?;
    if let Some(fence) = fence
        && (!held || newest != fence)
        && !mutant!("no-fence")
    {
        return Err(Error::Fenced { run: run.to_owned(), fence });
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO entries (run, seq, at_ms, sim_ms, payload, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for line in lines {
        head.seq += 1;
        head.hash = chain::link(&head.hash, run, head.seq, at_ms, sim_ms, &line.payload);
        summarise(connection, run, &mut head, &line.record)?;
        insert.execute(params![head.n, head.seq, at_ms, sim_ms, line.payload, head.hash])?;
    }
    connection
        .prepare_cached(
            "UPDATE heads SET seq = ?2, hash = ?3, last_ms = ?4, mode = ?5, ending = ?6, steps_done = ?7, \
             effects_done = ?8, owned = ?9 WHERE run = ?1",
        )?
        .execute(params![
            head.n,
            head.seq,
            head.hash,
            at_ms,
            head.mode,
            head.ending,
            head.steps_done,
            head.effects_done,
            head.owned
        ])?;
    Ok(())
}

fn head(connection: &Connection, run: &str) -> Result<(Head, u64, bool)> {
    connection
        .prepare_cached(
            "SELECT r.n, h.seq, h.hash, h.mode, h.ending, h.steps_done, h.effects_done, h.owned, h.fence, \
             h.holder IS NOT NULL FROM runs r JOIN heads h ON h.run = r.n WHERE r.id = ?1",
        )?
        .query_row([run], |row| {
            let head = Head {
                n: row.get(0)?,
                seq: row.get(1)?,
                hash: row.get(2)?,
                mode: row.get(3)?,
                ending: row.get(4)?,
                steps_done: row.get(5)?,
                effects_done: row.get(6)?,
                owned: row.get(7)?,
            };
            Ok((head, row.get(8)?, row.get(9)?))
        })
        .optional()?
        .ok_or_else(|| super::no_such_run(run))
}

fn summarise(connection: &Connection, run: &str, head: &mut Head, record: &Record) -> Result<()> {
    match record {
        Record::Began { mode, .. } => {
            head.mode.clone_from(mode);
            head.ending = None;
        }
        Record::Ended { ending, .. } => head.ending = Some(super::json(run, ending)?),
        Record::StepDone { again, .. } => head.steps_done += u32::from(!again),
        Record::StepUndone { finished, .. } => head.steps_done = head.steps_done.saturating_sub(u32::from(*finished)),
        Record::Intent { effect, .. }
        | Record::Accepted { effect, .. }
        | Record::Done { effect, .. }
        | Record::Failed { effect, .. }
        | Record::Unknown { effect, .. }
        | Record::Retired { effect, .. }
        | Record::DeleteIntent { effect }
        | Record::Gone { effect, .. } => advance(connection, run, head, effect, record)?,
        Record::Params { .. }
        | Record::Target { .. }
        | Record::StepStarted { .. }
        | Record::StepFailed { .. }
        | Record::Observed { .. }
        | Record::ReadFailed { .. }
        | Record::Decided { .. }
        | Record::Output { .. }
        | Record::NotRehearsed { .. }
        | Record::CancelAsked { .. }
        | Record::Approved { .. } => {}
    }
    Ok(())
}

/// An effect's row.
#[derive(Clone, Copy)]
struct Effect {
    state: EffectState,
    /// It stands in the inventory and is not gone.
    owned: bool,
}

/// Moves an effect on.
fn advance(connection: &Connection, run: &str, head: &mut Head, key: &EffectKey, record: &Record) -> Result<()> {
    let before = effect(connection, run, head.n, key)?;
    let state = status::next(before.map(|effect| effect.state), record).map_err(|what| Error::Illegal {
        run: run.to_owned(),
        what: format!("effect {} of step {} (generation {}): {what}", key.ordinal, key.step, key.generation),
    })?;
    let was_owned = before.is_some_and(|effect| effect.owned);
    let owned = match inventory::change(record) {
        Change::Owns(_) => true,
        Change::Gone => false,
        Change::None => was_owned,
    };
    head.owned = count(head.owned, was_owned, owned);
    let was_done = before.is_some_and(|effect| effect.state == EffectState::Done);
    head.effects_done = count(head.effects_done, was_done, state == EffectState::Done);
    connection
        .prepare_cached(
            "INSERT INTO effects (run, step, ordinal, generation, state, owned) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET state = excluded.state, owned = excluded.owned",
        )?
        .execute(params![head.n, key.step, key.ordinal, key.generation, super::json(run, &state)?, owned])?;
    Ok(())
}

fn count(number: u32, before: bool, after: bool) -> u32 {
    match (before, after) {
        (false, true) => number + 1,
        (true, false) => number.saturating_sub(1),
        _ => number,
    }
}

fn effect(connection: &Connection, run: &str, n: i64, key: &EffectKey) -> Result<Option<Effect>> {
    let row: Option<(String, bool)> = connection
        .prepare_cached(
            "SELECT state, owned FROM effects WHERE run = ?1 AND step = ?2 AND ordinal = ?3 AND generation = ?4",
        )?
        .query_row(params![n, key.step, key.ordinal, key.generation], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((state, owned)) = row else { return Ok(None) };
    Ok(Some(Effect { state: super::parsed(run, &state)?, owned }))
}

/// How deep a text of JSON nests.
fn nesting(payload: &str) -> usize {
    let (mut deepest, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for byte in payload.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
