//! Which load balancers the Services and Ingresses of a cluster ask for, and with what. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::kube_objects::{annotation, is_going, items, name, namespace, text};

/// The class of a Service that the controller serves.
pub const SERVICE_CLASS: &str = "service.k8s.aws/nlb";
/// The controller of an IngressClass that it serves.
const INGRESS_CONTROLLER: &str = "ingress.k8s.aws/alb";
const SERVICE: &str = "service.beta.kubernetes.io/aws-load-balancer-";
const INGRESS: &str = "alb.ingress.kubernetes.io/";
/// Its finalizers: of Services, of Ingresses alone, of Ingresses in a group (with the group's name after it).
const SERVICE_FINALIZER: &str = "service.k8s.aws/resources";
const INGRESS_FINALIZER: &str = "ingress.k8s.aws/resources";
const GROUP_FINALIZER: &str = "group.ingress.k8s.aws/";

/// What the controller watches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    pub services: Vec<Value>,
    pub ingresses: Vec<Value>,
    pub classes: Vec<Value>,
    pub params: Vec<Value>,
    pub slices: Vec<Value>,
    pub nodes: Vec<Value>,
}

impl Seen {
    pub fn service(&self, space: &str, called: &str) -> Option<&Value> {
        self.services.iter().find(|service| namespace(service) == space && name(service) == called)
    }
}

/// One load balancer, and the objects that ask for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// A network load balancer; else an application load balancer.
    pub network: bool,
    /// `default/proxy` for a Service or an Ingress alone, the group's name for a group of Ingresses.
    pub name: String,
    /// What the controller puts on each member.
    pub finalizer: String,
    /// The members that stay.
    pub staying: Vec<Value>,
    /// What has its finalizer, and asks for it no longer.
    pub leaving: Vec<Value>,
    /// What the members' IngressClassParams say.
    pub params: Value,
}

/// Where a load balancer sends what comes: a port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub namespace: String,
    pub service: String,
    pub port: i64,
}

/// What a listener of an application load balancer asks a request for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub host: String,
    pub path: String,
    pub target: Target,
}

/// A port on which a load balancer listens. Without a target it goes by rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub port: i64,
    /// `TCP`, `TLS`, `UDP`, `HTTP` or `HTTPS`.
    pub protocol: String,
    pub target: Option<Target>,
}

/// All stacks of a cluster, by kind and name.
pub fn stacks(seen: &Seen) -> Vec<Stack> {
    let mut found: BTreeMap<(bool, String), Stack> = BTreeMap::new();
    for object in seen.services.iter().chain(&seen.ingresses) {
        let asked = if is_going(object) { None } else { Stack::asked(seen, object) };
        for held in items(object, "metadata.finalizers").iter().filter_map(Value::as_str) {
            let Some(stack) = Stack::of_finalizer(object, held) else { continue };
            if asked.as_ref().is_none_or(|asked| asked.finalizer != stack.finalizer) {
                found.entry(stack.key()).or_insert(stack).leaving.push(object.clone());
            }
        }
        if let Some(stack) = asked {
            let there = found.entry(stack.key()).or_insert_with(|| stack.clone());
            if there.params.is_null() {
                there.params = stack.params;
            }
            there.staying.push(object.clone());
        }
    }
    found.into_values().collect()
}

/// Whether the controller, and not Kubernetes' own code, makes the load balancer of a Service.
fn handled(service: &Value) -> bool {
    let kind = annotation(service, &format!("{SERVICE}type"));
    text(service, "spec.type") == "LoadBalancer"
        && (text(service, "spec.loadBalancerClass") == SERVICE_CLASS || matches!(kind, "external" | "nlb-ip"))
}

fn own(object: &Value) -> String {
    format!("{}/{}", namespace(object), name(object))
}

impl Stack {
    fn new(network: bool, name: String, finalizer: String, params: Value) -> Self {
        Self { network, name, finalizer, staying: Vec::new(), leaving: Vec::new(), params }
    }

