//! Bindings: what a script can do to the outside world, and the sandbox that simulates it.
//!
//! Nothing here knows of runs, the journal, SQLite, Rhai or the terminal. A binding is data (name, documented input, what it
//! makes) and the calls behind it; the engine drives it through the effect protocol. The map:
//!
//! * [`resource`]: the trait [`Kind`](resource::Kind), one implementation for each kind of thing that can be made and deleted.
//! * [`operation`]: [`Operation`](operation::Operation), everything else a script can call: reads, updates, exec.
//! * [`target`]: the trait [`Target`](target::Target), where effects go: AWS and Kubernetes, or the sandbox.
//! * [`host`]: the trait [`Host`](host::Host), what a binding may ask of the runner.
//! * [`input`]: typed inputs: a script's map against a Rust struct, with errors that name the field.
//! * [`error`]: what a target answered, sorted by what the effect protocol does next.
//! * [`k8s`], [`helm`]: Kubernetes and Helm.
//! * [`secret`]: what of an answer must not be kept as it stands.
//! * [`sandbox`]: the built-in simulated target.
//! * [`table`]: all kinds and operations by name.
//! * [`yaml`]: what of somebody else's YAML is not even parsed.

pub mod error;
pub mod helm;
pub mod host;
pub mod input;
pub mod k8s;
pub mod operation;
pub mod resource;
pub mod sandbox;
pub mod secret;
pub mod table;
pub mod target;
pub mod yaml;
