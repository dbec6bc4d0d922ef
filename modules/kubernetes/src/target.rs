//! The live target for the bindings `k8s.*` and `helm.*`: which part carries out a call.

use std::sync::Arc;

use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    target::{About, Calls, Place},
};
use serde_json::Value;

use crate::{
    connection::{Access, Connections},
    helm::Helm,
    objects::Objects,
};

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

    /// What a context of the kubeconfig is: the API server that it names is the endpoint. Nothing is sent.
    ///
    /// # Errors
    /// As [`Connections::of`].
    pub async fn about(&self, place: &Place) -> Result<About, CallError> {
        let connection = self.connections.of(place).await?;
        Ok(About {
            simulated: false,
            account: String::new(),
            caller: format!("context {}", place.cluster_name()),
            region: String::new(),
            endpoint: Some(connection.endpoint.clone()),
        })
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
