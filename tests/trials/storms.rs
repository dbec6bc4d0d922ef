//! C5: several processes want one run at the same time: two undos; an undo while the run works; a resume while it is undone. One drives
//! it, the others are refused; by the journal no two were at it at once, nothing was made or deleted twice, and in the end the undo
//! leaves nothing.

use std::{
    collections::BTreeMap,
    process::{Child, Stdio},
    time::Duration,
};

use runbook_state::{record::Record, sqlite::Sqlite, store::Store as _};
use serde_json::Value;

use super::{Dice, Make, Tried, UNDO, calls, expect, wedges::emptied, world};
use crate::harness::{Place, Said, said};

/// Eleven things, in two branches.
const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "net", cidr_block: "10.0.0.0/16" }));
parallel(#{
    net: || {
        let igw = step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "igw" }));
        step("attached", || AWS.ec2.attach_internet_gateway(#{ internet_gateway_id: igw.id, vpc_id: vpc.id }));
        let subnet = step("subnet", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.1.0/24", availability_zone: "us-east-1a" }));
        let address = step("address", || AWS.ec2.allocate_address(#{ name: "address" }));
        step("nat", || AWS.ec2.create_nat_gateway(#{ subnet_id: subnet.id, allocation_id: address.id }));
    },
    rest: || {
        for i in 0..5 { step(`queue ${i}`, || AWS.sqs.create_queue(#{ queue_name: `wedge-${i}` })); }
    },
});
"#;
/// How many things it makes.
const THINGS: usize = 11;

/// The kinds of storms.
pub const KINDS: [&str; 3] = ["two undos", "an undo while the run works", "a resume while it is undone"];

/// What a storm was.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// How many processes wanted the run.
    pub processes: usize,
    /// How many of them were refused since another one drove it.
    pub refused: usize,
}

/// One storm of a kind.
///
/// # Errors
/// What went wrong.
pub fn one(make: Make<'_>, kind: usize, seed: u64) -> Tried<Storm> {
    let mut dice = Dice::new(seed * KINDS.len() as u64 + kind as u64);
    let place = make();
    place.write("s.rhai", SCRIPT);
    let run = ["run", "s.rhai", "--sandbox", "--speed"];
    let undo = [&UNDO[..], &["--speed", "200"]].concat();
    let (first, then) = match kind {
        0 => (undo.clone(), undo),
        1 => ([&run[..], &["500"]].concat(), undo),
        _ => (undo, vec!["resume", "latest", "--speed", "200"]),
    };
    if kind != 1 {
        expect(&place, 0, &[&run[..], &["0"]].concat())?;
    }
    let mut began = vec![start(&place, &first)?];
    // All at once, or spread over the whole of it.
    let reach = *dice.one_of(&[4, 30, 160, 500]);
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(dice.up_to(reach)));
        began.push(start(&place, &then)?);
    }
    let processes = began.len();
    let mut refused = 0;
    for (nth, child) in began.into_iter().enumerate() {
        let told = said(child.wait_with_output().map_err(|error| error.to_string())?);
        // There is no run yet, or it is undone and not gone on with.
        let too_soon = kind == 1 && nth > 0 && told.err.contains("RB0203");
        let too_late = kind == 2 && nth > 0 && told.err.contains("RB0217");
        match told.code {
            0 => {}
            5 => refused += 1,
            2 if too_soon || too_late => {}
            _ => return Err(unexpected(kind, nth, &told)),
        }
    }
    serial(&place)?;
    emptied(&place)?;
    once(&world(&place)?)?;
    Ok(Storm { processes, refused })
}

fn unexpected(kind: usize, nth: usize, told: &Said) -> String {
    format!("{}: process {nth} ended with {}:\n{}\n{}", KINDS[kind], told.code, told.out, told.err)
}

fn start(place: &Place, args: &[&str]) -> Tried<Child> {
    let mut command = place.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())
}

/// Insists that by the journal each process was at its end before the next one began.
fn serial(place: &Place) -> Tried<()> {
    let text = |error: runbook_state::error::Error| error.to_string();
    let store = Sqlite::open(&place.state()).map_err(text)?;
    let runs = store.runs().map_err(text)?;
    let [run] = &runs[..] else { return Err(format!("{} runs are stored", runs.len())) };
    let mut open = None;
    for entry in store.journal(&run.id).map_err(text)? {
        match entry.record {
            Record::Began { mode, .. } => {
                if let Some(other) = open.replace(mode.clone()) {
                    return Err(format!("overlap: {mode} began before {other} was at its end"));
                }
            }
            Record::Ended { .. } if open.take().is_none() => return Err("a process ended twice".to_owned()),
            Record::Ended { .. } => {}
            record if open.is_none() => return Err(format!("overlap: written after the end: {record:?}")),
            _ => {}
        }
    }
    Ok(())
}

/// Insists that nothing was made twice, and that as much was deleted as was made.
fn once(world: &Value) -> Tried<()> {
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    let mut deleted = 0;
    for call in calls(world).iter().filter(|call| call["outcome"] == "done") {
        match call["token"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => *made.entry(token.to_owned()).or_default() += 1,
            None => deleted += 1,
        }
    }
    let twice = made.values().filter(|count| **count > 1).count();
    if twice == 0 && made.len() <= THINGS && deleted == made.len() {
        return Ok(());
    }
    Err(format!("{} things made, {twice} of them twice, {deleted} deletions", made.len()))
}
