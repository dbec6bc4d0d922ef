//! `runbook resume RUN`

use std::{collections::BTreeMap, sync::Arc};

use clap::Args;
use runbook_modules::target::Place;
use runbook_seeded::mutant;
use runbook_state::{
    record::{EffectState, Ending},
    store::{File, Run, Store},
};
use serde_json::{Map, Value};

use super::{
    context::Context,
    driving::{self, Job},
    error::Problem,
    exit::Exit,
    sources, state_dir, terminal, undo,
};
use crate::{
    error::Failure,
    plan::rehearse::fill,
    run::{
        clock::wall_ms,
        guard::Guard,
        history::History,
        session::Edits,
        vault::Vault,
        version::{self, Version},
    },
    script::{
        params::{ParamType, SecretValue},
        program::{Compared, Program},
    },
    targets::{self, Aimed},
    ui::{
        text::{ago, plural, quoted},
        tree::{Expect, Expected},
    },
};

/// Go on with a run: finished steps are kept, unresolved effects are found out first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  runbook resume latest
  runbook resume 7f3a -p node_type=t3a.medium
  runbook resume 7f3a --edited")]
pub struct Resume {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
    /// Another value for a parameter; may be repeated.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = super::options::pair)]
    pub param: Vec<(String, String)>,
    /// Go on with the script as it is on the disk now.
    #[arg(long)]
    pub edited: bool,
    /// Go on with the run's own copy of the script.
    #[arg(long, conflicts_with = "edited")]
    pub original: bool,
    /// Go on as another identity of the same account than the one that made the run's EKS clusters. It needs access to them.
    #[arg(long)]
    pub other_identity: bool,
    /// Simulated time per real time; 0: as fast as it goes [default: as the run began].
    #[arg(long, value_name = "N", value_parser = super::options::speed)]
    pub speed: Option<f64>,
    /// Let a mutating call of the sandbox fail, for trials.
    #[arg(long, value_name = "FAULTS", env = "RUNBOOK_FAULT", hide_env_values = true)]
    pub fault: Option<runbook_modules::sandbox::faults::Faults>,
}

/// Resumes.
///
/// # Errors
/// When it does not begin.
pub fn run(context: &Context, args: &Resume) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    nobody_drives(context, &run, &store)?;
    let history = History::load(store.as_ref(), &run.id)?;
    if undo::has_begun(&history) {
        return Err(undone(context, &run, &store, &history));
    }
    let script = script(context, args, &run, &store)?;
    let key = state_dir::key()?;
    let vault = Vault::open(&run.id, store.clone(), key).map_err(|e| Problem::usage("RB0702", e.to_string()))?;
    let Some(before) = history.params() else {
        // Its parameters are written down with its first record: without them it would go on with the defaults.
        let short = context.short(store.as_ref(), &run.id);
        let path = run.settings.get("path").and_then(Value::as_str).unwrap_or(&run.runbook);
        return Err(Problem::usage("RB0218", format!("run {short} was interrupted before it began: nothing was made"))
            .hint("begin a new run, with the same parameters")
            .next(format!("runbook run {}{}", crate::ui::text::quoted(path), context.options())));
    };
    let values = if args.param.is_empty() { before.clone() } else { changed(&script.program, &before, args, &vault)? };
    let edits = edits(&script.program, values != before, &history, &run, &store)?;
    let aimed = aim(context, &run, &script.program, &values, args.speed, args.fault.clone().unwrap_or_default())?;
    if !context.common.json && !context.common.quiet {
        context.say(&explained(context, &run, &history, &script.says));
    }
    let runtime = driving::runtime()?;
    let (program, steps) = (script.program.clone(), run.settings.get("steps").and_then(Value::as_u64));
    let expect = Expected::default();
    if let Some(steps) = steps.and_then(|steps| usize::try_from(steps).ok()) {
        expect.get_or_init(|| Expect { steps, took_ms: 0 });
    }
    let job = Job {
        context,
        mode: "resume",
        place: place(&run),
        store,
        program: program.clone(),
        table: targets::table(),
        aimed,
        vault: Arc::new(vault),
        params: (values != before).then(|| values.clone()),
        guard: guard(&run, args.other_identity),
        run,
        edits,
        files: script.files,
        note: "goes on".to_owned(),
        expect,
        details: Box::new(String::new),
        known: Some(history),
        runtime: &runtime,
    };
    job.drive(|scope| program.run(scope, &values).map(|()| Ending::Finished))
}

/// Refuses a run that a living process drives.
///
/// # Errors
/// RB0604.
pub fn nobody_drives(context: &Context, run: &Run, store: &Arc<dyn Store>) -> Result<(), Problem> {
    let Some((holder, since_ms)) = store.holder(&run.id, wall_ms(), driving::STALE_MS)? else { return Ok(()) };
    let run = context.short(store.as_ref(), &run.id);
    let mut problem = Problem::from(runbook_state::error::Error::Held { run, holder, since_ms });
    problem.next.iter_mut().for_each(|command| command.push_str(&context.options()));
    Err(problem)
}

