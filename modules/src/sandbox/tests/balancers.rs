//! Load balancers, as the AWS Load Balancer Controller makes them.

use serde_json::{Value, json};

use super::Bench;
use crate::{
    helm::release::Release,
    k8s::{object::Object, operations},
    resource::{Health, Kind},
    sandbox::{
        balancers::{LISTENER, LOAD_BALANCER, TARGET_GROUP},
        world::Object as Thing,
    },
};

fn thing(kind: &str, id: &str, body: Value, tags: &[&str]) -> Thing {
    Thing {
        kind: kind.into(),
        place: "us-east-1".into(),
        id: id.into(),
        body,
        tags: tags.iter().map(|tag| ((*tag).to_owned(), "1".to_owned())).collect(),
        token: String::new(),
        input: Value::Null,
        refs: Vec::new(),
        owner: None,
        states: Vec::new(),
        gone_at: None,
    }
}

/// A cluster in a VPC with two public subnets.
fn bench(rehearsal: &str) -> Bench {
    let bench = Bench::with_cluster(rehearsal);
    bench.edit(|world, _| {
        world.put(thing("ec2.vpc", "vpc-1", json!({}), &[]));
        let cluster = json!({"name": "c1", "resources_vpc_config": {"vpc_id": "vpc-1"}});
        world.put(thing("eks.cluster", "c1", cluster, &[]));
        for zone in ["a", "b"] {
            let body = json!({"vpc_id": "vpc-1", "availability_zone": format!("us-east-1{zone}")});
            world.put(thing("ec2.subnet", &format!("subnet-{zone}"), body, &["kubernetes.io/role/elb"]));
        }
    });
    bench
}

fn install(bench: &Bench) -> Value {
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "lbc", "namespace": "kube-system"},
    });
    bench.create(&Object, "account", account).unwrap();
    let chart = json!({
        "release": "aws-load-balancer-controller", "namespace": "kube-system", "chart": "eks/lbc",
        "values": {"serviceAccount": {"name": "lbc"}},
    });
    bench.create(&Release, "lbc", chart.clone()).unwrap();
    let at = Release.locate(&chart, &Value::Null).unwrap();
    bench.until_ready(&Release, &at);
    at
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "annotations": {
            "service.beta.kubernetes.io/aws-load-balancer-type": "external",
            "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
            "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
        }},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}, {"port": 443}]},
    })
}

