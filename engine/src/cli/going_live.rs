//! Before a live run begins: who are we, what would change, and does somebody say yes.

use std::sync::Arc;

use runbook_modules::{
    error::{CallError, Class},
    table::Table,
    target::{About, Place},
};

use super::{context::Context, error::Problem, exit::Exit, terminal};
use crate::{
    error::Failure,
    plan::{
        digest::{Digest, digest},
        rehearse::Rehearsed,
    },
    run::drive::who,
    script::program::Program,
    targets::{self, Aimed},
    ui::{failure, heading, look::Ink, text::plural},
};

/// A live run that is about to begin.
pub struct Ask<'a> {
    /// The runbook.
    pub program: &'a Arc<Program>,
    /// All bindings.
    pub table: &'a Arc<Table>,
    /// Where it goes.
    pub place: &'a Place,
    /// The account that the customer file names.
    pub account: Option<&'a str>,
    /// `--yes`.
    pub yes: bool,
}

impl Ask<'_> {
    /// Shows account, region and changes, and asks.
    ///
    /// # Errors
    /// RB0441 another account, RB0442 without credentials, RB0206 not confirmed, RB0801 without the helm that the run will start.
    pub fn confirm(
        &self, context: &Context, rehearsed: &Result<Rehearsed, Failure>, runtime: &tokio::runtime::Runtime,
    ) -> Result<(Aimed, About), Problem> {
        let aimed = targets::live(self.place.profile.clone()).map_err(|failure| Problem::new(Exit::Usage, failure))?;
        if !self.yes && !terminal::can_ask() {
            return Err(Problem::usage(
                "RB0206",
                "a live run asks before it begins, and there is no terminal to ask on",
            )
            .hint("--yes goes on without asking; --sandbox runs without an account"));
        }
        let about = targets::about(&aimed, self.place, runtime.handle()).map_err(nobody)?;
        if let Some(wanted) = self.account.filter(|wanted| *wanted != about.account) {
            let (found, wanted) = (heading::account(&about.account), heading::account(wanted));
            let message = format!("these credentials belong to account {found}, the customer file names {wanted}");
            return Err(Problem::usage("RB0441", message).hint("--profile NAME uses other credentials"));
        }
        let digest = rehearsed.as_ref().ok().map(|rehearsed| digest(&rehearsed.events, self.table));
        if digest.as_ref().is_some_and(|digest| digest.operations.keys().any(|name| name.starts_with("helm."))) {
            targets::helm_is_here(runtime.handle()).map_err(unusable)?;
        }
        if !self.yes {
            context.say(&self.question(context, rehearsed, digest.as_ref(), &about));
            terminal::ask("Type yes to go on: ", &["yes"], "--yes")?;
        }
        Ok((aimed, about))
    }

    fn question(
        &self, context: &Context, rehearsed: &Result<Rehearsed, Failure>, digest: Option<&Digest>, about: &About,
    ) -> String {
        let look = &context.err;
        let endpoint = about.endpoint.as_deref().map(|e| format!(" at {}", look.shown(e))).unwrap_or_default();
        let region = if self.place.region.is_empty() { &about.region } else { &self.place.region };
        let place = format!("account {}{endpoint}, {}", heading::account(&about.account), look.shown(region));
        let name = look.shown(self.program.name());
        let mut out = match digest {
            Some(digest) => {
                let changes = plural(digest.effects as u64, "change");
                let steps = plural(digest.steps as u64, "step");
                let head = format!("{name} would make {changes} in {steps} in {place}.");
                let costs = digest.costs.iter().map(|(what, count)| plural(*count as u64, what)).collect::<Vec<_>>();
                let costs =
                    if costs.is_empty() { String::new() } else { format!("keeps costing  {}\n", look.facts(&costs)) };
                format!("{}\n{costs}", look.ink(Ink::Bold, &head))
            }
            None => format!("{}\n", look.ink(Ink::Bold, &format!("{name} goes to {place}."))),
        };
        out += &format!("as             {}\n", look.shown(&about.caller));
        let failures = match rehearsed {
            Ok(rehearsed) => rehearsed.outcome.failures.iter().collect(),
            Err(failure) => vec![failure],
        };
        for failed in failures {
            let source = |file: &str| self.program.source(file).map(str::to_owned);
            out += &format!("\nIts rehearsal failed:\n{}", failure::draw(failed, &source, look));
        }
        out
    }
}

/// A program that the run would start is not here: found out now, not after an hour.
fn unusable(error: CallError) -> Problem {
    error.hints.into_iter().fold(Problem::usage("RB0801", error.message), Problem::hint)
}

/// Nobody answers, or nobody knows us: nothing was sent that changes anything.
pub(super) fn nobody(error: CallError) -> Problem {
    let credentials = error.class == Class::Credentials;
    let problem = match credentials {
        true => Problem::usage("RB0442", format!("no working AWS credentials: {error}")),
        false => Problem::usage("RB0431", who::silent(&error)),
    };
    let problem = problem.hint("--sandbox runs without an account: nothing is real");
    let problem = error.hints.into_iter().fold(problem, Problem::hint);
    if credentials { problem.hint("aws sso login signs in; --profile NAME uses a profile") } else { problem }
}
