//! Rules of security groups: the input's permissions, each rule by itself, and AWS's grouped form.
//!
//! A permission (AWS's `IpPermission`) holds a protocol, ports and any number of sources; a rule has one source. Two rules are the
//! same when protocol, ports and source are; the description does not count.

use runbook_modules::input::InputError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cidr::Cidr;

/// Protocol, ports, and sources (for egress: destinations).
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `-1` for all.
    pub ip_protocol: String,
    /// First port, or the ICMP type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i32>,
    /// Last port, or the ICMP code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i32>,
    /// One IPv4 block, e.g. `10.5.0.0/16`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_ip: Option<Cidr>,
    /// Several IPv4 blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_blocks: Option<Vec<Cidr>>,
    /// One IPv6 block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_ipv6: Option<String>,
    /// A security group: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_group: Option<String>,
    /// Describes the rules of `cidr_ip`, `cidr_blocks`, `cidr_ipv6` and `source_group`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// IPv4 blocks in AWS's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_ranges: Option<Vec<IpRange>>,
    /// IPv6 blocks in AWS's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_ranges: Option<Vec<Ipv6Range>>,
    /// Security groups in AWS's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id_group_pairs: Option<Vec<GroupPair>>,
    /// Prefix lists in AWS's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_list_ids: Option<Vec<PrefixList>>,
}

