//! `runbook run RUNBOOK`

use std::{collections::BTreeMap, sync::Arc};

use clap::Args;
use runbook_modules::target::Place;
use runbook_state::{
    record::Ending,
    store::{NewRun, Run as Row, Store},
};
use serde_json::{Map, Value, json};

use super::{
    context::Context,
    customer::{self, Customer},
    driving::{self, Job},
    error::Problem,
    exit::Exit,
    going_live,
    options::{ParamOptions, TargetOptions},
    sources, state_dir,
};
use crate::{
    error::Failure,
    plan::rehearse::{Rehearsed, fill, rehearse},
    run::{clock::wall_ms, guard::Guard, vault::Vault},
    script::{
        params::{BoundParams, ParamSpec},
        program::Program,
    },
    targets,
    ui::{
        screen::Style,
        tree::{Expect, Expected},
    },
};

/// Run a runbook. Live is the default: it shows account, region and changes and asks; --sandbox simulates.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  runbook run redis-ha --sandbox
  runbook run redis-ha --sandbox --speed 0 -p redis_nodes=5
  runbook run redis-ha.rhai --params customers/acme.yaml --profile acme")]
pub struct Run {
    /// Runbook: a path, or the name of one in ./runbooks or built in.
    pub runbook: String,
    /// Where it goes.
    #[command(flatten)]
    pub target: TargetOptions,
    /// Parameters.
    #[command(flatten)]
    pub params: ParamOptions,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
}

/// Runs.
///
/// # Errors
/// When it does not begin.
pub fn run(context: &Context, args: &Run) -> Result<Exit, Problem> {
    let program = Arc::new(sources::open(&args.runbook)?);
    let table = targets::table();
    let customer = args.params.params.as_deref().map(customer::read).transpose()?.unwrap_or_default();
    let bound = bind(context, &program, &args.params, &args.target, &customer)?;
    if let Some(failure) = program.check(&table).into_iter().next() {
        return Err(Problem { exit: Exit::Usage, ..sources::problem(&program, failure) }
            .next(format!("runbook check {}", crate::ui::text::quoted(&args.runbook))));
    }
    let place = place(&args.target, &bound, &customer);
    let runtime = driving::runtime()?;
    let account = customer.account.map(|account| account.0);
    let expected = Expected::default();
    let mut settings = json!({
        "path": args.runbook, "region": place.region, "profile": place.profile, "speed": args.target.speed, "guard": account,
    });
    let live = if args.target.sandbox {
        if matches!(context.style(), Style::Tree(_)) {
            rehearse_beside(&program, &bound, &place, &expected);
        }
        None
    } else {
        let rehearsed = rehearse(&program, bound.clone(), place.clone(), &table, runtime.handle());
        let ask = going_live::Ask {
            program: &program,
            table: &table,
            place: &place,
            account: account.as_deref(),
            yes: args.yes,
        };
        let (aimed, about) = ask.confirm(context, &rehearsed, &runtime)?;
        settings["account"] = about.account.into();
        if let Some(expect) = rehearsed.ok().and_then(|rehearsed| expect(&rehearsed)) {
            settings["steps"] = expect.steps.into();
            expected.get_or_init(|| expect);
        }
        Some(aimed)
    };
    let new = NewRun {
        id: new_id()?,
        runbook: program.name().to_owned(),
        customer: customer.customer,
        target: if args.target.sandbox { "sandbox" } else { "aws" }.to_owned(),
        settings,
        files: program.files().to_vec(),
        created_ms: wall_ms(),
    };
    let store = context.store()?;
    let (row, vault, values) = create(&store, &new, bound)?;
    let aimed = match live {
        Some(aimed) => aimed,
        None => {
            let speed = (args.target.speed > 0.0).then_some(args.target.speed);
            let faults = args.target.fault.clone().unwrap_or_default();
            targets::sandbox(&context.state_dir()?, &program, &values, faults, speed)?
        }
    };
    let job = Job {
        context,
        mode: "run",
        run: row,
        store,
        program: program.clone(),
        table,
        aimed,
        place,
        vault,
        params: Some(values.clone()),
        guard: Guard { account, ..Guard::default() },
        edits: None,
        files: None,
        note: String::new(),
        expect: expected,
        details: Box::new(String::new),
        known: None,
        runtime: &runtime,
    };
    job.drive(|scope| program.run(scope, &values).map(|()| Ending::Finished))
}

