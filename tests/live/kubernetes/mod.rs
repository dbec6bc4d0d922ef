//! Live Kubernetes on real API servers, without the engine around it: each call and its answer. Each test has a namespace of its own.
//!
//! * [`bed`]: the control plane, the target, and what others do in the cluster.
//! * [`changes`]: apply, patch, delete; [`definitions`]: custom resources; [`waits`]: what is unready and why;
//!   [`servers`]: servers that end, tokens that end, clusters that are made anew; [`whole`]: a run of the built program.

mod bed;
mod changes;
mod definitions;
mod servers;
mod waits;
mod whole;
