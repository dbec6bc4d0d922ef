//! A runbook's rehearsal file on the testbed: what its charts hold, what its controllers make and what programs in its pods answer, in
//! real clusters and through real AWS calls.
//!
//! The sandbox simulates all of a rehearsal file; here only its own words are stood in for, and the rest is real: helm installs the
//! charts, the API server checks and keeps the objects, Kubernetes' own controllers and kwok make the pods of them.
//!
//! * [`charts`]: a chart with the objects of `makes: when: helm`, which [`helm`] puts in the place of the one that is asked for.
//! * [`controllers`]: what is made when an object stands, and its end. [`custom`]: the status of custom resources. [`aws`]: AWS objects.
//! * [`answers`]: exec, run_pod and logs.
//! * [`facts`]: what a file's texts find, in the cluster and in AWS; [`kinds`]: which kinds a cluster serves. [`completed`] adds to an
//!   object what the file leaves out and a real API server insists on.
//!
//! Patterns that name another cluster (`*:Pod/…`) find nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use runbook_modules::sandbox::{rehearsal::Rehearsal, template::Scope};
use serde_json::{Map, Value};

use crate::{bed::SPEED, standins::aws::Aws};

pub mod answers;
pub mod aws;
pub mod charts;
pub mod completed;
pub mod controllers;
pub mod custom;
pub mod facts;
pub mod helm;
pub mod kinds;

/// A rehearsal file in use.
#[derive(Debug)]
pub struct Rehearsed {
    /// The file, with the run's parameters.
    pub rehearsal: Rehearsal,
    /// The real ids of hosted zones, by those in the file.
    pub zones: BTreeMap<String, String>,
    told: Mutex<BTreeSet<String>>,
}

impl Rehearsed {
    /// Makes what stands before the run. The file's own parameters (`params:`) hold where none is given.
    ///
    /// # Errors
    /// What cannot be made.
    pub async fn begin(mut rehearsal: Rehearsal, aws: &Aws) -> Result<Self, String> {
        for (name, value) in &rehearsal.examples {
            rehearsal.params.entry(name).or_insert_with(|| value.clone());
        }
        let found = facts::Found::default();
        let before = facts::Live::new(&rehearsal.params, aws.region(), "", &found);
        let given = Scope::new(&before, "").render(&Value::Array(rehearsal.given.clone()))?;
        let mut zones = BTreeMap::new();
        for item in given.as_array().into_iter().flatten() {
            zones.extend([aws::give(aws, item).await?]);
        }
        Ok(Self { rehearsal, zones, told: Mutex::default() })
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &Map<String, Value> {
        &self.rehearsal.params
    }

    /// Says what goes wrong, once.
    pub(crate) fn tell(&self, problem: &str) {
        use std::io::Write as _;
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(problem.to_owned()) {
            // Straight to stderr: the test harness swallows what the print macros write.
            let _ = writeln!(std::io::stderr(), "rehearsed: {problem}");
        }
    }
}

/// The rehearsal file of a shipped runbook.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn rehearsal(runbook: &str) -> Result<Rehearsal, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../runbooks/{runbook}.rehearsal.yaml"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Rehearsal::parse(&text, &path.display().to_string()).map_err(|error| error.to_string())
}

/// A time of the file on the testbed's clock.
fn scaled(time: Duration) -> Duration {
    time / SPEED
}
