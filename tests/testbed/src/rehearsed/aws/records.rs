//! Hosted zones and their records.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{find, unless};
use crate::standins::{
    aws::Aws,
    kube_objects::{at, items, text},
};

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// A public zone: the id in the file, and the real one.
pub(super) async fn give_zone(aws: &Aws, item: &Value) -> Result<(String, String), String> {
    let (id, name) = (text(item, "id"), text(item, "body.name"));
    if *at(item, "body.config.private_zone") == Value::Bool(true) {
        return Err(format!("the testbed gives no private zone {name}: a zone like that belongs to a VPC"));
    }
    let body = format!(
        "<CreateHostedZoneRequest xmlns=\"{NAMESPACE}\"><Name>{}</Name><CallerReference>given-{}</CallerReference>\
         </CreateHostedZoneRequest>",
        plain(name),
        plain(id)
    );
    let real = match unless(aws.route53("/hostedzone", Some(body)).await, &["HostedZoneAlreadyExists"])? {
        Some(made) => made.text("HostedZone/Id").trim_start_matches("/hostedzone/").to_owned(),
        None => {
            let standing = find::find(aws, "route53.hosted_zone", name).await?;
            let standing = standing.ok_or_else(|| format!("the zone {id} was given before, under another name"))?;
            text(&standing, "id").to_owned()
        }
    };
    Ok((id.to_owned(), real))
}

/// A record set: what identifies it, and what it says.
pub(super) async fn put(aws: &Aws, item: &Value, zones: &BTreeMap<String, String>) -> Result<Option<Value>, String> {
    let body = at(item, "body");
    let zone = text(body, "hosted_zone_id");
    let zone = zones.get(zone).map_or(zone, String::as_str).trim_start_matches("/hostedzone/");
    let mut set = body.clone();
    if !at(body, "alias_target").is_null() && text(body, "alias_target.hosted_zone_id").is_empty() {
        set["alias_target"]["hosted_zone_id"] =
            zone_of_balancer(aws, text(body, "alias_target.dns_name")).await?.into();
    }
    match unless(change(aws, zone, "CREATE", &set).await, &["InvalidChangeBatch"]) {
        Ok(Some(())) => Ok(Some(json!({ "zone": zone, "set": set }))),
        // Route 53 says the same of what stands and of what it does not understand.
        Ok(None) if stands(aws, zone, &set).await? => Ok(None),
        Ok(None) => Err(format!("Route 53 does not take the record set {set}")),
        Err(why) => Err(why),
    }
}

/// Deletes a record set as it was made. One that somebody has changed since is theirs.
pub(super) async fn remove(aws: &Aws, what: &Value) -> Result<(), String> {
    let gone = ["InvalidChangeBatch", "NoSuchHostedZone"];
    unless(change(aws, text(what, "zone"), "DELETE", &what["set"]).await, &gone).map(|_| ())
}

async fn stands(aws: &Aws, zone: &str, set: &Value) -> Result<bool, String> {
    let listed = aws.route53(&format!("/hostedzone/{zone}/rrset"), None).await?;
    let name = text(set, "name").trim_end_matches('.');
    let sets = listed.all("ResourceRecordSets/ResourceRecordSet");
    Ok(sets.iter().any(|one| one.text("Name").trim_end_matches('.') == name && one.text("Type") == text(set, "type")))
}

/// An alias names the zone of what it points to, which the files leave out.
async fn zone_of_balancer(aws: &Aws, host: &str) -> Result<String, String> {
    let found = find::all(aws, "elbv2.load_balancer").await?;
    let found = found.iter().find(|one| text(one, "dns_name") == host);
    let found = found.ok_or_else(|| format!("no load balancer is named {host}, so no record can be an alias of it"))?;
    Ok(text(found, "canonical_hosted_zone_id").to_owned())
}

async fn change(aws: &Aws, zone: &str, action: &str, set: &Value) -> Result<(), crate::standins::aws::Refusal> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch>\
         <Changes><Change><Action>{action}</Action>{}</Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        xml(set)
    );
    aws.route53(&format!("/hostedzone/{zone}/rrset/"), Some(body)).await.map(|_| ())
}

/// A record set as Route 53 wants it: an alias, or values with their time to live.
fn xml(set: &Value) -> String {
    let field = |path: &str| plain(&at(set, path).as_str().map_or_else(|| at(set, path).to_string(), str::to_owned));
    let target = match at(set, "alias_target").is_null() {
        false => format!(
            "<AliasTarget><HostedZoneId>{}</HostedZoneId><DNSName>{}</DNSName><EvaluateTargetHealth>{}</EvaluateTargetHealth>\
             </AliasTarget>",
            field("alias_target.hosted_zone_id"),
            field("alias_target.dns_name"),
            *at(set, "alias_target.evaluate_target_health") == Value::Bool(true)
        ),
        true => {
            let values = items(set, "resource_records").iter().filter_map(Value::as_str);
            let values: String =
                values.map(|v| format!("<ResourceRecord><Value>{}</Value></ResourceRecord>", plain(v))).collect();
            format!("<TTL>{}</TTL><ResourceRecords>{values}</ResourceRecords>", field("ttl"))
        }
    };
    format!(
        "<ResourceRecordSet><Name>{}</Name><Type>{}</Type>{target}</ResourceRecordSet>",
        field("name"),
        field("type")
    )
}

fn plain(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
