//! The live target for AWS: finds the clients of a place and the calls of a kind, and puts the values of secrets in at this
//! last hop.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    operation::Operation,
    resource::Kind,
    target::{About, Place, Request, Target},
};
use serde_json::Value;

use super::{Call, Clients, Driver, Sent, classify};

/// AWS. Clients are built with the first call to a place and kept.
#[derive(Debug, Default)]
pub struct Live {
    clients: Mutex<BTreeMap<Place, Arc<Clients>>>,
}

impl Live {
    /// A target without any clients yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A target whose clients at a place are given.
    pub fn with(place: Place, clients: Clients) -> Self {
        Self { clients: Mutex::new(BTreeMap::from([(place, Arc::new(clients))])) }
    }

    /// The clients of a place. Kubernetes fields of the place make no difference.
    pub async fn clients(&self, place: &Place) -> Arc<Clients> {
        let place = Place { cluster: None, context: None, ..place.clone() };
        if let Some(clients) = self.kept().get(&place) {
            return Arc::clone(clients);
        }
        let loaded = Arc::new(Clients::load(&place).await);
        Arc::clone(self.kept().entry(place).or_insert(loaded))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<Place, Arc<Clients>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn driver(kind: &dyn Kind) -> Result<&'static dyn Driver, CallError> {
    let name = kind.meta().name;
    super::driver(name).ok_or_else(|| CallError::refused("NoLiveCall", format!("{name} has no live calls")))
}

fn revealed(request: &Request<'_>) -> Result<Value, CallError> {
    request.host.reveal(request.input).map_err(|why| CallError::new(Class::Refused, "BrokenSecret", why))
}

#[async_trait]
impl Target for Live {
    async fn about(&self, place: &Place, _: &dyn Host) -> Result<About, CallError> {
        let clients = self.clients(place).await;
        let caller = clients.sts.get_caller_identity().send().await.map_err(classify)?;
        Ok(About {
            simulated: false,
            account: caller.account().unwrap_or_default().to_owned(),
            caller: caller.arn().unwrap_or_default().to_owned(),
            endpoint: clients.endpoint.clone(),
        })
    }

    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        let (driver, input) = (driver(kind)?, revealed(request)?);
        let clients = self.clients(request.place).await;
        driver.create(&clients, &Sent { input: &input, token: request.token, tags: request.tags }).await
    }

    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, _: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        let driver = driver(kind)?;
        match driver.read(&*self.clients(place).await, at).await {
            Err(e) if e.class == Class::NotFound => Ok(None),
            other => other,
        }
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        let (driver, input) = (driver(kind)?, revealed(request)?);
        let clients = self.clients(request.place).await;
        match driver.find(&clients, &Sent { input: &input, token: request.token, tags: request.tags }).await {
            Err(e) if e.class == Class::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        let driver = driver(kind)?;
        let reveal = |value| host.reveal(value).map_err(|why| CallError::new(Class::Refused, "BrokenSecret", why));
        let put_back = put_back.map(reveal).transpose()?;
        driver.delete(&*self.clients(place).await, at, put_back.as_ref()).await
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        let name = operation.name;
        let call: &dyn Call =
            super::call(name).ok_or_else(|| CallError::refused("NoLiveCall", format!("{name} has no live call")))?;
        let input = revealed(request)?;
        let clients = self.clients(request.place).await;
        call.call(&clients, &Sent { input: &input, token: request.token, tags: request.tags }).await
    }

    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, _: &dyn Host) -> Vec<String> {
        match driver(kind) {
            Ok(driver) => driver.obstacles(&*self.clients(place).await, at).await,
            Err(_) => Vec::new(),
        }
    }
}
