//! `k8s.object`: server-side apply under the field manager `runbook`. Fields of other managers are never taken by force.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/server-side-apply/>.

use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    k8s::{
        object::owned,
        types::{Type, text},
    },
    target::Request,
};
use serde_json::Value;

use super::{
    api::{Api, path},
    describe::{describe, is_deleting},
};
use crate::{
    client::Ask,
    error::{is_unserved, refused_if_missing},
    target::revealed,
};

/// Whose name the API server keeps with the fields that we set.
pub const MANAGER: &str = "runbook";

/// Applies an object; gives its description.
pub async fn apply(api: Api<'_>, request: &Request<'_>) -> Result<Value, CallError> {
    let input = revealed(request.host, request.input)?;
    let known = api.known(text(&input, "kind"), Some(text(&input, "apiVersion"))).await;
    let kind = known.inspect_err(|error| {
        if error.class == Class::NotYet {
            request.host.progress(&format!("the API server to serve {}", text(request.input, "kind")));
        }
    })?;
    let mut object = owned(input, request.tags);
    let namespace = scope(&kind, text(&object, "metadata.namespace"))?.to_owned();
    if kind.namespaced {
        object["metadata"]["namespace"] = namespace.as_str().into();
    }
    let path = path(&kind, &namespace, text(&object, "metadata.name"))?;
    let path = format!("{path}?fieldManager={MANAGER}&fieldValidation=Strict");
    let ask = Ask::with(Method::PATCH, path, "application/apply-patch+yaml", object.to_string().into_bytes());
    let applied = match api.send(&ask).await {
        Err(error) if is_unserved(&error) => {
            api.unlearn(&kind).await?;
            return Err(error);
        }
        answer => answer.map_err(refused_if_missing)?,
    };
    if is_deleting(&applied) {
        let (plural, name) = (&kind.plural, text(&applied, "metadata.name"));
        let message = format!("object is being deleted: {plural} \"{name}\" already exists");
        return Err(CallError::new(Class::NotYet, "AlreadyExists", message));
    }
    Ok(describe(applied, &kind))
}

/// The namespace that an object goes to; empty for a kind without.
fn scope<'a>(kind: &Type, namespace: &'a str) -> Result<&'a str, CallError> {
    match (kind.namespaced, namespace) {
        (true, "") => Ok("default"),
        (true, namespace) => Ok(namespace),
        (false, "") => Ok(""),
        (false, namespace) => {
            Err(CallError::refused("Invalid", format!("{} has no namespace, but `{namespace}` is given", kind.kind)))
        }
    }
}
