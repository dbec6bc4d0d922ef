//! `runbook approve RUN`

use clap::Args;
use runbook_state::record::{Ending, Record};

use super::{context::Context, error::Problem, exit::Exit, terminal};
use crate::{run::clock::wall_ms, ui::finale};

/// Answer a run's question; who, when and why are recorded.
#[derive(Debug, Args)]
pub struct Approve {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
    /// The approval's step [default: the one that the run waits for].
    #[arg(long, value_name = "KEY")]
    pub step: Option<String>,
    /// Say yes.
    #[arg(long)]
    pub yes: bool,
    /// Say no.
    #[arg(long, conflicts_with = "yes")]
    pub no: bool,
    /// Why; recorded.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub why: String,
}

/// Records the answer.
///
/// # Errors
/// When the run waits for nothing, or nobody can be asked.
pub fn run(context: &Context, args: &Approve) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    let short = context.short(store.as_ref(), &run.id);
    let ending = run.summary.ending.clone().and_then(|ending| serde_json::from_value::<Ending>(ending).ok());
    let (step, question) = match (ending, &args.step) {
        (Some(Ending::Waiting { step, question }), None) => (step, question),
        (Some(Ending::Waiting { step, question }), Some(asked)) if step == *asked => (step, question),
        (_, Some(asked)) => (asked.clone(), String::new()),
        (_, None) => {
            return Err(Problem::usage("RB0207", format!("run {short} waits for no approval"))
                .next(format!("runbook show {short}{}", context.options())));
        }
    };
    let yes = if args.yes || args.no {
        args.yes
    } else {
        let question = format!("{}: {}\nyes or no: ", context.err.path(&step), context.err.shown(&question));
        terminal::ask(&question, &["yes", "no"], "--yes or --no")? == "yes"
    };
    let by = super::driving::who();
    store.tell(
        &run.id,
        wall_ms(),
        Record::Approved { step: step.clone(), yes, by: by.clone(), why: args.why.clone() },
    )?;
    let word = if yes { "approved" } else { "refused" };
    context.say(&format!("{} {word} by {}\n\n", context.err.path(&step), context.err.shown(&by)));
    context.say(&finale::next(&context.err, &[format!("runbook resume {short}{}", context.options())]));
    Ok(Exit::Ok)
}
