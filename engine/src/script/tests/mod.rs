//! What a script can say and what it may not, without a run and with one.

mod bed;
mod check;
mod edits;
mod hostile;
mod maps;
mod names;
mod opening;
mod secrets;
mod switch;
