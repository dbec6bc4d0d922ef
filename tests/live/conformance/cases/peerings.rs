//! Peering connections.

use runbook_modules::{error::Class, resource::Health};
use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, failed, holds, is, list, other},
    lab::Lab,
};

fn asked(lab: &Lab) -> Result<Value, Other> {
    Ok(json!({ "vpc_id": lab.vpc()?, "peer_vpc_id": lab.vpc_of("10.6.0.0/16")? }))
}

/// A connection that waits for acceptance: its locator.
fn waiting(lab: &Lab) -> Result<Value, Other> {
    let made = lab.make("ec2.create_vpc_peering_connection", asked(lab)?)?;
    Ok(json!({ "vpc_peering_connection_id": made["id"] }))
}

fn state(lab: &Lab, at: &Value) -> Result<Value, Other> {
    Ok(lab.standing("ec2.vpc_peering_connection", at.clone())?["status"].clone())
}

/// Accepted, and active in the end.
fn accepted(lab: &Lab, at: &Value) -> Result<(), Other> {
    lab.call("ec2.accept_vpc_peering_connection", at.clone()).ok()?;
    for _ in 0..100 {
        if state(lab, at)?["code"] == "active" {
            return Ok(());
        }
        lab.pass(std::time::Duration::from_secs(1));
    }
    Err(other("never active"))
}

