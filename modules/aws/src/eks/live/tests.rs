//! The shape of the requests to EKS, on the real SDK client.

use runbook_modules::{
    error::Class,
    resource::{Health, Kind},
};
use serde_json::{Value, json};

use crate::{
    eks::{call, cluster, driver, nodegroup},
    live::testing::{TOKEN, Wire, json_answer, sent, tag_json, tags},
};

fn asked() -> Value {
    json!({
        "name": "c", "role_arn": "arn:aws:iam::1:role/r", "version": "1.35",
        "resources_vpc_config": { "subnet_ids": ["subnet-1", "subnet-2"], "endpoint_private_access": true },
        "access_config": { "authentication_mode": "API_AND_CONFIG_MAP" }, "bootstrap_self_managed_addons": true,
    })
}

fn answered(status: &str) -> Value {
    json!({ "cluster": {
        "name": "c", "arn": "arn:aws:eks:us-east-1:1:cluster/c", "status": status, "version": "1.35", "roleArn": "arn:aws:iam::1:role/r",
        "endpoint": "https://X.gr7.us-east-1.eks.amazonaws.com", "certificateAuthority": { "data": "Q0E=" },
        "identity": { "oidc": { "issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/X" } },
        "resourcesVpcConfig": {
            "subnetIds": ["subnet-2", "subnet-1"], "clusterSecurityGroupId": "sg-1", "vpcId": "vpc-1",
            "endpointPublicAccess": true, "endpointPrivateAccess": true,
        },
        "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" }, "tags": { "Name": "web" },
    } })
}

#[tokio::test]
async fn create_cluster_carries_our_token_and_tags() {
    let wire = Wire::answering([json_answer(200, answered("CREATING"))]);
    let (input, tags) = (asked(), tags());
    let made = driver("eks.cluster").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(made["certificate_authority"]["data"], "Q0E=");
    assert_eq!(made["identity"]["oidc"]["issuer"], "https://oidc.eks.us-east-1.amazonaws.com/id/X");
    assert_eq!(made["resources_vpc_config"]["cluster_security_group_id"], "sg-1");
    assert_eq!((&made["id"], &made["region"], &made["status"]), (&json!("c"), &json!("us-east-1"), &json!("CREATING")));
    assert_eq!(cluster::KIND.differences(&input, &made), []);

    let seen = &wire.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path().as_str()), ("POST", "/clusters"));
    let body = seen.json();
    assert_eq!(body["clientRequestToken"], TOKEN);
    assert_eq!(body["tags"], tag_json());
    assert_eq!(
        body["resourcesVpcConfig"],
        json!({ "subnetIds": ["subnet-1", "subnet-2"], "endpointPrivateAccess": true })
    );
    assert_eq!(body["accessConfig"], json!({ "authenticationMode": "API_AND_CONFIG_MAP" }));
    assert_eq!((&body["version"], &body["bootstrapSelfManagedAddons"]), (&json!("1.35"), &json!(true)));
}

#[tokio::test]
async fn a_cluster_with_node_groups_is_blocked_and_a_missing_one_is_none() {
    let error = |code: &str, message: &str| json!({ "__type": code, "message": message });
    let wire = Wire::answering([
        json_answer(409, error("ResourceInUseException", "Cluster has nodegroups attached")),
        json_answer(404, error("ResourceNotFoundException", "No cluster found for name: c.")),
        json_answer(409, error("ResourceInUseException", "Cluster already exists with name: c")),
        json_answer(400, error("InvalidParameterException", "The role with arn x cannot be assumed")),
    ]);
    let cluster = driver("eks.cluster").unwrap();
    let (at, input, tags) = (json!({ "name": "c" }), asked(), tags());
    assert_eq!(cluster.delete(&wire.clients, &at, None).await.unwrap_err().class, Class::Blocked);
    assert_eq!(cluster.read(&wire.clients, &at).await.unwrap(), None);
    assert_eq!(cluster.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err().class, Class::AlreadyExists);
    assert_eq!(cluster.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err().class, Class::NotYet);
    assert_eq!((wire.seen()[0].method.as_str(), wire.seen()[0].path().as_str()), ("DELETE", "/clusters/c"));
}

