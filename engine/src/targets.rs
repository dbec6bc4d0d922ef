//! Puts the parts together: the table of all bindings, and the target that a run goes to, with its time.

use std::{path::Path, sync::Arc, time::Duration};

use runbook_modules::{
    error::CallError,
    host::{Clock, Host, Interrupted},
    resource::Kind,
    sandbox::{faults::Faults, memory::MemoryStore, rehearsal::Rehearsal, snapshot::snapshot, target::Sandbox, world},
    table::Table,
    target::{About, Listing, Place, Target},
};
use runbook_state::world::World;
use serde_json::Value;

use crate::{
    error::Failure,
    run::{
        clock::{SimClock, Time, wall_ms},
        drive::who,
    },
    script::program::Program,
};

#[cfg(feature = "live")]
mod live;
#[cfg(feature = "live")]
mod test_clock;

/// A target with its time.
pub struct Aimed {
    /// Where effects go.
    pub target: Arc<dyn Target>,
    /// Its time.
    pub time: Arc<dyn Time>,
}

/// All bindings: AWS, Kubernetes, Helm, GitHub, Cloudflare.
pub fn table() -> Arc<Table> {
    let mut table = Table::default();
    runbook_aws::register(&mut table);
    runbook_modules::k8s::register(&mut table);
    runbook_modules::helm::register(&mut table);
    runbook_rest::register(&mut table);
    Arc::new(table)
}

/// The sandbox over the world that a state directory keeps. `speed`: simulated per real time, None as fast as it goes.
///
/// # Errors
/// RB0606 when the world cannot be used, RB0445 when the rehearsal file does not fit.
pub fn sandbox(
    dir: &Path, program: &Program, params: &Value, faults: Faults, speed: Option<f64>,
) -> Result<Aimed, Failure> {
    let world = World::open(dir).map_err(|error| unusable(error.to_string()))?;
    aim(Arc::new(Kept(world)), program, params, faults, speed)
}

/// A sandbox in memory, as fast as it goes: for rehearsals.
///
/// # Errors
/// RB0445 when the rehearsal file does not fit.
pub fn rehearsal(program: &Program, params: &Value) -> Result<Aimed, Failure> {
    aim(Arc::new(MemoryStore::default()), program, params, Faults::default(), None)
}

/// What the runbook's rehearsal file says.
///
/// # Errors
/// RB0445 when it does not fit.
pub fn answers(program: &Program) -> Result<Rehearsal, Failure> {
    let file = format!("{}.rehearsal.yaml", program.name());
    let Some(text) = program.rehearsal() else { return Ok(Rehearsal::default()) };
    Rehearsal::parse(&text, &file).map_err(|error| Failure::new("RB0445", error.to_string()))
}

fn aim(
    store: Arc<dyn world::Store>, program: &Program, params: &Value, faults: Faults, speed: Option<f64>,
) -> Result<Aimed, Failure> {
    let answers = answers(program)?.with_params(params.as_object().cloned().unwrap_or_default());
    let sandbox = Sandbox::open(store, answers, faults).map_err(unusable)?.with_kinds(table());
    let start = sandbox.clock_start().map_or_else(wall_ms, |last| last.max(wall_ms()));
    Ok(Aimed { target: Arc::new(sandbox), time: Arc::new(SimClock::new(start, speed)) })
}

/// The live target: AWS, Kubernetes, Helm, GitHub, Cloudflare. `profile`: of places that name none (`--profile`).
///
/// # Errors
/// RB0443 in a program that was built without it, RB0446 for a test clock that cannot be used.
#[cfg(feature = "live")]
pub fn live(profile: Option<String>) -> Result<Aimed, Failure> {
    use crate::run::clock::WallClock;
    let clock = test_clock::from_environment()?;
    let target = live::Live::new(profile, clock.is_some());
    Ok(Aimed { target: Arc::new(target), time: Arc::new(clock.map_or_else(WallClock::default, WallClock::scaled)) })
}

/// The live target. `profile`: of places that name none (`--profile`).
///
/// # Errors
/// RB0443 in a program that was built without it.
#[cfg(not(feature = "live"))]
pub fn live(_: Option<String>) -> Result<Aimed, Failure> {
    let failure = Failure::new("RB0443", "this program was built without live targets; it knows only the sandbox");
    Err(failure.hint("--sandbox runs on the built-in simulated target"))
}

