//! GitHub itself: its REST API for repositories, its GraphQL API for what is in them.

use async_trait::async_trait;
use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    operation::Operation,
    resource::Kind,
    target::{Api, Calls, Place, Request},
};
use serde_json::{Value, json};

use super::{files, reads, repository};
use crate::live::{
    api,
    client::{Answer, Asked, Client},
    unknown,
};

mod commits;
mod error;
mod repositories;
#[cfg(test)]
mod tests;
mod work;

/// What every request says of its version: <https://docs.github.com/en/rest/about-the-rest-api/api-versions>.
const HEADERS: &[(&str, &str)] = &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

/// GitHub, live.
pub struct GitHub {
    client: Client,
}

/// One place of GitHub, for one call.
struct On<'a> {
    client: &'a Client,
    api: &'a Api,
    host: &'a dyn Host,
}

impl GitHub {
    /// On this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn on<'a>(&'a self, place: &'a Place, host: &'a dyn Host) -> Result<On<'a>, CallError> {
        Ok(On { client: &self.client, api: api(place)?, host })
    }
}

impl On<'_> {
    /// One request of the REST API; an error's status is none.
    async fn rest(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, CallError> {
        let url = format!("{}{path}", self.api.url);
        self.client.send(self.api, self.host, Asked { method, url, body, headers: HEADERS }).await
    }

    /// The answer's body, where the status says that it was done.
    async fn good(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, CallError> {
        let answer = self.rest(method, path, body).await?;
        if (200..300).contains(&answer.status) { Ok(answer.body) } else { Err(error::of(&answer)) }
    }

    /// The same of a question: None for what does not exist, or may not be seen.
    async fn found(&self, path: &str) -> Result<Option<Value>, CallError> {
        match self.good(Method::GET, path, None).await {
            Ok(body) => Ok(Some(body)),
            Err(error) if error.class == Class::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The data of a query or mutation of the GraphQL API.
    async fn graphql(&self, query: &str, variables: Value) -> Result<Value, CallError> {
        let url = graphql_at(&self.api.url);
        let body = json!({ "query": query, "variables": variables });
        let asked = Asked { method: Method::POST, url, body: Some(&body), headers: HEADERS };
        let mut answer = self.client.send(self.api, self.host, asked).await?;
        match error::of_graphql(&answer) {
            Some(error) => Err(error),
            None => Ok(answer.body["data"].take()),
        }
    }
}

/// Where the GraphQL API is; an Enterprise Server has it beside its REST API:
/// <https://docs.github.com/en/enterprise-server@latest/graphql/guides/forming-calls-with-graphql>.
fn graphql_at(url: &str) -> String {
    match url.strip_suffix("/api/v3") {
        Some(server) => format!("{server}/api/graphql"),
        None => format!("{url}/graphql"),
    }
}

#[async_trait]
impl Calls for GitHub {
    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        let on = self.on(request.place, request.host)?;
        match kind.meta().name {
            name if name == repository::META.name => repositories::create(&on, request).await,
            name if name == files::META.name => commits::create(&on, request).await,
            other => Err(unknown(other)),
        }
    }

    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        let on = self.on(place, host)?;
        match kind.meta().name {
            name if name == repository::META.name => repositories::read(&on, at).await,
            name if name == files::META.name => commits::read(&on, at).await,
            other => Err(unknown(other)),
        }
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        let on = self.on(request.place, request.host)?;
        let found = match kind.meta().name {
            name if name == repository::META.name => repositories::find(&on, request.input).await,
            name if name == files::META.name => commits::find(&on, request).await,
            other => Err(unknown(other)),
        };
        found.map(|found| found.into_iter().collect())
    }

    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        let on = self.on(place, host)?;
        match kind.meta().name {
            name if name == repository::META.name => repositories::delete(&on, at).await,
            name if name == files::META.name => commits::put_back(&on, at, put_back).await,
            other => Err(unknown(other)),
        }
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        let on = self.on(request.place, request.host)?;
        match operation.name {
            name if name == reads::REPOSITORY.name => repositories::get(&on, request.input).await,
            name if name == reads::FILE.name => commits::get(&on, request.input).await,
            other => Err(unknown(other)),
        }
    }

    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host) -> Vec<String> {
        match self.on(place, host) {
            Ok(on) if kind.meta().name == repository::META.name => repositories::obstacles(&on, at).await,
            _ => Vec::new(),
        }
    }
}
