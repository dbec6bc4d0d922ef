//! How much is tried, with which seed, on which builds of the program.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{sheet::Part, trials::Dice};

/// The seed of the sample that CI runs.
const SEED: u64 = 20_261_121;

/// The command line.
#[derive(Debug, Default)]
pub struct Options {
    /// Everything, or the sample.
    pub full: bool,
    /// The sections that were asked for; empty: all.
    pub only: Vec<String>,
    /// One case alone.
    pub case: Option<String>,
    /// Where the dice begin.
    pub seed: Option<u64>,
    /// How many trials run side by side.
    pub workers: Option<usize>,
    /// The engine's own tests have been run, and are not built and run here again.
    pub tested: bool,
    /// Only say what there is.
    pub list: bool,
}

impl Options {
    /// Reads the arguments. The error is for a person.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text} is no number"));
            match arg.as_str() {
                "--full" => options.full = true,
                "--list" => options.list = true,
                "--tested" => options.tested = true,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--case" => options.case = Some(value()?),
                "--seed" => options.seed = Some(number(value()?)?),
                "--workers" => options.workers = Some(number(value()?)?.clamp(1, 64) as usize),
                _ => return Err(format!("unknown argument {arg}; see tests/catalogue/README.md")),
            }
        }
        Ok(options)
    }
}

/// What the sections measure with.
pub struct Bench {
    options: Options,
    shipped: OnceLock<PathBuf>,
    trial: OnceLock<PathBuf>,
}

impl Bench {
    /// As the command line says.
    pub fn new(options: Options) -> Self {
        Self { options, shipped: OnceLock::new(), trial: OnceLock::new() }
    }

    /// Everything is to be tried, not the sample.
    pub fn full(&self) -> bool {
        self.options.full
    }

    /// The case that alone is to be tried.
    pub fn case(&self) -> Option<&str> {
        self.options.case.as_deref()
    }

    /// Whether the engine's own tests have been run already.
    pub fn tested(&self) -> bool {
        self.options.tested
    }

    /// Whether a section was asked for.
    pub fn wanted(&self, section: &str) -> bool {
        self.options.only.is_empty() || self.options.only.iter().any(|name| name == section)
    }

    /// Where the dice begin.
    pub fn seed(&self) -> u64 {
        self.options.seed.unwrap_or(SEED)
    }

    /// How many trials run side by side.
    pub fn workers(&self) -> usize {
        self.options.workers.unwrap_or(2)
    }

    /// One number for the sample and one for the full run.
    pub fn pick(&self, sample: usize, full: usize) -> usize {
        if self.full() { full } else { sample }
    }

    /// Dice that give the same for the same seed and label.
    pub fn dice(&self, label: &str) -> Dice {
        let mixed =
            label.bytes().fold(self.seed() | 1, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        Dice::new(mixed)
    }

    /// So many of the cases in a full run: all; in the sample: `count` of them, chosen by the seed.
    pub fn sample<T>(&self, label: &str, mut cases: Vec<T>, count: usize) -> Vec<T> {
        if self.full() || self.case().is_some() || cases.len() <= count {
            return cases;
        }
        let mut dice = self.dice(label);
        for at in 0..count {
            let other = at + dice.up_to((cases.len() - at) as u64) as usize;
            cases.swap(at, other);
        }
        cases.truncate(count);
        cases
    }

    /// Tries every case, some side by side. `name` is what `--case` selects; an error is printed with the one line that repeats it.
    /// Gives the answers of the cases that went well, in no order.
    pub fn each<C: Sync, T: Send>(
        &self, part: &mut Part, cases: &[C], name: impl Fn(&C) -> String + Sync,
        one: impl Fn(&C) -> Result<T, String> + Sync,
    ) -> Vec<T> {
        let (next, good, bad) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let work = || {
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                let called = name(case);
                if self.case().is_some_and(|only| only != called) {
                    continue;
                }
                let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(case)));
                match tried {
                    Ok(Ok(value)) => good.lock().unwrap_or_else(PoisonError::into_inner).push(value),
                    Ok(Err(why)) => bad.lock().unwrap_or_else(PoisonError::into_inner).push((called, why)),
                    Err(_) => bad
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((called, "the trial panicked".to_owned())),
                }
            }
        };
        std::thread::scope(|threads| {
            for _ in 0..self.workers() {
                threads.spawn(work);
            }
        });
        for (case, why) in bad.into_inner().unwrap_or_else(PoisonError::into_inner) {
            part.failed(self, &case, &why);
        }
        good.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The program as it is shipped, but for the AWS SDK and optimisation; built when it is first asked for.
    ///
    /// # Panics
    /// When it does not build; the compiler has said why.
    pub fn shipped(&self) -> &Path {
        self.shipped.get_or_init(|| self.built("runbook-shipped", &[]))
    }

    /// The program with crash points and mutants, built when it is first asked for.
    ///
    /// # Panics
    /// As [`Bench::shipped`].
    pub fn trial(&self) -> &Path {
        self.trial.get_or_init(|| self.built("runbook-trial", &["--features", "crash-points,mutants"]))
    }

    /// A full run has thousands of trials: then all of it is optimised, and not only what the profile says.
    pub fn optimise(&self, command: &mut Command) {
        let ours = ["runbook-engine", "runbook-modules", "runbook-aws", "runbook-kubernetes", "runbook-state", "\"*\""];
        for package in ours.iter().filter(|_| self.full()) {
            command.args(["--config", &format!("profile.dev.package.{package}.opt-level=2")]);
        }
    }

    /// Builds the program in a folder of the catalogue's own, and keeps it under a name that the next build leaves alone.
    fn built(&self, name: &str, features: &[&str]) -> PathBuf {
        static ONE: Mutex<()> = Mutex::new(());
        let _one_at_a_time = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        eprintln!("building {name}");
        let folder = self.folder();
        let mut command = cargo("build");
        self.optimise(&mut command);
        let built = command
            .args(["--quiet", "--package", "runbook", "--no-default-features", "--target-dir"])
            .arg(&folder)
            .args(features)
            .status();
        assert!(built.is_ok_and(|status| status.success()), "{name} does not build");
        let (beside, kept) = (folder.join(format!("{name}.new")), folder.join(name));
        let copied = std::fs::copy(folder.join("debug/runbook"), &beside).and_then(|_| std::fs::rename(&beside, &kept));
        copied.expect("the program is copied");
        kept
    }

    /// Where the catalogue keeps what it builds and, for the sample, the sheet.
    pub fn folder(&self) -> PathBuf {
        let own = std::env::current_exe().unwrap_or_default();
        own.parent().and_then(Path::parent).unwrap_or(Path::new("target")).join("catalogue")
    }
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A command of the cargo that started this, in the workspace.
pub fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace()).arg(subcommand);
    command
}
