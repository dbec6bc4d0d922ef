//! The AWS Load Balancer Controller's stand-in: a real API server, moto behind the fault proxy.

use std::time::Duration;

use runbook_testbed::{
    clusters::NodeGroup,
    control_plane::{ControlPlane, Options},
    emulators::Moto,
    process::free_port,
    proxy::{Config, Pending, Proxy},
    standins::{
        Cluster, Facts, Shared,
        aws::Aws,
        kube_objects::{at, items, text},
    },
    tools::{self, Tools},
};
use serde_json::{Value, json};

use crate::common::aws::request;

const NAME: &str = "shop-cluster";
const CONTROLLER: &str = "aws-load-balancer-controller";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/kube-system/deployments/aws-load-balancer-controller";
const SERVICE: &str = "/api/v1/namespaces/default/services/proxy";
const INGRESSES: [&str; 2] = [
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses/one",
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses/two",
];

/// A cluster in a VPC with public subnets.
struct Site {
    cluster: Cluster,
    proxy: Proxy,
    aws: Aws,
    subnet: String,
    // They end when the stand-ins have.
    _plane: ControlPlane,
    _moto: Moto,
}

async fn site(tools: Tools) -> Site {
    let (kubelet_port, shared) = (free_port().expect("a port"), Shared::start(&tools.kubelet_standin).await);
    let (starting, options) = (tools.clone(), Options { kubelet_port, ..Options::named(NAME) });
    let plane = tokio::task::spawn_blocking(move || ControlPlane::start(&starting, options));
    let moto = tokio::task::spawn_blocking(move || Moto::start(&tools)).await.unwrap().expect("moto");
    let config = Config { pending: Pending::all(Duration::from_millis(500)), ..Config::new(moto.url()) };
    let proxy = Proxy::start(config).await.expect("a proxy");
    let aws = Aws::new(&proxy.url(), "us-east-1", "test");
    let ask = async |service: &str, action: &str, fields: &[(&str, &str)], path: &str| {
        aws.query(service, action, fields).await.expect("made").text(path).to_owned()
    };
    let vpc = ask("ec2", "CreateVpc", &[("CidrBlock", "10.5.0.0/16")], "vpc/vpcId").await;
    let mut subnets = Vec::new();
    for (zone, block) in [("us-east-1a", "10.5.1.0/24"), ("us-east-1b", "10.5.2.0/24")] {
        let fields = [
            ("VpcId", vpc.as_str()),
            ("CidrBlock", block),
            ("AvailabilityZone", zone),
            ("TagSpecification.1.ResourceType", "subnet"),
            ("TagSpecification.1.Tag.1.Key", "kubernetes.io/role/elb"),
            ("TagSpecification.1.Tag.1.Value", "1"),
        ];
        subnets.push(ask("ec2", "CreateSubnet", &fields, "subnet/subnetId").await);
    }
    let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let fields = [("RoleName", "eks"), ("AssumeRolePolicyDocument", &trust.to_string())];
    let role = ask("iam", "CreateRole", &fields, "CreateRoleResult/Role/Arn").await;
    let body = json!({"name": NAME, "roleArn": role, "resourcesVpcConfig": {"subnetIds": subnets}});
    let made = request(&proxy.url(), "eks", "POST /clusters", "application/json", &body.to_string());
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");

    let plane = plane.await.unwrap().expect("up");
    let facts = Facts {
        name: NAME.into(),
        region: "us-east-1".into(),
        client: plane.client(),
        proxy_url: proxy.url(),
        kubelet_port,
        shared: shared.expect("started"),
    };
    let cluster = Cluster::attach(facts).await.expect("attached");
    let group = NodeGroup { name: "workers".into(), nodes: 1, labels: Default::default(), taints: Vec::new() };
    cluster.add_nodes(&group).await.expect("nodes");
    Site { cluster, proxy, aws, subnet: subnets.remove(0), _plane: plane, _moto: moto }
}

impl Site {
    async fn get(&self, path: &str) -> Value {
        self.cluster.inside().objects.get(path).await.expect("answered").unwrap_or_default()
    }

    async fn apply(&self, path: &str, object: Value) {
        self.cluster.inside().objects.apply(path, &object).await.expect("applied");
    }

    async fn merge(&self, path: &str, patch: Value) {
        self.cluster.inside().objects.merge(path, &patch).await.expect("patched");
    }

