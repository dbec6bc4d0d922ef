//! The VPC of a cluster: what its resolver knows, and which other VPC its nodes reach. All of it is read from AWS when it is asked.

use std::{net::Ipv4Addr, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    aws::Refusal,
    cluster::Inside,
    corefile::within,
    kube_objects::{items, text},
    xml::Element,
};

/// Answers are kept this long, so that one probe asks once.
const FRESH: Duration = Duration::from_millis(500);

/// Where a cluster is in the network.
#[derive(Debug, Clone)]
pub struct Vpc {
    /// The VPC's id.
    pub id: String,
    /// The subnets of its nodes.
    pub subnets: Vec<String>,
    /// The security group that its nodes carry.
    pub group: String,
}

/// An A record of a private zone.
#[derive(Debug, Clone)]
pub struct Record {
    /// Without the trailing dot.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
}

/// The private zones that a VPC's resolver answers.
#[derive(Debug, Clone, Default)]
pub struct Private {
    /// The zones' names, without the trailing dot.
    pub zones: Vec<String>,
    /// Their A records.
    pub records: Vec<Record>,
}

/// What was read of a cluster's VPC a moment ago.
#[derive(Default)]
pub struct Memory {
    vpc: Option<Vpc>,
    private: Option<(Instant, Private)>,
    paths: Vec<(Instant, String, Result<(), String>)>,
}

/// Where a cluster is.
///
/// # Errors
/// EKS does not say.
pub async fn of(inside: &Inside) -> Result<Vpc, String> {
    if let Some(vpc) = inside.network.lock().await.vpc.clone() {
        return Ok(vpc);
    }
    let described = inside.aws.eks(&format!("/clusters/{}", inside.name)).await?;
    let config = &described["cluster"]["resourcesVpcConfig"];
    let subnets = items(config, "subnetIds").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let found =
        Vpc { id: text(config, "vpcId").to_owned(), subnets, group: text(config, "clusterSecurityGroupId").to_owned() };
    // While the cluster is CREATING its security group is not there yet.
    if !found.group.is_empty() {
        inside.network.lock().await.vpc = Some(found.clone());
    }
    Ok(found)
}

/// What the VPC's resolver knows of private zones: nothing unless the VPC has both DNS attributes.
///
/// # Errors
/// AWS does not answer.
pub async fn private(inside: &Inside) -> Result<Private, String> {
    if let Some((read, private)) = inside.network.lock().await.private.clone()
        && read.elapsed() < FRESH
    {
        return Ok(private);
    }
    let vpc = of(inside).await?;
    let mut private = Private::default();
    if has_dns(inside, &vpc).await? {
        for zone in inside.aws.route53("/hostedzone", None).await?.all("HostedZones/HostedZone") {
            let id = zone.text("Id").rsplit('/').next().unwrap_or_default();
            if zone.text("Config/PrivateZone") == "true" && is_seen_by(inside, id, &vpc).await? {
                private.zones.push(zone.text("Name").trim_end_matches('.').to_lowercase());
                private.records.extend(records(inside, id).await?);
            }
        }
    }
    inside.network.lock().await.private = Some((Instant::now(), private.clone()));
    Ok(private)
}

