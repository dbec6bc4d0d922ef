//! What every row promises.

use runbook_modules::{resource::Identity, table::Binding};
use serde_json::Value;

use super::full_table;

#[test]
fn every_field_of_every_input_is_documented() {
    for (name, binding) in full_table().bindings() {
        let schema = binding.schema();
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for (field, property) in properties {
            assert!(property.get("description").is_some(), "{name}: {field}: {property}");
        }
        assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)), "{name} takes unknown fields");
    }
}

#[test]
fn every_doc_cites_the_reference_of_aws() {
    for (name, binding) in full_table().bindings() {
        let (doc, operation) = match binding {
            Binding::Create(kind) => (kind.meta().doc, kind.meta().operations.0),
            Binding::Call(call) => (call.doc, call.operation),
        };
        assert!(doc.contains(&format!("APIReference/API_{operation}.html")), "{name}: {doc}");
    }
}

#[test]
fn polls_are_in_the_table() {
    let table = full_table();
    for (name, binding) in table.bindings() {
        if let Binding::Call(operation) = binding
            && let Some(settle) = operation.settle
        {
            assert!(table.binding(settle.poll).is_some(), "{name} polls {}", settle.poll);
        }
    }
}

#[test]
fn identities_are_those_of_the_idempotency_table() {
    let table = full_table();
    let of = |name: &str| table.kind(name).map(|kind| kind.meta().identity);
    for tag in ["ec2.vpc", "ec2.internet_gateway", "ec2.address", "ec2.snapshot"] {
        assert_eq!(of(tag), Some(Identity::Tag), "{tag}");
    }
    for token in ["ec2.nat_gateway", "ec2.route_table", "ec2.network_interface", "ec2.volume"] {
        assert!(matches!(of(token), Some(Identity::Token { field: "client_token", .. })), "{token}");
    }
    for key in [
        "ec2.subnet",
        "ec2.internet_gateway_attachment",
        "ec2.route",
        "ec2.route_table_association",
        "ec2.vpc_peering_connection",
        "ec2.security_group",
        "ec2.security_group_ingress",
        "ec2.security_group_egress",
    ] {
        assert_eq!(of(key), Some(Identity::Key), "{key}");
    }
}