/// Whether the helm program is here and new enough, before the first change.
///
/// # Errors
/// RB0801.
#[cfg(feature = "live")]
pub fn helm_is_here(runtime: &tokio::runtime::Handle) -> Result<(), CallError> {
    runtime.block_on(runbook_kubernetes::helm::program::Program::find()).map(drop)
}

/// Whether the helm program is here: a program that knows only the sandbox never starts it.
///
/// # Errors
/// None.
#[cfg(not(feature = "live"))]
pub fn helm_is_here(_: &tokio::runtime::Handle) -> Result<(), CallError> {
    Ok(())
}

/// The sandbox of a state directory, only to look at it; None where there is none yet.
///
/// # Errors
/// RB0606 when the world cannot be used.
pub fn only_looking(dir: &Path) -> Result<Option<Aimed>, Failure> {
    let Some(store) = kept(dir)? else { return Ok(None) };
    let sandbox = Sandbox::open(Arc::new(store), Rehearsal::default(), Faults::default()).map_err(unusable)?;
    let start = sandbox.clock_start().unwrap_or_else(wall_ms);
    Ok(Some(Aimed { target: Arc::new(sandbox), time: Arc::new(SimClock::new(start, None)) }))
}

/// The sandbox's world as it is stored.
pub struct StoredWorld {
    /// Its objects and the log of its calls.
    pub state: world::World,
    /// What stands once all that is under way has come to its end, ids replaced by names.
    pub snapshot: Value,
}

/// The sandbox's world of a state directory; None where there is none yet.
///
/// # Errors
/// RB0606 when it cannot be read.
pub fn stored_world(dir: &Path) -> Result<Option<StoredWorld>, Failure> {
    let Some(store) = kept(dir)? else { return Ok(None) };
    let (_, documents) = world::Store::load(&store).map_err(unusable)?;
    let state = world::World::load(documents, Arc::default()).map_err(unusable)?;
    let snapshot = snapshot(&store).map_err(unusable)?;
    Ok(Some(StoredWorld { state, snapshot }))
}

/// The stored world, as the sandbox asks for it.
struct Kept(World);

/// The stored world of a state directory; None where there is none yet.
fn kept(dir: &Path) -> Result<Option<Kept>, Failure> {
    if !dir.join(runbook_state::world::FILE).exists() {
        return Ok(None);
    }
    World::open(dir).map(|world| Some(Kept(world))).map_err(|error| unusable(error.to_string()))
}

fn unusable(why: String) -> Failure {
    Failure::new("RB0606", why)
}

impl world::Store for Kept {
    fn version(&self) -> Result<u64, String> {
        self.0.version().map_err(|error| error.to_string())
    }

    fn load(&self) -> Result<(u64, Vec<(String, Value)>), String> {
        self.0.load().map_err(|error| error.to_string())
    }

    fn commit(&self, base: u64, changes: &[(String, Option<Value>)]) -> Result<Option<u64>, String> {
        self.0.commit(base, changes).map_err(|error| error.to_string())
    }
}

/// Asks a target who it is, outside any run.
///
/// # Errors
/// When it cannot be reached or does not know us.
pub fn about(aimed: &Aimed, place: &Place, runtime: &tokio::runtime::Handle) -> Result<About, CallError> {
    who::ask(runtime, &*aimed.target, place, &Alone { clock: Ticking(aimed.time.clone()) })
}

/// Lists what carries our tags at a place.
///
/// # Errors
/// When it cannot be listed.
pub fn tagged(aimed: &Aimed, place: &Place, runtime: &tokio::runtime::Handle) -> Result<Listing, CallError> {
    runtime.block_on(aimed.target.tagged(place, &Alone { clock: Ticking(aimed.time.clone()) }))
}

/// Reads one resource, outside any run.
///
/// # Errors
/// When it cannot be read.
pub fn read(
    aimed: &Aimed, kind: &'static dyn Kind, place: &Place, at: &Value, runtime: &tokio::runtime::Handle,
) -> Result<Option<Value>, CallError> {
    runtime.block_on(aimed.target.read(kind, place, at, &Alone { clock: Ticking(aimed.time.clone()) }))
}

/// The runner for a question outside any run.
struct Alone {
    clock: Ticking,
}

struct Ticking(Arc<dyn Time>);

impl Host for Alone {
    fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn progress(&self, _: &str) {}
}

impl Clock for Ticking {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        self.0.sleep(how_long, &|| false)
    }
}
