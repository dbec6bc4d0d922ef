//! The emulators start on the loopback alone, forget when told, and end.

use std::net::TcpStream;

use runbook_testbed::{
    emulators::{Ministack, Moto},
    tools,
};

use crate::common::aws::form;

fn forgets_when_told(url: &str, reset: impl Fn() -> Result<(), String>) {
    let exists = || form(url, "ec2", "Action=DescribeVpcs").contains("10.77.0.0/16");
    assert!(!exists());
    let made = form(url, "ec2", "Action=CreateVpc&CidrBlock=10.77.0.0%2F16");
    assert!(made.contains("<vpcId>"), "{made}");
    assert!(exists());
    reset().expect("reset");
    assert!(!exists());
}

/// What else than the loopback the process behind a URL listens on.
fn listens_elsewhere(url: &str) -> Vec<String> {
    let port: u16 = url.rsplit_once(':').expect("a port").1.parse().expect("a number");
    let tables = ["tcp", "tcp6"].map(|table| std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines()).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listening: Vec<_> =
        rows.filter(|row| row.get(3) == Some(&"0A")).map(|row| (row[1], format!("socket:[{}]", row[9]))).collect();
    let (_, own) = listening.iter().find(|(at, _)| *at == format!("0100007F:{port:04X}")).expect("it listens");
    let sockets = std::fs::read_dir("/proc").expect("processes").flatten().map(|process| {
        let files = std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        files
            .filter_map(|file| Some(std::fs::read_link(file.path()).ok()?.to_string_lossy().into_owned()))
            .collect::<Vec<_>>()
    });
    let sockets = sockets.into_iter().find(|sockets| sockets.contains(own)).expect("a process holds it");
    let elsewhere = listening.iter().filter(|(at, socket)| sockets.contains(socket) && !at.starts_with("0100007F:"));
    elsewhere.map(|(at, _)| (*at).to_owned()).collect()
}

#[test]
fn moto_forgets_when_told_and_ends() {
    let Some(tools) = tools::require() else { return };
    let moto = Moto::start(&tools).expect("moto starts");
    let url = moto.url();
    assert_eq!(listens_elsewhere(&url), Vec::<String>::new());
    forgets_when_told(&url, || moto.reset());
    moto.stop();
    assert!(TcpStream::connect(url.strip_prefix("http://").expect("http")).is_err());
}

#[test]
fn ministack_forgets_when_told_and_ends() {
    let Some(tools) = tools::require() else { return };
    let ministack = Ministack::start(&tools).expect("ministack starts");
    let url = ministack.url();
    assert_eq!(listens_elsewhere(&url), Vec::<String>::new());
    forgets_when_told(&url, || ministack.reset());
    ministack.stop();
    assert!(TcpStream::connect(url.strip_prefix("http://").expect("http")).is_err());
}
