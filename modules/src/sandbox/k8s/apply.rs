//! What the API server checks and does when an object is applied or patched.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    super::{
        balancers,
        simple::{merge, set},
        world::{Object, World},
    },
    OBJECT, Unknown, custom, digest, lookup, region, settle, stamp, volumes,
};
use crate::{
    error::{CallError, Class},
    k8s::{
        patch,
        types::{self, Type, builtin_kinds, text},
    },
};

/// Until a definition is established.
const ESTABLISHING_MS: i64 = 1_500;
/// Until a claim is bound to a volume.
const BINDING_MS: i64 = 3_000;
/// Until a Service has its load balancer.
const BALANCER_MS: i64 = 60_000;

/// Applies an object; gives its id.
///
/// # Errors
/// What the API server would refuse.
pub fn apply(
    world: &mut World, cluster: &str, manifest: &Value, tags: &BTreeMap<String, String>, token: &str, now_ms: i64,
) -> Result<String, CallError> {
    region(world, cluster, now_ms)?;
    let kind = known(world, cluster, text(manifest, "kind"), Some(text(manifest, "apiVersion")), now_ms)?;
    let namespace = scope(world, cluster, &kind, text(manifest, "metadata.namespace"), now_ms)?;
    let name = text(manifest, "metadata.name");
    let id = types::id(&kind.api_version, &kind.kind, &namespace, name);
    let Some(there) = world.get(OBJECT, cluster, &id, now_ms).cloned() else {
        if matches!(kind.kind.as_str(), "Service" | "Ingress") && balancers::refuses(world, cluster, now_ms) {
            let text =
                "failed calling webhook: no endpoints available for service \"aws-load-balancer-webhook-service\"";
            return Err(CallError::refused("InternalError", text)
                .hint("wait until the AWS Load Balancer Controller's webhook has endpoints"));
        }
        let mut object = manifest.clone();
        if kind.namespaced {
            set(&mut object, "metadata.namespace", Value::from(namespace));
        }
        put(world, cluster, object, tags, token, now_ms);
        settle::settle(world, cluster, now_ms);
        return Ok(id);
    };
    if there.gone_at.is_some() || !text(&there.body, "metadata.deletionTimestamp").is_empty() {
        let text = format!("object is being deleted: {} \"{name}\" already exists", kind.plural);
        return Err(CallError::new(Class::NotYet, "AlreadyExists", text));
    }
    immutable(&there.body, manifest, &kind)?;
    let mut body = there.body.clone();
    let mut change = manifest.clone();
    for field in previous_fields(&there.input, manifest) {
        set(&mut change, &field, Value::Null);
    }
    patch::strategic(&mut body, &change);
    update(world, cluster, &id, body, now_ms);
    world.change(OBJECT, cluster, &id, |object| {
        object.input = manifest.clone();
        object.tags = tags.clone();
        object.token = token.to_owned();
    });
    Ok(id)
}

/// Puts a new body in an object's place, as an update does.
pub fn update(world: &mut World, cluster: &str, id: &str, mut body: Value, now_ms: i64) {
    let Some(there) = world.get(OBJECT, cluster, id, now_ms) else { return };
    if there.body != body {
        let respecified = there.body.get("spec") != body.get("spec");
        world.serial += 1;
        let generation = body["metadata"]["generation"].as_i64().unwrap_or(1) + i64::from(respecified);
        set(&mut body, "metadata.generation", generation.into());
        set(&mut body, "metadata.resourceVersion", world.serial.to_string().into());
        world.change(OBJECT, cluster, id, |object| object.body = body);
        volumes::offer(world, cluster, now_ms);
    }
    settle::settle(world, cluster, now_ms);
}

/// Puts a new object down without any check, with what the API server and its controllers add; gives its id.
pub fn put(
    world: &mut World, cluster: &str, mut object: Value, tags: &BTreeMap<String, String>, token: &str, now_ms: i64,
) -> String {
    let input = object.clone();
    balancers::admit(world, cluster, &mut object, now_ms);
    let [api, kind, namespace, name] =
        ["apiVersion", "kind", "metadata.namespace", "metadata.name"].map(|path| text(&object, path).to_owned());
    let id = types::id(&api, &kind, &namespace, &name);
    stamp(world, &mut object, cluster, now_ms);
    let mut states = vec![(now_ms, String::new())];
    let mut then = |first: &str, after: i64, last: &str| {
        states = vec![(now_ms, first.to_owned()), (now_ms + after, last.to_owned())];
    };
    match kind.as_str() {
        "CustomResourceDefinition" => then("Establishing", ESTABLISHING_MS, "Established"),
        "PersistentVolumeClaim" => then("Pending", BINDING_MS, "Bound"),
        "Service" => {
            if text(&object, "spec.clusterIP").is_empty() && text(&object, "spec.type") != "ExternalName" {
                let hash = digest(&[cluster, &namespace, &name]);
                set(
                    &mut object,
                    "spec.clusterIP",
                    format!("172.20.{}.{}", 16 + hash[0] % 200, 1 + hash[1] % 250).into(),
                );
            }
            if text(&object, "spec.type").is_empty() {
                set(&mut object, "spec.type", "ClusterIP".into());
            }
            if text(&object, "spec.type") == "LoadBalancer" && !balancers::handled(&object) {
                then("Pending", BALANCER_MS, "Ready");
            }
        }
        "Deployment" | "StatefulSet" if object["spec"]["replicas"].is_null() => {
            set(&mut object, "spec.replicas", 1.into())
        }
        "Namespace" => {
            let mut labels = json!({"kubernetes.io/metadata.name": name});
            merge(&mut labels, object["metadata"]["labels"].take());
            set(&mut object, "metadata.labels", labels);
        }
        _ if custom::known(&object) => then("Pending", custom::ANSWERING_MS, "Ready"),
        _ => {}
    }
    world.put(Object {
        kind: OBJECT.to_owned(),
        place: cluster.to_owned(),
        id: id.clone(),
        body: object,
        tags: tags.clone(),
        token: token.to_owned(),
        input,
        refs: Vec::new(),
        owner: None,
        states,
        gone_at: None,
    });
    match kind.as_str() {
        "PersistentVolumeClaim" => settle::provision(world, cluster, &id, now_ms),
        "PersistentVolume" => volumes::offer(world, cluster, now_ms),
        "Service" => settle::balance(world, cluster, &id, now_ms),
        _ => {}
    }
    id
}

