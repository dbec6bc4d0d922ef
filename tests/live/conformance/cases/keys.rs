//! KMS keys, their rotation and their aliases.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

/// A new key.
pub fn key(lab: &Lab) -> Result<Value, Other> {
    lab.make("kms.create_key", json!({ "description": "conformance", "pending_window_in_days": 7 }))
}

fn describe(lab: &Lab, name: &Value) -> Result<Value, Other> {
    lab.call("kms.describe_key", json!({ "key_id": name })).ok()
}

/// A key whose deletion is scheduled.
fn going(lab: &Lab) -> Result<Value, Other> {
    let made = key(lab)?;
    lab.delete("kms.key", json!({ "key_id": made["key_id"], "pending_window_in_days": 7 })).ok()?;
    Ok(made)
}

/// A key with an alias of this case's own.
fn named(lab: &Lab) -> Result<Value, Other> {
    let made = key(lab)?;
    lab.make("kms.create_alias", alias(lab, &made["key_id"]))?;
    Ok(made)
}

fn alias(lab: &Lab, key: &Value) -> Value {
    json!({ "alias_name": lab.name("alias/data"), "target_key_id": key })
}

/// A call about a key that does not exist.
fn missing(lab: &Lab, function: &str) -> Seen {
    lab.refused(function, json!({ "key_id": NOT_THERE }), &["NotFoundException"])
}

const NOT_THERE: &str = "01234567-89ab-cdef-0123-456789abcdef";

