//! The runs whose undo is held up: as small as the obstacle allows.

/// The beginning of all.
pub const AWS: &str = "const AWS = aws(#{ region: \"us-east-1\" });\n";

/// A network with a NAT gateway.
pub const NETWORK: &str = r#"
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "net", cidr_block: "10.0.0.0/16" }));
step("gateway", || {
    let igw = AWS.ec2.create_internet_gateway(#{ name: "igw" });
    AWS.ec2.attach_internet_gateway(#{ internet_gateway_id: igw.id, vpc_id: vpc.id });
});
let subnet = step("subnet", || AWS.ec2.create_subnet(#{
    name: "a", vpc_id: vpc.id, cidr_block: "10.0.1.0/24", availability_zone: "us-east-1a",
}));
step("nat", || {
    let address = AWS.ec2.allocate_address(#{ name: "address" });
    AWS.ec2.create_nat_gateway(#{ name: "nat", subnet_id: subnet.id, allocation_id: address.id });
});
"#;

/// A VPC with two subnets.
const TWO_SUBNETS: &str = r#"
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "net", cidr_block: "10.0.0.0/16" }));
let subnets = step("subnets", || [0, 1].map(|i| AWS.ec2.create_subnet(#{
    vpc_id: vpc.id, cidr_block: cidr_subnet("10.0.0.0/16", 8, i), availability_zone: ["us-east-1a", "us-east-1b"][i],
}).id));
"#;

/// A role.
pub const ROLE: &str = r#"
let role = step("role", || AWS.iam.create_role(#{ role_name: "wedge", assume_role_policy_document: #{
    Version: "2012-10-17",
    Statement: [#{ Effect: "Allow", Principal: #{ Service: "eks.amazonaws.com" }, Action: "sts:AssumeRole" }],
} }));
"#;

/// A log group as EKS calls it, made by the run.
pub const LOG_GROUP: &str =
    "step(\"log group\", || AWS.logs.create_log_group(#{ log_group_name: \"/aws/eks/wedge/cluster\" }));\n";

/// The same, taken over where one stands.
pub const ADOPTED_LOG_GROUP: &str =
    "step(\"log group\", || AWS.logs.adopt_log_group(#{ log_group_name: \"/aws/eks/wedge/cluster\" }));\n";

/// For a cluster that logs.
pub const LOGGING: &str = ", logging: #{ cluster_logging: [#{ types: [\"api\"], enabled: true }] }";

/// A cluster `wedge`; `before` stands in front of it, `more` are further fields of it, `after` is what stands in it.
pub fn cluster(before: &str, more: &str, after: &str) -> String {
    let cluster = format!(
        "let cluster = step(\"cluster\", || AWS.eks.create_cluster(#{{\n    name: \"wedge\", role_arn: role.arn, \
         resources_vpc_config: #{{ subnet_ids: subnets }}{more},\n}}));\n"
    );
    [AWS, TWO_SUBNETS, ROLE, before, &cluster, after].concat()
}

/// A namespace with a ConfigMap, in a cluster.
pub const NAMESPACE: &str = r#"
const K = k8s(cluster);
step("namespace", || K.apply(#{ apiVersion: "v1", kind: "Namespace", metadata: #{ name: "wedge" } }));
step("map", || K.apply(#{
    apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "wedge", namespace: "wedge" }, data: #{ a: "b" },
}));
"#;

/// Nodes of a cluster.
pub const NODES: &str = r#"
step("nodes", || AWS.eks.create_nodegroup(#{
    cluster_name: cluster.name, nodegroup_name: "nodes", node_role: role.arn, subnets: subnets,
}));
"#;

/// A bucket whose objects are encrypted with a key of the run.
pub const BUCKET: &str = r#"
let key = step("key", || AWS.kms.create_key(#{ name: "key" }));
step("bucket", || AWS.s3.create_bucket(#{ bucket: "wedge-data", encrypted_with: key.arn }));
"#;

/// A protected database.
pub fn database() -> String {
    let rest = r#"
step("group", || AWS.rds.create_db_subnet_group(#{
    db_subnet_group_name: "wedge", db_subnet_group_description: "wedge", subnet_ids: subnets,
}));
step("database", || AWS.rds.create_db_instance(#{
    db_instance_identifier: "wedge", engine: "postgres", db_instance_class: "db.t3.micro", allocated_storage: 20,
    master_username: "main", master_user_password: random_password(20), db_subnet_group_name: "wedge",
    deletion_protection: true, skip_final_snapshot: true,
}));
"#;
    [AWS, TWO_SUBNETS, rest].concat()
}

/// A private zone with a record.
pub const ZONE: &str = r#"
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "net", cidr_block: "10.0.0.0/16" }));
let zone = step("zone", || AWS.route53.create_hosted_zone(#{
    name: "wedge.internal", vpc: #{ vpc_id: vpc.id, vpc_region: "us-east-1" },
}));
step("record", || AWS.route53.upsert_record_set(#{
    hosted_zone_id: zone.id, name: "a.wedge.internal", type: "A", ttl: 60, resource_records: ["10.0.0.1"],
}));
"#;

/// A queue.
pub const QUEUE: &str = "step(\"queue\", || AWS.sqs.create_queue(#{ queue_name: \"wedge\" }));\n";

/// A key with a name, and a secret that is encrypted with it; `end` says how the secret's name ends.
pub fn secret(end: &str) -> String {
    format!(
        "{AWS}let key = step(\"key\", || AWS.kms.create_key(#{{ name: \"key\" }}));\n\
         step(\"alias\", || AWS.kms.create_alias(#{{ alias_name: \"alias/wedge\", target_key_id: key.key_id }}));\n\
         step(\"secret\", || AWS.secretsmanager.create_secret(#{{ name: \"wedge\", kms_key_id: key.arn, secret_string: \"x\", {end} }}));\n"
    )
}

/// A role that the account has once.
pub const SHARED_ROLE: &str =
    "step(\"spot\", || AWS.iam.create_service_linked_role(#{ aws_service_name: \"spot.amazonaws.com\" }));\n";
