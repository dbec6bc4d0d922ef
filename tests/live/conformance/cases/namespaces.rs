//! Cloud Map namespaces and operations.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Answer, Case, Other, Seen, holds, is, list, other, text},
    lab::Lab,
};

/// An HTTP namespace: its id.
pub fn http(lab: &Lab) -> Result<Value, Other> {
    Ok(lab.make("servicediscovery.create_http_namespace", json!({ "name": lab.name("web") }))?["id"].clone())
}

/// A private DNS namespace and its VPC.
pub fn private(lab: &Lab) -> Result<Value, Other> {
    let input = json!({ "name": lab.name("web.internal"), "vpc": lab.vpc()? });
    lab.make("servicediscovery.create_private_dns_namespace", input)
}

/// The operation that a call answered is done in the end.
pub fn done(lab: &Lab, answer: Answer<Value>) -> Seen {
    let operation = answer.ok()?["operation_id"].clone();
    for _ in 0..100 {
        let found = lab.call("servicediscovery.get_operation", json!({ "operation_id": operation })).ok()?;
        match text(&found, "status") {
            "SUCCESS" => return Ok(()),
            "FAIL" => return Err(other("the operation fails")),
            _ => lab.pass(std::time::Duration::from_secs(1)),
        }
    }
    Err(other("the operation is never done"))
}

