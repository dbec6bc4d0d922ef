//! What a script may do with a secret: one use for each, so that a canary that is found tells which use let it out. Each is the body of a
//! step; `P.NAME` is the canary. `vpc`, `k` (a cluster) and `AWS` are there.

/// Name and body.
pub const USES: &[(&str, &str)] = &[
    ("printed", "print(`printed ${P.printed}`);"),
    ("logged", "log(`logged ${P.logged}`);"),
    ("listed", "[1, P.listed, [P.listed]]"),
    ("mapped", "#{ value: P.mapped, inner: #{ value: P.mapped } }"),
    ("keyed", "let map = #{}; map[`k${P.keyed}`] = 1; print(`${map}`); map"),
    ("url", "let url = `https://user:${P.url}@example.com/?token=${P.url}`; print(url); url"),
    ("header", "`Authorization: Bearer ${P.header}`"),
    ("encoded", "base64(P.encoded)"),
    ("encoded_twice", "base64(base64(`user:${P.encoded_twice}`))"),
    ("as_json", "to_json(#{ password: P.as_json, list: [P.as_json] })"),
    ("as_yaml", "to_yaml(#{ password: P.as_yaml })"),
    ("captured", "let text = P.captured + \"!\"; step(\"captured\", || text)"),
    ("branch", "parallel(#{ a: || step(\"a\", || P.branch), b: || print(`in a branch ${P.branch}`) })"),
    ("caught", "try { step(\"caught\", || fail(`caught ${P.caught}`)); } catch (e) { print(e.message); }"),
    ("thrown", "try { throw `thrown ${P.thrown}`; } catch (e) { print(`${e}`); }"),
    (
        "checked",
        "try { check(\"never\", #{ within: \"2s\", every: \"1s\" }, || fail(`${P.checked}`)); } catch (e) { print(`${e}`); }",
    ),
    ("retried", "try { step(\"retried\", #{ retry: 2 }, || fail(`${P.retried}`)); } catch (e) { print(e.message); }"),
    (
        "refused",
        "try { AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: `${P.refused}` }); } catch (e) { print(e.message); }",
    ),
    ("taken", "try { AWS.sqs.create_queue(#{ queue_name: `${P.taken}` }); } catch (e) { print(e.message); }"),
    ("field", "let map = #{}; map[`${P.field}`] = 1; try { AWS.ec2.create_vpc(map); } catch (e) { print(`${e}`); }"),
    ("missing", "try { let map = #{ a: 1 }; map[`${P.missing}`]; } catch (e) { print(`${e}`); }"),
    ("tagged", "AWS.ec2.create_internet_gateway(#{ name: \"tagged\", tags: #{ Secret: `${P.tagged}` } })"),
    (
        "described",
        "AWS.iam.create_policy(#{ policy_name: \"described\", description: `${P.described}`, policy_document: #{ \
       Version: \"2012-10-17\", Statement: [#{ Effect: \"Allow\", Action: \"s3:GetObject\", Resource: \"*\" }] } })",
    ),
    ("kept_secret", "AWS.secretsmanager.create_secret(#{ name: \"kept\", secret_string: `${P.kept_secret}` })"),
    (
        "kept_json",
        "AWS.secretsmanager.create_secret(#{ name: \"json\", secret_string: to_json(#{ password: P.kept_json }) })",
    ),
    ("put_value", "AWS.secretsmanager.put_secret_value(#{ secret_id: \"kept\", secret_string: `${P.put_value}` })"),
    (
        "user_data",
        "AWS.ec2.create_launch_template(#{ launch_template_name: \"u\", launch_template_data: #{ \
       user_data: base64(`password=${P.user_data}`) } })",
    ),
    (
        "string_data",
        "k.apply(#{ apiVersion: \"v1\", kind: \"Secret\", metadata: #{ name: \"s\", namespace: \"default\" }, \
       stringData: #{ password: P.string_data } })",
    ),
    (
        "data",
        "k.apply(#{ apiVersion: \"v1\", kind: \"Secret\", metadata: #{ name: \"d\", namespace: \"default\" }, \
       data: #{ password: base64(P.data) } })",
    ),
    (
        "config_map",
        "k.apply(#{ apiVersion: \"v1\", kind: \"ConfigMap\", metadata: #{ name: \"m\", namespace: \"default\" }, \
       data: #{ \"app.conf\": `password = ${P.config_map}` } })",
    ),
    (
        "annotation",
        "k.apply(#{ apiVersion: \"v1\", kind: \"ConfigMap\", metadata: #{ name: \"a\", namespace: \"default\", \
       annotations: #{ note: `${P.annotation}` } } })",
    ),
    (
        "manifest",
        "k.apply(to_yaml(#{ apiVersion: \"v1\", kind: \"Secret\", metadata: #{ name: \"y\", namespace: \"default\" }, \
       data: #{ a: base64(P.manifest) } }))",
    ),
    (
        "helm_value",
        "k.helm.upgrade_install(#{ release: \"h\", namespace: \"default\", chart: \"oci://example.invalid/h\", version: \"1.0.0\", \
       values: #{ auth: #{ password: P.helm_value }, list: [`x ${P.helm_value}`] } })",
    ),
    (
        "registry",
        "k.helm.upgrade_install(#{ release: \"r\", namespace: \"default\", chart: \"oci://example.invalid/r\", version: \"1.0.0\", \
       registry: #{ username: \"canary\", password: `${P.registry}` } })",
    ),
    ("undone", "on_undo(|| print(`undone ${P.undone}`));"),
];

