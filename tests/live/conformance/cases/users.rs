//! IAM users, their keys and the policies written into them.

use serde_json::{Value, json};

use super::roles::document;
use crate::conformance::{
    case::{Case, Other, Seen, holds, is, part, text},
    lab::Lab,
};

fn at(lab: &Lab) -> Value {
    json!({ "user_name": lab.name("robot") })
}

/// A user of this case's own: the locator.
fn user(lab: &Lab) -> Result<Value, Other> {
    lab.make("iam.create_user", at(lab))?;
    Ok(at(lab))
}

fn key(lab: &Lab) -> Result<Value, Other> {
    user(lab)?;
    lab.make("iam.create_access_key", at(lab))
}

fn key_at(lab: &Lab, key: &Value) -> Value {
    json!({ "user_name": lab.name("robot"), "access_key_id": key["access_key_id"] })
}

fn policy(lab: &Lab, document: Value) -> Value {
    json!({ "user_name": lab.name("robot"), "policy_name": "read", "policy_document": document })
}

fn policy_at(lab: &Lab) -> Value {
    json!({ "user_name": lab.name("robot"), "policy_name": "read" })
}

/// A call about what does not exist.
fn missing(lab: &Lab, function: &str, input: Value) -> Seen {
    lab.refused(function, input, &["NoSuchEntity"])
}

pub const CASES: &[Case] = &[
    Case {
        name: "a user is described as it was made",
        aws: "the path `/`, an ARN with its name, an id that begins with AIDA, the tags",
        page: "iam/CreateUser",
        run: |lab| {
            let made = lab.make("iam.create_user", at(lab))?;
            is(&made, "path", "/")?;
            holds(text(&made, "arn").ends_with(&format!(":user/{}", lab.name("robot"))), "another ARN")?;
            holds(text(&made, "user_id").starts_with("AIDA"), "another form of id")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a user below a path",
        aws: "the path is in its ARN",
        page: "iam/CreateUser",
        run: |lab| {
            let input = json!({ "user_name": lab.name("robot"), "path": "/robots/" });
            let made = lab.make("iam.create_user", input)?;
            holds(text(&made, "arn").ends_with(&format!(":user/robots/{}", lab.name("robot"))), "another ARN")
        },
    },
    Case {
        name: "a second user of the same name",
        aws: "`EntityAlreadyExists`",
        page: "iam/CreateUser",
        run: |lab| lab.refused_again("iam.create_user", at(lab), &["EntityAlreadyExists"]),
    },
    Case {
        name: "a user bounded by a policy that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/CreateUser",
        run: |lab| {
            let mut input = at(lab);
            input["permissions_boundary"] = "arn:aws:iam::123456789012:policy/none".into();
            missing(lab, "iam.create_user", input)
        },
    },
    Case {
        name: "a user is deleted twice",
        aws: "`NoSuchEntity`",
        page: "iam/DeleteUser",
        run: |lab| lab.deleted_twice("iam.user", user(lab)?, &["NoSuchEntity"]),
    },
    Case {
        name: "a user with an access key is deleted",
        aws: "`DeleteConflict`",
        page: "iam/DeleteUser",
        run: |lab| {
            key(lab)?;
            lab.delete("iam.user", at(lab)).refused(&["DeleteConflict"])
        },
    },
    Case {
        name: "a user with a policy is deleted",
        aws: "`DeleteConflict`",
        page: "iam/DeleteUser",
        run: |lab| {
            user(lab)?;
            lab.make("iam.put_user_policy", policy(lab, document()))?;
            lab.delete("iam.user", at(lab)).refused(&["DeleteConflict"])
        },
    },
    Case {
        name: "an access key is made",
        aws: "`Active`; its secret is told once",
        page: "iam/CreateAccessKey",
        run: |lab| {
            user(lab)?;
            let made = lab.call("iam.create_access_key", at(lab)).ok()?;
            is(&made, "status", "Active")?;
            holds(!text(&made, "secret_access_key").is_empty(), "no secret")?;
            let found = lab.standing("iam.access_key", key_at(lab, &made))?;
            holds(part(&found, "secret_access_key").is_null(), "the secret is told again")
        },
    },
    Case {
        name: "a third access key of a user",
        aws: "`LimitExceeded`: two at most",
        page: "iam/CreateAccessKey",
        run: |lab| {
            key(lab)?;
            lab.refused_again("iam.create_access_key", at(lab), &["LimitExceeded"])
        },
    },
    Case {
        name: "an access key of a user that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/CreateAccessKey",
        run: |lab| missing(lab, "iam.create_access_key", at(lab)),
    },
    Case {
        name: "an access key is deleted twice",
        aws: "`NoSuchEntity`",
        page: "iam/DeleteAccessKey",
        run: |lab| {
            let made = key(lab)?;
            lab.deleted_twice("iam.access_key", key_at(lab, &made), &["NoSuchEntity"])
        },
    },
    Case {
        name: "a policy is written into a user, then another of the same name",
        aws: "the second one replaces the first",
        page: "iam/PutUserPolicy",
        run: |lab| {
            user(lab)?;
            lab.make("iam.put_user_policy", policy(lab, document()))?;
            let mut other = document();
            other["Statement"][0]["Action"] = "s3:PutObject".into();
            lab.make("iam.put_user_policy", policy(lab, other.clone()))?;
            is(&lab.standing("iam.user_policy", policy_at(lab))?, "policy_document", other)
        },
    },
    Case {
        name: "a policy is written into a user that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/PutUserPolicy",
        run: |lab| missing(lab, "iam.put_user_policy", policy(lab, document())),
    },
    Case {
        name: "a policy without resource is written into a user",
        aws: "`MalformedPolicyDocument`",
        page: "iam/PutUserPolicy",
        run: |lab| {
            user(lab)?;
            let mut document = document();
            if let Some(statement) = document["Statement"][0].as_object_mut() {
                statement.remove("Resource");
            }
            lab.refused("iam.put_user_policy", policy(lab, document), &["MalformedPolicyDocument"])
        },
    },
    Case {
        name: "a policy written into a user is deleted twice",
        aws: "`NoSuchEntity`",
        page: "iam/DeleteUserPolicy",
        run: |lab| {
            user(lab)?;
            lab.make("iam.put_user_policy", policy(lab, document()))?;
            lab.deleted_twice("iam.user_policy", policy_at(lab), &["NoSuchEntity"])
        },
    },
];
