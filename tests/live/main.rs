//! The live targets against the testbed: real API servers, the real helm, AWS emulators behind the fault proxy.

mod audit;
mod builds;
#[path = "../e2e/canned.rs"]
#[expect(dead_code, reason = "the tests on the sandbox use the rest of it")]
mod canned;
#[cfg(feature = "live")]
mod conformance;
mod credentials;
mod gate;
mod golden;
#[path = "../e2e/harness.rs"]
#[expect(dead_code, reason = "the tests on the sandbox use the rest of it")]
mod harness;
mod helm;
mod inventory;
mod kubernetes;
mod network;
mod sample;
mod stand;
