//! The sandbox as a target: the world in memory over a store, committed before a call answers.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;

use super::{
    answers::bad,
    controllers,
    faults::{Fault, Faults},
    late::{Asks, Late},
    rehearsal::Rehearsal,
    sim::SimCall,
    tagged::tagged,
    world::{Call, Object, Store, World},
};
use crate::{
    error::{CallError, Class},
    host::Host,
    operation::{self, Operation},
    resource::Kind,
    table::Table,
    target::{About, Listing, Place, Request, Target},
};

/// The sandbox's account id.
pub const ACCOUNT: &str = "123456789012";

/// The simulated target.
pub struct Sandbox {
    store: Arc<dyn Store>,
    faults: Faults,
    rehearsal: Arc<Rehearsal>,
    /// By which late requests are executed, and what can bear tags is known; without it they stay on their way.
    kinds: Option<Arc<Table>>,
    inner: Mutex<Inner>,
}

struct Inner {
    world: World,
    version: u64,
    /// What is added to the runner's time, since another process may have been further in time.
    ahead: i64,
    /// The time of the last call.
    now: i64,
}

struct Mutation<'a> {
    op: String,
    asks: Asks,
    call: SimCall<'a>,
    /// What it makes can end as failed.
    can_fail: bool,
}

impl Mutation<'_> {
    fn late(&self, at: i64) -> Late {
        let SimCall { place, input, token, tags, .. } = self.call;
        Late {
            at,
            op: self.op.clone(),
            asks: self.asks.clone(),
            place: place.clone(),
            input: input.clone(),
            token: token.to_owned(),
            tags: tags.clone(),
        }
    }
}

impl Sandbox {
    /// Opens the world that the store keeps.
    ///
    /// # Errors
    /// When it cannot be read; the text says why.
    pub fn open(store: Arc<dyn Store>, rehearsal: Rehearsal, faults: Faults) -> Result<Self, String> {
        let rehearsal = Arc::new(rehearsal);
        let (version, documents) = store.load()?;
        let world = World::load(documents, rehearsal.clone())?;
        let now = world.clock;
        let inner = Mutex::new(Inner { world, version, ahead: 0, now });
        Ok(Self { store, faults, rehearsal, kinds: None, inner })
    }

    /// With the table by which requests of a dead client are executed when they arrive, and what can bear no tags is known.
    pub fn with_kinds(self, kinds: Arc<Table>) -> Self {
        Self { kinds: Some(kinds), ..self }
    }

    /// The last simulated time at which something was changed: a new process lets its clock go on from there.
    /// None: nothing was ever done in this world.
    pub fn clock_start(&self) -> Option<i64> {
        let clock = self.lock().world.clock;
        (clock > 0).then_some(clock)
    }

    /// The mutating calls that reached this world so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().world.calls().to_vec()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world as it is now, with what other processes did, and the time.
    fn fresh(&self, inner: &mut Inner, host: &dyn Host) -> Result<i64, CallError> {
        let version = self.store.version().map_err(not_sent)?;
        if version != inner.version {
            let (version, documents) = self.store.load().map_err(not_sent)?;
            inner.world = World::load(documents, self.rehearsal.clone()).map_err(not_sent)?;
            inner.version = version;
        }
        let now = host.clock().now_ms();
        inner.ahead = inner.ahead.max(inner.world.clock - now);
        inner.now = now + inner.ahead;
        Ok(inner.now)
    }

    /// The world with all that arrived late and that controllers have done by now, which is kept at once. Gives the time.
    fn present(&self, inner: &mut Inner, host: &dyn Host) -> Result<i64, CallError> {
        loop {
            let now = self.fresh(inner, host)?;
            self.arrivals(&mut inner.world, now);
            let problem = controllers::advance(&mut inner.world, now).map_err(bad);
            if !inner.world.changed() {
                return problem.map(|()| now);
            }
            inner.world.clock = inner.world.clock.max(now);
            if self.commit(inner)? {
                return problem.map(|()| now);
            }
        }
    }

    fn arrivals(&self, world: &mut World, now: i64) {
        let Some(kinds) = &self.kinds else { return };
        while let Some(late) = world.arrived(now) {
            let at = late.at.max(world.clock).min(now);
            // A rehearsal that does not fit is told by the caller, which lets the controllers work again.
            let _told_later = controllers::advance(world, at);
            late.arrive(world, kinds, at);
        }
    }

