//! Redis, for real: each pod with the containers `redis` and `sentinel` gets a redis-server and a sentinel of its own.
//!
//! Every pod gets an address of the loopback network (127.0.0.0/8) for itself, so both listen on their true ports, 6379 and 26379.
//! They announce and follow each other by the names that the chart gives them: libnss_wrapper answers these processes' look-ups from
//! a file that [`hosts`] keeps equal to what the cluster's VPC resolves and reaches. So a missing record, peering or rule cuts
//! Redis as it would on EKS, and nothing that Redis says has to be translated.
//!
//! [`settings`]: what the chart says. [`start`]: what the chart's start script does. [`cli`]: redis-cli in pods.

pub mod cli;
mod hosts;
mod settings;
mod start;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{
    cluster::Inside,
    commands::MARK,
    container,
    kube_objects::{annotation, is_going, name, namespace, text},
};
use crate::process::Process;

/// Redis' port in every pod.
pub const PORT: u16 = 6379;
/// Its sentinel's.
pub const SENTINEL_PORT: u16 = 26379;

/// The programs of Redis, from the system's packages.
#[derive(Debug, Clone)]
pub struct Programs {
    /// redis-server; it is the sentinel too.
    pub server: PathBuf,
    /// redis-cli.
    pub cli: PathBuf,
    /// libnss_wrapper.so.
    pub names: PathBuf,
}

/// All Redis processes of a testbed.
pub struct Redis {
    programs: Programs,
    running: Mutex<BTreeMap<String, Running>>,
    next: AtomicU32,
}

/// One pod's processes; dropped, they end.
struct Running {
    address: Ipv4Addr,
    cluster: String,
    _processes: [Process; 2],
}

impl Programs {
    /// Finds them on `PATH` and among the system's libraries.
    ///
    /// # Errors
    /// What is missing and which packages have it.
    pub fn find() -> Result<Self, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = |name: &str| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.is_file());
        let libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
        let library =
            libraries.iter().map(|folder| PathBuf::from(folder).join("libnss_wrapper.so")).find(|p| p.is_file());
        match (on_path("redis-server"), on_path("redis-cli"), library) {
            (Some(server), Some(cli), Some(names)) => Ok(Self { server, cli, names }),
            _ => Err(
                "redis-server, redis-cli or libnss_wrapper.so is missing: apt-get install redis-server redis-tools \
                      libnss-wrapper (tests/testbed/up does it)"
                    .into(),
            ),
        }
    }
}

impl Redis {
    pub(super) fn new(programs: Programs) -> Self {
        Self { programs, running: Mutex::default(), next: AtomicU32::new(std::process::id() % 0x4000) }
    }

    /// The loopback address of a pod's Redis; none while it does not run.
    pub fn address(&self, pod: &Value) -> Option<Ipv4Addr> {
        self.lock().get(text(pod, "metadata.uid")).map(|running| running.address)
    }

    /// Whether a pod's Redis accepts connections on a port of the pod.
    pub async fn listens(&self, pod: &Value, port: u16) -> bool {
        let Some(address) = self.address(pod) else { return false };
        TcpStream::connect((address, port)).await.is_ok()
    }

    /// An address whose two ports are free. Another testbed on this machine may have some.
    fn free_address(&self) -> Result<Ipv4Addr, String> {
        for _ in 0..1000 {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            // 127.64.0.0/10, without the first and the last address of each 256.
            let address = Ipv4Addr::from(0x7f40_0000 + ((n / 254) % 0x4000) * 256 + n % 254 + 1);
            if [PORT, SENTINEL_PORT].iter().all(|port| TcpListener::bind((address, *port)).is_ok()) {
                return Ok(address);
            }
        }
        Err("no address of 127.64.0.0/10 has ports 6379 and 26379 free".into())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pod of the Redis chart.
pub fn is_redis(pod: &Value) -> bool {
    container::find(pod, "redis").is_some() && container::find(pod, "sentinel").is_some()
}

/// Keeps a cluster's Redis processes equal to its pods, until the task is ended.
pub(super) async fn run(inside: Arc<Inside>) {
    loop {
        if let Ok(pods) = inside.objects.list("/api/v1/pods").await {
            let standing: Vec<Value> = pods.into_iter().filter(|pod| is_redis(pod) && !is_going(pod)).collect();
            inside.shared.redis.lock().retain(|uid, running| {
                running.cluster != inside.name || standing.iter().any(|pod| text(pod, "metadata.uid") == uid)
            });
            hosts::write(&inside).await;
            for pod in standing.iter().filter(|pod| is_ours(pod) && text(pod, "status.phase") == "Running") {
                if inside.shared.redis.address(pod).is_none()
                    && let Err(why) = begin(&inside, pod).await
                {
                    inside.logs.write(pod, "redis", &format!("{why}\n"));
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn is_ours(pod: &Value) -> bool {
    annotation(pod, MARK) == "redis"
}

/// Starts a pod's processes and lets the pod become ready when both answer.
async fn begin(inside: &Arc<Inside>, pod: &Value) -> Result<(), String> {
    let redis = &inside.shared.redis;
    let settings = settings::read(inside, pod).await?;
    let master = start::master(inside, pod, &settings).await?;
    let address = redis.free_address()?;
    let processes = start::processes(inside, pod, &settings, &master, address)?;
    let uid = text(pod, "metadata.uid").to_owned();
    redis.lock().insert(uid, Running { address, cluster: inside.name.clone(), _processes: processes });
    // A replica follows a master by its name, so the names must stand before it is called ready.
    hosts::write(inside).await;
    for port in [PORT, SENTINEL_PORT] {
        start::until_it_answers(&redis.programs.cli, address, port, &settings.password).await?;
    }
    let path = format!("/api/v1/namespaces/{}/pods/{}", namespace(pod), name(pod));
    let ready = json!({"metadata": {"annotations": {"testbed.runbook.dev/hold": null}}});
    inside.objects.merge(&path, &ready).await.map(|_| ())
}
