//! Whether an object of a well-known controller is ready, judged by its status as that controller's reference defines it: Argo CD,
//! CloudNativePG, cert-manager, KEDA, Karpenter, Flux, the Prometheus Operator. What is not ready says in the controller's own words why.

use serde_json::Value;

use super::types::{number, text};
use crate::resource::Health;

/// Judges by the kind and its API group; None for an object of no such controller.
pub fn judge(object: &Value) -> Option<Health> {
    let group = text(object, "apiVersion").split_once('/').map_or("", |(group, _)| group);
    let kind = text(object, "kind");
    Some(match (group, kind) {
        ("argoproj.io", "Application") => application(object),
        ("postgresql.cnpg.io", "Cluster") => postgres(object),
        ("cert-manager.io", "CertificateRequest") => request(object),
        ("cert-manager.io", "Issuer" | "ClusterIssuer" | "Certificate") => by_condition(object, "Ready"),
        ("keda.sh", "ScaledObject" | "ScaledJob") => by_condition(object, "Ready"),
        ("karpenter.sh", "NodePool" | "NodeClaim") => by_condition(object, "Ready"),
        ("karpenter.k8s.aws", "EC2NodeClass") => by_condition(object, "Ready"),
        ("source.toolkit.fluxcd.io", "HelmRepository") if text(object, "spec.type") == "oci" => Health::Ready,
        (group, _) if group.ends_with(".toolkit.fluxcd.io") && kind != "Alert" && kind != "Provider" => flux(object),
        ("monitoring.coreos.com", "Prometheus" | "Alertmanager" | "ThanosRuler") => by_condition(object, "Available"),
        _ => return None,
    })
}

/// The conditions of a status.
fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten()
}

fn find<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    conditions(object).find(|condition| text(condition, "type") == name)
}

fn is_true(object: &Value, name: &str) -> bool {
    find(object, name).is_some_and(|condition| text(condition, "status") == "True")
}

/// `reason: message` of a condition, as far as it has them.
fn words(condition: &Value) -> String {
    joined(": ", [text(condition, "reason"), text(condition, "message")])
}

fn joined<'a>(between: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// Whether what the status says, or one of its conditions, is about the object as it is now.
fn seen(object: &Value, condition: Option<&Value>) -> bool {
    let generation = number(object, "metadata.generation").unwrap_or(0);
    let of_condition = condition.and_then(|condition| number(condition, "observedGeneration"));
    of_condition.or_else(|| number(object, "status.observedGeneration")).is_none_or(|seen| seen >= generation)
}

