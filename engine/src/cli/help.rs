//! `runbook help [TOPIC]`

use clap::{Args, CommandFactory as _};

use super::{
    Cli,
    context::Context,
    error::Problem,
    exit::{self, Exit},
};

/// Help for a command, or about the exit codes.
#[derive(Debug, Args)]
pub struct Help {
    /// A command, or exit-codes.
    pub topic: Option<String>,
}

/// Prints.
///
/// # Errors
/// RB0213 for a topic that there is not.
pub fn run(context: &Context, args: &Help) -> Result<Exit, Problem> {
    let mut command = Cli::command();
    let text = match args.topic.as_deref() {
        Some("exit-codes") => format!("Exit codes:\n{}", exit::list()),
        None => command.render_long_help().to_string(),
        Some(topic) => {
            command.build();
            let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
            match command.find_subcommand_mut(topic) {
                Some(found) => found.render_long_help().to_string(),
                None => {
                    let known = names.iter().map(String::as_str).chain(["exit-codes"]);
                    let nearest = runbook_modules::input::nearest(topic, known);
                    let problem = Problem::usage("RB0213", format!("there is no help about {topic}"));
                    let problem = if nearest.is_empty() {
                        problem
                    } else {
                        problem.hint(format!("near it: {}", nearest.join(", ")))
                    };
                    return Err(problem.next("runbook help"));
                }
            }
        }
    };
    context.answer(&text);
    Ok(Exit::Ok)
}
