//! Trouble seeded into our own program, for the catalogue of tests (`tests/catalogue`): places where it kills itself, and faults
//! that a test must find.
//!
//! What is shipped has none of it: without the features the macros are nothing, `()` and `false`, and neither their names nor those
//! of the environment variables are in the binary (a test looks).
//!
//! * `crash-points`: [`crash_before!`] and [`crash_after!`] stand around every commit of the journal; see [`crash`].
//! * `schedules`: [`sync`] and [`thread`] are those of shuttle, which runs one thread at a time, in an order that a test's dice choose.
//! * `mutants`: `if mutant!("no-fence") { … }` is the fault `no-fence`, switched on by `RUNBOOK_MUTANT=no-fence`.

#[cfg(feature = "crash-points")]
pub mod crash;
mod threads;

#[cfg(feature = "schedules")]
pub use shuttle;
pub use threads::{recv_timeout, spawn_scoped, sync, thread, wait_timeout_while};

/// Dies here if this commit is the one to die before. Gives what [`crash_after!`] needs.
#[cfg(feature = "crash-points")]
#[macro_export]
macro_rules! crash_before {
    ($records:expr) => {
        $crate::crash::before($records)
    };
}

/// Nothing.
#[cfg(not(feature = "crash-points"))]
#[macro_export]
macro_rules! crash_before {
    ($records:expr) => {
        ()
    };
}

/// Dies here if this commit is the one to die after.
#[cfg(feature = "crash-points")]
#[macro_export]
macro_rules! crash_after {
    ($points:expr) => {
        $crate::crash::after(&$points)
    };
}

/// Nothing.
#[cfg(not(feature = "crash-points"))]
#[macro_export]
macro_rules! crash_after {
    ($points:expr) => {
        let () = $points;
    };
}

/// Whether this seeded fault is switched on.
#[cfg(feature = "mutants")]
#[macro_export]
macro_rules! mutant {
    ($name:literal) => {
        $crate::switched_on($name)
    };
}

/// No.
#[cfg(not(feature = "mutants"))]
#[macro_export]
macro_rules! mutant {
    ($name:literal) => {
        false
    };
}

/// Whether `RUNBOOK_MUTANT` names this fault.
#[cfg(feature = "mutants")]
pub fn switched_on(name: &str) -> bool {
    static ON: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| std::env::var("RUNBOOK_MUTANT").unwrap_or_default());
    *ON == name
}
