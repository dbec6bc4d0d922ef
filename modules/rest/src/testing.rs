//! The same trials on the sandbox and, with the feature `live`, on the live calls against a stand-in of GitHub on the loopback.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicI64, atomic::Ordering},
    time::Duration,
};

use runbook_modules::{
    error::CallError,
    host::{Clock, Host, Interrupted},
    resource::Kind,
    sandbox::{faults::Faults, memory::MemoryStore, rehearsal::Rehearsal, target::Sandbox},
    table::{Binding, Table},
    target::{Api, EFFECT_TAG, Place, RUN_TAG, Request, Target},
};
use serde_json::Value;

/// The token as a script holds it, and its value.
pub const TOKEN: (&str, &str) = ("{{secret:token}}", "ghp_value");

/// The id of the only zone, `example.com`.
pub const ZONE: &str = "zone1";

/// Each trial on the sandbox, and live.
macro_rules! trials {
    ($($trial:ident),+ $(,)?) => {
        mod on_the_sandbox {$(
            #[tokio::test]
            async fn $trial() {
                super::$trial(&crate::testing::Lab::sandbox()).await;
            }
        )+}

        #[cfg(feature = "live")]
        mod live {$(
            #[tokio::test]
            async fn $trial() {
                super::$trial(&crate::testing::Lab::live().await).await;
            }
        )+}
    };
}
pub(crate) use trials;

/// A host whose clock jumps and whose vault holds one token.
#[derive(Default)]
pub struct Runner(AtomicI64);

