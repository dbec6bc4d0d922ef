//! What the effect protocol promises: exactly one resource, whatever fails or dies when.
//!
//! `cloud` is a scripted target, `rig` a run over it; `crashes` kills after every record, `outcomes` fails every call in every
//! way, `one_shot` is about secrets that are told once, `calls` about operations, reads and inputs; `random` does all of it at random;
//! `older` resumes a journal that is older than the target, `clock` after the system's clock was put back; `late` executes the requests of
//! a dead process later; `adopted` compares what the script sees;
//! `sandbox` runs the real table, `hostile` calls all of it with inputs that nobody would write.

mod adopted;
mod calls;
mod clock;
pub mod cloud;
mod crashes;
mod hostile;
mod late;
mod older;
mod one_shot;
mod outcomes;
mod random;
pub mod rig;
mod sandbox;
