//! Two EKS clusters in two peered VPCs: what redis-ha builds, by hand and piece by piece, so that each stand-in is seen to work and,
//! before its condition is met, to fail.

use std::{process::Command, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::AttachParams};
use runbook_testbed::{
    bed::{Bed, Options, Plane},
    standins::{
        aws::Aws,
        kube_objects::{Objects, annotation, at, condition, items, label, text},
    },
    tools::{self, Tools},
};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::common::{
    aws::{form, request},
    between,
};

const AGNHOST: &str = "registry.k8s.io/e2e-test-images/agnhost:2.47";
const REDIS: &str = "docker.io/bitnamilegacy/redis:7.2.5-debian-12-r4";
const ANNOUNCED: &str = "redis-cluster-1-node-0.redis-cluster-1.redis-ha.internal";

/// AWS by hand.
struct Account {
    url: String,
    role: String,
}

impl Account {
    fn new(url: String) -> Self {
        let mut account = Self { url, role: String::new() };
        account.role = account.role(
            "anybody",
            &json!({"Service": ["eks.amazonaws.com", "ec2.amazonaws.com"]}),
            "sts:AssumeRole",
            &json!({}),
        );
        account
    }

    fn ec2(&self, body: &str) -> String {
        let answer = form(&self.url, "ec2", body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{body}: {answer}");
        answer
    }

    fn iam(&self, body: &str) -> String {
        let answer = form(&self.url, "iam", body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{body}: {answer}");
        answer
    }

    fn eks(&self, head: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = request(&self.url, "eks", head, "application/json", &body);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).expect("JSON")
    }

    fn role(&self, name: &str, principal: &Value, action: &str, condition: &Value) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition},
        ]});
        let trust: String = form_urlencoded::byte_serialize(trust.to_string().as_bytes()).collect();
        let made = self.iam(&format!("Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={trust}"));
        between(&made, "<Arn>", "<").to_owned()
    }

    /// A role for a service account of a cluster, with one policy of AWS.
    fn service_role(&self, name: &str, issuer: &str, account: &str, policy: &str) -> String {
        let federated = json!({"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{issuer}")});
        let mut equals = json!({});
        equals[format!("{issuer}:sub")] = format!("system:serviceaccount:{account}").into();
        equals[format!("{issuer}:aud")] = "sts.amazonaws.com".into();
        let arn = self.role(name, &federated, "sts:AssumeRoleWithWebIdentity", &json!({"StringEquals": equals}));
        if !policy.is_empty() {
            self.iam(&format!("Action=AttachRolePolicy&RoleName={name}&PolicyArn=arn:aws:iam::aws:policy/{policy}"));
        }
        arn
    }

    fn until(&self, path: &str, field: &str) -> Value {
        for _ in 0..600 {
            let described = self.eks(&format!("GET {path}"), &Value::Null)[field].take();
            match described["status"].as_str() {
                Some("ACTIVE") => return described,
                Some("CREATING") => std::thread::sleep(Duration::from_millis(200)),
                _ => panic!("{described}"),
            }
        }
        panic!("{path} never became ACTIVE");
    }
}

/// One of the two clusters.
struct Site {
    name: String,
    vpc: String,
    table: String,
    issuer: String,
    group: String,
    plane: Arc<Plane>,
    objects: Objects,
}

