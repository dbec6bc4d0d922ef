//! How much of something an account may have.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Answer, Case, is},
    lab::Lab,
};

fn quota(lab: &Lab, service: &str, code: &str) -> Answer<Value> {
    lab.call("servicequotas.get_service_quota", json!({ "service_code": service, "quota_code": code }))
}

pub const CASES: &[Case] = &[
    Case {
        name: "a quota that nobody has raised",
        aws: "the default: 5 VPCs per region",
        page: "servicequotas/GetServiceQuota",
        run: |lab| {
            let found = quota(lab, "vpc", "L-F678F1CE").ok()?;
            is(&found, "quota_name", "VPCs per Region")?;
            is(&found, "value", 5)
        },
    },
    Case {
        name: "a quota of which the account has no value of its own",
        aws: "the default: 5 Elastic IP addresses",
        page: "servicequotas/GetAWSDefaultServiceQuota",
        run: |lab| is(&quota(lab, "ec2", "L-0263D0A3").ok()?, "value", 5),
    },
    Case {
        name: "a quota that does not exist",
        aws: "`NoSuchResourceException`",
        page: "servicequotas/GetServiceQuota",
        run: |lab| quota(lab, "vpc", "L-00000000").refused(&["NoSuchResourceException"]),
    },
];
