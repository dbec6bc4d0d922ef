//! What a person sees, made from events. Everything but [`out`] and [`live`] is a pure function of them.
//!
//! * [`look`]: width, colour, symbols; [`text`]: escaping, masking, measuring, times in words.
//! * [`model`]: the run's parts from events; [`tree`] draws them; [`live`] keeps the drawing on a terminal.
//! * [`screen`]: which of them a run is shown with; [`lines`]: one line an event, elsewhere; [`json`]: NDJSON.
//! * [`heading`], [`finale`]: the first line and the last block; [`failure`]: one error with file, line and caret.
//! * [`tally`]: counts for the last block; [`table`]: tables; [`gantt`]: the plan.
//! * [`out`]: the only place that writes to standard output and standard error.

pub mod failure;
pub mod finale;
pub mod gantt;
pub mod heading;
pub mod json;
pub mod lines;
pub mod live;
pub mod look;
pub mod model;
pub mod out;
pub mod screen;
pub mod table;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod text;
pub mod tree;
