//! A run in another process that is signalled, stopped and continued. It does not outlive its trial.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

/// How long one may take to its end before it is taken for one without an end.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(3);

/// A run in another process.
pub struct Running(Child);

impl Running {
    /// Starts it, in a group of its own: one with nobody outside of it would not be stopped by a terminal's signal.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(mut command: Command) -> Result<Self, String> {
        command.process_group(0).spawn().map(Self).map_err(|error| error.to_string())
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn send(&self, signal: &str) -> Result<(), String> {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.0.id().to_string()]).status();
        if sent.is_ok_and(|status| status.success()) { Ok(()) } else { Err(format!("{signal} could not be sent")) }
    }

    /// Waits until it is stopped.
    ///
    /// # Errors
    /// When it ends before.
    pub fn stopped(&mut self) -> Result<(), String> {
        let stat = format!("/proc/{}/stat", self.0.id());
        let began = Instant::now();
        loop {
            let state = std::fs::read_to_string(&stat).unwrap_or_default();
            if state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE || self.0.try_wait().map_err(|error| error.to_string())?.is_some() {
                return Err("it was not stopped".to_owned());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not come.
    pub fn end(&mut self) -> Result<ExitStatus, String> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().map_err(|error| error.to_string())? {
                return Ok(status);
            }
            std::thread::sleep(LOOK);
        }
        Err(format!("it has not ended after {PATIENCE:?}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}
