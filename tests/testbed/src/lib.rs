//! What the tests run against: real Kubernetes control planes, AWS emulators behind a fault proxy, and stand-ins for what would
//! run in pods. Everything listens on the loopback, on free ports.
//!
//! * [`tools`]: where the programs are. [`process`]: programs that end with us. [`scratch`]: folders that go with us.
//! * [`control_plane`]: etcd, API server, controller manager, scheduler, kwok; [`certificates`] for it. [`emulators`]: moto and
//!   ministack.
//! * [`registry`]: charts for helm.
//! * [`proxy`]: the fault proxy in front of the emulators, and the oracle log. [`webhook`]: who checks our EKS tokens.
//! * [`gateway`]: stands before an API server and notices every request. [`tls`]: how it and the webhook serve.
//! * [`clusters`]: what the proxy asks of whoever runs the control planes. [`standins`]: what would run in pods.
//! * [`rehearsed`]: what a runbook's charts and controllers make, and what its pods answer.
//! * [`bed`]: all of it together.

pub mod bed;
pub mod certificates;
pub mod clusters;
pub mod control_plane;
pub mod emulators;
pub mod gateway;
pub mod objects;
pub mod process;
pub mod proxy;
pub mod registry;
pub mod rehearsed;
pub mod scratch;
pub mod standins;
pub mod tls;
pub mod tools;
pub mod webhook;