/// The parameters of a new run: what the command line gives, then the customer file, then the defaults; on the sandbox then the
/// rehearsal file's values.
///
/// # Errors
/// RB0201, RB0202; RB0445 when the rehearsal file does not fit.
pub fn bind(
    context: &Context, program: &Program, params: &ParamOptions, target: &TargetOptions, customer: &Customer,
) -> Result<BoundParams, Problem> {
    let mut given: BTreeMap<String, String> = params.param.iter().cloned().collect();
    let mut from_file = customer.params.clone();
    let specs = program.params().map_err(|failure| sources::problem(program, failure))?;
    if specs.iter().any(|spec| spec.name == "region") {
        if let Some(region) = &target.region {
            given.entry("region".to_owned()).or_insert_with(|| region.clone());
        }
        if let Some(region) = &customer.region {
            from_file.entry("region").or_insert_with(|| region.clone().into());
        }
    }
    if target.sandbox {
        add_examples(context, program, &specs, &given, &mut from_file)?;
    }
    program.bind_params(&given, &from_file).map_err(|failure| {
        sources::problem(program, failure).next(format!("runbook params {}", crate::ui::text::quoted(program.name())))
    })
}

/// Takes the rehearsal file's value for each parameter that has none, and says so.
fn add_examples(
    context: &Context, program: &Program, specs: &[ParamSpec], given: &BTreeMap<String, String>,
    from_file: &mut Map<String, Value>,
) -> Result<(), Problem> {
    let examples = targets::answers(program).map_err(|failure| Problem::new(Exit::Usage, failure))?.examples;
    let missing = specs.iter().filter(|spec| {
        spec.default.is_none() && !spec.optional && spec.generate.is_none() && !given.contains_key(&spec.name)
    });
    let mut taken = Vec::new();
    for spec in missing.filter(|spec| !from_file.contains_key(&spec.name)).collect::<Vec<_>>() {
        if let Some(value) = examples.get(&spec.name) {
            from_file.insert(spec.name.clone(), value.clone());
            taken.push(spec.name.as_str());
        }
    }
    if !taken.is_empty() {
        context.say(&format!("made-up values for {}, out of the rehearsal file\n", taken.join(", ")));
    }
    Ok(())
}

/// Where the target is asked who it is, and the region of headings.
pub fn place(target: &TargetOptions, bound: &BoundParams, customer: &Customer) -> Place {
    let parameter = bound.values.get("region").and_then(Value::as_str).map(str::to_owned);
    let region = target.region.clone().or(parameter).or_else(|| customer.region.clone()).unwrap_or_default();
    Place { region, profile: target.profile.clone(), ..Place::default() }
}

/// What a rehearsal tells the tree, if it came to the end.
fn expect(rehearsed: &Rehearsed) -> Option<Expect> {
    let (first, last) = (rehearsed.events.first()?, rehearsed.events.last()?);
    let steps = rehearsed.outcome.totals.steps as usize;
    let finished = rehearsed.outcome.ending == Ending::Finished;
    finished.then_some(Expect { steps, took_ms: last.target_ms - first.target_ms })
}

/// Rehearses on a thread of its own: the run begins at once, and the tree tells what is to come as soon as that is known.
fn rehearse_beside(program: &Arc<Program>, bound: &BoundParams, place: &Place, expected: &Expected) {
    let (program, bound, place, expected) = (program.clone(), bound.clone(), place.clone(), expected.clone());
    std::thread::spawn(move || {
        let runtime = driving::runtime().ok()?;
        let rehearsed = rehearse(&program, bound, place, &targets::table(), runtime.handle()).ok()?;
        expected.set(expect(&rehearsed)?).ok()
    });
}

/// Creates the run and its vault, the secrets in it. Gives the parameters with placeholders.
fn create(store: &Arc<dyn Store>, new: &NewRun, bound: BoundParams) -> Result<(Row, Arc<Vault>, Value), Problem> {
    let key = state_dir::key()?;
    store.create(new)?;
    let vault = Vault::open(&new.id, store.clone(), key).map_err(|e| Problem::usage("RB0702", e.to_string()))?;
    let values = fill(bound, &vault)?;
    Ok((store.run(&new.id)?, Arc::new(vault), values))
}

fn new_id() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::new(Exit::Bug, Failure::new("RB0903", format!("the system gives no random numbers: {error}")))
    })?;
    Ok(hex::encode(bytes))
}
