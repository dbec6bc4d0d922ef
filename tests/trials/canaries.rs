//! G1: secrets from everywhere, through a whole life: a run that fails, is killed, goes on, is asked about, verified, audited and undone,
//! also on a terminal.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::{
    Make, Tried, expect,
    scanner::{Hit, Sinks},
    uses::{GIVEN, PROVIDED, THEIRS, THIRDS, USES},
};
use crate::harness::{Place, said};

/// Text around which every canary is made. `"`, `\`, `/`, `+` and what is no ASCII are what encodings change.
const SPICE: &str = "q\"u\\o/t+e ü$";

/// What a life has shown.
pub struct Life {
    /// The canaries of ours: they may stand nowhere.
    ours: Vec<String>,
    /// Those that the provider holds: they stand in its world, and may nowhere else.
    provided: Vec<String>,
    /// Everything that was written.
    pub sinks: Sinks,
    /// What the sandbox has in its account.
    world: Sinks,
}

impl Life {
    /// Canaries that were found.
    pub fn hits(&self) -> Vec<Hit> {
        let all: Vec<String> = self.ours.iter().chain(&self.provided).cloned().collect();
        let mut hits = self.sinks.hits(&all);
        hits.extend(self.world.hits(&self.ours));
        hits
    }

    /// How many canaries there are.
    pub fn canaries(&self) -> usize {
        self.ours.len() + self.provided.len()
    }
}

/// A secret that is searched. Each of its halves is no other's.
pub fn canary(name: &str) -> String {
    format!("Cnry-{name}-7f3a{SPICE}9c0e-{name}-yrnC")
}

/// A script that says a secret wherever something can be said.
fn script() -> String {
    let uses: String = USES.iter().map(|(name, body)| format!("step(\"use {name}\", || {{ {body} }});\n")).collect();
    let declared: String = USES.iter().map(|(name, _)| format!(", {name}: secret()")).collect();
    let thirds: String = ["first", "second", "third"]
        .iter()
        .zip(THIRDS)
        .map(|(name, third)| format!(", {name}: string({third:?})"))
        .collect();
    BEGIN.replace("MORE", &(declared + &thirds)) + &uses + PROVIDED + END
}

const BEGIN: &str = r#"const P = params(#{ given: secret(), other: secret(), made: secret().generate(24), going: bool(false)MORE });
const AWS = aws(#{ region: "us-east-1" });
let k = k8s(#{ name: "c", region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "n", cidr_block: "10.0.0.0/16" }));
"#;

const END: &str = r#"
let random = step("random", || random_password(20));
let all = #{ random: random, made: P.made, given: P.given, other: P.other };
output("all", step("all", || all));
output("plain", P.given);
if !P.going { step("fails", || fail(`it holds ${P.given}, ${P.other} and ${random}`)); }
step("role", || AWS.iam.create_role(#{ role_name: "r", assume_role_policy_document: #{
    Version: "2012-10-17", Statement: [#{ Effect: "Allow", Action: "sts:AssumeRole", Principal: #{ Service: "ec2.amazonaws.com" } }],
} }));
step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "last" }));
"#;

/// Seals the run's secrets; itself one.
const KEY: &str = "7f3a9c0e5b1d42688f6e0a3c9d5b7e1f2a4c6e8091b3d5f7a9c1e3b5d7f90b2d";
/// Variables of the environment that hold secrets, which is nobody's business.
const AROUND: [&str; 4] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DATABASE_PASSWORD", "HELM_REGISTRY_TOKEN"];