/// The kind as the cluster knows it.
///
/// # Errors
/// "no matches for kind", or not established yet.
pub fn known(
    world: &World, cluster: &str, kind: &str, api_version: Option<&str>, now_ms: i64,
) -> Result<Type, CallError> {
    lookup(world, cluster, kind, api_version, now_ms).map_err(|unknown| {
        let version = api_version.map(|version| format!(" in version \"{version}\"")).unwrap_or_default();
        let text = format!("no matches for kind \"{kind}\"{version}");
        match unknown {
            Unknown::NotYet => {
                CallError::new(Class::NotYet, "NoKindMatch", text).hint("its definition is not established yet")
            }
            Unknown::Never => {
                let error = CallError::refused("NoKindMatch", text);
                match crate::input::nearest(kind, builtin_kinds()).first() {
                    Some(near) if near != kind => error.hint(format!("did you mean `{near}`?")),
                    _ => error.hint("apply its CustomResourceDefinition first"),
                }
            }
        }
    })
}

fn scope(world: &World, cluster: &str, kind: &Type, namespace: &str, now_ms: i64) -> Result<String, CallError> {
    if !kind.namespaced {
        if !namespace.is_empty() {
            return Err(CallError::refused(
                "Invalid",
                format!("{} has no namespace, but `{namespace}` is given", kind.kind),
            ));
        }
        return Ok(String::new());
    }
    let namespace = if namespace.is_empty() { "default" } else { namespace };
    let Some(found) = world.get(OBJECT, cluster, &types::id("v1", "Namespace", "", namespace), now_ms) else {
        return Err(CallError::refused("NotFound", format!("namespaces \"{namespace}\" not found")));
    };
    if found.gone_at.is_some() || !text(&found.body, "metadata.deletionTimestamp").is_empty() {
        let text = format!("unable to create new content in namespace {namespace} because it is being terminated");
        return Err(CallError::refused("Forbidden", text));
    }
    Ok(namespace.to_owned())
}

fn immutable(there: &Value, manifest: &Value, kind: &Type) -> Result<(), CallError> {
    let fields: &[&str] = match kind.kind.as_str() {
        "Deployment" | "DaemonSet" => &["spec.selector"],
        "StatefulSet" => &["spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"],
        "Job" => &["spec.selector", "spec.template"],
        "StorageClass" => &["provisioner", "parameters", "volumeBindingMode"],
        "RoleBinding" | "ClusterRoleBinding" => &["roleRef"],
        _ => &[],
    };
    let get = |value: &Value, path: &str| path.split('.').try_fold(value, |v, name| v.get(name)).cloned();
    for field in fields {
        if let (Some(has), Some(asked)) = (get(there, field), get(manifest, field))
            && has != asked
        {
            let name = text(manifest, "metadata.name");
            return Err(CallError::refused(
                "Invalid",
                format!("{} \"{name}\" is invalid: {field}: field is immutable", kind.kind),
            ));
        }
    }
    Ok(())
}

/// The fields that the last apply set and this one does not: server-side apply takes them away.
fn previous_fields(last: &Value, now: &Value) -> Vec<String> {
    fn walk(path: &str, last: &Map<String, Value>, now: &Map<String, Value>, gone: &mut Vec<String>) {
        for (name, value) in last {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match (value, now.get(name)) {
                (_, None) if !name.contains('.') => gone.push(path),
                (Value::Object(last), Some(Value::Object(now))) if !name.contains('.') => walk(&path, last, now, gone),
                _ => {}
            }
        }
    }
    let mut gone = Vec::new();
    if let (Value::Object(last), Value::Object(now)) = (last, now) {
        walk("", last, now, &mut gone);
    }
    gone.retain(|path| path != "metadata.namespace");
    gone
}
