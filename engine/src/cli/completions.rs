//! `runbook completions SHELL`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, context::Context, exit::Exit};

/// Print completions for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// bash, zsh, fish, elvish or powershell.
    pub shell: Shell,
}

/// Prints.
pub fn run(context: &Context, args: &Completions) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "runbook", &mut text);
    context.answer(&String::from_utf8_lossy(&text));
    Exit::Ok
}
