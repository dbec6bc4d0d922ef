//! Cloud Map instances, and finding them.

use serde_json::{Value, json};

use super::namespaces::{done, http, private};
use crate::conformance::{
    case::{Case, Other, holds, is, list},
    lab::Lab,
};

/// A service of an HTTP namespace: its id.
fn service(lab: &Lab) -> Result<Value, Other> {
    let input = json!({ "name": "api", "namespace_id": http(lab)? });
    Ok(lab.make("servicediscovery.create_service", input)?["id"].clone())
}

fn instance(service: &Value, name: &str, zone: &str) -> Value {
    let attributes = json!({ "AWS_INSTANCE_IPV4": "10.0.0.1", "zone": zone });
    json!({ "service_id": service, "instance_id": name, "attributes": attributes })
}

fn at(service: &Value, name: &str) -> Value {
    json!({ "service_id": service, "instance_id": name })
}

/// What clients find.
fn discovered(lab: &Lab, parameters: Value) -> Result<Value, Other> {
    let input = json!({ "namespace_name": lab.name("web"), "service_name": "api", "query_parameters": parameters });
    lab.call("servicediscovery.discover_instances", input).ok()
}

pub const CASES: &[Case] = &[
    Case {
        name: "an instance is described as it was registered",
        aws: "its attributes; listed",
        page: "cloudmap/RegisterInstance",
        run: |lab| {
            let service = service(lab)?;
            let made = lab.make("servicediscovery.register_instance", instance(&service, "one", "a"))?;
            is(&made, "attributes.AWS_INSTANCE_IPV4", "10.0.0.1")?;
            let found = lab.call("servicediscovery.list_instances", json!({ "service_id": service })).ok()?;
            is(&found, "instances.0.id", "one")?;
            is(&found, "instances.0.attributes.zone", "a")
        },
    },
    Case {
        name: "an instance is registered again with other attributes",
        aws: "they replace the first",
        page: "cloudmap/RegisterInstance",
        run: |lab| {
            let service = service(lab)?;
            lab.make("servicediscovery.register_instance", instance(&service, "one", "a"))?;
            lab.make("servicediscovery.register_instance", instance(&service, "one", "b"))?;
            let found = lab.call("servicediscovery.list_instances", json!({ "service_id": service })).ok()?;
            holds(list(&found, "instances").len() == 1, "registered twice")?;
            is(&found, "instances.0.attributes.zone", "b")
        },
    },
    Case {
        name: "an instance of a service that does not exist",
        aws: "`ServiceNotFound`",
        page: "cloudmap/RegisterInstance",
        run: |lab| {
            let input = instance(&"srv-0123456789abcdef".into(), "one", "a");
            lab.call("servicediscovery.register_instance", input).refused(&["ServiceNotFound"])
        },
    },
    Case {
        name: "an instance without address for a service with A records",
        aws: "`InvalidInput`: it needs AWS_INSTANCE_IPV4",
        page: "cloudmap/RegisterInstance",
        run: |lab| {
            let dns = json!({ "dns_records": [{ "type": "A", "ttl": 10 }] });
            let input = json!({ "name": "api", "namespace_id": private(lab)?["id"], "dns_config": dns });
            let service = lab.make("servicediscovery.create_service", input)?["id"].clone();
            let input = json!({ "service_id": service, "instance_id": "one", "attributes": { "zone": "a" } });
            lab.call("servicediscovery.register_instance", input).refused(&["InvalidInput"])
        },
    },
    Case {
        name: "instances are found by names",
        aws: "with their attributes, and the names of namespace and service",
        page: "cloudmap/DiscoverInstances",
        run: |lab| {
            lab.make("servicediscovery.register_instance", instance(&service(lab)?, "one", "a"))?;
            let found = discovered(lab, json!({}))?;
            is(&found, "instances.0.instance_id", "one")?;
            is(&found, "instances.0.namespace_name", lab.name("web"))?;
            is(&found, "instances.0.service_name", "api")?;
            is(&found, "instances.0.attributes.AWS_INSTANCE_IPV4", "10.0.0.1")
        },
    },
    Case {
        name: "instances are found by an attribute",
        aws: "those that have it",
        page: "cloudmap/DiscoverInstances",
        run: |lab| {
            let service = service(lab)?;
            lab.make("servicediscovery.register_instance", instance(&service, "one", "a"))?;
            lab.make("servicediscovery.register_instance", instance(&service, "two", "b"))?;
            let found = discovered(lab, json!({ "zone": "b" }))?;
            holds(list(&found, "instances").len() == 1, "finds others")?;
            is(&found, "instances.0.instance_id", "two")
        },
    },
    Case {
        name: "instances are looked for in a namespace that does not exist",
        aws: "`NamespaceNotFound`",
        page: "cloudmap/DiscoverInstances",
        run: |lab| {
            let input = json!({ "namespace_name": lab.name("web"), "service_name": "api" });
            lab.call("servicediscovery.discover_instances", input).refused(&["NamespaceNotFound"])
        },
    },
    Case {
        name: "instances are looked for of a service that does not exist",
        aws: "`ServiceNotFound`",
        page: "cloudmap/DiscoverInstances",
        run: |lab| {
            http(lab)?;
            let input = json!({ "namespace_name": lab.name("web"), "service_name": "api" });
            lab.call("servicediscovery.discover_instances", input).refused(&["ServiceNotFound"])
        },
    },
    Case {
        name: "an instance is deregistered",
        aws: "gone in the end, and found no more",
        page: "cloudmap/DeregisterInstance",
        run: |lab| {
            let service = service(lab)?;
            lab.make("servicediscovery.register_instance", instance(&service, "one", "a"))?;
            lab.delete("servicediscovery.instance", at(&service, "one")).ok()?;
            lab.gone("servicediscovery.instance", at(&service, "one"))?;
            holds(list(&discovered(lab, json!({}))?, "instances").is_empty(), "still found")
        },
    },
    Case {
        name: "an instance that a controller registered is deregistered",
        aws: "by an operation that is done in the end",
        page: "cloudmap/DeregisterInstance",
        run: |lab| {
            let service = service(lab)?;
            lab.make("servicediscovery.register_instance", instance(&service, "one", "a"))?;
            done(lab, lab.call("servicediscovery.deregister_instance", at(&service, "one")))?;
            lab.gone("servicediscovery.instance", at(&service, "one"))
        },
    },
    Case {
        name: "an instance that does not exist is deregistered",
        aws: "`InstanceNotFound`",
        page: "cloudmap/DeregisterInstance",
        run: |lab| {
            let input = at(&service(lab)?, "one");
            lab.call("servicediscovery.deregister_instance", input).refused(&["InstanceNotFound"])
        },
    },
    Case {
        name: "the instances of a service that does not exist",
        aws: "`ServiceNotFound`",
        page: "cloudmap/ListInstances",
        run: |lab| {
            let input = json!({ "service_id": "srv-0123456789abcdef" });
            lab.call("servicediscovery.list_instances", input).refused(&["ServiceNotFound"])
        },
    },
];
