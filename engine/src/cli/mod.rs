//! Arguments in, text and exit code out. One file a command: its argument struct, whose comment is the help text, then one function.
//!
//! * [`exit`]: the exit codes. [`error`]: what ends a command early. [`options`]: shared options.
//! * [`context`]: what every command starts from. [`terminal`]: questions and keys. [`signals`]: Ctrl-C and its like.
//! * [`state_dir`], [`customer`], [`sources`]: where the state, a customer's values and the runbooks are.
//! * [`driving`]: what run, resume and undo share; [`going_live`]: what a live run asks first. [`panic`]: a bug is said to be one.
//! * [`core_dumps`] are forbidden.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod approve;
pub mod audit;
pub mod cancel;
pub mod check;
pub mod completions;
pub mod context;
pub mod core_dumps;
pub mod customer;
pub mod docs;
pub mod driving;
pub mod eject;
pub mod error;
pub mod exit;
pub mod explain;
pub mod going_live;
pub mod help;
pub mod logs;
pub mod options;
pub mod output;
pub mod panic;
pub mod params;
pub mod plan;
pub mod resume;
pub mod run;
pub mod runs;
pub mod show;
pub mod signals;
pub mod sources;
pub mod state_dir;
pub mod terminal;
pub mod undo;
pub mod verify;
pub mod world;

use context::Context;
use exit::Exit;
use options::Common;

/// Durable runs of infrastructure scripts: checkpoints, exact undo, rehearsal.
#[derive(Debug, Parser)]
#[command(name = "runbook", version, max_term_width = 110, disable_help_subcommand = true, after_help = AFTER)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "Examples:
  runbook run redis-ha --sandbox    try it: nothing is real
  runbook plan redis-ha             what a run would do, and how long it would take
  runbook resume latest             go on after a stop
  runbook undo 7f3a                 take everything down again
Exit codes: runbook help exit-codes";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a runbook: live, or on the sandbox.
    Run(run::Run),
    /// Go on with a run; finished steps are kept.
    Resume(resume::Resume),
    /// Rehearse a whole run: steps, changes, waits, time, cost. Nothing is called.
    Plan(plan::Plan),
    /// Take down what a run made.
    Undo(undo::Undo),
    /// Look whether what a run made still stands as made.
    Verify(verify::Verify),
    /// List what carries runbook's tags and no run owns.
    Audit(audit::Audit),
    /// Show a run: its steps, its end, the next commands.
    Show(show::Show),
    /// Print a run's journal, one line an event.
    Logs(logs::Logs),
    /// List the runs.
    Runs(runs::Runs),
    /// Answer a run's question.
    Approve(approve::Approve),
    /// Ask the process that drives a run to park it.
    Cancel(cancel::Cancel),
    /// Check a runbook without running it.
    Check(check::Check),
    /// Show a runbook's parameters.
    Params(params::Params),
    /// Print a run's outputs.
    Output(output::Output),
    /// Show what stands on the sandbox.
    World(world::World),
    /// Write a built-in runbook out for editing.
    Eject(eject::Eject),
    /// Explain an error code.
    Explain(explain::Explain),
    /// List what a script can call.
    Docs(docs::Docs),
    /// Print completions for a shell.
    Completions(completions::Completions),
    /// Help for a command, or the exit codes.
    Help(help::Help),
}

/// Runs the program.
pub fn main() -> ExitCode {
    crate::bug::watch();
    core_dumps::forbid();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return refused(&usage),
    };
    let context = Context::new(cli.common);
    let exit = panic::caught(&context, || {
        dispatch(&context, &cli.command).unwrap_or_else(|problem| {
            context.say(&problem.draw(&context.err));
            problem.exit
        })
    });
    terminal::restore();
    exit.code()
}

fn dispatch(context: &Context, command: &Command) -> Result<Exit, error::Problem> {
    match command {
        Command::Run(args) => run::run(context, args),
        Command::Resume(args) => resume::run(context, args),
        Command::Plan(args) => plan::run(context, args),
        Command::Undo(args) => undo::run(context, args),
        Command::Verify(args) => verify::run(context, args),
        Command::Audit(args) => audit::run(context, args),
        Command::Show(args) => show::run(context, args),
        Command::Logs(args) => logs::run(context, args),
        Command::Runs(args) => runs::run(context, args),
        Command::Approve(args) => approve::run(context, args),
        Command::Cancel(args) => cancel::run(context, args),
        Command::Check(args) => check::run(context, args),
        Command::Params(args) => params::run(context, args),
        Command::Output(args) => output::run(context, args),
        Command::World(args) => world::run(context, args),
        Command::Eject(args) => eject::run(context, args),
        Command::Explain(args) => explain::run(context, args),
        Command::Docs(args) => docs::run(context, args),
        Command::Completions(args) => Ok(completions::run(context, args)),
        Command::Help(args) => help::run(context, args),
    }
}

/// Help and version go to standard output, mistakes to standard error.
fn refused(usage: &clap::Error) -> ExitCode {
    // A reader that has gone needs no answer.
    let _ = usage.print();
    if usage.use_stderr() { Exit::Usage.code() } else { Exit::Ok.code() }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_well_formed() {
        super::Cli::command().debug_assert();
    }
}
