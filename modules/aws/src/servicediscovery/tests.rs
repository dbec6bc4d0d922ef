//! What the sandbox's Cloud Map answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn lab() -> (Lab, Value, Value) {
    let lab = Lab::new();
    let namespace = lab.make("servicediscovery.create_http_namespace", json!({ "name": "default" }));
    let service =
        lab.make("servicediscovery.create_service", json!({ "name": "redis", "namespace_id": namespace["id"] }));
    (lab, namespace, service)
}

fn instance(service: &Value, id: &str, cluster: &str) -> Value {
    json!({ "service_id": service["id"], "instance_id": id, "attributes": { "CLUSTER_ID": cluster } })
}

#[test]
fn a_namespace_is_pending_until_its_operation_succeeds() {
    let lab = Lab::new();
    let made = lab.call("servicediscovery.create_http_namespace", json!({ "name": "default" })).unwrap();
    assert_eq!(made["operation_status"], "PENDING");
    let operation = json!({ "operation_id": made["operation_id"] });
    assert_eq!(lab.call("servicediscovery.get_operation", operation.clone()).unwrap()["status"], "PENDING");
    lab.pass(10);
    assert_eq!(lab.call("servicediscovery.get_operation", operation).unwrap()["status"], "SUCCESS");
    let listed = lab.call("servicediscovery.list_namespaces", json!({})).unwrap()["namespaces"].take();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["type"], &listed[0]["id"]),
        (&json!("default"), &json!("HTTP"), &made["id"])
    );
    let second = lab.call("servicediscovery.create_http_namespace", json!({ "name": "default" })).unwrap_err();
    assert_eq!((second.class, second.code.as_str()), (Class::AlreadyExists, "NamespaceAlreadyExists"));
}

#[test]
fn a_private_dns_namespace_makes_a_zone_that_goes_with_it() {
    let lab = Lab::new();
    let (vpc, _) = lab.network(&[]);
    let made = lab.make("servicediscovery.create_private_dns_namespace", json!({ "name": "svc.internal", "vpc": vpc }));
    let zones = lab.call("route53.list_hosted_zones_by_name", json!({})).unwrap()["hosted_zones"].take();
    assert_eq!(zones[0]["name"], "svc.internal.");
    assert_eq!(zones[0]["id"], made["properties"]["dns_properties"]["hosted_zone_id"]);
    lab.delete("servicediscovery.private_dns_namespace", json!({ "name": "svc.internal", "id": made["id"] })).unwrap();
    assert_eq!(lab.call("route53.list_hosted_zones_by_name", json!({})).unwrap(), json!({ "hosted_zones": [] }));
}

#[test]
fn instances_are_discovered_by_name_and_attributes() {
    let (lab, _, service) = lab();
    lab.make("servicediscovery.register_instance", instance(&service, "i-1", "one"));
    lab.make("servicediscovery.register_instance", instance(&service, "i-2", "two"));
    let query =
        json!({ "namespace_name": "default", "service_name": "redis", "query_parameters": { "CLUSTER_ID": "two" } });
    let found = lab.call("servicediscovery.discover_instances", query).unwrap()["instances"].take();
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!((&found[0]["instance_id"], &found[0]["attributes"]["CLUSTER_ID"]), (&json!("i-2"), &json!("two")));
    let none = json!({ "namespace_name": "default", "service_name": "other" });
    assert_eq!(code(lab.call("servicediscovery.discover_instances", none)), "ServiceNotFound");
}

#[test]
fn what_is_not_empty_is_not_deleted() {
    let (lab, namespace, service) = lab();
    lab.make("servicediscovery.register_instance", instance(&service, "i-1", "one"));
    let error = lab.call("servicediscovery.delete_service", json!({ "id": service["id"] })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "ResourceInUse"));
    let error = lab.call("servicediscovery.delete_namespace", json!({ "id": namespace["id"] })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "ResourceInUse"));

    let instances = lab.call("servicediscovery.list_instances", json!({ "service_id": service["id"] })).unwrap();
    let gone = json!({ "service_id": service["id"], "instance_id": instances["instances"][0]["id"] });
    let answer = lab.call("servicediscovery.deregister_instance", gone).unwrap();
    lab.pass(10);
    let done = lab.call("servicediscovery.get_operation", json!({ "operation_id": answer["operation_id"] })).unwrap();
    assert_eq!(done["status"], "SUCCESS");
    lab.call("servicediscovery.delete_service", json!({ "id": service["id"] })).unwrap();
    lab.call("servicediscovery.delete_namespace", json!({ "id": namespace["id"] })).unwrap();
    lab.pass(10);
    assert_eq!(lab.call("servicediscovery.list_namespaces", json!({})).unwrap(), json!({ "namespaces": [] }));
    let none = lab.call("servicediscovery.list_services", json!({})).unwrap();
    assert_eq!(none, json!({ "services": [] }));
}

#[test]
fn a_second_service_of_the_same_name_is_refused() {
    let (lab, namespace, _) = lab();
    let again =
        lab.call("servicediscovery.create_service", json!({ "name": "redis", "namespace_id": namespace["id"] }));
    assert_eq!(code(again), "ServiceAlreadyExists");
    let nowhere = lab.call("servicediscovery.create_service", json!({ "name": "redis", "namespace_id": "ns-0" }));
    assert_eq!(code(nowhere), "NamespaceNotFound");
}