    fn key(&self) -> (bool, String) {
        (self.network, self.name.clone())
    }

    /// The stack that an object asks for, without its members; none for one that the controller leaves alone.
    fn asked(seen: &Seen, object: &Value) -> Option<Self> {
        // What a list holds does not say its kind.
        if !object["spec"]["type"].is_null() {
            let stack = || Self::new(true, own(object), SERVICE_FINALIZER.to_owned(), Value::Null);
            return handled(object).then(stack);
        }
        let class = match text(object, "spec.ingressClassName") {
            "" => annotation(object, "kubernetes.io/ingress.class"),
            class => class,
        };
        let class = seen.classes.iter().find(|one| name(one) == class)?;
        if text(class, "spec.controller") != INGRESS_CONTROLLER {
            return None;
        }
        let named = text(class, "spec.parameters.name");
        let params = seen.params.iter().find(|one| name(one) == named && !named.is_empty());
        let params = params.map(|params| params["spec"].clone()).unwrap_or_default();
        let group = match text(&params, "group.name") {
            "" => annotation(object, &format!("{INGRESS}group.name")),
            group => group,
        }
        .to_owned();
        Some(match group.is_empty() {
            true => Self::new(false, own(object), INGRESS_FINALIZER.to_owned(), params),
            false => Self::new(false, group.clone(), format!("{GROUP_FINALIZER}{group}"), params),
        })
    }

    /// The stack that a finalizer of an object belongs to; none for finalizers of others.
    fn of_finalizer(object: &Value, finalizer: &str) -> Option<Self> {
        let stack = |network, name: &str| Self::new(network, name.to_owned(), finalizer.to_owned(), Value::Null);
        match finalizer {
            SERVICE_FINALIZER => Some(stack(true, &own(object))),
            INGRESS_FINALIZER => Some(stack(false, &own(object))),
            _ => finalizer.strip_prefix(GROUP_FINALIZER).map(|group| stack(false, group)),
        }
    }

