//! EKS over moto: the control plane's address, an issuer and a security group for each cluster, states, add-ons, access.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    super::{Config, Failure, Pending, Proxy, What},
    Plain, until,
};
use crate::{
    clusters::{Clusters, Later, NodeGroup, Reached},
    emulators::Moto,
    tools,
};

/// Control planes that are only addresses; a cluster called `broken` does not start.
struct Addresses;

impl Clusters for Addresses {
    fn create<'a>(&'a self, cluster: &'a str, _: &'a str) -> Later<'a, Reached> {
        Box::pin(async move {
            let reached =
                Reached { endpoint: format!("https://127.0.0.1/{cluster}"), ca_pem: format!("PEM {cluster}") };
            if cluster == "broken" { Err("etcd does not start".to_owned()) } else { Ok(reached) }
        })
    }
    fn add_nodes<'a>(&'a self, _: &'a str, group: NodeGroup) -> Later<'a, ()> {
        let expected = (group.nodes, group.taints) == (3, vec!["k=v:NoExecute".to_owned()]);
        Box::pin(async move { if expected { Ok(()) } else { Err("other nodes were asked for".to_owned()) } })
    }
    fn remove_nodes<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn add_addon<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn remove_addon<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn delete<'a>(&'a self, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

struct World {
    _moto: Moto,
    proxy: Proxy,
    plain: Plain,
    vpc: String,
    subnets: [String; 2],
}

async fn role(plain: &Plain, name: &str, service: &str) -> String {
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" } ] });
    let fields = [("RoleName", name), ("AssumeRolePolicyDocument", &policy.to_string())];
    let made = plain.form("iam", "CreateRole", &fields).await.unwrap().xml();
    made.at(&["CreateRoleResult", "Role", "Arn"]).to_owned()
}

async fn world() -> Option<World> {
    let moto = Moto::start(&tools::require()?).unwrap();
    let pending = Pending::all(Duration::from_secs(4));
    let config = Config { pending, clusters: Arc::new(Addresses), ..Config::new(moto.url()) };
    let proxy = Proxy::start(config).await.unwrap();
    let plain = Plain::of(&proxy);
    let vpc = plain.ec2("CreateVpc", &[("CidrBlock", "10.5.0.0/16")]).await.xml().at(&["vpc", "vpcId"]).to_owned();
    let mut subnets = Vec::new();
    for (block, zone) in [("10.5.1.0/24", "us-east-1a"), ("10.5.2.0/24", "us-east-1b")] {
        let fields = [("VpcId", vpc.as_str()), ("CidrBlock", block), ("AvailabilityZone", zone)];
        subnets.push(plain.ec2("CreateSubnet", &fields).await.xml().at(&["subnet", "subnetId"]).to_owned());
    }
    let subnets = subnets.try_into().ok()?;
    Some(World { _moto: moto, proxy, plain, vpc, subnets })
}

impl World {
    async fn create(&self, name: &str, role: &str) -> Value {
        let body = json!({
            "name": name, "roleArn": role, "version": "1.36", "clientRequestToken": "t".repeat(40),
            "resourcesVpcConfig": { "subnetIds": self.subnets, "endpointPrivateAccess": true },
            "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" },
        });
        let body = match name {
            "c" => body,
            _ => json!({ "name": name, "roleArn": role, "resourcesVpcConfig": body["resourcesVpcConfig"] }),
        };
        self.plain.eks("POST", "/clusters", &body).await.json()
    }

    async fn get(&self, path: &str) -> Value {
        self.plain.eks("GET", path, &Value::Null).await.json()
    }

    async fn until(&self, path: &str, of: &str, status: &str) -> Value {
        until(&format!("{path} {status}"), async || {
            Some(self.get(path).await[of].clone()).filter(|it| it["status"] == status)
        })
        .await
    }

    async fn interfaces(&self) -> Vec<super::Element> {
        let fields = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", self.vpc.as_str())];
        self.plain.ec2("DescribeNetworkInterfaces", &fields).await.xml().items(&["networkInterfaceSet"]).to_vec()
    }
}

