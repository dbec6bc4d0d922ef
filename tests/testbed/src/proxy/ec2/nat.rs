//! NAT gateways: `pending`, `failed`, `deleting`, where moto knows only `available` and `deleted`.
//!
//! moto never frees the address and the network interface of a deleted gateway; the proxy does, when the deletion is done.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::{Instant, sleep_until};

use super::super::{
    answer::Answer,
    emulator::Incoming,
    parse::{self, Call, Credential},
    pending::{self, Failure, What},
    shared::Shared,
    xml::Element,
};

#[derive(Debug, Clone)]
enum State {
    Pending(Instant, Option<Failure>),
    Deleting(Instant),
    Deleted,
}

#[derive(Debug, Clone)]
struct Nat {
    state: State,
    failed: Option<Failure>,
    interface: String,
    association: String,
    allocation: String,
}

impl Nat {
    /// The state's name at this moment.
    fn word(&self) -> &'static str {
        match &self.state {
            State::Pending(due, _) if Instant::now() < *due => "pending",
            State::Pending(_, Some(_)) => "failed",
            State::Pending(_, None) => "available",
            State::Deleting(due) if Instant::now() < *due => "deleting",
            State::Deleting(_) | State::Deleted => "deleted",
        }
    }
}

/// The NAT gateways.
#[derive(Debug, Default)]
pub struct Nats(Mutex<BTreeMap<String, Nat>>);

impl Nats {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Nat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The living gateway that a network interface belongs to.
    pub fn of_interface(&self, interface: &str) -> Option<String> {
        let all = self.all();
        let mut living = all.iter().filter(|(_, nat)| !interface.is_empty() && nat.interface == interface);
        living.find(|(_, nat)| !matches!(nat.word(), "failed" | "deleted")).map(|(id, _)| id.clone())
    }

    /// The living gateway that holds an address.
    pub fn of_address(&self, allocation: &str) -> Option<String> {
        let all = self.all();
        let mut living = all.iter().filter(|(_, nat)| !allocation.is_empty() && nat.allocation == allocation);
        living.find(|(_, nat)| !matches!(nat.word(), "failed" | "deleted")).map(|(id, _)| id.clone())
    }
}

/// CreateNatGateway.
pub async fn create(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    if let Some(holder) = shared.nats.of_address(call.text("AllocationId")) {
        let text = format!("resource {} is already associated with {holder}", call.text("AllocationId"));
        return Answer::error(call, 400, "Resource.AlreadyAssociated", &text);
    }
    let answer = shared.emulators.forward(incoming, call).await;
    if !answer.ok() {
        return answer;
    }
    let mut document = answer.document();
    let Some(made) = document.child("natGateway") else { return answer };
    let id = made.at(&["natGatewayId"]).to_owned();
    let address = made.items(&["natGatewayAddressSet"]).first().cloned().unwrap_or_default();
    let due = pending::due(shared.pending.nat_gateway);
    let failure = shared.plans.take(What::NatGateway, call.text("SubnetId"));
    if failure.is_some() {
        tokio::spawn(free(Arc::clone(shared), call.credential.clone(), id.clone(), due));
    }
    let nat = Nat {
        state: State::Pending(due, failure.clone()),
        failed: failure,
        interface: address.at(&["networkInterfaceId"]).to_owned(),
        association: address.at(&["associationId"]).to_owned(),
        allocation: address.at(&["allocationId"]).to_owned(),
    };
    shared.nats.all().insert(id, nat);
    document.each(&mut |element| {
        if element.name == "natGateway" {
            element.set("state", "pending");
        }
    });
    answer.with_document(&document)
}

/// At its time, deletes a gateway in moto and frees what it held.
async fn free(shared: Arc<Shared>, who: Credential, id: String, due: Instant) {
    sleep_until(due).await;
    let Some(nat) = shared.nats.all().get(&id).cloned() else { return };
    for (action, field, value) in [
        ("DeleteNatGateway", "NatGatewayId", &id),
        ("DisassociateAddress", "AssociationId", &nat.association),
        ("DeleteNetworkInterface", "NetworkInterfaceId", &nat.interface),
    ] {
        // A private gateway has no address, and a subnet deleted meanwhile no interface.
        let _ = shared.emulators.form(&who, "ec2", action, &[(field, value)]).await;
    }
}

