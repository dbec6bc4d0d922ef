//! F: what keeps an undo from its end. One thing a trial is planted in the sandbox's world beside a finished run; the undo must end by
//! itself, name exactly what is left and why, and leave what is foreign; when the obstacle is gone the next undo must leave nothing.
//!
//! * [`scripts`]: the runs. [`account`]: planting, and what stands.
//! * [`held`]: how such an undo is tried; [`obstacles`]: what holds it.
//! * [`passed`]: what must not hold it.

pub mod account;
mod held;
mod obstacles;
pub mod passed;
mod scripts;

pub use self::held::emptied;
use super::{Make, Tried};

/// One way in which an undo can be held up.
pub struct Wedge {
    /// Its name.
    pub name: &'static str,
    one: Box<dyn Fn(Make<'_>) -> Tried<Ended> + Sync>,
}

/// How the undo ended while the obstacle stood.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// Simulated minutes.
    pub minutes: f64,
    /// What was left: each of it was named, and nothing else.
    pub left: usize,
}

impl Wedge {
    /// Tries it.
    ///
    /// # Errors
    /// What went wrong.
    pub fn one(&self, make: Make<'_>) -> Tried<Ended> {
        (self.one)(make)
    }
}

/// All of them.
pub fn all() -> Vec<Wedge> {
    let held = obstacles::ALL.iter();
    let held = held.map(|case| Wedge { name: case.name, one: Box::new(move |make: Make<'_>| held::one(make, case)) });
    let passed = passed::ALL.iter().map(|&(name, one)| Wedge { name, one: Box::new(one) });
    held.chain(passed).collect()
}
