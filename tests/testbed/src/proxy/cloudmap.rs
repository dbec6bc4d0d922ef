//! Cloud Map: operations that take their time, creator request ids, and what moto lets pass that Cloud Map refuses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};

use super::{
    answer::Answer,
    emulator::{Incoming, Json},
    parse::{Call, Credential},
    pending::{self, Failure, What},
    shared::Shared,
};

#[derive(Debug, Clone)]
struct Operation {
    begun: Instant,
    due: Instant,
    failure: Option<Failure>,
    creator: String,
}

/// The operations: moto calls each done at once.
#[derive(Debug, Default)]
pub struct Operations {
    all: Mutex<BTreeMap<String, Operation>>,
    creating: tokio::sync::Mutex<()>,
}

impl Operations {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Operation>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The unfinished operation that a creator request id began.
    fn unfinished(&self, creator: &str) -> Option<String> {
        let now = Instant::now();
        let all = self.all();
        let mut open = all.iter().filter(|(_, operation)| operation.creator == creator && now < operation.due);
        open.next().map(|(id, _)| id.clone())
    }
}

/// Answers a request to Cloud Map.
pub(super) async fn answer(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let _one_by_one = match call.mutating {
        true => Some(shared.operations.creating.lock().await),
        false => None,
    };
    match call.operation.as_str() {
        "GetOperation" => operation(shared, shared.emulators.forward(incoming, call).await, call),
        "CreateHttpNamespace" | "CreatePrivateDnsNamespace" | "CreatePublicDnsNamespace" => {
            match existing_namespace(shared, call).await {
                Some(refused) => refused,
                None => begun(shared, shared.emulators.forward(incoming, call).await, call),
            }
        }
        "ListServices" => narrowed(shared, shared.emulators.forward(incoming, call).await, call).await,
        "CreateService" => match existing_service(shared, call).await {
            Some(refused) => refused,
            None => shared.emulators.forward(incoming, call).await,
        },
        "DeleteNamespace" => match of_namespace(shared, call).await.is_empty() {
            true => {
                let zone = zone_of(shared, call).await;
                let answer = shared.emulators.forward(incoming, call).await;
                if let Some(zone) = zone.filter(|_| answer.ok()) {
                    let path = format!("/2013-04-01/hostedzone/{zone}");
                    // It answers in XML; that there is nothing to read in it is no failure.
                    let _ = shared.emulators.json(&call.credential, "route53", Json::Delete(&path), &Value::Null).await;
                }
                begun(shared, answer, call)
            }
            false => in_use(call, "The namespace contains one or more services. Delete the services and try again."),
        },
        "DeleteService" => match of_service(shared, call).await.is_empty() {
            true => shared.emulators.forward(incoming, call).await,
            false => {
                in_use(call, "The service contains one or more instances. Deregister the instances and try again.")
            }
        },
        "RegisterInstance" => begun(shared, shared.emulators.forward(incoming, call).await, call),
        "DeregisterInstance" => {
            let there = of_service(shared, call).await;
            match there.iter().any(|instance| instance["Id"] == call.fields["InstanceId"]) {
                true => begun(shared, shared.emulators.forward(incoming, call).await, call),
                false => {
                    let text = format!("No instance with ID {} was found", call.text("InstanceId"));
                    Answer::error(call, 400, "InstanceNotFound", &text)
                }
            }
        }
        _ => shared.emulators.forward(incoming, call).await,
    }
}

fn in_use(call: &Call, text: &str) -> Answer {
    Answer::error(call, 400, "ResourceInUse", text)
}

fn begun(shared: &Arc<Shared>, answer: Answer, call: &Call) -> Answer {
    let id = answer.value()["OperationId"].as_str().map(str::to_owned);
    let Some(id) = id.filter(|_| answer.ok()) else { return answer };
    let due = pending::due(shared.pending.operation);
    let failure = shared.plans.take(What::Operation, &call.operation);
    if failure.is_some() && call.operation.ends_with("Namespace") {
        tokio::spawn(withdraw(Arc::clone(shared), call.credential.clone(), id.clone(), due));
    }
    let creator = call.text("CreatorRequestId").to_owned();
    shared.operations.all().insert(id, Operation { begun: Instant::now(), due, failure, creator });
    answer
}

/// Takes away the namespace of an operation that fails.
async fn withdraw(shared: Arc<Shared>, who: Credential, operation: String, due: Instant) {
    sleep_until(due).await;
    let found = ask(&shared, &who, "GetOperation", json!({ "OperationId": operation })).await;
    let id = found["Operation"]["Targets"]["NAMESPACE"].clone();
    ask(&shared, &who, "DeleteNamespace", json!({ "Id": id })).await;
}

