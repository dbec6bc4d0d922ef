//! How the sandbox simulates a cluster: what EKS refuses, what it makes along with it (a security group, network interfaces,
//! what runs in every cluster, a log group when it logs).

use runbook_modules::{
    error::{CallError, Class},
    resource::Kind,
    sandbox::{
        k8s,
        sim::{Failing, Sim, SimCall, Simple},
        simple::lookup,
        world::{Object, World, key},
    },
};
use serde_json::{Value, json};

use super::{cluster, versions};
use crate::{
    ec2::network_interface,
    logs::log_group,
    row::text,
    simulate::{body, digits, owned},
};

pub(super) static SIM: Simple = Simple {
    id: |call| call.text("name").to_owned(),
    unique: (&["name"], "ResourceInUseException"),
    state_field: "status",
    states: ("CREATING", "ACTIVE", "DELETING"),
    token: true,
    failing: Some(Failing {
        state: "FAILED",
        words: |_| {
            issue(
                "InsufficientFreeAddresses",
                "One or more of the subnets associated with your cluster does not have enough available IP addresses for Amazon EKS to \
                 perform cluster management operations.",
            )
        },
    }),
    blocked: "ResourceInUseException",
    missing: "ResourceNotFoundException",
    check,
    describe: described,
    made,
    deleted: |world, _, object| k8s::remove_cluster(world, &object.id),
    check_delete: |_, call, cluster| {
        if cluster.body["deletion_protection"] == true && cluster.state(call.now_ms) == "ACTIVE" {
            let text = format!("Cluster {} has deletion protection: disable it to delete the cluster", cluster.id);
            return Err(CallError::refused("InvalidRequestException", text));
        }
        Ok(())
    },
    ..Simple::DEFAULT
};

/// What the description of something of EKS's says of its one issue.
pub(super) fn issue(code: &str, message: &str) -> Value {
    json!({ "health": { "issues": [{ "code": code, "message": message }] } })
}

/// The log group that EKS writes to, and makes where there is none.
fn log_group_of(cluster: &str) -> String {
    format!("/aws/eks/{cluster}/cluster")
}

/// Whether a cluster's control plane logs anything.
fn is_logging(cluster: &Object) -> bool {
    let setups = lookup(&cluster.body, "logging.cluster_logging").and_then(Value::as_array);
    setups.into_iter().flatten().any(|setup| setup["enabled"] == true)
}

/// Whether a cluster stands that writes to a log group.
pub fn writes_to(world: &World, call: &SimCall<'_>, group: &str) -> bool {
    let mut clusters = world.list(cluster::META.name, &call.place.region, call.now_ms);
    clusters.any(|cluster| cluster.gone_at.is_none() && is_logging(cluster) && log_group_of(&cluster.id) == group)
}

fn invalid(message: String) -> CallError {
    CallError::refused("InvalidParameterException", message)
}