/// A VPC with a cluster, its nodes, its identity provider and the EBS driver.
fn build(bed: &Bed, account: &Account, number: u8) -> Site {
    let (name, net) = (format!("redis{number}-demo-cluster"), format!("10.{}", number + 4));
    let vpc = account.ec2(&format!("Action=CreateVpc&CidrBlock={net}.0.0/16"));
    let vpc = between(&vpc, "<vpcId>", "<").to_owned();
    for attribute in ["EnableDnsSupport", "EnableDnsHostnames"] {
        account.ec2(&format!("Action=ModifyVpcAttribute&VpcId={vpc}&{attribute}.Value=true"));
    }
    let table = account.ec2(&format!("Action=CreateRouteTable&VpcId={vpc}"));
    let table = between(&table, "<routeTableId>", "<").to_owned();
    let subnets: Vec<String> = [("11", "a"), ("12", "b")]
        .iter()
        .map(|(third, zone)| {
            let made = account.ec2(&format!(
                "Action=CreateSubnet&VpcId={vpc}&CidrBlock={net}.{third}.0/24&AvailabilityZone=us-east-1{zone}"
            ));
            let subnet = between(&made, "<subnetId>", "<").to_owned();
            account.ec2(&format!("Action=AssociateRouteTable&RouteTableId={table}&SubnetId={subnet}"));
            subnet
        })
        .collect();
    let config = json!({"subnetIds": subnets});
    account.eks("POST /clusters", &json!({"name": name, "roleArn": account.role, "resourcesVpcConfig": config}));
    let cluster = account.until(&format!("/clusters/{name}"), "cluster");
    let issuer = text(&cluster, "identity.oidc.issuer").trim_start_matches("https://").to_owned();
    account.iam(&format!("Action=CreateOpenIDConnectProvider&Url=https://{issuer}&ClientIDList.member.1=sts.amazonaws.com&ThumbprintList.member.1={}", "a".repeat(40)));
    let group = json!({
        "nodegroupName": "workers", "nodeRole": account.role, "subnets": subnets,
        "scalingConfig": {"desiredSize": 2, "minSize": 1, "maxSize": 3},
    });
    account.eks(&format!("POST /clusters/{name}/node-groups"), &group);
    account.until(&format!("/clusters/{name}/node-groups/workers"), "nodegroup");
    let ebs = account.service_role(
        &format!("ebs{number}"),
        &issuer,
        "kube-system:ebs-csi-controller-sa",
        "service-role/AmazonEBSCSIDriverPolicy",
    );
    account.eks(
        &format!("POST /clusters/{name}/addons"),
        &json!({"addonName": "aws-ebs-csi-driver", "serviceAccountRoleArn": ebs}),
    );
    account.until(&format!("/clusters/{name}/addons/aws-ebs-csi-driver"), "addon");
    let plane = bed.plane(&name).expect("a control plane");
    let objects = plane.inside().inside().objects.clone();
    let group = text(&cluster, "resourcesVpcConfig.clusterSecurityGroupId").to_owned();
    Site { name, vpc, table, issuer, group, plane, objects }
}

impl Site {
    async fn get(&self, path: &str) -> Value {
        self.objects.get(path).await.expect("answered").unwrap_or_default()
    }

    async fn until(&self, path: &str, good: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(path).await;
            if good(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{}: {path} never came to be so: {last:#}", self.name);
    }

    async fn apply(&self, object: Value) {
        let (kind, space, name) =
            (text(&object, "kind"), text(&object, "metadata.namespace"), text(&object, "metadata.name"));
        let api = match text(&object, "apiVersion") {
            "v1" => "/api/v1".to_owned(),
            other => format!("/apis/{other}"),
        };
        let plural = kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"));
        let space = if space.is_empty() { String::new() } else { format!("/namespaces/{space}") };
        let path = format!("{api}{space}/{}/{name}", plural.to_lowercase());
        for attempt in 0..50 {
            match self.objects.apply(&path, &object).await {
                Ok(_) => return,
                // A new type is served a moment after it is made.
                Err(_) if attempt < 49 => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(why) => panic!("{why}"),
            }
        }
    }

    async fn apply_file(&self, file: &str) {
        let path = format!("{}/../../runbooks/manifests/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a manifest");
        for document in text.split("\n---\n") {
            self.apply(serde_yaml::from_str(document).expect("YAML")).await;
        }
    }

    async fn run_pod(&self, image: &str, command: &[&str]) -> (i64, String) {
        let path = "/api/v1/namespaces/default/pods/probe";
        let env = json!([{"name": "REDISCLI_AUTH", "valueFrom": {"secretKeyRef": {"name": "redis-secret", "key": "redis_password", "optional": true}}}]);
        self.apply(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": "default"},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image, "command": command, "env": env}]},
        }))
        .await;
        let ended = |pod: &Value| matches!(text(pod, "status.phase"), "Succeeded" | "Failed");
        let pod = self.until(path, ended).await;
        let log = http::Request::get(format!("{path}/log")).body(Vec::new()).expect("a request");
        let log = self.plane.control_plane().client().request_text(log).await.expect("a log");
        self.objects.delete(path, true).await.expect("deleted");
        self.until(path, Value::is_null).await;
        (at(&items(&pod, "status.containerStatuses")[0], "state.terminated.exitCode").as_i64().expect("a code"), log)
    }

