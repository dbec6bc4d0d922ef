//! The live targets against the testbed: real API servers, the real helm, AWS emulators behind the fault proxy.

mod helm;
mod kubernetes;
