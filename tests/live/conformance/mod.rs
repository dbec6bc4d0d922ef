//! The same behaviours asked of the sandbox, of moto and of ministack through the same trait, and held against the AWS reference.
//!
//! * [`case`]: what a case is, and what a target was seen to do. [`cases`]: the cases, one file for each group of kinds.
//! * [`lab`]: one target with all kinds of AWS, as a case drives it. [`twice`]: what many cases do alike. [`emulator`]: the two
//!   emulators.
//! * [`table`]: the results as the table in `tests/README.md`.

mod case;
mod cases;
mod emulator;
mod lab;
mod table;
mod twice;

use std::{collections::BTreeSet, fs, path::Path};

use case::{Case, Verdict};
use emulator::Emulator;
use lab::Lab;
use runbook_modules::table::Table;

/// With the value `rewrite` the table is written anew instead of compared.
const REWRITE: &str = "RUNBOOK_CONFORMANCE";

/// What one case showed.
struct Row {
    case: &'static Case,
    sandbox: Verdict,
    moto: Verdict,
    ministack: Verdict,
}

impl Row {
    fn verdicts(&self) -> [&Verdict; 3] {
        [&self.sandbox, &self.moto, &self.ministack]
    }
}

#[test]
fn the_sandbox_does_as_aws_in_every_case() {
    let mut called = BTreeSet::new();
    let mut wrong = Vec::new();
    for (n, case) in cases::all().into_iter().enumerate() {
        let lab = Lab::sandbox(n);
        match Verdict::of((case.run)(&lab)) {
            Verdict::Right => {}
            verdict => wrong.push(format!("{}: {verdict:?}", case.name)),
        }
        called.extend(lab.called());
    }
    assert!(wrong.is_empty(), "the sandbox does otherwise than AWS:\n{}", wrong.join("\n"));
    let mut table = Table::default();
    runbook_aws::register(&mut table);
    let creations = table.bindings().map(|(name, _)| name.to_owned());
    let deletions = table.kinds().filter(|kind| !kind.stays()).map(|kind| format!("delete {}", kind.meta().name));
    let missing: BTreeSet<String> = creations.chain(deletions).filter(|call| !called.contains(call)).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}

#[test]
fn the_table_says_what_the_emulators_do() {
    let Some((moto, ministack)) = emulator::both() else { return };
    let rows = run(&moto, &ministack);
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/README.md");
    let there = fs::read_to_string(&readme).unwrap();
    let wanted = table::put_into(&there, &table::render(&rows));
    if std::env::var_os(REWRITE).is_some_and(|value| value == "rewrite") {
        fs::write(&readme, &wanted).unwrap();
        return;
    }
    let news: Vec<&str> = wanted.lines().filter(|line| !there.lines().any(|old| old == *line)).collect();
    assert!(
        there == wanted,
        "the targets do otherwise than the table in tests/README.md says ({REWRITE}=rewrite writes it anew):\n{}",
        news.join("\n")
    );
}

/// Every case on every target, each target in a thread of its own.
fn run(moto: &Emulator, ministack: &Emulator) -> Vec<Row> {
    let cases = cases::all();
    let (sandbox, moto, ministack) = std::thread::scope(|scope| {
        let moto = scope.spawn(|| verdicts(&cases, |n| Lab::live(moto, n)));
        let ministack = scope.spawn(|| verdicts(&cases, |n| Lab::live(ministack, n)));
        (verdicts(&cases, Lab::sandbox), moto.join().unwrap(), ministack.join().unwrap())
    });
    let verdicts = sandbox.into_iter().zip(moto).zip(ministack);
    let row = |(case, ((sandbox, moto), ministack))| Row { case, sandbox, moto, ministack };
    cases.into_iter().zip(verdicts).map(row).collect()
}

/// What one target does in each case.
fn verdicts(cases: &[&'static Case], lab: impl Fn(usize) -> Lab) -> Vec<Verdict> {
    cases.iter().enumerate().map(|(n, case)| Verdict::of((case.run)(&lab(n)))).collect()
}
