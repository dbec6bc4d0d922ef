//! What the sandbox's IAM answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn trust() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "Service": "eks.amazonaws.com" }, "Action": "sts:AssumeRole" }] })
}

fn permission(action: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] })
}

fn role(name: &str) -> Value {
    json!({ "role_name": name, "assume_role_policy_document": trust() })
}

#[test]
fn a_role_is_described_with_arn_and_document() {
    let lab = Lab::new();
    let made =
        lab.make("iam.create_role", json!({ "role_name": "r", "assume_role_policy_document": trust().to_string() }));
    assert_eq!(made["id"], "r");
    assert_eq!(made["arn"], "arn:aws:iam::123456789012:role/r");
    assert_eq!(made["assume_role_policy_document"], trust());
    assert_eq!(lab.call("iam.get_role", json!({ "role_name": "r" })).unwrap()["arn"], made["arn"]);
    assert_eq!(code(lab.call("iam.get_role", json!({ "role_name": "x" }))), "NoSuchEntity");
}

#[test]
fn a_second_role_of_the_same_name_is_refused_and_the_first_is_found() {
    let lab = Lab::new();
    lab.make("iam.create_role", role("r"));
    let error = lab.call("iam.create_role", role("r")).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "EntityAlreadyExists"));
    assert_eq!(lab.find("iam.role", &"f".repeat(64), role("r")).len(), 1);
}

