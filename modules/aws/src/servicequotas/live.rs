//! GetServiceQuota, and GetAWSDefaultServiceQuota where the account has no value of its own.

use aws_sdk_servicequotas::types::ServiceQuota;
use runbook_modules::error::{CallError, Class};
use serde_json::Value;

use super::quota::Get;
use crate::live::{Call, Clients, Sent, classify, convert::Described};

pub(super) struct GetServiceQuota;

impl Call for GetServiceQuota {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Get { service_code, quota_code } = sent.typed()?;
        let service = &clients.servicequotas;
        let request = service.get_service_quota().service_code(&service_code).quota_code(&quota_code);
        let found = match request.send().await.map_err(classify) {
            Ok(answer) => answer.quota,
            Err(error) if error.code == "NoSuchResourceException" => {
                let request = service.get_aws_default_service_quota().service_code(service_code).quota_code(quota_code);
                request.send().await.map_err(classify)?.quota
            }
            Err(error) => return Err(error),
        };
        found
            .and_then(|quota| described(&quota))
            .ok_or_else(|| CallError::new(Class::Unknown, "NoQuota", "the answer has no quota's value in it"))
    }
}

/// None for one without a value.
fn described(quota: &ServiceQuota) -> Option<Value> {
    let (service, code) = (quota.service_code().unwrap_or_default(), quota.quota_code().unwrap_or_default());
    let described = Described::new()
        .text("id", Some(&format!("{service}/{code}")))
        .text("service_code", quota.service_code())
        .text("quota_code", quota.quota_code())
        .text("quota_name", quota.quota_name())
        .value("value", Some(number(quota.value()?)))
        .text("unit", quota.unit())
        .value("adjustable", Some(quota.adjustable()));
    Some(described.done())
}

/// AWS sends every value as a fraction; those that count things are whole.
#[expect(clippy::cast_possible_truncation, reason = "whole, and far from the limits")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { Value::from(value as i64) } else { Value::from(value) }
}

#[cfg(test)]
mod tests {
    use runbook_modules::error::Class;
    use serde_json::{Value, json};

    use crate::{
        live::testing::{Answer, Wire, json_answer, sent, tags},
        servicequotas::call,
    };

    fn quota(value: f64) -> Answer {
        let quota = json!({
            "ServiceCode": "vpc", "ServiceName": "Amazon Virtual Private Cloud (Amazon VPC)", "QuotaCode": "L-F678F1CE",
            "QuotaArn": "arn:aws:servicequotas:us-east-1:123456789012:vpc/L-F678F1CE", "QuotaName": "VPCs per Region",
            "Value": value, "Unit": "None", "Adjustable": true, "GlobalQuota": false,
        });
        json_answer(200, json!({ "Quota": quota }))
    }

    fn refusal(code: &str) -> Answer {
        json_answer(400, json!({ "__type": code, "Message": "no" }))
    }

    async fn get(wire: &Wire) -> Result<Value, runbook_modules::error::CallError> {
        let (input, tags) = (json!({ "service_code": "vpc", "quota_code": "L-F678F1CE" }), tags());
        call("servicequotas.get_service_quota").unwrap().call(&wire.clients, &sent(&input, &tags)).await
    }

    #[tokio::test]
    async fn what_applies_to_the_account_is_answered() {
        let wire = Wire::answering([quota(12.0)]);
        let told = json!({
            "id": "vpc/L-F678F1CE", "service_code": "vpc", "quota_code": "L-F678F1CE", "quota_name": "VPCs per Region",
            "value": 12, "unit": "None", "adjustable": true,
        });
        assert_eq!(get(&wire).await.unwrap(), told);
        let seen = wire.seen();
        assert_eq!((seen.len(), seen[0].target.as_str()), (1, "ServiceQuotasV20190624.GetServiceQuota"));
        assert_eq!(seen[0].json(), json!({ "ServiceCode": "vpc", "QuotaCode": "L-F678F1CE" }));
    }

    #[tokio::test]
    async fn where_the_account_has_none_it_is_the_default_of_aws() {
        let wire = Wire::answering([refusal("NoSuchResourceException"), quota(0.5)]);
        assert_eq!(get(&wire).await.unwrap()["value"], 0.5, "a rate may be a fraction");
        let seen = wire.seen();
        assert_eq!(seen[1].target, "ServiceQuotasV20190624.GetAWSDefaultServiceQuota");
        assert_eq!(seen[1].json(), seen[0].json());
        let wire = Wire::answering([refusal("NoSuchResourceException"), refusal("NoSuchResourceException")]);
        let error = get(&wire).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::NotFound, "NoSuchResourceException"));
    }

    #[tokio::test]
    async fn who_may_not_ask_is_told_so_at_once() {
        let wire = Wire::answering([refusal("AccessDeniedException")]);
        let error = get(&wire).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Refused, "AccessDeniedException"));
        assert_eq!(wire.seen().len(), 1, "the default was not asked for");
        let wire = Wire::answering([json_answer(200, json!({}))]);
        assert_eq!(get(&wire).await.unwrap_err().code, "NoQuota");
    }
}