/// One life of a run.
///
/// # Errors
/// When it does not go as a life must.
pub fn life(make: Make<'_>) -> Tried<Life> {
    let place = make();
    let mut life = Life { ours: Vec::new(), provided: Vec::new(), sinks: Sinks::default(), world: Sinks::default() };
    theirs(&mut life, &place)?;
    let (given, other) = (canary("given"), canary("file"));
    place.write("s.rhai", &script());
    place.write("s.rehearsal.yaml", GIVEN);
    place.write("customer.yaml", &format!("params:\n  other: {}\n", serde_json::to_string(&other).unwrap_or_default()));
    life.ours.extend([given.clone(), other, KEY.to_owned()]);
    life.ours.extend(AROUND.map(canary));
    life.ours.extend(USES.iter().map(|(name, _)| canary(name)));
    let params = format!("given={given}");
    let mut common: Vec<String> = ["--params", "customer.yaml", "-p", &params].map(str::to_owned).to_vec();
    for (name, _) in USES {
        common.extend(["-p".to_owned(), format!("{name}={}", canary(name))]);
    }
    let common: Vec<&str> = common.iter().map(String::as_str).collect();
    said_by(
        &mut life,
        &place,
        &[&["run", "s.rhai", "--sandbox", "--speed", "0"], &common[..], &["-v"]].concat(),
        Some(1),
    )?;
    // What was generated, and what the provider told once, is known only to the vault.
    for name in ["all", "plain", "access", "db", "parameter"] {
        said_by(&mut life, &place, &["output", "latest", name], Some(0))?;
    }
    let told = |name: &str, field: &str| -> Tried<String> {
        let mut command = place.command(["output", "latest", name, "--reveal"]);
        let revealed = said(command.env("RUNBOOK_KEY", KEY).output().map_err(|error| error.to_string())?);
        let value: serde_json::Value = serde_json::from_str(&revealed.out)
            .map_err(|error| format!("{error}: {}{}", revealed.out, revealed.err))?;
        value[field]
            .as_str()
            .filter(|text| text.len() >= 20)
            .map(str::to_owned)
            .ok_or_else(|| format!("no {field} in {value}"))
    };
    life.ours.extend([told("all", "random")?, told("all", "made")?]);
    life.provided.extend([told("access", "secret_access_key")?, told("parameter", "value")?]);
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
    ] {
        said_by(&mut life, &place, args, None)?;
    }
    for args in ["resume latest", "show latest", "undo latest --yes", "show latest"] {
        on_a_terminal(&mut life, &place, args)?;
    }
    // A mistake in a script draws its lines; a broken placeholder is told.
    place.write("bad.rhai", "const P = params(#{ given: secret() });\nlet n = P.given == 1;\nstep(\"x\", || 1);\n");
    said_by(&mut life, &place, &["run", "bad.rhai", "--sandbox", "-p", &params], Some(2))?;
    said_by(&mut life, &place, &[&["plan", "s.rhai"], &common[..]].concat(), None)?;
    // The customer's own file holds its secret, and the account what its owner put there; everything else is ours.
    std::fs::remove_file(place.work().join("customer.yaml")).map_err(|error| error.to_string())?;
    let account = place.root().join("account");
    std::fs::create_dir(&account).map_err(|error| error.to_string())?;
    moved(&place.state(), &account)?;
    life.world.add_folder(&account);
    std::fs::remove_dir_all(&account).map_err(|error| error.to_string())?;
    life.sinks.add_folder(place.root());
    Ok(life)
}

/// Moves the sandbox's account out of the state directory.
fn moved(state: &Path, account: &Path) -> Tried<()> {
    for entry in std::fs::read_dir(state).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("sandbox.db") {
            std::fs::rename(entry.path(), account.join(entry.file_name())).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Somebody else's cluster, with a Secret in it. Their journal is none of ours.
fn theirs(life: &mut Life, place: &Place) -> Tried<()> {
    let (user, password) = (canary("their-user"), canary("their-password"));
    place.write("theirs.rhai", THEIRS);
    let values = [format!("user={user}"), format!("password={password}")];
    expect(place, 0, &["run", "theirs.rhai", "--sandbox", "--speed", "0", "-p", &values[0], "-p", &values[1]])?;
    life.provided.extend([user, password]);
    let state = place.state();
    for entry in std::fs::read_dir(&state).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("runs.db") {
            std::fs::remove_file(entry.path()).map_err(|error| error.to_string())?;
        }
    }
    std::fs::remove_file(place.work().join("theirs.rhai")).map_err(|error| error.to_string())
}

/// Runs the program at its most talkative and takes in all that it says, and what other processes see of it.
fn said_by(life: &mut Life, place: &Place, args: &[&str], code: Option<i32>) -> Tried<()> {
    let mut command = place.command(args);
    talkative(&mut command).stdout(Stdio::piped()).stderr(Stdio::piped());
    let said = said(command.output().map_err(|error| error.to_string())?);
    if code.is_some_and(|code| code != said.code) || said.err.contains("panicked") {
        return Err(format!("{args:?} ended with {}\n{}\n{}", said.code, said.out, said.err));
    }
    let asked = args.first().copied().unwrap_or_default();
    // What the account holds is shown as it stands there.
    let sinks = if asked == "world" { &mut life.world } else { &mut life.sinks };
    sinks.add(format!("runbook {asked}: standard output"), said.out);
    sinks.add(format!("runbook {asked}: standard error"), said.err);
    Ok(())
}

/// The same on a terminal: `script` of util-linux gives one, and takes in all that is written to it, its title too.
fn on_a_terminal(life: &mut Life, place: &Place, args: &str) -> Tried<()> {
    let inner = place.command([""; 0]);
    let mut command = Command::new("script");
    command.args(["-qec", &format!("{} {args}", inner.get_program().display()), "/dev/null"]);
    command.current_dir(place.work()).env_clear().stdin(Stdio::null());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    talkative(&mut command).env("TERM", "xterm-256color").env_remove("RUST_LOG");
    let said = said(command.output().map_err(|error| format!("script (util-linux): {error}"))?);
    if said.out.is_empty() || said.out.contains("panicked") {
        return Err(format!("on a terminal, {args} ended with {}\n{}\n{}", said.code, said.out, said.err));
    }
    life.sinks.add(format!("runbook {args} on a terminal"), said.out);
    Ok(())
}

fn talkative(command: &mut Command) -> &mut Command {
    for name in AROUND {
        command.env(name, canary(name));
    }
    command.env("RUNBOOK_KEY", KEY).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full")
}
