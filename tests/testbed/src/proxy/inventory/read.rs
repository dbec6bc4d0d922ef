//! Reads everything of the kinds that runbooks make, from moto and from what the proxy keeps in its place.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    super::{emulator::Json, parse::Credential, shared::Shared, xml::Element},
    Inventory,
};

/// Lists of EC2: kind, action, where the items stand, their id.
const EC2: &[(&str, &str, &str, &str)] = &[
    ("ec2.vpc", "DescribeVpcs", "vpcSet", "vpcId"),
    ("ec2.subnet", "DescribeSubnets", "subnetSet", "subnetId"),
    ("ec2.internet_gateway", "DescribeInternetGateways", "internetGatewaySet", "internetGatewayId"),
    ("ec2.address", "DescribeAddresses", "addressesSet", "allocationId"),
    ("ec2.nat_gateway", "DescribeNatGateways", "natGatewaySet", "natGatewayId"),
    ("ec2.route_table", "DescribeRouteTables", "routeTableSet", "routeTableId"),
    ("ec2.security_group", "DescribeSecurityGroups", "securityGroupInfo", "groupId"),
    (
        "ec2.vpc_peering_connection",
        "DescribeVpcPeeringConnections",
        "vpcPeeringConnectionSet",
        "vpcPeeringConnectionId",
    ),
    ("ec2.volume", "DescribeVolumes", "volumeSet", "volumeId"),
    ("ec2.network_interface", "DescribeNetworkInterfaces", "networkInterfaceSet", "networkInterfaceId"),
    ("ec2.launch_template", "DescribeLaunchTemplates", "launchTemplates", "launchTemplateId"),
    ("ec2.vpc_endpoint", "DescribeVpcEndpoints", "vpcEndpointSet", "vpcEndpointId"),
    ("ec2.flow_log", "DescribeFlowLogs", "flowLogSet", "flowLogId"),
];

pub(super) struct Reader<'a> {
    pub(super) shared: &'a Shared,
    pub(super) who: Credential,
    pub(super) items: BTreeMap<(String, String), Value>,
}

/// Everything, in the regions and with the keys that requests have used so far (at least `us-east-1` with the key `test`).
pub async fn everything(shared: &Shared) -> Result<Inventory, String> {
    let mut items = BTreeMap::new();
    let callers = shared.callers();
    for (place, who) in callers.iter().enumerate() {
        let mut reader = Reader { shared, who: who.clone(), items: BTreeMap::new() };
        reader.ec2().await?;
        reader.eks().await?;
        reader.cloud_map().await?;
        reader.listed_here().await?;
        // These have no region: once for an account is enough.
        if !callers[..place].iter().any(|earlier| earlier.access_key == who.access_key) {
            reader.iam().await?;
            reader.route53().await?;
            reader.listed_once().await?;
        }
        items.extend(reader.items);
    }
    Ok(Inventory { items })
}