#[tokio::test]
async fn create_nodegroup_carries_our_token_and_a_failure_names_its_reason() {
    let issues = json!({ "issues": [{ "code": "NodeCreationFailure", "message": "Instances failed to join the kubernetes cluster" }] });
    let answer = json!({ "nodegroup": {
        "clusterName": "c", "nodegroupName": "n", "nodegroupArn": "arn:n", "status": "CREATE_FAILED", "health": issues,
        "scalingConfig": { "minSize": 1, "maxSize": 3, "desiredSize": 2 }, "subnets": ["subnet-1"], "nodeRole": "arn:r",
    } });
    let wire = Wire::answering([json_answer(200, answer)]);
    let input = json!({
        "cluster_name": "c", "nodegroup_name": "n", "node_role": "arn:r", "subnets": ["subnet-1"], "instance_types": ["t3.medium"],
        "disk_size": 20, "ami_type": "AL2023_x86_64_STANDARD", "capacity_type": "ON_DEMAND",
        "scaling_config": { "min_size": 1, "max_size": 3, "desired_size": 2 }, "update_config": { "max_unavailable": 1 },
    });
    let tags = tags();
    let made = driver("eks.nodegroup").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let reason = "CREATE_FAILED: NodeCreationFailure: Instances failed to join the kubernetes cluster";
    assert_eq!(nodegroup::KIND.judge(&made), Health::Failed(reason.to_owned()));
    assert_eq!(
        nodegroup::KIND.locate(&Value::Null, &made),
        Some(json!({ "cluster_name": "c", "nodegroup_name": "n" }))
    );

    let (seen, body) = (&wire.seen()[0], wire.seen()[0].json());
    assert_eq!(seen.path(), "/clusters/c/node-groups");
    assert_eq!((&body["clientRequestToken"], &body["tags"]), (&json!(TOKEN), &tag_json()));
    assert_eq!(body["scalingConfig"], json!({ "minSize": 1, "maxSize": 3, "desiredSize": 2 }));
    assert_eq!((&body["amiType"], &body["diskSize"]), (&json!("AL2023_x86_64_STANDARD"), &json!(20)));
    assert_eq!(body["updateConfig"], json!({ "maxUnavailable": 1 }));
}

#[tokio::test]
async fn create_addon_carries_our_token_and_deletion_names_cluster_and_addon() {
    let answer = json!({ "addon": { "clusterName": "c", "addonName": "vpc-cni", "addonVersion": "v1", "status": "CREATING", "addonArn": "arn:a" } });
    let wire = Wire::answering([json_answer(200, answer.clone()), json_answer(200, answer)]);
    let input = json!({
        "cluster_name": "c", "addon_name": "vpc-cni", "resolve_conflicts": "OVERWRITE", "service_account_role_arn": "arn:r",
        "configuration_values": "{\"env\":{}}",
    });
    let (addon, tags) = (driver("eks.addon").unwrap(), tags());
    let made = addon.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["status"]), (&json!("c/vpc-cni"), &json!("CREATING")));
    addon.delete(&wire.clients, &json!({ "cluster_name": "c", "addon_name": "vpc-cni" }), None).await.unwrap();
    let body = wire.seen()[0].json();
    assert_eq!((&body["clientRequestToken"], &body["tags"]), (&json!(TOKEN), &tag_json()));
    assert_eq!(
        (&body["resolveConflicts"], &body["configurationValues"]),
        (&json!("OVERWRITE"), &json!("{\"env\":{}}"))
    );
    assert_eq!(wire.seen()[0].path(), "/clusters/c/addons");
    assert_eq!(
        (wire.seen()[1].method.as_str(), wire.seen()[1].path().as_str()),
        ("DELETE", "/clusters/c/addons/vpc-cni")
    );
}

