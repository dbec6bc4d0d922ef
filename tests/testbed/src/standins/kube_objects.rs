//! Kubernetes objects as JSON, by their paths. The stand-ins touch many kinds, some of which exist only later (CRDs), so they do
//! without types.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use kube::{Client, Error};
use serde_json::{Value, json};

use super::watched::{Watched, locked};

/// Answers with the tags that the server gave them, by path.
type Tagged = BTreeMap<String, (String, Arc<Value>)>;

/// Speaks with one API server. `path` is always the path of the API, such as `/api/v1/namespaces/default/pods`.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    manager: &'static str,
    watched: Watched,
    tagged: Arc<Mutex<Tagged>>,
}

impl Objects {
    /// With the rights of `client`; what is applied belongs to the field manager `manager`.
    pub fn new(client: Client, manager: &'static str) -> Self {
        Self { client, manager, watched: Watched::default(), tagged: Arc::default() }
    }

    /// The same server under another field manager's name.
    pub fn as_manager(&self, manager: &'static str) -> Self {
        Self { manager, ..self.clone() }
    }

    /// All objects of a path; none when the API server does not serve that kind. What a whole cluster has of a kind is watched
    /// from then on, which is cheap enough to ask several times a second.
    ///
    /// # Errors
    /// The API server cannot be asked.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        if let Some(known) = self.watched.get(path) {
            return Ok(known);
        }
        // Version 0: out of the server's cache.
        let joint = if path.contains('?') { '&' } else { '?' };
        let found = self.send(Method::GET, &format!("{path}{joint}resourceVersion=0"), None, "").await?;
        let Some(mut list) = found else { return Ok(Vec::new()) };
        let listed = match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        if !path.contains("/namespaces/") {
            self.watched.follow(&self.client, path, text(&list, "metadata.resourceVersion"), &listed);
        }
        Ok(listed)
    }

    /// One object, or none.
    ///
    /// # Errors
    /// The API server cannot be asked.
    pub async fn get(&self, path: &str) -> Result<Option<Value>, String> {
        self.send(Method::GET, path, None, "").await
    }

    /// What a path answers in the form of a media type; sent again only when the server says that it is another one now.
    ///
    /// # Errors
    /// The API server cannot be asked.
    pub async fn get_as(&self, path: &str, media_type: &str) -> Result<Arc<Value>, String> {
        let failed = |error: &dyn std::fmt::Display| format!("GET {path}: {error}");
        let known = locked(&self.tagged).get(path).cloned();
        let mut request = Request::get(path).header("accept", media_type);
        if let Some((tag, _)) = &known {
            request = request.header("if-none-match", tag);
        }
        let request = request.body(Vec::new()).map_err(|error| failed(&error))?;
        let answer = self.client.send(request.map(Into::into)).await.map_err(|error| failed(&error))?;
        if let (StatusCode::NOT_MODIFIED, Some((_, known))) = (answer.status(), known) {
            return Ok(known);
        }
        if answer.status() != StatusCode::OK {
            return Err(failed(&answer.status()));
        }
        let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = answer.into_body().collect().await.map_err(|error| failed(&error))?.to_bytes();
        let value: Arc<Value> = Arc::new(serde_json::from_slice(&body).map_err(|error| failed(&error))?);
        if let Some(tag) = tag {
            let mut tagged = locked(&self.tagged);
            tagged.insert(path.to_owned(), (tag, value.clone()));
        }
        Ok(value)
    }

    /// Creates or changes an object by server-side apply, taking over what others own.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn apply(&self, path: &str, object: &Value) -> Result<Value, String> {
        let url = format!("{path}?fieldManager={}&force=true", self.manager);
        let applied = self.send(Method::PATCH, &url, Some(object), "application/apply-patch+yaml").await?;
        applied.ok_or_else(|| format!("{path} cannot be applied: the API server does not serve that kind or namespace"))
    }

    /// Changes fields; none when there is no such object.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn merge(&self, path: &str, patch: &Value) -> Result<Option<Value>, String> {
        let url = format!("{path}?fieldManager={}", self.manager);
        self.send(Method::PATCH, &url, Some(patch), "application/merge-patch+json").await
    }

    /// Deletes an object, at once when `now`; whether there was one.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn delete(&self, path: &str, now: bool) -> Result<bool, String> {
        let options = if now { json!({"gracePeriodSeconds": 0}) } else { json!({"propagationPolicy": "Background"}) };
        Ok(self.send(Method::DELETE, path, Some(&options), "application/json").await?.is_some())
    }

    /// Whether a user may do something with all objects of a resource, as the API server's authorizer says.
    ///
    /// # Errors
    /// The API server cannot be asked.
    pub async fn may(&self, user: &str, verb: &str, group: &str, resource: &str) -> Result<bool, String> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {
                "user": user, "groups": ["system:serviceaccounts", "system:authenticated"],
                "resourceAttributes": {"verb": verb, "group": group, "resource": resource},
            },
        });
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let answer = self.send(Method::POST, path, Some(&review), "application/json").await?;
        Ok(answer.is_some_and(|answer| answer["status"]["allowed"] == true))
    }

    async fn send(
        &self, method: Method, path: &str, body: Option<&Value>, kind: &str,
    ) -> Result<Option<Value>, String> {
        let request = Request::builder().method(&method).uri(path);
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        let bytes = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let request = request.body(bytes).map_err(|error| format!("{method} {path}: {error}"))?;
        match self.client.request(request).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(format!("{method} {path}: {error}")),
        }
    }
}

/// A field by its path with dots, as text; empty when it is not there.
pub fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    at(object, path).as_str().unwrap_or_default()
}

/// A field by its path with dots; null when it is not there.
pub fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(object, |inside, key| &inside[key])
}

/// The elements of a list; none when it is not there.
pub fn items<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    at(object, path).as_array().map_or(&[], Vec::as_slice)
}

/// The value of a label, whose name may have dots.
pub fn label<'a>(object: &'a Value, name: &str) -> &'a str {
    object["metadata"]["labels"][name].as_str().unwrap_or_default()
}

/// The value of an annotation.
pub fn annotation<'a>(object: &'a Value, name: &str) -> &'a str {
    object["metadata"]["annotations"][name].as_str().unwrap_or_default()
}

/// The name in its metadata.
pub fn name(object: &Value) -> &str {
    text(object, "metadata.name")
}

/// The namespace in its metadata.
pub fn namespace(object: &Value) -> &str {
    text(object, "metadata.namespace")
}

/// Its deletion has been asked for.
pub fn is_going(object: &Value) -> bool {
    !at(object, "metadata.deletionTimestamp").is_null()
}

/// A condition of the status is true.
pub fn condition(object: &Value, kind: &str) -> bool {
    items(object, "status.conditions").iter().any(|c| c["type"] == kind && c["status"] == "True")
}

/// All of `selector`'s labels are `object`'s; an empty selector selects nothing, as a Service's does.
pub fn selected(object: &Value, selector: &Value) -> bool {
    let Some(selector) = selector.as_object().filter(|selector| !selector.is_empty()) else { return false };
    selector.iter().all(|(key, value)| label(object, key) == value.as_str().unwrap_or_default())
}
