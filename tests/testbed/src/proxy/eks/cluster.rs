//! Clusters: a real control plane, an issuer and a security group of its own for each.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until};

use super::{
    super::{
        answer::Answer,
        emulator::{Incoming, Json},
        parse::{Call, Credential},
        pending::{self, Failure, What},
        shared::Shared,
        xml::Element,
    },
    Cluster, Key, access, health, key, no_cluster, versions,
};

fn invalid(call: &Call, text: &str) -> Answer {
    Answer::error(call, 400, "InvalidParameterException", text)
}

fn subnets(call: &Call) -> Vec<String> {
    let ids = call.fields.pointer("/resourcesVpcConfig/subnetIds").and_then(Value::as_array);
    ids.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The subnets as EC2 describes them.
async fn described(shared: &Shared, who: &Credential, ids: &[String]) -> Result<Vec<Element>, String> {
    let mut found = Vec::new();
    for id in ids {
        let fields = [("SubnetId.1", id.as_str())];
        let answer = shared.emulators.form(who, "ec2", "DescribeSubnets", &fields).await;
        let answer = answer.map_err(|_| format!("The subnet ID '{id}' does not exist"))?;
        found.extend(answer.items(&["subnetSet"]).to_vec());
    }
    Ok(found)
}

/// Whether a role exists and trusts a service.
pub(super) async fn trusts(shared: &Shared, who: &Credential, arn: &str, service: &str) -> Option<bool> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let role = shared.emulators.form(who, "iam", "GetRole", &[("RoleName", name)]).await.ok()?;
    let role = role.child("GetRoleResult")?.child("Role")?;
    let policy = percent_encoding::percent_decode_str(role.at(&["AssumeRolePolicyDocument"])).decode_utf8_lossy();
    (role.at(&["Arn"]) == arn).then(|| policy.contains(service))
}

/// CreateCluster.
pub async fn create(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let who = &call.credential;
    let subnets = match described(shared, who, &subnets(call)).await {
        Ok(subnets) => subnets,
        Err(text) => return invalid(call, &text),
    };
    let zones: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.at(&["availabilityZone"])).collect();
    if zones.len() < 2 {
        return invalid(call, "Subnets specified must be in at least two different AZs");
    }
    let role = call.text("roleArn");
    if trusts(shared, who, role, "eks.amazonaws.com").await != Some(true) {
        let text = format!(
            "Role with arn: {role}, could not be assumed because it does not exist or the trusted entity is not correct"
        );
        return invalid(call, &text);
    }
    let version = call.fields.get("version").and_then(Value::as_str).unwrap_or(versions::DEFAULT).to_owned();
    if !versions::KUBERNETES.contains(&version.as_str()) {
        return invalid(call, &format!("unsupported Kubernetes version {version}"));
    }
    let answer = shared.emulators.forward(incoming, call).await;
    if !answer.ok() {
        return answer;
    }
    let vpc = subnets.first().map(|subnet| subnet.at(&["vpcId"]).to_owned()).unwrap_or_default();
    let key = key(call);
    let digest = Sha256::digest(format!("{}/{}/{}/{}", key.0, key.1, key.2, shared.eks().generation(&key)));
    let unique = hex::encode_upper(digest)[..32].to_owned();
    let mut made = Cluster { overlay: overlay(call, &version, &vpc), unique, ..Cluster::default() };
    match network(shared, call, &made.unique, &vpc, &subnets).await {
        Ok((group, interfaces)) => (made.security_group, made.interfaces) = (group, interfaces),
        Err(why) => made.overlay.extend([("health".to_owned(), health("InternalFailure", &why))]),
    }
    if let Ok(caller) = shared.emulators.form(who, "sts", "GetCallerIdentity", &[]).await {
        let arn = caller.at(&["GetCallerIdentityResult", "Arn"]);
        let given =
            call.fields.pointer("/accessConfig/bootstrapClusterCreatorAdminPermissions").and_then(Value::as_bool);
        if given.unwrap_or(true) {
            made.entries.insert(access::principal(arn), access::Entry::of_creator(&key, &access::principal(arn)));
        }
    }
    let status = described_over(answer.value(), &made);
    shared.eks().clusters().insert(key.clone(), made);
    let failure = shared.plans.take(What::Cluster, &key.2);
    let due = pending::due(shared.pending.cluster);
    tokio::spawn(become_active(Arc::clone(shared), key, version, due, failure));
    answer.with_value(&status)
}

