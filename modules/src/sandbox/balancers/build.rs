//! The parts of a load balancer in AWS, as the controller makes them: with its names, tags and security groups.

use serde_json::{Value, json};

use super::{
    super::{
        clock_text::rfc3339,
        k8s::{digest, of_kind, region},
        simple::{begin_deletion, named_object},
        target::ACCOUNT,
        world::{Object, World, key},
    },
    CLUSTER_TAG, LISTENER, LOAD_BALANCER, Stack, TARGET_GROUP, parts,
    wanted::Port,
};
use crate::k8s::types::text;

/// From the request to a load balancer that is described,
const MADE_MS: i64 = 3_000;
/// and from there to one that is active: a network load balancer, an application load balancer.
const PROVISIONING_MS: (i64, i64) = (150_000, 120_000);
/// From a target group or listener that is no longer asked for to its end.
const DROPPED_MS: i64 = 2_000;

/// The hosted zones of load balancers by region, for alias records: network, application.
/// Source: <https://docs.aws.amazon.com/general/latest/gr/elb.html>.
const ZONES: &[(&str, &str, &str)] = &[
    ("us-east-1", "Z26RNL4JYFTOTI", "Z35SXDOTRQ7X7K"),
    ("us-west-2", "Z18D5FSROUN65G", "Z1H1FL5HABSF5"),
    ("eu-west-1", "Z2IFOLAFXWLO4F", "Z32O12XQLNTSW2"),
    ("eu-central-1", "Z3F0SRJ5LGBH90", "Z215JYRZR1TBD5"),
];

/// The hosted zone of a region's load balancers, for alias records.
pub fn hosted_zone(region: &str, network: bool) -> String {
    match ZONES.iter().find(|(name, _, _)| *name == region) {
        Some((_, nlb, alb)) => (*if network { nlb } else { alb }).to_owned(),
        None => format!("Z{}", hex::encode(&digest(&[region, &network.to_string()])[..7]).to_uppercase()),
    }
}

/// The subnets that the controller finds: those that are named, or one for each zone by their tags.
///
/// # Errors
/// Why there are none, in the controller's words.
pub fn subnets<'a>(world: &'a World, cluster: &str, stack: &Stack, now_ms: i64) -> Result<Vec<&'a Object>, String> {
    let Some(place) = region(world, cluster, now_ms).ok() else { return Err("no cluster".to_owned()) };
    let role = if stack.scheme() == "internal" { "kubernetes.io/role/internal-elb" } else { "kubernetes.io/role/elb" };
    let vpc = vpc(world, cluster, &place, now_ms);
    let named = stack.list("subnets");
    let own = format!("kubernetes.io/cluster/{cluster}");
    let mut found: Vec<&Object> = Vec::new();
    for subnet in world.list("ec2.subnet", &place, now_ms).filter(|subnet| text(&subnet.body, "vpc_id") == vpc) {
        let others = subnet.tags.keys().any(|tag| tag.starts_with("kubernetes.io/cluster/") && *tag != own);
        let called = subnet.tags.get("Name").is_some_and(|name| named.contains(&name.as_str()));
        let chosen = match named.is_empty() {
            true => subnet.tags.contains_key(role) && (!others || subnet.tags.contains_key(&own)),
            false => named.contains(&subnet.id.as_str()) || called,
        };
        let zone = text(&subnet.body, "availability_zone");
        if chosen && !found.iter().any(|other| text(&other.body, "availability_zone") == zone) {
            found.push(subnet);
        }
    }
    match (found.len(), stack.network) {
        (0, _) => Err(format!("no load balancer yet: unable to resolve at least one subnet (tag {role})")),
        (1, false) => Err("no load balancer yet: an application load balancer needs subnets in two zones".to_owned()),
        _ => Ok(found),
    }
}