async fn has_dns(inside: &Inside, vpc: &Vpc) -> Result<bool, Refusal> {
    for attribute in ["enableDnsSupport", "enableDnsHostnames"] {
        let asked = [("VpcId", vpc.id.as_str()), ("Attribute", attribute)];
        let answer = inside.aws.query("ec2", "DescribeVpcAttribute", &asked).await?;
        if answer.text(&format!("{attribute}/value")) != "true" {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_seen_by(inside: &Inside, zone: &str, vpc: &Vpc) -> Result<bool, Refusal> {
    let described = inside.aws.route53(&format!("/hostedzone/{zone}"), None).await?;
    Ok(described.all("VPCs/VPC").iter().any(|seen| seen.text("VPCId") == vpc.id))
}

async fn records(inside: &Inside, zone: &str) -> Result<Vec<Record>, Refusal> {
    let listed = inside.aws.route53(&format!("/hostedzone/{zone}/rrset"), None).await?;
    let sets = listed.all("ResourceRecordSets/ResourceRecordSet");
    Ok(sets
        .into_iter()
        .filter(|set| set.text("Type") == "A")
        .map(|set| Record {
            name: set.text("Name").trim_end_matches('.').to_lowercase(),
            addresses: set
                .all("ResourceRecords/ResourceRecord")
                .iter()
                .filter_map(|r| r.text("Value").parse().ok())
                .collect(),
        })
        .collect())
}

impl Private {
    /// The addresses of a name; none when no record of a zone has it.
    pub fn addresses(&self, name: &str) -> Option<Vec<Ipv4Addr>> {
        if !self.zones.iter().any(|zone| within(name, zone)) {
            return None;
        }
        self.records.iter().find(|record| record.name == name).map(|record| record.addresses.clone())
    }
}

/// Whether a packet from an address of one cluster reaches an address and port of another: peering, routes both ways, and the rules of
/// the security group that the target's nodes carry.
///
/// # Errors
/// What is missing, or that AWS does not answer.
pub async fn path(from: &Inside, source: Ipv4Addr, to: &Inside, target: Ipv4Addr, port: u16) -> Result<(), String> {
    if from.name == to.name {
        return Ok(());
    }
    let key = format!("{source} {} {target} {port}", to.name);
    if let Some((_, _, known)) =
        from.network.lock().await.paths.iter().find(|(read, known, _)| *known == key && read.elapsed() < FRESH)
    {
        return known.clone();
    }
    let found = walk(from, source, to, target, port).await;
    let mut memory = from.network.lock().await;
    memory.paths.retain(|(read, ..)| read.elapsed() < FRESH);
    memory.paths.push((Instant::now(), key, found.clone()));
    found
}

async fn walk(from: &Inside, source: Ipv4Addr, to: &Inside, target: Ipv4Addr, port: u16) -> Result<(), String> {
    let (here, there) = (of(from).await?, of(to).await?);
    if here.id != there.id {
        let way = route(from, &here, target).await?;
        let back = route(to, &there, source).await?;
        for peering in [way, back] {
            is_active(from, &peering, &here.id, &there.id).await?;
        }
    }
    admits(to, &there.group, source, port).await
}

/// The peering by which the subnets of a VPC reach an address.
async fn route(inside: &Inside, vpc: &Vpc, target: Ipv4Addr) -> Result<String, String> {
    let asked = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc.id.as_str())];
    let answer = inside.aws.query("ec2", "DescribeRouteTables", &asked).await?;
    let tables = answer.all("routeTableSet/item");
    let mut peering = String::new();
    for subnet in &vpc.subnets {
        let of_subnet =
            |table: &&&Element| table.all("associationSet/item").iter().any(|a| a.text("subnetId") == subnet);
        let main = |table: &&&Element| table.all("associationSet/item").iter().any(|a| a.text("main") == "true");
        let table = tables.iter().find(of_subnet).or_else(|| tables.iter().find(main));
        let table = table.ok_or_else(|| format!("subnet {subnet} has no route table"))?;
        let fitting = table.all("routeSet/item").into_iter().filter_map(|route| {
            let prefix = prefix_of(route.text("destinationCidrBlock"), target)?;
            Some((prefix, route))
        });
        let best = fitting.max_by_key(|(prefix, _)| *prefix);
        peering = match best {
            Some((_, route)) if !route.text("vpcPeeringConnectionId").is_empty() => {
                route.text("vpcPeeringConnectionId").to_owned()
            }
            _ => return Err(format!("subnet {subnet} of {} has no route over a peering to {target}", vpc.id)),
        };
    }
    Ok(peering)
}

async fn is_active(inside: &Inside, peering: &str, one: &str, other: &str) -> Result<(), String> {
    let asked = [("VpcPeeringConnectionId.1", peering)];
    let answer = inside.aws.query("ec2", "DescribeVpcPeeringConnections", &asked).await?;
    let found = answer.all("vpcPeeringConnectionSet/item");
    let Some(found) = found.first() else { return Err(format!("no peering {peering}")) };
    let ends = [found.text("requesterVpcInfo/vpcId"), found.text("accepterVpcInfo/vpcId")];
    if found.text("status/code") != "active" {
        return Err(format!("peering {peering} is {}", found.text("status/code")));
    }
    if ends.contains(&one) && ends.contains(&other) {
        Ok(())
    } else {
        Err(format!("peering {peering} joins {} and {}", ends[0], ends[1]))
    }
}

async fn admits(inside: &Inside, group: &str, source: Ipv4Addr, port: u16) -> Result<(), String> {
    let answer = inside.aws.query("ec2", "DescribeSecurityGroups", &[("GroupId.1", group)]).await?;
    let fits = |rule: &Element| {
        let bound = |name: &str, or: u16| rule.text(name).parse().unwrap_or(or);
        let ports = match rule.text("ipProtocol") {
            "-1" => true,
            "tcp" | "6" => (bound("fromPort", 0)..=bound("toPort", u16::MAX)).contains(&port),
            _ => false,
        };
        ports && rule.all("ipRanges/item").iter().any(|range| prefix_of(range.text("cidrIp"), source).is_some())
    };
    if answer.all("securityGroupInfo/item/ipPermissions/item").into_iter().any(fits) {
        Ok(())
    } else {
        Err(format!(
            "security group {group} of the nodes of {} admits nothing from {source} to port {port}",
            inside.name
        ))
    }
}

/// The length of a network's prefix when the address is in it.
fn prefix_of(network: &str, address: Ipv4Addr) -> Option<u32> {
    let (first, prefix) = network.split_once('/')?;
    let (first, prefix): (Ipv4Addr, u32) = (first.parse().ok()?, prefix.parse().ok()?);
    let mask = u32::MAX.checked_shl(32_u32.checked_sub(prefix)?).unwrap_or(0);
    (u32::from(first) & mask == u32::from(address) & mask).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_its_networks() {
        let address = Ipv4Addr::new(10, 6, 11, 40);
        assert_eq!(prefix_of("10.6.0.0/16", address), Some(16));
        assert_eq!(prefix_of("0.0.0.0/0", address), Some(0));
        assert_eq!(prefix_of("10.5.0.0/16", address), None);
        assert_eq!(prefix_of("10.6.11.40/32", address), Some(32));
    }
}