/// Ready when one condition is True, of this generation. Other conditions that are False say what it waits for.
fn by_condition(object: &Value, name: &str) -> Health {
    let found = find(object, name);
    if !seen(object, found) {
        return Health::Pending("the controller has not seen the change yet".to_owned());
    }
    match found {
        Some(condition) if text(condition, "status") == "True" => Health::Ready,
        found => {
            let own = found.map(words).unwrap_or_default();
            let others = conditions(object)
                .filter(|condition| text(condition, "status") == "False" && text(condition, "type") != name)
                .map(|condition| format!("{} ({})", text(condition, "type"), words(condition)));
            let issuing = find(object, "Issuing").filter(|condition| text(condition, "status") == "True").map(words);
            let all: Vec<String> = [own].into_iter().chain(issuing).chain(others).collect();
            Health::Pending(or(joined("; ", all.iter().map(String::as_str)), "no controller has answered yet"))
        }
    }
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

/// <https://argo-cd.readthedocs.io/en/stable/operator-manual/health/>. Synced and Healthy, and compared with the present source.
fn application(object: &Value) -> Health {
    let (sync, health) = (text(object, "status.sync.status"), text(object, "status.health.status"));
    if sync.is_empty() && health.is_empty() && conditions(object).next().is_none() {
        return Health::Pending("Argo CD has not looked at it yet".to_owned());
    }
    let of = |side: &str, field: &str| text(object, &format!("{side}.{field}")).to_owned();
    let compared = object.pointer("/status/sync/comparedTo/source").is_none()
        || ["repoURL", "chart", "path", "targetRevision"]
            .iter()
            .all(|field| of("spec.source", field) == of("status.sync.comparedTo.source", field));
    let phase = text(object, "status.operationState.phase");
    if sync == "Synced" && health == "Healthy" && compared && phase != "Running" {
        return Health::Ready;
    }
    let state = joined(", ", [sync, health, if compared { "" } else { "not compared with its new source yet" }]);
    let operation = match phase {
        "" | "Succeeded" => String::new(),
        phase => format!("sync {phase}: {}", text(object, "status.operationState.message")),
    };
    let why = text(object, "status.health.message");
    let errors =
        conditions(object).map(|condition| joined(": ", [text(condition, "type"), text(condition, "message")]));
    let unwell =
        object.pointer("/status/resources").and_then(Value::as_array).into_iter().flatten().filter_map(|resource| {
            let health = text(resource, "health.status");
            let bad = !matches!(health, "" | "Healthy") || text(resource, "status") == "OutOfSync";
            let name = joined(" ", [text(resource, "kind"), text(resource, "name")]);
            let said = joined(" ", [text(resource, "status"), health, text(resource, "health.message")]);
            bad.then(|| format!("{name}: {said}"))
        });
    let all: Vec<String> = [state, operation, why.to_owned()].into_iter().chain(errors).chain(unwell.take(3)).collect();
    Health::Pending(joined("; ", all.iter().map(String::as_str)))
}

/// <https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/>: the phase, and as many ready instances as are asked for.
fn postgres(object: &Value) -> Health {
    let (phase, wanted) = (text(object, "status.phase"), number(object, "spec.instances").unwrap_or(1));
    let ready = number(object, "status.readyInstances").unwrap_or(0);
    if phase == "Cluster in healthy state" && ready >= wanted {
        return Health::Ready;
    }
    let phase = or(phase.to_owned(), "the operator has not answered yet");
    let counted = format!("{ready} of {wanted} instances ready");
    Health::Pending(joined("; ", [phase.as_str(), text(object, "status.phaseReason"), &counted]))
}

/// A request that was denied, or is invalid, or failed, never becomes ready: <https://cert-manager.io/docs/usage/certificaterequest/>.
fn request(object: &Value) -> Health {
    for end in ["Denied", "InvalidRequest"] {
        if let Some(condition) = find(object, end).filter(|_| is_true(object, end)) {
            return Health::Failed(joined("; ", [end, &words(condition)]));
        }
    }
    match find(object, "Ready").filter(|condition| text(condition, "reason") == "Failed") {
        Some(failed) => Health::Failed(words(failed)),
        None => by_condition(object, "Ready"),
    }
}

/// <https://fluxcd.io/flux/components/>. A stalled object waits for a change of its spec: it is named as such, and still waited for.
fn flux(object: &Value) -> Health {
    if object.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        return Health::Pending("suspended".to_owned());
    }
    match (by_condition(object, "Ready"), find(object, "Stalled").filter(|_| is_true(object, "Stalled"))) {
        (Health::Pending(why), Some(stalled)) => Health::Pending(format!("stalled: {}; {why}", words(stalled))),
        (health, _) => health,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::judge;
    use crate::resource::Health::{self, Failed, Pending, Ready};

    fn object(api_version: &str, kind: &str, status: Value) -> Value {
        json!({ "apiVersion": api_version, "kind": kind, "metadata": { "generation": 2 }, "spec": { "instances": 2 }, "status": status })
    }

    fn conditions(list: &[(&str, &str, &str, &str)]) -> Value {
        let one = |(kind, status, reason, message): &(&str, &str, &str, &str)| json!({ "type": kind, "status": status, "reason": reason, "message": message });
        json!({ "conditions": list.iter().map(one).collect::<Vec<_>>() })
    }

    fn waits(text: &str) -> Health {
        Pending(text.to_owned())
    }

    /// API version, kind, status, and what is said of it.
    fn table() -> Vec<(&'static str, &'static str, Value, Health)> {
        let yes = || conditions(&[("Ready", "True", "Ready", "it is")]);
        let (app, pg, cert) = ("argoproj.io/v1alpha1", "postgresql.cnpg.io/v1", "cert-manager.io/v1");
        let running = json!({ "sync": { "status": "OutOfSync" }, "health": { "status": "Missing" },
            "operationState": { "phase": "Running", "message": "waiting for healthy state of apps/Deployment/x" } });
        let degraded = json!({ "sync": { "status": "Synced" }, "health": { "status": "Degraded" }, "operationState": { "phase": "Succeeded" },
            "resources": [
                { "kind": "Deployment", "name": "retool", "status": "Synced", "health": { "status": "Degraded", "message": "exceeded its deadline" } },
                { "kind": "Service", "name": "retool", "status": "Synced", "health": { "status": "Healthy" } },
            ] });
        let broken = json!({ "sync": { "status": "Unknown" }, "health": { "status": "Healthy" },
            "conditions": [{ "type": "ComparisonError", "message": "chart not found" }] });
        let old = json!({ "sync": { "status": "Synced", "comparedTo": { "source": { "repoURL": "https://old" } } }, "health": { "status": "Healthy" } });
        let unseen = json!({ "observedGeneration": 1, "conditions": [{ "type": "Ready", "status": "True" }] });
        vec![
            (app, "Application", json!({ "sync": { "status": "Synced" }, "health": { "status": "Healthy" } }), Ready),
            (app, "Application", Value::Null, waits("Argo CD has not looked at it yet")),
            (
                app,
                "Application",
                running,
                waits("OutOfSync, Missing; sync Running: waiting for healthy state of apps/Deployment/x"),
            ),
            (
                app,
                "Application",
                degraded,
                waits("Synced, Degraded; Deployment retool: Synced Degraded exceeded its deadline"),
            ),
            (app, "Application", broken, waits("Unknown, Healthy; ComparisonError: chart not found")),
            (app, "Application", old, waits("Synced, Healthy, not compared with its new source yet")),
            (pg, "Cluster", json!({ "phase": "Cluster in healthy state", "readyInstances": 2 }), Ready),
            (
                pg,
                "Cluster",
                json!({ "phase": "Cluster in healthy state", "readyInstances": 1 }),
                waits("Cluster in healthy state; 1 of 2 instances ready"),
            ),
            (
                pg,
                "Cluster",
                json!({ "phase": "Setting up primary", "phaseReason": "Creating primary instance x-1" }),
                waits("Setting up primary; Creating primary instance x-1; 0 of 2 instances ready"),
            ),
            (pg, "Cluster", Value::Null, waits("the operator has not answered yet; 0 of 2 instances ready")),
            (cert, "ClusterIssuer", yes(), Ready),
            (
                cert,
                "Issuer",
                conditions(&[("Ready", "False", "ErrInitIssuer", "no secret")]),
                waits("ErrInitIssuer: no secret"),
            ),
            (
                cert,
                "Certificate",
                conditions(&[
                    ("Ready", "False", "DoesNotExist", "no Secret"),
                    ("Issuing", "True", "DoesNotExist", "issuing"),
                ]),
                waits("DoesNotExist: no Secret; DoesNotExist: issuing"),
            ),
            (cert, "Certificate", Value::Null, waits("no controller has answered yet")),
            (
                cert,
                "CertificateRequest",
                conditions(&[("Denied", "True", "Policy", "not allowed")]),
                Failed("Denied; Policy: not allowed".to_owned()),
            ),
            (
                cert,
                "CertificateRequest",
                conditions(&[("Ready", "False", "Failed", "order is invalid")]),
                Failed("Failed: order is invalid".to_owned()),
            ),
            (
                cert,
                "CertificateRequest",
                conditions(&[("Ready", "False", "Pending", "waiting")]),
                waits("Pending: waiting"),
            ),
            ("keda.sh/v1alpha1", "ScaledObject", yes(), Ready),
            (
                "keda.sh/v1alpha1",
                "ScaledObject",
                conditions(&[("Ready", "False", "ScaledObjectCheckFailed", "target not found")]),
                waits("ScaledObjectCheckFailed: target not found"),
            ),
            ("karpenter.sh/v1", "NodePool", yes(), Ready),
            (
                "karpenter.sh/v1",
                "NodeClaim",
                conditions(&[
                    ("Ready", "Unknown", "NotReady", ""),
                    ("Launched", "False", "LaunchFailed", "no capacity"),
                ]),
                waits("NotReady; Launched (LaunchFailed: no capacity)"),
            ),
            (
                "karpenter.k8s.aws/v1",
                "EC2NodeClass",
                conditions(&[
                    ("Ready", "False", "UnreadyDependency", "x"),
                    ("SubnetsReady", "False", "SubnetsNotFound", "no subnet has the tag"),
                ]),
                waits("UnreadyDependency: x; SubnetsReady (SubnetsNotFound: no subnet has the tag)"),
            ),
            ("source.toolkit.fluxcd.io/v1", "GitRepository", yes(), Ready),
            (
                "source.toolkit.fluxcd.io/v1",
                "GitRepository",
                unseen,
                waits("the controller has not seen the change yet"),
            ),
            (
                "kustomize.toolkit.fluxcd.io/v1",
                "Kustomization",
                conditions(&[("Ready", "False", "BuildFailed", "no such file")]),
                waits("BuildFailed: no such file"),
            ),
            (
                "helm.toolkit.fluxcd.io/v2",
                "HelmRelease",
                conditions(&[
                    ("Ready", "False", "InstallFailed", "timed out"),
                    ("Stalled", "True", "RetriesExceeded", "1 of 1"),
                ]),
                waits("stalled: RetriesExceeded: 1 of 1; InstallFailed: timed out"),
            ),
            ("image.toolkit.fluxcd.io/v1beta2", "ImageRepository", yes(), Ready),
            ("image.toolkit.fluxcd.io/v1beta2", "ImagePolicy", Value::Null, waits("no controller has answered yet")),
            (
                "monitoring.coreos.com/v1",
                "Prometheus",
                conditions(&[("Available", "False", "NoPodReady", "0/1")]),
                waits("NoPodReady: 0/1"),
            ),
        ]
    }

    #[test]
    fn each_controller_says_what_its_objects_wait_for() {
        for (api_version, kind, status, expected) in table() {
            assert_eq!(judge(&object(api_version, kind, status.clone())), Some(expected), "{kind} {status}");
        }
    }

    #[test]
    fn what_has_no_status_is_ready_when_it_stands() {
        for (api_version, kind) in [
            ("monitoring.coreos.com/v1", "PrometheusRule"),
            ("monitoring.coreos.com/v1", "ServiceMonitor"),
            ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"),
            ("elbv2.k8s.aws/v1beta1", "IngressClassParams"),
            ("cluster.x-k8s.io/v1beta1", "Cluster"),
        ] {
            let found = object(api_version, kind, Value::Null);
            assert_eq!(judge(&found), None, "{kind}");
            assert_eq!(crate::k8s::health::judge(&found), Ready, "{kind}");
        }
        let mut oci = object("source.toolkit.fluxcd.io/v1", "HelmRepository", Value::Null);
        assert_eq!(judge(&oci), Some(waits("no controller has answered yet")));
        oci["spec"]["type"] = "oci".into();
        assert_eq!(judge(&oci), Some(Ready));
        oci["spec"] = json!({ "suspend": true });
        assert_eq!(judge(&oci), Some(waits("suspended")));
    }
}
