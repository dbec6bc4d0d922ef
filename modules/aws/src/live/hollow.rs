//! Answers with status 200 that are none: an empty one, or one with an error inside, as something between us and AWS gives them. The
//! SDK takes what is not in such an answer for absent, and so an empty list: what still stands would count as gone.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef},
        orchestrator::{HttpResponse, Metadata},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use serde::{Deserialize, de::IgnoredAny};

/// Refuses hollow answers to reads. What is changed is read afterwards, and many a change has no answer.
#[derive(Debug)]
pub struct NoHollowAnswers;

impl Intercept for NoHollowAnswers {
    fn name(&self) -> &'static str {
        "NoHollowAnswers"
    }

    fn read_after_deserialization(
        &self, context: &AfterDeserializationInterceptorContextRef<'_>, _: &RuntimeComponents, config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(Metadata::name).unwrap_or_default();
        match hollow(context.response()).filter(|_| reads(operation)) {
            Some(why) => Err(format!("the answer to {operation} {why}").into()),
            None => Ok(()),
        }
    }
}

/// Whether an operation is a read that has something to say.
fn reads(operation: &str) -> bool {
    ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb))
}

/// Why an answer says nothing; None when it says something.
fn hollow(answer: &HttpResponse) -> Option<&'static str> {
    let body = answer.body().bytes().filter(|_| answer.status().is_success())?;
    if body.is_empty() {
        return Some("is empty");
    }
    let error = answer.headers().get("x-amzn-errortype").is_some() || error_in_json(body) || error_in_cbor(body);
    error.then_some("has status 200 and holds an error")
}

/// The field by which services that speak JSON tell an error.
const TYPE: &str = "__type";

fn error_in_json(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "__type")]
        told: Option<IgnoredAny>,
    }
    body.windows(TYPE.len()).any(|part| part == TYPE.as_bytes())
        && serde_json::from_slice::<Told>(body).is_ok_and(|told| told.told.is_some())
}

/// In CBOR a text begins with its length; the first one of a map follows the byte that begins the map.
fn error_in_cbor(body: &[u8]) -> bool {
    let first = body.get(1..).and_then(|rest| rest.strip_prefix(&[0x60 + TYPE.len() as u8]));
    first.is_some_and(|text| text.starts_with(TYPE.as_bytes()))
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use runbook_modules::table::Table;
    use serde_json::{Value, json};

    use super::*;
    use crate::live::{driver, testing::Wire};

    /// What locators name.
    const NAMES: &str = "name bucket role_name vpc_id cluster_name id user_name repository_name log_group_name hosted_zone_id group_id \
        db_proxy_name rule route_table_id resource_arn policy_name internet_gateway_id instance_profile_name arn subnet_id \
        db_instance_identifier db_cluster_identifier certificate_arn addon_name vpc_peering_connection_id volume_id \
        target_group_arn snapshot_id service_id route_table_association_id queue_name principal_arn policy_arn \
        option_group_name nodegroup_name network_interface_id nat_gateway_id load_balancer_arn listener_arn launch_template_id \
        key_id instance_id flow_log_id destination_cidr_block db_subnet_group_name db_parameter_group_name \
        db_cluster_parameter_group_name association_id allocation_id alias_name alarm_name type target_group_name \
        set_identifier scope region_name event_bus_name aws_service_name access_key_id";

    /// Of whatever kind something is, an answer that says nothing does not say that it is gone.
    #[tokio::test]
    async fn an_empty_answer_does_not_mean_that_nothing_stands() {
        let at: Value = NAMES
            .split(' ')
            .map(|name| (name.to_owned(), Value::from("one")))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let mut table = Table::default();
        crate::register(&mut table);
        let mut asked = 0;
        for kind in table.kinds().map(|kind| kind.meta().name) {
            let wire = Wire::answering(vec![(200, ""); 8]);
            let read = driver(kind).expect("live calls").read(&wire.clients, &at).await;
            assert!(!matches!(read, Ok(None)), "{kind}: {:?}", wire.seen());
            asked += usize::from(!wire.seen().is_empty());
        }
        assert!(asked > 50, "{asked} kinds ask");
    }

    fn why(status: u16, body: impl Into<SdkBody>) -> Option<&'static str> {
        hollow(&HttpResponse::new(StatusCode::try_from(status).unwrap(), body.into()))
    }

    #[test]
    fn an_answer_says_something_or_nothing() {
        let inside = Some("has status 200 and holds an error");
        assert_eq!(why(200, ""), Some("is empty"));
        assert_eq!(why(503, ""), None);
        assert_eq!(why(200, "{}"), None);
        assert_eq!(why(200, "<DescribeVpcsResponse/>"), None);
        assert_eq!(why(200, r#"{"__type": "InternalError", "message": "no"}"#), inside);
        assert_eq!(why(400, r#"{"__type": "InternalError"}"#), None);
        assert_eq!(why(200, r#"{"attributes": {"__type": "of a user's"}, "text": "__type"}"#), None);
        let cbor = |value| {
            let mut bytes = Vec::new();
            ciborium::into_writer(&value, &mut bytes).unwrap();
            bytes
        };
        assert_eq!(why(200, cbor(json!({"__type": "InternalError", "message": "no"}))), inside);
        assert_eq!(why(200, cbor(json!({"MetricAlarms": []}))), None);
        let mut named = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from("{}"));
        named.headers_mut().insert("x-amzn-errortype", "InternalError");
        assert_eq!(hollow(&named), inside);
    }

    #[test]
    fn reads_are_told_by_their_verbs() {
        assert!(["DescribeVpcs", "GetQueueUrl", "ListUsers"].iter().all(|operation| reads(operation)));
        assert!(["DeleteQueue", "PutBucketPolicy", "HeadBucket", ""].iter().all(|operation| !reads(operation)));
    }
}