    /// Writes what was changed; false when another process was first, and it must be done again on what that left.
    fn commit(&self, inner: &mut Inner) -> Result<bool, CallError> {
        let version = inner.world.changes().and_then(|changes| self.store.commit(inner.version, &changes));
        match version {
            Ok(Some(version)) => {
                inner.version = version;
                inner.world.kept();
                Ok(true)
            }
            Ok(None) => {
                inner.version = u64::MAX;
                Ok(false)
            }
            Err(why) => {
                inner.version = u64::MAX;
                Err(not_sent(why))
            }
        }
    }

    fn look<T>(
        &self, op: &str, host: &dyn Host, answer: impl FnOnce(&mut World, i64) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        travel(op, host)?;
        let mut inner = self.lock();
        let now = self.present(&mut inner, host)?;
        hide(&mut inner.world, now, self.faults.lag_ms());
        let answer = answer(&mut inner.world, now);
        inner.world.roll_back();
        answer
    }

    fn mutate<T>(
        &self, mutation: &Mutation<'_>, host: &dyn Host,
        execute: impl Fn(&mut World, &SimCall<'_>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        travel(&mutation.op, host)?;
        let mut inner = self.lock();
        loop {
            let now = self.present(&mut inner, host)?;
            let n = inner.world.next_call();
            let fault = match self.faults.get(n) {
                Some(Fault::Fail) if !mutation.can_fail => Some(Fault::Refuse),
                fault => fault,
            };
            let call = SimCall { now_ms: now, doomed: fault == Some(Fault::Fail), ..mutation.call };
            let answer = match fault {
                Some(Fault::KillBefore) => std::process::abort(),
                None | Some(Fault::Fail | Fault::Lose | Fault::Break | Fault::KillAfter) => {
                    execute(&mut inner.world, &call).map(Some)
                }
                Some(Fault::KillLate(seconds)) => {
                    inner.world.send_late(n, mutation.late(now + i64::from(seconds) * 1000));
                    Ok(None)
                }
                Some(Fault::Refuse | Fault::Deny | Fault::Throttle | Fault::Drop) => Ok(None),
            };
            let answer = answer.and_then(|answer| {
                controllers::advance(&mut inner.world, now).map_err(bad)?;
                Ok(answer)
            });
            if answer.is_err() {
                inner.world.roll_back();
            }
            let outcome = match (&answer, fault) {
                (Err(error), _) => error.code.clone(),
                (Ok(_), None | Some(Fault::KillAfter)) => "done".to_owned(),
                (Ok(_), Some(fault)) => fault.outcome().to_owned(),
            };
            inner.world.clock = inner.world.clock.max(now);
            inner.world.log(Call {
                n,
                op: mutation.op.clone(),
                place: mutation.call.place.cluster.as_ref().unwrap_or(&mutation.call.place.region).clone(),
                token: mutation.call.token.to_owned(),
                outcome,
                at: now,
            });
            if !self.commit(&mut inner)? {
                continue;
            }
            return match (fault, answer) {
                (Some(Fault::KillAfter | Fault::KillLate(_)), _) => std::process::abort(),
                (None | Some(Fault::Fail), Ok(Some(answer))) => Ok(answer),
                (Some(fault), answer) => {
                    Err(fault.error(n).or(answer.err()).unwrap_or_else(|| not_sent(String::new())))
                }
                (None, Err(error)) => Err(error),
                (None, Ok(None)) => Err(not_sent("not executed".to_owned())),
            };
        }
    }
}

/// Takes what AWS made in the last moments out of a world that is only looked at: reads that lag do not show it yet.
fn hide(world: &mut World, now_ms: i64, lag_ms: i64) {
    if lag_ms == 0 {
        return;
    }
    let others = ["k8s.", "helm.", "github.", "cloudflare.", "rehearsal."];
    let of_aws = |object: &&Object| !others.iter().any(|prefix| object.kind.starts_with(prefix));
    let young: HashSet<&str> =
        world.calls().iter().filter(|call| call.at > now_ms - lag_ms).map(|call| call.token.as_str()).collect();
    let made = |object: &&Object| !object.token.is_empty() && young.contains(object.token.as_str());
    let keys: Vec<String> = world.all(now_ms).filter(made).filter(of_aws).map(Object::key).collect();
    keys.iter().for_each(|key| world.remove(key));
}

/// The way to the simulated target takes simulated time: 0.2 to 0.6 s, always the same for the same operation.
fn travel(op: &str, host: &dyn Host) -> Result<(), CallError> {
    let spread = op.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))) % 400;
    host.clock()
        .sleep(Duration::from_millis(200 + spread))
        .map_err(|stop| CallError::new(Class::NotSent, "Interrupted", stop.to_string()))
}

