//! A load balancer with the controller's names, tags, subnets and security groups, and how it is taken down.

use sha2::{Digest, Sha256};

use super::{
    super::{cluster::Inside, xml::Element},
    form::{self, CLUSTER_TAG, ELB, Form, Part, Tags},
    wanted::{Seen, Stack},
};

/// The tag of the security group that all load balancers of a cluster share, and its value.
const SHARED: (&str, &str) = ("elbv2.k8s.aws/resource", "backend-sg");
/// What EC2 says while network interfaces are in a security group.
const HELD: &str = "DependencyViolation";

/// One stack, and where it is.
pub struct Site<'a> {
    pub inside: &'a Inside,
    pub stack: &'a Stack,
    pub seen: &'a Seen,
    pub vpc: &'a str,
}

/// A security group of the cluster.
struct Group {
    id: String,
    tags: Tags,
    open: bool,
}

impl Site<'_> {
    /// Makes what is lacking, and takes away what is too much; the load balancer's host name.
    pub async fn keep(&self) -> Result<String, String> {
        let standing = form::balancers(&self.inside.aws, &self.inside.name).await?;
        let balancer = match standing.into_iter().find(|one| self.owns(&one.tags)) {
            Some(standing) => standing,
            None => self.balancer().await?,
        };
        self.listen(&balancer).await?;
        self.web_acl(&balancer).await?;
        Ok(balancer.host)
    }

    /// Takes it down, as far as that goes at the moment; whether all is gone.
    pub async fn leave(&self) -> Result<bool, String> {
        let (aws, cluster) = (&self.inside.aws, self.inside.name.as_str());
        let (mine, others): (Vec<_>, Vec<_>) =
            form::balancers(aws, cluster).await?.into_iter().partition(|one| self.owns(&one.tags));
        for balancer in &mine {
            aws.query(ELB, "DeleteLoadBalancer", &[("LoadBalancerArn", &balancer.arn)]).await?;
        }
        for group in form::groups(aws, cluster).await?.iter().filter(|group| self.owns(&group.tags)) {
            aws.query(ELB, "DeleteTargetGroup", &[("TargetGroupArn", &group.arn)]).await?;
        }
        for group in self.groups().await? {
            let unused = is_shared(&group.tags) && others.is_empty();
            if unused || self.owns(&group.tags) {
                match aws.query("ec2", "DeleteSecurityGroup", &[("GroupId", &group.id)]).await {
                    Err(refusal) if refusal.code == HELD => return Ok(false),
                    answer => answer.map(|_| ())?,
                }
            }
        }
        Ok(true)
    }

    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(self.stack.tag()) == Some(&self.stack.name)
    }

    /// The tags of a part of the stack.
    pub fn tags(&self, part: &str) -> Tags {
        let pairs =
            [(CLUSTER_TAG, self.inside.name.as_str()), (self.stack.tag(), &self.stack.name), (self.stack.part(), part)];
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    /// `k8s-default-proxy-0a1b2c3d4e`, or `k8s-shop-…` for a group.
    pub fn name(&self, of: &str, salt: &str) -> String {
        let parts: Vec<String> = of.split('/').map(|part| short(part, if of.contains('/') { 8 } else { 17 })).collect();
        format!("k8s-{}-{}", parts.join("-"), digest(&[&self.inside.name, of, salt]))
    }

    async fn balancer(&self) -> Result<Part, String> {
        let stack = self.stack;
        let subnets = self.subnets().await?;
        let groups = self.security().await?;
        let made = self.name(&stack.name, "");
        let name = if stack.called().is_empty() { made.as_str() } else { stack.called() };
        let kind = if stack.network { "network" } else { "application" };
        let tags = self.tags("LoadBalancer");
        let mut asked = Form::of(&[("Name", name), ("Type", kind), ("Scheme", stack.scheme())]);
        asked.list("Subnets.member", subnets.iter().map(String::as_str));
        asked.list("SecurityGroups.member", groups.iter().map(String::as_str));
        asked.tags("Tags.member", &tags);
        let made = asked.ask(&self.inside.aws, ELB, "CreateLoadBalancer").await?;
        let field =
            |field: &str| made.text(&format!("CreateLoadBalancerResult/LoadBalancers/member/{field}")).to_owned();
        Ok(Part { arn: field("LoadBalancerArn"), name: field("LoadBalancerName"), host: field("DNSName"), tags })
    }

    /// Those that are named, or one for each zone by their tags.
    async fn subnets(&self) -> Result<Vec<String>, String> {
        let role = match self.stack.scheme() {
            "internal" => "kubernetes.io/role/internal-elb",
            _ => "kubernetes.io/role/elb",
        };
        let named = self.stack.list("subnets");
        let own = format!("kubernetes.io/cluster/{}", self.inside.name);
        let in_vpc = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", self.vpc)];
        let described = self.inside.aws.query("ec2", "DescribeSubnets", &in_vpc).await?;
        let mut all = described.all("subnetSet/item");
        all.sort_by_key(|subnet| (subnet.text("availabilityZone").to_owned(), subnet.text("cidrBlock").to_owned()));
        let mut found: Vec<&Element> = Vec::new();
        for subnet in all {
            let tags = form::tags(subnet, "tagSet/item", "key", "value");
            let of_others = tags.keys().any(|tag| tag.starts_with("kubernetes.io/cluster/") && *tag != own);
            let called = tags.get("Name").is_some_and(|name| named.contains(&name.as_str()));
            let chosen = match named.is_empty() {
                true => tags.contains_key(role) && (!of_others || tags.contains_key(&own)),
                false => called || named.contains(&subnet.text("subnetId")),
            };
            let zone = subnet.text("availabilityZone");
            if chosen && !found.iter().any(|other| other.text("availabilityZone") == zone) {
                found.push(subnet);
            }
        }
        match (found.len(), self.stack.network) {
            (0, _) => Err(format!("unable to resolve at least one subnet (tag {role})")),
            (1, false) => Err("subnets count less than minimal required count: 1 < 2".to_owned()),
            _ => Ok(found.iter().map(|subnet| subnet.text("subnetId").to_owned()).collect()),
        }
    }

    /// The security groups that are named; else one of its own, and the one that all share.
    async fn security(&self) -> Result<Vec<String>, String> {
        let named = self.stack.list("security-groups");
        let shares = named.is_empty() || self.stack.says("manage-backend-security-group-rules") == "true";
        let standing = self.groups().await?;
        let mut ids = Vec::new();
        if named.is_empty() {
            let tags = self.tags("ManagedLBSecurityGroup");
            let about = "[k8s] Managed SecurityGroup for LoadBalancer";
            let own = standing.iter().find(|group| self.owns(&group.tags));
            let id = match own {
                Some(own) => own.id.clone(),
                None => self.group(&self.name(&self.stack.name, "group"), about, &tags).await?,
            };
            if !own.is_some_and(|own| own.open) {
                self.open(&id).await?;
            }
            ids.push(id);
        } else {
            let in_vpc = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", self.vpc)];
            let found = self.inside.aws.query("ec2", "DescribeSecurityGroups", &in_vpc).await?;
            for group in found.all("securityGroupInfo/item") {
                let tags = form::tags(group, "tagSet/item", "key", "value");
                let called = tags.get("Name").is_some_and(|name| named.contains(&name.as_str()));
                if called || named.contains(&group.text("groupId")) {
                    ids.push(group.text("groupId").to_owned());
                }
            }
            if ids.len() != named.len() {
                return Err(format!("couldn't find all security groups, nameOrIDs: {named:?}, found: {ids:?}"));
            }
        }
        if shares {
            ids.push(match standing.iter().find(|group| is_shared(&group.tags)) {
                Some(shared) => shared.id.clone(),
                None => {
                    let cluster = &self.inside.name;
                    let name = format!("k8s-traffic-{}-{}", short(cluster, 17), digest(&[cluster, "traffic"]));
                    let about = "[k8s] Shared Backend SecurityGroup for LoadBalancer";
                    let tags = [(CLUSTER_TAG, cluster.as_str()), SHARED];
                    self.group(&name, about, &tags.map(|(k, v)| (k.to_owned(), v.to_owned())).into()).await?
                }
            });
        }
        Ok(ids)
    }

    /// The controller's security groups of this cluster.
    async fn groups(&self) -> Result<Vec<Group>, String> {
        let filter = format!("tag:{CLUSTER_TAG}");
        let asked = [("Filter.1.Name", filter.as_str()), ("Filter.1.Value.1", &self.inside.name)];
        let found = self.inside.aws.query("ec2", "DescribeSecurityGroups", &asked).await?;
        let group = |group: &Element| Group {
            id: group.text("groupId").to_owned(),
            tags: form::tags(group, "tagSet/item", "key", "value"),
            open: !group.all("ipPermissions/item").is_empty(),
        };
        Ok(found.all("securityGroupInfo/item").into_iter().map(group).collect())
    }

    async fn group(&self, name: &str, about: &str, tags: &Tags) -> Result<String, String> {
        let mut asked = Form::of(&[("GroupName", name), ("GroupDescription", about), ("VpcId", self.vpc)]);
        asked.put("TagSpecification.1.ResourceType", "security-group");
        asked.tags("TagSpecification.1.Tag", tags);
        let made = asked.ask(&self.inside.aws, "ec2", "CreateSecurityGroup").await?;
        Ok(made.text("groupId").to_owned())
    }

    /// Lets everybody reach the ports that are listened to.
    async fn open(&self, group: &str) -> Result<(), String> {
        let mut ports: Vec<(i64, &str)> = Vec::new();
        let asked = self.stack.ports();
        for port in &asked {
            let rule = (port.port, if port.protocol == "UDP" { "udp" } else { "tcp" });
            if !ports.contains(&rule) {
                ports.push(rule);
            }
        }
        let mut asked = Form::of(&[("GroupId", group)]);
        for (place, (port, protocol)) in (1..).zip(ports) {
            let key = |field: &str| format!("IpPermissions.{place}.{field}");
            asked.put(&key("IpProtocol"), protocol);
            asked.put(&key("FromPort"), port);
            asked.put(&key("ToPort"), port);
            asked.put(&key("IpRanges.1.CidrIp"), "0.0.0.0/0");
        }
        asked.ask(&self.inside.aws, "ec2", "AuthorizeSecurityGroupIngress").await?;
        Ok(())
    }
}

fn is_shared(tags: &Tags) -> bool {
    tags.get(SHARED.0).is_some_and(|value| value == SHARED.1)
}

fn short(text: &str, most: usize) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(most).collect()
}

/// Ten digits that tell names apart.
fn digest(parts: &[&str]) -> String {
    hex::encode(&Sha256::digest(parts.join("\n"))[..5])
}