pub const CASES: &[Case] = &[
    Case {
        name: "an HTTP namespace is described as it was made",
        aws: "type HTTP, an ARN, the tags; listed",
        page: "cloudmap/CreateHttpNamespace",
        run: |lab| {
            let made = lab.make("servicediscovery.create_http_namespace", json!({ "name": lab.name("web") }))?;
            is(&made, "type", "HTTP")?;
            holds(text(&made, "arn").contains(":namespace/ns-"), "another ARN")?;
            is(&made, "properties.http_properties.http_name", lab.name("web"))?;
            lab.tagged(&made)?;
            let found = lab.call("servicediscovery.list_namespaces", json!({})).ok()?;
            let listed = list(&found, "namespaces").iter().any(|one| one["id"] == made["id"]);
            holds(listed, "not listed")
        },
    },
    Case {
        name: "a namespace is made by an operation",
        aws: "the answer is an operation, not yet done",
        page: "cloudmap/GetOperation",
        run: |lab| {
            let made = lab.call("servicediscovery.create_http_namespace", json!({ "name": lab.name("web") })).ok()?;
            let input = json!({ "operation_id": made["operation_id"] });
            let found = lab.call("servicediscovery.get_operation", input).ok()?;
            let status = text(&found, "status");
            holds(matches!(status, "SUBMITTED" | "PENDING"), format!("{status} at once"))
        },
    },
    Case {
        name: "an operation that does not exist",
        aws: "`OperationNotFound`",
        page: "cloudmap/GetOperation",
        run: |lab| {
            let input = json!({ "operation_id": "no-such-operation" });
            lab.call("servicediscovery.get_operation", input).refused(&["OperationNotFound"])
        },
    },
    Case {
        name: "a second namespace of the same name",
        aws: "`NamespaceAlreadyExists`",
        page: "cloudmap/CreateHttpNamespace",
        run: |lab| {
            http(lab)?;
            let again = lab.call("servicediscovery.create_http_namespace", json!({ "name": lab.name("web") }));
            again.refused(&["NamespaceAlreadyExists"])
        },
    },
    Case {
        name: "the same request for a namespace, with the same CreatorRequestId",
        aws: "no second namespace: the operation again, or `DuplicateRequest` with its id",
        page: "cloudmap/CreateHttpNamespace",
        run: |lab| {
            let (input, token) = (json!({ "name": lab.name("web") }), lab.token());
            lab.with_token(&token, "servicediscovery.create_http_namespace", input.clone()).ok()?;
            let again = lab.with_token(&token, "servicediscovery.create_http_namespace", input);
            if again.result.is_err() {
                again.refused(&["DuplicateRequest"])?;
            }
            let found = lab.call("servicediscovery.list_namespaces", json!({})).ok()?;
            let same = |one: &&Value| text(one, "name") == lab.name("web");
            let count = list(&found, "namespaces").iter().filter(same).count();
            holds(count == 1, format!("{count} namespaces"))
        },
    },
    Case {
        name: "a private DNS namespace is described as it was made",
        aws: "type DNS_PRIVATE, with a hosted zone of its own for the VPC",
        page: "cloudmap/CreatePrivateDnsNamespace",
        run: |lab| {
            let made = private(lab)?;
            is(&made, "type", "DNS_PRIVATE")?;
            let zone = text(&made, "properties.dns_properties.hosted_zone_id");
            holds(!zone.is_empty(), "no hosted zone")?;
            let found = lab.call("route53.get_hosted_zone", json!({ "id": zone })).ok()?;
            is(&found, "name", format!("{}.", lab.name("web.internal")))?;
            is(&found, "config.private_zone", true)
        },
    },
    Case {
        name: "a private DNS namespace for a VPC that does not exist",
        aws: "`InvalidInput`, answered at once or as the reason why the operation failed",
        page: "cloudmap/CreatePrivateDnsNamespace",
        run: |lab| {
            let input = json!({ "name": lab.name("web.internal"), "vpc": "vpc-0123456789abcdef0" });
            let answer = lab.call("servicediscovery.create_private_dns_namespace", input);
            match answer.result {
                Err(_) => answer.refused(&["InvalidInput"]),
                Ok(_) => match done(lab, answer) {
                    Ok(()) => Err(other("accepted")),
                    Err(_) => Ok(()),
                },
            }
        },
    },
    Case {
        name: "a namespace with a service is deleted",
        aws: "`ResourceInUse`",
        page: "cloudmap/DeleteNamespace",
        run: |lab| {
            let id = http(lab)?;
            lab.make("servicediscovery.create_service", json!({ "name": "api", "namespace_id": id }))?;
            let at = json!({ "name": lab.name("web"), "id": id });
            lab.delete("servicediscovery.http_namespace", at).refused(&["ResourceInUse"])
        },
    },
    Case {
        name: "a namespace is deleted",
        aws: "gone in the end",
        page: "cloudmap/DeleteNamespace",
        run: |lab| {
            let at = json!({ "name": lab.name("web"), "id": http(lab)? });
            lab.delete("servicediscovery.http_namespace", at.clone()).ok()?;
            lab.gone("servicediscovery.http_namespace", at)
        },
    },
    Case {
        name: "a private DNS namespace is deleted",
        aws: "its hosted zone goes with it",
        page: "cloudmap/DeleteNamespace",
        run: |lab| {
            let made = private(lab)?;
            let zone = json!({ "id": made["properties"]["dns_properties"]["hosted_zone_id"] });
            let at = json!({ "name": lab.name("web.internal"), "id": made["id"] });
            lab.delete("servicediscovery.private_dns_namespace", at.clone()).ok()?;
            lab.gone("servicediscovery.private_dns_namespace", at)?;
            lab.gone("route53.hosted_zone", zone)
        },
    },
    Case {
        name: "a namespace that a controller made is deleted",
        aws: "by an operation that is done in the end",
        page: "cloudmap/DeleteNamespace",
        run: |lab| {
            let id = http(lab)?;
            done(lab, lab.call("servicediscovery.delete_namespace", json!({ "id": id })))?;
            lab.gone("servicediscovery.http_namespace", json!({ "name": lab.name("web"), "id": id }))
        },
    },
    Case {
        name: "a namespace that does not exist is deleted",
        aws: "`NamespaceNotFound`",
        page: "cloudmap/DeleteNamespace",
        run: |lab| {
            let input = json!({ "id": "ns-0123456789abcdef" });
            lab.call("servicediscovery.delete_namespace", input).refused(&["NamespaceNotFound"])
        },
    },
];
