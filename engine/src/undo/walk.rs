//! Undoes items side by side, each as soon as what it waits for is gone. What cannot go holds only what needs it gone.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
};

use super::{
    UndoReport,
    order::{Edge, edges},
    row::{Node, Outcome, Work},
};
use crate::{
    error::{Failure, Halt},
    run::{parallel::STACK, session::Session},
};

/// How many rows are deleted at the same time.
const SIDE_BY_SIDE: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    Runs,
    Over,
    /// It still stands.
    Left,
}

/// Undoes all nodes, as far as possible.
pub(super) fn walk(session: &Arc<Session>, nodes: &[Node], report: &mut UndoReport) -> Result<(), Halt> {
    let items: Vec<_> = nodes.iter().map(|node| node.item.clone()).collect();
    let edges = edges(&items, &super::row::times(session));
    let work = Work::new(session);
    let (send, receive) = mpsc::channel::<(usize, Result<Outcome, Halt>)>();
    let mut states = vec![State::Waits; nodes.len()];
    let mut stop: Option<Halt> = None;
    std::thread::scope(|threads| {
        loop {
            let running = states.iter().filter(|state| **state == State::Runs).count();
            let ready = if stop.is_some() { Vec::new() } else { ready(&mut states, &edges, nodes, running, report) };
            for place in ready {
                states[place] = State::Runs;
                // Counted for the new thread before it is there, and until its end was seen: simulated time stands still meanwhile.
                session.time.enter();
                let (send, work, node) = (send.clone(), &work, &nodes[place]);
                let body = move || {
                    let end = catch_unwind(AssertUnwindSafe(|| work.one(node)));
                    let end = end.unwrap_or_else(|_| {
                        Err(Failure::new("RB0901", "a bug in runbook: an undo thread died").into())
                    });
                    // The receiver outlives all threads of this scope.
                    let _ = send.send((place, end));
                };
                let thread = std::thread::Builder::new().name("undo".to_owned()).stack_size(STACK);
                if let Err(error) = thread.spawn_scoped(threads, body) {
                    session.time.leave();
                    states[place] = State::Left;
                    stop = Some(Failure::new("RB0902", format!("the system gives no thread: {error}")).into());
                }
            }
            if !states.contains(&State::Runs) {
                return;
            }
            session.time.leave();
            let end = receive.recv();
            session.time.enter();
            let Ok((place, end)) = end else { return };
            states[place] = match end {
                Ok(outcome) => {
                    if nodes[place].report(outcome, report) {
                        State::Over
                    } else {
                        State::Left
                    }
                }
                Err(halt) => {
                    stop.get_or_insert(halt);
                    State::Left
                }
            };
            session.time.leave();
        }
    });
    stop.map_or(Ok(()), Err)
}

/// What can begin now. What needs something gone that was left is left as well.
fn ready(
    states: &mut [State], edges: &[Vec<Edge>], nodes: &[Node], running: usize, report: &mut UndoReport,
) -> Vec<usize> {
    while let Some((place, holder)) = (0..states.len()).find_map(|place| {
        let holder = edges[place].iter().find(|edge| edge.hard && states[edge.first] == State::Left)?;
        (states[place] == State::Waits).then_some((place, holder.first))
    }) {
        states[place] = State::Left;
        nodes[place].held_by(&nodes[holder], report);
    }
    let over = |edge: &Edge| matches!(states[edge.first], State::Over | State::Left);
    let waiting = || (0..states.len()).rev().filter(|place| states[*place] == State::Waits);
    let mut ready: Vec<usize> = waiting().filter(|place| edges[*place].iter().all(over)).collect();
    if ready.is_empty() && running == 0 {
        // A circle (two things that name each other): the newest begins, and the target says what it thinks of that.
        ready.extend(waiting().next());
    }
    ready.truncate(SIDE_BY_SIDE.saturating_sub(running));
    ready
}