    /// The tag with the stack's name.
    pub fn tag(&self) -> &'static str {
        if self.network { "service.k8s.aws/stack" } else { "ingress.k8s.aws/stack" }
    }

    /// The tag that says which of a stack's parts something is.
    pub fn part(&self) -> &'static str {
        if self.network { "service.k8s.aws/resource" } else { "ingress.k8s.aws/resource" }
    }

    /// What the members say by an annotation; the first that says anything.
    pub fn says(&self, called: &str) -> &str {
        let called = format!("{}{called}", if self.network { SERVICE } else { INGRESS });
        let said = self.staying.iter().map(|member| annotation(member, &called));
        said.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// What an annotation says, as a list.
    pub fn list(&self, called: &str) -> Vec<&str> {
        self.says(called).split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
    }

    /// `internet-facing` or `internal`, which is the default.
    pub fn scheme(&self) -> &'static str {
        let said = [text(&self.params, "scheme"), self.says("scheme")];
        if said.contains(&"internet-facing") { "internet-facing" } else { "internal" }
    }

    /// The name that is asked for; empty when the controller is to make one.
    pub fn called(&self) -> &str {
        self.says(if self.network { "name" } else { "load-balancer-name" })
    }

    /// `ip` or `instance`, which is the default.
    pub fn target_type(&self) -> &'static str {
        let said = if self.network { "nlb-target-type" } else { "target-type" };
        let old = self.network && self.says("type") == "nlb-ip";
        if old || self.says(said) == "ip" { "ip" } else { "instance" }
    }

    /// The ARNs of the certificates.
    pub fn certificates(&self) -> Vec<&str> {
        self.list(if self.network { "ssl-cert" } else { "certificate-arn" })
    }

    /// The port to which plain HTTP is sent on; none when it is served.
    pub fn redirect(&self) -> Option<&str> {
        Some(self.says("ssl-redirect")).filter(|port| !port.is_empty())
    }

    /// The ports, in their order.
    pub fn ports(&self) -> Vec<Port> {
        if self.network { self.service_ports() } else { self.listen_ports() }
    }

    fn service_ports(&self) -> Vec<Port> {
        let tls = self.list("ssl-ports");
        let secured = |port: i64, name: &str| {
            let number = port.to_string();
            let named = tls.is_empty() || [number.as_str(), name, "*"].iter().any(|one| tls.contains(one));
            !self.certificates().is_empty() && named
        };
        let ports = self.staying.iter().flat_map(|service| {
            items(service, "spec.ports").iter().map(move |port| (service, port, port["port"].as_i64().unwrap_or(0)))
        });
        ports
            .map(|(service, port, number)| {
                let protocol = match text(port, "protocol") {
                    "" => "TCP",
                    protocol => protocol,
                };
                let protocol = if secured(number, text(port, "name")) { "TLS" } else { protocol };
                let target =
                    Target { namespace: namespace(service).into(), service: name(service).into(), port: number };
                Port { port: number, protocol: protocol.to_owned(), target: Some(target) }
            })
            .collect()
    }

    fn listen_ports(&self) -> Vec<Port> {
        let listens: Value = serde_json::from_str(self.says("listen-ports")).unwrap_or_default();
        let entries = listens.as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
        let mut ports: Vec<(i64, String)> =
            entries.filter_map(|(protocol, port)| Some((port.as_i64()?, protocol.clone()))).collect();
        if ports.is_empty() {
            let secured = !self.certificates().is_empty();
            ports.push(if secured { (443, "HTTPS".to_owned()) } else { (80, "HTTP".to_owned()) });
        }
        ports.into_iter().map(|(port, protocol)| Port { port, protocol, target: None }).collect()
    }

    /// The rules of an application load balancer, in the order of the Ingresses.
    pub fn rules(&self, seen: &Seen) -> Vec<Rule> {
        let order = format!("{INGRESS}group.order");
        let mut members: Vec<&Value> = self.staying.iter().filter(|_| !self.network).collect();
        members.sort_by_key(|ingress| (annotation(ingress, &order).parse::<i64>().unwrap_or(0), own(ingress)));
        let mut found: Vec<Rule> = Vec::new();
        for ingress in members {
            for rule in items(ingress, "spec.rules") {
                for path in items(rule, "http.paths") {
                    let prefix = text(path, "pathType") != "Exact";
                    let plain = text(path, "path");
                    let matched = if prefix { format!("{}/*", plain.trim_end_matches('/')) } else { plain.to_owned() };
                    let Some(target) = backend(seen, ingress, &path["backend"]) else { continue };
                    found.push(Rule { host: text(rule, "host").to_owned(), path: matched, target });
                }
            }
            let default = backend(seen, ingress, &ingress["spec"]["defaultBackend"]);
            found.extend(default.map(|target| Rule { host: String::new(), path: "/*".to_owned(), target }));
        }
        found
    }

    /// Everything it sends to, each once.
    pub fn targets(&self, seen: &Seen) -> Vec<Target> {
        let rules = self.rules(seen).into_iter().map(|rule| rule.target);
        let mut all: Vec<Target> = self.ports().into_iter().filter_map(|port| port.target).chain(rules).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// The port of a Service that an Ingress names, by number or by name.
fn backend(seen: &Seen, ingress: &Value, backend: &Value) -> Option<Target> {
    let service = Some(text(backend, "service.name")).filter(|name| !name.is_empty())?;
    let called = text(backend, "service.port.name");
    let named = || {
        let service = seen.service(namespace(ingress), service)?;
        items(service, "spec.ports").iter().find(|port| text(port, "name") == called)?["port"].as_i64()
    };
    let port = backend["service"]["port"]["number"].as_i64().or_else(named)?;
    Some(Target { namespace: namespace(ingress).to_owned(), service: service.to_owned(), port })
}

#[cfg(test)]
mod tests;