/// DescribeNatGateways, with the states that hold at this moment. moto would filter by its own.
pub async fn describe(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let (incoming, wanted) = without_state_filter(incoming);
    let answer = shared.emulators.forward(&incoming, call).await;
    if !answer.ok() {
        return answer;
    }
    let asked = call.fields.get("NatGatewayId").and_then(|ids| ids.as_array()).map(Vec::len).unwrap_or_default();
    let mut document = answer.document();
    let all = shared.nats.all();
    document.each(&mut |element| {
        if element.name == "natGatewaySet" {
            element.children.iter_mut().for_each(|item| mend(item, all.get(item.at(&["natGatewayId"]))));
            element
                .children
                .retain(|item| wanted.is_empty() || wanted.iter().any(|state| state == item.at(&["state"])));
        }
    });
    drop(all);
    if asked > 0 && wanted.is_empty() && document.items(&["natGatewaySet"]).len() < asked {
        let ids = call.fields["NatGatewayId"].to_string();
        return Answer::error(call, 400, "NatGatewayNotFound", &format!("The Nat Gateway {ids} was not found"));
    }
    answer.with_document(&document)
}

fn mend(item: &mut Element, known: Option<&Nat>) {
    let Some(nat) = known else { return };
    let state = nat.word();
    item.set("state", state);
    if let (Some(failure), "failed" | "deleting" | "deleted") = (&nat.failed, state) {
        item.set("failureCode", &failure.code);
        item.set("failureMessage", &failure.message);
    }
}

/// The request without its filter `state`, and the states that it wanted.
fn without_state_filter(incoming: &Incoming) -> (Incoming, Vec<String>) {
    let form = parse::pairs(&incoming.body);
    let is_state =
        |(key, value): &&(String, String)| key.starts_with("Filter.") && key.ends_with(".Name") && value == "state";
    let Some((name, _)) = form.iter().find(is_state) else { return (incoming.clone(), Vec::new()) };
    let prefix = name.trim_end_matches("Name").to_owned();
    let (states, rest): (Vec<_>, Vec<_>) = form.iter().cloned().partition(|(key, _)| key.starts_with(&prefix));
    let wanted = states.into_iter().filter(|(key, _)| key.contains(".Value")).map(|(_, value)| value).collect();
    // moto wants its filters numbered without gaps.
    let number: u32 = prefix.trim_start_matches("Filter.").trim_end_matches('.').parse().unwrap_or_default();
    let closed = rest.into_iter().map(|(key, value)| (closed_up(&key, number), value));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(closed).finish();
    (Incoming { body: body.into(), ..incoming.clone() }, wanted)
}

fn closed_up(key: &str, removed: u32) -> String {
    let Some((number, rest)) = key.strip_prefix("Filter.").and_then(|rest| rest.split_once('.')) else {
        return key.to_owned();
    };
    match number.parse::<u32>() {
        Ok(number) if number > removed => format!("Filter.{}.{rest}", number - 1),
        _ => key.to_owned(),
    }
}

/// DeleteNatGateway.
pub async fn delete(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let id = call.text("NatGatewayId").to_owned();
    let Some(state) = shared.nats.all().get(&id).map(Nat::word) else {
        return shared.emulators.forward(incoming, call).await;
    };
    match state {
        "deleted" => {
            let text = format!("The Nat Gateway {id} was not found");
            return Answer::error(call, 400, "NatGatewayNotFound", &text);
        }
        "deleting" => {}
        "failed" => set(shared, &id, State::Deleted),
        _ => {
            let due = pending::due(shared.pending.nat_gateway);
            set(shared, &id, State::Deleting(due));
            tokio::spawn(free(Arc::clone(shared), call.credential.clone(), id.clone(), due));
        }
    }
    let answered = vec![Element::text("requestId", ""), Element::text("natGatewayId", &id)];
    Answer::xml(&Element::of("DeleteNatGatewayResponse", answered))
}

fn set(shared: &Shared, id: &str, state: State) {
    if let Some(nat) = shared.nats.all().get_mut(id) {
        nat.state = state;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method, Uri};

    use super::*;

    #[test]
    fn the_filter_by_state_is_taken_out_and_the_others_move_up() {
        let body = "Action=DescribeNatGateways&Filter.1.Name=state&Filter.1.Value.1=pending&Filter.1.Value.2=available\
                    &Filter.2.Name=vpc-id&Filter.2.Value.1=vpc-1";
        let body = Bytes::from_static(body.as_bytes());
        let incoming = Incoming { method: Method::POST, uri: Uri::from_static("/"), headers: HeaderMap::new(), body };
        let (plain, wanted) = without_state_filter(&incoming);
        assert_eq!(wanted, ["pending", "available"]);
        assert_eq!(plain.body, "Action=DescribeNatGateways&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1");
        assert_eq!(without_state_filter(&plain).0.body, plain.body);
    }
}
