//! Figures: what was measured, what it must be, and whether it is.

use std::time::{Duration, Instant};

use crate::{Section, bench::Bench};

/// One line of the sheet.
pub struct Figure {
    /// The catalogue's number, e.g. `A1`.
    pub id: &'static str,
    /// What is counted.
    pub name: String,
    /// What it must be, in words.
    pub target: String,
    /// What it is, or why it was not measured.
    pub measured: Result<String, String>,
    /// None: it has no target, or was not measured.
    pub good: Option<bool>,
}

/// The figures of a section.
pub struct Part {
    /// Whose.
    pub section: &'static Section,
    /// In the order in which they were told.
    pub figures: Vec<Figure>,
    /// Cases that failed, as they were printed.
    pub failures: Vec<String>,
    /// How long it took.
    pub took: Duration,
    full: bool,
    began: Instant,
}

impl Part {
    /// An empty one.
    pub fn new(section: &'static Section, full: bool) -> Self {
        Self { section, figures: Vec::new(), failures: Vec::new(), took: Duration::ZERO, full, began: Instant::now() }
    }

    /// Must be none.
    pub fn zero(&mut self, id: &'static str, name: &str, measured: usize) {
        self.add(id, name, "0".to_owned(), measured.to_string(), Some(measured == 0));
    }

    /// Must be all there are. The sample covers a part, and its target is that part.
    pub fn all(&mut self, id: &'static str, name: &str, measured: usize, total: usize) {
        let good = if self.full { measured == total } else { measured > 0 };
        self.add(id, name, format!("all {total}"), format!("{measured} of {total}"), Some(good && total > 0));
    }

    /// Must be so many. The sample's target is one.
    pub fn at_least(&mut self, id: &'static str, name: &str, measured: usize, least: usize) {
        let good = measured >= if self.full { least } else { 1 };
        self.add(id, name, format!("at least {least}"), measured.to_string(), Some(good));
    }

    /// Must be no more.
    pub fn at_most(&mut self, id: &'static str, name: &str, measured: f64, most: f64, unit: &str) {
        let text = |number: f64| format!("{number:.1} {unit}").trim_end().to_owned();
        self.add(id, name, format!("at most {}", text(most)), text(measured), Some(measured <= most));
    }

    /// Has no target: it is only told.
    pub fn told(&mut self, id: &'static str, name: &str, measured: impl Into<String>) {
        self.add(id, name, "told".to_owned(), measured.into(), None);
    }

    /// Must have a name: of the test that noticed.
    pub fn named(&mut self, id: &'static str, name: &str, measured: Option<&str>) {
        let text = measured.map_or_else(|| "none".to_owned(), |test| format!("`{test}`"));
        self.add(id, name, "a named test".to_owned(), text, Some(measured.is_some()));
    }

    /// Was not measured, and why.
    pub fn not_measured(&mut self, id: &'static str, name: &str, target: &str, why: &str) {
        eprintln!("   {id:4} {name}: not measured: {why}");
        let (name, target) = (name.to_owned(), target.to_owned());
        self.figures.push(Figure { id, name, target, measured: Err(why.to_owned()), good: None });
    }

    /// A case that failed: printed at once, with the line that repeats it.
    pub fn failed(&mut self, bench: &Bench, case: &str, why: &str) {
        let repeat = format!("cargo catalogue --only {} --seed {} --case '{case}'", self.section.name, bench.seed());
        eprintln!("FAILED {case}\n{why}\n  again: {repeat}");
        self.failures.push(format!("{} — again: `{repeat}`", why.lines().next().unwrap_or_default()));
    }

    /// Must be so, or the trials have said nothing.
    pub fn insist(&mut self, bench: &Bench, holds: bool, why: &str) {
        if !holds && bench.case().is_none() {
            eprintln!("FAILED {why}");
            self.failures.push(why.to_owned());
        }
    }

    /// How many figures missed their target. Cases that failed without a figure that says so count as one.
    pub fn missed(&self) -> usize {
        let figures = self.figures.iter().filter(|figure| figure.good == Some(false)).count();
        figures.max(usize::from(!self.failures.is_empty()))
    }

    /// The measuring is over.
    pub fn end(&mut self) {
        self.took = self.began.elapsed();
    }

    fn add(&mut self, id: &'static str, name: &str, target: String, measured: String, good: Option<bool>) {
        let mark = if good == Some(false) { "MISSED " } else { "" };
        eprintln!("   {mark}{id:4} {name}: {measured} (target: {target})");
        self.figures.push(Figure { id, name: name.to_owned(), target, measured: Ok(measured), good });
    }
}