    /// The output of a command in a container.
    async fn exec(&self, pod: &str, container: &str, command: &str) -> String {
        let pods: Api<Pod> = Api::default_namespaced(self.plane.control_plane().client());
        let ask = AttachParams::default().container(container).stderr(false);
        let mut process = pods.exec(pod, ["sh", "-c", command], &ask).await.expect("begun");
        let mut out = String::new();
        process.stdout().expect("stdout").read_to_string(&mut out).await.expect("read");
        out.trim().to_owned()
    }

    async fn redis(&self, pod: &str, command: &str) -> String {
        self.exec(pod, "redis", &format!("REDISCLI_AUTH=\"$REDIS_PASSWORD\" redis-cli -p 6379 {command}")).await
    }

    async fn sentinel(&self, pod: &str, command: &str) -> String {
        self.exec(pod, "sentinel", &format!("REDISCLI_AUTH=\"$REDIS_PASSWORD\" redis-cli -p 26379 sentinel {command}"))
            .await
    }

    async fn log(&self, deployment: &str, space: &str) -> String {
        let pods = self.get(&format!("/api/v1/namespaces/{space}/pods")).await;
        let pod = items(&pods, "items").iter().find(|pod| text(pod, "metadata.name").starts_with(deployment));
        let Some(pod) = pod.map(|pod| text(pod, "metadata.name")) else { return String::new() };
        let log = http::Request::get(format!("/api/v1/namespaces/{space}/pods/{pod}/log")).body(Vec::new());
        self.plane.control_plane().client().request_text(log.expect("a request")).await.unwrap_or_default()
    }

    fn helm(&self, tools: &Tools, arguments: &[&str]) {
        let run = Command::new(&tools.helm4)
            .args(arguments)
            .env("KUBECONFIG", self.plane.control_plane().admin_kubeconfig())
            .output()
            .expect("helm runs");
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    }
}