    /// Asks until an object is as wanted, at most half a minute; the object then.
    async fn until(&self, path: &str, good: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..150 {
            last = self.get(path).await;
            if good(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{path} never came to be so: {last:#}\n{}", self.log().await);
    }

    /// What the controller has logged.
    async fn log(&self) -> String {
        let pods = self.get("/api/v1/namespaces/kube-system/pods").await;
        let inside = self.cluster.inside();
        let of = |pod: &&Value| text(pod, "metadata.name").starts_with(CONTROLLER);
        items(&pods, "items").iter().filter(of).map(|pod| inside.logs.read(pod, "controller")).collect()
    }

    async fn host(&self, path: &str) -> String {
        let host = |object: &Value| {
            let first = items(object, "status.loadBalancer.ingress").first().cloned().unwrap_or_default();
            text(&first, "hostname").to_owned()
        };
        host(&self.until(path, |object| !host(object).is_empty()).await)
    }

    async fn deployment(&self, space: &str, called: &str, account: &str, container: &str) {
        let labels = json!({"app": called});
        let path = format!("/apis/apps/v1/namespaces/{space}/deployments/{called}");
        self.apply(
            &path,
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": called, "namespace": space},
                "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                    "serviceAccountName": account, "containers": [{"name": container, "image": "example/any:1"}],
                }}},
            }),
        )
        .await;
        self.until(&path, |deployment| at(deployment, "status.availableReplicas") == 1).await;
    }

    /// A Service that asks for a network load balancer, two Ingresses that ask for one together, and what they send to.
    async fn ask_for_balancers(&self) {
        self.deployment("default", "web", "default", "main").await;
        let service = |called: &str, kind: &str| {
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": called, "namespace": "default", "annotations": {
                    "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
                    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
                }},
                "spec": {"type": kind, "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
            })
        };
        self.apply(SERVICE, service("proxy", "LoadBalancer")).await;
        self.apply("/api/v1/namespaces/default/services/web", service("web", "NodePort")).await;
        let class = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "alb"},
            "spec": {"controller": "ingress.k8s.aws/alb"},
        });
        self.apply("/apis/networking.k8s.io/v1/ingressclasses/alb", class).await;
        for path in INGRESSES {
            let called = path.rsplit('/').next().expect("a name");
            let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
            self.apply(path, json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": called, "namespace": "default", "annotations": {
                    "alb.ingress.kubernetes.io/group.name": "shop", "alb.ingress.kubernetes.io/scheme": "internet-facing",
                    "alb.ingress.kubernetes.io/target-type": "ip",
                }},
                "spec": {"ingressClassName": "alb", "rules": [{"host": format!("{called}.test"), "http": {"paths": [
                    {"path": "/", "pathType": "Prefix", "backend": backend},
                ]}}]},
            }))
            .await;
        }
    }

    /// A role for the controller, with what it needs.
    async fn role(&self) -> String {
        let described = self.aws.eks(&format!("/clusters/{NAME}")).await.expect("described");
        let provider = text(&described, "cluster.identity.oidc.issuer");
        let issuer = provider.trim_start_matches("https://");
        let thumbprint = "a".repeat(40);
        let fields = [
            ("Url", provider),
            ("ClientIDList.member.1", "sts.amazonaws.com"),
            ("ThumbprintList.member.1", &thumbprint),
        ];
        self.aws.query("iam", "CreateOpenIDConnectProvider", &fields).await.expect("a provider");
        let mut equals = json!({});
        equals[format!("{issuer}:sub")] = format!("system:serviceaccount:kube-system:{CONTROLLER}").into();
        equals[format!("{issuer}:aud")] = "sts.amazonaws.com".into();
        let trust = json!({"Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": equals},
            "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{issuer}")},
        }]});
        let fields = [("RoleName", CONTROLLER), ("AssumeRolePolicyDocument", &trust.to_string())];
        let made = self.aws.query("iam", "CreateRole", &fields).await.expect("a role");
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["ec2:*", "elasticloadbalancing:*"], "Resource": "*"},
        ]});
        let policy = policy.to_string();
        let fields = [("RoleName", CONTROLLER), ("PolicyName", "balancers"), ("PolicyDocument", policy.as_str())];
        self.aws.query("iam", "PutRolePolicy", &fields).await.expect("a policy");
        made.text("CreateRoleResult/Role/Arn").to_owned()
    }

    async fn states(&self) -> Vec<String> {
        let found = self.aws.query("elasticloadbalancing", "DescribeLoadBalancers", &[]).await.expect("described");
        let states = found.all("DescribeLoadBalancersResult/LoadBalancers/member/State/Code");
        states.into_iter().map(|state| state.own().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn load_balancers_are_made_held_and_taken_down() {
    let Some(tools) = tools::require() else { return };
    let site = site(tools).await;
    let account = format!("/api/v1/namespaces/kube-system/serviceaccounts/{CONTROLLER}");
    let metadata = json!({"name": CONTROLLER, "namespace": "kube-system"});
    site.apply(&account, json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})).await;
    site.deployment("kube-system", CONTROLLER, CONTROLLER, "controller").await;
    site.ask_for_balancers().await;
    let role = site.role().await;
    let before = site.proxy.inventory().await.expect("an inventory");

    // Its webhook works without rights in AWS, and nothing else does.
    let service = site.until(SERVICE, |service| !service.is_null()).await;
    assert_eq!(text(&service, "spec.loadBalancerClass"), "service.k8s.aws/nlb");
    for _ in 0..50 {
        if site.log().await.contains("AccessDenied") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(site.log().await.contains("AccessDenied"), "{}", site.log().await);
    assert_eq!(site.proxy.inventory().await.expect("an inventory").since(&before), json!({}));
    for path in [SERVICE, INGRESSES[0]] {
        assert!(at(&site.get(path).await, "status.loadBalancer.ingress").is_null(), "{path}");
    }

    site.merge(&account, json!({"metadata": {"annotations": {"eks.amazonaws.com/role-arn": role}}})).await;
    let network = site.host(SERVICE).await;
    let shared = site.host(INGRESSES[0]).await;
    assert_eq!(site.host(INGRESSES[1]).await, shared);
    assert_ne!(network, shared);
    let made = site.proxy.inventory().await.expect("an inventory");
    let count = |kind: &str| made.count(kind) - before.count(kind);
    let kinds = ["elbv2.load_balancer", "elbv2.target_group", "ec2.security_group", "ec2.network_interface"];
    assert_eq!(kinds.map(count), [2, 2, 3, 4], "{:#}", made.since(&before));
    while site.states().await != ["active", "active"] {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let pods = site.get("/api/v1/namespaces/default/pods").await;
    let groups = site.aws.query("elasticloadbalancing", "DescribeTargetGroups", &[]).await.expect("described");
    for group in groups.all("DescribeTargetGroupsResult/TargetGroups/member/TargetGroupArn") {
        let fields = [("TargetGroupArn", group.own())];
        let health = site.aws.query("elasticloadbalancing", "DescribeTargetHealth", &fields).await.expect("described");
        let target = "DescribeTargetHealthResult/TargetHealthDescriptions/member/Target";
        let found = (health.text(&format!("{target}/Id")), health.text(&format!("{target}/Port")));
        assert_eq!(found, (text(&items(&pods, "items")[0], "status.podIP"), "8080"));
    }
    let held = site.aws.query("ec2", "DeleteSubnet", &[("SubnetId", &site.subnet)]).await;
    assert!(held.as_ref().is_err_and(|refusal| refusal.code == "DependencyViolation"), "{held:?}");

    // One of the group goes, and the other keeps what they shared.
    let objects = &site.cluster.inside().objects;
    objects.delete(INGRESSES[0], false).await.expect("deleted");
    site.until(INGRESSES[0], Value::is_null).await;
    assert_eq!((site.host(INGRESSES[1]).await, site.states().await.len()), (shared, 2));

    // While it does not run, what is deleted waits.
    site.merge(DEPLOYMENT, json!({"spec": {"replicas": 0}})).await;
    site.until(DEPLOYMENT, |deployment| at(deployment, "status.availableReplicas").is_null()).await;
    for path in [SERVICE, INGRESSES[1]] {
        objects.delete(path, false).await.expect("deleted");
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for (path, finalizer) in [(SERVICE, "service.k8s.aws/resources"), (INGRESSES[1], "group.ingress.k8s.aws/shop")] {
        assert_eq!(items(&site.get(path).await, "metadata.finalizers"), [finalizer]);
    }
    assert_eq!(site.states().await.len(), 2);
    site.merge(DEPLOYMENT, json!({"spec": {"replicas": 1}})).await;
    for path in [SERVICE, INGRESSES[1]] {
        site.until(path, Value::is_null).await;
    }
    assert_eq!(site.proxy.inventory().await.expect("an inventory").since(&before), json!({}));
    let told = site.proxy.golden();
    assert!(!told.iter().any(|line| line.contains("LoadBalancer")), "a controller's calls are not a run's: {told:#?}");

    // Its webhook goes with it.
    let policy = format!("/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/{CONTROLLER}");
    assert!(!site.get(&policy).await.is_null());
    objects.delete(DEPLOYMENT, false).await.expect("deleted");
    site.until(&policy, Value::is_null).await;
}
