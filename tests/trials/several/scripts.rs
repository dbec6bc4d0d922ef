//! Somebody else's account and the run that adds to it.

/// What somebody else has made before: bit `n` of `mask` says whether the n-th of five is there already, of each kind, half of them
/// with other contents than the run will ask for.
pub const THEIRS: &str = r#"const P = params(#{ mask: int(0) });
const AWS = aws(#{ region: "us-east-1" });
fn rule(n) { #{ ip_protocol: "tcp", from_port: 7000 + n, to_port: 7000 + n, cidr_ip: "10.9.0.0/16" } }
fn trust() {
    #{ Version: "2012-10-17", Statement: [#{ Effect: "Allow", Principal: #{ Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }] }
}
fn document(action) { #{ Version: "2012-10-17", Statement: [#{ Effect: "Allow", Action: action, Resource: "*" }] } }
let some = [];
for n in 0..5 { if (P.mask & (1 << n)) != 0 { some.push(n); } }
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "theirs", cidr_block: "10.9.0.0/16" }));
step("group", || {
    let group = AWS.ec2.create_security_group(#{ group_name: "theirs", description: "theirs", vpc_id: vpc.id });
    let ssh = #{ ip_protocol: "tcp", from_port: 22, to_port: 22, cidr_ip: "10.9.0.0/16" };
    AWS.ec2.authorize_security_group_ingress(#{ group_id: group.id, ip_permissions: [ssh] + some.map(|n| rule(n)) });
    if !some.is_empty() {
        AWS.ec2.authorize_security_group_egress(#{ group_id: group.id, ip_permissions: some.map(|n| rule(n)) });
    }
});
step("role", || {
    AWS.iam.create_role(#{ role_name: "theirs", assume_role_policy_document: trust() });
    AWS.iam.attach_role_policy(#{ role_name: "theirs", policy_arn: "arn:aws:iam::aws:policy/Theirs" });
    for n in some {
        AWS.iam.attach_role_policy(#{ role_name: "theirs", policy_arn: `arn:aws:iam::aws:policy/P${n}` });
        let action = if n % 2 == 0 { "s3:GetObject" } else { "s3:PutObject" };
        AWS.iam.put_role_policy(#{ role_name: "theirs", policy_name: `p${n}`, policy_document: document(action) });
    }
});
step("bucket", || {
    AWS.s3.create_bucket(#{ bucket: "theirs" });
    if 0 in some {
        let rule = #{ apply_server_side_encryption_by_default: #{ sse_algorithm: "aws:kms" } };
        AWS.s3.put_bucket_encryption(#{ bucket: "theirs", server_side_encryption_configuration: #{ rules: [rule] } });
    }
    if 1 in some {
        AWS.s3.put_public_access_block(#{ bucket: "theirs", public_access_block_configuration: #{ block_public_acls: true } });
    }
    if 2 in some {
        let rule = #{ id: "old", expiration: #{ days: 7 } };
        AWS.s3.put_bucket_lifecycle_configuration(#{ bucket: "theirs", lifecycle_configuration: #{ rules: [rule] } });
    }
});
step("zone", || {
    let zone = AWS.route53.create_hosted_zone(#{ name: "theirs.internal", vpc: #{ vpc_id: vpc.id, vpc_region: "us-east-1" } });
    for n in some {
        let value = if n % 2 == 0 { `10.9.0.${n}` } else { "10.9.9.9" };
        AWS.route53.upsert_record_set(#{
            hosted_zone_id: zone.id, name: `r${n}.theirs.internal`, "type": "A", ttl: 60, resource_records: [value],
        });
    }
});
"#;

/// The run: five of each kind, in one call and in several, on what is theirs and on what is its own.
pub const OURS: &str = r#"const AWS = aws(#{ region: "us-east-1" });
fn rule(from, n) { #{ ip_protocol: "tcp", from_port: from + n, to_port: from + n, cidr_ip: "10.9.0.0/16" } }
fn five() { [0, 1, 2, 3, 4] }
fn trust() {
    #{ Version: "2012-10-17", Statement: [#{ Effect: "Allow", Principal: #{ Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }] }
}
fn document(action) { #{ Version: "2012-10-17", Statement: [#{ Effect: "Allow", Action: action, Resource: "*" }] } }
fn policies(role) {
    for n in five() {
        global::AWS.iam.attach_role_policy(#{ role_name: role, policy_arn: `arn:aws:iam::aws:policy/P${n}` });
        global::AWS.iam.put_role_policy(#{ role_name: role, policy_name: `p${n}`, policy_document: document("s3:GetObject") });
    }
}
fn settings(bucket) {
    let rule = #{ apply_server_side_encryption_by_default: #{ sse_algorithm: "aws:kms" }, bucket_key_enabled: true };
    global::AWS.s3.put_bucket_encryption(#{ bucket: bucket, server_side_encryption_configuration: #{ rules: [rule] } });
    global::AWS.s3.put_public_access_block(#{ bucket: bucket, public_access_block_configuration: #{ block_public_policy: true } });
    let rule = #{ id: "new", expiration: #{ days: 30 } };
    global::AWS.s3.put_bucket_lifecycle_configuration(#{ bucket: bucket, lifecycle_configuration: #{ rules: [rule] } });
}
let theirs = step("theirs", || {
    let groups = AWS.ec2.describe_security_groups(#{ filters: #{ "group-name": "theirs" } }).security_groups;
    let zones = AWS.route53.list_hosted_zones_by_name(#{ dns_name: "theirs.internal" }).hosted_zones;
    #{ group: groups[0].group_id, vpc: groups[0].vpc_id, zone: zones[0].id }
});
step("in", || AWS.ec2.authorize_security_group_ingress(#{ group_id: theirs.group, ip_permissions: five().map(|n| rule(7000, n)) }));
step("out", || AWS.ec2.authorize_security_group_egress(#{ group_id: theirs.group, ip_permissions: five().map(|n| rule(7000, n)) }));
step("one by one", || {
    for n in five() {
        AWS.ec2.authorize_security_group_ingress(#{ group_id: theirs.group, ip_permissions: [rule(8000, n)] });
    }
});
step("own group", || {
    let group = AWS.ec2.create_security_group(#{ group_name: "ours", description: "ours", vpc_id: theirs.vpc });
    AWS.ec2.authorize_security_group_ingress(#{ group_id: group.id, ip_permissions: five().map(|n| rule(7000, n)) });
});
step("policies", || policies("theirs"));
step("own role", || {
    AWS.iam.create_role(#{ role_name: "ours", assume_role_policy_document: trust() });
    policies("ours");
});
step("settings", || settings("theirs"));
step("own bucket", || {
    AWS.s3.create_bucket(#{ bucket: "ours" });
    settings("ours");
    AWS.s3.put_bucket_versioning(#{ bucket: "ours", versioning_configuration: #{ status: "Enabled" } });
});
step("records", || {
    for n in five() {
        AWS.route53.upsert_record_set(#{
            hosted_zone_id: theirs.zone, name: `r${n}.theirs.internal`, "type": "A", ttl: 60, resource_records: [`10.9.0.${n}`],
        });
    }
});
"#;