#[test]
fn a_role_with_policies_is_not_deleted() {
    let lab = Lab::new();
    lab.make("iam.create_role", role("r"));
    let policy = json!({ "role_name": "r", "policy_arn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy" });
    lab.make("iam.attach_role_policy", policy.clone());
    lab.make("iam.attach_role_policy", policy.clone());
    let written = json!({ "role_name": "r", "policy_name": "p", "policy_document": permission("s3:GetObject") });
    lab.make("iam.put_role_policy", written);
    let listed = lab.call("iam.list_attached_role_policies", json!({ "role_name": "r" })).unwrap();
    let attached = json!({ "policy_name": "AmazonEKSClusterPolicy", "policy_arn": policy["policy_arn"] });
    assert_eq!(listed, json!({ "attached_policies": [attached] }));

    let error = lab.delete("iam.role", json!({ "role_name": "r" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "DeleteConflict"));
    lab.delete("iam.role_policy_attachment", policy).unwrap();
    lab.delete("iam.role_policy", json!({ "role_name": "r", "policy_name": "p" })).unwrap();
    lab.delete("iam.role", json!({ "role_name": "r" })).unwrap();
    assert_eq!(code(lab.delete("iam.role", json!({ "role_name": "r" }))), "NoSuchEntity");
}

#[test]
fn what_stood_before_is_put_back() {
    let lab = Lab::new();
    lab.make("iam.create_role", role("r"));
    let at = json!({ "role_name": "r", "policy_name": "p" });
    let put = |action: &str| {
        let document = permission(action);
        lab.make("iam.put_role_policy", json!({ "role_name": "r", "policy_name": "p", "policy_document": document }))
    };
    let before = put("s3:GetObject");
    put("s3:*");
    lab.put_back("iam.role_policy", at.clone(), Some(&before)).unwrap();
    assert_eq!(lab.read("iam.role_policy", at).unwrap()["policy_document"], before["policy_document"]);
}

#[test]
fn a_policy_in_use_is_not_deleted() {
    let lab = Lab::new();
    lab.make("iam.create_role", role("r"));
    let arn = lab
        .make("iam.create_policy", json!({ "policy_name": "p", "policy_document": permission("s3:GetObject") }))["arn"]
        .clone();
    assert_eq!(arn, "arn:aws:iam::123456789012:policy/p");
    lab.make("iam.attach_role_policy", json!({ "role_name": "r", "policy_arn": arn }));
    assert_eq!(code(lab.delete("iam.policy", json!({ "arn": arn }))), "DeleteConflict");
    lab.delete("iam.role_policy_attachment", json!({ "role_name": "r", "policy_arn": arn })).unwrap();
    lab.delete("iam.policy", json!({ "arn": arn })).unwrap();
    let gone = lab.call("iam.attach_role_policy", json!({ "role_name": "r", "policy_arn": arn }));
    assert_eq!(code(gone), "NoSuchEntity");
}

#[test]
fn an_account_has_one_provider_for_an_issuer() {
    let lab = Lab::new();
    let input = json!({ "url": "https://oidc.example/id/1", "client_id_list": ["sts.amazonaws.com"] });
    let made = lab.make("iam.create_open_id_connect_provider", input.clone());
    assert_eq!(made["arn"], "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1");
    assert_eq!(code(lab.call("iam.create_open_id_connect_provider", input)), "EntityAlreadyExists");
    let got =
        lab.call("iam.get_open_id_connect_provider", json!({ "open_id_connect_provider_arn": made["arn"] })).unwrap();
    assert_eq!(got["client_id_list"], json!(["sts.amazonaws.com"]));
}

#[test]
fn an_access_key_tells_its_secret_once() {
    let lab = Lab::new();
    let user = lab.make("iam.create_user", json!({ "user_name": "backup", "path": "/jobs/" }));
    assert_eq!(user["arn"], "arn:aws:iam::123456789012:user/jobs/backup");
    let made = lab.call("iam.create_access_key", json!({ "user_name": "backup" })).unwrap();
    assert_eq!(made["secret_access_key"].as_str().map(str::len), Some(40));
    let at = json!({ "user_name": "backup", "access_key_id": made["access_key_id"] });
    let read = lab.read("iam.access_key", at.clone()).unwrap();
    assert_eq!(
        (read["status"].as_str(), read.get("secret_access_key"), read.get("tags")),
        (Some("Active"), None, None)
    );

    assert_eq!(code(lab.call("iam.create_access_key", json!({ "user_name": "nobody" }))), "NoSuchEntity");
    lab.make("iam.create_access_key", json!({ "user_name": "backup" }));
    assert_eq!(code(lab.call("iam.create_access_key", json!({ "user_name": "backup" }))), "LimitExceeded");
    assert_eq!(lab.find("iam.access_key", &"f".repeat(64), json!({ "user_name": "backup" })).len(), 2);
    lab.delete("iam.access_key", at).unwrap();
}

#[test]
fn a_user_with_keys_or_policies_is_not_deleted() {
    let lab = Lab::new();
    lab.make("iam.create_user", json!({ "user_name": "backup" }));
    assert_eq!(code(lab.call("iam.create_user", json!({ "user_name": "backup" }))), "EntityAlreadyExists");
    let key = lab.call("iam.create_access_key", json!({ "user_name": "backup" })).unwrap();
    let policy = json!({ "user_name": "backup", "policy_name": "p", "policy_document": permission("s3:PutObject") });
    lab.make("iam.put_user_policy", policy);
    let at = json!({ "user_name": "backup" });
    assert_eq!(code(lab.delete("iam.user", at.clone())), "DeleteConflict");
    lab.delete("iam.access_key", json!({ "user_name": "backup", "access_key_id": key["id"] })).unwrap();
    assert_eq!(code(lab.delete("iam.user", at.clone())), "DeleteConflict");
    lab.delete("iam.user_policy", json!({ "user_name": "backup", "policy_name": "p" })).unwrap();
    lab.delete("iam.user", at).unwrap();
}

#[test]
fn an_instance_profile_holds_one_role_and_goes_after_it() {
    let lab = Lab::new();
    lab.make("iam.create_role", role("r"));
    lab.make("iam.create_role", role("s"));
    let made = lab.make("iam.create_instance_profile", json!({ "instance_profile_name": "p" }));
    assert_eq!(made["arn"], "arn:aws:iam::123456789012:instance-profile/p");
    let held = json!({ "instance_profile_name": "p", "role_name": "r" });
    lab.make("iam.add_role_to_instance_profile", held.clone());
    let second =
        lab.call("iam.add_role_to_instance_profile", json!({ "instance_profile_name": "p", "role_name": "s" }));
    assert_eq!(code(second), "LimitExceeded");
    let error = lab.delete("iam.instance_profile", json!({ "instance_profile_name": "p" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "DeleteConflict"));
    assert_eq!(lab.delete("iam.role", json!({ "role_name": "r" })).unwrap_err().class, Class::Blocked);
    lab.delete("iam.instance_profile_role", held).unwrap();
    lab.delete("iam.instance_profile", json!({ "instance_profile_name": "p" })).unwrap();
}

#[test]
fn a_profile_of_others_goes_with_the_role_in_it() {
    let lab = Lab::new();
    lab.make("iam.create_role", role("r"));
    for (name, path) in [("p", "/nodes/"), ("q", "/")] {
        lab.make("iam.create_instance_profile", json!({ "instance_profile_name": name, "path": path }));
    }
    lab.make("iam.add_role_to_instance_profile", json!({ "instance_profile_name": "p", "role_name": "r" }));
    let listed = lab.call("iam.list_instance_profiles", json!({ "path_prefix": "/nodes/" })).unwrap();
    let listed = listed["instance_profiles"].as_array().unwrap().clone();
    assert_eq!((listed.len(), &listed[0]["roles"], listed[0].get("tags")), (1, &json!(["r"]), None));
    let at = json!({ "instance_profile_name": "p" });
    let told = lab.call("iam.get_instance_profile", at.clone()).unwrap();
    assert!(told["roles"] == json!(["r"]) && told["tags"].is_object(), "{told}");
    lab.call("iam.delete_instance_profile", at.clone()).unwrap();
    for function in ["iam.get_instance_profile", "iam.delete_instance_profile"] {
        assert_eq!(code(lab.call(function, at.clone())), "NoSuchEntity", "{function}");
    }
    lab.delete("iam.role", json!({ "role_name": "r" })).unwrap();
    let left = lab.call("iam.list_instance_profiles", json!({})).unwrap();
    assert_eq!(left["instance_profiles"][0]["instance_profile_name"], "q");
}

#[test]
fn an_account_has_one_linked_role_for_a_service() {
    let lab = Lab::new();
    let input = json!({ "aws_service_name": "spot.amazonaws.com" });
    let made = lab.make("iam.create_service_linked_role", input.clone());
    assert_eq!(made["role_name"], "AWSServiceRoleForEC2Spot");
    assert_eq!(lab.call("iam.create_service_linked_role", input.clone()).unwrap_err().class, Class::AlreadyExists);
    assert_eq!(lab.find("iam.service_linked_role", &"f".repeat(64), input).len(), 1);
}

#[test]
fn a_boundary_is_a_policy_that_stands() {
    let lab = Lab::new();
    let bounded = |arn: &Value| json!({ "user_name": "robot", "permissions_boundary": arn });
    let none = json!("arn:aws:iam::123456789012:policy/none");
    assert_eq!(code(lab.call("iam.create_user", bounded(&none))), "NoSuchEntity");
    let mut input = role("web");
    input["permissions_boundary"] = none;
    assert_eq!(code(lab.call("iam.create_role", input)), "NoSuchEntity");
    let input = json!({ "policy_name": "p", "policy_document": permission("s3:GetObject") });
    let policy = lab.make("iam.create_policy", input);
    lab.make("iam.create_user", bounded(&policy["arn"]));
}
