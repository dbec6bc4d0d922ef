//! external-dns 0.14.2: the names of headless Services and their pods in a private zone of Route 53, with TXT records that say whose
//! they are.
//!
//! It works while a pod of its Deployment is ready, with the arguments of that pod. Source: <https://github.com/kubernetes-sigs/external-dns>
//! (service source, TXT registry).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use super::{
    cluster::Inside,
    container,
    controller::{self, Needs},
    corefile::within,
    kube_objects::{annotation, is_going, items, label, name, namespace, text},
};

/// What a Service is to be called.
const HOSTNAME: &str = "external-dns.alpha.kubernetes.io/hostname";
const TTL: &str = "300";
const RIGHTS: [(&str, &str, &str); 3] = [("list", "", "services"), ("list", "", "pods"), ("list", "", "endpoints")];

/// Its arguments.
#[derive(Debug, Default)]
struct Settings {
    owner: String,
    domains: Vec<String>,
    sync: bool,
    service_source: bool,
    private: bool,
}

/// A name with its addresses, and the Service that asks for it.
type Names = BTreeMap<String, (BTreeSet<String>, String)>;

/// Works until the task is ended.
pub(super) async fn run(inside: Arc<Inside>) {
    let inside = inside.with(inside.objects.as_manager("external-dns"), inside.aws.as_agent("external-dns"));
    loop {
        if let Some(pod) = pod(&inside).await
            && let Err(why) = round(&inside, &pod).await
        {
            controller::log(&inside, &pod, &format!("level=error msg=\"{}\"", why.replace('"', "'")));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn pod(inside: &Inside) -> Option<Value> {
    let deployments = inside.objects.list("/apis/apps/v1/deployments").await.ok()?;
    let is_it = |deployment: &&Value| {
        items(deployment, "spec.template.spec.containers").iter().any(|c| text(c, "image").contains("external-dns"))
    };
    controller::pod_of(inside, deployments.iter().find(is_it)?).await
}

async fn round(inside: &Inside, pod: &Value) -> Result<(), String> {
    let settings = settings(pod);
    controller::may_in_cluster(inside, pod, &RIGHTS).await?;
    let has_keys = has_keys(inside, pod).await?;
    let wanted = if settings.service_source { wanted(inside).await? } else { Names::new() };
    let mut up_to_date = true;
    for zone in inside.aws.route53("/hostedzone", None).await?.all("HostedZones/HostedZone") {
        let domain = zone.text("Name").trim_end_matches('.');
        let filtered =
            settings.domains.is_empty() || settings.domains.iter().any(|d| within(domain, d.trim_end_matches('.')));
        if !filtered || settings.private && zone.text("Config/PrivateZone") != "true" {
            continue;
        }
        let id = zone.text("Id").rsplit('/').next().unwrap_or_default();
        if !has_keys {
            let resource = format!("hostedzone/{id}");
            controller::may_in_aws(inside, pod, Needs::Action("route53:ChangeResourceRecordSets", &resource)).await?;
        }
        let changes = changes(&records(inside, id).await?, &wanted, domain, &settings);
        if changes.is_empty() {
            continue;
        }
        up_to_date = false;
        for change in &changes {
            controller::log(
                inside,
                pod,
                &format!("level=info msg=\"Desired change: {} {} {}\"", change.action, change.name, change.kind),
            );
        }
        let body: String = changes.iter().map(Change::xml).collect();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ChangeResourceRecordSetsRequest \
             xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>{body}</Changes></ChangeBatch>\
             </ChangeResourceRecordSetsRequest>"
        );
        inside.aws.route53(&format!("/hostedzone/{id}/rrset/"), Some(body)).await?;
        controller::log(
            inside,
            pod,
            &format!("level=info msg=\"{} record(s) were successfully updated\"", changes.len()),
        );
    }
    if up_to_date {
        let line =
            "level=info msg=\"All records are already up to date, there are no changes for the matching hosted zones\"";
        controller::log(inside, pod, line);
    }
    Ok(())
}

fn settings(pod: &Value) -> Settings {
    let mut settings = Settings::default();
    for argument in items(&items(pod, "spec.containers")[0], "args").iter().filter_map(Value::as_str) {
        match argument.split_once('=') {
            Some(("--txt-owner-id", owner)) => settings.owner = owner.to_owned(),
            Some(("--domain-filter", domain)) => settings.domains.push(domain.to_owned()),
            Some(("--policy", policy)) => settings.sync = policy == "sync",
            Some(("--source", "service")) => settings.service_source = true,
            Some(("--aws-zone-type", kind)) => settings.private = kind == "private",
            _ => {}
        }
    }
    if settings.owner.is_empty() {
        // Its own default, which every installation would share.
        settings.owner = "default".into();
    }
    settings
}

/// Static keys instead of a role: they are good when the Secret that the container names exists.
async fn has_keys(inside: &Inside, pod: &Value) -> Result<bool, String> {
    let container = &items(pod, "spec.containers")[0];
    let variables = container::environment(inside, pod, container).await?;
    Ok(variables.iter().any(|(key, value)| key == "AWS_ACCESS_KEY_ID" && !value.is_empty()))
}

/// What the Services of the cluster ask for. Only headless ones have addresses in a private network.
async fn wanted(inside: &Inside) -> Result<Names, String> {
    let mut wanted = Names::new();
    for service in inside.objects.list("/api/v1/services").await? {
        let hosts = annotation(&service, HOSTNAME);
        if hosts.is_empty() || text(&service, "spec.clusterIP") != "None" || is_going(&service) {
            continue;
        }
        let space = namespace(&service);
        let resource = format!("service/{space}/{}", name(&service));
        let slices =
            inside.objects.list(&format!("/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices")).await?;
        let of_service = slices.iter().filter(|slice| label(slice, "kubernetes.io/service-name") == name(&service));
        for endpoint in of_service.flat_map(|slice| items(slice, "endpoints")) {
            if endpoint["conditions"]["ready"] == Value::Bool(false) {
                continue;
            }
            for host in hosts.split(',').map(|host| host.trim().trim_end_matches('.')) {
                let pod = text(endpoint, "hostname");
                let names = [host.to_owned(), format!("{pod}.{host}")];
                for called in names.iter().take(if pod.is_empty() { 1 } else { 2 }) {
                    let entry = wanted.entry(called.clone()).or_insert_with(|| (BTreeSet::new(), resource.clone()));
                    entry.0.extend(items(endpoint, "addresses").iter().filter_map(Value::as_str).map(str::to_owned));
                }
            }
        }
    }
    Ok(wanted)
}

/// A record that stands: name, type and values.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    name: String,
    kind: String,
    values: BTreeSet<String>,
}

async fn records(inside: &Inside, zone: &str) -> Result<Vec<Record>, String> {
    let listed = inside.aws.route53(&format!("/hostedzone/{zone}/rrset"), None).await?;
    let sets = listed.all("ResourceRecordSets/ResourceRecordSet");
    Ok(sets
        .into_iter()
        .map(|set| Record {
            name: set.text("Name").trim_end_matches('.').to_owned(),
            kind: set.text("Type").to_owned(),
            values: set.all("ResourceRecords/ResourceRecord").iter().map(|r| r.text("Value").to_owned()).collect(),
        })
        .collect())
}

/// One change of a batch.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    action: &'static str,
    name: String,
    kind: &'static str,
    values: BTreeSet<String>,
}

