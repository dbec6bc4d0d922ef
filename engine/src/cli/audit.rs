//! `runbook audit`

use std::{collections::BTreeSet, path::Path};

use clap::Args;
use runbook_modules::{
    table::Table as Kinds,
    target::{Listing, Marked, Place},
};
use runbook_state::store::Run;
use serde_json::{Value, json};

use super::{context::Context, driving, error::Problem, exit::Exit, state_dir};
use crate::{
    error::Failure,
    run::history::History,
    targets::{self, Aimed},
    ui::{
        finale,
        look::{Ink, Mark},
        table::Table,
        text::plural,
    },
    undo::audit::{Known, Whose, Why},
};

/// List what carries runbook's tags and no run of this state directory owns. Nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  runbook audit --sandbox
  runbook audit --region us-east-1 --region eu-west-1 --profile acme
What a run of another state directory made is listed too: its journal is not here.")]
pub struct Audit {
    /// Look at the sandbox instead of an account.
    #[arg(long)]
    pub sandbox: bool,
    /// A region to look at; may be repeated [default: those of all runs, else the profile's].
    #[arg(long, value_name = "REGION", conflicts_with = "sandbox")]
    pub region: Vec<String>,
    /// Named profile of the AWS configuration files.
    #[arg(long, value_name = "NAME", conflicts_with = "sandbox")]
    pub profile: Option<String>,
}

/// What was found.
struct Found {
    all: usize,
    open: usize,
    orphans: Vec<(Marked, Why)>,
    unseen: BTreeSet<String>,
}

/// Looks.
///
/// # Errors
/// When the account or a journal cannot be read.
pub fn run(context: &Context, args: &Audit) -> Result<Exit, Problem> {
    let dir = context.state_dir()?;
    let store = state_dir::is_there(&dir)?.then(|| context.store()).transpose()?;
    let runs = store.as_ref().map(|store| store.runs()).transpose()?.unwrap_or_default();
    let Some(aimed) = aim(args, &dir)? else { return Ok(answer(context, &Found::none())) };
    let runtime = driving::runtime()?;
    let kinds = targets::table();
    let mut found = Found::none();
    for place in places(args, &runs) {
        let listing = targets::tagged(&aimed, &place, runtime.handle()).map_err(unreadable)?;
        let mut known = Known::default();
        let names: BTreeSet<&str> = listing.found.iter().map(|marked| marked.run.as_str()).collect();
        if let Some(store) = &store {
            for run in runs.iter().filter(|run| names.contains(run.id.as_str())) {
                known.run(&run.id, &History::load(store.as_ref(), &run.id)?);
            }
        }
        found.sort(listing, &known, |marked| stands(&aimed, &kinds, marked, &runtime));
    }
    Ok(answer(context, &found))
}

/// The sandbox only where there is one already.
fn aim(args: &Audit, dir: &Path) -> Result<Option<Aimed>, Problem> {
    if args.sandbox {
        return Ok(targets::only_looking(dir)?);
    }
    Ok(Some(targets::live(args.profile.clone()).map_err(|failure| Problem::new(Exit::Usage, failure))?))
}

fn places(args: &Audit, runs: &[Run]) -> Vec<Place> {
    let of_runs =
        || runs.iter().filter(|run| run.target != "sandbox").filter_map(|run| run.settings.get("region")?.as_str());
    let mut regions: BTreeSet<&str> = args.region.iter().map(String::as_str).collect();
    if regions.is_empty() && !args.sandbox {
        regions.extend(of_runs());
    }
    if regions.is_empty() {
        regions.insert("");
    }
    let place = |region: &str| Place { region: region.to_owned(), profile: args.profile.clone(), ..Place::default() };
    regions.into_iter().map(place).collect()
}

/// A list by tags may still have what is gone: it counts when it can be read, and when it cannot be asked for.
fn stands(aimed: &Aimed, kinds: &Kinds, marked: &Marked, runtime: &tokio::runtime::Runtime) -> bool {
    let Some(kind) = kinds.kind(&marked.kind) else { return true };
    // Each kind is read by a field of its own name.
    let noun = marked.kind.rsplit('.').next().unwrap_or_default();
    let own = format!("{noun}_id");
    let names = ["id", "name", "arn", "group_id", "allocation_id", own.as_str()];
    let described = Value::Object(names.iter().map(|name| ((*name).to_owned(), marked.id.clone().into())).collect());
    let Some(at) = kind.locate(&Value::Null, &described) else { return true };
    !matches!(targets::read(aimed, kind, &marked.place, &at, runtime.handle()), Ok(None))
}

