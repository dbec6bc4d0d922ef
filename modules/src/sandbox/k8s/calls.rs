//! The operations on objects and pods, in the sandbox.

use serde_json::{Value, json};

use super::{
    super::{
        answers::{self, Answered, Asked},
        sim::SimCall,
        simple::merge,
        world::{Object, World},
    },
    OBJECT, apply, delete as deletion, endpoints, of_kind, one, pods, region,
    sim::named,
    status::describe,
};
use crate::{
    error::CallError,
    k8s::{
        operations::wait_answer,
        types::{self, selected, text},
    },
};

/// `k8s.get`.
pub fn get(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    let found = named(world, cluster, call.input, call.now_ms);
    if let Some(found) = found {
        return Ok(describe(world, cluster, found, call.now_ms));
    }
    let asked = (namespace(call), call.text("name"));
    let computed = endpoints::all(world, cluster, call.text("kind"), call.now_ms);
    let named = |o: &Value| (text(o, "metadata.namespace"), text(o, "metadata.name")) == asked;
    Ok(computed.into_iter().find(named).unwrap_or_default())
}

/// `k8s.list`.
pub fn list(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    region(world, cluster, call.now_ms)?;
    let api = call.input.get("api_version").and_then(Value::as_str);
    let kind = apply::known(world, cluster, call.text("kind"), api, call.now_ms)?;
    let fits = |object: &Value| {
        text(object, "apiVersion") == kind.api_version
            && (call.text("namespace").is_empty() || call.text("namespace") == text(object, "metadata.namespace"))
            && selected(call.text("label_selector"), &object["metadata"]["labels"])
    };
    let stored = of_kind(world, cluster, &kind.kind, call.now_ms).filter(|o| o.exists(call.now_ms) && fits(&o.body));
    let stored = stored.map(|object| describe(world, cluster, object, call.now_ms));
    let computed = endpoints::all(world, cluster, &kind.kind, call.now_ms).into_iter().filter(fits);
    Ok(stored.chain(computed).collect())
}

/// `k8s.wait`.
pub fn wait(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    let object =
        named(world, cluster, call.input, call.now_ms).map(|object| describe(world, cluster, object, call.now_ms));
    let what = match call.text("for") {
        "" => "ready",
        what => what,
    };
    Ok(wait_answer(what, &format!("{} {}", call.text("kind"), call.text("name")), object.as_ref()))
}

/// `k8s.delete`.
pub fn delete(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    let missing =
        || CallError::not_found("NotFound", format!("{} \"{}\" not found", call.text("kind"), call.text("name")));
    let found = named(world, cluster, call.input, call.now_ms).ok_or_else(missing)?;
    let (id, uid) = (found.id.clone(), found.body["metadata"]["uid"].clone());
    deletion::delete(world, cluster, &id, call.now_ms)?;
    Ok(json!({"id": id, "uid": uid}))
}

fn namespace<'a>(call: &SimCall<'a>) -> &'a str {
    match call.input.get("namespace").and_then(Value::as_str) {
        None | Some("") => "default",
        Some(namespace) => namespace,
    }
}

/// The pod's container that a call means.
fn container(pod: &Object, asked: &str) -> Result<String, CallError> {
    let containers = pod.body["spec"]["containers"].as_array().into_iter().flatten();
    let names: Vec<&str> = containers.map(|container| text(container, "name")).collect();
    match (asked, names.as_slice()) {
        ("", [first, ..]) => Ok((*first).to_owned()),
        (asked, names) if names.contains(&asked) => Ok(asked.to_owned()),
        (asked, names) => {
            let text = format!("container {asked} is not valid for pod {}", text(&pod.body, "metadata.name"));
            Err(CallError::refused("BadRequest", text).hint(format!("its containers: {}", names.join(", "))))
        }
    }
}