impl Clock for Runner {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        self.0.fetch_add(i64::try_from(how_long.as_millis()).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
}

impl Host for Runner {
    fn clock(&self) -> &dyn Clock {
        self
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        let text = value.to_string().replace(TOKEN.0, TOKEN.1);
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    fn progress(&self, _: &str) {}
}

/// Where the calls of a trial go.
pub enum Goes {
    /// The sandbox.
    Sandbox(Box<Sandbox>),
    /// The live calls, against a stand-in.
    #[cfg(feature = "live")]
    Live(Box<crate::live::Rest>, Arc<crate::live::standin::StandIn>),
}

/// A target for trials.
pub struct Lab {
    pub goes: Goes,
    table: Table,
    runner: Runner,
    place: Place,
}

/// Who makes a call, and which of its effects it is.
#[derive(Debug, Clone, Copy)]
pub struct By(pub &'static str, pub u32);

impl Lab {
    /// On an empty sandbox.
    pub fn sandbox() -> Self {
        let given = format!("given: [ {{ kind: cloudflare.zone, id: {ZONE}, body: {{ name: example.com }} }} ]");
        let rehearsal = Rehearsal::parse(&given, "given").unwrap_or_else(|why| panic!("{why}"));
        let sandbox = Sandbox::open(Arc::new(MemoryStore::default()), rehearsal, Faults::default());
        Self::new(Goes::Sandbox(Box::new(sandbox.unwrap_or_else(|why| panic!("{why}")))), crate::github::API)
    }

    /// On an empty GitHub on the loopback.
    #[cfg(feature = "live")]
    pub async fn live() -> Self {
        let standin = crate::live::standin::StandIn::new().await;
        let url = standin.url.clone();
        Self::new(Goes::Live(Box::new(crate::live::Rest::new(true)), standin), &url)
    }

    fn new(goes: Goes, url: &str) -> Self {
        let mut table = Table::default();
        crate::register(&mut table);
        let api = Api { url: url.to_owned(), token: TOKEN.0.to_owned() };
        let place = Place { api: Some(api), ..Place::default() };
        Self { goes, table, runner: Runner::default(), place }
    }

    /// The stand-in.
    #[cfg(feature = "live")]
    pub fn standin(&self) -> &crate::live::standin::StandIn {
        match &self.goes {
            Goes::Live(_, standin) => standin,
            Goes::Sandbox(_) => panic!("the sandbox has no stand-in"),
        }
    }

    fn kind(&self, name: &str) -> &'static dyn Kind {
        self.table.kind(name).unwrap_or_else(|| panic!("no kind {name}"))
    }

    /// What the inventory keeps to find it again.
    pub fn locate(&self, kind: &str, input: &Value, described: &Value) -> Value {
        self.kind(kind).locate(input, described).unwrap_or_else(|| panic!("{kind} is not located"))
    }

    /// The fields in which a description differs from an input.
    pub fn drift(&self, kind: &str, input: &Value, described: &Value) -> Vec<String> {
        self.kind(kind).differences(input, described).into_iter().map(|(field, _, _)| field).collect()
    }

    /// Makes one.
    pub async fn create(&self, by: By, kind: &str, input: &Value) -> Result<Value, CallError> {
        let kind = self.kind(kind);
        kind.check(input).unwrap_or_else(|error| panic!("{error}"));
        let (token, tags) = marks(by);
        let request = Request { place: &self.place, input, token: &token, tags: &tags, host: &self.runner };
        match &self.goes {
            Goes::Sandbox(sandbox) => sandbox.create(kind, &request).await,
            #[cfg(feature = "live")]
            Goes::Live(live, _) => calls(live, kind.meta().name).create(kind, &request).await,
        }
    }

    /// Looks for what a request would have made.
    pub async fn find(&self, by: By, kind: &str, input: &Value) -> Vec<Value> {
        let kind = self.kind(kind);
        let (token, tags) = marks(by);
        let request = Request { place: &self.place, input, token: &token, tags: &tags, host: &self.runner };
        let found = match &self.goes {
            Goes::Sandbox(sandbox) => sandbox.find(kind, &request).await,
            #[cfg(feature = "live")]
            Goes::Live(live, _) => calls(live, kind.meta().name).find(kind, &request).await,
        };
        found.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Reads one.
    pub async fn read(&self, kind: &str, at: &Value) -> Option<Value> {
        let kind = self.kind(kind);
        let found = match &self.goes {
            Goes::Sandbox(sandbox) => sandbox.read(kind, &self.place, at, &self.runner).await,
            #[cfg(feature = "live")]
            Goes::Live(live, _) => calls(live, kind.meta().name).read(kind, &self.place, at, &self.runner).await,
        };
        found.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Deletes one, or puts back what stood before.
    pub async fn delete(&self, kind: &str, at: &Value, before: Option<&Value>) -> Result<(), CallError> {
        let kind = self.kind(kind);
        match &self.goes {
            Goes::Sandbox(sandbox) => sandbox.delete(kind, &self.place, at, before, &self.runner).await,
            #[cfg(feature = "live")]
            Goes::Live(live, _) => {
                calls(live, kind.meta().name).delete(kind, &self.place, at, before, &self.runner).await
            }
        }
    }

    /// What keeps one from being deleted.
    pub async fn obstacles(&self, kind: &str, at: &Value) -> Vec<String> {
        let kind = self.kind(kind);
        match &self.goes {
            Goes::Sandbox(sandbox) => sandbox.obstacles(kind, &self.place, at, &self.runner).await,
            #[cfg(feature = "live")]
            Goes::Live(live, _) => calls(live, kind.meta().name).obstacles(kind, &self.place, at, &self.runner).await,
        }
    }

    /// Asks something.
    pub async fn ask(&self, name: &str, input: Value) -> Value {
        let Some(Binding::Call(operation)) = self.table.binding(name) else { panic!("no operation {name}") };
        (operation.check)(&input).unwrap_or_else(|error| panic!("{error}"));
        let tags = BTreeMap::new();
        let request = Request { place: &self.place, input: &input, token: "", tags: &tags, host: &self.runner };
        let answer = match &self.goes {
            Goes::Sandbox(sandbox) => sandbox.call(operation, &request).await,
            #[cfg(feature = "live")]
            Goes::Live(live, _) => calls(live, name).call(operation, &request).await,
        };
        answer.unwrap_or_else(|error| panic!("{error}"))
    }
}

#[cfg(feature = "live")]
fn calls<'a>(live: &'a crate::live::Rest, binding: &str) -> &'a dyn runbook_modules::target::Calls {
    live.calls(binding).unwrap_or_else(|| panic!("no live calls of {binding}"))
}

fn marks(By(run, effect): By) -> (String, BTreeMap<String, String>) {
    let token = format!("{effect:064x}");
    let tags = [(RUN_TAG, run.to_owned()), (EFFECT_TAG, format!("{effect:032x}"))];
    (token, tags.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
