//! Real control planes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok for nodes and pods. The kubelet is
//! whoever listens on the port given; what happens to pods is written in `stages/`.

mod configuration;
mod options;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    process::{Process, on_free_port},
    scratch::Scratch,
    tools::Tools,
};
use configuration::{Identities, kubeconfig, webhook};

pub use options::{Options, Webhook};

const STAGES: [&str; 3] =
    [include_str!("../stages/node.yaml"), include_str!("../stages/pod.yaml"), include_str!("../stages/service.yaml")];
// Sockets in the folder in which etcd and the API server run: no ports, and nobody else's etcd.
const ETCD: &str = "unix://client:1";
const ETCD_PEER: &str = "unix://peer:1";
// Most of them live for a minute: to collect their garbage takes a sixth of their processor time, and they seldom get to this much.
const GO: [(&str, &str); 2] = [("GOGC", "off"), ("GOMEMLIMIT", "512MiB")];
// A start takes five seconds; on a machine that compiles beside it, ten times as long.
const PATIENCE: Duration = Duration::from_secs(180);

/// A control plane that runs until it is stopped or dropped, or this process ends.
#[derive(Debug)]
pub struct ControlPlane {
    // The processes end before their folder goes: fields are dropped in this order.
    helpers: Mutex<Vec<Process>>,
    api_server: Mutex<Option<Process>>,
    etcd: Mutex<Option<Process>>,
    folder: Scratch,
    identities: Identities,
    tools: Tools,
    options: Options,
    port: u16,
}

impl ControlPlane {
    /// Starts one and waits until it is ready: `/readyz` is ok and, with controllers, pods can be made in namespace `default`.
    /// Blocks; from asynchronous code call it through `spawn_blocking`.
    ///
    /// # Errors
    /// Which program did not start, and the end of its log.
    pub fn start(tools: &Tools, options: Options) -> Result<Self, String> {
        let started = on_free_port(|port| Self::start_on(port, tools, options.clone()));
        started.map_err(|error| format!("the control plane {} did not start: {error}", options.name))
    }

    fn start_on(port: u16, tools: &Tools, options: Options) -> Result<Self, String> {
        let plane = Self {
            helpers: Mutex::default(),
            api_server: Mutex::default(),
            etcd: Mutex::default(),
            folder: Scratch::new(&tools.cache, &options.name).map_err(|error| format!("no folder: {error}"))?,
            identities: Identities::new(&options.name)?,
            tools: tools.clone(),
            options,
            port,
        };
        plane.write_files()?;
        *lock(&plane.etcd) = Some(plane.start_etcd()?);
        plane.start_api_server()?;
        plane.start_helpers()?;
        Ok(plane)
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The certificate authority of the API server, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.identities.authority.own().certificate
    }

    /// The authority itself, for whoever needs a certificate that the API server's clients trust.
    #[must_use]
    pub fn authority(&self) -> &crate::certificates::Authority {
        &self.identities.authority
    }

