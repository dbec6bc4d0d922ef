//! Key policies: what KMS puts where none is given, and what it refuses.

use runbook_modules::{error::CallError, sandbox::sim::SimCall};
use serde_json::{Value, json};

use crate::iam::document::normal;

/// The policy of a key that is made with none: the account's IAM policies say who may do what.
fn usual(account: &str) -> Value {
    json!({ "Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
        "Sid": "Enable IAM User Permissions", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
    }]})
}

/// The policy of the key that a call makes.
pub(super) fn of(call: &SimCall<'_>) -> Value {
    call.input.get("policy").map_or_else(|| usual(call.account), normal)
}

/// Refuses what KMS refuses: a statement without principal or action, and a policy after which nobody of the account could change it.
///
/// # Errors
/// MalformedPolicyDocumentException.
pub(super) fn refuse(call: &SimCall<'_>) -> Result<(), CallError> {
    let policy = of(call);
    let statements = policy.get("Statement").unwrap_or(&Value::Null);
    let statements = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
    let refused = |why: &str| Err(CallError::refused("MalformedPolicyDocumentException", why));
    for statement in statements {
        let has = |names: [&str; 2]| names.iter().any(|name| statement.get(*name).is_some());
        if !has(["Principal", "NotPrincipal"]) || !has(["Action", "NotAction"]) || statement.get("Effect").is_none() {
            return refused("The new key policy has a statement without Effect, Principal or Action.");
        }
    }
    if statements.iter().any(|statement| lets_change(statement, call.account)) {
        return Ok(());
    }
    refused("The new key policy will not allow you to update the key policy in the future.")
}

fn lets_change(statement: &Value, account: &str) -> bool {
    let actions = texts(&statement["Action"]);
    let principals = texts(statement["Principal"].get("AWS").unwrap_or(&statement["Principal"]));
    statement["Effect"] == "Allow"
        && actions.iter().any(|action| matches!(*action, "*" | "kms:*" | "kms:Put*" | "kms:PutKeyPolicy"))
        && principals.iter().any(|principal| *principal == "*" || principal.contains(account))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter().filter_map(Value::as_str).collect()
}