/// What the steps of such a run made is gone or going: keeping them would be wrong.
fn undone(context: &Context, run: &Run, store: &Arc<dyn Store>, history: &History) -> Problem {
    let short = context.short(store.as_ref(), &run.id);
    let options = context.options();
    if matches!(history.ended(), Some(Ending::Undone)) {
        let path = run.settings.get("path").and_then(Value::as_str).unwrap_or(&run.runbook);
        let sandbox = if run.target == "sandbox" { " --sandbox" } else { "" };
        return Problem::usage("RB0217", format!("run {short} is undone: there is nothing to go on with"))
            .hint("a new run makes everything anew")
            .next(format!("runbook run {}{sandbox}{options}", quoted(path)));
    }
    Problem::usage("RB0217", format!("the undo of run {short} has begun and is not at its end"))
        .hint("steps that are partly taken down cannot be kept: let the undo come to its end")
        .next(format!("runbook undo {short}{options}"))
}

/// Where a run goes, from its settings.
pub fn place(run: &Run) -> Place {
    let text = |name: &str| run.settings.get(name).and_then(Value::as_str).map(str::to_owned);
    Place { region: text("region").unwrap_or_default(), profile: text("profile"), ..Place::default() }
}

/// What the credentials of a run are held to: the account that its customer file named.
pub fn guard(run: &Run, other_identity: bool) -> Guard {
    let account = run.settings.get("guard").and_then(Value::as_str).map(str::to_owned);
    Guard { account, other_identity }
}

/// The target of a run that is there already.
///
/// # Errors
/// When it cannot be used.
pub fn aim(
    context: &Context, run: &Run, program: &Program, values: &Value, speed: Option<f64>,
    faults: runbook_modules::sandbox::faults::Faults,
) -> Result<Aimed, Problem> {
    if run.target != "sandbox" {
        return Ok(targets::live(place(run).profile)?);
    }
    let speed = speed.or_else(|| run.settings.get("speed").and_then(Value::as_f64)).filter(|speed| *speed > 0.0);
    Ok(targets::sandbox(&context.state_dir()?, program, values, faults, speed)?)
}

/// The script to go on with.
struct Script {
    program: Arc<Program>,
    files: Option<Vec<File>>,
    says: String,
}

fn script(context: &Context, args: &Resume, run: &Run, store: &Arc<dyn Store>) -> Result<Script, Problem> {
    let stored = Arc::new(Program::from_files(&store.run_files(&run.id)?)?);
    let kept = |says: &str| Script { program: stored.clone(), files: None, says: says.to_owned() };
    if args.original {
        return Ok(kept("script: the run's own copy"));
    }
    let path = run.settings.get("path").and_then(Value::as_str).unwrap_or(&run.runbook);
    let disk = match sources::open(path) {
        Ok(disk) => Arc::new(disk),
        Err(problem) if args.edited => return Err(problem),
        Err(_) => return Ok(kept("script: the run's own copy (not found on the disk, or not readable as a script)")),
    };
    if mutant!("resume-uses-the-edited-script") {
        let files = Some(disk.files().to_vec());
        return Ok(Script { files, program: disk, says: String::new() });
    }
    if disk.files() == stored.files() {
        return Ok(kept("script unchanged"));
    }
    let changed = Compared::new(vec![stored.clone()], disk.clone()).changed_files();
    if changed.is_empty() && !args.edited {
        return Ok(kept("script unchanged (but for comments and white space)"));
    }
    if !args.edited && original_wanted(context, run, &changed)? {
        return Ok(kept("script: the run's own copy"));
    }
    let says = format!("script edited: {}", changed.join(", "));
    Ok(Script { files: Some(disk.files().to_vec()), program: disk, says })
}

/// What compares finished steps, when one of them comes from another script or other parameters than the run goes on with: after
/// `--edited` and `-p`, and after one of these that did not come to its end.
fn edits(
    program: &Arc<Program>, other_values: bool, history: &History, run: &Run, store: &Arc<dyn Store>,
) -> Result<Option<Arc<dyn Edits>>, Problem> {
    let scripts = store.scripts(&run.id)?;
    let stored = scripts.last().map(|files| version::of(files));
    let driven = history.version().script;
    if driven.is_some_and(|driven| !scripts.iter().any(|files| version::of(files) == driven)) {
        let why = "the script that it was last driven with is not among those that are stored".to_owned();
        return Err(runbook_state::error::Error::Damaged { run: run.id.clone(), seq: 0, why }.into());
    }
    let now = version::of(program.files());
    let params = history.version().params + u32::from(other_values);
    let same = |met: &Version| met.params == params && met.script.as_ref().or(stored.as_ref()) == Some(&now);
    let met = history.versions();
    if met.iter().all(same) {
        return Ok(None);
    }
    let needed = |files: &Vec<File>| {
        let version = version::of(files);
        stored.as_ref() == Some(&version) || met.iter().any(|met| met.script.as_ref() == Some(&version))
    };
    // One that this program cannot read any more compares as different: the step runs once more, against its record.
    let read = |files: &Vec<File>| Program::from_files(files).ok().map(Arc::new);
    let earlier = scripts.iter().filter(|files| needed(files)).filter_map(read).collect();
    Ok(Some(Arc::new(Compared::new(earlier, program.clone()))))
}