#[tokio::test]
async fn a_cluster_is_a_real_control_plane_with_an_issuer_and_a_security_group() {
    let Some(world) = world().await else { return };
    assert!(
        world.create("c", "arn:aws:iam::123456789012:role/none").await["message"]
            .to_string()
            .contains("could not be assumed")
    );
    let role = role(&world.plain, "cluster", "eks.amazonaws.com").await;
    let made = world.create("c", &role).await;
    assert_eq!((&made["cluster"]["status"], &made["cluster"]["endpoint"]), (&json!("CREATING"), &Value::Null));
    assert_eq!(world.create("c", &role).await, made, "the same token gives the same answer");
    let early = world.plain.eks("POST", "/clusters/c/addons", &json!({ "addonName": "vpc-cni" })).await;
    assert!(early.json()["message"].to_string().contains("not in ACTIVE"));

    let cluster = world.until("/clusters/c", "cluster", "ACTIVE").await;
    assert_eq!(cluster["endpoint"], "https://127.0.0.1/c");
    assert_eq!(cluster["certificateAuthority"]["data"], STANDARD.encode("PEM c"));
    assert_eq!((&cluster["version"], &cluster["health"]["issues"]), (&json!("1.36"), &json!([])));
    let network = &cluster["resourcesVpcConfig"];
    assert_eq!((&network["vpcId"], &network["subnetIds"]), (&json!(world.vpc), &json!(world.subnets)));
    assert_eq!((&network["endpointPublicAccess"], &network["endpointPrivateAccess"]), (&json!(true), &json!(true)));
    let group = network["clusterSecurityGroupId"].as_str().unwrap();
    let described = world.plain.ec2("DescribeSecurityGroups", &[("GroupId.1", group)]).await.xml();
    assert!(described.items(&["securityGroupInfo"])[0].at(&["groupName"]).starts_with("eks-cluster-sg-c-"));
    assert_eq!(world.interfaces().await.len(), 2);
    assert_eq!(world.plain.ec2("DeleteSecurityGroup", &[("GroupId", group)]).await.code(), "DependencyViolation");

    assert!(world.create("d", &role).await["cluster"]["status"] == "CREATING");
    let other = world.until("/clusters/d", "cluster", "ACTIVE").await;
    assert_ne!(other["identity"]["oidc"]["issuer"], cluster["identity"]["oidc"]["issuer"]);
    world.create("broken", &role).await;
    let broken = world.until("/clusters/broken", "cluster", "FAILED").await;
    assert_eq!(broken["health"]["issues"][0]["message"], "etcd does not start");

    for name in ["c", "d", "broken"] {
        let deleting = world.plain.eks("DELETE", &format!("/clusters/{name}"), &Value::Null).await.json();
        assert_eq!(deleting["cluster"]["status"], "DELETING");
        until("gone", async || {
            (world.get("/clusters").await["clusters"].as_array()?.iter().all(|one| one != name)).then_some(())
        })
        .await;
    }
    assert_eq!(world.plain.eks("GET", "/clusters/c", &Value::Null).await.status, 404);
    assert_eq!(world.interfaces().await.len(), 0);
    assert_eq!(
        world.plain.ec2("DescribeSecurityGroups", &[("GroupId.1", group)]).await.code(),
        "InvalidGroup.NotFound"
    );
}

#[tokio::test]
async fn node_groups_and_add_ons_take_their_time_and_fail() {
    let Some(world) = world().await else { return };
    let (role, nodes) =
        (role(&world.plain, "c", "eks.amazonaws.com").await, role(&world.plain, "n", "ec2.amazonaws.com").await);
    world.create("c", &role).await;
    world.until("/clusters/c", "cluster", "ACTIVE").await;
    let addon =
        async |name: &str| world.plain.eks("POST", "/clusters/c/addons", &json!({ "addonName": name })).await.json();
    assert_eq!(addon("aws-ebs-csi-driver").await["addon"]["status"], "CREATING");
    let degraded = world.until("/clusters/c/addons/aws-ebs-csi-driver", "addon", "DEGRADED").await;
    assert_eq!(degraded["health"]["issues"][0]["code"], "InsufficientNumberOfReplicas");

    let group = |name: &str, role: &str| {
        json!({ "nodegroupName": name, "nodeRole": role, "subnets": world.subnets,
            "scalingConfig": { "minSize": 1, "maxSize": 3, "desiredSize": 3 },
            "taints": [{ "key": "k", "value": "v", "effect": "NO_EXECUTE" }], "labels": { "l": "1" } })
    };
    let create = async |name: &str, role: &str| {
        world.plain.eks("POST", "/clusters/c/node-groups", &group(name, role)).await.json()
    };
    assert!(create("n", &role).await["message"].to_string().contains("service principals"));
    let made = create("n", &nodes).await;
    assert_eq!(
        (&made["nodegroup"]["status"], &made["nodegroup"]["labels"]),
        (&json!("CREATING"), &json!({ "l": "1" }))
    );
    let active = world.until("/clusters/c/node-groups/n", "nodegroup", "ACTIVE").await;
    assert_eq!((&active["version"], &active["remoteAccess"]), (&json!("1.36"), &Value::Null));
    world.until("/clusters/c/addons/aws-ebs-csi-driver", "addon", "ACTIVE").await;

    let issue =
        |what, name: &str| Failure { what, name: Some(name.into()), code: "AccessDenied".into(), message: "no".into() };
    world.proxy.fail(issue(What::Nodegroup, "bad"));
    world.proxy.fail(issue(What::Addon, "vpc-cni"));
    create("bad", &nodes).await;
    addon("vpc-cni").await;
    for (path, of) in [("/clusters/c/node-groups/bad", "nodegroup"), ("/clusters/c/addons/vpc-cni", "addon")] {
        let failed = world.until(path, of, "CREATE_FAILED").await;
        assert_eq!(failed["health"]["issues"], json!([{ "code": "AccessDenied", "message": "no" }]));
    }
    assert!(addon("vpc-cni").await["message"].to_string().contains("already exists"));
    assert!(addon("other").await["message"].to_string().contains("not supported"));
    assert_eq!(world.plain.eks("DELETE", "/clusters/c", &Value::Null).await.status, 409);
    for path in ["node-groups/n", "node-groups/bad", "addons/vpc-cni"] {
        let path = format!("/clusters/c/{path}");
        let deleting = world.plain.eks("DELETE", &path, &Value::Null).await.json();
        assert!(deleting.to_string().contains("\"DELETING\""), "{deleting}");
        until("gone", async || (world.plain.eks("GET", &path, &Value::Null).await.status == 404).then_some(())).await;
    }
}

