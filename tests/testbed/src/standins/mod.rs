//! What would run in the pods of an EKS cluster, and EKS's own controllers.
//!
//! kwok gives nodes and pods a status and nothing else. Here is what stands behind it, computed from what the API servers and the
//! emulators hold, so that a script that forgets a route, a role or a CoreDNS plugin fails as it would on EKS.
//!
//! * [`cluster`]: everything that belongs to one control plane, attached to it and ended with it. [`shared`]: what spans clusters.
//! * [`kube_objects`], `watched`, [`aws`], [`xml`]: how the stand-ins speak with API servers and with AWS.
//! * [`boot`], [`nodes`], [`addons`]: what EKS puts into a cluster.
//! * [`answers`]: what exec, logs and the programs in pods say; [`container`], [`toolbox`] and [`commands`] run a pod's command,
//!   [`tools`] is what a pod's network programs find out from [`dns`], [`corefile`], [`reach`] and [`vpc`].
//! * [`volumes`], [`mcs`], [`external_dns`], [`balancers`]: the controllers that a runbook installs, and with [`controller`] what they
//!   may do.
//! * [`redis`]: real Redis for the pods of the chart.

pub mod addons;
pub mod answers;
pub mod aws;
pub mod balancers;
pub mod boot;
pub mod cluster;
pub mod commands;
pub mod container;
pub mod controller;
pub mod corefile;
pub mod dns;
pub mod external_dns;
pub mod kube_objects;
pub mod logs;
pub mod mcs;
pub mod nodes;
pub mod reach;
pub mod redis;
pub mod shared;
pub mod toolbox;
pub mod tools;
pub mod volumes;
pub mod vpc;
mod watched;
pub mod xml;

pub use cluster::{Cluster, Facts};
pub use shared::Shared;
