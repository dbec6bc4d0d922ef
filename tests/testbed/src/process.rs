//! Programs that end with us. Each runs under a small shell that waits for either end: the program's, or that of a pipe which only
//! this process holds open. However this process ends, kill -9 too, the pipe closes and the shell kills the program. (The kernel's
//! own parent-death signal is tied to the thread that starts the program, and test threads come and go.)

use std::{
    fs::{self, File},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

const SHELL: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
( read -r _ <&3; kill -9 $program ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $program
status=$?
kill $watcher 2>/dev/null
wait $watcher 2>/dev/null
exit $status
"#;

/// A program that runs until it is stopped, dropped, or we end.
#[derive(Debug)]
pub struct Process {
    name: String,
    shell: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with its arguments and, beside ours, these environment variables. What it says goes to the log file, in whose
    /// folder it runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<A: AsRef<std::ffi::OsStr>>(
        program: &Path, arguments: impl IntoIterator<Item = A>, environment: &[(&str, &str)], log: &Path,
    ) -> Result<Self, String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let started = || -> io::Result<Child> {
            let output = File::options().create(true).append(true).open(log)?;
            Command::new("sh")
                .args(["-c", SHELL, "sh"])
                .arg(program)
                .args(arguments)
                .envs(environment.iter().copied())
                .current_dir(log.parent().unwrap_or(Path::new("/")))
                .stdin(Stdio::piped())
                .stdout(output.try_clone()?)
                .stderr(output)
                .spawn()
        };
        let shell = started().map_err(|error| format!("{name} cannot be started: {error}"))?;
        Ok(Self { name, shell, log: log.to_owned() })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.shell.try_wait().ok().flatten()
    }

    /// Asks every 50 ms until `ready` says yes, for at most `patience`.
    ///
    /// # Errors
    /// When the program ends first or is not ready in time, with the end of its log.
    pub fn wait_until(&mut self, patience: Duration, mut ready: impl FnMut() -> bool) -> Result<(), String> {
        let step = Duration::from_millis(50);
        for _ in 0..patience.as_millis() / step.as_millis() {
            if let Some(status) = self.ended() {
                return Err(format!("{} ended with {status}; its log ends:\n{}", self.name, self.log_end()));
            }
            if ready() {
                return Ok(());
            }
            std::thread::sleep(step);
        }
        Err(format!("{} was not ready within {patience:?}; its log ends:\n{}", self.name, self.log_end()))
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let text = fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Kills it and waits until it is gone.
    pub fn stop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts something on a port of the loopback that was free just now. Somebody may take the port before the program does; then the
/// program ends with "already in use" in its log, and another port is tried.
///
/// # Errors
/// What `start` says, or that there is no port.
pub fn on_free_port<T>(start: impl Fn(u16) -> Result<T, String>) -> Result<T, String> {
    let mut tries = 5;
    loop {
        let started = start(free_port()?);
        tries -= 1;
        if tries == 0 || !started.as_ref().is_err_and(|error| error.to_lowercase().contains("already in use")) {
            return started;
        }
    }
}

/// A port of the loopback that was free just now.
///
/// # Errors
/// When the loopback has none.
pub fn free_port() -> Result<u16, String> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| format!("no free port on 127.0.0.1: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(pid: &str) -> bool {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn pid_in(path: &Path) -> Option<String> {
        fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    #[test]
    fn a_stopped_program_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let pid = folder.path().join("pid");
        let script = format!("echo $$ > {}; exec sleep 1000", pid.display());
        let mut process =
            Process::start(Path::new("/bin/sh"), ["-c", &script], &[], &folder.path().join("log")).expect("starts");
        process.wait_until(Duration::from_secs(20), || pid_in(&pid).is_some()).expect("runs");
        let pid = pid_in(&pid).expect("a pid");
        assert!(alive(&pid));
        process.stop();
        assert!(!alive(&pid));
    }

    #[test]
    fn a_program_ends_when_the_process_that_started_it_is_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let pid = folder.path().join("pid");
        let script = format!("echo $$ > {}; exec sleep 1000", pid.display());
        // A shell stands in for us: it holds the pipe and is killed outright.
        let mut parent = Command::new("bash")
            .args(["-c", r#"exec > >(sh -c "$0" sh sh -c "$1"); exec sleep 1000"#, SHELL, &script])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let wait = |what: &dyn Fn() -> bool| {
            (0..400).any(|_| {
                what() || {
                    std::thread::sleep(Duration::from_millis(50));
                    false
                }
            })
        };
        assert!(wait(&|| pid_in(&pid).is_some()));
        let program = pid_in(&pid).expect("a pid");
        parent.kill().expect("killed");
        parent.wait().expect("gone");
        assert!(wait(&|| !alive(&program)), "the program outlived its parent");
    }

    #[test]
    fn a_program_that_ends_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = "echo no such luck; exit 3";
        let mut process =
            Process::start(Path::new("/bin/sh"), ["-c", script], &[], &folder.path().join("log")).expect("starts");
        let error = process.wait_until(Duration::from_secs(20), || false).expect_err("it ended");
        assert!(error.contains("exit status: 3") && error.contains("no such luck"), "{error}");
    }

    #[test]
    fn a_taken_port_is_tried_again_elsewhere_and_nothing_else_is() {
        let tried = std::cell::RefCell::new(Vec::new());
        let start = |failures: usize, error: &'static str| {
            tried.borrow_mut().clear();
            on_free_port(|port| {
                tried.borrow_mut().push(port);
                if tried.borrow().len() <= failures { Err(error.to_owned()) } else { Ok(port) }
            })
        };
        assert!(start(2, "bind: Address already in use").is_ok());
        assert_eq!(tried.borrow().len(), 3);
        assert!(start(9, "bind: Address already in use").is_err());
        assert_eq!(tried.borrow().len(), 5);
        assert!(start(1, "no such file").is_err());
        assert_eq!(tried.borrow().len(), 1);
    }
}