pub const CASES: &[Case] = &[
    Case {
        name: "a key is described as it was made",
        aws: "an ARN with its id, `Enabled`, symmetric, to encrypt and decrypt, for one region, the customer's; the tags",
        page: "kms/CreateKey",
        run: |lab| {
            let made = key(lab)?;
            holds(text(&made, "arn").ends_with(&format!(":key/{}", text(&made, "key_id"))), "another ARN")?;
            is(&made, "description", "conformance")?;
            is(&made, "key_state", "Enabled")?;
            is(&made, "key_usage", "ENCRYPT_DECRYPT")?;
            is(&made, "key_spec", "SYMMETRIC_DEFAULT")?;
            is(&made, "key_manager", "CUSTOMER")?;
            is(&made, "multi_region", false)?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "the policy of a key that was made with none",
        aws: "the account's root may do everything, and so its IAM policies say who may what",
        page: "kms/CreateKey",
        run: |lab| {
            let made = key(lab)?;
            is(&made, "policy.Statement.0.Action", "kms:*")?;
            holds(text(&made, "policy.Statement.0.Principal.AWS").ends_with(":root"), "another principal")
        },
    },
    Case {
        name: "a key with a policy after which nobody could change it",
        aws: "`MalformedPolicyDocumentException`, unless the safety check is bypassed",
        page: "kms/CreateKey",
        run: |lab| {
            let principal = json!({ "AWS": "arn:aws:iam::123456789012:root" });
            let statement =
                json!({ "Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*" });
            let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
            lab.refused("kms.create_key", json!({ "policy": policy }), &["MalformedPolicyDocumentException"])
        },
    },
    Case {
        name: "a key to sign with",
        aws: "as it was asked for",
        page: "kms/CreateKey",
        run: |lab| {
            let input = json!({ "key_usage": "SIGN_VERIFY", "key_spec": "ECC_NIST_P256" });
            is(&lab.make("kms.create_key", input)?, "key_spec", "ECC_NIST_P256")
        },
    },
    Case {
        name: "a symmetric key to sign with",
        aws: "`ValidationException`: the usage does not fit the spec",
        page: "kms/CreateKey",
        run: |lab| lab.refused("kms.create_key", json!({ "key_usage": "SIGN_VERIFY" }), &["ValidationException"]),
    },
    Case {
        name: "a key by its id, its ARN and its alias",
        aws: "the same key",
        page: "kms/DescribeKey",
        run: |lab| {
            let made = named(lab)?;
            for name in [&made["key_id"], &made["arn"], &lab.name("alias/data").into()] {
                is(&describe(lab, name)?, "key_id", made["key_id"].clone())?;
            }
            Ok(())
        },
    },
    Case {
        name: "a key that does not exist is described",
        aws: "`NotFoundException`",
        page: "kms/DescribeKey",
        run: |lab| missing(lab, "kms.describe_key"),
    },
    Case {
        name: "a key is deleted",
        aws: "`PendingDeletion` for 7 to 30 days; it counts as gone for us",
        page: "kms/ScheduleKeyDeletion",
        run: |lab| {
            let made = going(lab)?;
            lab.gone("kms.key", json!({ "key_id": made["key_id"] }))?;
            is(&describe(lab, &made["key_id"])?, "key_state", "PendingDeletion")
        },
    },
    Case {
        name: "a key is deleted whose deletion is scheduled",
        aws: "`KMSInvalidStateException`, which our call takes for done",
        page: "kms/ScheduleKeyDeletion",
        run: |lab| {
            let made = going(lab)?;
            lab.delete("kms.key", json!({ "key_id": made["key_id"] })).ok()
        },
    },
    Case {
        name: "a key that does not exist is deleted",
        aws: "`NotFoundException`",
        page: "kms/ScheduleKeyDeletion",
        run: |lab| lab.delete("kms.key", json!({ "key_id": NOT_THERE })).refused(&["NotFoundException"]),
    },
    Case {
        name: "the deletion of a key is taken back",
        aws: "it stands, `Disabled`",
        page: "kms/CancelKeyDeletion",
        run: |lab| {
            let made = going(lab)?;
            lab.call("kms.cancel_key_deletion", json!({ "key_id": made["key_id"] })).ok()?;
            is(&describe(lab, &made["key_id"])?, "key_state", "Disabled")
        },
    },
    Case {
        name: "a deletion is taken back that nobody scheduled",
        aws: "`KMSInvalidStateException`, which our call takes for done; the key stays `Enabled`",
        page: "kms/CancelKeyDeletion",
        run: |lab| {
            let made = key(lab)?;
            lab.call("kms.cancel_key_deletion", json!({ "key_id": made["key_id"] })).ok()?;
            is(&describe(lab, &made["key_id"])?, "key_state", "Enabled")
        },
    },
    Case {
        name: "the deletion of a key that does not exist is taken back",
        aws: "`NotFoundException`",
        page: "kms/CancelKeyDeletion",
        run: |lab| missing(lab, "kms.cancel_key_deletion"),
    },
    Case {
        name: "a key rotates",
        aws: "not at first, then every 365 days when nothing is said",
        page: "kms/EnableKeyRotation",
        run: |lab| {
            let input = json!({ "key_id": key(lab)?["key_id"] });
            let status = || lab.call("kms.get_key_rotation_status", input.clone()).ok();
            is(&status()?, "key_rotation_enabled", false)?;
            lab.call("kms.enable_key_rotation", input.clone()).ok()?;
            is(&status()?, "key_rotation_enabled", true)?;
            is(&status()?, "rotation_period_in_days", 365)
        },
    },
    Case {
        name: "a key to sign with rotates",
        aws: "`UnsupportedOperationException`",
        page: "kms/EnableKeyRotation",
        run: |lab| {
            let input = json!({ "key_usage": "SIGN_VERIFY", "key_spec": "RSA_2048" });
            let id = lab.make("kms.create_key", input)?["key_id"].clone();
            lab.refused("kms.enable_key_rotation", json!({ "key_id": id }), &["UnsupportedOperationException"])
        },
    },
    Case {
        name: "a key rotates whose deletion is scheduled",
        aws: "`KMSInvalidStateException`",
        page: "kms/EnableKeyRotation",
        run: |lab| {
            let input = json!({ "key_id": going(lab)?["key_id"] });
            lab.refused("kms.enable_key_rotation", input, &["KMSInvalidStateException"])
        },
    },
    Case {
        name: "whether a key that does not exist rotates",
        aws: "`NotFoundException`",
        page: "kms/GetKeyRotationStatus",
        run: |lab| missing(lab, "kms.get_key_rotation_status"),
    },
    Case {
        name: "an alias is described as it was made",
        aws: "an ARN with its name, and the id of its key; listed with the key",
        page: "kms/CreateAlias",
        run: |lab| {
            let made = key(lab)?;
            let alias = lab.make("kms.create_alias", alias(lab, &made["arn"]))?;
            holds(text(&alias, "arn").ends_with(&format!(":{}", lab.name("alias/data"))), "another ARN")?;
            is(&alias, "target_key_id", made["key_id"].clone())?;
            let found = lab.call("kms.list_aliases", json!({ "key_id": made["key_id"] })).ok()?;
            holds(list(&found, "aliases").len() == 1, "finds others")?;
            is(&found, "aliases.0.alias_name", lab.name("alias/data"))
        },
    },
    Case {
        name: "a second alias of the same name",
        aws: "`AlreadyExistsException`",
        page: "kms/CreateAlias",
        run: |lab| {
            named(lab)?;
            lab.refused("kms.create_alias", alias(lab, &key(lab)?["key_id"]), &["AlreadyExistsException"])
        },
    },
    Case {
        name: "an alias of a key that does not exist",
        aws: "`NotFoundException`",
        page: "kms/CreateAlias",
        run: |lab| lab.refused("kms.create_alias", alias(lab, &NOT_THERE.into()), &["NotFoundException"]),
    },
    Case {
        name: "an alias of a key whose deletion is scheduled",
        aws: "`KMSInvalidStateException`",
        page: "kms/CreateAlias",
        run: |lab| {
            let input = alias(lab, &going(lab)?["key_id"]);
            lab.refused("kms.create_alias", input, &["KMSInvalidStateException"])
        },
    },
    Case {
        name: "the aliases of a key that does not exist",
        aws: "`NotFoundException`",
        page: "kms/ListAliases",
        run: |lab| missing(lab, "kms.list_aliases"),
    },
    Case {
        name: "an alias is deleted twice",
        aws: "`NotFoundException`; its key stands",
        page: "kms/DeleteAlias",
        run: |lab| {
            let made = named(lab)?;
            let at = json!({ "alias_name": lab.name("alias/data") });
            lab.deleted_twice("kms.alias", at, &["NotFoundException"])?;
            is(&describe(lab, &made["key_id"])?, "key_state", "Enabled")
        },
    },
];
