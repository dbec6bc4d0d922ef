//! Live Helm: what changes something is done by the real `helm` program (3.13 or newer, 4.x), what is read is read from Helm's own
//! records in the cluster.
//!
//! * [`program`]: which helm; [`folder`]: its private folder; [`process`]: one process of it; [`answer`]: what it says.
//! * [`chart`], [`values`]: what it is given; [`record`]: releases as Helm keeps them.
//! * [`made`], [`describe`]: a release with its objects, in the sandbox's shape; [`standing`]: whose it is.
//! * [`work`]: work on one release: [`install`], [`uninstall`], [`template`].
//!
//! **Trust.** Values go through helm's standard input. The kubeconfig is in a folder (0700) of that call under the user's cache and goes
//! with it; no `HELM_*` and no `KUBECONFIG` of the user is passed on, and no plugin is started. What is kept of the user's Helm: the
//! registry credentials (`helm registry login`, or `HELM_REGISTRY_CONFIG`), and the repositories of `helm repo add` for charts
//! written as `repo/name`. A registry on a loopback address is spoken to without TLS.
//!
//! **Ownership.** Releases of a run carry the labels `runbook/run` and `runbook/effect`. What another run or a person made is never
//! taken over.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use runbook_modules::{
    error::CallError,
    host::Host,
    k8s::types::text,
    operation::Operation,
    resource::Kind,
    target::{Calls, Place, Request},
};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{client::Clients, connection::Connections};

pub mod answer;
pub mod chart;
pub mod describe;
pub mod folder;
pub mod install;
pub mod made;
pub mod process;
pub mod program;
pub mod record;
pub mod standing;
pub mod template;
pub mod uninstall;
pub mod values;
pub mod work;

use program::Program;
use work::Work;

/// The bindings `helm.*`.
pub struct Helm {
    connections: Arc<Connections>,
    clients: Clients,
    program: OnceCell<Program>,
    root: PathBuf,
}

impl Helm {
    /// Reaches clusters by these connections.
    pub fn new(connections: Arc<Connections>) -> Self {
        let clients = Clients::new(Arc::clone(&connections));
        Self { connections, clients, program: OnceCell::new(), root: folder::root() }
    }

    /// With this program, and its private folders below this one, instead of those that the environment names.
    #[must_use]
    pub fn with(mut self, program: Program, root: PathBuf) -> Self {
        self.program = OnceCell::new_with(Some(program));
        self.root = root;
        self
    }

    /// The program, looked for once.
    ///
    /// # Errors
    /// RB0801.
    pub async fn program(&self) -> Result<&Program, CallError> {
        self.program.get_or_try_init(Program::find).await
    }
}

#[async_trait]
impl Calls for Helm {
    async fn create(&self, _: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        install::create(self, request).await
    }

    async fn read(
        &self, _: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        let work = Work::begin(self, place, host, at).await?;
        let Some(seen) = work.newest().await? else { return Ok(None) };
        if !uninstall::is_of(at, seen.revision.labels.get(record::RUN_LABEL).map(String::as_str)) {
            return Ok(None);
        }
        let chart = Some(text(at, "chart")).filter(|chart| !chart.is_empty());
        work.described(&seen, chart).await.map(Some)
    }

    async fn find(&self, _: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        let work = Work::begin(self, request.place, request.host, request.input).await?;
        match work.newest().await? {
            Some(seen) if seen.revision.status != "uninstalling" => {
                Ok(vec![work.described(&seen, Some(text(request.input, "chart"))).await?])
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn delete(
        &self, _: &'static dyn Kind, place: &Place, at: &Value, _: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        uninstall::delete(&Work::begin(self, place, host, at).await?, at).await
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        if operation.name == "helm.template" {
            let work = Work::begin_early(self, request.place, request.host, request.input).await?;
            return template::call(&work, request.input).await;
        }
        let work = Work::begin(self, request.place, request.host, request.input).await?;
        match operation.name {
            "helm.status" => match work.newest().await? {
                Some(seen) => work.described(&seen, None).await,
                None => Ok(Value::Null),
            },
            "helm.uninstall" => uninstall::call(&work).await,
            name => Err(CallError::refused("NoLiveCall", format!("{name} has no live call"))),
        }
    }

    async fn obstacles(&self, _: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host) -> Vec<String> {
        let Ok(work) = Work::begin(self, place, host, at).await else { return Vec::new() };
        match work.newest().await {
            Ok(Some(seen)) => work.left(&seen).await.unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}
