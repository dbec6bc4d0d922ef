//! Route 53 hosted zones, the VPCs that see them, and changes.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

/// A private zone and the VPC that sees it.
fn private(lab: &Lab) -> Result<(Value, String), Other> {
    let vpc = lab.vpc()?;
    let input = json!({ "name": "web.internal", "vpc": { "vpc_id": vpc } });
    Ok((lab.make("route53.create_hosted_zone", input)?, vpc))
}

fn association(zone: &Value, vpc: &str) -> Value {
    json!({ "hosted_zone_id": zone["id"], "vpc": { "vpc_id": vpc } })
}

/// A private zone, a second VPC that sees it, and the locator of that.
fn associated(lab: &Lab) -> Result<(Value, String, Value), Other> {
    let (zone, _) = private(lab)?;
    let second = lab.vpc_of("10.6.0.0/16")?;
    let input = association(&zone, &second);
    let made = lab.make("route53.associate_vpc_with_hosted_zone", input.clone())?;
    let at = lab.located("route53.associate_vpc_with_hosted_zone", &input, &made)?;
    Ok((zone, second, at))
}

pub const CASES: &[Case] = &[
    Case {
        name: "a zone is described as it was made",
        aws: "the name with a dot at the end, public, four name servers, NS and SOA as its own records, the tags",
        page: "route53/CreateHostedZone",
        run: |lab| {
            let made = lab.make("route53.create_hosted_zone", json!({ "name": "example.com" }))?;
            is(&made, "name", "example.com.")?;
            is(&made, "config.private_zone", false)?;
            holds(
                list(&made, "name_servers").len() == 4,
                format!("{} name servers", list(&made, "name_servers").len()),
            )?;
            lab.tagged(&made)?;
            let input = json!({ "hosted_zone_id": made["id"] });
            let found = lab.call("route53.list_resource_record_sets", input).ok()?;
            let kinds: Vec<&str> = list(&found, "resource_record_sets").iter().map(|r| text(r, "type")).collect();
            holds(kinds == ["NS", "SOA"], format!("the records {}", kinds.join(", ")))
        },
    },
    Case {
        name: "a change is pending at first",
        aws: "`PENDING`, then `INSYNC`; GetChange tells it",
        page: "route53/GetChange",
        run: |lab| {
            let input = json!({ "name": "example.com" });
            let made = lab.call("route53.create_hosted_zone", input.clone()).ok()?;
            let (found, _) = lab.settled("route53.create_hosted_zone", &input, &made)?;
            is(&found, "change_info.status", "INSYNC")?;
            is(&lab.call("route53.get_change", json!({ "id": made["change_id"] })).ok()?, "status", "INSYNC")?;
            is(&made, "change_info.status", "PENDING")
        },
    },
    Case {
        name: "a change that does not exist",
        aws: "`NoSuchChange`",
        page: "route53/GetChange",
        run: |lab| lab.call("route53.get_change", json!({ "id": "C0123456789ABC" })).refused(&["NoSuchChange"]),
    },
    Case {
        name: "the same caller reference again",
        aws: "`HostedZoneAlreadyExists`, and the first zone is found by it",
        page: "route53/CreateHostedZone",
        run: |lab| {
            let (input, token) = (json!({ "name": "example.com" }), lab.token());
            let made = lab.with_token(&token, "route53.create_hosted_zone", input.clone()).ok()?;
            let again = lab.with_token(&token, "route53.create_hosted_zone", input.clone());
            again.refused(&["HostedZoneAlreadyExists"])?;
            let found = lab.find("route53.hosted_zone", &token, input)?;
            holds(found.len() == 1 && found[0]["id"] == made["id"], "not found again")
        },
    },
    Case {
        name: "a second zone of the same name, with another caller reference",
        aws: "accepted",
        page: "route53/CreateHostedZone",
        run: |lab| {
            let input = json!({ "name": "example.com" });
            let one = lab.make("route53.create_hosted_zone", input.clone())?;
            let two = lab.make("route53.create_hosted_zone", input)?;
            holds(one["id"] != two["id"], "the same zone")
        },
    },
    Case {
        name: "zones in the order of their names",
        aws: "by the labels from the right, beginning with the name asked for",
        page: "route53/ListHostedZonesByName",
        run: |lab| {
            let own = lab.name("order");
            for name in ["b.x", "z", "a.y", "a.x"] {
                lab.make("route53.create_hosted_zone", json!({ "name": format!("{name}.{own}") }))?;
            }
            let input = json!({ "dns_name": format!("b.x.{own}") });
            let found = lab.call("route53.list_hosted_zones_by_name", input).ok()?;
            let end = format!(".{own}.");
            let names = list(&found, "hosted_zones").iter().filter_map(|zone| text(zone, "name").strip_suffix(&end));
            let names: Vec<&str> = names.collect();
            holds(names == ["b.x", "a.y", "z"], names.join(", "))
        },
    },
    Case {
        name: "a private zone",
        aws: "private, with the VPC that sees it and its region",
        page: "route53/CreateHostedZone",
        run: |lab| {
            let (zone, vpc) = private(lab)?;
            is(&zone, "config.private_zone", true)?;
            is(&zone, "vpcs.0.vpc_id", vpc)?;
            is(&zone, "vpcs.0.vpc_region", "us-east-1")
        },
    },
    Case {
        name: "a private zone for a VPC that does not exist",
        aws: "`InvalidVPCId`",
        page: "route53/CreateHostedZone",
        run: |lab| {
            let input = json!({ "name": "web.internal", "vpc": { "vpc_id": "vpc-0123456789abcdef0" } });
            lab.call("route53.create_hosted_zone", input).refused(&["InvalidVPCId"])
        },
    },
    Case {
        name: "a second private zone of the same name for a VPC",
        aws: "`ConflictingDomainExists`",
        page: "route53/CreateHostedZone",
        run: |lab| {
            let (_, vpc) = private(lab)?;
            let input = json!({ "name": "web.internal", "vpc": { "vpc_id": vpc } });
            lab.call("route53.create_hosted_zone", input).refused(&["ConflictingDomainExists"])
        },
    },
    Case {
        name: "a zone that does not exist",
        aws: "`NoSuchHostedZone`",
        page: "route53/GetHostedZone",
        run: |lab| {
            let input = json!({ "id": "Z0123456789ABC" });
            lab.call("route53.get_hosted_zone", input).refused(&["NoSuchHostedZone"])
        },
    },
    Case {
        name: "a zone is deleted twice",
        aws: "`NoSuchHostedZone`",
        page: "route53/DeleteHostedZone",
        run: |lab| {
            let at = json!({ "id": lab.make("route53.create_hosted_zone", json!({ "name": "example.com" }))?["id"] });
            lab.delete("route53.hosted_zone", at.clone()).ok()?;
            lab.gone("route53.hosted_zone", at.clone())?;
            lab.delete("route53.hosted_zone", at).refused(&["NoSuchHostedZone"])
        },
    },
    Case {
        name: "a second VPC sees a private zone, then no more",
        aws: "both are listed, then the first one only",
        page: "route53/AssociateVPCWithHostedZone",
        run: |lab| {
            let (zone, _, at) = associated(lab)?;
            let vpcs = |lab: &Lab| -> Result<usize, Other> {
                Ok(list(&lab.call("route53.get_hosted_zone", json!({ "id": zone["id"] })).ok()?, "vpcs").len())
            };
            let seen = vpcs(lab)?;
            holds(seen == 2, format!("{seen} VPCs"))?;
            lab.delete("route53.vpc_association", at.clone()).ok()?;
            lab.gone("route53.vpc_association", at)?;
            let left = vpcs(lab)?;
            holds(left == 1, format!("{left} VPCs are left"))
        },
    },
    Case {
        name: "a VPC is to see a private zone that it sees",
        aws: "`ConflictingDomainExists`",
        page: "route53/AssociateVPCWithHostedZone",
        run: |lab| {
            let (zone, vpc, _) = associated(lab)?;
            let again = lab.call("route53.associate_vpc_with_hosted_zone", association(&zone, &vpc));
            again.refused(&["ConflictingDomainExists"])
        },
    },
    Case {
        name: "a VPC is to see a public zone",
        aws: "`PublicZoneVPCAssociation`",
        page: "route53/AssociateVPCWithHostedZone",
        run: |lab| {
            let zone = lab.make("route53.create_hosted_zone", json!({ "name": "example.com" }))?;
            let input = association(&zone, &lab.vpc()?);
            lab.call("route53.associate_vpc_with_hosted_zone", input).refused(&["PublicZoneVPCAssociation"])
        },
    },
    Case {
        name: "a VPC that does not exist is to see a private zone",
        aws: "`InvalidVPCId`",
        page: "route53/AssociateVPCWithHostedZone",
        run: |lab| {
            let input = association(&private(lab)?.0, "vpc-0123456789abcdef0");
            lab.call("route53.associate_vpc_with_hosted_zone", input).refused(&["InvalidVPCId"])
        },
    },
    Case {
        name: "the last VPC is taken from a private zone",
        aws: "`LastVPCAssociation`",
        page: "route53/DisassociateVPCFromHostedZone",
        run: |lab| {
            let (zone, vpc) = private(lab)?;
            let at = json!({ "hosted_zone_id": zone["id"], "vpc_id": vpc, "vpc_region": "us-east-1" });
            lab.delete("route53.vpc_association", at).refused(&["LastVPCAssociation"])
        },
    },
    Case {
        name: "a VPC is taken from a private zone that it does not see",
        aws: "`VPCAssociationNotFound`",
        page: "route53/DisassociateVPCFromHostedZone",
        run: |lab| {
            let (_, _, at) = associated(lab)?;
            lab.delete("route53.vpc_association", at.clone()).ok()?;
            lab.delete("route53.vpc_association", at).refused(&["VPCAssociationNotFound"])
        },
    },
];
