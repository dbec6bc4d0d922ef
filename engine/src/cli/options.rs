//! Options that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum, builder::TypedValueParser as _};

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// State directory [default: the nearest .runbook upward, else the user's state directory].
    #[arg(
        value_parser = clap::builder::OsStringValueParser::new().map(PathBuf::from),
        long,
        value_name = "DIR",
        env = "RUNBOOK_STATE",
        global = true,
        hide_env_values = true,
        help_heading = "Common"
    )]
    pub state: Option<PathBuf>,
    /// Answer in JSON on standard output (a run: one event a line).
    #[arg(long, global = true, help_heading = "Common")]
    pub json: bool,
    /// Colour: auto, always or never (NO_COLOR is heeded).
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_possible_values = true,
        global = true,
        help_heading = "Common"
    )]
    pub color: Color,
    /// Only the last block.
    #[arg(short, long, global = true, help_heading = "Common")]
    pub quiet: bool,
    /// Also reads, starts, and what was kept.
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Common")]
    pub verbose: bool,
}

/// Where a run goes and how.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetOptions {
    /// Run on the built-in simulated target: no account, no network, nothing real.
    #[arg(long)]
    pub sandbox: bool,
    /// Simulated time per real time; 0: as fast as it goes.
    #[arg(long, value_name = "N", default_value_t = 600.0, value_parser = speed)]
    pub speed: f64,
    /// Named profile of the AWS configuration files.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region [default: the parameter region, the customer file's, the profile's].
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Let a mutating call of the sandbox fail, for trials: refuse:N, throttle:N, fails:N, lost:N,
    /// server-error:N, drop:N, kill-before:N, kill-after:N, kill-late:N+SECONDS, stale:SECONDS.
    #[arg(long, value_name = "FAULTS", env = "RUNBOOK_FAULT", hide_env_values = true)]
    pub fault: Option<runbook_modules::sandbox::faults::Faults>,
}

/// Values for parameters.
#[derive(Debug, Clone, Default, Args)]
pub struct ParamOptions {
    /// A parameter's value; may be repeated.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    pub param: Vec<(String, String)>,
    /// A customer file: customer, account, region, and params.
    #[arg(long, value_name = "FILE")]
    pub params: Option<PathBuf>,
}

/// Reads a speed.
///
/// # Errors
/// What it may be.
pub fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed == 0.0 || (0.1..=1e6).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.1 to 1000000, or 0 for no pacing".to_owned()),
    }
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// What is missing.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "write NAME=VALUE".to_owned())?;
    if name.trim().is_empty() {
        Err("the name is missing".to_owned())
    } else {
        Ok((name.trim().to_owned(), value.to_owned()))
    }
}