impl Change {
    fn xml(&self) -> String {
        let plain = |text: &str| quick_xml::escape::escape(text).into_owned();
        let values: String = self
            .values
            .iter()
            .map(|v| format!("<ResourceRecord><Value>{}</Value></ResourceRecord>", plain(v)))
            .collect();
        format!(
            "<Change><Action>{}</Action><ResourceRecordSet><Name>{}</Name><Type>{}</Type><TTL>{TTL}</TTL><ResourceRecords>{values}\
             </ResourceRecords></ResourceRecordSet></Change>",
            self.action,
            plain(&self.name),
            self.kind
        )
    }
}

/// What makes a zone as it is wanted. A name that another owner or nobody owns is left alone.
fn changes(standing: &[Record], wanted: &Names, domain: &str, settings: &Settings) -> Vec<Change> {
    let owned = |called: &str| {
        let mark = format!("external-dns/owner={},", settings.owner);
        standing
            .iter()
            .any(|r| r.kind == "TXT" && r.name == called && r.values.iter().any(|value| value.contains(&mark)))
    };
    let mut changes = Vec::new();
    for (called, (addresses, resource)) in wanted.iter().filter(|(called, _)| within(called, domain)) {
        let record = standing.iter().find(|r| r.kind == "A" && r.name == *called);
        let action = match record {
            Some(record) if record.values == *addresses || !owned(called) => continue,
            Some(_) => "UPSERT",
            None => "CREATE",
        };
        changes.push(Change { action, name: called.clone(), kind: "A", values: addresses.clone() });
        let text =
            format!("\"heritage=external-dns,external-dns/owner={},external-dns/resource={resource}\"", settings.owner);
        for marked in [called.clone(), format!("a-{called}")] {
            let action = if standing.iter().any(|r| r.kind == "TXT" && r.name == marked) { "UPSERT" } else { "CREATE" };
            changes.push(Change { action, name: marked, kind: "TXT", values: [text.clone()].into() });
        }
    }
    for record in
        standing.iter().filter(|r| settings.sync && r.kind == "A" && !wanted.contains_key(&r.name) && owned(&r.name))
    {
        changes.push(Change { action: "DELETE", name: record.name.clone(), kind: "A", values: record.values.clone() });
        for mark in standing
            .iter()
            .filter(|r| r.kind == "TXT" && (r.name == record.name || r.name == format!("a-{}", record.name)))
        {
            changes.push(Change {
                action: "DELETE",
                name: mark.name.clone(),
                kind: "TXT",
                values: mark.values.clone(),
            });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, kind: &str, value: &str) -> Record {
        Record { name: name.into(), kind: kind.into(), values: [value.to_owned()].into() }
    }

    #[test]
    fn only_what_is_its_own_is_changed() {
        let settings = Settings { owner: "one".into(), sync: true, ..Settings::default() };
        let wanted: Names =
            [("a.z".to_owned(), (["10.0.0.1".to_owned()].into(), "service/default/a".to_owned()))].into();
        let made: Vec<_> =
            changes(&[], &wanted, "z", &settings).iter().map(|c| (c.action, c.name.clone(), c.kind)).collect();
        assert_eq!(
            made,
            [("CREATE", "a.z".into(), "A"), ("CREATE", "a.z".into(), "TXT"), ("CREATE", "a-a.z".into(), "TXT")]
        );
        let text =
            |owner: &str| format!("\"heritage=external-dns,external-dns/owner={owner},external-dns/resource=x\"");
        let foreign = [record("a.z", "A", "10.0.0.9"), record("a.z", "TXT", &text("two"))];
        assert_eq!(changes(&foreign, &wanted, "z", &settings), []);
        assert_eq!(changes(&foreign, &Names::new(), "z", &settings), []);
        let own = [record("b.z", "A", "10.0.0.9"), record("b.z", "TXT", &text("one"))];
        let gone: Vec<_> = changes(&own, &Names::new(), "z", &settings).iter().map(|c| (c.action, c.kind)).collect();
        assert_eq!(gone, [("DELETE", "A"), ("DELETE", "TXT")]);
        assert_eq!(changes(&own, &Names::new(), "z", &Settings { sync: false, ..settings }), []);
    }
}