/// Asks until an answer is good, at most two minutes.
async fn until<T: std::fmt::Debug>(what: &str, mut ask: impl AsyncFnMut() -> T, good: impl Fn(&T) -> bool) -> T {
    let mut last = ask().await;
    for _ in 0..240 {
        if good(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        last = ask().await;
    }
    panic!("{what}: {last:#?}");
}

fn chart(name: &str) -> String {
    format!("{}/charts/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A pod of `from` reaches CoreDNS of `to`, or not.
async fn reaches(from: &Site, to: &Site) -> (i64, String) {
    let listed = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app=kube-dns";
    let pods = to.until(listed, |pods| items(pods, "items").iter().all(|pod| condition(pod, "Ready"))).await;
    let target = format!("{}:53", text(&items(&pods, "items")[0], "status.podIP"));
    from.run_pod(AGNHOST, &["/agnhost", "connect", &target, "--timeout=5s"]).await
}

async fn peer(account: &Account, one: &Site, two: &Site) {
    assert_eq!(reaches(one, two).await, (1, "TIMEOUT\n".to_owned()), "nothing joins the networks yet");
    let made = account.ec2(&format!("Action=CreateVpcPeeringConnection&VpcId={}&PeerVpcId={}", one.vpc, two.vpc));
    let peering = between(&made, "<vpcPeeringConnectionId>", "<").to_owned();
    account.ec2(&format!("Action=AcceptVpcPeeringConnection&VpcPeeringConnectionId={peering}"));
    for (site, other) in [(one, "10.6.0.0/16"), (two, "10.5.0.0/16")] {
        account.ec2(&format!(
            "Action=CreateRoute&RouteTableId={}&DestinationCidrBlock={other}&VpcPeeringConnectionId={peering}",
            site.table
        ));
    }
    assert_eq!(reaches(one, two).await, (1, "TIMEOUT\n".to_owned()), "the nodes' security group admits nobody yet");
    for site in [one, two] {
        let rule = "IpPermissions.1.IpProtocol=-1&IpPermissions.1.IpRanges.1.CidrIp=10.5.0.0/16&IpPermissions.1.IpRanges.2.CidrIp=10.6.0.0/16";
        account.ec2(&format!("Action=AuthorizeSecurityGroupIngress&GroupId={}&{rule}", site.group));
    }
    for (from, to) in [(one, two), (two, one)] {
        let reached = until("pod to pod", async || reaches(from, to).await, |(code, _)| *code == 0).await;
        assert_eq!(reached, (0, String::new()));
    }
}

/// A private zone that both see; its id.
async fn zone(aws: &Aws, one: &Site, two: &Site) -> String {
    let vpc = |site: &Site| format!("<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>{}</VPCId></VPC>", site.vpc);
    let made = aws.route53("/hostedzone", Some(format!(
        "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>redis-ha.internal</Name>{}\
         <CallerReference>one</CallerReference><HostedZoneConfig><PrivateZone>true</PrivateZone></HostedZoneConfig></CreateHostedZoneRequest>",
        vpc(one)
    ))).await.expect("a zone");
    let id = made.text("HostedZone/Id").rsplit('/').next().expect("an id").to_owned();
    let body = format!(
        "<AssociateVPCWithHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{}</AssociateVPCWithHostedZoneRequest>",
        vpc(two)
    );
    aws.route53(&format!("/hostedzone/{id}/associatevpc"), Some(body)).await.expect("associated");
    id
}

/// CoreDNS with the plugin, the MCS controller and external-dns.
async fn discovery(account: &Account, tools: &Tools, site: &Site, number: u8, zone: &str) {
    site.apply_file("mcs-crds.yaml").await;
    let rules = json!([
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["multicluster.x-k8s.io"], "resources": ["serviceimports"], "verbs": ["get", "list", "watch"]},
    ]);
    site.objects
        .merge("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns", &json!({"rules": rules}))
        .await
        .expect("patched");
    let map = "/api/v1/namespaces/kube-system/configmaps/coredns";
    let corefile = text(&site.get(map).await, "data.Corefile").replacen(
        "    kubernetes",
        "    multicluster clusterset.local\n    kubernetes",
        1,
    );
    site.objects.merge(map, &json!({"data": {"Corefile": corefile}})).await.expect("patched");
    let coredns = "/apis/apps/v1/namespaces/kube-system/deployments/coredns";
    let mut deployment = site.get(coredns).await;
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] =
        "ghcr.io/aws/coredns-multicluster/coredns:v1.8.6".into();
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    site.objects
        .merge(coredns, &json!({"spec": {"template": {"spec": {"containers": containers}}}}))
        .await
        .expect("patched");
    site.until(coredns, |d| {
        at(d, "status.updatedReplicas") == 2 && at(d, "status.availableReplicas") == 2 && at(d, "status.replicas") == 2
    })
    .await;

    let (space, controller) = ("cloud-map-mcs-system", "cloud-map-mcs-controller-manager");
    let role = account.service_role(
        &format!("mcs{number}"),
        &site.issuer,
        &format!("{space}:{controller}"),
        "AWSCloudMapFullAccess",
    );
    site.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})).await;
    let annotations = json!({"eks.amazonaws.com/role-arn": role});
    site.apply(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": controller, "namespace": space, "annotations": annotations}})).await;
    site.apply_file("mcs-rbac.yaml").await;
    let labels = json!({"control-plane": "controller-manager"});
    site.apply(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": controller, "namespace": space},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "serviceAccountName": controller, "containers": [{"name": "manager", "image": "ghcr.io/aws/mcs:v0.3.1"}],
        }}},
    }))
    .await;
    let refused = |log: &String| log.contains("unable to retrieve ClusterId");
    until("without properties", async || site.log(controller, space).await, refused).await;
    for (name, value) in [("cluster.clusterset.k8s.io", site.name.as_str()), ("clusterset.k8s.io", "clusterset1")] {
        site.apply(json!({"apiVersion": "about.k8s.io/v1alpha1", "kind": "ClusterProperty", "metadata": {"name": name}, "spec": {"value": value}})).await;
    }

    let role = account.service_role(&format!("dns{number}"), &site.issuer, "default:external-dns", "");
    let owner = format!("txtOwnerId={}", site.name);
    let annotated = format!("serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn={role}");
    site.helm(
        tools,
        &[
            "install",
            "external-dns",
            &chart("external-dns"),
            "--set",
            "provider=aws,registry=txt,policy=sync,aws.region=us-east-1,aws.zoneType=private",
            "--set",
            "triggerLoopOnEvent=true,rbac.create=true,serviceAccount.create=true,serviceAccount.name=external-dns",
            "--set",
            "sources={service},domainFilters={redis-ha.internal}",
            "--set",
            &owner,
            "--set-string",
            &annotated,
        ],
    );
    let log = until(
        "without a policy",
        async || site.log("external-dns", "default").await,
        |log| log.contains("AccessDenied"),
    )
    .await;
    assert!(!log.contains("up to date"), "{log}");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["route53:ChangeResourceRecordSets"], "Resource": [format!("arn:aws:route53:::hostedzone/{zone}")],
    }]});
    let policy: String = form_urlencoded::byte_serialize(policy.to_string().as_bytes()).collect();
    account.iam(&format!("Action=PutRolePolicy&RoleName=dns{number}&PolicyName=route53&PolicyDocument={policy}"));
    until(
        "with it",
        async || site.log("external-dns", "default").await,
        |log| log.contains("All records are already up to date"),
    )
    .await;
}