fn operation(shared: &Shared, answer: Answer, call: &Call) -> Answer {
    let found = shared.operations.all().get(call.text("OperationId")).cloned();
    let Some(known) = found.filter(|_| answer.ok()) else { return answer };
    let mut value = answer.value();
    let now = Instant::now();
    if now < known.due {
        let half = known.begun + (known.due - known.begun) / 2;
        value["Operation"]["Status"] = if now < half { "SUBMITTED" } else { "PENDING" }.into();
    } else if let Some(failure) = known.failure {
        value["Operation"]["Status"] = "FAIL".into();
        value["Operation"]["ErrorCode"] = failure.code.into();
        value["Operation"]["ErrorMessage"] = failure.message.into();
    }
    answer.with_value(&value)
}

async fn ask(shared: &Shared, who: &Credential, operation: &str, fields: Value) -> Value {
    let target = format!("Route53AutoNaming_v20170314.{operation}");
    shared.emulators.json(who, "servicediscovery", Json::Target(&target), &fields).await.unwrap_or_default()
}

async fn existing_namespace(shared: &Shared, call: &Call) -> Option<Answer> {
    let who = &call.credential;
    let all = ask(shared, who, "ListNamespaces", json!({})).await;
    let same = all["Namespaces"].as_array()?.iter().find(|one| one["Name"] == call.fields["Name"])?.clone();
    let creator = call.text("CreatorRequestId");
    if let Some(operation) = shared.operations.unfinished(creator).filter(|_| !creator.is_empty()) {
        let fields = Map::from_iter([("DuplicateOperationId".to_owned(), operation.into())]);
        let text = "Another operation with the same creator request ID is in progress.";
        return Some(Answer::error_with(call, 400, "DuplicateRequest", text, fields));
    }
    let found = ask(shared, who, "GetNamespace", json!({ "Id": same["Id"] })).await;
    let fields = Map::from_iter([
        ("NamespaceId".to_owned(), same["Id"].clone()),
        ("CreatorRequestId".to_owned(), found["Namespace"]["CreatorRequestId"].clone()),
    ]);
    let text = format!("The namespace {} already exists.", call.text("Name"));
    Some(Answer::error_with(call, 400, "NamespaceAlreadyExists", &text, fields))
}

async fn existing_service(shared: &Shared, call: &Call) -> Option<Answer> {
    let all = services(shared, &call.credential, call.text("NamespaceId")).await;
    let same = all.into_iter().find(|one| one["Name"] == call.fields["Name"])?;
    let found = ask(shared, &call.credential, "GetService", json!({ "Id": same["Id"] })).await;
    let fields = Map::from_iter([
        ("ServiceId".to_owned(), same["Id"].clone()),
        ("ServiceArn".to_owned(), same["Arn"].clone()),
        ("CreatorRequestId".to_owned(), found["Service"]["CreatorRequestId"].clone()),
    ]);
    let text = format!("The service {} already exists.", call.text("Name"));
    Some(Answer::error_with(call, 400, "ServiceAlreadyExists", &text, fields))
}

async fn of_namespace(shared: &Shared, call: &Call) -> Vec<Value> {
    services(shared, &call.credential, call.text("Id")).await
}

/// The hosted zone that goes with a namespace for DNS. moto leaves it.
async fn zone_of(shared: &Shared, call: &Call) -> Option<String> {
    let found = ask(shared, &call.credential, "GetNamespace", json!({ "Id": call.text("Id") })).await;
    let zone = found["Namespace"]["Properties"]["DnsProperties"]["HostedZoneId"].as_str()?;
    Some(zone.trim_start_matches("/hostedzone/").to_owned())
}

/// The services of a namespace. moto lists those of all namespaces, whatever the filter.
async fn services(shared: &Shared, who: &Credential, namespace: &str) -> Vec<Value> {
    let all = ask(shared, who, "ListServices", json!({})).await;
    let mut own = Vec::new();
    for service in all["Services"].as_array().into_iter().flatten() {
        let found = ask(shared, who, "GetService", json!({ "Id": service["Id"] })).await;
        if found["Service"]["NamespaceId"] == namespace {
            own.push(service.clone());
        }
    }
    own
}

/// A list of services by the filter that it was asked with.
async fn narrowed(shared: &Shared, answer: Answer, call: &Call) -> Answer {
    let filters = call.fields["Filters"].as_array().into_iter().flatten();
    let namespace =
        filters.filter(|filter| filter["Name"] == "NAMESPACE_ID").find_map(|filter| filter["Values"][0].as_str());
    let Some(namespace) = namespace.filter(|_| answer.ok()) else { return answer };
    let mut value = answer.value();
    value["Services"] = services(shared, &call.credential, namespace).await.into();
    answer.with_value(&value)
}

async fn of_service(shared: &Shared, call: &Call) -> Vec<Value> {
    let id = if call.operation == "DeleteService" { call.text("Id") } else { call.text("ServiceId") };
    let found = ask(shared, &call.credential, "ListInstances", json!({ "ServiceId": id })).await;
    found["Instances"].as_array().cloned().unwrap_or_default()
}
