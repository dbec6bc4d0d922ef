//! `runbook plan RUNBOOK`

use std::sync::Arc;

use clap::Args;
use runbook_state::record::Ending;
use serde_json::json;

use super::{
    context::Context,
    customer, driving,
    error::Problem,
    exit::Exit,
    options::{ParamOptions, TargetOptions},
    run, sources,
};
use crate::{
    plan::{digest::digest, rehearse::rehearse},
    targets,
    ui::{failure, finale, gantt, heading, look::Ink, text::quoted},
};

/// Rehearse a whole run in memory: steps, changes, waits, time, critical path, cost. Nothing is called.
#[derive(Debug, Args)]
pub struct Plan {
    /// Runbook: a path, or the name of one in ./runbooks or built in.
    pub runbook: String,
    /// Parameters.
    #[command(flatten)]
    pub params: ParamOptions,
    /// AWS region.
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

/// Plans.
///
/// # Errors
/// When the rehearsal cannot begin.
pub fn run(context: &Context, args: &Plan) -> Result<Exit, Problem> {
    let program = Arc::new(sources::open(&args.runbook)?);
    let table = targets::table();
    let customer = args.params.params.as_deref().map(customer::read).transpose()?.unwrap_or_default();
    let target = TargetOptions { region: args.region.clone(), sandbox: true, ..TargetOptions::default() };
    let bound = run::bind(context, &program, &args.params, &target, &customer)?;
    if let Some(failure) = program.check(&table).into_iter().next() {
        return Err(Problem { exit: Exit::Usage, ..sources::problem(&program, failure) });
    }
    let secrets: Vec<String> = bound.secrets.iter().map(|(name, _)| name.clone()).collect();
    let place = run::place(&target, &bound, &customer);
    let runtime = driving::runtime()?;
    let rehearsed = rehearse(&program, bound, place.clone(), &table, runtime.handle())
        .map_err(|failure| Problem { exit: Exit::Usage, ..sources::problem(&program, failure) })?;
    let digest = digest(&rehearsed.events, &table);
    let ended = rehearsed.outcome.ending == Ending::Finished;
    if context.common.json {
        let failures = &rehearsed.outcome.failures;
        context.answer_json(json!({
            "v": 1, "runbook": program.name(), "finished": ended, "failures": failures, "plan": digest,
        }));
        return Ok(if ended { Exit::Ok } else { Exit::Failed });
    }
    let account = customer.account.map(|account| heading::account(&account.0)).unwrap_or_default();
    let whose = match (&customer.customer, account.is_empty()) {
        (Some(name), false) => format!("account of customer {}: {account}", context.out.shown(name)),
        _ => account,
    };
    let place = [whose, context.out.shown(&place.region)].into_iter().filter(|text| !text.is_empty());
    let place = place.collect::<Vec<_>>().join(", ");
    context.answer(&gantt::draw(&digest, program.name(), &place, &context.out));
    let source = |file: &str| program.source(file).map(str::to_owned);
    for failed in &rehearsed.outcome.failures {
        let head = context.err.ink(Ink::Bad, "the rehearsal ended here:");
        context.say(&format!("\n{head}\n{}", failure::draw(failed, &source, &context.err)));
    }
    // What is printed is kept by terminals and logs: a secret is typed anew.
    let secret = |name: &str| secrets.iter().any(|known| known == name);
    let value = |(name, value): &(String, String)| match secret(name) {
        true => format!(" -p {name}=SECRET"),
        false => format!(" -p {}", quoted(&format!("{name}={value}"))),
    };
    let mut options: Vec<String> = args.params.param.iter().map(value).collect();
    options.extend(args.params.params.iter().map(|file| format!(" --params {}", quoted(&file.to_string_lossy()))));
    let base = format!("runbook run {}{}", quoted(&args.runbook), options.concat());
    context.say("\n");
    context.say(&finale::next(&context.err, &[base.clone(), format!("{base} --sandbox")]));
    Ok(if ended { Exit::Ok } else { Exit::Failed })
}
