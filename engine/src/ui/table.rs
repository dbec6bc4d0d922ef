//! Tables for standard output: columns as wide as they need, the last one cut to the width.

use super::{
    look::{Ink, Look},
    text::measure,
};

/// A table with a heading.
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; its texts have been made safe to show.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as text. `wide` keeps long lines (for a pipe).
    pub fn draw(&self, look: &Look, wide: bool) -> String {
        let width_of = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| measure(cell));
            cells.chain([measure(self.heads[at])]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width_of).collect();
        let line = |cells: Vec<&str>| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| look.pad(cell, *width));
            let line = padded.collect::<Vec<_>>().join("  ").trim_end().to_owned();
            if wide { line } else { look.fit(&line, look.width) }
        };
        let mut out = look.ink(Ink::Dim, &line(self.heads.clone())) + "\n";
        for row in &self.rows {
            out += &(line(row.iter().map(String::as_str).collect()) + "\n");
        }
        out
    }
}
