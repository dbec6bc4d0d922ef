//! Record sets.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

fn zone(lab: &Lab) -> Result<Value, Other> {
    Ok(lab.make("route53.create_hosted_zone", json!({ "name": "example.com" }))?["id"].clone())
}

fn record(zone: &Value, name: &str, kind: &str, value: &str) -> Value {
    json!({ "hosted_zone_id": zone, "name": name, "type": kind, "ttl": 60, "resource_records": [value] })
}

fn at(zone: &Value, name: &str, kind: &str) -> Value {
    json!({ "hosted_zone_id": zone, "name": name, "type": kind })
}

/// A record that is refused as a whole change.
fn refused(lab: &Lab, name: &str, kind: &str, value: &str) -> Seen {
    let input = record(&zone(lab)?, name, kind, value);
    lab.call("route53.upsert_record_set", input).refused(&["InvalidChangeBatch"])
}

fn names(lab: &Lab, zone: &Value) -> Result<Vec<String>, Other> {
    let found = lab.call("route53.list_resource_record_sets", json!({ "hosted_zone_id": zone })).ok()?;
    let shown = |record| format!("{} {}", text(record, "name"), text(record, "type"));
    Ok(list(&found, "resource_record_sets").iter().map(shown).collect())
}

const WEB: &str = "web.example.com";

pub const CASES: &[Case] = &[
    Case {
        name: "a record set is described as it was made",
        aws: "the name with a dot at the end, type, time to live and values",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| {
            let made = lab.make("route53.upsert_record_set", record(&zone(lab)?, WEB, "A", "10.0.0.1"))?;
            is(&made, "name", "web.example.com.")?;
            is(&made, "type", "A")?;
            is(&made, "ttl", 60)?;
            is(&made, "resource_records.0", "10.0.0.1")
        },
    },
    Case {
        name: "a record set is changed",
        aws: "UPSERT replaces the values",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| {
            let zone = zone(lab)?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "A", "10.0.0.1"))?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "A", "10.0.0.2"))?;
            is(&lab.standing("route53.record_set", at(&zone, WEB, "A"))?, "resource_records", json!(["10.0.0.2"]))
        },
    },
    Case {
        name: "records of two types at one name",
        aws: "each stands by itself",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| {
            let zone = zone(lab)?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "A", "10.0.0.1"))?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "TXT", "\"web\""))?;
            is(&lab.standing("route53.record_set", at(&zone, WEB, "A"))?, "resource_records.0", "10.0.0.1")?;
            is(&lab.standing("route53.record_set", at(&zone, WEB, "TXT"))?, "resource_records.0", "\"web\"")
        },
    },
    Case {
        name: "a record for every name",
        aws: "the star is answered as `\\052`; our code shows the star",
        page: "route53/ListResourceRecordSets",
        run: |lab| {
            let zone = zone(lab)?;
            lab.make("route53.upsert_record_set", record(&zone, "*.example.com", "A", "10.0.0.1"))?;
            let found = lab.standing("route53.record_set", at(&zone, "*.example.com", "A"))?;
            is(&found, "name", "*.example.com.")
        },
    },
    Case {
        name: "records in their order",
        aws: "by name with the labels from the right, then by type",
        page: "route53/ListResourceRecordSets",
        run: |lab| {
            let zone = zone(lab)?;
            for name in ["z.example.com", "a.z.example.com", "b.example.com"] {
                lab.make("route53.upsert_record_set", record(&zone, name, "A", "10.0.0.1"))?;
            }
            let names = names(lab, &zone)?;
            let wanted =
                ["example.com. NS", "example.com. SOA", "b.example.com. A", "z.example.com. A", "a.z.example.com. A"];
            holds(names == wanted, names.join(", "))
        },
    },
    Case {
        name: "a record outside its zone",
        aws: "`InvalidChangeBatch`",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| refused(lab, "web.example.org", "A", "10.0.0.1"),
    },
    Case {
        name: "a record whose value is no address",
        aws: "`InvalidChangeBatch`",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| refused(lab, WEB, "A", "not-an-address"),
    },
    Case {
        name: "a text record without quotation marks",
        aws: "`InvalidChangeBatch`",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| refused(lab, WEB, "TXT", "no quotation marks"),
    },
    Case {
        name: "a CNAME at the top of the zone",
        aws: "`InvalidChangeBatch`",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| refused(lab, "example.com", "CNAME", "web.example.com"),
    },
    Case {
        name: "a CNAME beside another record",
        aws: "`InvalidChangeBatch`",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| {
            let zone = zone(lab)?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "A", "10.0.0.1"))?;
            let input = record(&zone, WEB, "CNAME", "other.example.com");
            lab.call("route53.upsert_record_set", input).refused(&["InvalidChangeBatch"])
        },
    },
    Case {
        name: "a record in a zone that does not exist",
        aws: "`NoSuchHostedZone`",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| {
            let input = record(&"Z0123456789ABC".into(), WEB, "A", "10.0.0.1");
            lab.call("route53.upsert_record_set", input).refused(&["NoSuchHostedZone"])
        },
    },
    Case {
        name: "a record set is deleted",
        aws: "gone, the others stay",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| {
            let zone = zone(lab)?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "A", "10.0.0.1"))?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "TXT", "\"web\""))?;
            lab.delete("route53.record_set", at(&zone, WEB, "A")).ok()?;
            lab.gone("route53.record_set", at(&zone, WEB, "A"))?;
            lab.standing("route53.record_set", at(&zone, WEB, "TXT")).map(|_| ())
        },
    },
    Case {
        name: "the zone's own SOA is deleted",
        aws: "`InvalidChangeBatch`",
        page: "route53/ChangeResourceRecordSets",
        run: |lab| {
            let at = at(&zone(lab)?, "example.com.", "SOA");
            lab.delete("route53.record_set", at).refused(&["InvalidChangeBatch"])
        },
    },
    Case {
        name: "a zone with records is deleted",
        aws: "`HostedZoneNotEmpty`",
        page: "route53/DeleteHostedZone",
        run: |lab| {
            let zone = zone(lab)?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "A", "10.0.0.1"))?;
            lab.delete("route53.hosted_zone", json!({ "id": zone })).refused(&["HostedZoneNotEmpty"])
        },
    },
    Case {
        name: "all records but the zone's own are deleted, then the zone",
        aws: "gone",
        page: "route53/DeleteHostedZone",
        run: |lab| {
            let zone = zone(lab)?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "A", "10.0.0.1"))?;
            lab.make("route53.upsert_record_set", record(&zone, WEB, "TXT", "\"web\""))?;
            let deleted = lab.call("route53.delete_record_sets", json!({ "hosted_zone_id": zone })).ok()?;
            is(&deleted, "deleted", 2)?;
            lab.delete("route53.hosted_zone", json!({ "id": zone })).ok()?;
            lab.gone("route53.hosted_zone", json!({ "id": zone }))
        },
    },
    Case {
        name: "the records of a zone that does not exist",
        aws: "`NoSuchHostedZone`",
        page: "route53/ListResourceRecordSets",
        run: |lab| {
            let input = json!({ "hosted_zone_id": "Z0123456789ABC" });
            lab.call("route53.list_resource_record_sets", input).refused(&["NoSuchHostedZone"])
        },
    },
];
