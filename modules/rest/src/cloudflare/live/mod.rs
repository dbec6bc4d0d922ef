//! Cloudflare itself: its API, version 4.

use async_trait::async_trait;
use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    k8s::types::text,
    operation::Operation,
    resource::Kind,
    target::{Api, Calls, Place, Request},
};
use serde_json::{Value, json};

use super::{reads, record};
use crate::{
    live::{
        api, before,
        client::{Asked, Client},
        unknown,
    },
    mark,
};

mod error;
#[cfg(test)]
mod tests;

/// Cloudflare, live.
pub struct Cloudflare {
    client: Client,
}

/// One place of Cloudflare, for one call.
struct On<'a> {
    client: &'a Client,
    api: &'a Api,
    host: &'a dyn Host,
}

impl Cloudflare {
    /// On this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn on<'a>(&'a self, place: &'a Place, host: &'a dyn Host) -> Result<On<'a>, CallError> {
        Ok(On { client: &self.client, api: api(place)?, host })
    }
}

impl On<'_> {
    /// One request: its result.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, CallError> {
        let url = format!("{}{path}", self.api.url);
        let mut answer = self.client.send(self.api, self.host, Asked { method, url, body, headers: &[] }).await?;
        match error::of(&answer) {
            Some(error) => Err(error),
            None => Ok(answer.body["result"].take()),
        }
    }

    /// The records of a type and name; of an id, that one.
    async fn records(&self, at: &Value) -> Result<Vec<Value>, CallError> {
        if !text(at, "record_id").is_empty() {
            return match self.send(Method::GET, &path(at), None).await {
                Ok(found) => Ok(vec![found]),
                Err(error) if error.class == Class::NotFound => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let query = format!("{}?type={}&name={}&per_page=100", records(at), text(at, "type"), text(at, "name"));
        let found = self.send(Method::GET, &query, None).await?;
        let all = found.as_array().cloned().unwrap_or_default();
        Ok(all.into_iter().filter(|found| record::is_at(at, found)).collect())
    }

    /// Writes one: over what stands, if that may be.
    async fn write(&self, request: &Request<'_>) -> Result<Value, CallError> {
        let input = request.input;
        let standing = self.records(input).await.map_err(before)?;
        let comment = mark::into_description(text(input, "comment"), request.tags);
        let body = body(input, &comment);
        let overwrite = input.get("overwrite") == Some(&Value::Bool(true));
        let made = match &standing[..] {
            [] => self.send(Method::POST, &records(input), Some(&body)).await?,
            [one] if overwrite => {
                let path = format!("{}/{}", records(input), text(one, "id"));
                self.send(Method::PUT, &path, Some(&body)).await?
            }
            [one, ..] => return Err(record::stands(input, text(one, "content"))),
        };
        if text(&made, "id").is_empty() {
            return Err(CallError::new(Class::Unknown, "GarbledAnswer", "Cloudflare's answer describes no record"));
        }
        Ok(describe(&made, input))
    }
}

fn body(from: &Value, comment: &str) -> Value {
    let mut body = Value::Object(record::written(from));
    body["comment"] = comment.into();
    body
}

fn records(at: &Value) -> String {
    format!("/zones/{}/dns_records", text(at, "zone_id"))
}

fn path(at: &Value) -> String {
    format!("{}/{}", records(at), text(at, "record_id"))
}

fn describe(found: &Value, at: &Value) -> Value {
    let (words, marks) = mark::of_description(text(found, "comment"));
    let mut described = Value::Object(record::written(found));
    described["id"] = found["id"].clone();
    described["zone_id"] = at["zone_id"].clone();
    described["comment"] = words.into();
    described["tags"] = json!(marks);
    described
}

#[async_trait]
impl Calls for Cloudflare {
    async fn create(&self, _: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        self.on(request.place, request.host)?.write(request).await
    }

    async fn read(
        &self, _: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        let found = self.on(place, host)?.records(at).await?;
        Ok(found.first().map(|found| describe(found, at)))
    }

    async fn find(&self, _: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        let found = self.on(request.place, request.host)?.records(request.input).await?;
        Ok(found.iter().map(|found| describe(found, request.input)).collect())
    }

    async fn delete(
        &self, _: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        let on = self.on(place, host)?;
        let Some(stood) = put_back else { return on.send(Method::DELETE, &path(at), None).await.map(drop) };
        let stood = host.reveal(stood).map_err(|why| CallError::refused("BrokenSecret", why))?;
        let marks = serde_json::from_value(stood["tags"].clone()).unwrap_or_default();
        let comment = mark::again(text(&stood, "comment"), &marks);
        on.send(Method::PUT, &path(at), Some(&body(&stood, &comment))).await.map(drop)
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        let on = self.on(request.place, request.host)?;
        match operation.name {
            name if name == reads::TOKEN.name => on.send(Method::GET, "/user/tokens/verify", None).await,
            name if name == reads::ZONE.name => {
                let found = on.send(Method::GET, &format!("/zones?name={}", text(request.input, "name")), None).await?;
                let zone = |zone: &Value| json!({ "id": zone["id"], "name": zone["name"], "status": zone["status"] });
                Ok(found.get(0).map(zone).unwrap_or_default())
            }
            name if name == reads::RECORD.name => {
                let found = on.records(request.input).await?;
                Ok(found.first().map(|found| describe(found, request.input)).unwrap_or_default())
            }
            other => Err(unknown(other)),
        }
    }

    async fn obstacles(&self, _: &'static dyn Kind, _: &Place, _: &Value, _: &dyn Host) -> Vec<String> {
        Vec::new()
    }
}