fn ingress(name: &str, group: &str) -> Value {
    let mut annotations = json!({"alb.ingress.kubernetes.io/scheme": "internet-facing"});
    if !group.is_empty() {
        annotations["alb.ingress.kubernetes.io/group.name"] = group.into();
    }
    let backend = json!({"service": {"name": name, "port": {"number": 8080}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "annotations": annotations},
        "spec": {"ingressClassName": "alb", "rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]},
    })
}

/// How many of a kind there are now.
fn count(bench: &Bench, kind: &str) -> usize {
    bench.call(&operations::LIST, json!({"kind": "Node"})).unwrap();
    let mut found = 0;
    bench.edit(|world, now| found = world.list(kind, "us-east-1", now).count());
    found
}

fn at(manifest: &Value) -> Value {
    Object.locate(manifest, &Value::Null).unwrap()
}

#[test]
fn a_service_gets_a_network_load_balancer_and_goes_after_it() {
    let bench = bench("");
    let service = service("web");
    bench.create(&Object, "s", service.clone()).unwrap();
    bench.pass(300);
    let Health::Pending(why) = Object.judge(&bench.read(&Object, &at(&service)).unwrap()) else { panic!() };
    assert!(why.contains("the AWS Load Balancer Controller does not run"), "{why}");

    install(&bench);
    let took = bench.until_ready(&Object, &at(&service));
    assert!(took < 20, "{took}");
    let seen = bench.read(&Object, &at(&service)).unwrap();
    let name = seen["status"]["loadBalancer"]["ingress"][0]["hostname"].as_str().unwrap();
    assert!(name.starts_with("k8s-default-web-") && name.ends_with(".elb.us-east-1.amazonaws.com"), "{name}");
    assert_eq!(seen["metadata"]["finalizers"], json!(["service.k8s.aws/resources"]));
    bench.edit(|world, now| {
        let balancer = world.list(LOAD_BALANCER, "us-east-1", now).next().unwrap();
        assert_eq!(balancer.state(now), "provisioning");
        assert_eq!(balancer.state(now + 160_000), "active");
        assert_eq!((&balancer.body["type"], &balancer.body["vpc_id"]), (&json!("network"), &json!("vpc-1")));
        assert_eq!(balancer.body["canonical_hosted_zone_id"], "Z26RNL4JYFTOTI");
    });
    let parts = [LOAD_BALANCER, TARGET_GROUP, LISTENER, "ec2.network_interface", "ec2.security_group"];
    assert_eq!(parts.map(|kind| count(&bench, kind)), [1, 2, 2, 2, 2]);

    bench.delete(&Object, &at(&service), None).unwrap();
    bench.pass(10);
    assert_eq!([LOAD_BALANCER, LISTENER, "ec2.network_interface"].map(|kind| count(&bench, kind)), [0, 0, 2]);
    assert_eq!(bench.obstacles(&Object, &at(&service))[0], "finalizer service.k8s.aws/resources");
    bench.pass(40);
    assert_eq!(bench.read(&Object, &at(&service)), None);
    assert_eq!(parts.map(|kind| count(&bench, kind)), [0; 5]);
}

#[test]
fn without_the_controller_all_of_it_stays() {
    let bench = bench("");
    let release = install(&bench);
    let service = service("web");
    bench.create(&Object, "s", service.clone()).unwrap();
    bench.until_ready(&Object, &at(&service));
    bench.delete(&Release, &release, None).unwrap();
    bench.pass(30);
    bench.delete(&Object, &at(&service), None).unwrap();
    bench.pass(3600);
    assert_eq!(bench.obstacles(&Object, &at(&service))[0], "finalizer service.k8s.aws/resources");
    assert_eq!([LOAD_BALANCER, "ec2.network_interface"].map(|kind| count(&bench, kind)), [1, 2]);
}

#[test]
fn a_service_is_refused_while_nobody_answers_the_webhook() {
    let bench = bench("");
    let chart = json!({
        "release": "aws-load-balancer-controller", "namespace": "kube-system", "chart": "eks/lbc",
        "values": {"serviceAccount": {"name": "default"}},
    });
    bench.create(&Release, "lbc", chart).unwrap();
    let refused = bench.create(&Object, "s", service("web")).unwrap_err();
    assert!(refused.message.contains("no endpoints available"), "{refused}");
    bench.pass(30);
    bench.create(&Object, "s", service("web")).unwrap();
}

#[test]
fn the_ingresses_of_a_group_share_one_load_balancer() {
    let bench = bench("");
    install(&bench);
    let [one, two, alone] = [ingress("one", "shop"), ingress("two", "shop"), ingress("alone", "")];
    for (token, ingress) in [("1", &one), ("2", &two), ("3", &alone)] {
        bench.create(&Object, token, ingress.clone()).unwrap();
    }
    bench.pass(5);
    assert_eq!([LOAD_BALANCER, TARGET_GROUP].map(|kind| count(&bench, kind)), [2, 3]);
    let name = |ingress: &Value| {
        let seen = bench.read(&Object, &at(ingress)).unwrap();
        seen["status"]["loadBalancer"]["ingress"][0]["hostname"].as_str().unwrap_or_default().to_owned()
    };
    assert!(name(&one) == name(&two) && name(&one) != name(&alone) && name(&one).contains("k8s-shop-"));

    bench.delete(&Object, &at(&one), None).unwrap();
    bench.pass(10);
    assert_eq!(bench.read(&Object, &at(&one)), None, "the others keep the load balancer");
    assert_eq!([LOAD_BALANCER, TARGET_GROUP].map(|kind| count(&bench, kind)), [2, 2]);
    for ingress in [&two, &alone] {
        bench.delete(&Object, &at(ingress), None).unwrap();
    }
    bench.pass(60);
    assert_eq!([LOAD_BALANCER, TARGET_GROUP, "ec2.security_group"].map(|kind| count(&bench, kind)), [0, 0, 0]);
}

#[test]
fn endpoints_are_the_pods_that_a_service_selects() {
    let bench = bench("");
    install(&bench);
    let found = bench.call(
        &operations::GET,
        json!({
            "kind": "Endpoints", "namespace": "kube-system", "name": "aws-load-balancer-webhook-service",
        }),
    );
    assert_eq!(found.unwrap()["subsets"][0]["addresses"].as_array().map(Vec::len), Some(2));
    let slices = bench.call(
        &operations::LIST,
        json!({
            "kind": "EndpointSlice", "namespace": "kube-system",
            "label_selector": "kubernetes.io/service-name=aws-load-balancer-webhook-service",
        }),
    );
    assert_eq!(slices.unwrap()[0]["endpoints"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_is_given_stands_before_the_run_and_counts_as_nobodys() {
    let bench = Bench::new("given: [ { kind: route53.hosted_zone, id: Z1, body: { name: 'x.org.' } } ]", "");
    assert_eq!(count_of(&bench, "route53.hosted_zone"), 1);
    assert_eq!(crate::sandbox::snapshot::snapshot(&*bench.store).unwrap(), json!([]));
    bench.edit(|world, now| {
        world.change("route53.hosted_zone", "", "Z1", |zone| zone.begin_deletion(now, "", now));
    });
    assert_eq!(count_of(&bench, "route53.hosted_zone"), 0, "deleted once, it does not come back");
}

fn count_of(bench: &Bench, kind: &str) -> usize {
    let _ = bench.call(&operations::GET, json!({"kind": "Pod", "name": "none"}));
    let mut found = 0;
    bench.edit(|world, now| found = world.list(kind, "", now).count());
    found
}
