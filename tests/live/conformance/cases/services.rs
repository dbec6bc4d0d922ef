//! Cloud Map services.

use serde_json::{Value, json};

use super::namespaces::{http, private};
use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

fn asked(lab: &Lab) -> Result<Value, Other> {
    Ok(json!({ "name": "api", "namespace_id": http(lab)? }))
}

pub const CASES: &[Case] = &[
    Case {
        name: "a service is described as it was made",
        aws: "an id, an ARN, its namespace, type HTTP, the tags; listed",
        page: "cloudmap/CreateService",
        run: |lab| {
            let input = asked(lab)?;
            let made = lab.make("servicediscovery.create_service", input.clone())?;
            holds(text(&made, "id").starts_with("srv-"), "another form of id")?;
            holds(text(&made, "arn").contains(":service/srv-"), "another ARN")?;
            is(&made, "namespace_id", input["namespace_id"].clone())?;
            is(&made, "type", "HTTP")?;
            lab.tagged(&made)?;
            let own = json!({ "namespace_id": input["namespace_id"] });
            let found = lab.call("servicediscovery.list_services", own).ok()?;
            is(&found, "services.0.id", made["id"].clone())
        },
    },
    Case {
        name: "a service with DNS records",
        aws: "type DNS_HTTP, MULTIVALUE when nothing else is said, the records",
        page: "cloudmap/DnsConfig",
        run: |lab| {
            let dns = json!({ "dns_records": [{ "type": "A", "ttl": 10 }] });
            let input = json!({ "name": "api", "namespace_id": private(lab)?["id"], "dns_config": dns });
            let made = lab.make("servicediscovery.create_service", input)?;
            is(&made, "type", "DNS_HTTP")?;
            is(&made, "dns_config.dns_records.0.type", "A")?;
            is(&made, "dns_config.routing_policy", "MULTIVALUE")
        },
    },
    Case {
        name: "a second service of the same name in a namespace",
        aws: "`ServiceAlreadyExists`",
        page: "cloudmap/CreateService",
        run: |lab| {
            let input = asked(lab)?;
            lab.make("servicediscovery.create_service", input.clone())?;
            lab.call("servicediscovery.create_service", input).refused(&["ServiceAlreadyExists"])
        },
    },
    Case {
        name: "the same request for a service, with the same CreatorRequestId",
        aws: "no second service: the same one, or `ServiceAlreadyExists` with its id",
        page: "cloudmap/CreateService",
        run: |lab| {
            let (input, token) = (asked(lab)?, lab.token());
            let made = lab.with_token(&token, "servicediscovery.create_service", input.clone()).ok()?;
            match lab.with_token(&token, "servicediscovery.create_service", input.clone()) {
                again if again.result.is_ok() => is(&again.ok()?, "id", made["id"].clone()),
                again => again.refused(&["ServiceAlreadyExists"]),
            }?;
            let own = json!({ "namespace_id": input["namespace_id"] });
            let count = list(&lab.call("servicediscovery.list_services", own).ok()?, "services").len();
            holds(count == 1, format!("{count} services"))
        },
    },
    Case {
        name: "a service in a namespace that does not exist",
        aws: "`NamespaceNotFound`",
        page: "cloudmap/CreateService",
        run: |lab| {
            let input = json!({ "name": "api", "namespace_id": "ns-0123456789abcdef" });
            lab.call("servicediscovery.create_service", input).refused(&["NamespaceNotFound"])
        },
    },
    Case {
        name: "the services of one namespace",
        aws: "the filter keeps those of the namespace",
        page: "cloudmap/ListServices",
        run: |lab| {
            lab.make("servicediscovery.create_service", asked(lab)?)?;
            let second =
                lab.make("servicediscovery.create_http_namespace", json!({ "name": lab.name("data") }))?["id"].clone();
            let found = lab.call("servicediscovery.list_services", json!({ "namespace_id": second })).ok()?;
            holds(list(&found, "services").is_empty(), "finds others")
        },
    },
    Case {
        name: "a service with an instance is deleted",
        aws: "`ResourceInUse`",
        page: "cloudmap/DeleteService",
        run: |lab| {
            let id = lab.make("servicediscovery.create_service", asked(lab)?)?["id"].clone();
            let attributes = json!({ "AWS_INSTANCE_IPV4": "10.0.0.1" });
            let input = json!({ "service_id": id, "instance_id": "one", "attributes": attributes });
            lab.make("servicediscovery.register_instance", input)?;
            lab.delete("servicediscovery.service", json!({ "id": id })).refused(&["ResourceInUse"])
        },
    },
    Case {
        name: "a service is deleted twice",
        aws: "`ServiceNotFound`",
        page: "cloudmap/DeleteService",
        run: |lab| {
            let at = json!({ "id": lab.make("servicediscovery.create_service", asked(lab)?)?["id"] });
            lab.delete("servicediscovery.service", at.clone()).ok()?;
            lab.gone("servicediscovery.service", at.clone())?;
            lab.delete("servicediscovery.service", at).refused(&["ServiceNotFound"])
        },
    },
    Case {
        name: "a service that a controller made is deleted",
        aws: "gone",
        page: "cloudmap/DeleteService",
        run: |lab| {
            let id = lab.make("servicediscovery.create_service", asked(lab)?)?["id"].clone();
            lab.call("servicediscovery.delete_service", json!({ "id": id })).ok()?;
            lab.gone("servicediscovery.service", json!({ "id": id }))
        },
    },
];