impl Reader<'_> {
    pub(super) fn add(&mut self, kind: &str, id: &str, value: Value) {
        self.items.insert((kind.to_owned(), id.to_owned()), value);
    }

    pub(super) async fn form(&self, service: &str, action: &str, fields: &[(&str, &str)]) -> Result<Element, String> {
        self.shared.emulators.form(&self.who, service, action, fields).await
    }

    async fn ec2(&mut self) -> Result<(), String> {
        for (kind, action, set, id) in EC2 {
            let found = self.form("ec2", action, &[]).await?;
            for item in found.items(&[set]) {
                let state = [item.at(&["state"]), item.at(&["status", "code"]), item.at(&["vpcEndpointState"])];
                if !state.contains(&"deleted") {
                    self.add(kind, item.at(&[id]), item.json());
                }
            }
        }
        self.instances().await?;
        let vpcs: Vec<_> = self.items.keys().filter(|(kind, _)| kind == "ec2.vpc").cloned().collect();
        for key in vpcs {
            for attribute in ["enableDnsSupport", "enableDnsHostnames"] {
                let found =
                    self.form("ec2", "DescribeVpcAttribute", &[("VpcId", &key.1), ("Attribute", attribute)]).await?;
                if let Some(vpc) = self.items.get_mut(&key) {
                    vpc[attribute] = found.at(&[attribute, "value"]).into();
                }
            }
        }
        Ok(())
    }

    /// Instances that are not terminated, by what others decided about them.
    async fn instances(&mut self) -> Result<(), String> {
        let found = self.form("ec2", "DescribeInstances", &[]).await?;
        for instance in found.items(&["reservationSet"]).iter().flat_map(|one| one.items(&["instancesSet"])) {
            if instance.at(&["instanceState", "name"]) != "terminated" {
                let fields = ["instanceType", "subnetId", "vpcId", "groupSet", "tagSet"];
                let told = fields.iter().filter_map(|name| Some(((*name).to_owned(), instance.child(name)?.json())));
                self.add("ec2.instance", instance.at(&["instanceId"]), Value::Object(told.collect()));
            }
        }
        Ok(())
    }

    async fn eks(&mut self) -> Result<(), String> {
        for cluster in self.shared.access.0.inventory().as_array().into_iter().flatten() {
            let name = cluster["cluster"].as_str().unwrap_or_default().to_owned();
            self.add("eks.cluster", &name, cluster.clone());
        }
        let moto = self.shared.emulators.json(&self.who, "eks", Json::Get("/clusters"), &Value::Null).await?;
        for name in moto["clusters"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let path = format!("/clusters/{name}/node-groups");
            let groups = self.shared.emulators.json(&self.who, "eks", Json::Get(&path), &Value::Null).await?;
            self.add("eks.cluster in moto", name, json!({ "cluster": name, "nodegroups": groups["nodegroups"] }));
        }
        Ok(())
    }

    async fn iam(&mut self) -> Result<(), String> {
        let roles = self.form("iam", "ListRoles", &[]).await?;
        for role in roles.items(&["ListRolesResult", "Roles"]) {
            let name = role.at(&["RoleName"]);
            let attached = self.form("iam", "ListAttachedRolePolicies", &[("RoleName", name)]).await?;
            let inline = self.form("iam", "ListRolePolicies", &[("RoleName", name)]).await?;
            let mut value = role.json();
            value["attached"] = attached
                .items(&["ListAttachedRolePoliciesResult", "AttachedPolicies"])
                .iter()
                .map(Element::json)
                .collect();
            value["inline"] = json!({});
            for policy in inline.items(&["ListRolePoliciesResult", "PolicyNames"]) {
                let fields = [("RoleName", name), ("PolicyName", policy.text.as_str())];
                let found = self.form("iam", "GetRolePolicy", &fields).await?;
                let document = found.items(&["GetRolePolicyResult"]).iter().find(|part| part.name == "PolicyDocument");
                let document = document.map(|part| part.text.as_str()).unwrap_or_default();
                value["inline"][&policy.text] = percent_decode_str(document).decode_utf8_lossy().into();
            }
            self.add("iam.role", name, value);
        }
        let policies = self.form("iam", "ListPolicies", &[("Scope", "Local")]).await?;
        for policy in policies.items(&["ListPoliciesResult", "Policies"]) {
            self.add("iam.policy", policy.at(&["Arn"]), policy.json());
        }
        let providers = self.form("iam", "ListOpenIDConnectProviders", &[]).await?;
        for provider in providers.items(&["ListOpenIDConnectProvidersResult", "OpenIDConnectProviderList"]) {
            self.add("iam.open_id_connect_provider", provider.at(&["Arn"]), provider.json());
        }
        Ok(())
    }

    async fn route53(&mut self) -> Result<(), String> {
        let zones = self.shared.emulators.xml(&self.who, "route53", "/2013-04-01/hostedzone").await?;
        for zone in zones.items(&["HostedZones"]) {
            let id = zone.at(&["Id"]).trim_start_matches("/hostedzone/");
            let found =
                self.shared.emulators.xml(&self.who, "route53", &format!("/2013-04-01/hostedzone/{id}")).await?;
            let records =
                self.shared.emulators.xml(&self.who, "route53", &format!("/2013-04-01/hostedzone/{id}/rrset")).await?;
            let mut value = zone.json();
            value["VPCs"] = found.items(&["VPCs"]).iter().map(Element::json).collect();
            value["records"] = records.items(&["ResourceRecordSets"]).iter().map(Element::json).collect();
            self.add("route53.hosted_zone", id, value);
        }
        Ok(())
    }

    async fn cloud_map(&mut self) -> Result<(), String> {
        for namespace in self.listed("ListNamespaces", "Namespaces", json!({})).await? {
            self.add("servicediscovery.namespace", namespace["Id"].as_str().unwrap_or_default(), namespace.clone());
        }
        for service in self.listed("ListServices", "Services", json!({})).await? {
            let id = service["Id"].as_str().unwrap_or_default().to_owned();
            let mut value = service.clone();
            value["instances"] = self.listed("ListInstances", "Instances", json!({ "ServiceId": id })).await?.into();
            self.add("servicediscovery.service", &id, value);
        }
        Ok(())
    }

    async fn listed(&self, operation: &str, field: &str, asked: Value) -> Result<Vec<Value>, String> {
        let target = format!("Route53AutoNaming_v20170314.{operation}");
        let found = self.shared.emulators.json(&self.who, "servicediscovery", Json::Target(&target), &asked).await?;
        Ok(found[field].as_array().cloned().unwrap_or_default())
    }
}
