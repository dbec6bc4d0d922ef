//! What a script can say and what it may not, without a run and with one.

mod opening;