pub(super) fn texts<'a>(input: &'a Value, path: &str) -> Vec<&'a str> {
    lookup(input, path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Refuses a role that IAM does not know.
pub(super) fn check_role(world: &World, call: &SimCall<'_>, field: &str) -> Result<(), CallError> {
    let arn = call.text(field);
    let name = arn.rsplit('/').next().unwrap_or_default();
    match world.get("iam.role", "", name, call.now_ms) {
        Some(role) if body(role, "arn") == arn => Ok(()),
        _ => Err(invalid(format!("The role with name {name} cannot be found."))),
    }
}

/// Refuses subnets that do not exist, and zones that EKS is not in. Gives the zones.
pub(super) fn check_subnets<'w>(world: &'w World, call: &SimCall<'_>, ids: &[&str]) -> Result<Vec<&'w str>, CallError> {
    let mut zones = Vec::new();
    for id in ids {
        let subnet = world.get("ec2.subnet", &call.place.region, id, call.now_ms);
        let subnet = subnet.ok_or_else(|| invalid(format!("The subnet ID '{id}' does not exist")))?;
        zones.push(body(subnet, "availability_zone"));
    }
    zones.sort_unstable();
    zones.dedup();
    Ok(zones)
}

fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let name = call.text("name");
    let allowed = name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c));
    if name.len() > 100 || !allowed || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(invalid(format!(
            "The cluster name '{name}' does not fit ^[0-9A-Za-z][A-Za-z0-9\\-_]*$, 1 to 100 characters"
        )));
    }
    check_role(world, call, "role_arn")?;
    let zones = check_subnets(world, call, &texts(call.input, "resources_vpc_config.subnet_ids"))?;
    if zones.contains(&"us-east-1e") {
        let text = "Cannot create cluster because us-east-1e, the targeted availability zone, does not currently have sufficient \
                    capacity to support the cluster. Retry and choose from these availability zones: us-east-1a, us-east-1b, \
                    us-east-1c, us-east-1d, us-east-1f";
        return Err(CallError::refused("UnsupportedAvailabilityZoneException", text));
    }
    if zones.len() < 2 {
        return Err(invalid("Subnets specified must be in at least two different AZs".to_owned()));
    }
    for group in texts(call.input, "resources_vpc_config.security_group_ids") {
        if world.get("ec2.security_group", &call.place.region, group, call.now_ms).is_none() {
            return Err(invalid(format!("The security group '{group}' does not exist")));
        }
    }
    let version = call.text("version");
    if !version.is_empty() && !versions::KUBERNETES.contains(&version) {
        return Err(invalid(format!("unsupported Kubernetes version {version}")));
    }
    Ok(())
}

fn described(world: &World, call: &SimCall<'_>, id: &str) -> Value {
    let region = &call.place.region;
    let unique = digits(&format!("{}{id}{}", call.account, call.token), 32).to_uppercase();
    let vpc = texts(call.input, "resources_vpc_config.subnet_ids")
        .first()
        .and_then(|subnet| world.get("ec2.subnet", region, subnet, call.now_ms))
        .map_or("", |subnet| body(subnet, "vpc_id"));
    let given = |path: &str, otherwise: Value| lookup(call.input, path).cloned().unwrap_or(otherwise);
    json!({
        "arn": format!("arn:aws:eks:{region}:{}:cluster/{id}", call.account),
        "region": region,
        "version": given("version", versions::DEFAULT.into()),
        "platform_version": "eks.3",
        "endpoint": format!("https://{unique}.gr7.{region}.eks.amazonaws.com"),
        "certificate_authority": { "data": "U0lNVUxBVEVEIENFUlRJRklDQVRFIEFVVEhPUklUWQ==" },
        "identity": { "oidc": { "issuer": format!("https://oidc.eks.{region}.amazonaws.com/id/{unique}") } },
        "resources_vpc_config": {
            "vpc_id": vpc,
            "security_group_ids": given("resources_vpc_config.security_group_ids", json!([])),
            "endpoint_public_access": given("resources_vpc_config.endpoint_public_access", true.into()),
            "endpoint_private_access": given("resources_vpc_config.endpoint_private_access", false.into()),
            "public_access_cidrs": given("resources_vpc_config.public_access_cidrs", json!(["0.0.0.0/0"])),
        },
        "kubernetes_network_config": {
            "service_ipv4_cidr": given("kubernetes_network_config.service_ipv4_cidr", "172.20.0.0/16".into()),
            "ip_family": given("kubernetes_network_config.ip_family", "ipv4".into()),
        },
        "access_config": {
            "authentication_mode": given("access_config.authentication_mode", "CONFIG_MAP".into()),
            "bootstrap_cluster_creator_admin_permissions":
                given("access_config.bootstrap_cluster_creator_admin_permissions", true.into()),
        },
        "health": { "issues": [] },
    })
}

