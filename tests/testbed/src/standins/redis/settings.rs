//! What the chart says about a Redis pod: in its containers' environment and in the ConfigMaps that it mounts.

use serde_json::Value;

use super::super::{
    cluster::Inside,
    container,
    kube_objects::{annotation, items, name, namespace, text},
};

/// A pod's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// The password of Redis and of its sentinel.
    pub(super) password: String,
    /// The name under which the pod is announced.
    pub(super) announced: String,
    /// The host whose sentinel knows the master.
    pub(super) ask: String,
    /// `ask` is another release's, which this one is to join.
    pub(super) external: bool,
    /// The name of the master set.
    pub(super) set: String,
    /// How many sentinels must agree.
    pub(super) quorum: String,
    /// Sentinel settings of the set: name and value.
    pub(super) tuning: Vec<(String, String)>,
    /// Commands that do not exist.
    pub(super) disabled: Vec<String>,
}

/// Reads them.
///
/// # Errors
/// A Secret, a ConfigMap or a setting is missing; the container would not start.
pub(super) async fn read(inside: &Inside, pod: &Value) -> Result<Settings, String> {
    let mut variables = Vec::new();
    for container in items(pod, "spec.containers") {
        variables.extend(container::environment(inside, pod, container).await?);
    }
    let mut files = String::new();
    for volume in items(pod, "spec.volumes") {
        let map = text(volume, "configMap.name");
        if !map.is_empty() {
            let data = container::data(inside, "configmap", namespace(pod), map).await?;
            let data = data.ok_or_else(|| format!("configmap \"{map}\" not found"))?;
            files.extend(data.into_iter().map(|(_, text)| text + "\n"));
        }
    }
    let (service, announced) = names(inside, pod).await?;
    gather(&variables, &files, &service, announced)
}

/// The Service through which a pod asks its own release's sentinels, and the name under which the pod is announced: below what
/// external-dns is asked to write for the headless Service, or else below that Service itself.
async fn names(inside: &Inside, pod: &Value) -> Result<(String, String), String> {
    let space = namespace(pod);
    let services = inside.objects.list(&format!("/api/v1/namespaces/{space}/services")).await?;
    let selecting =
        services.iter().filter(|service| super::super::kube_objects::selected(pod, &service["spec"]["selector"]));
    let (mut plain, mut headless) = (None, None);
    for service in selecting {
        let is_headless = text(service, "spec.clusterIP") == "None";
        let slot = if is_headless { &mut headless } else { &mut plain };
        slot.get_or_insert(service);
    }
    let plain = plain.ok_or_else(|| format!("no Service selects pod {}", name(pod)))?;
    let headless = headless.ok_or_else(|| format!("no headless Service selects pod {}", name(pod)))?;
    let domain = match annotation(headless, "external-dns.alpha.kubernetes.io/hostname") {
        "" => format!("{}.{space}.svc.cluster.local", name(headless)),
        written => written.trim_end_matches('.').to_owned(),
    };
    Ok((format!("{}.{space}.svc.cluster.local", name(plain)), format!("{}.{domain}", name(pod))))
}

fn gather(variables: &[(String, String)], files: &str, service: &str, announced: String) -> Result<Settings, String> {
    let variable = |wanted: &str| variables.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
    let lines: Vec<Vec<&str>> = files.lines().map(|line| line.split_whitespace().collect()).collect();
    let monitor = lines.iter().find_map(|words| match words[..] {
        ["sentinel", "monitor", set, _, _, quorum] => Some((set.to_owned(), quorum.to_owned())),
        _ => None,
    });
    let (set, quorum) = monitor.unzip();
    let tuning = lines.iter().filter_map(|words| match words[..] {
        ["sentinel", key @ ("down-after-milliseconds" | "failover-timeout" | "parallel-syncs"), _, value] => {
            Some((key.to_owned(), value.to_owned()))
        }
        _ => None,
    });
    let renamed = lines.iter().filter_map(|words| match words[..] {
        ["rename-command", command, "\"\""] => Some(command.to_owned()),
        _ => None,
    });
    let listed = variable("REDIS_DISABLE_COMMANDS").unwrap_or_default();
    let mut disabled: Vec<String> =
        listed.split(',').filter(|c| !c.is_empty()).map(str::to_owned).chain(renamed).collect();
    disabled.sort();
    disabled.dedup();
    let external = variable("REDIS_EXTERNAL_MASTER_HOST").filter(|host| !host.is_empty());
    let missing = |what: &str| format!("the chart gives no {what}");
    Ok(Settings {
        password: variable("REDIS_PASSWORD").ok_or_else(|| missing("REDIS_PASSWORD"))?,
        announced,
        external: external.is_some(),
        ask: external.unwrap_or_else(|| service.to_owned()),
        set: variable("REDIS_MASTER_SET")
            .or(set)
            .ok_or_else(|| missing("REDIS_MASTER_SET and no `sentinel monitor`"))?,
        quorum: variable("REDIS_SENTINEL_QUORUM").or(quorum).ok_or_else(|| missing("REDIS_SENTINEL_QUORUM"))?,
        tuning: tuning.collect(),
        disabled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_from_the_environment_and_the_files() {
        let variables = [("REDIS_PASSWORD", "p"), ("REDIS_EXTERNAL_MASTER_HOST", "one.default.svc.clusterset.local")];
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let files = "sentinel monitor mymaster node-0 6379 2\nsentinel parallel-syncs mymaster 1\nrename-command FLUSHALL \"\"\n";
        let read = gather(&variables, files, "own", "me".into()).unwrap();
        assert_eq!((read.set.as_str(), read.quorum.as_str(), read.external), ("mymaster", "2", true));
        assert_eq!(read.ask, "one.default.svc.clusterset.local");
        assert_eq!((read.tuning.len(), read.disabled), (1, vec!["FLUSHALL".to_owned()]));
        assert!(gather(&[], files, "own", "me".into()).unwrap_err().contains("REDIS_PASSWORD"));
    }
}