const NOT_THERE: &str = "pcx-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "a peering connection is described as it was asked for",
        aws: "`pending-acceptance`, both VPCs with their blocks, when it expires, the tags",
        page: "ec2/CreateVpcPeeringConnection",
        run: |lab| {
            let input = asked(lab)?;
            let made = lab.make("ec2.create_vpc_peering_connection", input.clone())?;
            is(&made, "status.code", "pending-acceptance")?;
            is(&made, "requester_vpc_info.vpc_id", input["vpc_id"].clone())?;
            is(&made, "requester_vpc_info.cidr_block", "10.5.0.0/16")?;
            is(&made, "accepter_vpc_info.vpc_id", input["peer_vpc_id"].clone())?;
            holds(made["expiration_time"].is_string(), "never expires")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a peering connection begins as a request",
        aws: "the answer says `initiating-request`",
        page: "ec2/CreateVpcPeeringConnection",
        run: |lab| {
            let made = lab.call("ec2.create_vpc_peering_connection", asked(lab)?).ok()?;
            is(&made, "status.code", "initiating-request")
        },
    },
    Case {
        name: "a peering connection of VPCs that overlap",
        aws: "accepted, then `failed`",
        page: "ec2/CreateVpcPeeringConnection",
        run: |lab| {
            let input = json!({ "vpc_id": lab.vpc()?, "peer_vpc_id": lab.vpc_of("10.5.0.0/17")? });
            let made = lab.call("ec2.create_vpc_peering_connection", input.clone()).ok()?;
            match lab.settled("ec2.create_vpc_peering_connection", &input, &made)? {
                (_, Health::Failed(_)) => Ok(()),
                (found, _) => is(&found, "status.code", "failed"),
            }
        },
    },
    Case {
        name: "a peering connection is accepted",
        aws: "`active` in the end",
        page: "ec2/AcceptVpcPeeringConnection",
        run: |lab| accepted(lab, &waiting(lab)?),
    },
    Case {
        name: "a peering connection is accepted twice",
        aws: "it stays `active` (AWS refuses the second time; our call sees that it is done)",
        page: "ec2/AcceptVpcPeeringConnection",
        run: |lab| {
            let at = waiting(lab)?;
            accepted(lab, &at)?;
            accepted(lab, &at)
        },
    },
    Case {
        name: "a peering connection that does not exist is accepted",
        aws: "`InvalidVpcPeeringConnectionID.NotFound`",
        page: "ec2/AcceptVpcPeeringConnection",
        run: |lab| {
            let input = json!({ "vpc_peering_connection_id": NOT_THERE });
            let codes = &["InvalidVpcPeeringConnectionID.NotFound"];
            lab.call("ec2.accept_vpc_peering_connection", input).refused(codes)
        },
    },
    Case {
        name: "a second connection of VPCs whose first is active",
        aws: "`VpcPeeringConnectionAlreadyExists`",
        page: "ec2/errors",
        run: |lab| {
            let input = asked(lab)?;
            let made = lab.make("ec2.create_vpc_peering_connection", input.clone())?;
            accepted(lab, &json!({ "vpc_peering_connection_id": made["id"] }))?;
            let again = lab.call("ec2.create_vpc_peering_connection", input);
            again.refused(&["VpcPeeringConnectionAlreadyExists"])
        },
    },
    Case {
        name: "options of an active peering connection",
        aws: "kept for each side, and described",
        page: "ec2/ModifyVpcPeeringConnectionOptions",
        run: |lab| {
            let at = waiting(lab)?;
            accepted(lab, &at)?;
            let mut input = at.clone();
            for side in ["requester", "accepter"] {
                let options = json!({ "allow_dns_resolution_from_remote_vpc": true });
                input[format!("{side}_peering_connection_options")] = options;
            }
            lab.call("ec2.modify_vpc_peering_connection_options", input).ok()?;
            let found = lab.standing("ec2.vpc_peering_connection", at)?;
            is(&found, "requester_vpc_info.peering_options.allow_dns_resolution_from_remote_vpc", true)?;
            is(&found, "accepter_vpc_info.peering_options.allow_dns_resolution_from_remote_vpc", true)
        },
    },
    Case {
        name: "options of a peering connection that nobody accepted yet",
        aws: "`OperationNotPermitted`",
        page: "ec2/ModifyVpcPeeringConnectionOptions",
        run: |lab| {
            let mut input = waiting(lab)?;
            input["requester_peering_connection_options"] = json!({ "allow_dns_resolution_from_remote_vpc": true });
            lab.call("ec2.modify_vpc_peering_connection_options", input).refused(&["OperationNotPermitted"])
        },
    },
    Case {
        name: "peering connections by the asking VPC",
        aws: "the filter `requester-vpc-info.vpc-id` keeps those that it asked for",
        page: "ec2/DescribeVpcPeeringConnections",
        run: |lab| {
            let input = asked(lab)?;
            lab.make("ec2.create_vpc_peering_connection", input.clone())?;
            for (field, wanted) in [("vpc_id", 1), ("peer_vpc_id", 0)] {
                let filters = json!({ "filters": { "requester-vpc-info.vpc-id": input[field] } });
                let found = lab.call("ec2.describe_vpc_peering_connections", filters).ok()?;
                holds(list(&found, "vpc_peering_connections").len() == wanted, "finds others")?;
            }
            Ok(())
        },
    },
    Case {
        name: "a peering connection is deleted",
        aws: "gone but for a description as `deleted`",
        page: "ec2/DeleteVpcPeeringConnection",
        run: |lab| {
            let at = waiting(lab)?;
            lab.delete("ec2.vpc_peering_connection", at.clone()).ok()?;
            lab.gone("ec2.vpc_peering_connection", at)
        },
    },
    Case {
        name: "a peering connection is deleted twice",
        aws: "refused as gone (`InvalidStateTransition`, later `InvalidVpcPeeringConnectionID.NotFound`)",
        page: "ec2/DeleteVpcPeeringConnection",
        run: |lab| {
            let at = waiting(lab)?;
            lab.delete("ec2.vpc_peering_connection", at.clone()).ok()?;
            lab.gone("ec2.vpc_peering_connection", at.clone())?;
            match lab.delete("ec2.vpc_peering_connection", at).result {
                Err(error) if error.class == Class::NotFound => Ok(()),
                Err(error) => Err(failed("delete ec2.vpc_peering_connection", &error)),
                Ok(()) => Err(other("accepted")),
            }
        },
    },
];