fn made(world: &mut World, call: &SimCall<'_>, cluster: &Object) {
    let region = call.place.region.as_str();
    let vpc = body(cluster, "resources_vpc_config.vpc_id").to_owned();
    let group = world.new_id("sg-");
    let name = format!("eks-cluster-sg-{}-{}", cluster.id, digits(&cluster.id, 9));
    let everything = |pairs: Value, ranges: Value| json!([{ "ip_protocol": "-1", "user_id_group_pairs": pairs, "ip_ranges": ranges }]);
    let description = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any \
                       managed workloads.";
    let of_group = json!({
        "id": group, "group_id": group, "name": name, "group_name": name, "vpc_id": vpc, "description": description, "owner_id": call.account,
        "arn": format!("arn:aws:ec2:{region}:{}:security-group/{group}", call.account),
        "ip_permissions": everything(json!([{ "group_id": group }]), json!([])),
        "ip_permissions_egress": everything(json!([]), json!([{ "cidr_ip": "0.0.0.0/0" }])),
    });
    let mut security_group =
        owned("ec2.security_group", region, &group, cluster, of_group, vec![key("ec2.vpc", region, &vpc)]);
    security_group.tags.insert(format!("kubernetes.io/cluster/{}", cluster.id), "owned".to_owned());
    security_group.tags.insert("aws:eks:cluster-name".to_owned(), cluster.id.clone());
    security_group.tags.insert("Name".to_owned(), name);
    world.put(security_group);
    let mut groups = texts(call.input, "resources_vpc_config.security_group_ids");
    groups.push(&group);
    let subnets = texts(call.input, "resources_vpc_config.subnet_ids");
    let description = format!("Amazon EKS {}", cluster.id);
    for subnet in subnets {
        interface(world, call, &Interface { subnet, groups: &groups, description: &description, owner: cluster });
    }
    world.change(cluster::META.name, region, &cluster.id, |object| {
        if let Some(config) = object.body.get_mut("resources_vpc_config").and_then(Value::as_object_mut) {
            config.insert("cluster_security_group_id".to_owned(), Value::from(group.as_str()));
        }
    });
    if is_logging(cluster) {
        log_group::put(world, call, &log_group_of(&cluster.id), call.now_ms);
    }
    if call.doomed {
        return;
    }
    let ready = cluster.states.last().map_or(call.now_ms, |(from, _)| *from);
    k8s::boot_cluster(world, region, &cluster.id, ready);
}

/// A network interface that EKS makes.
pub(super) struct Interface<'a> {
    pub(super) subnet: &'a str,
    pub(super) groups: &'a [&'a str],
    pub(super) description: &'a str,
    pub(super) owner: &'a Object,
}

/// Puts a network interface of EKS's; it goes with its owner. Gives its private address.
pub(super) fn interface(world: &mut World, call: &SimCall<'_>, made: &Interface<'_>) -> String {
    let put = network_interface::Made {
        subnet: made.subnet,
        groups: made.groups,
        description: made.description,
        interface_type: "interface",
        owner: Some(made.owner.key()),
        status: "in-use",
    };
    let id = network_interface::put(world, call, &put).unwrap_or_default();
    let made = world.get("ec2.network_interface", &call.place.region, &id, call.now_ms);
    made.map_or("", |made| body(made, "private_ip_address")).to_owned()
}

/// The cluster that a call names under a field.
///
/// # Errors
/// ResourceNotFoundException.
pub(super) fn named<'w>(world: &'w World, call: &SimCall<'_>, field: &str) -> Result<&'w Object, CallError> {
    let name = call.text(field);
    world
        .get(cluster::META.name, &call.place.region, name, call.now_ms)
        .ok_or_else(|| CallError::not_found("ResourceNotFoundException", format!("No cluster found for name: {name}.")))
}

/// As [`named`]; the cluster must also be ACTIVE.
///
/// # Errors
/// ResourceNotFoundException, or ResourceInUseException while it is being made or deleted.
pub(super) fn active<'w>(world: &'w World, call: &SimCall<'_>) -> Result<&'w Object, CallError> {
    let cluster = named(world, call, "cluster_name")?;
    match cluster.state(call.now_ms) {
        "ACTIVE" => Ok(cluster),
        state => {
            let text = format!("Cluster '{}' is not in ACTIVE status: it is {state}", cluster.id);
            Err(CallError::new(Class::Refused, "InvalidRequestException", text))
        }
    }
}

pub(super) fn describe(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    named(world, call, "name")?;
    let kind: &dyn Kind = &cluster::KIND;
    let described = SIM.read(kind, world, call);
    Ok(described.filter(|found| !text(found, "id").is_empty()).unwrap_or_default())
}
