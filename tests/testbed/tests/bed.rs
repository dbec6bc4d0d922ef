//! The whole testbed: a cluster that is created through the proxy has a real control plane behind it.

use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::{Api, api::ListParams};
use runbook_testbed::{
    bed::{Bed, Options},
    tools,
};
use serde_json::{Value, json};

use crate::common::{
    aws::{form, request},
    between, running_in,
};

fn eks(url: &str, head: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = request(url, "eks", head, "application/json", &body);
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).expect("JSON")
}

/// Asks until a description has a status, at most two minutes.
fn until_status(url: &str, path: &str, field: &str, wanted: &str) -> Value {
    for _ in 0..600 {
        let described = eks(url, &format!("GET {path}"), &Value::Null)[field].take();
        match described["status"].as_str() {
            Some(status) if status == wanted => return described,
            Some("CREATING") => std::thread::sleep(Duration::from_millis(200)),
            _ => panic!("{described}"),
        }
    }
    panic!("{path} never became {wanted}");
}

/// Asks until a description is refused because there is no such thing, at most two minutes.
fn until_gone(url: &str, path: &str) {
    for _ in 0..600 {
        if request(url, "eks", &format!("GET {path}"), "application/json", "").starts_with("HTTP/1.1 404") {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{path} never went");
}

/// A VPC with two subnets, and a role that EKS and EC2 may take.
fn ground(url: &str) -> (Vec<String>, String) {
    let vpc = form(url, "ec2", "Action=CreateVpc&CidrBlock=10.5.0.0%2F16");
    let vpc = between(&vpc, "<vpcId>", "<");
    let subnet = |number: usize, zone: &str| {
        let answer = form(
            url,
            "ec2",
            &format!(
                "Action=CreateSubnet&VpcId={vpc}&CidrBlock=10.5.1{number}.0%2F24&AvailabilityZone=us-east-1{zone}"
            ),
        );
        between(&answer, "<subnetId>", "<").to_owned()
    };
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": ["eks.amazonaws.com", "ec2.amazonaws.com"] },
            "Action": "sts:AssumeRole",
        }],
    })
    .to_string();
    let trust: String = form_urlencoded::byte_serialize(trust.as_bytes()).collect();
    let role = form(url, "iam", &format!("Action=CreateRole&RoleName=demo&AssumeRolePolicyDocument={trust}"));
    (vec![subnet(1, "a"), subnet(2, "b")], between(&role, "<Arn>", "<").to_owned())
}

#[test]
fn a_cluster_has_a_real_control_plane_until_it_is_deleted() {
    let Some(tools) = tools::require() else { return };
    let bed = Bed::start(&tools, Options::default()).expect("a testbed");
    let url = bed.proxy().url();
    let (subnets, role) = ground(&url);
    eks(
        &url,
        "POST /clusters",
        &json!({ "name": "demo", "roleArn": role, "resourcesVpcConfig": { "subnetIds": subnets } }),
    );
    let described = until_status(&url, "/clusters/demo", "cluster", "ACTIVE");
    let plane = bed.plane("demo").expect("a control plane");
    assert_eq!(described["endpoint"], json!(plane.control_plane().endpoint()));

    let scaling = json!({ "desiredSize": 2, "minSize": 1, "maxSize": 3 });
    let group = json!({ "nodegroupName": "workers", "nodeRole": role, "subnets": subnets, "scalingConfig": scaling });
    eks(&url, "POST /clusters/demo/node-groups", &group);
    until_status(&url, "/clusters/demo/node-groups/workers", "nodegroup", "ACTIVE");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let nodes = runtime.block_on(async {
        let nodes = Api::<Node>::all(plane.control_plane().client());
        nodes.list(&ListParams::default()).await.expect("nodes").items
    });
    assert_eq!(nodes.len(), 2);
    let made: Vec<_> = bed.proxy().log().into_iter().map(|entry| entry.operation).collect();
    assert_eq!(made, ["CreateVpc", "CreateRole", "CreateSubnet", "CreateSubnet", "CreateCluster", "CreateNodegroup"]);

    let folder = plane.control_plane().admin_kubeconfig().parent().expect("a folder").to_owned();
    drop((nodes, plane));
    for path in ["/clusters/demo/node-groups/workers", "/clusters/demo"] {
        assert!(!running_in(&folder).is_empty());
        eks(&url, &format!("DELETE {path}"), &Value::Null);
        until_gone(&url, path);
    }
    assert_eq!(running_in(&folder), Vec::<String>::new());
    assert!(bed.plane("demo").is_none());
}
