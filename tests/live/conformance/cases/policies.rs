//! Managed policies and their attachment to roles.

use serde_json::{Value, json};

use super::roles::document;
use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

fn policy(lab: &Lab) -> Value {
    json!({ "policy_name": lab.name("read"), "policy_document": document() })
}

/// A role and a policy, attached: the attachment's locator.
fn attached(lab: &Lab) -> Result<Value, Other> {
    lab.role("web", "ec2.amazonaws.com")?;
    let arn = lab.make("iam.create_policy", policy(lab))?["arn"].clone();
    let input = json!({ "role_name": lab.name("web"), "policy_arn": arn });
    lab.make("iam.attach_role_policy", input.clone())?;
    Ok(input)
}

pub const CASES: &[Case] = &[
    Case {
        name: "a policy is described as it was made",
        aws: "its document, the path `/`, an ARN with its name, version v1, the tags",
        page: "iam/CreatePolicy",
        run: |lab| {
            let made = lab.make("iam.create_policy", policy(lab))?;
            holds(text(&made, "arn").ends_with(&format!(":policy/{}", lab.name("read"))), "another ARN")?;
            is(&made, "path", "/")?;
            is(&made, "default_version_id", "v1")?;
            is(&made, "policy_document", document())?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second policy of the same name",
        aws: "`EntityAlreadyExists`",
        page: "iam/CreatePolicy",
        run: |lab| {
            lab.make("iam.create_policy", policy(lab))?;
            lab.call("iam.create_policy", policy(lab)).refused(&["EntityAlreadyExists"])
        },
    },
    Case {
        name: "a policy without resource",
        aws: "`MalformedPolicyDocument`",
        page: "iam/CreatePolicy",
        run: |lab| {
            let statement = json!({ "Effect": "Allow", "Action": "s3:GetObject" });
            let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
            let input = json!({ "policy_name": lab.name("read"), "policy_document": document });
            lab.call("iam.create_policy", input).refused(&["MalformedPolicyDocument"])
        },
    },
    Case {
        name: "an attached policy is deleted",
        aws: "`DeleteConflict`",
        page: "iam/DeletePolicy",
        run: |lab| {
            let at = json!({ "arn": attached(lab)?["policy_arn"] });
            lab.delete("iam.policy", at).refused(&["DeleteConflict"])
        },
    },
    Case {
        name: "a policy is deleted twice",
        aws: "`NoSuchEntity`",
        page: "iam/DeletePolicy",
        run: |lab| {
            let at = json!({ "arn": lab.make("iam.create_policy", policy(lab))?["arn"] });
            lab.delete("iam.policy", at.clone()).ok()?;
            lab.gone("iam.policy", at.clone())?;
            lab.delete("iam.policy", at).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "a policy is attached twice",
        aws: "accepted, attached once",
        page: "iam/AttachRolePolicy",
        run: |lab| {
            let input = attached(lab)?;
            lab.call("iam.attach_role_policy", input.clone()).ok()?;
            let found = lab.call("iam.list_attached_role_policies", json!({ "role_name": lab.name("web") })).ok()?;
            holds(list(&found, "attached_policies").len() == 1, "attached twice")?;
            is(&found, "attached_policies.0.policy_arn", input["policy_arn"].clone())?;
            is(&found, "attached_policies.0.policy_name", lab.name("read"))
        },
    },
    Case {
        name: "one of AWS's own policies is attached",
        aws: "listed by its name, without the path of its ARN",
        page: "iam/ListAttachedRolePolicies",
        run: |lab| {
            lab.role("web", "ec2.amazonaws.com")?;
            let arn = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy";
            lab.make("iam.attach_role_policy", json!({ "role_name": lab.name("web"), "policy_arn": arn }))?;
            let found = lab.call("iam.list_attached_role_policies", json!({ "role_name": lab.name("web") })).ok()?;
            is(&found, "attached_policies.0.policy_name", "AmazonEBSCSIDriverPolicy")
        },
    },
    Case {
        name: "a policy that does not exist is attached",
        aws: "`NoSuchEntity`",
        page: "iam/AttachRolePolicy",
        run: |lab| {
            lab.role("web", "ec2.amazonaws.com")?;
            let input = json!({ "role_name": lab.name("web"), "policy_arn": "arn:aws:iam::123456789012:policy/none" });
            lab.call("iam.attach_role_policy", input).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "a policy is attached to a role that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/AttachRolePolicy",
        run: |lab| {
            let arn = lab.make("iam.create_policy", policy(lab))?["arn"].clone();
            let input = json!({ "role_name": lab.name("web"), "policy_arn": arn });
            lab.call("iam.attach_role_policy", input).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "a policy is detached twice",
        aws: "`NoSuchEntity`",
        page: "iam/DetachRolePolicy",
        run: |lab| {
            let at = attached(lab)?;
            lab.delete("iam.role_policy_attachment", at.clone()).ok()?;
            lab.gone("iam.role_policy_attachment", at.clone())?;
            lab.delete("iam.role_policy_attachment", at).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "the policies of a role that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/ListAttachedRolePolicies",
        run: |lab| {
            let input = json!({ "role_name": lab.name("web") });
            lab.call("iam.list_attached_role_policies", input).refused(&["NoSuchEntity"])
        },
    },
];
