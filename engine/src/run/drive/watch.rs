//! What goes on beside the script: the heartbeat of the lease, `runbook cancel`, and answers to approvals.

use std::time::Duration;

use runbook_seeded::{
    spawn_scoped,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread, wait_timeout_while,
};
use runbook_state::{error::Error, record::Record};

use crate::run::{clock::wall_ms, session::Session};

/// How often the journal is asked for what other processes said.
const LOOK: Duration = Duration::from_millis(500);
/// Every so many looks the lease is renewed.
const BEAT: u32 = 10;

/// Runs `work` with the watch beside it.
pub(super) fn beside<T>(session: &Arc<Session>, work: impl FnOnce() -> T) -> T {
    let over = (Mutex::new(false), Condvar::new());
    thread::scope(|threads| {
        let watch = spawn_scoped(threads, "watch", None, || watch_until(session, &over));
        if watch.is_err() {
            session.cancel.ask("the system gives no thread for the heartbeat");
        }
        let result = work();
        *over.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        over.1.notify_all();
        result
    })
}

fn watch_until(session: &Session, over: &(Mutex<bool>, Condvar)) {
    let mut seen = session.history.last_seq();
    let mut looks = 0;
    loop {
        let ended = over.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *wait_timeout_while(&over.0, &over.1, ended, LOOK, |ended| !*ended) {
            return;
        }
        look(session, &mut seen);
        looks += 1;
        if looks % BEAT == 0 {
            beat(session);
        }
    }
}

/// Takes in what other processes said. An error shows at the next write of this one.
pub(super) fn look(session: &Session, seen: &mut u64) {
    for entry in session.store.journal_after(&session.run.id, *seen).unwrap_or_default() {
        *seen = entry.seq;
        match entry.record {
            Record::CancelAsked { by } => session.cancel.ask(&format!("runbook cancel by {by}")),
            answer @ Record::Approved { .. } => session.history.apply(entry.at_ms, None, answer),
            _ => {}
        }
    }
}

/// Renews the lease; when it is lost everything must stop at once.
pub(super) fn beat(session: &Session) {
    if let Err(error @ Error::Fenced { .. }) = session.store.renew(&session.lease, wall_ms()) {
        session.cancel.fence(&error.to_string());
    }
}
