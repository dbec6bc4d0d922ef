//! What a kind and an operation implement to be called live.
//!
//! The traits that are implemented have plain `async fn`s, so that the compiler proves once for the whole crate that the SDK's futures may
//! go to another thread: boxed method by method, which `async_trait` does, that took two thirds of the time of a `cargo check`. A trait
//! object needs boxes: [`DynDriver`] and [`DynCall`] are implemented for all.

use async_trait::async_trait;
use runbook_modules::error::CallError;
use serde_json::Value;

use super::{Clients, Sent};

/// The live calls of a kind. Each sends one request, but for `find` and `read`, which may page.
pub trait Driver: Send + Sync {
    /// Makes one. See [`runbook_modules::target::Target::create`].
    fn create(&self, clients: &Clients, sent: &Sent<'_>) -> impl Future<Output = Result<Value, CallError>> + Send;
    /// Reads one by its locator; None: it does not exist.
    fn read(&self, clients: &Clients, at: &Value) -> impl Future<Output = Result<Option<Value>, CallError>> + Send;
    /// Finds what the request would have made, by natural key, else by the effect tag.
    fn find(&self, clients: &Clients, sent: &Sent<'_>) -> impl Future<Output = Result<Vec<Value>, CallError>> + Send;
    /// Deletes one by its locator.
    fn delete(
        &self, clients: &Clients, at: &Value, put_back: Option<&Value>,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
    /// What keeps it from being deleted, for people.
    fn obstacles(&self, clients: &Clients, at: &Value) -> impl Future<Output = Vec<String>> + Send {
        let _ = (clients, at);
        std::future::ready(Vec::new())
    }
}

/// The live call of an operation.
pub trait Call: Send + Sync {
    /// Makes it.
    fn call(&self, clients: &Clients, sent: &Sent<'_>) -> impl Future<Output = Result<Value, CallError>> + Send;
}

/// A [`Driver`] that is chosen at run time.
#[async_trait]
pub trait DynDriver: Send + Sync {
    /// As [`Driver::create`].
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError>;
    /// As [`Driver::read`].
    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError>;
    /// As [`Driver::find`].
    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError>;
    /// As [`Driver::delete`].
    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError>;
    /// As [`Driver::obstacles`].
    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String>;
}

/// A [`Call`] that is chosen at run time.
#[async_trait]
pub trait DynCall: Send + Sync {
    /// As [`Call::call`].
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError>;
}

#[async_trait]
impl<D: Driver> DynDriver for D {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Driver::create(self, clients, sent).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        Driver::read(self, clients, at).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Driver::find(self, clients, sent).await
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        Driver::delete(self, clients, at, put_back).await
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        Driver::obstacles(self, clients, at).await
    }
}

#[async_trait]
impl<C: Call> DynCall for C {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Call::call(self, clients, sent).await
    }
}
