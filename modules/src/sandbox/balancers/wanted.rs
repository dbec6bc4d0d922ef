//! Which load balancers the Services and Ingresses of a cluster ask for, and with what.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{
        k8s::{of_kind, one},
        world::{Object, World},
    },
    CLUSTER_TAG,
};
use crate::k8s::{finalizers, types::text};

/// The class of a Service that the controller serves.
pub const SERVICE_CLASS: &str = "service.k8s.aws/nlb";
/// The controller of an IngressClass that it serves.
const INGRESS_CONTROLLER: &str = "ingress.k8s.aws/alb";
const SERVICE: &str = "service.beta.kubernetes.io/aws-load-balancer-";
const INGRESS: &str = "alb.ingress.kubernetes.io/";

/// One load balancer, and the objects that ask for it.
#[derive(Debug, Clone)]
pub struct Stack {
    /// A network load balancer; else an application load balancer.
    pub network: bool,
    /// `default/proxy` for a Service or an Ingress alone, the group's name for a group of Ingresses.
    pub name: String,
    /// What the controller puts on each member.
    pub finalizer: String,
    /// The members that stay.
    pub staying: Vec<Object>,
    /// The members that are being deleted.
    pub leaving: Vec<Object>,
    /// What the members' IngressClassParams say.
    pub params: Value,
}

/// A port on which a load balancer listens, and where it sends what comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The port.
    pub port: i64,
    /// `TCP`, `TLS`, `UDP`, `HTTP` or `HTTPS`.
    pub protocol: String,
    /// Namespace and name of the Service, and its port.
    pub target: (String, String, i64),
}

/// Whether the controller, and not the cloud provider within Kubernetes, makes the load balancer of a Service.
pub fn handled(service: &Value) -> bool {
    let kind = annotation(service, SERVICE, "type");
    text(service, "spec.type") == "LoadBalancer"
        && (text(service, "spec.loadBalancerClass") == SERVICE_CLASS || matches!(kind, "external" | "nlb-ip"))
}

fn annotation<'a>(object: &'a Value, prefix: &str, name: &str) -> &'a str {
    object["metadata"]["annotations"][format!("{prefix}{name}")].as_str().unwrap_or_default()
}

/// All stacks of a cluster, by kind and name.
pub fn stacks(world: &World, cluster: &str, now_ms: i64) -> Vec<Stack> {
    let mut found: BTreeMap<(bool, String), Stack> = BTreeMap::new();
    let members = ["Service", "Ingress"].into_iter().flat_map(|kind| of_kind(world, cluster, kind, now_ms));
    for object in members.filter(|o| o.exists(now_ms)) {
        let Some(stack) = Stack::of(world, cluster, object, now_ms) else { continue };
        let there = found.entry((stack.network, stack.name.clone())).or_insert(stack.clone());
        let held = finalizers::of(&object.body).contains(&stack.finalizer);
        match (object.gone_at.is_none() && text(&object.body, "metadata.deletionTimestamp").is_empty(), held) {
            (true, _) => there.staying.push(object.clone()),
            (false, true) => there.leaving.push(object.clone()),
            (false, false) => {}
        }
    }
    found.into_values().filter(|stack| !(stack.staying.is_empty() && stack.leaving.is_empty())).collect()
}

