//! A18: a run that makes an access key, whose secret is told once, is killed at one moment and gone on with. Exactly one key must be
//! alive then, and the secret that the run keeps must be that key's: a key whose secret was lost with its answer is deleted.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Make, Tried, calls, expect,
    wedges::account::{documents, stands},
    world,
};
use crate::harness::{Place, said};

const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
step("user", || AWS.iam.create_user(#{ user_name: "wedge" }));
let key = step("key", || AWS.iam.create_access_key(#{ user_name: "wedge" }));
output("id", key.access_key_id);
output("secret", key.secret_access_key);
"#;

/// The run.
pub const RUN: [&str; 5] = ["run", "s.rhai", "--sandbox", "--speed", "0"];

/// When it is killed: a variable of the environment and its value.
pub type Moment = (&'static str, String);

/// An empty place with the script.
pub fn begun(make: Make<'_>) -> Place {
    let place = make();
    place.write("s.rhai", SCRIPT);
    place
}

/// Before and after each call is executed.
///
/// # Errors
/// When the undisturbed run does not come to its end.
pub fn around_calls(make: Make<'_>) -> Tried<Vec<Moment>> {
    let place = begun(make);
    expect(&place, 0, &RUN)?;
    sound(&place)?;
    let all = 1..=calls(&world(&place)?).len();
    Ok(all.flat_map(|n| ["before", "after"].map(|when| ("RUNBOOK_FAULT", format!("kill-{when}:{n}")))).collect())
}

/// Kills it there, goes on, compares, and undoes it.
///
/// # Errors
/// What went wrong.
pub fn one(make: Make<'_>, (how, when): &Moment) -> Tried<()> {
    let place = begun(make);
    let killed = said(place.command(RUN).env(how, when).output().map_err(|error| error.to_string())?);
    if killed.code != -1 {
        return Err(format!("it was not killed, it ended with {}:\n{}", killed.code, killed.err));
    }
    let stored = place.run(["show", "latest"]).code == 0;
    let resumed = if stored { place.run(["resume", "latest"]) } else { place.run(RUN) };
    match (resumed.code, resumed.err.contains("RB0218")) {
        (0, _) => {}
        // Killed before its parameters were kept, so before anything was made.
        (2, true) => drop(expect(&place, 0, &RUN)?),
        (code, _) => return Err(format!("the resume ended with {code}:\n{}", resumed.err)),
    }
    sound(&place)?;
    super::wedges::emptied(&place)
}

/// Insists that one key is alive, and that the run keeps its secret.
fn sound(place: &Place) -> Tried<()> {
    let documents = documents(place)?;
    let keys: Vec<&Value> =
        documents.values().filter(|object| object["kind"] == "iam.access_key" && stands(object)).collect();
    let [key] = keys[..] else { return Err(format!("{} keys are alive: {keys:?}", keys.len())) };
    let output = |name: &str, more: &[&str]| {
        let told = expect(place, 0, &[&["output", "latest", name], more].concat())?;
        Ok::<_, String>(told.out.trim_end().to_owned())
    };
    let (id, secret) = (output("id", &[])?, output("secret", &["--reveal"])?);
    if key["id"] != id.as_str() || secret != told_once(key["token"].as_str().unwrap_or_default()) {
        return Err(format!("{id} with another key's secret is kept, {} is alive", key["id"]));
    }
    Ok(())
}

/// The secret that the sandbox's IAM tells for a request.
fn told_once(token: &str) -> String {
    let digest: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("SIMULATED{}", &digest[..31])
}
