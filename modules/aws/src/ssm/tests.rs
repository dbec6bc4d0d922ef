//! What the sandbox's Parameter Store answers.

use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn get(lab: &Lab, name: &str) -> Value {
    lab.call("ssm.get_parameter", json!({ "name": name })).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn the_images_of_eks_are_known() {
    let lab = Lab::new();
    let name = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/image_id";
    let found = get(&lab, name);
    let image = found["value"].as_str().unwrap();
    assert!(image.starts_with("ami-0") && image.len() == 21, "{image}");
    assert_eq!((&found["type"], &found["version"]), (&json!("String"), &json!(1)));
    assert_eq!(found["arn"], format!("arn:aws:ssm:us-east-1::parameter{name}"));
    assert_eq!(get(&lab, name), found, "always the same");
    let others = [
        name.replace("1.35", "1.34"),
        name.replace("x86_64", "arm64"),
        name.replace("standard", "nvidia"),
        "/aws/service/bottlerocket/aws-k8s-1.35/x86_64/latest/image_id".to_owned(),
        "/aws/service/bottlerocket/aws-k8s-1.35-nvidia/arm64/latest/image_id".to_owned(),
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64".to_owned(),
    ];
    let mut images: Vec<String> = others.iter().map(|name| get(&lab, name)["value"].to_string()).collect();
    images.push(found["value"].to_string());
    images.sort();
    images.dedup();
    assert_eq!(images.len(), others.len() + 1, "each has an image of its own");
    let release = get(&lab, &name.replace("image_id", "release_version"));
    assert_eq!(release["value"], "1.35.0-20260101");
    let bottlerocket = get(&lab, "/aws/service/bottlerocket/aws-k8s-1.35/x86_64/latest/image_version");
    let version = bottlerocket["value"].as_str().unwrap().split('-').next().unwrap();
    let pinned = format!("/aws/service/bottlerocket/aws-k8s-1.35/x86_64/{version}/image_id");
    assert_eq!(get(&lab, &pinned)["value"], get(&lab, &others[3])["value"]);
}

#[test]
fn other_names_are_not_found() {
    let lab = Lab::new();
    for name in [
        "/prod/db",
        "/aws/service/eks/optimized-ami/1.11/amazon-linux-2023/x86_64/standard/recommended/image_id",
        "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/arm64/neuron/recommended/image_id",
        "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended",
        "/aws/service/bottlerocket/aws-k8s-1.35/x86_64/0.9/image_id",
        "/aws/service/bottlerocket/aws-ecs-2/x86_64/latest/image_id",
    ] {
        assert_eq!(code(lab.call("ssm.get_parameter", json!({ "name": name }))), "ParameterNotFound", "{name}");
    }
    for wrong in ["", "a b", "ä"] {
        assert_eq!(lab.check("ssm.get_parameter", json!({ "name": wrong })).unwrap_err().path, "name");
    }
}

#[test]
fn what_the_customer_has_is_answered_by_name_arn_and_version() {
    let lab = Lab::new();
    lab.put_object("ssm.parameter", "", "/prod/url", json!({ "value": "https://example.com", "version": 4 }));
    lab.put_object("ssm.parameter", "us-east-1", "plain", json!({ "value": "v", "type": "StringList" }));
    let found = get(&lab, "/prod/url");
    assert_eq!((&found["value"], &found["type"]), (&json!("https://example.com"), &json!("String")));
    for name in [found["arn"].as_str().unwrap(), "/prod/url:4"] {
        assert_eq!(get(&lab, name), found, "{name}");
    }
    let plain = get(&lab, "plain");
    assert_eq!(plain["arn"], "arn:aws:ssm:us-east-1:123456789012:parameter/plain");
    assert_eq!(get(&lab, "arn:aws:ssm:us-east-1:123456789012:parameter/plain"), plain);
    let other = lab.call("ssm.get_parameter", json!({ "name": "/prod/url:3" }));
    assert_eq!(code(other), "ParameterVersionNotFound");
}

#[test]
fn an_arn_names_region_and_account() {
    let lab = Lab::new();
    lab.put_object("ssm.parameter", "", "/prod/url", json!({ "value": "v" }));
    let asked = |arn: String| lab.call("ssm.get_parameter", json!({ "name": arn }));
    let of = |region: &str, account: &str| asked(format!("arn:aws:ssm:{region}:{account}:parameter/prod/url"));
    assert_eq!(of("us-east-1", "123456789012").unwrap()["value"], "v");
    assert_eq!(code(of("eu-west-1", "123456789012")), "ParameterNotFound");
    assert_eq!(code(of("us-east-1", "210987654321")), "AccessDeniedException");
    assert_eq!(code(of("us-east-1", "")), "ParameterNotFound", "it is none of AWS's own");
    let image = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
    assert_eq!(asked(format!("arn:aws:ssm:us-east-1::parameter{image}:1")).unwrap(), get(&lab, image));
    assert_eq!(code(asked(format!("arn:aws:ssm:us-east-1:123456789012:parameter{image}"))), "ParameterNotFound");
}

#[test]
fn a_secure_string_comes_in_clear_only_when_that_is_asked_for() {
    let lab = Lab::new();
    lab.put_object("ssm.parameter", "", "/prod/db", json!({ "value": "{{a placeholder}}", "type": "SecureString" }));
    let hidden = get(&lab, "/prod/db");
    assert!(!hidden["value"].as_str().unwrap().contains("placeholder"), "{hidden}");
    let clear = lab.call("ssm.get_parameter", json!({ "name": "/prod/db", "with_decryption": true })).unwrap();
    assert_eq!((&clear["type"], &clear["value"]), (&json!("SecureString"), &json!("{{a placeholder}}")));
}