/// `k8s.exec`.
pub fn exec(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    let name = call.text("pod");
    region(world, cluster, call.now_ms)?;
    let id = pods::pod_id(namespace(call), name);
    let pod = world
        .get(OBJECT, cluster, &id, call.now_ms)
        .ok_or_else(|| CallError::refused("NotFound", format!("pods \"{name}\" not found")))?;
    let container = container(pod, call.text("container"))?;
    if pod.state(call.now_ms) != "Running" {
        let text = format!("container {container} of pod {name} is not running: {}", pod.state(call.now_ms));
        return Err(CallError::refused("ContainerNotRunning", text));
    }
    let since = pods::running_at(pod).unwrap_or(call.now_ms);
    let asked = Asked::new("k8s.exec", cluster, call, since)
        .with("namespace", namespace(call))
        .with("pod", name)
        .with("container", &container)
        .with("command", &command(call));
    let Answered { answer, adds } = answers::answered(world, &asked)?;
    if !adds.is_null() {
        world.change(OBJECT, cluster, &id, |pod| merge(&mut pod.body, adds));
    }
    Ok(answer)
}

/// `k8s.run_pod`.
pub fn run_pod(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    region(world, cluster, call.now_ms)?;
    let namespace = namespace(call);
    if one(world, cluster, "Namespace", "", namespace, call.now_ms).is_none() {
        return Err(CallError::refused("NotFound", format!("namespaces \"{namespace}\" not found")));
    }
    let pod = json!({
        "metadata": {"namespace": namespace},
        "spec": {"containers": [{"env": call.input["env"]}], "serviceAccountName": call.text("service_account")},
    });
    if let Some(missing) = pods::missing(world, cluster, &pod, call.now_ms) {
        return Err(CallError::refused(
            "CreateContainerConfigError",
            format!("pod {} cannot start: {missing}", call.text("name")),
        ));
    }
    if of_kind(world, cluster, "Node", call.now_ms).all(|node| node.state(call.now_ms) != "Ready") {
        return Err(CallError::refused(
            "Unschedulable",
            format!("pod {} cannot start: no node is ready", call.text("name")),
        ));
    }
    let since = world.get(super::CLUSTER, cluster, cluster, call.now_ms).and_then(|c| Some(c.states.first()?.0));
    let asked = Asked::new("k8s.run_pod", cluster, call, since.unwrap_or(call.now_ms))
        .with("namespace", namespace)
        .with("name", call.text("name"))
        .with("pod", call.text("name"))
        .with("image", call.text("image"))
        .with("command", &command(call));
    answers::run(world, &asked)
}

/// `k8s.logs`.
pub fn logs(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    region(world, cluster, call.now_ms)?;
    let kind = match call.text("kind") {
        "" => "Pod",
        kind => kind,
    };
    let name = call.text("name");
    let at =
        json!({"kind": kind, "api_version": call.input["api_version"], "namespace": namespace(call), "name": name});
    let missing = || CallError::refused("NotFound", format!("{kind} \"{name}\" not found"));
    let object = named(world, cluster, &at, call.now_ms).ok_or_else(missing)?;
    let running = |pod: &&Object| matches!(pod.state(call.now_ms), "Running" | "Succeeded");
    let pod = match kind {
        "Pod" => Some(object).filter(running),
        _ => pods::pods_of(world, cluster, object, call.now_ms).find(running),
    };
    let pod =
        pod.ok_or_else(|| CallError::refused("ContainerNotRunning", format!("no pod of {kind} {name} is running")))?;
    let container = container(pod, call.text("container"))?;
    let since = pods::running_at(pod).unwrap_or(call.now_ms);
    let asked = Asked::new("k8s.logs", cluster, call, since)
        .with("namespace", namespace(call))
        .with("kind", kind)
        .with("name", name)
        .with("pod", text(&pod.body, "metadata.name"))
        .with("container", &container);
    let log = answers::text(world, &asked)?;
    let tail = types::number(call.input, "tail").and_then(|tail| usize::try_from(tail).ok()).unwrap_or(usize::MAX);
    let lines: Vec<&str> = log.lines().collect();
    Ok(lines[lines.len().saturating_sub(tail)..].join("\n").into())
}

fn command(call: &SimCall<'_>) -> String {
    let words = call.input["command"].as_array().into_iter().flatten();
    words.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}
