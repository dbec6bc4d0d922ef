//! Live Kubernetes objects, through the `kube` client.
//!
//! * [`api`]: paths, reads, and which kinds the server knows; [`describe`]: an object in the shape that the sandbox gives too.
//! * [`apply`], [`patch`], [`delete`], [`lift`]: what changes objects; [`owners`]: which fields are whose.
//! * [`waiting`]: what an object waits for; [`workload`]: the pods of one; [`reasons`]: why a pod is not ready.
//! * [`pods`], [`exec`], [`run_pod`]: logs and commands.

use std::sync::Arc;

use async_trait::async_trait;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    k8s::{finalizers, operations::wait_answer, types::text},
    operation::Operation,
    resource::Kind,
    target::{Calls, Place, Request},
};
use serde_json::Value;

use self::{api::Api, describe::describe, waiting::with_waiting};
use crate::{client::Clients, connection::Connections, target::revealed};

pub mod api;
pub mod apply;
pub mod delete;
pub mod describe;
pub mod exec;
pub mod lift;
pub mod owners;
pub mod patch;
pub mod pods;
pub mod reasons;
pub mod run_pod;
pub mod waiting;
pub mod workload;

const PATCH: &str = "k8s.patch";

/// The bindings `k8s.*`.
pub struct Objects {
    clients: Clients,
}

impl Objects {
    /// Reaches clusters by these connections.
    pub fn new(connections: Arc<Connections>) -> Self {
        Self { clients: Clients::new(connections) }
    }

    fn api<'a>(&'a self, place: &'a Place) -> Api<'a> {
        Api::new(&self.clients, place)
    }
}

/// The object that `kind`, `api_version`, `namespace`, `name` and perhaps `uid` of a map mean, described.
async fn named(api: Api<'_>, at: &Value) -> Result<Option<Value>, CallError> {
    let version = at.get("api_version").and_then(Value::as_str).filter(|version| !version.is_empty());
    let Some(kind) = api.served(text(at, "kind"), version).await? else { return Ok(None) };
    let found = api.object(&kind, text(at, "namespace"), text(at, "name")).await?;
    let uid = text(at, "uid");
    let found = found.filter(|object| uid.is_empty() || uid == text(object, "metadata.uid"));
    Ok(match found {
        Some(object) => Some(with_waiting(api, describe(object, &kind)).await),
        None => None,
    })
}

async fn list(api: Api<'_>, input: &Value) -> Result<Value, CallError> {
    let version = input.get("api_version").and_then(Value::as_str);
    let kind = api.known(text(input, "kind"), version).await?;
    let query = match text(input, "label_selector") {
        "" => String::new(),
        selector => format!("labelSelector={}", api::encoded(selector)),
    };
    let found = api.list(&kind, text(input, "namespace"), &query).await?;
    Ok(found.into_iter().map(|object| describe(object, &kind)).collect())
}

async fn wait(api: Api<'_>, input: &Value) -> Result<Value, CallError> {
    let what = match text(input, "for") {
        "" => "ready",
        what => what,
    };
    let object = gone_with_its_cluster(named(api, input).await)?;
    Ok(wait_answer(what, &format!("{} {}", text(input, "kind"), text(input, "name")), object.as_ref()))
}

/// Where there is no cluster any more, there is no object either.
fn gone_with_its_cluster(found: Result<Option<Value>, CallError>) -> Result<Option<Value>, CallError> {
    match found {
        Err(error) if error.class == Class::NotFound => Ok(None),
        found => found,
    }
}

#[async_trait]
impl Calls for Objects {
    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        let api = self.api(request.place);
        let made = match kind.meta().name {
            PATCH => patch::patch(api, &revealed(request.host, request.input)?).await,
            _ => apply::apply(api, request).await,
        };
        made.map_err(crate::error::refused_if_missing)
    }

    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, _: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        let api = self.api(place);
        gone_with_its_cluster(match kind.meta().name {
            PATCH => patch::read(api, at).await,
            _ => named(api, at).await,
        })
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        let Some(at) = kind.locate(request.input, &Value::Null) else { return Ok(Vec::new()) };
        let found = self.read(kind, request.place, &at, request.host).await?;
        Ok(found.into_iter().filter(|object| !describe::is_deleting(object)).collect())
    }

    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        let api = self.api(place);
        let before = put_back.filter(|before| before.is_object()).map(|before| revealed(host, before)).transpose()?;
        match (kind.meta().name, before) {
            (PATCH, Some(before)) => patch::patch_back(api, at, &before).await,
            (PATCH, None) => Ok(()),
            (_, Some(before)) => delete::put_back(api, at, &before).await,
            (_, None) => delete::delete(api, at).await,
        }
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        let api = self.api(request.place);
        let input = revealed(request.host, request.input)?;
        match operation.name {
            "k8s.get" => Ok(gone_with_its_cluster(named(api, &input).await)?.unwrap_or_default()),
            "k8s.list" => list(api, &input).await,
            "k8s.wait" => wait(api, &input).await,
            "k8s.logs" => pods::logs(api, &input).await,
            "k8s.delete" => delete::by_hand(api, &input).await,
            "k8s.exec" => exec::exec(api, &input).await,
            "k8s.run_pod" => run_pod::run_pod(api, request).await,
            name => Err(CallError::refused("NoLiveCall", format!("{name} has no live call"))),
        }
    }

    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, _: &dyn Host) -> Vec<String> {
        if kind.meta().name == PATCH {
            return Vec::new();
        }
        let api = self.api(place);
        let Ok(Some(object)) = named(api, at).await else { return Vec::new() };
        let mut found = finalizers::held(place.cluster_name(), &object);
        found.extend(waiting::waits_for(api, &object).await);
        found
    }
}
