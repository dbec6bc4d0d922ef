//! The standing testbed: one process, `testbed serve`, and three files about it in the cache: its pid, the environment that points a
//! shell at it, its log.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use runbook_modules::sandbox::rehearsal::Rehearsal;
use runbook_testbed::{
    bed::{Bed, Options, REGION},
    emulators::ACCOUNT,
    rehearsed::rehearsal,
    tools::Tools,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};

/// Where the files are.
struct State(PathBuf);

impl State {
    fn open() -> Result<(Tools, Self), String> {
        let tools = Tools::find().map_err(|missing| missing.to_string())?;
        let folder = tools.cache.join("state");
        fs::create_dir_all(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        Ok((tools, Self(folder)))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.file(name);
        fs::write(&path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// The process that serves, if it lives.
    fn pid(&self) -> Option<Pid> {
        let pid = self.read("pid").trim().parse().ok()?;
        // The number may belong to somebody else by now.
        let ours = fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "testbed");
        if ours { Pid::from_raw(pid) } else { None }
    }

    fn forget(&self) {
        for name in ["pid", "env", "customer.yaml", "runbook"] {
            let _ = fs::remove_file(self.file(name));
        }
    }
}

/// Starts `testbed serve` in the background and waits until it stands. `about`: a runbook and its parameters; redis-ha without.
pub fn up(about: &[String]) -> Result<String, String> {
    let (_, state) = State::open()?;
    if state.pid().is_some() {
        return Ok(next(&state, "The testbed is up already."));
    }
    state.forget();
    state.write("log", "")?;
    let log = fs::File::options().append(true).open(state.file("log")).map_err(|error| error.to_string())?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    // A session of its own: it outlives the terminal.
    let mut server = Command::new("setsid")
        .args([this.as_os_str(), "serve".as_ref()])
        .args(about)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(|error| error.to_string())?)
        .stderr(log)
        .spawn()
        .map_err(|error| format!("setsid cannot be started: {error}"))?;
    while !state.file("env").exists() {
        if server.try_wait().ok().flatten().is_some() {
            return Err(format!("it did not start; {} says:\n{}", state.file("log").display(), state.read("log")));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(next(&state, "The testbed is up."))
}

/// Serves until SIGTERM or SIGINT. `about`: as [`up`].
pub fn serve(about: &[String]) -> Result<String, String> {
    let (tools, state) = State::open()?;
    if state.pid().is_some() {
        return Err("one is up already; take it down first: tests/testbed/down".into());
    }
    state.write("pid", &std::process::id().to_string())?;
    let about = About::read(about)?;
    let served =
        Bed::start(&tools, Options { rehearsal: about.rehearsal.clone(), ..Options::default() }).and_then(|bed| {
            let lines: Vec<_> =
                bed.env().into_iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
            state.write("customer.yaml", &customer(&bed, &about)?)?;
            state.write("runbook", &about.runbook)?;
            // Written whole before it is seen: whoever waits reads it at once.
            state.write("env.new", &lines.concat())?;
            fs::rename(state.file("env.new"), state.file("env")).map_err(|error| error.to_string())?;
            until_told()
        });
    state.forget();
    served.map(|()| "The testbed is down.".into())
}

/// Whether it is up, and where.
pub fn status() -> Result<String, String> {
    let (_, state) = State::open()?;
    match state.pid() {
        Some(_) => Ok(next(&state, "The testbed is up.")),
        None => Ok("The testbed is not up; start it: tests/testbed/up".into()),
    }
}

/// Ends it by pid and waits until it is gone.
pub fn down() -> Result<String, String> {
    let (_, state) = State::open()?;
    let Some(pid) = state.pid() else { return Ok("The testbed is not up.".into()) };
    // What it started ends with it, however it ends.
    for (signal, tenths) in [(Signal::TERM, 200), (Signal::KILL, 50)] {
        kill_process(pid, signal)
            .map_err(|error| format!("process {} cannot be ended: {error}", pid.as_raw_nonzero()))?;
        for _ in 0..tenths {
            if state.pid().is_none() {
                state.forget();
                return Ok("The testbed is down.".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Err(format!("process {} does not end", pid.as_raw_nonzero()))
}

fn until_told() -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| error.to_string());
        let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

/// The runbook that a testbed is for.
struct About {
    runbook: String,
    params: Map<String, Value>,
    rehearsal: Option<Rehearsal>,
}

impl About {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let Some((runbook, params)) = arguments.split_first() else {
            return Ok(Self { runbook: "redis-ha".to_owned(), params: Map::new(), rehearsal: None });
        };
        let mut given = Map::new();
        for param in params {
            let (name, value) = param.split_once('=').ok_or_else(|| format!("`{param}`: say NAME=VALUE"))?;
            let value = serde_yaml::from_str(value).map_err(|error| format!("`{param}`: {error}"))?;
            given.insert(name.to_owned(), value);
        }
        let rehearsal = rehearsal(runbook)?.with_params(given.clone());
        Ok(Self { runbook: runbook.clone(), params: given, rehearsal: Some(rehearsal) })
    }
}

/// A customer file for the runbook: the emulators' account, and our charts instead of public ones.
fn customer(bed: &Bed, about: &About) -> Result<String, String> {
    let mut params = about.params.clone();
    if about.rehearsal.is_none() {
        params.extend(bed.chart_parameters().into_iter().map(|(name, chart)| (name, chart.into())));
    }
    let file = json!({"customer": "testbed", "account": ACCOUNT, "region": REGION, "params": params});
    serde_yaml::to_string(&file).map_err(|error| error.to_string())
}

fn next(state: &State, first: &str) -> String {
    let folder = Path::new(&state.0).display();
    format!(
        "{first} Point this shell at it and run something, then take it down:\n\n  \
         eval \"$(tests/testbed/up --env)\"\n  runbook run {}.rhai --yes --params {folder}/customer.yaml\n  tests/testbed/down\n\n{}\n\
         Its files: {folder}",
        state.read("runbook"),
        state.read("env")
    )
}
