//! Route tables, routes, associations.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, list, other, part, text},
    lab::Lab,
};

/// A VPC with an internet gateway and a route table: their ids.
fn network(lab: &Lab) -> Result<(String, String, String), Other> {
    let vpc = lab.vpc()?;
    let gateway = lab.gateway(&vpc)?;
    let table = table(lab, &vpc)?;
    Ok((vpc, gateway, table))
}

fn table(lab: &Lab, vpc: &str) -> Result<String, Other> {
    Ok(text(&lab.make("ec2.create_route_table", json!({ "vpc_id": vpc }))?, "id").to_owned())
}

fn everywhere(table: &str, gateway: &str) -> Value {
    json!({ "route_table_id": table, "destination_cidr_block": "0.0.0.0/0", "gateway_id": gateway })
}

fn at(table: &str, destination: &str) -> Value {
    json!({ "route_table_id": table, "destination_cidr_block": destination })
}

const NOT_THERE: &str = "rtb-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "a route table is described as it was made",
        aws: "the local route, active; no associations; the tags",
        page: "ec2/CreateRouteTable",
        run: |lab| {
            let vpc = lab.vpc()?;
            let made = lab.make("ec2.create_route_table", json!({ "vpc_id": vpc }))?;
            is(&made, "routes.0.destination_cidr_block", "10.5.0.0/16")?;
            is(&made, "routes.0.gateway_id", "local")?;
            is(&made, "routes.0.origin", "CreateRouteTable")?;
            holds(list(&made, "associations").is_empty(), "associated with something")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a route table in a VPC that does not exist",
        aws: "`InvalidVpcID.NotFound`",
        page: "ec2/CreateRouteTable",
        run: |lab| {
            let input = json!({ "vpc_id": "vpc-0123456789abcdef0" });
            lab.call("ec2.create_route_table", input).refused(&["InvalidVpcID.NotFound"])
        },
    },
    Case {
        name: "the same request for a route table, with the same client token",
        aws: "the same table again",
        page: "ec2/CreateRouteTable",
        run: |lab| {
            let (input, token) = (json!({ "vpc_id": lab.vpc()? }), lab.token());
            let made = lab.with_token(&token, "ec2.create_route_table", input.clone()).ok()?;
            let again = lab.with_token(&token, "ec2.create_route_table", input).ok()?;
            holds(again["id"] == made["id"], "a second table")
        },
    },
    Case {
        name: "another request for a route table, with the same client token",
        aws: "`IdempotentParameterMismatch`",
        page: "ec2/errors",
        run: |lab| {
            let token = lab.token();
            lab.with_token(&token, "ec2.create_route_table", json!({ "vpc_id": lab.vpc()? })).ok()?;
            let input = json!({ "vpc_id": lab.vpc_of("10.6.0.0/16")? });
            lab.with_token(&token, "ec2.create_route_table", input).refused(&["IdempotentParameterMismatch"])
        },
    },
    Case {
        name: "a route table with a subnet is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteRouteTable",
        run: |lab| {
            let vpc = lab.vpc()?;
            let (table, subnet) = (table(lab, &vpc)?, lab.subnet(&vpc, 1, 'a')?);
            lab.make("ec2.associate_route_table", json!({ "route_table_id": table, "subnet_id": subnet }))?;
            lab.delete("ec2.route_table", json!({ "route_table_id": table })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "the main route table is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteRouteTable",
        run: |lab| {
            let own = json!({ "filters": { "vpc-id": lab.vpc()?, "association.main": "true" } });
            let found = lab.call("ec2.describe_route_tables", own).ok()?;
            let main = part(&found, "route_tables.0.id").clone();
            lab.delete("ec2.route_table", json!({ "route_table_id": main })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a route table is deleted twice",
        aws: "`InvalidRouteTableID.NotFound`",
        page: "ec2/DeleteRouteTable",
        run: |lab| {
            let at = json!({ "route_table_id": table(lab, &lab.vpc()?)? });
            lab.delete("ec2.route_table", at.clone()).ok()?;
            lab.gone("ec2.route_table", at.clone())?;
            lab.delete("ec2.route_table", at).refused(&["InvalidRouteTableID.NotFound"])
        },
    },
    Case {
        name: "a route to an internet gateway",
        aws: "stands in the table, `active`",
        page: "ec2/CreateRoute",
        run: |lab| {
            let (_, gateway, table) = network(lab)?;
            let made = lab.make("ec2.create_route", everywhere(&table, &gateway))?;
            is(&made, "state", "active")?;
            is(&made, "gateway_id", gateway)?;
            is(&made, "origin", "CreateRoute")
        },
    },
    Case {
        name: "a second route to the same destination, another way",
        aws: "`RouteAlreadyExists`",
        page: "ec2/CreateRoute",
        run: |lab| {
            let (vpc, gateway, table) = network(lab)?;
            lab.make("ec2.create_route", everywhere(&table, &gateway))?;
            let input = json!({ "subnet_id": lab.subnet(&vpc, 1, 'a')? });
            let interface = lab.make("ec2.create_network_interface", input)?["id"].clone();
            let mut input = at(&table, "0.0.0.0/0");
            input["network_interface_id"] = interface;
            lab.call("ec2.create_route", input).refused(&["RouteAlreadyExists"])
        },
    },
    Case {
        name: "a route in a table that does not exist",
        aws: "`InvalidRouteTableID.NotFound`",
        page: "ec2/CreateRoute",
        run: |lab| {
            let input = everywhere(NOT_THERE, &lab.gateway(&lab.vpc()?)?);
            lab.call("ec2.create_route", input).refused(&["InvalidRouteTableID.NotFound"])
        },
    },
    Case {
        name: "a route to an internet gateway that does not exist",
        aws: "`InvalidGatewayID.NotFound` or `InvalidInternetGatewayID.NotFound`: the list has both",
        page: "ec2/errors",
        run: |lab| {
            let (_, _, table) = network(lab)?;
            let input = everywhere(&table, "igw-0123456789abcdef0");
            lab.call("ec2.create_route", input)
                .refused(&["InvalidGatewayID.NotFound", "InvalidInternetGatewayID.NotFound"])
        },
    },
    Case {
        name: "a route to the internet gateway of another VPC",
        aws: "`InvalidParameterValue`: they belong to different networks",
        page: "ec2/CreateRoute",
        run: |lab| {
            let (_, gateway, _) = network(lab)?;
            let table = table(lab, &lab.vpc_of("10.6.0.0/16")?)?;
            lab.call("ec2.create_route", everywhere(&table, &gateway)).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "a route to a peering connection that nobody accepted yet",
        aws: "`blackhole` until it is active",
        page: "peering/vpc-peering-routing",
        run: |lab| {
            let (vpc, _, table) = network(lab)?;
            let input = json!({ "vpc_id": vpc, "peer_vpc_id": lab.vpc_of("10.6.0.0/16")? });
            let peering = lab.make("ec2.create_vpc_peering_connection", input)?["id"].clone();
            let mut input = at(&table, "10.6.0.0/16");
            input["vpc_peering_connection_id"] = peering.clone();
            lab.call("ec2.create_route", input).ok()?;
            is(&lab.standing("ec2.route", at(&table, "10.6.0.0/16"))?, "state", "blackhole")?;
            lab.call("ec2.accept_vpc_peering_connection", json!({ "vpc_peering_connection_id": peering })).ok()?;
            is(&lab.standing("ec2.route", at(&table, "10.6.0.0/16"))?, "state", "active")
        },
    },
    Case {
        name: "the NAT gateway of a route is deleted",
        aws: "the route stays, a `blackhole`",
        page: "vpc/nat-gateway-working-with",
        run: |lab| {
            let (vpc, _, table) = network(lab)?;
            let address = lab.make("ec2.allocate_address", json!({}))?["id"].clone();
            let input = json!({ "subnet_id": lab.subnet(&vpc, 1, 'a')?, "allocation_id": address });
            let nat = lab.make("ec2.create_nat_gateway", input)?["id"].clone();
            let mut input = at(&table, "0.0.0.0/0");
            input["nat_gateway_id"] = nat.clone();
            lab.make("ec2.create_route", input)?;
            lab.delete("ec2.nat_gateway", json!({ "nat_gateway_id": nat })).ok()?;
            is(&lab.standing("ec2.route", at(&table, "0.0.0.0/0"))?, "state", "blackhole")
        },
    },
    Case {
        name: "a route is deleted twice",
        aws: "`InvalidRoute.NotFound`",
        page: "ec2/DeleteRoute",
        run: |lab| {
            let (_, gateway, table) = network(lab)?;
            lab.make("ec2.create_route", everywhere(&table, &gateway))?;
            lab.delete("ec2.route", at(&table, "0.0.0.0/0")).ok()?;
            lab.gone("ec2.route", at(&table, "0.0.0.0/0"))?;
            lab.delete("ec2.route", at(&table, "0.0.0.0/0")).refused(&["InvalidRoute.NotFound"])
        },
    },
    Case {
        name: "the local route is deleted",
        aws: "`InvalidParameterValue`: it cannot be removed",
        page: "ec2/DeleteRoute",
        run: |lab| {
            let (_, _, table) = network(lab)?;
            lab.delete("ec2.route", at(&table, "10.5.0.0/16")).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "a subnet gets a route table",
        aws: "the association stands in the table, `associated`, not main",
        page: "ec2/AssociateRouteTable",
        run: |lab| {
            let vpc = lab.vpc()?;
            let (table, subnet) = (table(lab, &vpc)?, lab.subnet(&vpc, 1, 'a')?);
            let input = json!({ "route_table_id": table, "subnet_id": subnet });
            let made = lab.make("ec2.associate_route_table", input)?;
            let own = json!({ "filters": { "association.subnet-id": subnet } });
            let found = lab.call("ec2.describe_route_tables", own).ok()?;
            is(&found, "route_tables.0.id", table)?;
            let associations = list(&found, "route_tables.0.associations");
            let here = associations.iter().find(|one| text(one, "subnet_id") == subnet);
            let here = here.ok_or_else(|| other("the table does not tell the subnet"))?;
            is(here, "route_table_association_id", made["route_table_association_id"].clone())?;
            is(here, "main", false)?;
            is(here, "association_state.state", "associated")
        },
    },
    Case {
        name: "a subnet that has a route table gets another",
        aws: "`Resource.AlreadyAssociated`",
        page: "ec2/AssociateRouteTable",
        run: |lab| {
            let vpc = lab.vpc()?;
            let subnet = lab.subnet(&vpc, 1, 'a')?;
            let input = json!({ "route_table_id": table(lab, &vpc)?, "subnet_id": subnet });
            lab.make("ec2.associate_route_table", input)?;
            let input = json!({ "route_table_id": table(lab, &vpc)?, "subnet_id": subnet });
            lab.call("ec2.associate_route_table", input).refused(&["Resource.AlreadyAssociated"])
        },
    },
    Case {
        name: "a subnet gets the route table of another VPC",
        aws: "`InvalidParameterValue`: they belong to different networks",
        page: "ec2/AssociateRouteTable",
        run: |lab| {
            let subnet = lab.subnet(&lab.vpc()?, 1, 'a')?;
            let input = json!({ "route_table_id": table(lab, &lab.vpc_of("10.6.0.0/16")?)?, "subnet_id": subnet });
            lab.call("ec2.associate_route_table", input).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "a route table is taken from a subnet twice",
        aws: "`InvalidAssociationID.NotFound`",
        page: "ec2/DisassociateRouteTable",
        run: |lab| {
            let vpc = lab.vpc()?;
            let input = json!({ "route_table_id": table(lab, &vpc)?, "subnet_id": lab.subnet(&vpc, 1, 'a')? });
            let made = lab.make("ec2.associate_route_table", input)?;
            let at = json!({ "route_table_association_id": made["route_table_association_id"] });
            lab.delete("ec2.route_table_association", at.clone()).ok()?;
            lab.gone("ec2.route_table_association", at.clone())?;
            lab.delete("ec2.route_table_association", at).refused(&["InvalidAssociationID.NotFound"])
        },
    },
];
