//! What a pod gets when it looks a name up: CoreDNS as its pods, its Corefile and its rights make it, then the VPC's resolver.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{
    cluster::Inside,
    corefile::{self, Block, within},
    kube_objects::{at, condition, is_going, items, label, name, namespace, selected, text},
    vpc,
};

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// No such name.
    NoSuchName,
    /// The server cannot answer: SERVFAIL.
    Failed(String),
    /// Nobody answers.
    NoServer(String),
}

/// A name that was found.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The full name, with the search domain that fitted.
    pub name: String,
    /// Its addresses; at least one.
    pub addresses: Vec<Ipv4Addr>,
    /// Who answered.
    pub server: String,
}

type Answer = Result<Vec<Ipv4Addr>, Unresolved>;

/// Looks a name up as a pod's resolver does: `/etc/resolv.conf` with the cluster's search domains and `ndots:5`.
///
/// # Errors
/// Why there is no address.
pub async fn resolve(inside: &Inside, pod: &Value, asked: &str) -> Result<Resolved, Unresolved> {
    if let Ok(address) = asked.parse() {
        return Ok(Resolved { name: asked.to_owned(), addresses: vec![address], server: String::new() });
    }
    let asked = asked.to_lowercase();
    let is_host = at(pod, "spec.hostNetwork") == true || text(pod, "spec.dnsPolicy") == "Default";
    if is_host {
        let name = asked.trim_end_matches('.').to_owned();
        let addresses = by_vpc(inside, &name).await?;
        return Ok(Resolved { name, addresses, server: "169.254.169.253".into() });
    }
    let server = cluster_server(inside).await.map_err(Unresolved::NoServer)?;
    let mut last = Unresolved::NoSuchName;
    for name in candidates(&asked, namespace(pod)) {
        match by_server(inside, &server, &name, 0).await {
            Ok(addresses) if !addresses.is_empty() => return Ok(Resolved { name, addresses, server }),
            Ok(_) => last = Unresolved::NoSuchName,
            Err(Unresolved::NoServer(why)) => return Err(Unresolved::NoServer(why)),
            Err(why) => last = why,
        }
    }
    Err(last)
}

fn candidates(asked: &str, namespace: &str) -> Vec<String> {
    if let Some(full) = asked.strip_suffix('.') {
        return vec![full.to_owned()];
    }
    let searched = [format!("{namespace}.svc.cluster.local"), "svc.cluster.local".into(), "cluster.local".into()];
    let mut names: Vec<String> = searched.iter().map(|domain| format!("{asked}.{domain}")).collect();
    let at = if asked.matches('.').count() >= 5 { 0 } else { names.len() };
    names.insert(at, asked.to_owned());
    names
}

/// The address that kubelets write into `resolv.conf`.
async fn cluster_server(inside: &Inside) -> Result<String, String> {
    let service = inside.objects.get("/api/v1/namespaces/kube-system/services/kube-dns").await?;
    let service = service.ok_or("the cluster has no Service kube-system/kube-dns")?;
    Ok(text(&service, "spec.clusterIP").to_owned())
}

/// Asks the DNS server behind a Service's address.
async fn by_server(inside: &Inside, server: &str, name: &str, depth: u8) -> Answer {
    let unanswered = |why: String| Unresolved::NoServer(why);
    let pod = serving_pod(inside, server).await.map_err(unanswered)?;
    let (text, image) = configuration(inside, &pod).await.map_err(unanswered)?;
    let blocks = corefile::read(&text, &image).map_err(unanswered)?;
    let block =
        corefile::serving(&blocks, name).ok_or_else(|| Unresolved::Failed("no server block: REFUSED".into()))?;
    by_block(inside, block, &pod, name, depth).await
}

async fn by_block(inside: &Inside, block: &Block, pod: &Value, name: &str, depth: u8) -> Answer {
    let plugin = |wanted: &str| block.plugins.iter().find(|plugin| plugin[0] == wanted).map(|plugin| &plugin[1..]);
    let serves = |zones: &[String]| zones.iter().any(|zone| within(name, zone.trim_end_matches('.')));
    if let Some(zones) = plugin("multicluster")
        && serves(zones)
    {
        let needs = [("multicluster.x-k8s.io", "serviceimports"), ("discovery.k8s.io", "endpointslices")];
        may(inside, pod, &needs).await?;
        return of_import(inside, name).await;
    }
    if let Some(zones) = plugin("kubernetes")
        && serves(zones)
    {
        may(inside, pod, &[("", "services"), ("", "namespaces"), ("discovery.k8s.io", "endpointslices")]).await?;
        return of_service(inside, name).await;
    }
    match plugin("forward") {
        Some([zone, to, ..]) if within(name, zone.trim_end_matches('.')) => {
            if to.starts_with('/') {
                return by_vpc(inside, name).await;
            }
            if depth > 3 {
                return Err(Unresolved::Failed("the servers forward in a circle".into()));
            }
            let to = to.trim_end_matches(":53");
            Box::pin(by_server(inside, to, name, depth + 1)).await.map_err(|why| match why {
                Unresolved::NoServer(why) => Unresolved::Failed(format!("{to} does not answer: {why}")),
                why => why,
            })
        }
        _ => Err(Unresolved::Failed("no plugin answers: SERVFAIL".into())),
    }
}