/// Those of the provider: a Secret of somebody else's, a secret parameter, a key that is told once; made there, and passed on.
pub const PROVIDED: &str = r#"
let db = step("their secret", || k.get(#{ kind: "Secret", name: "db" }));
print(`theirs ${db}`);
let parameter = step("their parameter", || AWS.ssm.get_parameter(#{ name: "/prod/db", with_decryption: true }));
step("passed on", || k.apply(#{
    apiVersion: "v1", kind: "Secret", metadata: #{ name: "copy", namespace: "default" },
    stringData: #{ url: `redis://${db.stringData.user}:${db.stringData.password}@cache`, other: parameter.value },
}));
step("user", || AWS.iam.create_user(#{ user_name: "canary" }));
let access = step("access key", || AWS.iam.create_access_key(#{ user_name: "canary" }));
output("access", access);
output("db", db);
output("parameter", parameter);
"#;

/// What somebody else has made before: a cluster with a Secret in it.
pub const THEIRS: &str = r#"const P = params(#{ user: string(), password: string() });
const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.1.0.0/16" }));
let subnets = [];
for zone in ["a", "b"] {
    subnets.push(step(zone, || AWS.ec2.create_subnet(#{
        vpc_id: vpc.id, cidr_block: cidr_subnet("10.1.0.0/16", 8, subnets.len()), availability_zone: `us-east-1${zone}`,
    })).id);
}
let role = step("role", || AWS.iam.create_role(#{ role_name: "theirs", assume_role_policy_document: #{
    Version: "2012-10-17",
    Statement: [#{ Effect: "Allow", Action: "sts:AssumeRole", Principal: #{ Service: "eks.amazonaws.com" } }],
} }));
let cluster = step("cluster", || AWS.eks.create_cluster(#{
    name: "c", role_arn: role.arn, resources_vpc_config: #{ subnet_ids: subnets },
}));
step("secret", || k8s(cluster).apply(#{
    apiVersion: "v1", kind: "Secret", metadata: #{ name: "db", namespace: "default" },
    stringData: #{ user: P.user, password: P.password },
}));
"#;

/// A secret parameter, in thirds: no file of ours holds half of it.
pub const GIVEN: &str = r#"given:
  - { kind: ssm.parameter, id: /prod/db, body: { type: SecureString, value: "${param.first}${param.second}${param.third}" } }
"#;
/// Its thirds.
pub const THIRDS: [&str; 3] = ["Cnry-of-the-", "store-7f3a9c", "0e-parameter"];