/// An IPv4 block.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpRange {
    /// The block.
    pub cidr_ip: Cidr,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An IPv6 block.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ipv6Range {
    /// The block.
    pub cidr_ipv6: String,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A security group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupPair {
    /// Its id.
    pub group_id: String,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A prefix list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixList {
    /// Its id.
    pub prefix_list_id: String,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a rule admits, or where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An IPv4 block.
    Ipv4(String),
    /// An IPv6 block.
    Ipv6(String),
    /// A security group.
    Group(String),
    /// A prefix list.
    Prefixes(String),
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `tcp`, …, `-1`.
    pub ip_protocol: String,
    /// First port; -1 for all.
    pub from_port: i32,
    /// Last port; -1 for all.
    pub to_port: i32,
    /// What it admits.
    pub source: Source,
    /// A description for people.
    pub description: Option<String>,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let key = |rule: &Self| (rule.ip_protocol.clone(), rule.from_port, rule.to_port, rule.source.clone());
        key(self) == key(other)
    }
}

impl Rule {
    /// As AWS describes a rule by itself (`SecurityGroupRule`).
    pub fn described(&self) -> Value {
        let mut map = json!({ "ip_protocol": self.ip_protocol, "from_port": self.from_port, "to_port": self.to_port });
        match &self.source {
            Source::Ipv4(block) => map["cidr_ipv4"] = block.as_str().into(),
            Source::Ipv6(block) => map["cidr_ipv6"] = block.as_str().into(),
            Source::Group(id) => map["referenced_group_info"] = json!({ "group_id": id }),
            Source::Prefixes(id) => map["prefix_list_id"] = id.as_str().into(),
        }
        if let Some(description) = &self.description {
            map["description"] = description.as_str().into();
        }
        map
    }

    /// Out of AWS's description of a rule; None when it is none.
    pub fn of(described: &Value) -> Option<Self> {
        let text = |field: &str| described.get(field).and_then(Value::as_str).map(str::to_owned);
        let port = |field: &str| described.get(field).and_then(Value::as_i64).and_then(|p| i32::try_from(p).ok());
        let group = || described.get("referenced_group_info")?.get("group_id")?.as_str().map(str::to_owned);
        let source = text("cidr_ipv4")
            .map(Source::Ipv4)
            .or_else(|| text("cidr_ipv6").map(Source::Ipv6))
            .or_else(|| group().map(Source::Group))
            .or_else(|| text("prefix_list_id").map(Source::Prefixes))?;
        Some(Self {
            ip_protocol: text("ip_protocol")?,
            from_port: port("from_port").unwrap_or(-1),
            to_port: port("to_port").unwrap_or(-1),
            source,
            description: text("description"),
        })
    }
}

/// The rules of permissions, one by one, in order.
pub fn flatten(permissions: &[Permission]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for permission in permissions {
        let (ip_protocol, from_port, to_port) = protocol_and_ports(permission);
        let mut add = |source, description: &Option<String>| {
            let description = description.clone().or_else(|| permission.description.clone());
            rules.push(Rule { ip_protocol: ip_protocol.clone(), from_port, to_port, source, description });
        };
        for block in permission.cidr_ip.iter().chain(permission.cidr_blocks.iter().flatten()) {
            add(Source::Ipv4(block.0.to_string()), &None);
        }
        for range in permission.ip_ranges.iter().flatten() {
            add(Source::Ipv4(range.cidr_ip.0.to_string()), &range.description);
        }
        if let Some(block) = &permission.cidr_ipv6 {
            add(Source::Ipv6(block.clone()), &None);
        }
        for range in permission.ipv6_ranges.iter().flatten() {
            add(Source::Ipv6(range.cidr_ipv6.clone()), &range.description);
        }
        if let Some(group) = &permission.source_group {
            add(Source::Group(group.clone()), &None);
        }
        for pair in permission.user_id_group_pairs.iter().flatten() {
            add(Source::Group(pair.group_id.clone()), &pair.description);
        }
        for list in permission.prefix_list_ids.iter().flatten() {
            add(Source::Prefixes(list.prefix_list_id.clone()), &list.description);
        }
    }
    rules
}

/// AWS writes the protocols that have names by name, and -1 for the ports of "all".
fn protocol_and_ports(permission: &Permission) -> (String, i32, i32) {
    let name = match permission.ip_protocol.to_ascii_lowercase().as_str() {
        "all" | "-1" => return ("-1".to_owned(), -1, -1),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        other => other.to_owned(),
    };
    (name, permission.from_port.unwrap_or(-1), permission.to_port.unwrap_or(-1))
}

/// Checks permissions without any target: sources, ports, no rule twice.
///
/// # Errors
/// The first permission that is wrong.
pub fn check(permissions: &[Permission]) -> Result<(), InputError> {
    if permissions.is_empty() {
        return Err(InputError::new("ip_permissions", "is empty"));
    }
    for (i, permission) in permissions.iter().enumerate() {
        let path = format!("ip_permissions.{i}");
        if flatten(std::slice::from_ref(permission)).is_empty() {
            return Err(InputError::new(path, "names no source: cidr_ip, cidr_blocks, source_group, …"));
        }
        let (protocol, from, to) = protocol_and_ports(permission);
        let ports = permission.from_port.is_some() && permission.to_port.is_some();
        if matches!(protocol.as_str(), "tcp" | "udp")
            && !(ports && (0..=65_535).contains(&from) && (from..=65_535).contains(&to))
        {
            return Err(InputError::new(path, format!("{protocol} needs from_port and to_port between 0 and 65535")));
        }
    }
    let rules = flatten(permissions);
    match (1..rules.len()).find(|i| rules[..*i].contains(&rules[*i])) {
        Some(i) => {
            Err(InputError::new("ip_permissions", format!("the same rule stands twice: {}", rules[i].described())))
        }
        None => Ok(()),
    }
}

/// AWS's grouped form, as a security group's description has it.
pub fn grouped(rules: &[Rule]) -> Value {
    let mut groups: Vec<(&Rule, Vec<&Rule>)> = Vec::new();
    for rule in rules {
        let same = |first: &Rule| {
            (&first.ip_protocol, first.from_port, first.to_port) == (&rule.ip_protocol, rule.from_port, rule.to_port)
        };
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((_, members)) => members.push(rule),
            None => groups.push((rule, vec![rule])),
        }
    }
    groups.into_iter().map(|(first, members)| permission(first, &members)).collect()
}

