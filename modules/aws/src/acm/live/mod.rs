//! The SDK calls of Certificate Manager.

use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, DomainValidation, KeyAlgorithm, Tag, ValidationMethod};
use runbook_modules::{
    error::{CallError, Class},
    target::EFFECT_TAG,
};
use serde_json::{Value, json};

use super::certificate::{Input, List};
use crate::live::{
    Call, Clients, Driver, Sent, classify,
    convert::{Described, built, field, texts},
    empty,
};

#[cfg(test)]
mod tests;

pub(super) struct Certificate;
pub(super) struct DescribeCertificate;
pub(super) struct ListCertificates;

/// ACM takes tokens of at most 32 characters.
const TOKEN: usize = 32;

fn option(one: &DomainValidation) -> Value {
    let record = one
        .resource_record()
        .map(|record| json!({ "name": record.name(), "type": record.r#type().as_str(), "value": record.value() }));
    Described::new()
        .text("domain_name", Some(one.domain_name()))
        .text("validation_method", one.validation_method().map(|method| method.as_str()))
        .text("validation_status", one.validation_status().map(|status| status.as_str()))
        .value("resource_record", record)
        .done()
}

fn described(found: &CertificateDetail) -> Described {
    // ACM describes RSA_2048 as it names it in requests, but with a hyphen.
    let algorithm = found.key_algorithm().map(|algorithm| algorithm.as_str().replace('-', "_"));
    Described::new()
        .text("id", found.certificate_arn())
        .text("arn", found.certificate_arn())
        .text("certificate_arn", found.certificate_arn())
        .text("domain_name", found.domain_name())
        .value("subject_alternative_names", Some(texts(found.subject_alternative_names())))
        .text("status", found.status().map(|status| status.as_str()))
        .text("failure_reason", found.failure_reason().map(|reason| reason.as_str()))
        .text("type", found.r#type().map(|kind| kind.as_str()))
        .text("key_algorithm", algorithm.as_ref())
        .time("created_at", found.created_at())
        .time("issued_at", found.issued_at())
        .time("not_after", found.not_after())
        .value("in_use_by", Some(texts(found.in_use_by())))
        .list("domain_validation_options", found.domain_validation_options(), option)
}

async fn one(clients: &Clients, arn: &str) -> Result<Option<CertificateDetail>, CallError> {
    match clients.acm.describe_certificate().certificate_arn(arn).send().await.map_err(classify) {
        Ok(answer) => answer.certificate.ok_or_else(|| empty("certificate")).map(Some),
        Err(e) if e.class == Class::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

async fn full(clients: &Clients, arn: &str) -> Result<Option<Value>, CallError> {
    let Some(found) = one(clients, arn).await? else { return Ok(None) };
    let answer = clients.acm.list_tags_for_certificate().certificate_arn(arn).send().await.map_err(classify)?;
    let pairs = answer.tags().iter().map(|tag| (Some(tag.key()), tag.value()));
    Ok(Some(described(&found).tags(pairs).done()))
}

impl Driver for Certificate {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let tag = |(key, value): (&String, &String)| built(Tag::builder().key(key).value(value).build());
        let tags = sent.tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let call = clients
            .acm
            .request_certificate()
            .domain_name(input.domain_name)
            .set_subject_alternative_names(input.subject_alternative_names)
            .validation_method(ValidationMethod::Dns)
            .set_key_algorithm(input.key_algorithm.as_deref().map(KeyAlgorithm::from))
            .idempotency_token(sent.token.get(..TOKEN).unwrap_or(sent.token))
            .set_tags(Some(tags));
        let answer = call.send().await.map_err(classify)?;
        let arn = answer.certificate_arn();
        let made = Described::new().text("id", arn).text("arn", arn).text("certificate_arn", arn);
        Ok(made.text("status", Some("PENDING_VALIDATION")).value("tags", Some(json!(sent.tags))).done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        full(clients, field(at, "certificate_arn")).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let effect = sent.tags.get(EFFECT_TAG).map_or(sent.token, String::as_str);
        let pages = clients.acm.list_certificates().into_paginator().items().send();
        let all = pages.try_collect().await.map_err(classify)?;
        let name = field(sent.input, "domain_name");
        let mut found = Vec::new();
        for arn in all.iter().filter(|one| one.domain_name() == Some(name)).filter_map(|one| one.certificate_arn()) {
            let Some(described) = full(clients, arn).await? else { continue };
            if described["tags"][EFFECT_TAG] == effect {
                found.push(described);
            }
        }
        Ok(found)
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let call = clients.acm.delete_certificate().certificate_arn(field(at, "certificate_arn"));
        match call.send().await.map_err(classify) {
            Ok(_) => Ok(()),
            // Elsewhere the code means that something stands already; here, that a listener uses it.
            Err(e) if e.code.ends_with("ResourceInUseException") => Err(CallError { class: Class::Blocked, ..e }),
            Err(e) => Err(e),
        }
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let found = one(clients, field(at, "certificate_arn")).await.ok().flatten();
        found.map(|found| found.in_use_by().to_vec()).unwrap_or_default()
    }
}

impl Call for DescribeCertificate {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let arn = field(sent.input, "certificate_arn");
        match full(clients, arn).await? {
            Some(found) => Ok(found),
            None => Err(CallError::refused("ResourceNotFoundException", format!("no certificate {arn}"))),
        }
    }
}

impl Call for ListCertificates {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let asked: List = sent.typed()?;
        let statuses =
            asked.certificate_statuses.map(|list| list.iter().map(|s| CertificateStatus::from(s.as_str())).collect());
        let pages = clients.acm.list_certificates().set_certificate_statuses(statuses).into_paginator().items().send();
        let found = pages.try_collect().await.map_err(classify)?;
        let shown = Described::new().list("certificates", &found, |one| {
            Described::new()
                .text("certificate_arn", one.certificate_arn())
                .text("domain_name", one.domain_name())
                .text("status", one.status().map(|status| status.as_str()))
                .done()
        });
        Ok(shown.done())
    }
}
