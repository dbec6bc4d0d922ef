//! Route 53: changes that take their time, and what moto lets pass that Route 53 refuses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{answer::Answer, emulator::Incoming, parse::Call, pending, records, shared::Shared, xml::Element};

/// The namespace of its documents.
const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// The changes: moto gives the same id to every one and calls each done.
#[derive(Debug, Default)]
pub struct Changes {
    due: Mutex<BTreeMap<String, (Instant, String)>>,
    /// Creations one by one, so that two with one reference cannot pass each other.
    creating: tokio::sync::Mutex<()>,
}

impl Changes {
    fn begin(&self, due: Instant) -> (String, String) {
        let mut all = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let id = format!("/change/C{:012}TESTBED", all.len() + 1);
        let submitted = jiff::Timestamp::now().to_string();
        all.insert(id.clone(), (due, submitted.clone()));
        (id, submitted)
    }

    fn info(&self, id: &str) -> Option<Element> {
        let all = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, submitted) = all.get(id)?;
        Some(info(id, *due, submitted))
    }
}

fn info(id: &str, due: Instant, submitted: &str) -> Element {
    let status = if Instant::now() < due { "PENDING" } else { "INSYNC" };
    let parts = [("Id", id), ("Status", status), ("SubmittedAt", submitted)];
    Element::of("ChangeInfo", parts.iter().map(|(name, text)| Element::text(name, text)).collect())
}

/// Answers a request to Route 53.
pub(super) async fn answer(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GetChange" => change(shared, call),
        "CreateHostedZone" => create(shared, incoming, call).await,
        "AssociateVPCWithHostedZone" => associate(shared, incoming, call).await,
        "DisassociateVPCFromHostedZone" => disassociate(shared, incoming, call).await,
        "ChangeResourceRecordSets" => match records::refused(shared, call).await {
            Some(refused) => refused,
            None => changing(shared, incoming, call).await,
        },
        "DeleteHostedZone" => changing(shared, incoming, call).await,
        "ListResourceRecordSets" => records::mended(shared.emulators.forward(incoming, call).await),
        _ => shared.emulators.forward(incoming, call).await,
    }
}

/// Passes a change on and gives it an id and a state of its own.
async fn changing(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    let answer = shared.emulators.forward(incoming, call).await;
    if !answer.ok() {
        return answer;
    }
    let due = pending::due(shared.pending.change);
    let (id, submitted) = shared.changes.begin(due);
    let mut document = answer.document();
    document.children.retain(|child| child.name != "ChangeInfo");
    document.children.push(info(&id, due, &submitted));
    answer.with_document(&document)
}

fn change(shared: &Shared, call: &Call) -> Answer {
    let id = format!("/change/{}", call.text("Id").trim_start_matches("/change/"));
    match shared.changes.info(&id) {
        Some(info) => {
            let mut document = Element::of("GetChangeResponse", vec![info]);
            document.attributes.push(("xmlns".to_owned(), NAMESPACE.to_owned()));
            Answer::xml(&document)
        }
        None => Answer::error(call, 404, "NoSuchChange", &format!("Could not find resource with ID: {id}")),
    }
}

async fn create(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    let _one_by_one = shared.changes.creating.lock().await;
    let zones = shared.emulators.xml(&call.credential, "route53", "/2013-04-01/hostedzone").await.unwrap_or_default();
    let reference = call.text("CallerReference");
    if zones.items(&["HostedZones"]).iter().any(|zone| zone.at(&["CallerReference"]) == reference) {
        let text = "A hosted zone has already been created with the specified caller reference.";
        return Answer::error(call, 409, "HostedZoneAlreadyExists", text);
    }
    let Some(mut body) = Element::parse(&incoming.body) else { return changing(shared, incoming, call).await };
    if body.child("VPC").is_none() {
        return changing(shared, incoming, call).await;
    }
    if let Some(refused) = refused_vpc(shared, call, call.text("Name")).await {
        return refused;
    }
    // moto makes a zone with a VPC private only when the configuration says so too.
    if let Some(config) = body.children.iter_mut().find(|child| child.name == "HostedZoneConfig") {
        config.text.clear();
        config.set("PrivateZone", "true");
    } else {
        body.children.push(Element::of("HostedZoneConfig", vec![Element::text("PrivateZone", "true")]));
    }
    let incoming = Incoming { body: body.document().into(), ..incoming.clone() };
    changing(shared, &incoming, call).await
}

async fn associate(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    let _one_by_one = shared.changes.creating.lock().await;
    let path = format!("/2013-04-01/hostedzone/{}", call.text("HostedZoneId").trim_start_matches("/hostedzone/"));
    if let Ok(zone) = shared.emulators.xml(&call.credential, "route53", &path).await
        && let Some(refused) = refused_vpc(shared, call, zone.at(&["HostedZone", "Name"])).await
    {
        return refused;
    }
    changing(shared, incoming, call).await
}

async fn disassociate(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    let path = format!("/2013-04-01/hostedzone/{}", call.text("HostedZoneId").trim_start_matches("/hostedzone/"));
    if let Ok(zone) = shared.emulators.xml(&call.credential, "route53", &path).await {
        let vpc = vpc(call);
        if !zone.items(&["VPCs"]).iter().any(|one| one.at(&["VPCId"]) == vpc) {
            let text = "The VPC that you specified is not associated with the hosted zone.";
            return Answer::error(call, 404, "VPCAssociationNotFound", text);
        }
    }
    changing(shared, incoming, call).await
}

fn vpc(call: &Call) -> String {
    call.fields.pointer("/VPC/VPCId").and_then(|id| id.as_str()).unwrap_or_default().to_owned()
}

/// Refuses a VPC that does not exist, or that has a private zone of that name already.
async fn refused_vpc(shared: &Shared, call: &Call, name: &str) -> Option<Answer> {
    let (id, who) = (vpc(call), &call.credential);
    let region = call.fields.pointer("/VPC/VPCRegion").and_then(|region| region.as_str()).unwrap_or("us-east-1");
    let there = super::parse::Credential { region: region.to_owned(), ..who.clone() };
    if shared.emulators.form(&there, "ec2", "DescribeVpcs", &[("VpcId.1", &id)]).await.is_err() {
        return Some(Answer::error(call, 400, "InvalidVPCId", &format!("The VPC ID {id} is invalid.")));
    }
    let name = format!("{}.", name.trim_end_matches('.'));
    let zones = shared.emulators.xml(who, "route53", "/2013-04-01/hostedzone").await.unwrap_or_default();
    for zone in zones.items(&["HostedZones"]).iter().filter(|zone| zone.at(&["Name"]) == name) {
        let zone = zone.at(&["Id"]).trim_start_matches("/hostedzone/");
        let found =
            shared.emulators.xml(who, "route53", &format!("/2013-04-01/hostedzone/{zone}")).await.unwrap_or_default();
        if found.items(&["VPCs"]).iter().any(|one| one.at(&["VPCId"]) == id) {
            let text = format!(
                "The VPC {id} in region {region} has already been associated with the hosted zone {zone} with the same domain name."
            );
            return Some(Answer::error(call, 400, "ConflictingDomainExists", &text));
        }
    }
    None
}
