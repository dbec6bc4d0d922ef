//! G1: secrets from everywhere, through a whole life: a run that fails, is killed, goes on, is asked about, verified, audited and undone.

use std::process::Stdio;

use super::{
    Make, Tried, expect,
    scanner::{Hit, Sinks},
};
use crate::harness::{Place, said};

/// Text around which every canary is made. `"`, `\`, `/`, `+` and what is no ASCII are what encodings change.
const SPICE: &str = "q\"u\\o/t+e ü$";

/// What a life has shown.
pub struct Life {
    /// The canaries.
    pub canaries: Vec<String>,
    /// Everything that was written.
    pub sinks: Sinks,
}

impl Life {
    /// Canaries that were found.
    pub fn hits(&self) -> Vec<Hit> {
        self.sinks.hits(&self.canaries)
    }
}

/// A secret that is searched.
pub fn canary(name: &str) -> String {
    format!("Cnry-{name}-7f3a9c0e-{SPICE}")
}

/// A script that says a secret wherever something can be said.
const SCRIPT: &str = r##"const P = params(#{ given: secret(), other: secret(), short: secret().help("a pin"), made: secret().generate(24), going: bool(false) });
const AWS = aws(#{ region: "us-east-1" });
let url = "https://user:" + P.given + "@example.com/" + P.short;
let all = #{ list: [P.given, P.other], map: #{ key: P.made }, text: `a ${P.given} b ${P.other}` };
all[`k${P.given}`] = 1;
print(`printed ${P.given} ${all}`);
log(`logged ${P.other}`);
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "n", cidr_block: "10.0.0.0/16", tags: #{ secret: P.given + "", url: url } }));
let random = step("random", || random_password(20));
let kept = step("kept", || #{ url: url, all: all, random: random, encoded: base64(P.given) });
output("url", url);
output("plain", P.given);
output("kept", kept);
try { step("caught", || fail(`caught ${P.given}`)); } catch (e) { print(e.message); }
if !P.going { step("fails", || fail(`it holds ${P.given} and ${url} and ${P.other}`)); }
step("role", || AWS.iam.create_role(#{ role_name: "r", assume_role_policy_document: #{ Version: "2012-10-17", Statement: [#{ Effect: "Allow", Action: "sts:AssumeRole", Principal: #{ Service: "ec2.amazonaws.com" }, Sid: "x" }] }, description: "d" }));
try { step("refused", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: `${P.given}` })); } catch (e) { print(e.message); }
"##;

/// One life of a run.
///
/// # Errors
/// When it does not go as a life must.
pub fn life(make: Make<'_>) -> Tried<Life> {
    let place = make();
    let mut life = Life { canaries: Vec::new(), sinks: Sinks::default() };
    let (given, other, short) = (canary("given"), canary("file"), "Zq7#".to_owned());
    place.write("s.rhai", SCRIPT);
    place.write("customer.yaml", &format!("params:\n  other: {}\n", serde_json::to_string(&other).unwrap_or_default()));
    life.canaries.extend([given.clone(), other]);
    let params = format!("given={given}");
    let pin = format!("short={short}");
    let common = ["--sandbox", "--speed", "0", "--params", "customer.yaml", "-p", &params, "-p", &pin];
    said_by(&mut life, &place, &[&["run", "s.rhai"], &common[..], &["-v"]].concat(), Some(1))?;
    // What was generated is known only to the vault.
    for name in ["kept", "plain", "url"] {
        said_by(&mut life, &place, &["output", "latest", name], Some(0))?;
    }
    let revealed = expect(&place, 0, &["output", "latest", "kept", "--reveal"])?;
    let kept: serde_json::Value = serde_json::from_str(&revealed.out).map_err(|error| error.to_string())?;
    for value in [&kept["random"], &kept["all"]["map"]["key"]] {
        life.canaries.push(value.as_str().filter(|text| text.len() >= 20).ok_or("no generated value")?.to_owned());
    }
    // Killed before and after a call, then to its end.
    let go = ["resume", "latest", "-p", "going=true"];
    let calls = super::calls(&super::world(&place)?).len();
    for fault in [format!("kill-before:{}", calls + 1), format!("kill-after:{}", calls + 1)] {
        said_by(&mut life, &place, &[&go[..], &["--fault", &fault]].concat(), None)?;
    }
    for args in [&go[..], &["resume", "latest", "--json"]] {
        said_by(&mut life, &place, args, None)?;
    }
    for args in [
        &["show", "latest"][..],
        &["show", "latest", "--json"],
        &["logs", "latest"],
        &["logs", "latest", "--json"],
        &["logs", "latest", "-v"],
        &["output", "latest"],
        &["output", "latest", "--json"],
        &["runs", "--json"],
        &["verify", "latest", "--json"],
        &["world"],
        &["world", "--json"],
        &["audit", "--sandbox", "--json"],
        &["params", "s.rhai", "--json"],
        &["check", "s.rhai"],
        &["undo", "latest", "--yes"],
        &["show", "latest"],
    ] {
        said_by(&mut life, &place, args, None)?;
    }
    // A mistake in a script draws its lines; a broken placeholder is told.
    place.write("bad.rhai", "const P = params(#{ given: secret() });\nlet n = P.given == 1;\nstep(\"x\", || 1);\n");
    said_by(&mut life, &place, &["run", "bad.rhai", "--sandbox", "-p", &params], Some(2))?;
    said_by(&mut life, &place, &["plan", "s.rhai", "-p", &params, "-p", &pin, "--params", "customer.yaml"], None)?;
    // The customer's own file holds its secret; everything else is ours.
    std::fs::remove_file(place.work().join("customer.yaml")).map_err(|error| error.to_string())?;
    life.sinks.add_folder(place.root());
    Ok(life)
}

/// Runs the program at its most talkative and takes in all that it says, and what other processes see of it.
fn said_by(life: &mut Life, place: &Place, args: &[&str], code: Option<i32>) -> Tried<()> {
    let mut command = place.command(args);
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").stdout(Stdio::piped()).stderr(Stdio::piped());
    let said = said(command.output().map_err(|error| error.to_string())?);
    if code.is_some_and(|code| code != said.code) || said.err.contains("panicked") {
        return Err(format!("{args:?} ended with {}\n{}\n{}", said.code, said.out, said.err));
    }
    let called = format!("runbook {}", args.first().copied().unwrap_or_default());
    life.sinks.add(format!("{called}: standard output"), said.out);
    life.sinks.add(format!("{called}: standard error"), said.err);
    Ok(())
}
