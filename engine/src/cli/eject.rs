//! `runbook eject NAME`

use std::path::PathBuf;

use clap::Args;

use super::{context::Context, error::Problem, exit::Exit};
use crate::{script::program::Program, ui::finale};

/// Write a built-in runbook with all its files out for editing.
#[derive(Debug, Args)]
pub struct Eject {
    /// Runbook.
    pub runbook: String,
    /// Folder to write into.
    #[arg(long, value_name = "DIR", default_value = "runbooks")]
    pub into: PathBuf,
}

/// Writes; files that stand already are left alone unless they are equal.
///
/// # Errors
/// RB0210 when a file stands there already or cannot be written.
pub fn run(context: &Context, args: &Eject) -> Result<Exit, Problem> {
    // Not a copy that was ejected, and perhaps edited, before.
    let program = Program::open(&args.runbook, &[])?;
    let failed = |path: &std::path::Path, why: &str| {
        Problem::usage("RB0210", format!("failed to write {}: {why}", path.display()))
            .hint("--into DIR writes somewhere else")
    };
    let files: Vec<(PathBuf, &[u8])> =
        program.files().iter().map(|file| (args.into.join(&file.name), file.content.as_slice())).collect();
    if let Some((path, _)) =
        files.iter().find(|(path, content)| std::fs::read(path).is_ok_and(|found| found != *content))
    {
        return Err(failed(path, "another file stands there"));
    }
    for (path, content) in &files {
        let write = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, content)
        };
        write().map_err(|error| failed(path, &error.to_string()))?;
        context.answer(&format!("{}\n", path.display()));
    }
    let root = args.into.join(format!("{}.rhai", program.name()));
    context.say(&format!("\n{}", finale::next(&context.err, &[format!("runbook run {} --sandbox", root.display())])));
    Ok(Exit::Ok)
}
