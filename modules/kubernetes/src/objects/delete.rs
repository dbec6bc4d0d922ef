//! Deletes objects, only the very one that is meant, and puts back what stood there before.

use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    k8s::{
        finalizers,
        object::{bare, id_at},
        types::{Type, text},
    },
};
use serde_json::{Value, json};

use super::{
    api::{Api, path},
    apply::MANAGER,
    lift::lift,
    owners,
    patch::merge,
};
use crate::{client::Ask, error::is_unserved};

/// Deletes the object of a locator, and takes its finalizers off where a person has said so.
///
/// # Errors
/// `NotFound` when it is gone, also when another one bears its name.
pub async fn delete(api: Api<'_>, at: &Value) -> Result<(), CallError> {
    let kind = api.served(text(at, "kind"), version(at)).await?.ok_or_else(|| missing(at))?;
    remove(api, &kind, text(at, "namespace"), text(at, "name"), text(at, "uid")).await?;
    if finalizers::may_lift(at) { lift(api, &kind, at).await } else { Ok(()) }
}

/// Deletes an object by hand: the one that stands now. Answers `#{id, uid}`.
pub async fn by_hand(api: Api<'_>, input: &Value) -> Result<Value, CallError> {
    let kind = api.served(text(input, "kind"), version(input)).await?.ok_or_else(|| missing(input))?;
    let there =
        api.object(&kind, text(input, "namespace"), text(input, "name")).await?.ok_or_else(|| missing(input))?;
    let (namespace, uid) = (text(&there, "metadata.namespace"), text(&there, "metadata.uid"));
    remove(api, &kind, namespace, text(input, "name"), uid).await?;
    let at = json!({"api_version": kind.api_version, "kind": kind.kind, "namespace": namespace, "name": input["name"]});
    Ok(json!({"id": id_at(&at), "uid": uid}))
}

/// Deletes an object; what it owns is collected in the background, as by `kubectl delete`.
pub async fn remove(api: Api<'_>, kind: &Type, namespace: &str, name: &str, uid: &str) -> Result<(), CallError> {
    let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
    if !uid.is_empty() {
        options["preconditions"] = json!({"uid": uid});
    }
    let ask =
        Ask::with(Method::DELETE, path(kind, namespace, name)?, "application/json", options.to_string().into_bytes());
    match api.send(&ask).await {
        Ok(_) => Ok(()),
        Err(error) if error.code == "Conflict" && error.message.contains("UID in") => {
            Err(CallError::not_found("NotFound", format!("{} \"{name}\" is another one now", kind.kind)))
        }
        // Its definition is gone, and it went with it.
        Err(error) if is_unserved(&error) => {
            api.unlearn(kind).await?;
            Err(CallError::not_found("NotFound", error.message))
        }
        // A namespace that is on its way out already.
        Err(error) if error.code == "Conflict" && error.message.contains("purged") => Ok(()),
        Err(error) => Err(error),
    }
}

/// Puts back what stood there before: the fields that we set and those that we took away. What others have changed since stays.
pub async fn put_back(api: Api<'_>, at: &Value, before: &Value) -> Result<(), CallError> {
    let kind = api.served(text(at, "kind"), version(at)).await?.ok_or_else(|| missing(at))?;
    let before = bare(before.clone());
    let restored = |there: &Value| owners::put_back(there, &before, MANAGER);
    merge(api, &kind, at, &restored).await?.ok_or_else(|| missing(at)).map(|_| ())
}

fn version(at: &Value) -> Option<&str> {
    at.get("api_version").and_then(Value::as_str).filter(|version| !version.is_empty())
}

fn missing(at: &Value) -> CallError {
    CallError::new(Class::NotFound, "NotFound", format!("{} \"{}\" not found", text(at, "kind"), text(at, "name")))
}
