//! A control plane for all tests of this suite, the target that speaks to it, and what others do there.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use runbook_kubernetes::{Access, Connection, Identity, Kubernetes};
use runbook_modules::{
    error::CallError,
    host::{Clock, Host, Interrupted},
    operation::Operation,
    resource::{Health, Kind},
    table::{Binding, Table},
    target::{EFFECT_TAG, Place, RUN_TAG, Request, STEP_TAG},
};
use runbook_testbed::{
    control_plane::{ControlPlane, Options},
    tools,
};
use serde_json::{Value, json};

/// How much faster the waits of a target run.
const SPEED: u32 = 10;

/// The control plane that tests share; None, after a loud line, where its programs are missing.
pub fn plane() -> Option<&'static ControlPlane> {
    static PLANE: OnceLock<Option<ControlPlane>> = OnceLock::new();
    let start = || {
        let plane = start(Options::named("kubernetes"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime
            .block_on(async { Others::of(&plane).post("/api/v1/nodes", json!({"metadata": {"name": "one"}})).await });
        Some(plane)
    };
    // The first test makes it, from a thread of its own: a test is inside a runtime.
    PLANE.get_or_init(|| std::thread::scope(|scope| scope.spawn(start).join().expect("a control plane"))).as_ref()
}

/// A control plane of a test's own.
pub fn start(options: Options) -> Option<ControlPlane> {
    let tools = tools::require()?;
    let starting = std::thread::scope(|scope| scope.spawn(|| ControlPlane::start(&tools, options)).join());
    Some(starting.expect("no panic").expect("a control plane"))
}

/// The connection of a member of `system:masters`.
pub fn admin(plane: &ControlPlane) -> Connection {
    let own = plane.authority().client("runbook", Some("system:masters")).expect("a certificate");
    connection(plane, Identity::certificate(own.certificate, own.key))
}

/// A connection with somebody's credentials.
pub fn connection(plane: &ControlPlane, identity: Identity) -> Connection {
    Connection {
        endpoint: plane.endpoint(),
        ca_pem: Some(plane.ca_pem().to_owned()),
        server_name: None,
        identity,
        renew_at: None,
    }
}

/// Gives these connections, one after the other; the last one again and again.
pub struct Given {
    connections: Vec<Connection>,
    /// How often it was asked.
    pub asked: AtomicUsize,
}

#[async_trait]
impl Access for Given {
    async fn connect(&self, _: &Place) -> Result<Connection, CallError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.connections[asked.min(self.connections.len() - 1)].clone())
    }
}

/// The live target over a cluster, as the engine uses it.
pub struct Live {
    target: Kubernetes,
    place: Place,
    table: Table,
    tags: BTreeMap<String, String>,
    host: Runner,
    /// Who gave the connections.
    pub access: Arc<Given>,
}

struct Runner {
    began: Instant,
}

impl Clock for Runner {
    fn now_ms(&self) -> i64 {
        i64::try_from((self.began.elapsed() * SPEED).as_millis()).expect("a short test")
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        std::thread::sleep(how_long / SPEED);
        Ok(())
    }
}

impl Host for Runner {
    fn clock(&self) -> &dyn Clock {
        self
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn progress(&self, _: &str) {}
}

impl Live {
    /// Over the control plane of all tests.
    pub fn new(plane: &ControlPlane) -> Self {
        Self::over(vec![admin(plane)])
    }

    /// Over connections that are given one after the other.
    pub fn over(connections: Vec<Connection>) -> Self {
        let access = Arc::new(Given { connections, asked: AtomicUsize::new(0) });
        let mut table = Table::default();
        runbook_modules::k8s::register(&mut table);
        let tags = [(RUN_TAG, "run-1"), (STEP_TAG, "a step"), (EFFECT_TAG, "effect-1")];
        Self {
            target: Kubernetes::new(access.clone(), true),
            place: Place { cluster: Some("one".to_owned()), ..Place::default() },
            table,
            tags: tags.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            host: Runner { began: Instant::now() },
            access,
        }
    }

    /// The same as another run.
    pub fn of_run(mut self, run: &str) -> Self {
        self.tags.insert(RUN_TAG.to_owned(), run.to_owned());
        self
    }

    fn kind(&self, name: &str) -> &'static dyn Kind {
        match self.table.binding(name) {
            Some(Binding::Create(kind)) => kind,
            _ => panic!("no kind {name}"),
        }
    }

