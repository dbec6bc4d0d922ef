//! Secrets Manager: secrets, their values, and their recovery window.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, part, text},
    lab::Lab,
};

fn asked(lab: &Lab) -> Value {
    json!({ "name": lab.name("data/login"), "secret_string": "{\"password\":\"a value\"}" })
}

/// A secret of this case's own.
pub fn secret(lab: &Lab) -> Result<Value, Other> {
    lab.make("secretsmanager.create_secret", asked(lab))
}

fn which(lab: &Lab) -> Value {
    json!({ "secret_id": lab.name("data/login") })
}

fn describe(lab: &Lab) -> Result<Value, Other> {
    lab.call("secretsmanager.describe_secret", which(lab)).ok()
}

/// Deletes it: it can be taken back.
fn going(lab: &Lab) -> Result<Value, Other> {
    secret(lab)?;
    lab.delete("secretsmanager.secret", json!({ "name": lab.name("data/login") })).ok()?;
    Ok(which(lab))
}

/// Deletes it for good.
fn end(lab: &Lab) -> Result<(), Other> {
    let mut input = which(lab);
    input["force_delete_without_recovery"] = true.into();
    lab.call("secretsmanager.delete_secret", input).ok().map(|_| ())
}

fn put(lab: &Lab) -> Value {
    json!({ "secret_id": lab.name("data/login"), "secret_string": "another value" })
}

/// The version of an answer has a stage. A version's id is another one in every run, and not shown.
fn stands(described: &Value, answer: &Value, stage: &str) -> Seen {
    let version = part(described, "version_ids_to_stages").get(text(answer, "version_id"));
    holds(version == Some(&json!([stage])), format!("the version is not {stage}"))
}

fn missing(lab: &Lab, function: &str, input: Value) -> Seen {
    lab.refused(function, input, &["ResourceNotFoundException"])
}

pub const CASES: &[Case] = &[
    Case {
        name: "a secret is described as it was made",
        aws: "an ARN with its name and six characters more, its first version AWSCURRENT, the tags",
        page: "secretsmanager/CreateSecret",
        run: |lab| {
            let made = secret(lab)?;
            let (_, unique) =
                text(&made, "arn").split_once(&format!(":secret:{}-", lab.name("data/login"))).unwrap_or_default();
            holds(unique.len() == 6, "another ARN")?;
            stands(&describe(lab)?, &made, "AWSCURRENT")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a secret without a value",
        aws: "no version",
        page: "secretsmanager/CreateSecret",
        run: |lab| {
            lab.make("secretsmanager.create_secret", json!({ "name": lab.name("data/login") }))?;
            let versions = describe(lab)?["version_ids_to_stages"].clone();
            holds(versions.as_object().is_none_or(serde_json::Map::is_empty), "a version")
        },
    },
    Case {
        name: "a second secret of the same name",
        aws: "`ResourceExistsException`",
        page: "secretsmanager/CreateSecret",
        run: |lab| lab.refused_again("secretsmanager.create_secret", asked(lab), &["ResourceExistsException"]),
    },
    Case {
        name: "the same request for a secret, with the same token",
        aws: "the same secret again",
        page: "secretsmanager/CreateSecret",
        run: |lab| lab.same_again("secretsmanager.create_secret", asked(lab), "arn"),
    },
    Case {
        name: "a secret by its ARN",
        aws: "the same as by its name",
        page: "secretsmanager/DescribeSecret",
        run: |lab| {
            let arn = secret(lab)?["arn"].clone();
            let found = lab.call("secretsmanager.describe_secret", json!({ "secret_id": arn })).ok()?;
            is(&found, "name", lab.name("data/login"))
        },
    },
    Case {
        name: "a secret that does not exist is described",
        aws: "`ResourceNotFoundException`",
        page: "secretsmanager/DescribeSecret",
        run: |lab| missing(lab, "secretsmanager.describe_secret", which(lab)),
    },
    Case {
        name: "a secret gets another value",
        aws: "a new version is AWSCURRENT, the one before AWSPREVIOUS",
        page: "secretsmanager/PutSecretValue",
        run: |lab| {
            let first = secret(lab)?;
            let answer = lab.call("secretsmanager.put_secret_value", put(lab)).ok()?;
            let described = describe(lab)?;
            stands(&described, &answer, "AWSCURRENT")?;
            stands(&described, &first, "AWSPREVIOUS")
        },
    },
    Case {
        name: "the same value is put twice, with the same token",
        aws: "no second version",
        page: "secretsmanager/PutSecretValue",
        run: |lab| {
            secret(lab)?;
            lab.same_again("secretsmanager.put_secret_value", put(lab), "version_id")?;
            let count = describe(lab)?["version_ids_to_stages"].as_object().map_or(0, serde_json::Map::len);
            holds(count == 2, format!("{count} versions"))
        },
    },
    Case {
        name: "a secret that does not exist gets a value",
        aws: "`ResourceNotFoundException`",
        page: "secretsmanager/PutSecretValue",
        run: |lab| missing(lab, "secretsmanager.put_secret_value", put(lab)),
    },
    Case {
        name: "a secret gets a value whose deletion is scheduled",
        aws: "`InvalidRequestException`",
        page: "secretsmanager/PutSecretValue",
        run: |lab| {
            going(lab)?;
            lab.refused("secretsmanager.put_secret_value", put(lab), &["InvalidRequestException"])
        },
    },
    Case {
        name: "a secret is deleted",
        aws: "described with the date of its deletion, for 7 to 30 days; it counts as gone for us",
        page: "secretsmanager/DeleteSecret",
        run: |lab| {
            going(lab)?;
            lab.gone("secretsmanager.secret", json!({ "name": lab.name("data/login") }))?;
            holds(!part(&describe(lab)?, "deleted_date").is_null(), "no `deleted_date`")
        },
    },
    Case {
        name: "a secret of a name whose deletion is scheduled",
        aws: "`InvalidRequestException`",
        page: "secretsmanager/CreateSecret",
        run: |lab| {
            going(lab)?;
            lab.refused("secretsmanager.create_secret", asked(lab), &["InvalidRequestException"])
        },
    },
    Case {
        name: "the deletion of a secret is taken back",
        aws: "it stands as before",
        page: "secretsmanager/RestoreSecret",
        run: |lab| {
            let which = going(lab)?;
            lab.call("secretsmanager.restore_secret", which).ok()?;
            lab.standing("secretsmanager.secret", json!({ "name": lab.name("data/login") }))?;
            holds(part(&describe(lab)?, "deleted_date").is_null(), "still being deleted")
        },
    },
    Case {
        name: "the deletion of a secret that does not exist is taken back",
        aws: "`ResourceNotFoundException`",
        page: "secretsmanager/RestoreSecret",
        run: |lab| missing(lab, "secretsmanager.restore_secret", which(lab)),
    },
    Case {
        name: "a secret is deleted without recovery",
        aws: "gone, and its name is free",
        page: "secretsmanager/DeleteSecret",
        run: |lab| {
            secret(lab)?;
            end(lab)?;
            lab.gone("secretsmanager.secret", json!({ "name": lab.name("data/login") }))?;
            secret(lab).map(|_| ())
        },
    },
    Case {
        name: "a secret that does not exist is deleted",
        aws: "`ResourceNotFoundException`",
        page: "secretsmanager/DeleteSecret",
        run: |lab| missing(lab, "secretsmanager.delete_secret", which(lab)),
    },
    Case {
        name: "a secret that does not exist is deleted without recovery",
        aws: "no error",
        page: "secretsmanager/DeleteSecret",
        run: end,
    },
];