#[tokio::test]
async fn update_addon_keeps_the_role_is_followed_by_its_update_and_put_back() {
    let addon = |status: &str, version: &str| {
        let addon = json!({
            "clusterName": "c", "addonName": "vpc-cni", "addonVersion": version, "status": status, "addonArn": "arn:a",
            "serviceAccountRoleArn": "arn:r",
        });
        json_answer(200, json!({ "addon": addon }))
    };
    let update = |status: &str, errors: Value| {
        json_answer(200, json!({ "update": { "id": "u", "type": "AddonUpdate", "status": status, "errors": errors } }))
    };
    let conflict = json!([{ "errorCode": "ConfigurationConflict", "errorMessage": "Conflicts found" }]);
    let wire = Wire::answering([
        addon("ACTIVE", "v1"),
        update("InProgress", json!([])),
        addon("ACTIVE", "v1"),
        update("InProgress", json!([])),
        addon("ACTIVE", "v2"),
        update("Successful", json!([])),
        addon("UPDATE_FAILED", "v1"),
        update("Failed", conflict),
        update("InProgress", json!([])),
    ]);
    let input = json!({
        "cluster_name": "c", "addon_name": "vpc-cni", "addon_version": "v2", "resolve_conflicts": "PRESERVE",
    });
    let (settings, kind, tags) = (driver("eks.addon_settings").unwrap(), &crate::eks::addon_settings::KIND, tags());
    let made = settings.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["addon_version"], &made["update_id"]), (&json!("v2"), &json!("u")));
    assert_eq!(kind.judge(&made), Health::Pending("InProgress".to_owned()));
    let at = kind.locate(&input, &made).unwrap();
    let mut seen_as = Vec::new();
    for _ in 0..3 {
        let found = settings.read(&wire.clients, &at).await.unwrap().unwrap();
        seen_as.push(kind.judge(&found));
    }
    let failed = Health::Failed("ConfigurationConflict: Conflicts found".to_owned());
    assert_eq!(seen_as, [Health::Pending("InProgress".to_owned()), Health::Ready, failed]);
    let before = json!({ "addon_version": "v1", "service_account_role_arn": "arn:r" });
    settings.delete(&wire.clients, &at, Some(&before)).await.unwrap();

    let seen = wire.seen();
    let (sent, back) = (seen[1].json(), seen[8].json());
    assert_eq!(seen[1].path(), "/clusters/c/addons/vpc-cni/update");
    assert_eq!((&sent["clientRequestToken"], &sent["addonVersion"]), (&json!(TOKEN), &json!("v2")));
    assert_eq!((&sent["serviceAccountRoleArn"], &sent["resolveConflicts"]), (&json!("arn:r"), &json!("PRESERVE")));
    assert_eq!(sent.get("configurationValues"), None);
    assert!(seen[3].uri.contains("addonName=vpc-cni"), "{}", seen[3].uri);
    assert_eq!((&back["addonVersion"], &back["serviceAccountRoleArn"]), (&json!("v1"), &json!("arn:r")));
    assert_eq!((&back["configurationValues"], &back["resolveConflicts"]), (&json!("{}"), &json!("PRESERVE")));
}

