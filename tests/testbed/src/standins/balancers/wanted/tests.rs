//! Which stacks are wanted, with which ports, rules and targets.

use serde_json::json;

use super::{super::targets::targets, *};

fn service(name: &str, spec: Value, annotations: Value) -> Value {
    json!({ "metadata": { "name": name, "namespace": "default", "annotations": annotations }, "spec": spec })
}

fn ingress(name: &str, class: &str, rest: Value) -> Value {
    let paths = json!([{ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "name": "http" } } } }]);
    let mut ingress = json!({
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "ingressClassName": class, "rules": [{ "host": format!("{name}.test"), "http": { "paths": paths } }] },
    });
    ingress["metadata"].as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    ingress
}

fn seen() -> Seen {
    let class = |name: &str, controller: &str, params: &str| json!({ "metadata": { "name": name }, "spec": { "controller": controller, "parameters": { "name": params } } });
    let params = json!({ "metadata": { "name": "public" }, "spec": { "group": { "name": "shop" }, "scheme": "internet-facing" } });
    let port = json!({ "name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080 });
    Seen {
        classes: vec![
            class("alb", INGRESS_CONTROLLER, ""),
            class("public", INGRESS_CONTROLLER, "public"),
            class("nginx", "k8s.io/ingress-nginx", ""),
        ],
        params: vec![params],
        services: vec![service("web", json!({ "type": "NodePort", "ports": [port] }), json!({}))],
        ..Seen::default()
    }
}

#[test]
fn only_services_of_its_class_or_annotation_are_served() {
    let balanced =
        |class: &str| json!({ "type": "LoadBalancer", "loadBalancerClass": class, "ports": [{ "port": 443 }] });
    let external = json!({ "service.beta.kubernetes.io/aws-load-balancer-type": "external" });
    let mut seen = seen();
    seen.services.extend([
        service("by-class", balanced(SERVICE_CLASS), json!({})),
        service("by-annotation", balanced(""), external.clone()),
        service("of-others", balanced(""), json!({})),
        service("no-balancer", json!({ "type": "ClusterIP" }), external),
    ]);
    let found: Vec<String> = stacks(&seen).into_iter().map(|stack| stack.name).collect();
    assert_eq!(found, ["default/by-annotation", "default/by-class"]);
}

#[test]
fn a_group_shares_one_and_a_member_that_goes_leaves_it() {
    let mut seen = seen();
    let held = json!({ "finalizers": [format!("{GROUP_FINALIZER}shop")], "deletionTimestamp": "2026-11-22T00:00:00Z" });
    let late = json!({ "annotations": { "alb.ingress.kubernetes.io/group.order": "10" } });
    seen.ingresses.extend([
        ingress("a", "public", late),
        ingress("b", "public", json!({})),
        ingress("gone", "public", held),
        ingress("alone", "alb", json!({})),
        ingress("other", "nginx", json!({})),
    ]);
    let found = stacks(&seen);
    let [alone, shop] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((alone.name.as_str(), alone.scheme(), alone.staying.len()), ("default/alone", "internal", 1));
    assert_eq!((shop.name.as_str(), shop.scheme()), ("shop", "internet-facing"));
    assert_eq!((shop.staying.len(), shop.leaving.len()), (2, 1));
    let rules: Vec<(String, String)> = shop.rules(&seen).into_iter().map(|rule| (rule.host, rule.path)).collect();
    assert_eq!(rules, [("b.test".into(), "/*".into()), ("a.test".into(), "/*".into())]);
    assert_eq!(shop.targets(&seen), [Target { namespace: "default".into(), service: "web".into(), port: 80 }]);
}

#[test]
fn one_that_is_no_longer_asked_for_goes_by_its_finalizer() {
    let mut seen = seen();
    let held = json!({ "finalizers": [INGRESS_FINALIZER, "of/others"] });
    seen.ingresses.push(ingress("moved", "public", held));
    seen.ingresses.push(ingress("left", "nginx", json!({ "finalizers": [format!("{GROUP_FINALIZER}old")] })));
    let found = stacks(&seen);
    let told: Vec<_> = found.iter().map(|s| (s.name.as_str(), s.staying.len(), s.leaving.len())).collect();
    assert_eq!(told, [("default/moved", 0, 1), ("old", 0, 1), ("shop", 1, 0)]);
}

#[test]
fn ports_protocols_and_targets_are_those_of_the_annotations() {
    let ports = json!([{ "name": "web", "port": 80 }, { "name": "mqtts", "port": 8883 }]);
    let secured = json!({
        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
        "service.beta.kubernetes.io/aws-load-balancer-ssl-cert": "arn:cert",
        "service.beta.kubernetes.io/aws-load-balancer-ssl-ports": "mqtts",
    });
    let mut seen = seen();
    seen.services.push(service("tls", json!({ "type": "LoadBalancer", "ports": ports }), secured));
    let listen = json!({ "annotations": {
        "alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTP": 80}, {"HTTPS": 443}]"#,
        "alb.ingress.kubernetes.io/ssl-redirect": "443",
    } });
    seen.ingresses.push(ingress("a", "alb", listen));
    let found = stacks(&seen);
    let told = |stack: &Stack| stack.ports().iter().map(|p| format!("{} {}", p.port, p.protocol)).collect::<Vec<_>>();
    assert_eq!(told(&found[0]), ["80 HTTP", "443 HTTPS"]);
    assert_eq!(found[0].redirect(), Some("443"));
    assert_eq!(told(&found[1]), ["80 TCP", "8883 TLS"]);
    seen.slices = vec![json!({
        "metadata": { "namespace": "default", "labels": { "kubernetes.io/service-name": "web" } },
        "ports": [{ "name": "http", "port": 8080 }],
        "endpoints": [{ "addresses": ["10.0.0.2"] }, { "addresses": ["10.0.0.3"], "conditions": { "ready": false } }],
    })];
    seen.nodes = vec![json!({ "spec": { "providerID": "aws:///us-east-1a/i-0abc" } })];
    let target = &found[0].targets(&seen)[0];
    assert_eq!(targets(&seen, "ip", target), [("10.0.0.2".to_owned(), 8080)]);
    assert_eq!(targets(&seen, "instance", target), [("i-0abc".to_owned(), 30080)]);
}