async fn redis(tools: &Tools, site: &Site, release: &str, more: &[&str]) {
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gp3"}, "provisioner": "ebs.csi.aws.com",
        "volumeBindingMode": "WaitForFirstConsumer", "parameters": {"type": "gp3", "encrypted": "true"},
    });
    site.objects.apply("/apis/storage.k8s.io/v1/storageclasses/gp3", &class).await.expect("a class");
    site.apply(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis-secret", "namespace": "default"},
        "stringData": {"redis_password": "correct-horse"},
    }))
    .await;
    let set = "auth.existingSecret=redis-secret,auth.existingSecretPasswordKey=redis_password,replica.replicaCount=2,\
               replica.persistence.storageClass=gp3,useExternalDNS.enabled=true,useExternalDNS.suffix=redis-ha.internal,\
               image.repository=bitnamilegacy/redis,sentinel.image.repository=bitnamilegacy/redis-sentinel";
    let chart = chart("redis");
    let mut arguments = vec!["install", release, &chart, "--set", set];
    arguments.extend(more);
    site.helm(tools, &arguments);
    let set = format!("/apis/apps/v1/namespaces/default/statefulsets/{release}-node");
    site.until(&set, |set| at(set, "status.readyReplicas") == 2).await;
}

/// What the gate of redis-ha asks, from a pod.
async fn gate(site: &Site) -> (i64, String) {
    let host = "redis-cluster-1.default.svc.clusterset.local";
    let script = format!(
        "redis-cli -h {host} -p 6379 ping && master=$(redis-cli -h {host} -p 26379 sentinel get-master-addr-by-name mymaster | head -1) \
         && redis-cli -h \"$master\" -p 6379 ping && echo \"master $master\""
    );
    site.run_pod(REDIS, &["sh", "-c", &script]).await
}