    fn operation(&self, name: &str) -> &'static Operation {
        match self.table.binding(name) {
            Some(Binding::Call(operation)) => operation,
            _ => panic!("no operation {name}"),
        }
    }

    async fn create(&self, binding: &str, input: &Value) -> Result<Value, CallError> {
        let kind = self.kind(binding);
        kind.check(input).expect("a good input");
        let request = Request { place: &self.place, input, token: "effect-1", tags: &self.tags, host: &self.host };
        self.target.calls("k8s.object").expect("k8s").create(kind, &request).await
    }

    /// `k8s.apply`, without the wait.
    pub async fn apply(&self, object: Value) -> Result<Value, CallError> {
        self.create("k8s.apply", &object).await
    }

    /// `k8s.patch`.
    pub async fn patch(&self, input: Value) -> Result<Value, CallError> {
        self.create("k8s.patch", &input).await
    }

    /// What a request would have made.
    pub async fn find(&self, object: &Value) -> Vec<Value> {
        let request =
            Request { place: &self.place, input: object, token: "effect-1", tags: &self.tags, host: &self.host };
        let calls = self.target.calls("k8s.object").expect("k8s");
        calls.find(self.kind("k8s.apply"), &request).await.expect("found")
    }

    /// What the fields of a patch are before it.
    pub async fn find_patch(&self, input: &Value) -> Value {
        let kind = self.kind("k8s.patch");
        let at = kind.locate(input, &Value::Null).expect("a locator");
        let read = self.target.calls("k8s.patch").expect("k8s").read(kind, &self.place, &at, &self.host).await;
        read.expect("read").expect("it stands")
    }

    /// Applies and waits until it is ready.
    pub async fn ready(&self, object: Value) -> Value {
        let applied = self.apply(object).await.expect("applied");
        let kind = self.kind("k8s.apply");
        self.until("ready", &applied, |described| {
            described.filter(|described| kind.judge(described) == Health::Ready).cloned()
        })
        .await
    }

    /// Reads a described object again.
    pub async fn read(&self, described: &Value) -> Result<Option<Value>, CallError> {
        let kind = self.kind("k8s.apply");
        let at = kind.locate(&Value::Null, described).expect("a locator");
        self.target.calls("k8s.object").expect("k8s").read(kind, &self.place, &at, &self.host).await
    }

    /// Reads a described object until it is as wanted, a minute at most.
    pub async fn until<T>(&self, what: &str, described: &Value, wanted: impl Fn(Option<&Value>) -> Option<T>) -> T {
        let mut last = Value::Null;
        for _ in 0..300 {
            let read = self.read(described).await.expect("read");
            if let Some(found) = wanted(read.as_ref()) {
                return found;
            }
            last = read.unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("never {what}: {last:#}");
    }

    /// What a described object waits for, once a text is in it.
    pub async fn waits_for(&self, described: &Value, text: &str) -> String {
        let kind = self.kind("k8s.apply");
        let why = |described: Option<&Value>| match kind.judge(described?) {
            Health::Pending(why) | Health::Deleting(why) | Health::Failed(why) => {
                Some(why).filter(|why| why.contains(text))
            }
            Health::Ready => None,
        };
        self.until(&format!("{text:?}"), described, why).await
    }

    /// Deletes a described object as undo does.
    pub async fn undo(
        &self, binding: &str, input: &Value, described: &Value, before: Option<&Value>,
    ) -> Result<(), CallError> {
        let kind = self.kind(binding);
        let at = kind.locate(input, described).expect("a locator");
        self.target.calls("k8s.object").expect("k8s").delete(kind, &self.place, &at, before, &self.host).await
    }

    /// What keeps a described object.
    pub async fn obstacles(&self, described: &Value) -> Vec<String> {
        let kind = self.kind("k8s.apply");
        let at = kind.locate(&Value::Null, described).expect("a locator");
        self.target.calls("k8s.object").expect("k8s").obstacles(kind, &self.place, &at, &self.host).await
    }

    /// Calls an operation.
    pub async fn call(&self, name: &str, input: Value) -> Result<Value, CallError> {
        let operation = self.operation(name);
        let request =
            Request { place: &self.place, input: &input, token: "effect-1", tags: &self.tags, host: &self.host };
        self.target.calls(name).expect("k8s").call(operation, &request).await
    }

    /// The cluster is being made anew.
    pub fn forget(&self) {
        self.target.forget("one");
    }

    /// A namespace of a test's own, with the service account that pods need.
    pub async fn namespace(&self, name: &str) -> String {
        self.ready(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})).await;
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}});
        self.until("a service account", &account, |found| found.map(|_| ())).await;
        name.to_owned()
    }
}

/// Somebody else in the cluster.
pub struct Others(kube::Client);

impl Others {
    /// With all rights.
    pub fn of(plane: &ControlPlane) -> Self {
        Self(plane.client())
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: Value) -> Value {
        let request = http::Request::builder().method(method).uri(path).header("content-type", content_type);
        let request = request.body(body.to_string().into_bytes()).expect("a request");
        let answer = self.0.request_text(request).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Makes an object.
    pub async fn post(&self, path: &str, object: Value) -> Value {
        self.send("POST", path, "application/json", object).await
    }

    /// Changes an object.
    pub async fn merge(&self, path: &str, patch: Value) -> Value {
        self.send("PATCH", path, "application/merge-patch+json", patch).await
    }

    /// Applies an object under a manager's name.
    pub async fn apply(&self, path: &str, manager: &str, object: Value) -> Value {
        self.send("PATCH", &format!("{path}?fieldManager={manager}"), "application/apply-patch+yaml", object).await
    }

    /// Deletes an object.
    pub async fn delete(&self, path: &str) {
        self.send("DELETE", path, "application/json", json!({})).await;
    }

    /// Reads an object.
    pub async fn get(&self, path: &str) -> Value {
        self.send("GET", path, "application/json", Value::Null).await
    }
}

/// A ConfigMap.
pub fn config_map(namespace: &str, name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data})
}

/// The path of a ConfigMap.
pub fn config_map_path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps/{name}")
}
