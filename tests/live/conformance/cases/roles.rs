//! IAM roles, their written policies, and identity providers.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::{Lab, trust},
};

fn role(lab: &Lab) -> Value {
    json!({ "role_name": lab.name("web"), "assume_role_policy_document": trust("ec2.amazonaws.com") })
}

fn with(lab: &Lab, field: &str, value: Value) -> Value {
    let mut input = role(lab);
    input[field] = value;
    input
}

/// A policy document that allows to read a bucket.
pub fn document() -> Value {
    let statement = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn written(lab: &Lab, document: Value) -> Result<Value, Other> {
    let input = json!({ "role_name": lab.name("web"), "policy_name": "read", "policy_document": document });
    lab.make("iam.put_role_policy", input)
}

fn malformed(lab: &Lab, statement: Value) -> Seen {
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let input = with(lab, "assume_role_policy_document", document);
    lab.call("iam.create_role", input).refused(&["MalformedPolicyDocument"])
}

fn provider(lab: &Lab) -> Value {
    json!({
        "url": format!("https://oidc.example.com/id/{}", lab.name("web")), "client_id_list": ["sts.amazonaws.com"],
        "thumbprint_list": ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
    })
}

pub const CASES: &[Case] = &[
    Case {
        name: "a role is described as it was made",
        aws: "its trust policy, the path `/`, an ARN with its name, sessions of an hour, the tags",
        page: "iam/CreateRole",
        run: |lab| {
            let made = lab.make("iam.create_role", role(lab))?;
            is(&made, "path", "/")?;
            is(&made, "max_session_duration", 3600)?;
            is(&made, "assume_role_policy_document", trust("ec2.amazonaws.com"))?;
            holds(text(&made, "arn").ends_with(&format!(":role/{}", lab.name("web"))), "another ARN")?;
            holds(text(&made, "role_id").starts_with("AROA"), "another form of id")?;
            lab.tagged(&made)?;
            is(&lab.call("iam.get_role", json!({ "role_name": lab.name("web") })).ok()?, "arn", made["arn"].clone())
        },
    },
    Case {
        name: "a role with a path",
        aws: "the ARN has the path",
        page: "iam/CreateRole",
        run: |lab| {
            let made = lab.make("iam.create_role", with(lab, "path", "/teams/web/".into()))?;
            holds(text(&made, "arn").ends_with(&format!(":role/teams/web/{}", lab.name("web"))), "another ARN")
        },
    },
    Case {
        name: "a second role of the same name",
        aws: "`EntityAlreadyExists`",
        page: "iam/CreateRole",
        run: |lab| {
            lab.make("iam.create_role", role(lab))?;
            lab.call("iam.create_role", role(lab)).refused(&["EntityAlreadyExists"])
        },
    },
    Case {
        name: "a trust policy with an effect that does not exist",
        aws: "`MalformedPolicyDocument`",
        page: "iam/CreateRole",
        run: |lab| {
            let principal = json!({ "Service": "ec2.amazonaws.com" });
            malformed(lab, json!({ "Effect": "Maybe", "Principal": principal, "Action": "sts:AssumeRole" }))
        },
    },
    Case {
        name: "a trust policy that names nobody",
        aws: "`MalformedPolicyDocument`",
        page: "iam/CreateRole",
        run: |lab| malformed(lab, json!({ "Effect": "Allow", "Action": "sts:AssumeRole" })),
    },
    Case {
        name: "a trust policy that names a resource",
        aws: "`MalformedPolicyDocument`",
        page: "iam/CreateRole",
        run: |lab| {
            let principal = json!({ "Service": "ec2.amazonaws.com" });
            let resource =
                json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Resource": "*" });
            malformed(lab, resource)
        },
    },
    Case {
        name: "a role whose name is longer than 64 characters",
        aws: "`ValidationError`",
        page: "iam/CreateRole",
        run: |lab| {
            let input = with(lab, "role_name", "r".repeat(65).into());
            lab.call("iam.create_role", input).refused(&["ValidationError"])
        },
    },
    Case {
        name: "a role whose sessions end within a minute",
        aws: "`ValidationError`: an hour at least",
        page: "iam/CreateRole",
        run: |lab| {
            lab.call("iam.create_role", with(lab, "max_session_duration", 60.into())).refused(&["ValidationError"])
        },
    },
    Case {
        name: "a role that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/GetRole",
        run: |lab| lab.call("iam.get_role", json!({ "role_name": lab.name("web") })).refused(&["NoSuchEntity"]),
    },
    Case {
        name: "a role with an attached policy is deleted",
        aws: "`DeleteConflict`",
        page: "iam/DeleteRole",
        run: |lab| {
            lab.make("iam.create_role", role(lab))?;
            let arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
            lab.make("iam.attach_role_policy", json!({ "role_name": lab.name("web"), "policy_arn": arn }))?;
            lab.delete("iam.role", json!({ "role_name": lab.name("web") })).refused(&["DeleteConflict"])
        },
    },
    Case {
        name: "a role with a written policy is deleted",
        aws: "`DeleteConflict`",
        page: "iam/DeleteRole",
        run: |lab| {
            lab.make("iam.create_role", role(lab))?;
            written(lab, document())?;
            lab.delete("iam.role", json!({ "role_name": lab.name("web") })).refused(&["DeleteConflict"])
        },
    },
    Case {
        name: "a role is deleted twice",
        aws: "`NoSuchEntity`",
        page: "iam/DeleteRole",
        run: |lab| {
            lab.make("iam.create_role", role(lab))?;
            let at = json!({ "role_name": lab.name("web") });
            lab.delete("iam.role", at.clone()).ok()?;
            lab.gone("iam.role", at.clone())?;
            lab.delete("iam.role", at).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "a policy is written into a role, then another of the same name",
        aws: "the second one replaces the first",
        page: "iam/PutRolePolicy",
        run: |lab| {
            lab.make("iam.create_role", role(lab))?;
            written(lab, document())?;
            let mut other = document();
            other["Statement"][0]["Action"] = "s3:PutObject".into();
            written(lab, other.clone())?;
            let at = json!({ "role_name": lab.name("web"), "policy_name": "read" });
            is(&lab.standing("iam.role_policy", at)?, "policy_document", other)
        },
    },
    Case {
        name: "a policy is written into a role that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/PutRolePolicy",
        run: |lab| {
            let input = json!({ "role_name": lab.name("web"), "policy_name": "read", "policy_document": document() });
            lab.call("iam.put_role_policy", input).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "a policy without resource is written into a role",
        aws: "`MalformedPolicyDocument`",
        page: "iam/PutRolePolicy",
        run: |lab| {
            lab.make("iam.create_role", role(lab))?;
            let statement = json!({ "Effect": "Allow", "Action": "s3:GetObject" });
            let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
            let input = json!({ "role_name": lab.name("web"), "policy_name": "read", "policy_document": document });
            lab.call("iam.put_role_policy", input).refused(&["MalformedPolicyDocument"])
        },
    },
    Case {
        name: "a written policy is deleted twice",
        aws: "`NoSuchEntity`",
        page: "iam/DeleteRolePolicy",
        run: |lab| {
            lab.make("iam.create_role", role(lab))?;
            written(lab, document())?;
            let at = json!({ "role_name": lab.name("web"), "policy_name": "read" });
            lab.delete("iam.role_policy", at.clone()).ok()?;
            lab.gone("iam.role_policy", at.clone())?;
            lab.delete("iam.role_policy", at).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "an identity provider is described as it was made",
        aws: "an ARN with the issuer, its clients, its thumbprints, the tags",
        page: "iam/CreateOpenIDConnectProvider",
        run: |lab| {
            let made = lab.make("iam.create_open_id_connect_provider", provider(lab))?;
            let end = format!(":oidc-provider/oidc.example.com/id/{}", lab.name("web"));
            holds(text(&made, "arn").ends_with(&end), "another ARN")?;
            lab.tagged(&made)?;
            let input = json!({ "open_id_connect_provider_arn": made["arn"] });
            let found = lab.call("iam.get_open_id_connect_provider", input).ok()?;
            is(&found, "client_id_list.0", "sts.amazonaws.com")?;
            holds(list(&found, "thumbprint_list").len() == 1, "other thumbprints")
        },
    },
    Case {
        name: "a second identity provider of the same issuer",
        aws: "`EntityAlreadyExists`",
        page: "iam/CreateOpenIDConnectProvider",
        run: |lab| {
            lab.make("iam.create_open_id_connect_provider", provider(lab))?;
            lab.call("iam.create_open_id_connect_provider", provider(lab)).refused(&["EntityAlreadyExists"])
        },
    },
    Case {
        name: "an identity provider is deleted, then asked for",
        aws: "`NoSuchEntity`",
        page: "iam/GetOpenIDConnectProvider",
        run: |lab| {
            let arn = lab.make("iam.create_open_id_connect_provider", provider(lab))?["arn"].clone();
            lab.delete("iam.open_id_connect_provider", json!({ "arn": arn })).ok()?;
            lab.gone("iam.open_id_connect_provider", json!({ "arn": arn }))?;
            let input = json!({ "open_id_connect_provider_arn": arn });
            lab.call("iam.get_open_id_connect_provider", input).refused(&["NoSuchEntity"])
        },
    },
];
