//! `k8s.patch`: some fields of an object that stands.
//!
//! The patch is merged here, by the same rules as in the sandbox, and what it changes is sent as a merge patch that holds only for the
//! version of the object that was read: so a list is never half of one writer and half of another.

use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    k8s::{
        patch::{reverse, strategic},
        types::{self, Type, text},
    },
};
use serde_json::{Map, Value, json};

use super::{
    api::{Api, path},
    apply::MANAGER,
};
use crate::client::Ask;

/// How often an object is read again when somebody was faster.
const TRIES: u32 = 6;

/// Changes fields; gives the description.
pub async fn patch(api: Api<'_>, input: &Value) -> Result<Value, CallError> {
    let api_version = input.get("api_version").and_then(Value::as_str).filter(|version| !version.is_empty());
    let kind = api.known(text(input, "kind"), api_version).await?;
    let changed = merge(api, &kind, input, &|there| merged(there, &input["patch"])).await?;
    let changed = changed.ok_or_else(|| {
        CallError::refused("NotFound", format!("{} \"{}\" not found", text(input, "kind"), text(input, "name")))
    })?;
    Ok(description(&changed, &kind, input))
}

/// Puts fields back to what they were.
pub async fn patch_back(api: Api<'_>, at: &Value, before: &Value) -> Result<(), CallError> {
    let missing =
        || CallError::not_found("NotFound", format!("{} \"{}\" not found", text(at, "kind"), text(at, "name")));
    let kind = kind(api, at).await?.ok_or_else(missing)?;
    merge(api, &kind, at, &|there| merged(there, &before["patch"])).await?.ok_or_else(missing).map(|_| ())
}

/// What the fields of a patch are now; None when the object does not exist.
pub async fn read(api: Api<'_>, at: &Value) -> Result<Option<Value>, CallError> {
    let Some(kind) = kind(api, at).await? else { return Ok(None) };
    let found = api.object(&kind, text(at, "namespace"), text(at, "name")).await?;
    Ok(found.map(|there| description(&there, &kind, at)))
}

fn merged(there: &Value, with: &Value) -> Value {
    let mut wanted = there.clone();
    strategic(&mut wanted, with);
    wanted
}

/// Makes what stands into what is wanted of it; None when it does not exist. Only the difference is sent, and nothing when there is
/// none. When the object has changed since it was read, the server refuses, and it is read again.
pub async fn merge(
    api: Api<'_>, kind: &Type, at: &Value, wanted: &(dyn Fn(&Value) -> Value + Sync),
) -> Result<Option<Value>, CallError> {
    let (namespace, name, uid) = (text(at, "namespace"), text(at, "name"), text(at, "uid"));
    let path = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict", path(kind, namespace, name)?);
    let mut tries = 0;
    loop {
        let there = api.object(kind, namespace, name).await?;
        let there = there.filter(|there| uid.is_empty() || uid == text(there, "metadata.uid"));
        let Some(there) = there else { return Ok(None) };
        let Some(mut change) = difference(&there, &wanted(&there)) else { return Ok(Some(there)) };
        change["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
        let body = change.to_string().into_bytes();
        let answer = api.send(&Ask::with(Method::PATCH, path.as_str(), "application/merge-patch+json", body)).await;
        tries += 1;
        match answer {
            Err(error) if error.class == Class::NotYet && error.code == "Conflict" && tries < TRIES => {}
            answer => return answer.map(Some),
        }
    }
}

/// The merge patch (RFC 7386) that makes one value out of another; None when they are equal.
pub fn difference(from: &Value, to: &Value) -> Option<Value> {
    match (from, to) {
        (from, to) if from == to => None,
        (Value::Object(from), Value::Object(to)) => {
            let mut patch: Map<String, Value> =
                from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Value::Null)).collect();
            for (name, to) in to {
                if let Some(change) = difference(from.get(name).unwrap_or(&Value::Null), to) {
                    patch.insert(name.clone(), change);
                }
            }
            Some(Value::Object(patch))
        }
        (_, to) => Some(to.clone()),
    }
}

async fn kind(api: Api<'_>, at: &Value) -> Result<Option<Type>, CallError> {
    let api_version = at.get("api_version").and_then(Value::as_str).filter(|version| !version.is_empty());
    api.served(text(at, "kind"), api_version).await
}

fn description(there: &Value, kind: &Type, asked: &Value) -> Value {
    let (namespace, name) = (text(there, "metadata.namespace"), text(there, "metadata.name"));
    json!({
        "id": types::id(&kind.api_version, &kind.kind, namespace, name), "kind": asked["kind"],
        "api_version": kind.api_version, "name": asked["name"], "namespace": asked["namespace"],
        "patch": reverse(there, &asked["patch"]), "tags": {},
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::difference;

    #[test]
    fn a_difference_holds_only_what_changes() {
        let from = json!({"data": {"a": "1", "b": "2"}, "list": [1, 2], "same": {"x": 1}});
        let to = json!({"data": {"a": "1", "c": "3"}, "list": [1], "same": {"x": 1}});
        let wanted = json!({"data": {"b": null, "c": "3"}, "list": [1]});
        assert_eq!(difference(&from, &to), Some(wanted));
        assert_eq!(difference(&from, &from), None);
    }

    #[test]
    fn a_new_map_is_sent_whole() {
        assert_eq!(difference(&json!({}), &json!({"labels": {"a": "b"}})), Some(json!({"labels": {"a": "b"}})));
    }
}