fn unreadable(error: runbook_modules::error::CallError) -> Problem {
    let failure = Failure::new(
        "RB0521",
        format!("what carries runbook's tags cannot be listed: {}: {}", error.code, error.message),
    );
    let failure = error.hints.iter().fold(failure, |failure, hint| failure.hint(hint));
    Problem::new(Exit::Failed, failure.hint("runbook explain RB0521 names the permissions that it needs"))
}

impl Found {
    fn none() -> Self {
        Self { all: 0, open: 0, orphans: Vec::new(), unseen: BTreeSet::new() }
    }

    fn sort(&mut self, listing: Listing, known: &Known, stands: impl Fn(&Marked) -> bool) {
        self.unseen.extend(listing.unseen);
        for marked in listing.found {
            self.all += 1;
            match known.whose(&marked) {
                Whose::Owned => {}
                Whose::Open => self.open += 1,
                Whose::Orphan(why) if !listing.lags || stands(&marked) => self.orphans.push((marked, why)),
                Whose::Orphan(_) => self.all -= 1,
            }
        }
    }
}

fn answer(context: &Context, found: &Found) -> Exit {
    let exit = if found.orphans.is_empty() { Exit::Ok } else { Exit::Drift };
    if context.common.json {
        let orphans: Vec<Value> = found.orphans.iter().map(|(marked, why)| as_json(marked, *why)).collect();
        context.answer_json(
            json!({ "v": 1, "found": found.all, "open": found.open, "orphans": orphans, "unseen": found.unseen }),
        );
        return exit;
    }
    let look = &context.out;
    let mut table = Table::new(&["KIND", "ID", "NAME", "PLACE", "RUN", "WHY"]);
    for (marked, why) in &found.orphans {
        table.row(vec![
            look.shown(&marked.kind),
            look.shown(&marked.id),
            look.shown(&marked.name),
            look.shown(marked.place.cluster.as_deref().unwrap_or(&marked.place.region)),
            look.shown(marked.run.get(..8).unwrap_or(&marked.run)),
            why.text().to_owned(),
        ]);
    }
    if !found.orphans.is_empty() {
        context.answer(&table.draw(look, context.wide()));
    }
    told(context, found);
    exit
}

fn told(context: &Context, found: &Found) {
    let err = &context.err;
    let all = plural(found.all as u64, "resource");
    if found.orphans.is_empty() {
        let mark = err.ink(Ink::Good, err.mark(Mark::Done));
        context.say(&format!("{mark} {all} with runbook's tags, none without an owner; nothing was touched\n"));
    } else {
        let mark = err.ink(Ink::Bad, err.mark(Mark::Failed));
        let orphans = found.orphans.len();
        context
            .say(&format!("\n{mark} of {all} with runbook's tags {orphans} without an owner; nothing was touched\n"));
    }
    if found.open > 0 {
        let open = plural(found.open as u64, "outcome");
        context.say(&format!("  {open} still open: a resume or an undo of the run finds out\n"));
    }
    for unseen in &found.unseen {
        context.say(&format!("  not seen: {}\n", err.shown(unseen)));
    }
    let known = found.orphans.iter().find(|(_, why)| *why != Why::NoSuchRun);
    let options = context.options();
    let next = match (known, found.orphans.first()) {
        (Some((marked, _)), _) => {
            let run = marked.run.get(..8).unwrap_or(&marked.run);
            vec![format!("runbook show {run}{options}"), format!("runbook undo {run} --also {}{options}", marked.id)]
        }
        (None, Some(_)) => vec!["runbook audit --state DIR".to_owned()],
        (None, None) => vec![format!("runbook runs{options}")],
    };
    context.say(&finale::next(err, &next));
}

fn as_json(marked: &Marked, why: Why) -> Value {
    json!({
        "kind": marked.kind, "id": marked.id, "name": marked.name, "place": marked.place, "run": marked.run,
        "step": marked.step, "effect": marked.effect, "why": why.word(),
    })
}