    /// A kubeconfig file of a member of `system:masters`.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.file("admin.kubeconfig")
    }

    /// A client as a member of `system:masters`.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        kube::Client::try_from(self.identities.client(&self.endpoint())).expect("our own certificates are good")
    }

    /// The end of a program's log: `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler` or `kwok`.
    #[must_use]
    pub fn log(&self, program: &str) -> String {
        fs::read_to_string(self.file(&format!("{program}.log"))).unwrap_or_default()
    }

    /// Ends the API server and starts it again on the same port; what etcd holds stays.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart_api_server(&self) -> Result<(), String> {
        self.stop_api_server();
        self.start_api_server()
    }

    /// Ends the API server; everything else goes on.
    pub fn stop_api_server(&self) {
        *lock(&self.api_server) = None;
    }

    /// Starts the API server where it was and waits until it is ready.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub fn start_api_server(&self) -> Result<(), String> {
        let mut process = self.program(&self.tools.kube_apiserver, self.api_server_flags())?;
        process.wait_until(PATIENCE, || self.answers("/readyz"))?;
        *lock(&self.api_server) = Some(process);
        Ok(())
    }

    /// Ends every program and waits until they are gone. Dropping does the same.
    pub fn stop(self) {}

    fn start_etcd(&self) -> Result<Process, String> {
        let mut process = self.program(
            &self.tools.etcd,
            [
                "--data-dir=etcd".into(),
                // Nothing here is to survive a power cut.
                "--unsafe-no-fsync".into(),
                "--log-level=warn".into(),
                format!("--listen-client-urls={ETCD}"),
                format!("--advertise-client-urls={ETCD}"),
                format!("--listen-peer-urls={ETCD_PEER}"),
                format!("--initial-advertise-peer-urls={ETCD_PEER}"),
                format!("--initial-cluster=default={ETCD_PEER}"),
            ],
        )?;
        process.wait_until(PATIENCE, || self.file("client:1").exists())?;
        Ok(process)
    }

    fn api_server_flags(&self) -> Vec<String> {
        let mut flags = vec![
            format!("--etcd-servers={ETCD}"),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={}", self.port),
            // The loopback is no address for the endpoints of the service `kubernetes`.
            "--endpoint-reconciler-type=none".into(),
            "--authorization-mode=RBAC".into(),
            "--allow-privileged=true".into(),
            format!("--service-cluster-ip-range={}", self.options.service_cidr),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            self.with_file("--service-account-signing-key-file", "service-accounts.key"),
            self.with_file("--service-account-key-file", "service-accounts.pub"),
            self.with_file("--client-ca-file", "ca.crt"),
            self.with_file("--tls-cert-file", "api-server.crt"),
            self.with_file("--tls-private-key-file", "api-server.key"),
            // The names of nodes are nowhere to be looked up.
            "--kubelet-preferred-address-types=InternalIP".into(),
            self.with_file("--kubelet-client-certificate", "kubelet-client.crt"),
            self.with_file("--kubelet-client-key", "kubelet-client.key"),
        ];
        if self.options.webhook.is_some() {
            flags.push(self.with_file("--authentication-token-webhook-config-file", "webhook.kubeconfig"));
            flags.push("--authentication-token-webhook-version=v1".into());
            // An answer is kept for a second only, so that a token's end is seen.
            flags.push("--authentication-token-webhook-cache-ttl=1s".into());
        }
        flags.extend(self.options.api_server_flags.iter().cloned());
        flags
    }

    fn start_helpers(&self) -> Result<(), String> {
        let mut helpers = Vec::new();
        let mut helper = |program: &Path, flags: Vec<String>| -> Result<(), String> {
            helpers.push(self.program(program, flags)?);
            Ok(())
        };
        if self.options.controllers {
            let flags = vec![
                self.with_file("--kubeconfig", "controllers.kubeconfig"),
                "--secure-port=0".into(),
                "--leader-elect=false".into(),
                "--use-service-account-credentials=true".into(),
                self.with_file("--service-account-private-key-file", "service-accounts.key"),
                self.with_file("--root-ca-file", "ca.crt"),
                self.with_file("--cluster-signing-cert-file", "ca.crt"),
                self.with_file("--cluster-signing-key-file", "ca.key"),
            ];
            helper(&self.tools.kube_controller_manager, flags)?;
        }
        if self.options.scheduler {
            let flags = vec![
                self.with_file("--kubeconfig", "scheduler.kubeconfig"),
                "--secure-port=0".into(),
                "--leader-elect=false".into(),
            ];
            helper(&self.tools.kube_scheduler, flags)?;
        }
        if self.options.kwok {
            let flags = vec![
                self.with_file("--kubeconfig", "admin.kubeconfig"),
                self.with_file("--config", "stages.yaml"),
                "--manage-all-nodes=true".into(),
                "--node-lease-duration-seconds=40".into(),
                format!("--cidr={}", self.options.pod_cidr),
                "--node-ip=127.0.0.1".into(),
                format!("--node-port={}", self.options.kubelet_port),
                // Its own server is of no use here; left to itself it would take the kubelet's port on every address.
                "--server-address=127.0.0.1:0".into(),
            ];
            helper(&self.tools.kwok, flags)?;
        }
        if let Some(controllers) = helpers.first_mut().filter(|_| self.options.controllers) {
            controllers.wait_until(PATIENCE, || self.answers("/api/v1/namespaces/default/serviceaccounts/default"))?;
        }
        *lock(&self.helpers) = helpers;
        Ok(())
    }

    fn write_files(&self) -> Result<(), String> {
        let write = |name: &str, text: &str| {
            let path = self.file(name);
            fs::write(&path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
        };
        self.identities.files().into_iter().try_for_each(|(name, text)| write(&name, text))?;
        for (name, identity) in self.identities.kubeconfigs() {
            write(&format!("{name}.kubeconfig"), &kubeconfig(&self.endpoint(), self.ca_pem(), identity))?;
        }
        if let Some(options) = &self.options.webhook {
            write("webhook.kubeconfig", &webhook(options))?;
        }
        write("stages.yaml", &STAGES.join("---\n"))
    }

    /// Whether a GET as admin is answered with 2xx. On a thread and runtime of its own, so that it may block anywhere.
    fn answers(&self, path: &str) -> bool {
        let config = self.identities.client(&self.endpoint());
        let ask = async || {
            let client = kube::Client::try_from(config).ok()?;
            let request = http::Request::get(path).body(Vec::new()).ok()?;
            tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await.ok()?.ok()
        };
        let asked = std::thread::scope(|scope| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            scope.spawn(move || runtime.ok()?.block_on(ask())).join()
        });
        matches!(asked, Ok(Some(_)))
    }

    fn program(&self, program: &Path, flags: impl IntoIterator<Item = String>) -> Result<Process, String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        Process::start(program, flags, &GO, &self.file(&format!("{name}.log")))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn with_file(&self, flag: &str, name: &str) -> String {
        format!("{flag}={}", self.file(name).display())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
