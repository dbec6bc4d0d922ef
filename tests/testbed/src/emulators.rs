//! moto and ministack: two emulators of AWS. Both listen on 127.0.0.1 alone, both believe to be account [`ACCOUNT`], neither keeps
//! anything. The fault proxy stands before them; tests talk to an emulator itself only to read what is really there.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use crate::{
    process::{Process, on_free_port},
    scratch::Scratch,
    tools::Tools,
};

/// The account that both emulators answer for.
pub const ACCOUNT: &str = "123456789012";

const PATIENCE: Duration = Duration::from_secs(180);

/// moto's server.
#[derive(Debug)]
pub struct Moto(Server);

/// ministack.
#[derive(Debug)]
pub struct Ministack(Server);

impl Moto {
    /// Starts it on a free port and waits until it answers. Blocks.
    ///
    /// # Errors
    /// When it does not start, with the end of its log.
    pub fn start(tools: &Tools) -> Result<Self, String> {
        Server::start(tools, "moto", "/moto-api/", |port, folder| {
            let environment = [
                // Its default account is ours. Said here, it would know no other one, and assumed roles would stay in it.
                ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true"),
                ("MOTO_ACM_VALIDATION_WAIT", "1"),
            ];
            let log = folder.path().join("log");
            Process::start(&tools.moto_server, ["--host=127.0.0.1", &format!("--port={port}")], &environment, &log)
        })
        .map(Self)
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Forgets every resource.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn reset(&self) -> Result<(), String> {
        self.0.post("/moto-api/reset")
    }

    /// Ends it. Dropping does the same.
    pub fn stop(self) {}
}

impl Ministack {
    /// Starts it on a free port and waits until it answers. Blocks.
    ///
    /// # Errors
    /// When it does not start, with the end of its log.
    pub fn start(tools: &Tools) -> Result<Self, String> {
        Server::start(tools, "ministack", "/_ministack/health", |port, folder| {
            let (port, own) = (port.to_string(), folder.path().display().to_string());
            let environment = [
                ("GATEWAY_PORT", &*port),
                ("BIND_HOST", "127.0.0.1"),
                ("MINISTACK_ACCOUNT_ID", ACCOUNT),
                ("LOG_LEVEL", "WARNING"),
                // It keeps a pid file here, and would keep its state.
                ("TMPDIR", &own),
                ("STATE_DIR", &own),
                // These listen on every address.
                ("SFTP_ENABLED", "0"),
                ("IOT_MTLS_ENABLED", "0"),
                // It may not start containers for what it emulates.
                ("DOCKER_HOST", "unix:///nowhere"),
            ];
            Process::start(&tools.ministack, [""; 0], &environment, &folder.path().join("log"))
        })
        .map(Self)
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Forgets every resource.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn reset(&self) -> Result<(), String> {
        self.0.post("/_ministack/reset")
    }

    /// Ends it. Dropping does the same.
    pub fn stop(self) {}
}

/// A program that serves HTTP on a port of its own.
#[derive(Debug)]
struct Server {
    // Ends before its folder goes: fields are dropped in this order.
    _process: Process,
    _folder: Scratch,
    port: u16,
}

impl Server {
    fn start(
        tools: &Tools, name: &str, ready: &str, start: impl Fn(u16, &Scratch) -> Result<Process, String>,
    ) -> Result<Self, String> {
        on_free_port(|port| {
            let folder = Scratch::new(&tools.cache, name).map_err(|error| format!("no folder: {error}"))?;
            let mut process = start(port, &folder)?;
            process.wait_until(PATIENCE, || request(port, "GET", ready).is_ok())?;
            Ok(Self { _process: process, _folder: folder, port })
        })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn post(&self, path: &str) -> Result<(), String> {
        request(self.port, "POST", path)
    }
}

/// One request without a body; an answer other than 2xx is an error. Blocks.
fn request(port: u16, method: &str, path: &str) -> Result<(), String> {
    let answer = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        let mut start = [0; 64];
        let length = stream.read(&mut start)?;
        Ok(String::from_utf8_lossy(&start[..length]).lines().next().unwrap_or_default().to_owned())
    };
    let place = format!("{method} http://127.0.0.1:{port}{path}");
    let line = answer().map_err(|error| format!("{place}: {error}"))?;
    if line.split(' ').nth(1).is_some_and(|code| code.starts_with('2')) {
        Ok(())
    } else {
        Err(format!("{place}: {line}"))
    }
}
