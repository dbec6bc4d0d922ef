//! EC2: NAT gateways that take their time, and the deletions that EC2 refuses and moto does not.

use std::sync::Arc;

use super::{answer::Answer, emulator::Incoming, parse::Call, shared::Shared};

mod guards;
mod nat;

pub use nat::Nats;

/// Answers a request to EC2.
pub(super) async fn answer(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    match call.operation.as_str() {
        "CreateNatGateway" => nat::create(shared, incoming, call).await,
        "DescribeNatGateways" => nat::describe(shared, incoming, call).await,
        "DeleteNatGateway" => nat::delete(shared, incoming, call).await,
        "DescribeNetworkInterfaces" => interfaces(shared, shared.emulators.forward(incoming, call).await),
        _ => match guards::refused(shared, call).await {
            Some(refused) => refused,
            None => shared.emulators.forward(incoming, call).await,
        },
    }
}

/// Network interfaces that belong to a NAT gateway, a load balancer or a cluster look so: in use, managed by AWS.
fn interfaces(shared: &Shared, answer: Answer) -> Answer {
    if !answer.ok() {
        return answer;
    }
    let mut document = answer.document();
    document.each(&mut |element| {
        let id = element.at(&["networkInterfaceId"]).to_owned();
        let (kind, description) = if let Some(nat) = shared.nats.of_interface(&id) {
            ("nat_gateway", Some(format!("Interface for NAT Gateway {nat}")))
        } else if let Some(kind) = shared.balancers.type_of(&id) {
            (kind, None)
        } else if shared.eks().owns_interface(&id) {
            ("interface", None)
        } else {
            return;
        };
        // Only the item itself, not what it holds, has an owner and a status.
        if element.child("ownerId").is_none() || element.child("status").is_none() {
            return;
        }
        element.set("status", "in-use");
        element.set("requesterManaged", "true");
        element.set("interfaceType", kind);
        if let Some(description) = description {
            element.set("description", &description);
        }
    });
    answer.with_document(&document)
}
