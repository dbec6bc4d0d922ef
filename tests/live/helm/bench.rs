//! One control plane and one registry for all tests of Helm, and a release as the engine drives it.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use runbook_kubernetes::{
    Access, Connection, Connections, Identity,
    helm::{Helm, program::Program},
    objects::Objects,
};
use runbook_modules::{
    error::{CallError, Class},
    helm::{operations, release::Release},
    host::{Clock, Host, Interrupted},
    k8s::{self, object::Object, patch::Patch},
    operation::Operation,
    resource::{Health, Kind},
    target::{Calls, EFFECT_TAG, Place, RUN_TAG, Request, STEP_TAG},
};
use runbook_testbed::{
    control_plane::{ControlPlane, Options},
    registry::Registry,
    tools::{self, Tools},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::processes::children;

/// The target's time goes so much faster.
const SPEED: i64 = 10;

static RELEASE: Release = Release;
static OBJECT: Object = Object;
static PATCH: Patch = Patch;
/// What the process that is killed is to do, as JSON.
const ORPHAN: &str = "RUNBOOK_TEST_ORPHAN";

/// What all tests share. It ends with this process.
pub struct Bench {
    pub runtime: Runtime,
    pub registry: Registry,
    pub tools: Tools,
    pub plane: &'static ControlPlane,
    endpoint: String,
    ca: String,
    token: String,
}

/// The bench; None when the testbed's programs are missing.
pub fn bench() -> Option<&'static Bench> {
    static BENCH: OnceLock<Option<Bench>> = OnceLock::new();
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    BENCH
        .get_or_init(|| {
            let tools = tools::require()?;
            let runtime = Runtime::new().expect("a runtime");
            let plane =
                PLANE.get_or_init(|| ControlPlane::start(&tools, Options::named("helm")).expect("a control plane"));
            let (registry, token) = runtime.block_on(async {
                let registry = Registry::start().await.expect("a registry");
                registry.push_charts(&tools).await.expect("our charts");
                (registry, prepared(plane).await)
            });
            let (endpoint, ca) = (plane.endpoint(), plane.ca_pem().to_owned());
            Some(Bench { runtime, registry, tools, plane, endpoint, ca, token })
        })
        .as_ref()
}

/// A node, and the token of a service account that may do everything: as on EKS, the token is all that we have.
async fn prepared(plane: &ControlPlane) -> String {
    let place = Place { cluster: Some("testbed".to_owned()), ..Place::default() };
    let admin = Objects::new(Arc::new(Connections::new(Arc::new(Fixed(admin(plane))))));
    let host = Runner::default();
    let objects = [
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner", "namespace": "default"}}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "runner"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "runner", "namespace": "default"}],
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "runner", "namespace": "default", "annotations": {"kubernetes.io/service-account.name": "runner"}},
        }),
    ];
    let tags = BTreeMap::new();
    for object in &objects {
        let request = Request { place: &place, input: object, token: "", tags: &tags, host: &host };
        admin.create(&OBJECT, &request).await.expect("an object");
    }
    let wanted = json!({"kind": "Secret", "namespace": "default", "name": "runner"});
    for _ in 0..200 {
        let request = Request { place: &place, input: &wanted, token: "", tags: &tags, host: &host };
        let secret = admin.call(&k8s::operations::GET, &request).await.expect("the Secret");
        if let Some(token) = secret["data"]["token"].as_str() {
            return String::from_utf8(STANDARD.decode(token).expect("base64")).expect("a token");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the service account got no token");
}

fn admin(plane: &ControlPlane) -> Connection {
    let text = fs::read_to_string(plane.admin_kubeconfig()).expect("a kubeconfig");
    let config: Value = serde_yaml::from_str(&text).expect("YAML");
    let pem = |name: &str| {
        let user = &config["users"][0]["user"];
        match user[format!("{name}-data")].as_str() {
            Some(data) => String::from_utf8(STANDARD.decode(data).expect("base64")).expect("PEM"),
            None => fs::read_to_string(user[name].as_str().expect("a file")).expect("PEM"),
        }
    };
    Connection {
        endpoint: plane.endpoint(),
        ca_pem: Some(plane.ca_pem().to_owned()),
        server_name: None,
        identity: Identity::Certificate { cert_pem: pem("client-certificate"), key_pem: pem("client-key").into() },
        renew_at: None,
    }
}

struct Fixed(Connection);

#[async_trait]
impl Access for Fixed {
    async fn connect(&self, _: &Place) -> Result<Connection, CallError> {
        Ok(self.0.clone())
    }
}

/// No cluster stands.
struct Nowhere;

#[async_trait]
impl Access for Nowhere {
    async fn connect(&self, _: &Place) -> Result<Connection, CallError> {
        Err(CallError::not_found("ResourceNotFoundException", "no cluster found for name: testbed"))
    }
}

/// A runner whose time goes faster, and can jump.
pub struct Runner {
    began: Instant,
    jumped_ms: AtomicI64,
    pub stop: AtomicBool,
    told: Mutex<Vec<String>>,
}

impl Default for Runner {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            jumped_ms: AtomicI64::new(0),
            stop: AtomicBool::new(false),
            told: Mutex::default(),
        }
    }
}