fn not_sent(why: String) -> CallError {
    CallError::new(Class::NotSent, "SandboxStore", format!("the sandbox's world could not be reached: {why}"))
}

static NO_TAGS: BTreeMap<String, String> = BTreeMap::new();

fn call<'a>(request: &Request<'a>, now_ms: i64) -> SimCall<'a> {
    let Request { place, input, token, tags, .. } = *request;
    SimCall { place, input, token, tags, now_ms, account: ACCOUNT, doomed: false }
}

fn locating<'a>(place: &'a Place, at: &'a Value, now_ms: i64) -> SimCall<'a> {
    SimCall { place, input: at, token: "", tags: &NO_TAGS, now_ms, account: ACCOUNT, doomed: false }
}

#[async_trait]
impl Target for Sandbox {
    async fn about(&self, _place: &Place, _host: &dyn Host) -> Result<About, CallError> {
        Ok(About {
            simulated: true,
            account: ACCOUNT.to_owned(),
            caller: format!("arn:aws:sts::{ACCOUNT}:assumed-role/sandbox/runbook"),
            region: String::new(),
            endpoint: None,
        })
    }

    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        let meta = kind.meta();
        let op = format!("{}.{}", meta.name.split('.').next().unwrap_or_default(), meta.create);
        let asks = Asks::Create(meta.name.to_owned());
        let mutation = Mutation { op, asks, call: call(request, 0), can_fail: kind.sim().can_fail() };
        self.mutate(&mutation, request.host, |world, call| kind.sim().create(kind, world, call))
    }

    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        let op = format!("read {}", kind.meta().name);
        self.look(&op, host, |world, now| Ok(kind.sim().read(kind, world, &locating(place, at, now))))
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        let op = format!("find {}", kind.meta().name);
        self.look(&op, request.host, |world, now| Ok(kind.sim().find(kind, world, &call(request, now))))
    }

    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        let name = kind.meta().name;
        let asks = Asks::Delete(name.to_owned(), put_back.cloned());
        let mutation = Mutation { op: format!("delete {name}"), asks, call: locating(place, at, 0), can_fail: false };
        self.mutate(&mutation, host, |world, call| kind.sim().delete(kind, world, call, put_back))
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        if operation.class == operation::Class::Read {
            return self.look(operation.name, request.host, |world, now| (operation.sim)(world, &call(request, now)));
        }
        let op = operation.name.to_owned();
        let mutation = Mutation { asks: Asks::Call(op.clone()), op, call: call(request, 0), can_fail: false };
        self.mutate(&mutation, request.host, |world, call| (operation.sim)(world, call))
    }

    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host) -> Vec<String> {
        let op = format!("read {}", kind.meta().name);
        self.look(&op, host, |world, now| Ok(kind.sim().obstacles(kind, world, &locating(place, at, now))))
            .unwrap_or_default()
    }

    async fn tagged(&self, _: &Place, host: &dyn Host) -> Result<Listing, CallError> {
        let mut inner = self.lock();
        let now = self.fresh(&mut inner, host)?;
        // An audit writes nothing: what has arrived by now is shown without being kept.
        let mut world = inner.world.clone();
        self.arrivals(&mut world, now);
        Ok(tagged(&world, self.kinds.as_deref(), now))
    }

    fn next_change(&self, kind: &'static dyn Kind, place: &Place, at: &Value) -> Option<Duration> {
        let inner = self.lock();
        let next = kind.sim().next_change(kind, &inner.world, &locating(place, at, inner.now))?;
        u64::try_from(next - inner.now).ok().map(Duration::from_millis)
    }
}
