//! Which cases of a trial are tried.

/// `RUNBOOK_TRIALS=all`: every case, or so many as its number says; else a sample of this size. What is tried is spread evenly over the
/// cases; `dice` shifts where.
pub fn chosen<T>(mut cases: Vec<T>, sample: usize, dice: usize) -> Vec<T> {
    let wanted = match std::env::var("RUNBOOK_TRIALS").as_deref() {
        Ok("all") => cases.len(),
        Ok(number) => number.parse().expect("a number of trials, or all"),
        Err(_) => sample,
    };
    let (all, mut at) = (cases.len(), dice);
    cases.retain(|_| {
        at += wanted.min(all);
        at / all > (at - wanted.min(all)) / all
    });
    cases
}
