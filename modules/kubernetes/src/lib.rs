//! Live Kubernetes and Helm: the `kube` client and the real `helm` program behind the bindings of `runbook-modules`.

pub mod helm;
