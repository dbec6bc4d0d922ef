//! `acm.certificate`: a public certificate, validated by DNS records; `describe_certificate`, `list_certificates`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Health, Identity, Meta},
    sandbox::world::Object,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::simulate::{self, Certificates};
use crate::row::{Difference, Row, text, unordered};

/// Input of `request_certificate`. <https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The first name; may begin with `*.`.
    pub domain_name: String,
    /// Further names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_alternative_names: Option<Vec<String>>,
    /// `DNS`. Validation by e-mail needs a person and is not offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_method: Option<String>,
    /// `RSA_2048` (AWS's default), `EC_prime256v1` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_algorithm: Option<String>,
}

impl Input {
    /// All names, the first one first, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![self.domain_name.clone()];
        for name in self.subject_alternative_names.iter().flatten() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

pub(super) static META: Meta = Meta {
    name: "acm.certificate",
    create: "request_certificate",
    operations: ("RequestCertificate", "DeleteCertificate"),
    doc: "Requests a certificate and waits until it says which DNS records prove that the names are yours: \
          `domain_validation_options`, each with `resource_record: #{name, type, value}`.\n\nPut these records into the names' zone, then wait with \
          `acm.wait_certificate_validated`. A certificate that a listener uses cannot be deleted. \
          [RequestCertificate](https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html)",
    identity: Identity::Token { field: "idempotency_token", safe: Duration::from_secs(30 * 60), key: false },
    usual: (Duration::from_secs(5), Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row<Certificates> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let typed: Input = input::parse(value)?;
        if typed.validation_method.as_deref().is_some_and(|method| method != "DNS") {
            return Err(InputError::new("validation_method", "must be DNS: an e-mail needs a person"));
        }
        match typed.names().iter().find(|name| !name.contains('.') || name.len() > 253) {
            Some(_) => Err(InputError::new("domain_name", "must be a full domain name, as all further names")),
            None => Ok(()),
        }
    },
    locator: &["certificate_arn"],
    along: &[],
    parents: &[],
    judge: usable,
    differences,
    sim: &Certificates,
};

/// It is of use to a script once it says which records prove the names.
fn usable(described: &Value) -> Health {
    let options = described.get("domain_validation_options").and_then(Value::as_array);
    let told = options.is_some_and(|options| {
        !options.is_empty() && options.iter().all(|option| !text(option, "resource_record.name").is_empty())
    });
    match text(described, "status") {
        "ISSUED" => Health::Ready,
        "PENDING_VALIDATION" if told => Health::Ready,
        "PENDING_VALIDATION" => Health::Pending("PENDING_VALIDATION, without its records yet".to_owned()),
        _ => issued(described),
    }
}

/// Whether it is issued, or never will be.
pub fn issued(described: &Value) -> Health {
    match text(described, "status") {
        "ISSUED" => Health::Ready,
        "PENDING_VALIDATION" => Health::Pending(unproved(described)),
        status @ ("FAILED" | "VALIDATION_TIMED_OUT" | "REVOKED" | "EXPIRED" | "INACTIVE") => {
            let reason = text(described, "failure_reason");
            Health::Failed(if reason.is_empty() { status.to_owned() } else { format!("{status}: {reason}") })
        }
        status => Health::Pending(status.to_owned()),
    }
}

/// The names that are not proved yet, and the records that would prove them.
fn unproved(described: &Value) -> String {
    let options = described.get("domain_validation_options").and_then(Value::as_array).into_iter().flatten();
    let open = options.filter(|option| text(option, "validation_status") != "SUCCESS");
    let names: Vec<String> = open
        .map(|option| format!("{} (record {})", text(option, "domain_name"), text(option, "resource_record.name")))
        .collect();
    format!("PENDING_VALIDATION of {}", names.join(", "))
}

/// The description lists the first name among the others too.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut input = input.clone();
    if let (Ok(typed), Value::Object(map)) = (input::parse::<Input>(&input), &mut input) {
        map.remove("validation_method");
        map.insert("subject_alternative_names".to_owned(), json!(typed.names()));
    }
    unordered(&input, described)
}

/// Input of `describe_certificate`. <https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Its ARN.
    pub certificate_arn: String,
}

/// The operation `acm.describe_certificate`.
pub static DESCRIBE: Operation = Operation {
    name: "acm.describe_certificate",
    operation: "DescribeCertificate",
    doc: "Describes a certificate: its status, the records that prove its names, and what uses it. \
          [DescribeCertificate](https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let arn = call.text("certificate_arn");
        match world.get(META.name, &call.place.region, arn, call.now_ms) {
            Some(found) => Ok(simulate::described(world, found, call.now_ms)),
            None => Err(CallError::refused("ResourceNotFoundException", format!("Could not find certificate {arn}"))),
        }
    },
};

/// Input of `list_certificates`. <https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html>
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only those with one of these statuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_statuses: Option<Vec<String>>,
}

/// The operation `acm.list_certificates`.
pub static LIST: Operation = Operation {
    name: "acm.list_certificates",
    operation: "ListCertificates",
    doc: "Lists certificates, as `#{certificates: [#{certificate_arn, domain_name, status}]}`. \
          [ListCertificates](https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html)",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let asked = List::deserialize(call.input).unwrap_or_default().certificate_statuses;
        let shown = |object: &Object| {
            let full = simulate::described(world, object, call.now_ms);
            json!({ "certificate_arn": object.id, "domain_name": full["domain_name"], "status": full["status"] })
        };
        let all = world.list(META.name, &call.place.region, call.now_ms).map(shown);
        let kept = all.filter(|one| asked.as_ref().is_none_or(|list| list.iter().any(|s| s == text(one, "status"))));
        Ok(json!({ "certificates": kept.collect::<Value>() }))
    },
};
