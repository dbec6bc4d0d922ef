//! Samples, their mean and median, the bare SQLite commit that everything is held against, and the table of figures.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tempfile::TempDir;

/// How often each thing is measured.
pub const SAMPLES: usize = 600;
/// So much is written first: the write-ahead log then has its full length (4 MB) and is written over, as in a store that was
/// used before. A growing file costs more at each commit.
pub const BALLAST: usize = 6_000_000;
/// How often what takes long is measured.
pub const REPEATS: u32 = 15;

/// A folder on the file system of the target directory: a temporary one could be memory, where a commit costs nothing.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// Processor time of this process and of the children that it has waited for, in the kernel's ticks of 10 ms.
pub fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
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

    /// Takes as many, and gives the median with the processor time of one.
    pub fn of<T>(count: u32, mut work: impl FnMut() -> T) -> (Duration, Duration) {
        let (mut samples, before) = (Self::default(), processor());
        for _ in 0..count {
            samples.take(&mut work);
        }
        (samples.median(), (processor() - before) / count)
    }

    /// Without the slowest twentieth, the mean. A disk often has two speeds: their mixture has a steady mean, but its median jumps
    /// from the one to the other.
    pub fn mean(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.truncate(sorted.len() - sorted.len() / 20);
        sorted.iter().sum::<Duration>() / u32::try_from(sorted.len()).unwrap_or(u32::MAX).max(1)
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
        let bare = Self(connection);
        bare.commit(&"x".repeat(BALLAST));
        bare
    }

    /// Commits a row.
    pub fn commit(&self, text: &str) {
        let mut statement = self.0.prepare_cached("INSERT INTO t (y) VALUES (?1)").expect("a statement");
        statement.execute([text]).expect("a commit");
    }
}

/// Four things in each order in turn: a disk that lets one flush through in a while makes the next one wait, and that must not
/// always be the same one.
pub fn order(turn: usize) -> [usize; 4] {
    let mut left = vec![0, 1, 2, 3];
    let mut turn = turn % 24;
    [4, 3, 2, 1].map(|count| {
        let picked = left.remove(turn % count);
        turn /= count;
        picked
    })
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
    /// The ratio of two times.
    pub fn ratio(&mut self, what: &str, (one, other): (Duration, Duration), most: f64) {
        let figure = one.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE);
        self.row(what, format!("{figure:.2} ({one:.2?} / {other:.2?})"), format!("{most}"), figure <= most);
    }

    /// A plain number.
    pub fn number(&mut self, what: &str, figure: f64, unit: &str, most: f64) {
        self.row(what, format!("{figure:.2}{unit}"), format!("{most}{unit}"), figure <= most);
    }

    /// A time, with the processor time in it: on a busy machine the difference is waiting for others.
    pub fn time(&mut self, what: &str, (figure, processor): (Duration, Duration), most: Duration) {
        let text = format!("{figure:.1?} (processor {processor:.0?})");
        self.row(what, text, format!("{most:.0?}"), figure <= most);
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
