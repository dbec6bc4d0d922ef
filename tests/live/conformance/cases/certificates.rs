//! Certificates of Certificate Manager, proved by DNS records.

use std::time::Duration;

use serde_json::{Value, json};

use super::load_balancers::{balancer, secure_listener};
use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

fn domain(lab: &Lab) -> String {
    format!("{}.example", lab.name("web"))
}

fn asked(lab: &Lab) -> Value {
    json!({ "domain_name": format!("www.{}", domain(lab)) })
}

/// A certificate of this case's own, with the record that proves it.
fn certificate(lab: &Lab) -> Result<Value, Other> {
    lab.make("acm.request_certificate", asked(lab))
}

/// What a wait sees in the end: it looks for five minutes on AWS and in the sandbox, for two seconds at an emulator.
fn awaited(lab: &Lab, made: &Value) -> Result<Value, Other> {
    let input = json!({ "certificate_arn": made["certificate_arn"] });
    let mut seen = Value::Null;
    for _ in 0..40 {
        seen = lab.call("acm.wait_certificate_validated", input.clone()).ok()?;
        if text(&seen, "status") != "PENDING_VALIDATION" {
            break;
        }
        lab.pass(Duration::from_millis(7500));
    }
    Ok(seen)
}

/// Puts the record that proves a certificate into a zone of its domain.
fn prove(lab: &Lab, made: &Value) -> Result<(), Other> {
    let zone = lab.make("route53.create_hosted_zone", json!({ "name": domain(lab) }))?["id"].clone();
    let record = &made["domain_validation_options"][0]["resource_record"];
    let input = json!({
        "hosted_zone_id": zone, "name": record["name"], "type": record["type"], "ttl": 300,
        "resource_records": [record["value"]],
    });
    lab.make("route53.upsert_record_set", input).map(|_| ())
}

/// A certificate that does not exist.
pub const NOT_THERE: &str = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef";

pub const CASES: &[Case] = &[
    Case {
        name: "a certificate is described as it was asked for",
        aws: "issued by Amazon, with a CNAME record that would prove its name; the tags; listed",
        page: "acm/RequestCertificate",
        run: |lab| {
            let made = certificate(lab)?;
            is(&made, "type", "AMAZON_ISSUED")?;
            let record = &made["domain_validation_options"][0]["resource_record"];
            is(record, "type", "CNAME")?;
            holds(text(record, "name").trim_end_matches('.').ends_with(&domain(lab)), "a record outside its domain")?;
            lab.tagged(&made)?;
            let found = lab.call("acm.list_certificates", json!({})).ok()?;
            let mut all = list(&found, "certificates").iter();
            holds(all.any(|one| one["certificate_arn"] == made["certificate_arn"]), "not listed")
        },
    },
    Case {
        name: "a certificate of several names",
        aws: "a record for each of them; the first one is among them",
        page: "acm/RequestCertificate",
        run: |lab| {
            let mut input = asked(lab);
            input["subject_alternative_names"] = json!([format!("api.{}", domain(lab))]);
            let made = lab.make("acm.request_certificate", input)?;
            let count = list(&made, "domain_validation_options").len();
            holds(count == 2, format!("{count} records"))?;
            let count = list(&made, "subject_alternative_names").len();
            holds(count == 2, format!("{count} names"))
        },
    },
    Case {
        name: "the same request for a certificate, with the same token",
        aws: "the same certificate again, for an hour",
        page: "acm/RequestCertificate",
        run: |lab| lab.same_again("acm.request_certificate", asked(lab), "certificate_arn"),
    },
    Case {
        name: "a certificate whose record stands",
        aws: "`ISSUED` in the end",
        page: "acm/DescribeCertificate",
        run: |lab| {
            let made = certificate(lab)?;
            prove(lab, &made)?;
            is(&awaited(lab, &made)?, "status", "ISSUED")
        },
    },
    Case {
        name: "a certificate whose record does not stand",
        aws: "`PENDING_VALIDATION`, for 72 hours",
        page: "acm/DescribeCertificate",
        run: |lab| is(&awaited(lab, &certificate(lab)?)?, "status", "PENDING_VALIDATION"),
    },
    Case {
        name: "a certificate that does not exist is described",
        aws: "`ResourceNotFoundException`",
        page: "acm/DescribeCertificate",
        run: |lab| {
            let input = json!({ "certificate_arn": NOT_THERE });
            lab.refused("acm.describe_certificate", input, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "certificates by their status",
        aws: "those with one of the statuses",
        page: "acm/ListCertificates",
        run: |lab| {
            let arn = certificate(lab)?["certificate_arn"].clone();
            for (statuses, wanted) in [(&["PENDING_VALIDATION", "ISSUED"][..], true), (&["REVOKED"], false)] {
                let input = json!({ "certificate_statuses": statuses });
                let found = lab.call("acm.list_certificates", input).ok()?;
                let listed = list(&found, "certificates").iter().any(|one| one["certificate_arn"] == arn);
                holds(listed == wanted, if wanted { "not listed" } else { "finds others" })?;
            }
            Ok(())
        },
    },
    Case {
        name: "a certificate of a listener is deleted",
        aws: "`ResourceInUseException`; its description names the load balancer",
        page: "acm/DeleteCertificate",
        run: |lab| {
            let made = certificate(lab)?;
            prove(lab, &made)?;
            awaited(lab, &made)?;
            let balancer = balancer(lab)?;
            lab.make("elbv2.create_listener", secure_listener(&balancer, &made["certificate_arn"]))?;
            let at = json!({ "certificate_arn": made["certificate_arn"] });
            lab.delete("acm.certificate", at.clone()).refused(&["ResourceInUseException"])?;
            let found = lab.call("acm.describe_certificate", at).ok()?;
            is(&found, "in_use_by.0", balancer["load_balancer_arn"].clone())
        },
    },
    Case {
        name: "a certificate is deleted twice",
        aws: "`ResourceNotFoundException`",
        page: "acm/DeleteCertificate",
        run: |lab| {
            let at = json!({ "certificate_arn": certificate(lab)?["certificate_arn"] });
            lab.deleted_twice("acm.certificate", at, &["ResourceNotFoundException"])
        },
    },
];
