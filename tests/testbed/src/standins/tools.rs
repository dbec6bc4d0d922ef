//! The programs in pods whose answers depend on the network: each says what it would say in a real pod.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    cluster::Inside,
    container::Done,
    dns::{self, Unresolved},
    kube_objects::{name, text},
    reach::{self, Unreached},
    redis,
};

/// A program as it was called.
pub struct Call<'a> {
    /// The cluster of the pod.
    pub inside: &'a Arc<Inside>,
    /// The pod.
    pub pod: &'a Value,
    /// The program's arguments.
    pub arguments: &'a [String],
    /// Its standard input.
    pub stdin: &'a str,
    /// Its environment.
    pub env: &'a BTreeMap<String, String>,
}

/// Answers for the program `called`.
pub async fn run(called: &str, call: &Call<'_>) -> Done {
    match called {
        "nslookup" => nslookup(call).await,
        "dig" => dig(call).await,
        "nc" => nc(call).await,
        "agnhost" => agnhost(call).await,
        "redis-cli" => redis::cli::run(call).await,
        "hostname" => hostname(call),
        other => failed(127, format!("{other}: the testbed has no answers for it\n")),
    }
}

/// A program that ends with a code and an error.
pub fn failed(exit_code: i32, stderr: String) -> Done {
    Done { stdout: String::new(), stderr, exit_code }
}

fn said(stdout: String, exit_code: i32) -> Done {
    Done { stdout, stderr: String::new(), exit_code }
}

async fn nslookup(call: &Call<'_>) -> Done {
    let Some(asked) = call.arguments.iter().find(|a| !a.starts_with('-')) else {
        return failed(1, "usage: nslookup NAME\n".into());
    };
    match dns::resolve(call.inside, call.pod, asked).await {
        Ok(found) => {
            let answers: String =
                found.addresses.iter().map(|a| format!("Name:\t{}\nAddress: {a}\n", found.name)).collect();
            said(format!("Server:\t\t{0}\nAddress:\t{0}#53\n\n{answers}\n", found.server), 0)
        }
        Err(Unresolved::NoSuchName) => said(format!("** server can't find {asked}: NXDOMAIN\n\n"), 1),
        Err(Unresolved::Failed(_)) => said(format!("** server can't find {asked}: SERVFAIL\n\n"), 1),
        Err(Unresolved::NoServer(_)) => said(";; connection timed out; no servers could be reached\n\n".into(), 1),
    }
}

async fn dig(call: &Call<'_>) -> Done {
    let plain = |a: &&String| !a.starts_with(['+', '-', '@']) && a.as_str() != "A";
    let Some(asked) = call.arguments.iter().find(plain) else { return failed(1, "usage: dig +short NAME\n".into()) };
    // dig looks no search domains up.
    let full = format!("{}.", asked.trim_end_matches('.'));
    match dns::resolve(call.inside, call.pod, &full).await {
        Ok(found) => said(found.addresses.iter().map(|a| format!("{a}\n")).collect(), 0),
        Err(Unresolved::NoServer(_)) => said(";; connection timed out; no servers could be reached\n".into(), 9),
        Err(_) => said(String::new(), 0),
    }
}

async fn agnhost(call: &Call<'_>) -> Done {
    let [what, rest @ ..] = call.arguments else { return failed(1, "usage: agnhost COMMAND\n".into()) };
    let target = rest.iter().find_map(|a| a.rsplit_once(':')).and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (Some((host, port)), "connect") = (target, what.as_str()) else {
        return failed(
            1,
            format!("agnhost {}: the testbed answers `agnhost connect HOST:PORT` only\n", call.arguments.join(" ")),
        );
    };
    match reach::connect(call.inside, call.pod, host, port).await {
        Ok(_) => said(String::new(), 0),
        Err(Unreached::Unresolved(_)) => failed(1, "DNS\n".into()),
        Err(Unreached::Timeout(_)) => failed(1, "TIMEOUT\n".into()),
        Err(Unreached::Refused(_)) => failed(1, "REFUSED\n".into()),
    }
}

async fn nc(call: &Call<'_>) -> Done {
    let mut plain = call.arguments.iter().rev().filter(|a| !a.starts_with('-'));
    let (Some(port), Some(host)) = (plain.next().and_then(|port| port.parse().ok()), plain.next()) else {
        return failed(1, "usage: nc -z HOST PORT\n".into());
    };
    match reach::connect(call.inside, call.pod, host, port).await {
        Ok(_) => said(String::new(), 0),
        Err(Unreached::Unresolved(_)) => failed(1, format!("nc: bad address '{host}'\n")),
        Err(Unreached::Timeout(_)) => failed(1, format!("nc: {host} ({host}:{port}): Operation timed out\n")),
        Err(Unreached::Refused(_)) => failed(1, format!("nc: {host} ({host}:{port}): Connection refused\n")),
    }
}

fn hostname(call: &Call<'_>) -> Done {
    let address = call.arguments.iter().any(|a| a == "-i" || a == "-I");
    let answer = if address { text(call.pod, "status.podIP") } else { name(call.pod) };
    said(format!("{answer}\n"), 0)
}
