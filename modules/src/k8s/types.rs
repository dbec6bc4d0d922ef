//! The kinds of objects that every cluster knows, and how objects are named.

use serde_json::Value;

/// A kind of Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// `deployments`.
    pub plural: String,
    /// It lives in a namespace.
    pub namespaced: bool,
}

/// API version, then `Kind plural` of what has a namespace, then of what has none.
const BUILTIN: &[(&str, &str, &str)] = &[
    (
        "v1",
        "ConfigMap configmaps,Endpoints endpoints,Event events,LimitRange limitranges,PersistentVolumeClaim \
         persistentvolumeclaims,Pod pods,ReplicationController replicationcontrollers,ResourceQuota resourcequotas,\
         Secret secrets,Service services,ServiceAccount serviceaccounts",
        "Namespace namespaces,Node nodes,PersistentVolume persistentvolumes",
    ),
    (
        "apps/v1",
        "ControllerRevision controllerrevisions,DaemonSet daemonsets,Deployment deployments,ReplicaSet replicasets,\
         StatefulSet statefulsets",
        "",
    ),
    ("batch/v1", "CronJob cronjobs,Job jobs", ""),
    ("autoscaling/v2", "HorizontalPodAutoscaler horizontalpodautoscalers", ""),
    ("policy/v1", "PodDisruptionBudget poddisruptionbudgets", ""),
    ("networking.k8s.io/v1", "Ingress ingresses,NetworkPolicy networkpolicies", "IngressClass ingressclasses"),
    (
        "rbac.authorization.k8s.io/v1",
        "Role roles,RoleBinding rolebindings",
        "ClusterRole clusterroles,ClusterRoleBinding clusterrolebindings",
    ),
    ("discovery.k8s.io/v1", "EndpointSlice endpointslices", ""),
    ("coordination.k8s.io/v1", "Lease leases", ""),
    (
        "storage.k8s.io/v1",
        "CSIStorageCapacity csistoragecapacities",
        "CSIDriver csidrivers,CSINode csinodes,StorageClass storageclasses,VolumeAttachment volumeattachments",
    ),
    ("scheduling.k8s.io/v1", "", "PriorityClass priorityclasses"),
    ("apiregistration.k8s.io/v1", "", "APIService apiservices"),
    ("apiextensions.k8s.io/v1", "", "CustomResourceDefinition customresourcedefinitions"),
    (
        "admissionregistration.k8s.io/v1",
        "",
        "MutatingWebhookConfiguration mutatingwebhookconfigurations,ValidatingWebhookConfiguration validatingwebhookconfigurations",
    ),
];

/// A kind that every cluster knows; without an API version, the usual one.
pub fn builtin(kind: &str, api_version: Option<&str>) -> Option<Type> {
    for (api, namespaced, cluster) in BUILTIN {
        if api_version.is_some_and(|wanted| wanted != *api) {
            continue;
        }
        for (list, namespaced) in [(namespaced, true), (cluster, false)] {
            let found = list.split(',').filter_map(|pair| pair.trim().split_once(' ')).find(|(name, _)| *name == kind);
            if let Some((kind, plural)) = found {
                let [api_version, kind, plural] = [*api, kind, plural].map(str::to_owned);
                return Some(Type { api_version, kind, plural, namespaced });
            }
        }
    }
    None
}

/// The names of all kinds that every cluster knows.
pub fn builtin_kinds() -> impl Iterator<Item = &'static str> {
    let lists = BUILTIN.iter().flat_map(|(_, namespaced, cluster)| [*namespaced, *cluster]);
    lists.flat_map(|list| list.split(',')).filter_map(|pair| pair.trim().split_once(' ')).map(|(kind, _)| kind)
}

/// The id of an object in inventory and sandbox: `apps/v1/Deployment/default/web`; the namespace is empty for what has none.
pub fn id(api_version: &str, kind: &str, namespace: &str, name: &str) -> String {
    format!("{api_version}/{kind}/{namespace}/{name}")
}

/// A text field, dots go down; empty when it is missing.
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    path.split('.').try_fold(value, |value, name| value.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// A whole number, dots go down.
pub fn number(value: &Value, path: &str) -> Option<i64> {
    path.split('.').try_fold(value, |value, name| value.get(name)).and_then(Value::as_i64)
}

/// Whether labels satisfy a selector: `app=web,tier!=db,canary,!old,env in (a,b)`.
pub fn selected(selector: &str, labels: &Value) -> bool {
    let mut rest = selector.trim();
    while !rest.is_empty() {
        let open = rest.find('(').unwrap_or(usize::MAX);
        let comma = rest.find(',').unwrap_or(rest.len());
        let end = if open < comma { rest.find(')').map_or(rest.len(), |end| end + 1) } else { comma };
        if !one_selected(rest[..end].trim(), labels) {
            return false;
        }
        rest = rest[end..].trim_start().trim_start_matches(',').trim_start();
    }
    true
}

fn one_selected(part: &str, labels: &Value) -> bool {
    let has = |name: &str| labels.get(name.trim()).and_then(Value::as_str);
    if let Some((name, list)) = part.split_once('(') {
        let within = |name: &str| {
            let value = has(name);
            value.is_some_and(|value| list.trim_end_matches(')').split(',').any(|item| item.trim() == value))
        };
        let words = name.trim();
        return match (words.strip_suffix(" notin"), words.strip_suffix(" in")) {
            (Some(name), _) => !within(name),
            (_, Some(name)) => within(name),
            _ => false,
        };
    }
    if let Some((name, value)) = part.split_once("!=") {
        return has(name) != Some(value.trim());
    }
    if let Some((name, value)) = part.split_once('=') {
        return has(name) == Some(value.trim_start_matches('=').trim());
    }
    match part.strip_prefix('!') {
        Some(name) => has(name).is_none(),
        None => has(part).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{builtin, selected};

    #[test]
    fn kinds_are_known_with_their_scope() {
        assert_eq!(
            builtin("Deployment", None).map(|t| (t.api_version, t.plural, t.namespaced)),
            Some(("apps/v1".into(), "deployments".into(), true))
        );
        assert_eq!(builtin("Node", Some("v1")).map(|t| t.namespaced), Some(false));
        assert_eq!(builtin("ResourceQuota", None).map(|t| t.plural), Some("resourcequotas".into()));
        assert!(builtin("PersistentVolumeClaim", None).is_some());
        assert_eq!(builtin("Deployment", Some("extensions/v1beta1")), None);
    }

    #[test]
    fn selectors() {
        let labels = json!({"app": "web", "tier": "front"});
        for yes in [
            "",
            "app=web",
            "app==web,tier=front",
            "app,!old",
            "tier!=db",
            "app in (db, web),tier=front",
            "app notin (db)",
        ] {
            assert!(selected(yes, &labels), "{yes}");
        }
        for no in ["app=db", "app,old", "tier notin (front)", "app in (db)", "!app"] {
            assert!(!selected(no, &labels), "{no}");
        }
    }
}