/// Asks which of the two scripts to use.
fn original_wanted(context: &Context, run: &Run, changed: &[String]) -> Result<bool, Problem> {
    let look = &context.err;
    let list = changed.iter().map(|file| look.shown(file)).collect::<Vec<_>>().join(", ");
    let message = format!("{} changed since the run began: {list}", look.shown(&run.runbook));
    if !terminal::can_ask() {
        let resume = format!("runbook resume {}", run.id.get(..8).unwrap_or(&run.id));
        let options = context.options();
        return Err(Problem::new(Exit::Decide, Failure::new("RB0214", message))
            .hint("--original goes on with the run's own copy, --edited with the files on the disk")
            .next(format!("{resume} --original{options}"))
            .next(format!("{resume} --edited{options}")));
    }
    let question = format!("{message}\nType original for the run's own copy, edited for the files on the disk: ");
    Ok(terminal::ask(&question, &["original", "edited"], "--original or --edited")? == "original")
}

/// The parameters with other values for some; secrets that are not given anew keep their placeholders.
fn changed(program: &Program, before: &Value, args: &Resume, vault: &Vault) -> Result<Value, Problem> {
    let given: BTreeMap<String, String> = args.param.iter().cloned().collect();
    let before: Map<String, Value> = before.as_object().cloned().unwrap_or_default();
    let mut bound = program.bind_params(&given, &before).map_err(|failure| sources::problem(program, failure))?;
    let secrets: Vec<String> = program
        .params()
        .map_err(|failure| sources::problem(program, failure))?
        .into_iter()
        .filter(|spec| spec.kind == ParamType::Secret && !given.contains_key(&spec.name))
        .map(|spec| spec.name)
        .collect();
    let kept = |name: &String| secrets.contains(name) && before.get(name).is_some_and(|value| !value.is_null());
    bound
        .secrets
        .retain(|(name, secret)| !kept(name) || (matches!(secret, SecretValue::Generate(_)) && !vault.knows(name)));
    for name in secrets.iter().filter(|name| kept(name)) {
        bound.values.insert(name.clone(), before[name].clone());
    }
    Ok(fill(bound, vault)?)
}

/// What is kept, since when it stands, what is not known, which script.
fn explained(context: &Context, run: &Run, history: &History, says: &str) -> String {
    let look = &context.err;
    let since = ago(wall_ms() - run.summary.last_ms);
    let how = match history.ended() {
        None => format!("interrupted {since}, the process was killed"),
        Some(Ending::Parked { why }) => format!("parked {since} ({})", look.shown(&why)),
        Some(Ending::Failed { step, .. }) => format!("stopped {since} at {}", look.path(&step)),
        Some(Ending::Waiting { step, .. }) => format!("asked {since} for approval: {}", look.path(&step)),
        Some(Ending::Stopped { message, .. }) => format!("stopped {since}: {}", look.shown(&message)),
        Some(Ending::Finished) => format!("finished {since}"),
        Some(Ending::Undone | Ending::Stuck { .. }) => format!("undone {since}"),
    };
    let mut out = format!("{how}\n  {} kept\n", plural(history.totals().steps.into(), "step"));
    for effect in history.effects() {
        if matches!(effect.state, EffectState::Intent | EffectState::Unknown) {
            let tags = effect.tags.value();
            let name = tags.get("Name").and_then(Value::as_str).unwrap_or_default();
            let what = crate::ui::model::words(&[&effect.op, name]);
            out += &format!(
                "  unresolved: {} in {}: it will be found out first\n",
                look.shown(&what),
                look.path(&effect.key.step)
            );
        }
    }
    format!("{out}  {}\n", look.shown(says))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use runbook_state::{sqlite::Sqlite, store::NewRun};
    use serde_json::json;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn the_runs_own_copy_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.rhai");
        std::fs::write(&path, "step(\"one\", || 1);\n").unwrap();
        let path = path.to_str().unwrap();
        let Ok(began) = sources::open(path) else { panic!("{path} is no script") };
        let new = NewRun {
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            runbook: "s".to_owned(),
            customer: None,
            target: "sandbox".to_owned(),
            settings: json!({ "path": path }),
            files: began.files().to_vec(),
            created_ms: 0,
        };
        let store: Arc<dyn Store> = Arc::new(Sqlite::open_in_memory().unwrap());
        store.create(&new).unwrap();
        let run = store.run(&new.id).unwrap();
        std::fs::write(path, "// A comment more.\nstep(\"one\", || 1);\n").unwrap();
        let cli = Cli::try_parse_from(["runbook", "resume", "latest"]).unwrap();
        let Command::Resume(args) = &cli.command else { panic!("{:?}", cli.command) };
        let Ok(script) = script(&Context::new(cli.common), args, &run, &store) else { panic!("no script") };
        assert_eq!((script.program.files(), script.files.is_none()), (began.files(), true), "{}", script.says);
    }
}
