//! Live Kubernetes and Helm: the `kube` client and the real `helm` program behind the bindings of `runbook-modules`.
//!
//! * [`connection`]: how the API server of a place is reached; [`kubeconfig`]: out of a context.
//! * [`client`]: one request to it; [`error`]: what it answered, sorted into classes.
//! * [`target`]: which part carries out a call: [`objects`] for `k8s.*`, [`helm`] for `helm.*`.

pub mod client;
pub mod connection;
pub mod error;
pub mod helm;
pub mod kubeconfig;
pub mod objects;
pub mod target;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use connection::{Access, Connection, Connections, Identity};
pub use target::Kubernetes;
