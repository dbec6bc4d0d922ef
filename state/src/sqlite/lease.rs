//! Leases: one process drives a run. The fence number rises with every acquisition; a holder that was taken over cannot write.

use runbook_seeded::mutant;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    error::{Error, Holder, Result},
    holder,
    store::Lease,
};

/// A lease as it stands in `heads`.
struct Row {
    n: i64,
    fence: u64,
    holder: Option<Holder>,
    since_ms: i64,
    beat_ms: i64,
}

impl Row {
    fn alive(&self, now_ms: i64, stale_ms: i64) -> Option<&Holder> {
        let alive = |holder: &&Holder| holder::alive(holder, self.beat_ms, now_ms, stale_ms);
        self.holder.as_ref().filter(alive).filter(|_| !mutant!("lease-not-checked"))
    }
}

pub(super) fn acquire(connection: &Connection, run: &str, own: &Holder, now_ms: i64, stale_ms: i64) -> Result<Lease> {
    let row = row(connection, run)?;
    if let Some(holder) = row.alive(now_ms, stale_ms) {
        return Err(Error::Held { run: run.to_owned(), holder: holder.clone(), since_ms: row.since_ms });
    }
    let fence = row.fence + 1;
    connection
        .prepare_cached("UPDATE heads SET fence = ?2, holder = ?3, since_ms = ?4, beat_ms = ?4 WHERE run = ?1")?
        .execute(params![row.n, fence, super::json(run, own)?, now_ms])?;
    Ok(Lease { run: run.to_owned(), fence, taken_from: row.holder })
}

pub(super) fn renew(connection: &Connection, lease: &Lease, now_ms: i64) -> Result<()> {
    let n = check(connection, lease)?;
    connection.prepare_cached("UPDATE heads SET beat_ms = ?2 WHERE run = ?1")?.execute(params![n, now_ms])?;
    Ok(())
}

pub(super) fn release(connection: &Connection, lease: &Lease, now_ms: i64) -> Result<()> {
    let n = check(connection, lease)?;
    connection
        .prepare_cached("UPDATE heads SET holder = NULL, beat_ms = ?2 WHERE run = ?1")?
        .execute(params![n, now_ms])?;
    Ok(())
}

pub(super) fn holder(connection: &Connection, run: &str, now_ms: i64, stale_ms: i64) -> Result<Option<(Holder, i64)>> {
    let row = row(connection, run)?;
    Ok(row.alive(now_ms, stale_ms).map(|holder| (holder.clone(), row.since_ms)))
}

/// The run's number, if the lease is still the newest and not given back.
pub(super) fn check(connection: &Connection, lease: &Lease) -> Result<i64> {
    let row = row(connection, &lease.run)?;
    if (row.holder.is_none() || row.fence != lease.fence) && !mutant!("no-fence") {
        return Err(Error::Fenced { run: lease.run.clone(), fence: lease.fence });
    }
    Ok(row.n)
}

fn row(connection: &Connection, run: &str) -> Result<Row> {
    let found = connection
        .prepare_cached(
            "SELECT r.n, h.fence, h.since_ms, h.beat_ms, h.holder FROM runs r JOIN heads h ON h.run = r.n WHERE r.id = ?1",
        )?
        .query_row([run], |row| {
            let found = Row { n: row.get(0)?, fence: row.get(1)?, holder: None, since_ms: row.get(2)?, beat_ms: row.get(3)? };
            Ok((found, row.get::<_, Option<String>>(4)?))
        })
        .optional()?;
    let Some((mut found, holder)) = found else { return Err(super::no_such_run(run)) };
    found.holder = holder.map(|text| super::parsed(run, &text)).transpose()?;
    Ok(found)
}