impl Runner {
    /// What was said while waiting.
    pub fn told(&self) -> Vec<String> {
        self.told.lock().expect("no panic").clone()
    }

    /// Waits until something is said that holds all these texts.
    pub async fn until_told(&self, parts: &[&str]) {
        for _ in 0..1200 {
            if self.told().iter().any(|text| parts.iter().all(|part| text.contains(part))) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{parts:?} was not said: {:?}", self.told());
    }

    /// Lets an hour go by.
    pub fn jump(&self) {
        self.jumped_ms.fetch_add(3_600_000, Ordering::Relaxed);
    }
}

impl Clock for Runner {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).expect("a short test") * SPEED
            + self.jumped_ms.load(Ordering::Relaxed)
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        std::thread::sleep(how_long / u32::try_from(SPEED).expect("small"));
        if self.stop.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }
}

impl Host for Runner {
    fn clock(&self) -> &dyn Clock {
        self
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn progress(&self, text: &str) {
        self.told.lock().expect("no panic").push(text.to_owned());
    }
}

/// The outcome of a work during which something must come about.
pub async fn during<T: std::fmt::Debug>(work: impl Future<Output = T>, meanwhile: impl Future<Output = ()>) -> T {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        early = &mut work => panic!("it ended too early: {early:?}"),
        () = meanwhile => work.await,
    }
}

/// A namespace, one version of helm, and a run.
pub struct Site {
    pub bench: &'static Bench,
    pub helm: Helm,
    pub objects: Objects,
    pub host: Runner,
    pub place: Place,
    pub namespace: String,
    pub run: String,
    pub root: tempfile::TempDir,
}

/// Runs a test with both versions of helm, in a namespace of its own each; skips it loudly without the testbed.
pub fn with_both(test: impl AsyncFn(Site)) {
    let Some(bench) = bench() else { return };
    for program in [&bench.tools.helm3, &bench.tools.helm4] {
        bench.runtime.block_on(async {
            let site = Site::new(bench, program.clone()).await;
            test(site).await;
        });
    }
}