fn vpc(world: &World, cluster: &str, place: &str, now_ms: i64) -> String {
    if let Some(found) = named_object(world, "eks.cluster", place, cluster, now_ms) {
        return text(&found.body, "resources_vpc_config.vpc_id").to_owned();
    }
    let node = of_kind(world, cluster, "Node", now_ms).map(|node| text(&node.body, "spec.subnet")).next();
    let subnet = node.and_then(|subnet| world.get("ec2.subnet", place, subnet, now_ms));
    subnet.map(|subnet| text(&subnet.body, "vpc_id").to_owned()).unwrap_or_default()
}

/// The key of the security group that all load balancers of a cluster share.
pub fn shared_group(world: &World, cluster: &str) -> Option<String> {
    world
        .of_kind("ec2.security_group")
        .find(|o| {
            o.gone_at.is_none()
                && o.tags.get(CLUSTER_TAG).is_some_and(|tag| tag == cluster)
                && o.tags.get("elbv2.k8s.aws/resource").is_some_and(|tag| tag == "backend-sg")
        })
        .map(Object::key)
}

/// What the parts of one load balancer have in common.
struct Site<'a> {
    cluster: &'a str,
    stack: &'a Stack,
    region: String,
    vpc: String,
    now_ms: i64,
}

/// Makes what is lacking. Nothing at all while there are no subnets for it.
pub fn build(world: &mut World, cluster: &str, stack: &Stack, now_ms: i64) {
    let Ok(region) = region(world, cluster, now_ms) else { return };
    let site = Site { cluster, stack, vpc: vpc(world, cluster, &region, now_ms), region, now_ms };
    let standing = parts(world, cluster, stack, LOAD_BALANCER).find(|o| o.gone_at.is_none()).cloned();
    let balancer = match standing {
        Some(standing) => standing,
        None => {
            let Ok(subnets) = subnets(world, cluster, stack, now_ms) else { return };
            let subnets: Vec<Object> = subnets.into_iter().cloned().collect();
            let groups = site.groups(world);
            site.balancer(world, &subnets, &groups)
        }
    };
    site.listen(world, &balancer);
}