/// The pod of a DNS server: a ready one that a Service with that address selects.
async fn serving_pod(inside: &Inside, address: &str) -> Result<Value, String> {
    let services = inside.objects.list("/api/v1/services").await?;
    let service = services.iter().find(|service| text(service, "spec.clusterIP") == address);
    let service = service.filter(|s| items(s, "spec.ports").iter().any(|port| port["port"] == 53));
    let service = service.ok_or_else(|| format!("no Service has the address {address} and port 53"))?;
    let pods = inside.objects.list(&format!("/api/v1/namespaces/{}/pods", namespace(service))).await?;
    let ready = |pod: &&Value| selected(pod, &service["spec"]["selector"]) && condition(pod, "Ready") && !is_going(pod);
    pods.iter().find(ready).cloned().ok_or_else(|| format!("no pod of Service {} is ready", name(service)))
}

/// The Corefile that a pod of CoreDNS has mounted, and its image.
async fn configuration(inside: &Inside, pod: &Value) -> Result<(String, String), String> {
    let image = text(&items(pod, "spec.containers")[0], "image").to_owned();
    for volume in items(pod, "spec.volumes") {
        let map = text(volume, "configMap.name");
        if map.is_empty() {
            continue;
        }
        let path = format!("/api/v1/namespaces/{}/configmaps/{map}", namespace(pod));
        if let Some(object) = inside.objects.get(&path).await?
            && let Some(corefile) = object["data"]["Corefile"].as_str()
        {
            return Ok((corefile.to_owned(), image));
        }
    }
    Err(format!("pod {} has no Corefile mounted", name(pod)))
}

/// Whether CoreDNS may list and watch what it answers from; the API server's own authorizer says so.
async fn may(inside: &Inside, pod: &Value, resources: &[(&str, &str)]) -> Result<(), Unresolved> {
    let account = text(pod, "spec.serviceAccountName");
    for (group, resource) in resources {
        for verb in ["list", "watch"] {
            let user = format!("system:serviceaccount:{}:{account}", namespace(pod));
            match inside.objects.may(&user, verb, group, resource).await {
                Ok(true) => {}
                Ok(false) => {
                    return Err(Unresolved::Failed(format!("{user} may not {verb} {resource}: nothing is known")));
                }
                Err(why) => return Err(Unresolved::Failed(why)),
            }
        }
    }
    Ok(())
}

async fn of_import(inside: &Inside, asked: &str) -> Answer {
    let Some(path) = asked.strip_suffix(".svc.clusterset.local") else { return Err(Unresolved::NoSuchName) };
    let mut labels: Vec<&str> = path.split('.').collect();
    let (Some(namespace), Some(service)) = (labels.pop(), labels.pop()) else { return Err(Unresolved::NoSuchName) };
    let unread = Unresolved::Failed;
    let import = format!("/apis/multicluster.x-k8s.io/v1alpha1/namespaces/{namespace}/serviceimports/{service}");
    let import = inside.objects.get(&import).await.map_err(unread)?.ok_or(Unresolved::NoSuchName)?;
    if text(&import, "spec.type") == "ClusterSetIP" && labels.is_empty() {
        let ips = items(&import, "spec.ips").iter().filter_map(|ip| ip.as_str()?.parse().ok());
        return Ok(ips.collect());
    }
    let slices = inside.objects.list(&format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")).await;
    let mut slices = slices.map_err(unread)?;
    slices.retain(|slice| label(slice, "multicluster.kubernetes.io/service-name") == service);
    if let Some(cluster) = labels.pop() {
        slices.retain(|slice| label(slice, "multicluster.kubernetes.io/source-cluster") == cluster);
    }
    Ok(addresses(&slices, labels.pop()))
}

async fn of_service(inside: &Inside, asked: &str) -> Answer {
    let Some(path) = asked.strip_suffix(".svc.cluster.local") else { return Err(Unresolved::NoSuchName) };
    let mut labels: Vec<&str> = path.split('.').collect();
    let (Some(namespace), Some(service)) = (labels.pop(), labels.pop()) else { return Err(Unresolved::NoSuchName) };
    let unread = Unresolved::Failed;
    let found =
        inside.objects.get(&format!("/api/v1/namespaces/{namespace}/services/{service}")).await.map_err(unread)?;
    let found = found.ok_or(Unresolved::NoSuchName)?;
    let address = text(&found, "spec.clusterIP");
    if address != "None" && labels.is_empty() {
        return Ok(address.parse().into_iter().collect());
    }
    let slices = inside.objects.list(&format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")).await;
    let mut slices = slices.map_err(unread)?;
    slices.retain(|slice| label(slice, "kubernetes.io/service-name") == service);
    Ok(addresses(&slices, labels.pop()))
}

/// The ready addresses of slices, all or those of one host name.
fn addresses(slices: &[Value], hostname: Option<&str>) -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = Vec::new();
    for endpoint in slices.iter().flat_map(|slice| items(slice, "endpoints")) {
        let ready = endpoint["conditions"]["ready"] != json!(false);
        let named = hostname.is_none_or(|wanted| endpoint["hostname"] == wanted);
        if ready && named {
            found.extend(items(endpoint, "addresses").iter().filter_map(|a| a.as_str()?.parse::<Ipv4Addr>().ok()));
        }
    }
    found.sort();
    found.dedup();
    found
}

async fn by_vpc(inside: &Inside, name: &str) -> Answer {
    let private = vpc::private(inside).await.map_err(Unresolved::Failed)?;
    private.addresses(name).ok_or(Unresolved::NoSuchName)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_searched_and_full_ones_are_not() {
        assert_eq!(candidates("a", "ns")[0], "a.ns.svc.cluster.local");
        assert_eq!(candidates("a.b.svc.cluster.local.", "ns"), ["a.b.svc.cluster.local"]);
        assert_eq!(candidates("a.b.c.d.e.f", "ns")[0], "a.b.c.d.e.f");
    }
}