impl Site {
    async fn new(bench: &'static Bench, program: PathBuf) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let program = Program::at(program).await.expect("helm");
        let root = tempfile::tempdir().expect("a folder");
        let reach = || connections(&bench.endpoint, &bench.ca, &bench.token);
        let site = Self {
            namespace: format!("helm{}-{number}", program.version.major),
            run: format!("run-{number}"),
            helm: Helm::new(reach()).with(program, root.path().to_owned()),
            objects: Objects::new(reach()),
            host: Runner::default(),
            place: Place { cluster: Some("testbed".to_owned()), ..Place::default() },
            bench,
            root,
        };
        site.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.namespace}})).await;
        site
    }

    /// The input of an install.
    pub fn input(&self, release: &str, chart: &str, values: Value) -> Value {
        let chart = format!("{}/{chart}", self.bench.registry.url());
        json!({"release": release, "namespace": self.namespace, "chart": chart, "values": values})
    }

    /// Sends an install or upgrade, once.
    pub async fn create(&self, input: &Value, effect: &str) -> Result<Value, CallError> {
        let tags = self.tags(effect);
        self.helm.create(&RELEASE, &self.request(input, &tags)).await
    }

    /// Finds what an effect would have made.
    pub async fn find(&self, input: &Value, effect: &str) -> Vec<Value> {
        let tags = self.tags(effect);
        self.helm.find(&RELEASE, &self.request(input, &tags)).await.expect("found")
    }

    /// Installs or upgrades as the engine does: sends it, then reads until it is ready or broken.
    pub async fn install(&self, input: &Value, effect: &str) -> Result<Value, String> {
        let mut described = self.create(input, effect).await.map_err(|error| error.to_string())?;
        let at = RELEASE.locate(input, &described).expect("a locator");
        for _ in 0..300 {
            match RELEASE.judge(&described) {
                Health::Ready => return Ok(described),
                Health::Failed(why) | Health::Deleting(why) => return Err(why),
                Health::Pending(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
            described = self.read(&at).await.expect("it stands");
        }
        Err(format!("not ready: {described}"))
    }

    /// Reads a release by its locator.
    pub async fn read(&self, at: &Value) -> Option<Value> {
        self.helm.read(&RELEASE, &self.place, at, &self.host).await.expect("a read")
    }

    /// Reads a release by its name, as `helm.status` does.
    pub async fn status(&self, release: &str) -> Value {
        self.call(&operations::STATUS, &json!({"release": release, "namespace": self.namespace}))
            .await
            .expect("a status")
    }

    /// Deletes a release by its locator.
    pub async fn delete(&self, at: &Value) -> Result<(), CallError> {
        self.helm.delete(&RELEASE, &self.place, at, None, &self.host).await
    }

    /// Calls an operation of Helm.
    pub async fn call(&self, operation: &'static Operation, input: &Value) -> Result<Value, CallError> {
        let tags = self.tags("call");
        self.helm.call(operation, &self.request(input, &tags)).await
    }

    /// Calls an operation of Helm for a cluster that does not stand yet.
    pub async fn call_early(&self, operation: &'static Operation, input: &Value) -> Result<Value, CallError> {
        let program = self.helm.program().await.expect("helm").clone();
        let nowhere = Arc::new(Connections::new(Arc::new(Nowhere)));
        let tags = self.tags("call");
        let helm = Helm::new(nowhere).with(program, self.root.path().to_owned());
        helm.call(operation, &self.request(input, &tags)).await
    }

    /// Applies an object.
    pub async fn apply(&self, object: &Value) {
        let tags = BTreeMap::new();
        self.objects.create(&OBJECT, &self.request(object, &tags)).await.expect("applied");
    }

    /// Reads an object of the namespace; null when there is none.
    pub async fn object(&self, kind: &str, name: &str) -> Value {
        let wanted = json!({"kind": kind, "namespace": self.namespace, "name": name});
        let tags = BTreeMap::new();
        self.objects.call(&k8s::operations::GET, &self.request(&wanted, &tags)).await.expect("a read")
    }

    /// The names of the objects of a kind in the namespace.
    pub async fn names(&self, kind: &str) -> Vec<String> {
        let wanted = json!({"kind": kind, "namespace": self.namespace});
        let tags = BTreeMap::new();
        let found = self.objects.call(&k8s::operations::LIST, &self.request(&wanted, &tags)).await.expect("a list");
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        found.as_array().into_iter().flatten().map(name).collect()
    }

    /// Waits until a release has a status in Helm's own records.
    pub async fn until(&self, release: &str, revision: u64, status: &str) {
        let secret = format!("sh.helm.release.v1.{release}.v{revision}");
        for _ in 0..2400 {
            if self.object("Secret", &secret).await["metadata"]["labels"]["status"] == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("release {release} did not become {status}: {}", self.status(release).await);
    }

    /// The processes of helm that change a release, now.
    pub fn helms(&self, release: &str) -> Vec<u32> {
        let mut helms = children(std::process::id());
        helms.retain(|pid| {
            let text = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            text.split('\0').any(|word| word == release)
                && text.contains(&format!("--namespace={}\0", self.namespace))
                && !text.contains("--dry-run")
        });
        helms
    }

    /// Calls helm as a person would, with a kubeconfig of their own.
    pub async fn person(&self, arguments: &[&str]) {
        let kubeconfig = self.root.path().join("persons.kubeconfig");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {
                "server": self.bench.endpoint, "certificate-authority-data": STANDARD.encode(&self.bench.ca),
            }}],
            "users": [{"name": "it", "user": {"token": self.bench.token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": self.namespace}}],
        });
        fs::write(&kubeconfig, config.to_string()).expect("written");
        let program = &self.helm.program().await.expect("helm").path;
        let home = self.root.path();
        let output = tokio::process::Command::new(program)
            .args(arguments)
            .env_clear()
            .envs([("KUBECONFIG", kubeconfig.as_path()), ("HOME", home)])
            .output()
            .await
            .expect("helm starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::remove_file(kubeconfig).expect("removed");
    }

    /// Lets the pods of a held Job go on.
    pub async fn release_pods(&self, job: &str) {
        let mut pods = Vec::new();
        for _ in 0..100 {
            pods = self.names("Pod").await;
            pods.retain(|name| name.starts_with(job));
            if !pods.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!pods.is_empty(), "no pod of {job} is held");
        for name in pods {
            self.patch("Pod", &name, json!({"metadata": {"annotations": {"testbed.runbook.dev/hold": null}}})).await;
        }
    }

    /// Changes an object of the namespace.
    pub async fn patch(&self, kind: &str, name: &str, patch: Value) {
        let input = json!({"kind": kind, "namespace": self.namespace, "name": name, "patch": patch});
        let tags = BTreeMap::new();
        // Others write to it too: as the engine does, the patch is sent again when the object has changed meanwhile.
        let mut sent = self.objects.create(&PATCH, &self.request(&input, &tags)).await;
        while sent.as_ref().is_err_and(|error| error.class == Class::NotYet) {
            sent = self.objects.create(&PATCH, &self.request(&input, &tags)).await;
        }
        sent.expect("patched");
    }

    /// Sends an install from a process of its own, which is killed as soon as helm is at work.
    pub async fn orphaned(&self, input: &Value, effect: &str) {
        let release = input["release"].as_str().expect("a name");
        let program = self.helm.program().await.expect("helm");
        let job = json!({
            "endpoint": self.bench.endpoint, "ca": self.bench.ca, "token": self.bench.token, "program": program.path,
            "root": self.root.path(), "namespace": self.namespace, "run": self.run, "input": input, "effect": effect,
        });
        let mut child = std::process::Command::new(std::env::current_exe().expect("our path"))
            .args(["--exact", "helm::pending::a_run_that_is_killed", "--ignored"])
            .env(ORPHAN, job.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("ourselves");
        self.until(release, 1, "pending-install").await;
        child.kill().expect("killed");
        child.wait().expect("ended");
    }

    /// The same site for another run.
    pub fn for_run(self, run: &str) -> Self {
        Self { run: run.to_owned(), ..self }
    }

    fn tags(&self, effect: &str) -> BTreeMap<String, String> {
        let tags = [(RUN_TAG, self.run.as_str()), (EFFECT_TAG, effect), (STEP_TAG, "redis 1/install «it», please")];
        tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn request<'a>(&'a self, input: &'a Value, tags: &'a BTreeMap<String, String>) -> Request<'a> {
        Request { place: &self.place, input, token: "", tags, host: &self.host }
    }
}

fn connections(endpoint: &str, ca: &str, token: &str) -> Arc<Connections> {
    Arc::new(Connections::new(Arc::new(Fixed(Connection {
        endpoint: endpoint.to_owned(),
        ca_pem: Some(ca.to_owned()),
        server_name: None,
        identity: Identity::Token(token.to_owned().into()),
        renew_at: None,
    }))))
}

/// What the process of [`Site::orphaned`] does.
pub fn orphan() {
    let Some(job) = std::env::var_os(ORPHAN) else { return };
    let job: Value = serde_json::from_str(&job.to_string_lossy()).expect("JSON");
    let text = |name: &str| job[name].as_str().expect("a text").to_owned();
    Runtime::new().expect("a runtime").block_on(async {
        let program = Program::at(text("program").into()).await.expect("helm");
        let connections = connections(&text("endpoint"), &text("ca"), &text("token"));
        let helm = Helm::new(connections).with(program, text("root").into());
        let tags =
            [(RUN_TAG, text("run")), (EFFECT_TAG, text("effect"))].map(|(name, value)| (name.to_owned(), value)).into();
        let (place, host) = (Place { cluster: Some("testbed".to_owned()), ..Place::default() }, Runner::default());
        let request = Request { place: &place, input: &job["input"], token: "", tags: &tags, host: &host };
        panic!("it was to be killed: {:?}", helm.create(&RELEASE, &request).await);
    });
}