#[tokio::test]
async fn updates_versions_access_entries_and_associations_are_answered() {
    let Some(world) = world().await else { return };
    let role = role(&world.plain, "c", "eks.amazonaws.com").await;
    world.create("c", &role).await;
    world.until("/clusters/c", "cluster", "ACTIVE").await;
    let body = json!({ "resourcesVpcConfig": { "publicAccessCidrs": ["10.0.0.0/8"] } });
    let update = world.plain.eks("POST", "/clusters/c/update-config", &body).await.json();
    assert_eq!(update["update"]["status"], "InProgress");
    let path = format!("/clusters/c/updates/{}", update["update"]["id"].as_str().unwrap());
    world.until(&path, "update", "Successful").await;
    let network = world.get("/clusters/c").await["cluster"]["resourcesVpcConfig"].clone();
    assert_eq!((&network["publicAccessCidrs"], &network["subnetIds"]), (&json!(["10.0.0.0/8"]), &json!(world.subnets)));

    let versions = world.get("/addons/supported-versions?addonName=vpc-cni&kubernetesVersion=1.36").await;
    let first = &versions["addons"][0]["addonVersions"][0];
    assert_eq!(first["compatibilities"][0]["clusterVersion"], "1.36");
    assert_eq!(first["compatibilities"][0]["defaultVersion"], true);
    assert_eq!(
        world.get("/cluster-versions?defaultOnly=true").await["clusterVersions"].as_array().map(Vec::len),
        Some(1)
    );

    let creator = "arn:aws:sts::123456789012:user/moto";
    assert_eq!(world.get("/clusters/c/access-entries").await, json!({ "accessEntries": [creator] }));
    let access = world.proxy.access();
    assert_eq!(access.groups("c", creator), Some(vec!["system:masters".to_owned()]));
    let arn = "arn:aws:iam::1:role/r";
    assert_eq!(access.groups("c", arn), None);
    let body = json!({ "principalArn": arn, "kubernetesGroups": ["readers"] });
    assert_eq!(
        world.plain.eks("POST", "/clusters/c/access-entries", &body).await.json()["accessEntry"]["type"],
        "STANDARD"
    );
    assert_eq!(world.plain.eks("POST", "/clusters/c/access-entries", &body).await.status, 409);
    assert_eq!(access.groups("c", "arn:aws:sts::1:assumed-role/r/s"), Some(vec!["readers".to_owned()]));
    let path = "/clusters/c/access-entries/arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr";
    assert_eq!(world.plain.eks("DELETE", path, &Value::Null).await.status, 200);
    assert_eq!(world.plain.eks("GET", path, &Value::Null).await.status, 404);

    let body = json!({ "namespace": "n", "serviceAccount": "s", "roleArn": arn });
    let made = world.plain.eks("POST", "/clusters/c/pod-identity-associations", &body).await.json();
    assert_eq!(world.plain.eks("POST", "/clusters/c/pod-identity-associations", &body).await.status, 409);
    let path =
        format!("/clusters/c/pod-identity-associations/{}", made["association"]["associationId"].as_str().unwrap());
    assert_eq!(world.plain.eks("DELETE", &path, &Value::Null).await.status, 200);
    assert_eq!(world.get("/clusters/c/pod-identity-associations").await, json!({ "associations": [] }));
}
