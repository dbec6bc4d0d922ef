//! What the chart's start scripts do: ask a sentinel for the master, and start as its replica, or as the master when nobody answers.

use std::{fmt::Write as _, fs, net::Ipv4Addr, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::process::Command;

use super::super::{
    cluster::Inside,
    kube_objects::{items, text},
    reach,
};
use super::{PORT, SENTINEL_PORT, hosts, settings::Settings};
use crate::process::Process;

/// The name of the master to follow; the pod's own when it is to be the master.
///
/// # Errors
/// The name does not resolve yet: the container would end and be started again.
pub(super) async fn master(inside: &Arc<Inside>, pod: &Value, settings: &Settings) -> Result<String, String> {
    let asked = ask(inside, pod, settings).await;
    let answer = match &asked {
        Ok(master) => format!("the sentinel at {} says that the master is {master}", settings.ask),
        Err(why) => format!("no sentinel at {} answers ({why}): I am the master", settings.ask),
    };
    let master = asked.unwrap_or_else(|_| settings.announced.clone());
    if master != settings.announced && hosts::address(inside, &master).is_none() {
        return Err(format!("{answer}; but {master} does not resolve, or is out of reach"));
    }
    if !hosts::is_written(inside, pod, &settings.announced).await {
        return Err(format!("{} does not resolve to this pod yet", settings.announced));
    }
    inside.logs.write(pod, "redis", &format!("{answer}\n"));
    Ok(master)
}

async fn ask(inside: &Arc<Inside>, pod: &Value, settings: &Settings) -> Result<String, String> {
    let arrival = reach::connect(inside, pod, &settings.ask, SENTINEL_PORT).await.map_err(|why| format!("{why:?}"))?;
    let redis = &inside.shared.redis;
    let address = redis.address(&arrival.pod).ok_or("no sentinel runs there")?;
    let answer = cli(
        &redis.programs.cli,
        address,
        SENTINEL_PORT,
        &settings.password,
        &["sentinel", "get-master-addr-by-name", &settings.set],
    )
    .await?;
    let master = answer.lines().next().unwrap_or_default().trim().to_owned();
    // redis-cli ends well even when the answer is an error.
    if master.is_empty() || master.contains(' ') { Err(answer) } else { Ok(master) }
}

/// Starts redis-server and its sentinel.
///
/// # Errors
/// A file cannot be written, or a program not be started.
pub(super) fn processes(
    inside: &Inside, pod: &Value, settings: &Settings, master: &str, address: Ipv4Addr,
) -> Result<[Process; 2], String> {
    let folder = inside.shared.folder().join("redis").join(text(pod, "metadata.uid"));
    let data = inside.shared.folder().join("redis").join(volume(pod));
    for made in [&folder, &data] {
        fs::create_dir_all(made).map_err(|error| format!("{}: {error}", made.display()))?;
    }
    let server = folder.join("redis.conf");
    write(&server, &server_file(settings, master, address, &data))?;
    let sentinel = folder.join("sentinel.conf");
    write(&sentinel, &sentinel_file(settings, master, address, &folder))?;
    let hosts = hosts::file(inside);
    let (hosts, names) = (hosts.to_string_lossy(), inside.shared.redis.programs.names.to_string_lossy());
    let environment = [("LD_PRELOAD", &*names), ("NSS_WRAPPER_HOSTS", &*hosts)];
    let begin = |container: &str, arguments: Vec<&std::ffi::OsStr>| {
        let log = folder.join(format!("{container}.log"));
        let process = Process::start(&inside.shared.redis.programs.server, arguments, &environment, &log);
        inside.logs.is_file(pod, container, log);
        process
    };
    Ok([
        begin("redis", vec![server.as_os_str()])?,
        begin("sentinel", vec![sentinel.as_os_str(), "--sentinel".as_ref()])?,
    ])
}

/// The pod's volume outlives the pod; without one its data goes with it.
fn volume(pod: &Value) -> String {
    let mut claims = items(pod, "spec.volumes").iter().map(|volume| text(volume, "persistentVolumeClaim.claimName"));
    match claims.find(|claim| !claim.is_empty()) {
        Some(claim) => format!("claim-{claim}"),
        None => text(pod, "metadata.uid").to_owned(),
    }
}

fn server_file(settings: &Settings, master: &str, address: Ipv4Addr, data: &Path) -> String {
    let mut text = format!(
        "bind {address}\nport {PORT}\nprotected-mode no\ndir {}\nappendonly yes\nsave \"\"\nrequirepass {pass}\nmasterauth {pass}\n\
         replica-announce-ip {}\nreplica-announce-port {PORT}\nrepl-diskless-sync-delay 0\n",
        data.display(),
        settings.announced,
        pass = settings.password,
    );
    for command in &settings.disabled {
        let _ = writeln!(text, "rename-command {command} \"\"");
    }
    if master != settings.announced {
        let _ = writeln!(text, "replicaof {master} {PORT}");
    }
    text
}

fn sentinel_file(settings: &Settings, master: &str, address: Ipv4Addr, folder: &Path) -> String {
    let Settings { password, announced, set, quorum, .. } = settings;
    let mut text = format!(
        "bind {address}\nport {SENTINEL_PORT}\nprotected-mode no\ndir {}\nrequirepass {password}\nsentinel sentinel-pass {password}\n\
         sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\nsentinel announce-ip {announced}\n\
         sentinel announce-port {SENTINEL_PORT}\nsentinel monitor {set} {master} {PORT} {quorum}\nsentinel auth-pass {set} {password}\n",
        folder.display(),
    );
    for (key, value) in &settings.tuning {
        let _ = writeln!(text, "sentinel {key} {set} {value}");
    }
    text
}

/// The password stands in these files.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let written = fs::write(path, text).and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o600)));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// Waits until a server accepts the password.
pub(super) async fn until_it_answers(
    program: &Path, address: Ipv4Addr, port: u16, password: &str,
) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..100 {
        match cli(program, address, port, password, &["ping"]).await {
            Ok(answer) if answer.trim() == "PONG" => return Ok(()),
            Ok(answer) | Err(answer) => last = answer,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("Redis on port {port} did not answer: {last}"))
}

async fn cli(program: &Path, address: Ipv4Addr, port: u16, password: &str, command: &[&str]) -> Result<String, String> {
    let ended = Command::new(program)
        .args(["-h", &address.to_string(), "-p", &port.to_string(), "--no-auth-warning"])
        .args(command)
        .env("REDISCLI_AUTH", password)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(5), ended).await.map_err(|_| "no answer in 5 s")?;
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(said) } else { Err(said + &String::from_utf8_lossy(&output.stderr)) }
}
