//! A hermetic place to run the built program in: empty environment, own home, own state, no network.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

/// A working folder with a state directory of its own.
pub struct Place {
    dir: TempDir,
    program: PathBuf,
}

/// What a finished program said.
pub struct Said {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// `STEP OPERATION` of every effect that was done, from what the program says with `--json`.
    pub fn effects(&self) -> Vec<String> {
        let events = self.out.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let done = events.filter(|event| event["event"] == "effect.done");
        done.map(|event| [&event["step"], &event["op"]].map(|it| it.as_str().unwrap_or("?")).join(" ")).collect()
    }
}

impl Place {
    /// An empty one.
    #[expect(clippy::option_env_unwrap, reason = "the catalogue has this file too, and names its programs itself")]
    pub fn new() -> Self {
        Self::of(Path::new(option_env!("CARGO_BIN_EXE_runbook").expect("cargo names the program to its tests")))
    }

    /// An empty one for another build of the program.
    pub fn of(program: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("runbook-e2e-").tempdir().expect("a temporary folder");
        for name in ["home", "work"] {
            std::fs::create_dir(dir.path().join(name)).expect("a folder");
        }
        Self { dir, program: program.to_owned() }
    }

    /// The working folder.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// The state directory; the program makes it.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Everything: home, work and state.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file below the working folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// The program with arguments, not started.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.dir.path().join("home"))
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("USER", "tester")
            .env("RUNBOOK_STATE", self.state())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // The catalogue's mutation gate runs these tests against a program with a seeded fault.
        if let Ok(mutant) = std::env::var("RUNBOOK_MUTANT") {
            command.env("RUNBOOK_MUTANT", mutant);
        }
        command
    }

    /// Another program that starts this one, whose name and arguments come after its own, in the same environment and folder.
    pub fn under<S: AsRef<OsStr>>(&self, mut outer: Command, args: impl IntoIterator<Item = S>) -> Command {
        let inner = self.command(args);
        outer.arg(inner.get_program()).args(inner.get_args()).current_dir(self.work()).env_clear().stdin(Stdio::null());
        outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer
    }

    /// Runs the program to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Said {
        said(self.command(args).output().expect("the program starts"))
    }

    /// Runs it and insists on an exit code.
    pub fn expect<S: AsRef<OsStr>>(&self, code: i32, args: impl IntoIterator<Item = S>) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, code, "stdout:\n{}\nstderr:\n{}", said.out, said.err);
        said
    }

    /// Starts the program with its output thrown away.
    pub fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
    }
}

/// What a finished program said.
pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
