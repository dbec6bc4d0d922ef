//! Live Helm, through the real `helm` program.

use std::sync::Arc;

use async_trait::async_trait;
use runbook_modules::{
    error::CallError,
    host::Host,
    operation::Operation,
    resource::Kind,
    target::{Place, Request},
};
use serde_json::Value;

use crate::{connection::Connections, target::Calls};

/// The bindings `helm.*`.
pub struct Helm {
    connections: Arc<Connections>,
}

impl Helm {
    /// Reaches clusters by these connections.
    pub fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }

    async fn none(&self, place: &Place, name: &str) -> CallError {
        match self.connections.of(place).await {
            Ok(_) => CallError::refused("NoLiveCall", format!("{name} has no live call")),
            Err(error) => error,
        }
    }
}

#[async_trait]
impl Calls for Helm {
    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        Err(self.none(request.place, kind.meta().name).await)
    }

    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, _: &Value, _: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        Err(self.none(place, kind.meta().name).await)
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        Err(self.none(request.place, kind.meta().name).await)
    }

    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, _: &Value, _: Option<&Value>, _: &dyn Host,
    ) -> Result<(), CallError> {
        Err(self.none(place, kind.meta().name).await)
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        Err(self.none(request.place, operation.name).await)
    }

    async fn obstacles(&self, _: &'static dyn Kind, _: &Place, _: &Value, _: &dyn Host) -> Vec<String> {
        Vec::new()
    }
}
