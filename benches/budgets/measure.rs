//! Samples and their median, the bare SQLite commit that everything is held against, and the table of figures.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tempfile::TempDir;

/// How often each thing is measured.
pub const SAMPLES: usize = 600;

/// A folder on the file system of the target directory: a temporary one could be memory, where a commit costs nothing.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// Times of one thing.
#[derive(Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Measures one more.
    pub fn take<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let answer = work();
        self.add(began.elapsed());
        answer
    }

    /// Adds one that was measured elsewhere.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// The one in the middle.
    pub fn median(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

/// One bare commit: a row with the same text, in a database with the same settings and nothing else.
pub struct Bare(Connection);

impl Bare {
    /// In a folder.
    pub fn open(dir: &Path) -> Self {
        let connection = Connection::open(dir.join("bare.db")).expect("a database");
        let set_up =
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)";
        connection.execute_batch(set_up).expect("a table");
        Self(connection)
    }

    /// Commits a row.
    pub fn commit(&self, text: &str) {
        let mut statement = self.0.prepare_cached("INSERT INTO t (y) VALUES (?1)").expect("a statement");
        statement.execute([text]).expect("a commit");
    }
}

/// How many of the one are one of the other.
pub fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The figures so far.
#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    what: String,
    figure: String,
    budget: String,
    verdict: &'static str,
}

impl Table {
    /// A ratio, with what it is made of.
    pub fn ratio(&mut self, what: &str, figure: f64, of: (Duration, Duration), most: f64) {
        let figure_text = format!("{figure:.2} ({:.0?} / {:.0?})", of.0, of.1);
        self.row(what, figure_text, format!("{most}"), figure <= most);
    }

    /// A plain number.
    pub fn number(&mut self, what: &str, figure: f64, unit: &str, most: f64) {
        self.row(what, format!("{figure:.2}{unit}"), format!("{most}{unit}"), figure <= most);
    }

    /// A time.
    pub fn time(&mut self, what: &str, figure: Duration, most: Duration) {
        self.row(
            what,
            format!("{:.1} ms", figure.as_secs_f64() * 1e3),
            format!("{} ms", most.as_millis()),
            figure <= most,
        );
    }

    /// Something that could not be measured.
    pub fn skipped(&mut self, what: &str, why: &str) {
        let what = what.to_owned();
        self.0.push(Row { what, figure: format!("skipped: {why}"), budget: String::new(), verdict: "" });
    }

    fn row(&mut self, what: &str, figure: String, most: String, met: bool) {
        let verdict = if met { "met" } else { "MISSED" };
        self.0.push(Row { what: what.to_owned(), figure, budget: format!("<= {most}"), verdict });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wide = |text: fn(&Row) -> &str, head: &str| {
            self.0.iter().map(|row| text(row).chars().count()).chain([head.len()]).max().unwrap_or_default()
        };
        let (what, figure, budget) =
            (wide(|row| &row.what, "what"), wide(|row| &row.figure, "figure"), wide(|row| &row.budget, "budget"));
        writeln!(f, "{:what$}  {:figure$}  {:budget$}", "what", "figure", "budget")?;
        for row in &self.0 {
            writeln!(f, "{:what$}  {:figure$}  {:budget$}  {}", row.what, row.figure, row.budget, row.verdict)?;
        }
        Ok(())
    }
}