#[tokio::test]
async fn the_reads_page_and_answer_as_aws_does() {
    let tags = tags();
    let wire = Wire::answering([
        json_answer(200, json!({ "clusters": ["a"], "nextToken": "t" })),
        json_answer(200, json!({ "clusters": ["b"] })),
        json_answer(
            200,
            json!({ "addons": [{ "addonName": "vpc-cni", "type": "networking", "addonVersions": [{
            "addonVersion": "v1", "compatibilities": [{ "clusterVersion": "1.35", "defaultVersion": true }] }] }] }),
        ),
        json_answer(
            200,
            json!({ "clusterVersions": [{ "clusterVersion": "1.35", "defaultVersion": true, "versionStatus": "STANDARD_SUPPORT" }] }),
        ),
    ]);
    let ask =
        async |name: &str, input: Value| call(name).unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(ask("eks.list_clusters", json!({})).await, json!({ "clusters": ["a", "b"] }));
    let versions =
        ask("eks.describe_addon_versions", json!({ "addon_name": "vpc-cni", "kubernetes_version": "1.35" })).await;
    assert_eq!(versions["addons"][0]["addon_versions"][0]["compatibilities"][0]["default_version"], true);
    let versions = ask("eks.describe_cluster_versions", json!({})).await;
    let version = &versions["cluster_versions"][0];
    assert_eq!((&version["cluster_version"], &version["default_version"]), (&json!("1.35"), &json!(true)));
    assert!(wire.seen()[1].uri.contains("nextToken=t"), "{}", wire.seen()[1].uri);
    assert!(wire.seen()[2].uri.contains("addonName=vpc-cni"), "{}", wire.seen()[2].uri);
}

#[tokio::test]
async fn entries_and_associations_carry_our_token() {
    let entry = json!({ "accessEntry": { "clusterName": "c", "principalArn": "arn:r", "type": "EC2_LINUX", "kubernetesGroups": ["system:nodes"] } });
    let association = json!({ "association": { "clusterName": "c", "namespace": "kube-system", "serviceAccount": "karpenter", "roleArn": "arn:r", "associationId": "a-1" } });
    let listed = json!({ "associations": [{ "clusterName": "c", "associationId": "a-1" }] });
    let wire = Wire::answering([
        json_answer(200, entry),
        json_answer(200, association.clone()),
        json_answer(200, listed),
        json_answer(200, association),
    ]);
    let tags = tags();
    let input = json!({ "cluster_name": "c", "principal_arn": "arn:r", "type": "EC2_LINUX" });
    let made = driver("eks.access_entry").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["type"]), (&json!("c/arn:r"), &json!("EC2_LINUX")));
    let row = driver("eks.pod_identity_association").unwrap();
    let input =
        json!({ "cluster_name": "c", "namespace": "kube-system", "service_account": "karpenter", "role_arn": "arn:r" });
    let made = row.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(made["id"], "a-1");
    assert_eq!(row.find(&wire.clients, &sent(&input, &tags)).await.unwrap(), [made]);
    let seen = wire.seen();
    assert_eq!(
        (seen[0].path(), seen[1].path()),
        ("/clusters/c/access-entries".to_owned(), "/clusters/c/pod-identity-associations".to_owned())
    );
    for request in &seen[..2] {
        assert_eq!((&request.json()["clientRequestToken"], &request.json()["tags"]), (&json!(TOKEN), &tag_json()));
    }
    assert!(seen[2].uri.contains("serviceAccount=karpenter"), "{}", seen[2].uri);
}

#[tokio::test]
async fn an_update_carries_our_token_and_is_followed_by_its_id() {
    let update = |status: &str| {
        json_answer(200, json!({ "update": { "id": "u", "type": "EndpointAccessUpdate", "status": status } }))
    };
    let wire = Wire::answering([update("InProgress"), update("Successful")]);
    let input = json!({ "name": "c", "resources_vpc_config": { "endpoint_public_access": false, "endpoint_private_access": true } });
    let tags = tags();
    let made = call("eks.update_cluster_config").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let operation = &crate::eks::update_cluster_config::UPDATE;
    let settle = operation.settle.unwrap();
    assert_eq!((settle.judge)(&made), Health::Pending("InProgress".to_owned()));
    let poll = (settle.input)(&input, &made);
    let found = call(settle.poll).unwrap().call(&wire.clients, &sent(&poll, &tags)).await.unwrap();
    assert_eq!((settle.judge)(&found), Health::Ready);
    let body = wire.seen()[0].json();
    assert_eq!(body["clientRequestToken"], TOKEN);
    assert_eq!(body["resourcesVpcConfig"], json!({ "endpointPublicAccess": false, "endpointPrivateAccess": true }));
    assert_eq!(wire.seen()[1].path(), "/clusters/c/updates/u");
}
