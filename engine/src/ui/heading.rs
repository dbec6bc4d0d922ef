//! The first line: which runbook, which run, where it goes, and that a simulated run is one.

use runbook_modules::target::About;

use super::look::{Ink, Look, Mark};
use crate::event::{Event, What};

/// `redis-ha · run 7f3a · sandbox, simulated at 600× · us-east-1`, out of the first event. `note` comes at the end
/// (`goes on (interrupted 3 min ago)`).
pub fn of(event: &Event, short: &str, note: &str, look: &Look) -> Option<String> {
    let What::Began { runbook, customer, about, region, speed, .. } = &event.what else { return None };
    let facts = [
        look.ink(Ink::Bold, &look.shown(runbook)),
        format!("run {}", look.ink(Ink::Bold, short)),
        customer.as_deref().map(|name| look.shown(name)).unwrap_or_default(),
        target(about, *speed, look),
        look.shown(region),
        note.to_owned(),
    ];
    Some(look.facts(&facts))
}

/// The target in a heading.
pub fn target(about: &About, speed: Option<f64>, look: &Look) -> String {
    match (about.simulated, speed) {
        (true, Some(speed)) if speed > 0.0 => format!("sandbox, simulated at {speed}{}", look.mark(Mark::Times)),
        (true, _) => "sandbox, simulated".to_owned(),
        (false, _) => {
            let endpoint = about.endpoint.as_deref().map(|e| format!(" at {}", look.shown(e))).unwrap_or_default();
            format!("aws {}{endpoint}", account(&about.account))
        }
    }
}

/// An account id in groups of four: `1234-5678-9012`.
pub fn account(id: &str) -> String {
    if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
        format!("{}-{}-{}", &id[..4], &id[4..8], &id[8..])
    } else {
        super::text::escape(id)
    }
}