async fn export(aws: &Aws, one: &Site, two: &Site) {
    let (code, said) = gate(two).await;
    assert_eq!(code, 1, "nothing is exported yet: {said}");
    assert!(said.contains("Name or service not known"), "{said}");
    for name in ["redis-cluster-1", "redis-cluster-1-headless"] {
        one.apply(json!({
            "apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceExport", "metadata": {"name": name, "namespace": "default"},
        })).await;
    }
    let imports = "/apis/multicluster.x-k8s.io/v1alpha1/namespaces/default/serviceimports";
    let whole = |import: &Value| !items(import, "spec.ips").is_empty() && items(import, "spec.ports").len() == 2;
    let import = two.until(&format!("{imports}/redis-cluster-1"), whole).await;
    assert_eq!(text(&import, "spec.type"), "ClusterSetIP");
    two.until(&format!("{imports}/redis-cluster-1-headless"), |import| text(import, "spec.type") == "Headless").await;
    let slices = async || {
        let slices = two.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices").await;
        let from_one = |s: &&Value| label(s, "multicluster.kubernetes.io/source-cluster") == one.name;
        let endpoints = items(&slices, "items").iter().filter(from_one).flat_map(|s| items(s, "endpoints"));
        endpoints.map(|e| e["addresses"][0].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let addresses = until("two pods in two slices", slices, |found| found.len() == 4).await;
    assert!(addresses.iter().all(|a| a.starts_with("10.5.")), "{addresses:?}");
    let export =
        one.get("/apis/multicluster.x-k8s.io/v1alpha1/namespaces/default/serviceexports/redis-cluster-1").await;
    assert_eq!(items(&export, "metadata.finalizers"), ["multicluster.k8s.aws/service-export-finalizer"]);
    assert_eq!(text(&export["metadata"]["ownerReferences"][0], "kind"), "Service");
    until("two pods with two ports", async || instances(aws).await, |found| found.len() == 4).await;
    let (code, said) = gate(two).await;
    assert_eq!((code, said), (0, format!("PONG\nPONG\nmaster {ANNOUNCED}\n")));
}

/// The ids of the instances that the set finds.
async fn instances(aws: &Aws) -> Vec<String> {
    let asked = json!({"NamespaceName": "default", "ServiceName": "redis-cluster-1", "QueryParameters": {"CLUSTERSET_ID": "clusterset1"}});
    let found = aws.cloud_map("DiscoverInstances", &asked).await.expect("answered");
    items(&found, "Instances").iter().map(|i| text(i, "InstanceId").to_owned()).collect()
}

async fn addresses(aws: &Aws, zone: &str) -> Vec<String> {
    let listed = aws.route53(&format!("/hostedzone/{zone}/rrset"), None).await.expect("records");
    let records = listed.all("ResourceRecordSets/ResourceRecordSet").into_iter().filter(|r| r.text("Type") == "A");
    records.map(|r| r.text("Name").to_owned()).collect()
}

/// Everything goes while its controllers run.
async fn take_down(aws: &Aws, tools: &Tools, one: &Site, two: &Site, zone: &str) {
    for name in ["redis-cluster-1", "redis-cluster-1-headless"] {
        let path = format!("/apis/multicluster.x-k8s.io/v1alpha1/namespaces/default/serviceexports/{name}");
        one.objects.delete(&path, false).await.expect("deleted");
        one.until(&path, Value::is_null).await;
        two.until(
            &format!("/apis/multicluster.x-k8s.io/v1alpha1/namespaces/default/serviceimports/{name}"),
            Value::is_null,
        )
        .await;
    }
    assert_eq!(instances(aws).await, Vec::<String>::new());
    for (site, release) in [(two, "redis-cluster-2"), (one, "redis-cluster-1")] {
        site.helm(tools, &["uninstall", release]);
        for i in 0..2 {
            let path = format!("/api/v1/namespaces/default/persistentvolumeclaims/redis-data-{release}-node-{i}");
            let volume = text(&site.get(&path).await, "spec.volumeName").to_owned();
            site.objects.delete(&path, false).await.expect("deleted");
            site.until(&format!("/api/v1/persistentvolumes/{volume}"), Value::is_null).await;
        }
    }
    let volumes = aws
        .query(
            "ec2",
            "DescribeVolumes",
            &[("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "ebs.csi.aws.com/cluster")],
        )
        .await;
    assert_eq!(volumes.expect("volumes").all("volumeSet/item").len(), 0);
    until("no records", async || addresses(aws, zone).await, Vec::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_spans_two_clusters() {
    let Some(tools) = tools::require() else { return };
    let bed = {
        let tools = tools.clone();
        tokio::task::spawn_blocking(move || Bed::start(&tools, Options::default())).await.unwrap().expect("a testbed")
    };
    let account = Account::new(bed.proxy().url());
    let aws = Aws::new(&account.url, "us-east-1", "test");
    let (one, two) = tokio::task::block_in_place(|| (build(&bed, &account, 1), build(&bed, &account, 2)));
    peer(&account, &one, &two).await;
    let zone = zone(&aws, &one, &two).await;
    discovery(&account, &tools, &one, 1, &zone).await;
    discovery(&account, &tools, &two, 2, &zone).await;

    redis(&tools, &one, "redis-cluster-1", &[]).await;
    let node0 = "redis-cluster-1-node-0";
    assert_eq!(one.redis(node0, "ping").await, "PONG");
    let info =
        until("a replica", async || one.redis(node0, "info replication").await, |i| i.contains("connected_slaves:1"))
            .await;
    assert!(info.contains("role:master"), "{info}");
    assert_eq!(one.sentinel(node0, "get-master-addr-by-name mymaster").await, format!("{ANNOUNCED}\n6379"));
    assert!(one.redis(node0, "flushall").await.contains("unknown command"));
    let mut names = addresses(&aws, &zone).await;
    names.sort();
    assert_eq!(
        names,
        ["-node-0.redis-cluster-1", "-node-1.redis-cluster-1", ""]
            .map(|n| format!("redis-cluster-1{n}.redis-ha.internal."))
    );
    let claim = one.get("/api/v1/namespaces/default/persistentvolumeclaims/redis-data-redis-cluster-1-node-0").await;
    assert_eq!(
        (text(&claim, "status.phase"), annotation(&claim, "volume.kubernetes.io/storage-provisioner")),
        ("Bound", "ebs.csi.aws.com")
    );

    two.apply(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis-secret", "namespace": "default"},
        "stringData": {"redis_password": "correct-horse"},
    }))
    .await;
    export(&aws, &one, &two).await;

    let external = "enabled=true,host=redis-cluster-1.default.svc.clusterset.local,port=6379";
    let external: Vec<String> = ["replica", "sentinel"]
        .iter()
        .flat_map(|part| external.split(',').map(move |value| format!("{part}.externalMaster.{value}")))
        .collect();
    redis(&tools, &two, "redis-cluster-2", &["--set", &external.join(",")]).await;
    for i in 0..2 {
        let pod = format!("redis-cluster-2-node-{i}");
        let linked = |info: &String| info.contains("master_link_status:up");
        let info = until("a link", async || two.redis(&pod, "info replication").await, linked).await;
        assert!(info.contains(&format!("master_host:{ANNOUNCED}")), "{info}");
    }
    until("sentinels", async || one.sentinel(node0, "sentinels mymaster | grep -c ^name$").await, |n| n == "3").await;
    assert!(one.sentinel(node0, "ckquorum mymaster").await.starts_with("OK"));
    assert_eq!(one.redis(node0, "set crossing here").await, "OK");
    until("a key", async || two.redis("redis-cluster-2-node-0", "get crossing").await, |value| value == "here").await;
    assert!(condition(&one.get("/api/v1/namespaces/default/pods/redis-cluster-1-node-0").await, "Ready"));

    take_down(&aws, &tools, &one, &two, &zone).await;
    drop((one, two));
    tokio::task::spawn_blocking(move || drop(bed)).await.unwrap();
}