impl Site<'_> {
    fn arn(&self, rest: &str) -> String {
        format!("arn:aws:elasticloadbalancing:{}:{ACCOUNT}:{rest}", self.region)
    }

    fn key(&self, kind: &str, id: &str) -> String {
        key(kind, &self.region, id)
    }

    fn object(&self, kind: &str, id: &str, body: Value, refs: Vec<String>, owner: Option<String>) -> Object {
        Object {
            kind: kind.to_owned(),
            place: self.region.clone(),
            id: id.to_owned(),
            body,
            tags: self.stack.tags(self.cluster),
            token: String::new(),
            input: Value::Null,
            refs,
            owner,
            states: vec![(self.now_ms, String::new())],
            gone_at: None,
        }
    }

    /// `k8s-default-proxy-0a1b2c3d4e`, or `k8s-shop-…` for a group.
    fn name(&self, of: &str, salt: &str) -> String {
        let hash = hex::encode(&digest(&[self.cluster, &self.region, of, salt])[..5]);
        let short = |part: &str| part.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>();
        let parts: Vec<String> = of.split('/').map(short).collect();
        format!("k8s-{}-{hash}", parts.join("-"))
    }

    /// The ids of the security groups: those that are named, or one of its own; and the one that all share.
    fn groups(&self, world: &mut World) -> Vec<String> {
        let named = self.stack.list("security-groups");
        let mut ids: Vec<String> = world
            .list("ec2.security_group", &self.region, self.now_ms)
            .filter(|group| text(&group.body, "vpc_id") == self.vpc)
            .filter(|group| {
                let called = group.tags.get("Name").is_some_and(|name| named.contains(&name.as_str()));
                called || named.contains(&group.id.as_str())
            })
            .map(|group| group.id.clone())
            .collect();
        if named.is_empty() {
            let name = self.name(&self.stack.name, "group");
            ids.push(self.group(world, &name, "[k8s] Managed SecurityGroup for LoadBalancer", None));
        }
        if shared_group(world, self.cluster).is_none() {
            let short: String = self.cluster.chars().filter(char::is_ascii_alphanumeric).take(17).collect();
            let name = format!("k8s-traffic-{short}-{}", hex::encode(&digest(&[self.cluster, &self.vpc])[..5]));
            let about = "[k8s] Shared Backend SecurityGroup for LoadBalancer";
            self.group(world, &name, about, Some("backend-sg"));
        }
        ids
    }

    fn group(&self, world: &mut World, name: &str, about: &str, shared: Option<&str>) -> String {
        let id = world.new_id("sg-");
        let arn = format!("arn:aws:ec2:{}:{ACCOUNT}:security-group/{id}", self.region);
        let body = json!({
            "id": id, "group_id": id, "group_name": name, "name": name, "arn": arn, "security_group_arn": arn,
            "description": about, "vpc_id": self.vpc, "owner_id": ACCOUNT, "ip_permissions": [], "ip_permissions_egress": [],
        });
        let mut group = self.object("ec2.security_group", &id, body, vec![self.key("ec2.vpc", &self.vpc)], None);
        group.states = Vec::new();
        if let Some(shared) = shared {
            group.tags.retain(|tag, _| tag == CLUSTER_TAG);
            group.tags.insert("elbv2.k8s.aws/resource".to_owned(), shared.to_owned());
        }
        world.put(group);
        id
    }

    fn balancer(&self, world: &mut World, subnets: &[Object], groups: &[String]) -> Object {
        let (stack, now) = (self.stack, self.now_ms);
        let (letters, kind, ready) = match stack.network {
            true => ("net", "network", PROVISIONING_MS.0),
            false => ("app", "application", PROVISIONING_MS.1),
        };
        let said = stack.says(if stack.network { "name" } else { "load-balancer-name" });
        let name = if said.is_empty() { self.name(&stack.name, "") } else { said.to_owned() };
        world.serial += 1;
        let unique = hex::encode(&digest(&[&name, &self.vpc, &world.serial.to_string()])[..8]);
        let arn = self.arn(&format!("loadbalancer/{letters}/{name}/{unique}"));
        let hidden = if stack.scheme() == "internal" && !stack.network { "internal-" } else { "" };
        let dns = match stack.network {
            true => format!("{name}-{unique}.elb.{}.amazonaws.com", self.region),
            false => format!("{hidden}{name}-{}.{}.elb.amazonaws.com", digits(&unique), self.region),
        };
        let zones: Vec<Value> = subnets
            .iter()
            .map(|subnet| json!({"zone_name": subnet.body["availability_zone"], "subnet_id": subnet.id}))
            .collect();
        let body = json!({
            "id": arn, "arn": arn, "load_balancer_arn": arn, "load_balancer_name": name, "name": name, "dns_name": dns,
            "canonical_hosted_zone_id": hosted_zone(&self.region, stack.network), "created_time": rfc3339(now),
            "scheme": stack.scheme(), "vpc_id": self.vpc, "type": kind, "ip_address_type": "ipv4",
            "availability_zones": zones, "security_groups": groups,
        });
        let mut balancer = self.object(LOAD_BALANCER, &arn, body, Vec::new(), None);
        balancer.states =
            vec![(now + MADE_MS, "provisioning".to_owned()), (now + MADE_MS + ready, "active".to_owned())];
        balancer.input = json!({"wafv2_acl_arn": stack.says("wafv2-acl-arn")});
        world.put(balancer.clone());
        super::note(world, self.cluster, &format!("made/{}", stack.name), now, now + MADE_MS);
        for subnet in subnets {
            let id = world.new_id("eni-");
            let body = json!({
                "id": id, "network_interface_id": id, "subnet_id": subnet.id, "vpc_id": self.vpc,
                "description": format!("ELB {letters}/{name}/{unique}"), "requester_managed": true,
                "groups": groups.iter().map(|group| json!({"group_id": group})).collect::<Vec<_>>(),
            });
            let mut refs = vec![subnet.key()];
            refs.extend(groups.iter().map(|group| self.key("ec2.security_group", group)));
            let mut interface = self.object("ec2.network_interface", &id, body, refs, None);
            interface.states = vec![(now + MADE_MS, "in-use".to_owned())];
            world.put(interface);
        }
        balancer
    }

    /// Its target groups and listeners: those that are asked for and not there, and away with those that are not.
    fn listen(&self, world: &mut World, balancer: &Object) {
        let ports = self.stack.ports();
        let mut groups: Vec<String> = Vec::new();
        let mut listeners: Vec<String> = Vec::new();
        for port in &ports {
            let group = self.target_group(world, balancer, port);
            listeners.push(self.listener(world, balancer, port, &group));
            groups.push(group);
        }
        for (kind, wanted) in [(TARGET_GROUP, &groups), (LISTENER, &listeners)] {
            let extra = parts(world, self.cluster, self.stack, kind)
                .filter(|o| o.gone_at.is_none() && !wanted.contains(&o.id))
                .map(Object::key);
            for key in extra.collect::<Vec<_>>() {
                begin_deletion(world, &key, self.now_ms, "", self.now_ms + DROPPED_MS);
            }
        }
    }

    fn target_group(&self, world: &mut World, balancer: &Object, port: &Port) -> String {
        let (namespace, service, number) = &port.target;
        let own = format!("{namespace}/{service}");
        let name = self.name(&own, &format!("{number}{}", self.stack.name));
        let there = parts(world, self.cluster, self.stack, TARGET_GROUP)
            .find(|o| o.gone_at.is_none() && text(&o.body, "target_group_name") == name);
        if let Some(there) = there {
            return there.id.clone();
        }
        let unique = hex::encode(&digest(&[&name, &balancer.id])[..8]);
        let arn = self.arn(&format!("targetgroup/{name}/{unique}"));
        let protocol = match (self.stack.network, port.protocol.as_str()) {
            (false, _) => "HTTP",
            (true, "TLS") => "TCP",
            (true, protocol) => protocol,
        };
        let body = json!({
            "id": arn, "arn": arn, "target_group_arn": arn, "target_group_name": name, "name": name, "protocol": protocol,
            "port": number, "vpc_id": self.vpc, "target_type": self.stack.target_type(), "load_balancer_arns": [balancer.id],
        });
        let mut group = self.object(TARGET_GROUP, &arn, body, vec![self.key("ec2.vpc", &self.vpc)], None);
        group.input = json!({"service": own});
        world.put(group);
        arn
    }

    fn listener(&self, world: &mut World, balancer: &Object, port: &Port, group: &str) -> String {
        let there = parts(world, self.cluster, self.stack, LISTENER).find(|o| {
            o.gone_at.is_none() && o.body["port"] == port.port && o.owner.as_deref() == Some(&balancer.key())
        });
        if let Some(there) = there {
            return there.id.clone();
        }
        let unique = hex::encode(&digest(&[&balancer.id, &port.port.to_string()])[..8]);
        let arn = format!("{}/{unique}", balancer.id.replacen(":loadbalancer/", ":listener/", 1));
        let secured = matches!(port.protocol.as_str(), "TLS" | "HTTPS");
        let certificates = if secured { self.stack.certificates() } else { Vec::new() };
        let shown: Vec<Value> = certificates.iter().map(|arn| json!({"certificate_arn": arn})).collect();
        let body = json!({
            "id": arn, "arn": arn, "listener_arn": arn, "load_balancer_arn": balancer.id, "port": port.port,
            "protocol": port.protocol, "certificates": shown,
            "default_actions": [{"type": "forward", "target_group_arn": group}],
        });
        let mut refs = vec![balancer.key(), self.key(TARGET_GROUP, group)];
        refs.extend(certificates.iter().map(|arn| self.key("acm.certificate", arn)));
        world.put(self.object(LISTENER, &arn, body, refs, Some(balancer.key())));
        arn
    }
}

/// Ten digits out of a hexadecimal text.
fn digits(unique: &str) -> String {
    let number = u64::from_str_radix(unique, 16).unwrap_or_default() % 10_000_000_000;
    format!("{number:010}")
}