fn permission(first: &Rule, members: &[&Rule]) -> Value {
    let mut map = json!({
        "ip_protocol": first.ip_protocol,
        "ip_ranges": [], "ipv6_ranges": [], "user_id_group_pairs": [], "prefix_list_ids": [],
    });
    if first.ip_protocol != "-1" {
        map["from_port"] = first.from_port.into();
        map["to_port"] = first.to_port.into();
    }
    for rule in members {
        let (field, mut entry) = match &rule.source {
            Source::Ipv4(block) => ("ip_ranges", json!({ "cidr_ip": block })),
            Source::Ipv6(block) => ("ipv6_ranges", json!({ "cidr_ipv6": block })),
            Source::Group(id) => ("user_id_group_pairs", json!({ "group_id": id })),
            Source::Prefixes(id) => ("prefix_list_ids", json!({ "prefix_list_id": id })),
        };
        if let Some(description) = &rule.description {
            entry["description"] = description.as_str().into();
        }
        if let Some(list) = map[field].as_array_mut() {
            list.push(entry);
        }
    }
    map
}

/// The lists of a permission, the field of their entries, and what it names.
type Sources = (&'static str, &'static str, fn(String) -> Source);
const SOURCES: [Sources; 4] = [
    ("ip_ranges", "cidr_ip", Source::Ipv4),
    ("ipv6_ranges", "cidr_ipv6", Source::Ipv6),
    ("user_id_group_pairs", "group_id", Source::Group),
    ("prefix_list_ids", "prefix_list_id", Source::Prefixes),
];

/// The rules in a security group's description.
pub fn ungrouped(permissions: &Value) -> Vec<Rule> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut rules = Vec::new();
    for permission in permissions.as_array().into_iter().flatten() {
        let port = |field: &str| {
            permission.get(field).and_then(Value::as_i64).and_then(|p| i32::try_from(p).ok()).unwrap_or(-1)
        };
        for (list, field, source) in SOURCES {
            for entry in permission.get(list).and_then(Value::as_array).into_iter().flatten() {
                let Some(value) = text(entry, field) else { continue };
                rules.push(Rule {
                    ip_protocol: text(permission, "ip_protocol").unwrap_or_default(),
                    from_port: port("from_port"),
                    to_port: port("to_port"),
                    source: source(value),
                    description: text(entry, "description"),
                });
            }
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(value: Value) -> Vec<Permission> {
        serde_json::from_value(value).unwrap_or_default()
    }

    #[test]
    fn shortcuts_and_the_form_of_aws_give_the_same_rules() {
        let short = permissions(json!([{
            "ip_protocol": "6", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.5.0.0/16", "10.6.0.0/16"], "source_group": "sg-1",
        }]));
        let long = permissions(json!([{
            "ip_protocol": "tcp", "from_port": 443, "to_port": 443,
            "ip_ranges": [{ "cidr_ip": "10.5.0.0/16" }, { "cidr_ip": "10.6.0.0/16", "description": "peer" }],
            "user_id_group_pairs": [{ "group_id": "sg-1" }],
        }]));
        assert_eq!(flatten(&short), flatten(&long));
        assert_eq!(flatten(&short).len(), 3);
    }

    #[test]
    fn grouping_and_its_inverse_keep_every_rule() {
        let rules = flatten(&permissions(json!([
            { "ip_protocol": "-1", "cidr_ip": "10.5.0.0/16", "source_group": "sg-1" },
            { "ip_protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_ipv6": "::/0", "description": "web" },
        ])));
        assert_eq!(ungrouped(&grouped(&rules)), rules);
        assert_eq!(rules.iter().map(Rule::described).filter_map(|r| Rule::of(&r)).collect::<Vec<_>>(), rules);
    }

    #[test]
    fn a_permission_without_source_or_ports_and_a_rule_twice_are_refused() {
        let refused = |value| check(&permissions(value)).map_err(|e| e.path);
        assert_eq!(refused(json!([{ "ip_protocol": "-1" }])), Err("ip_permissions.0".to_owned()));
        assert_eq!(
            refused(json!([{ "ip_protocol": "tcp", "cidr_ip": "10.0.0.0/8" }])),
            Err("ip_permissions.0".to_owned())
        );
        let twice = json!([{ "ip_protocol": "all", "cidr_ip": "10.0.0.0/8" }, { "ip_protocol": "-1", "cidr_ip": "10.0.0.0/8" }]);
        assert_eq!(refused(twice), Err("ip_permissions".to_owned()));
        assert_eq!(refused(json!([{ "ip_protocol": "-1", "cidr_ip": "10.0.0.0/8" }])), Ok(()));
    }
}