impl Stack {
    /// The stack that an object belongs to, without its members; None for one that the controller leaves alone.
    pub fn of(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Option<Self> {
        let body = &object.body;
        let own = format!("{}/{}", text(body, "metadata.namespace"), text(body, "metadata.name"));
        let stack = |network, name: &str, finalizer: &str, params| {
            let [name, finalizer] = [name, finalizer].map(str::to_owned);
            Some(Self { network, name, finalizer, staying: Vec::new(), leaving: Vec::new(), params })
        };
        if text(body, "kind") == "Service" {
            return handled(body).then(|| stack(true, &own, "service.k8s.aws/resources", Value::Null))?;
        }
        let class = match text(body, "spec.ingressClassName") {
            "" => body["metadata"]["annotations"]["kubernetes.io/ingress.class"].as_str().unwrap_or_default(),
            class => class,
        };
        let class = one(world, cluster, "IngressClass", "", class, now_ms).filter(|class| class.exists(now_ms))?;
        if text(&class.body, "spec.controller") != INGRESS_CONTROLLER {
            return None;
        }
        let params = text(&class.body, "spec.parameters.name");
        let params = of_kind(world, cluster, "IngressClassParams", now_ms)
            .find(|o| text(&o.body, "metadata.name") == params && !params.is_empty());
        let params = params.map(|params| params.body["spec"].clone()).unwrap_or_default();
        let group = match text(&params, "group.name") {
            "" => annotation(body, INGRESS, "group.name"),
            group => group,
        }
        .to_owned();
        match group.as_str() {
            "" => stack(false, &own, "ingress.k8s.aws/resources", params),
            group => stack(false, group, &format!("group.ingress.k8s.aws/{group}"), params),
        }
    }

    /// The controller's tags on everything that belongs to it.
    pub fn tags(&self, cluster: &str) -> BTreeMap<String, String> {
        let prefix = if self.network { "service.k8s.aws" } else { "ingress.k8s.aws" };
        [(CLUSTER_TAG.to_owned(), cluster.to_owned()), (format!("{prefix}/stack"), self.name.clone())].into()
    }

    /// What the members say by an annotation; the first that says anything.
    pub fn says(&self, name: &str) -> &str {
        let prefix = if self.network { SERVICE } else { INGRESS };
        let said = self.staying.iter().map(|member| annotation(&member.body, prefix, name));
        said.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// What an annotation says, as a list.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.says(name).split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
    }

    /// `internet-facing` or `internal`, which is the default.
    pub fn scheme(&self) -> &str {
        let said = [text(&self.params, "scheme"), self.says("scheme")];
        if said.contains(&"internet-facing") { "internet-facing" } else { "internal" }
    }

    /// `ip` or `instance`, which is the default.
    pub fn target_type(&self) -> &str {
        let said = if self.network { "nlb-target-type" } else { "target-type" };
        let old = self.network && self.says("type") == "nlb-ip";
        if old || self.says(said) == "ip" { "ip" } else { "instance" }
    }

    /// The ARNs of the certificates.
    pub fn certificates(&self) -> Vec<&str> {
        self.list(if self.network { "ssl-cert" } else { "certificate-arn" })
    }

    /// The ports, in their order.
    pub fn ports(&self) -> Vec<Port> {
        if self.network { self.service_ports() } else { self.ingress_ports() }
    }

    fn service_ports(&self) -> Vec<Port> {
        let tls = self.list("ssl-ports");
        let secured = |port: i64, name: &str| {
            let named = tls.is_empty() || tls.contains(&"*") || tls.contains(&port.to_string().as_str());
            !self.certificates().is_empty() && (named || tls.contains(&name))
        };
        let mut found = Vec::new();
        for service in &self.staying {
            let [namespace, name] = ["metadata.namespace", "metadata.name"].map(|path| text(&service.body, path));
            for port in service.body["spec"]["ports"].as_array().into_iter().flatten() {
                let number = port["port"].as_i64().unwrap_or_default();
                let protocol = match text(port, "protocol") {
                    "" => "TCP",
                    protocol => protocol,
                };
                let protocol = if secured(number, text(port, "name")) { "TLS" } else { protocol };
                let target = (namespace.to_owned(), name.to_owned(), target_port(port).unwrap_or(number));
                found.push(Port { port: number, protocol: protocol.to_owned(), target });
            }
        }
        found
    }

    fn ingress_ports(&self) -> Vec<Port> {
        let listens: Value = serde_json::from_str(self.says("listen-ports")).unwrap_or_default();
        let mut ports: Vec<(i64, String)> = Vec::new();
        for entry in listens.as_array().into_iter().flatten().filter_map(Value::as_object) {
            ports.extend(entry.iter().filter_map(|(protocol, port)| Some((port.as_i64()?, protocol.clone()))));
        }
        if ports.is_empty() {
            let secured = !self.certificates().is_empty();
            ports.push(if secured { (443, "HTTPS".to_owned()) } else { (80, "HTTP".to_owned()) });
        }
        let mut found = Vec::new();
        for target in self.staying.iter().flat_map(backends) {
            let port = |(port, protocol): &(i64, String)| Port {
                port: *port,
                protocol: protocol.clone(),
                target: target.clone(),
            };
            found.extend(ports.iter().map(port));
        }
        found
    }
}

fn target_port(port: &Value) -> Option<i64> {
    port["targetPort"].as_i64()
}

/// The Services that an Ingress names.
fn backends(ingress: &Object) -> Vec<(String, String, i64)> {
    let namespace = text(&ingress.body, "metadata.namespace");
    let rules = ingress.body["spec"]["rules"].as_array().into_iter().flatten();
    let paths = rules.flat_map(|rule| rule["http"]["paths"].as_array().into_iter().flatten());
    let paths = paths.map(|path| &path["backend"]).chain([&ingress.body["spec"]["defaultBackend"]]);
    let mut found: Vec<(String, String, i64)> = Vec::new();
    for backend in paths.filter(|backend| !text(backend, "service.name").is_empty()) {
        let port = backend["service"]["port"]["number"].as_i64().unwrap_or(80);
        let one = (namespace.to_owned(), text(backend, "service.name").to_owned(), port);
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}
