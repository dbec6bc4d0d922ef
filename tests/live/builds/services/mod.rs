//! One of each service that runbooks use beside EKS, through the live code against the emulators: `services.rhai`.
//!
//! * [`whole`]: it runs, is verified, gives scripts what the sandbox gives them, and is taken down.
//! * [`disturbed`]: an answer is lost or broken, or a request does not arrive, at a call; nothing is made twice.

mod disturbed;
mod whole;

use crate::harness::Place;

/// What all of these tests run.
const SCRIPT: &str = include_str!("services.rhai");

/// A place with the script in it.
fn place() -> Place {
    let place = Place::new();
    place.write("services.rhai", SCRIPT);
    place
}
