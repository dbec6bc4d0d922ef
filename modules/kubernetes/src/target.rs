//! The live target for the bindings `k8s.*` and `helm.*`: which part carries out a call.

use std::sync::Arc;

use async_trait::async_trait;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    operation::Operation,
    resource::Kind,
    target::{Place, Request},
};
use serde_json::Value;

use crate::{
    connection::{Access, Connections},
    helm::Helm,
    objects::Objects,
};

/// The live calls of one of the two, as [`runbook_modules::target::Target`] has them.
///
/// Each mutating call is sent once. Inputs hold placeholders of secrets: [`revealed`] puts the values in at the last hop.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Makes one.
    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError>;
    /// Reads one by its locator; None: it does not exist.
    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError>;
    /// Looks for what the request would have made.
    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError>;
    /// Deletes one by its locator, or puts back what stood there before.
    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError>;
    /// Makes a call that is not a resource.
    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError>;
    /// What keeps a resource from being deleted, for people.
    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host) -> Vec<String>;
}

/// Kubernetes and Helm, live.
pub struct Kubernetes {
    connections: Arc<Connections>,
    objects: Objects,
    helm: Helm,
}

impl Kubernetes {
    /// A target without any connection yet. `only_here`: clusters on other machines are refused.
    pub fn new(access: Arc<dyn Access>, only_here: bool) -> Self {
        let connections = Connections::new(access);
        let connections = Arc::new(if only_here { connections.only_here() } else { connections });
        Self { objects: Objects::new(Arc::clone(&connections)), helm: Helm::new(Arc::clone(&connections)), connections }
    }

    /// Who carries out a binding, by its name; None: neither of the two.
    pub fn calls(&self, binding: &str) -> Option<&dyn Calls> {
        match binding.split_once('.')?.0 {
            "k8s" => Some(&self.objects),
            "helm" => Some(&self.helm),
            _ => None,
        }
    }

    /// An EKS cluster of this name is being made or deleted: what is known of it no longer holds.
    pub fn forget(&self, cluster: &str) {
        self.connections.forget(cluster);
    }
}

/// An input with the values of secrets in it.
///
/// # Errors
/// `Refused` when a placeholder is broken.
pub fn revealed(host: &dyn Host, value: &Value) -> Result<Value, CallError> {
    host.reveal(value).map_err(|why| CallError::new(Class::Refused, "BrokenSecret", why))
}
