//! Faults as data: on which request, at which moment, what happens.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::parse::Call;

/// Which request meets a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// The mutating request of this number (from 1, as in the log).
    Call(u64),
    /// A request of this operation, reads too: the first, second, … (from 1) since the fault was added.
    Operation {
        /// E.g. `CreateVpc`.
        name: String,
        /// Which one.
        nth: u64,
    },
    /// Any request, reads too: the first, second, … (from 1) since the fault was added.
    Any(u64),
}

impl On {
    /// The first request of an operation.
    pub fn first(name: &str) -> Self {
        Self::Operation { name: name.to_owned(), nth: 1 }
    }
}

/// At which moment of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing was executed.
    BeforeForward,
    /// It was executed; the answer is not delivered yet.
    AfterForward,
    /// The answer was delivered.
    Answered,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The connection is closed.
    Drop,
    /// The connection is reset.
    Reset,
    /// Everything goes on after this many milliseconds.
    Delay(u64),
    /// The service's error document with this status, code and message.
    Status {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Error message.
        message: String,
    },
    /// The service's own error for too many requests.
    Throttle,
    /// What something in between answers, which is not the service.
    Page {
        /// HTTP status.
        status: u16,
        /// Headers beside the content type, which is that of a page for people.
        headers: BTreeMap<String, String>,
        /// The body.
        body: String,
    },
    /// Half of the answer, then the connection closes.
    Truncate,
    /// An answer of the right length that says nothing.
    Garble,
    /// The answer in pieces, with this many milliseconds between them.
    SlowDrip(u64),
    /// This many reads of the service do not see yet what the request did.
    StaleReads(u32),
    /// The connection is closed, and the request is executed this many milliseconds later.
    ForwardLater(u64),
    /// The process is killed; without a pid, the callback of [`Faults::on_kill`] is called.
    Kill(Option<i32>),
    /// Everything stands still until [`Faults::release`].
    Hold,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which request.
    pub on: On,
    /// Which moment.
    pub phase: Phase,
    /// What happens.
    pub action: Action,
    /// How many requests in a row, beginning with that one.
    #[serde(default = "once")]
    pub times: u64,
}

fn once() -> u64 {
    1
}

impl Fault {
    /// A fault that happens once.
    pub fn new(on: On, phase: Phase, action: Action) -> Self {
        Self { on, phase, action, times: 1 }
    }

    /// The same fault for several requests in a row.
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }
}

struct Planned {
    fault: Fault,
    seen: u64,
}

type Killer = Arc<dyn Fn(Option<u64>) + Send + Sync>;

/// The planned faults.
pub struct Faults {
    planned: Mutex<Vec<Planned>>,
    killer: Mutex<Option<Killer>>,
    /// How many requests are held, and how often they were let go.
    held: watch::Sender<(u64, u64)>,
    happened: Mutex<VecDeque<Fault>>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("happened", &self.happened()).finish_non_exhaustive()
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            planned: Mutex::default(),
            killer: Mutex::default(),
            held: watch::Sender::new((0, 0)),
            happened: Mutex::default(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    /// Plans a fault.
    pub fn add(&self, fault: Fault) {
        locked(&self.planned).push(Planned { fault, seen: 0 });
    }

    /// Forgets all faults and lets go what is held.
    pub fn clear(&self) {
        locked(&self.planned).clear();
        locked(&self.happened).clear();
        self.release();
    }

    /// What is called for [`Action::Kill`] without a pid, with the number of the mutating request.
    pub fn on_kill(&self, callback: impl Fn(Option<u64>) + Send + Sync + 'static) {
        *locked(&self.killer) = Some(Arc::new(callback));
    }

    /// The faults that happened, in order.
    pub fn happened(&self) -> Vec<Fault> {
        locked(&self.happened).iter().cloned().collect()
    }

    /// Lets go all held requests.
    pub fn release(&self) {
        self.held.send_modify(|(_, released)| *released += 1);
    }

    /// Waits until this many requests are held.
    pub async fn held(&self, count: u64) {
        // The sender lives as long as self, so the wait cannot fail.
        let _ = self.held.subscribe().wait_for(|(held, _)| *held >= count).await;
    }

    /// The fault that a request meets, if any. Counts the request.
    pub(super) fn take(&self, number: Option<u64>, call: &Call) -> Option<Fault> {
        let mut met = None;
        for planned in locked(&self.planned).iter_mut() {
            let (place, first) = match &planned.fault.on {
                On::Call(wanted) => match number {
                    Some(number) => (number, *wanted),
                    None => continue,
                },
                On::Operation { name, nth } if *name == call.operation => {
                    planned.seen += 1;
                    (planned.seen, *nth)
                }
                On::Operation { .. } => continue,
                On::Any(nth) => {
                    planned.seen += 1;
                    (planned.seen, *nth)
                }
            };
            if met.is_none() && (first..first.saturating_add(planned.fault.times)).contains(&place) {
                met = Some(planned.fault.clone());
            }
        }
        if let Some(fault) = &met {
            locked(&self.happened).push_back(fault.clone());
        }
        met
    }

    pub(super) async fn hold(&self) {
        let mut watching = self.held.subscribe();
        let released = watching.borrow().1;
        self.held.send_modify(|(held, _)| *held += 1);
        let _ = watching.wait_for(|(_, now)| *now > released).await;
        self.held.send_modify(|(held, _)| *held -= 1);
    }

    pub(super) fn kill(&self, pid: Option<i32>, number: Option<u64>) {
        match pid.and_then(rustix::process::Pid::from_raw) {
            Some(pid) => {
                // A process that is gone already is dead enough.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            None => {
                let killer = locked(&self.killer).clone();
                if let Some(killer) = killer {
                    killer(number);
                }
            }
        }
    }
}