/// What EKS adds to what was asked for.
fn overlay(call: &Call, version: &str, vpc: &str) -> Map<String, Value> {
    let given = |path: &str, otherwise: Value| call.fields.pointer(path).cloned().unwrap_or(otherwise);
    let overlay = json!({
        "status": "CREATING",
        "version": version,
        "platformVersion": "eks.1",
        "resourcesVpcConfig": {
            "subnetIds": given("/resourcesVpcConfig/subnetIds", json!([])),
            "securityGroupIds": given("/resourcesVpcConfig/securityGroupIds", json!([])),
            "vpcId": vpc,
            "endpointPublicAccess": given("/resourcesVpcConfig/endpointPublicAccess", true.into()),
            "endpointPrivateAccess": given("/resourcesVpcConfig/endpointPrivateAccess", false.into()),
            "publicAccessCidrs": given("/resourcesVpcConfig/publicAccessCidrs", json!(["0.0.0.0/0"])),
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": given("/kubernetesNetworkConfig/serviceIpv4Cidr", "172.20.0.0/16".into()),
            "ipFamily": given("/kubernetesNetworkConfig/ipFamily", "ipv4".into()),
        },
        "accessConfig": {
            "authenticationMode": given("/accessConfig/authenticationMode", "CONFIG_MAP".into()),
            "bootstrapClusterCreatorAdminPermissions": given("/accessConfig/bootstrapClusterCreatorAdminPermissions", true.into()),
        },
        "upgradePolicy": given("/upgradePolicy", json!({ "supportType": "EXTENDED" })),
        "deletionProtection": given("/deletionProtection", false.into()),
        "health": { "issues": [] },
    });
    match overlay {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The cluster security group, and the network interfaces through which the control plane reaches the subnets.
async fn network(
    shared: &Shared, call: &Call, unique: &str, vpc: &str, subnets: &[Element],
) -> Result<(String, BTreeSet<String>), String> {
    let (emulators, who, cluster) = (&shared.emulators, &call.credential, call.text("name"));
    let digits: String = unique.bytes().map(|byte| char::from(b'0' + byte % 10)).take(9).collect();
    let name = format!("eks-cluster-sg-{cluster}-{digits}");
    let owned = format!("kubernetes.io/cluster/{cluster}");
    let text = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any \
                managed workloads.";
    let fields = [
        ("GroupName", name.as_str()),
        ("GroupDescription", text),
        ("VpcId", vpc),
        ("TagSpecification.1.ResourceType", "security-group"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", &name),
        ("TagSpecification.1.Tag.2.Key", &owned),
        ("TagSpecification.1.Tag.2.Value", "owned"),
        ("TagSpecification.1.Tag.3.Key", "aws:eks:cluster-name"),
        ("TagSpecification.1.Tag.3.Value", cluster),
    ];
    let made = emulators.form(who, "ec2", "CreateSecurityGroup", &fields).await?;
    let group = made.at(&["groupId"]).to_owned();
    let rule = [
        ("GroupId", group.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.Groups.1.GroupId", &group),
    ];
    emulators.form(who, "ec2", "AuthorizeSecurityGroupIngress", &rule).await?;
    let mut groups = vec![group.clone()];
    let more = call.fields.pointer("/resourcesVpcConfig/securityGroupIds").and_then(Value::as_array);
    groups.extend(more.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    let mut interfaces = BTreeSet::new();
    for subnet in subnets.iter().take(2) {
        let description = format!("Amazon EKS {cluster}");
        let mut fields =
            vec![("SubnetId".to_owned(), subnet.at(&["subnetId"])), ("Description".to_owned(), description.as_str())];
        fields.extend(groups.iter().enumerate().map(|(i, id)| (format!("SecurityGroupId.{}", i + 1), id.as_str())));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(field, value)| (field.as_str(), *value)).collect();
        let made = emulators.form(who, "ec2", "CreateNetworkInterface", &fields).await?;
        interfaces.insert(made.at(&["networkInterface", "networkInterfaceId"]).to_owned());
    }
    Ok((group, interfaces))
}

/// Starts the control plane, and makes the cluster ACTIVE when it is reached, but not before its time.
async fn become_active(shared: Arc<Shared>, key: Key, version: String, due: Instant, failure: Option<Failure>) {
    let reached = match failure {
        Some(failure) => Err((failure.code, failure.message)),
        None => {
            let reached = shared.clusters.create(&key.2, &version).await;
            reached.map_err(|why| ("InternalFailure".to_owned(), why))
        }
    };
    sleep_until(due).await;
    shared.eks().with(&key, |cluster| match reached {
        Ok(reached) => {
            let issuer = format!("https://oidc.eks.{}.amazonaws.com/id/{}", key.1, cluster.unique);
            let overlay = &mut cluster.overlay;
            overlay.insert("endpoint".into(), reached.endpoint.into());
            overlay.insert("certificateAuthority".into(), json!({ "data": STANDARD.encode(reached.ca_pem) }));
            overlay.insert("identity".into(), json!({ "oidc": { "issuer": issuer } }));
            overlay["resourcesVpcConfig"]["clusterSecurityGroupId"] = cluster.security_group.clone().into();
            overlay.insert("status".into(), "ACTIVE".into());
        }
        Err((code, message)) => {
            cluster.overlay.insert("status".into(), "FAILED".into());
            cluster.overlay.insert("health".into(), health(&code, &message));
        }
    });
}

/// moto's answer with the overlay. What is not known yet is left out, as EKS does.
fn described_over(mut answer: Value, cluster: &Cluster) -> Value {
    if let Some(map) = answer.get_mut("cluster").and_then(Value::as_object_mut) {
        for field in ["endpoint", "certificateAuthority", "identity"] {
            map.remove(field);
        }
        map.extend(cluster.overlay.clone());
    }
    answer
}

/// DescribeCluster.
pub async fn describe(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let answer = shared.emulators.forward(incoming, call).await;
    let known = shared.eks().with(&key(call), |cluster| cluster.clone());
    match known.filter(|_| answer.ok()) {
        Some(cluster) => {
            let value = described_over(answer.value(), &cluster);
            answer.with_value(&value)
        }
        None => answer,
    }
}

/// DeleteCluster.
pub async fn delete(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let key = key(call);
    let Some(cluster) = shared.eks().with(&key, |cluster| cluster.clone()) else { return no_cluster(call, &key.2) };
    let in_use = |text: &str| Answer::error(call, 409, "ResourceInUseException", text);
    if !cluster.nodegroups.is_empty() {
        return in_use("Cluster has nodegroups attached");
    }
    if matches!(cluster.status(), "CREATING" | "UPDATING") {
        return in_use(&format!("Cannot delete because cluster {} currently has an update in progress", key.2));
    }
    if cluster.overlay.get("deletionProtection") == Some(&Value::Bool(true)) {
        let text = "Cannot delete a cluster with deletion protection enabled";
        return Answer::error(call, 400, "InvalidRequestException", text);
    }
    let begins = cluster.status() != "DELETING";
    shared.eks().with(&key, |cluster| cluster.overlay.insert("status".into(), "DELETING".into()));
    if begins {
        let due = pending::due(shared.pending.cluster);
        tokio::spawn(become_gone(Arc::clone(shared), key, call.credential.clone(), due));
    }
    let asked = Incoming { method: http::Method::GET, body: bytes::Bytes::new(), ..incoming.clone() };
    describe(shared, &asked, call).await
}

async fn become_gone(shared: Arc<Shared>, key: Key, who: Credential, due: Instant) {
    let ended = shared.clusters.delete(&key.2).await;
    sleep_until(due).await;
    if let Err(why) = ended {
        shared.eks().with(&key, |cluster| {
            cluster.overlay.insert("status".into(), "FAILED".into());
            cluster.overlay.insert("health".into(), health("InternalFailure", &why));
        });
        return;
    }
    let Some(cluster) = shared.eks().with(&key, |cluster| cluster.clone()) else { return };
    for interface in &cluster.interfaces {
        let fields = [("NetworkInterfaceId", interface.as_str())];
        let _ = shared.emulators.form(&who, "ec2", "DeleteNetworkInterface", &fields).await;
    }
    let fields = [("GroupId", cluster.security_group.as_str())];
    // The group is EKS's own: when somebody deleted it, there is nothing left to do.
    let _ = shared.emulators.form(&who, "ec2", "DeleteSecurityGroup", &fields).await;
    let _ = shared.emulators.json(&who, "eks", Json::Delete(&format!("/clusters/{}", key.2)), &Value::Null).await;
    shared.eks().clusters().remove(&key);
}
