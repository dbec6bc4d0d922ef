//! redis-cli in pods: the real one, sent to the process that stands behind the host and port it was given.

use std::{process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt, process::Command};

use super::super::{
    container::Done,
    dns::Unresolved,
    reach::{self, Unreached},
    tools::{Call, failed},
};
use super::PORT;

/// Runs it.
pub async fn run(call: &Call<'_>) -> Done {
    let (host, port, rest) = match split(call.arguments) {
        Ok(parts) => parts,
        Err(why) => return failed(1, why),
    };
    let own = matches!(host.as_str(), "127.0.0.1" | "localhost" | "::1");
    let redis = &call.inside.shared.redis;
    let unreached = |why: &str| failed(1, format!("Could not connect to Redis at {host}:{port}: {why}\n"));
    let address = if own {
        redis.address(call.pod)
    } else {
        match reach::connect(call.inside, call.pod, &host, port).await {
            Ok(arrival) => redis.address(&arrival.pod),
            Err(Unreached::Unresolved(Unresolved::NoSuchName)) => return unreached("Name or service not known"),
            Err(Unreached::Unresolved(_)) => return unreached("Temporary failure in name resolution"),
            Err(Unreached::Timeout(_)) => return unreached("Connection timed out"),
            Err(Unreached::Refused(_)) => return unreached("Connection refused"),
        }
    };
    let Some(address) = address else { return unreached("Connection refused") };
    let mut command = Command::new(&redis.programs.cli);
    command.args(["-h", &address.to_string(), "-p", &port.to_string()]).args(rest);
    if let Some(password) = call.env.get("REDISCLI_AUTH") {
        command.env("REDISCLI_AUTH", password);
    }
    let stdin = if call.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
    let started = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return failed(127, format!("redis-cli: {error}\n")),
    };
    if let Some(mut pipe) = child.stdin.take() {
        // redis-cli may end before it has read everything.
        let _ = pipe.write_all(call.stdin.as_bytes()).await;
    }
    match tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await {
        Ok(Ok(output)) => Done {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).replace(&address.to_string(), &host),
            exit_code: output.status.code().unwrap_or(137),
        },
        Ok(Err(error)) => failed(1, format!("redis-cli: {error}\n")),
        Err(_) => failed(124, "redis-cli: no answer within 60 s\n".into()),
    }
}

/// Host, port, and the other arguments.
fn split(arguments: &[String]) -> Result<(String, u16, Vec<&String>), String> {
    let (mut host, mut port, mut rest) = ("127.0.0.1".to_owned(), PORT, Vec::new());
    let mut given = arguments.iter();
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "-h" if rest.is_empty() => host = given.next().cloned().unwrap_or_default(),
            "-p" if rest.is_empty() => {
                let text = given.next().map_or("", String::as_str);
                port = text.parse().map_err(|_| "Invalid server port.\n".to_owned())?;
            }
            "-u" | "-s" if rest.is_empty() => {
                return Err(format!("redis-cli {argument}: the testbed knows -h and -p only\n"));
            }
            _ => rest.push(argument),
        }
    }
    Ok((host, port, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_taken_out() {
        let arguments = ["-h", "one", "-p", "26379", "sentinel", "get-master-addr-by-name", "-p"].map(str::to_owned);
        let (host, port, rest) = split(&arguments).unwrap();
        assert_eq!((host.as_str(), port, rest.len()), ("one", 26379, 3));
        assert!(split(&["-p".to_owned(), "x".to_owned()]).is_err());
    }
}
