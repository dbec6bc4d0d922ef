//! `runbook approve RUN`

use clap::Args;
use runbook_state::{
    record::{Ending, Record},
    store::Entry,
};

use super::{context::Context, error::Problem, exit::Exit, terminal};
use crate::{
    run::{clock::wall_ms, history::ASKED},
    ui::finale,
};

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
    let asked = questions(&store.journal(&run.id)?);
    let over = matches!(ending, Some(Ending::Finished | Ending::Undone));
    let refused = asked.iter().rev().find(|(_, _, answer)| *answer == Some(false));
    let (step, question) = match (ending, &args.step) {
        (Some(Ending::Waiting { step, question }), None) => (step, question),
        (_, Some(step)) if !over => {
            let question = asked.iter().find(|(key, ..)| key == step).map(|(_, question, _)| question.clone());
            (step.clone(), question.unwrap_or_default())
        }
        // Whoever said no may say yes later.
        (_, None) if !over && let Some((step, question, _)) = refused => (step.clone(), question.clone()),
        _ => {
            return Err(Problem::usage("RB0207", format!("run {short} waits for no approval"))
                .next(format!("runbook show {short}{}", context.options())));
        }
    };
    let ahead = !asked.iter().any(|(key, ..)| *key == step);
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
    let ahead = if ahead { " ahead of the question: the run has not asked it yet" } else { "" };
    context.say(&format!("{} {word} by {}{ahead}\n\n", context.err.path(&step), context.err.shown(&by)));
    context.say(&finale::next(&context.err, &[format!("runbook resume {short}{}", context.options())]));
    Ok(Exit::Ok)
}

/// The questions that a run has asked, by step key, with the last answer to each.
fn questions(entries: &[Entry]) -> Vec<(String, String, Option<bool>)> {
    let mut asked: Vec<(String, String, Option<bool>)> = Vec::new();
    for entry in entries {
        match &entry.record {
            Record::Decided { step, what, value, .. } if what == ASKED => {
                asked.push((step.clone(), value.as_str().unwrap_or_default().to_owned(), None));
            }
            Record::Approved { step, yes, .. } => {
                asked.iter_mut().filter(|(key, ..)| key == step).for_each(|(_, _, answer)| *answer = Some(*yes));
            }
            _ => {}
        }
    }
    asked
}
