//! What the live calls of EC2 share: tags, filters, and describe calls as reads.

use std::marker::PhantomData;

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, ResourceType, Tag, TagSpecification};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use runbook_modules::{
    error::{CallError, Class},
    target::EFFECT_TAG,
};
use serde_json::{Value, json};

use super::filter;
use crate::live::{Call, Clients, Sent, classify};

/// The tags of a request, for the resource that it makes.
pub fn tags(resource: ResourceType, sent: &Sent<'_>) -> TagSpecification {
    let tags = sent.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    TagSpecification::builder().resource_type(resource).set_tags(Some(tags.collect())).build()
}

/// Described tags as pairs.
pub fn pairs(tags: &[Tag]) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    tags.iter().map(|tag| (tag.key(), tag.value()))
}

/// A filter for one value.
pub fn by(name: impl Into<String>, value: impl Into<String>) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// The filter for what this very request made. A request without an effect tag made nothing.
pub fn by_effect(sent: &Sent<'_>) -> Filter {
    let effect = sent.tags.get(EFFECT_TAG).map_or(sent.token, String::as_str);
    by(format!("tag:{EFFECT_TAG}"), effect)
}

/// The filters of a describe call's input.
pub fn filters(input: &Value) -> Vec<Filter> {
    let each =
        |(name, values): (String, filter::Values)| Filter::builder().name(name).set_values(Some(values.list())).build();
    filter::of(input).into_iter().map(each).collect()
}

/// A list of texts out of an input; empty when it has none.
pub fn texts(input: &Value, field: &str) -> Vec<String> {
    let list = input.get(field).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A list as the SDK takes it: nothing is sent for an empty one.
pub fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

/// A flag as EC2 takes attributes.
pub fn flag(value: Option<bool>) -> Option<AttributeBooleanValue> {
    value.map(|value| AttributeBooleanValue::builder().value(value).build())
}

/// Sorts the error of a call that makes or changes something. "Does not exist" is then said of something that it builds on, made a
/// moment ago and not yet visible everywhere.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
pub fn making<E>(error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let mut sorted = classify(error);
    if sorted.class == Class::NotFound {
        sorted.class = Class::NotYet;
    }
    sorted
}

/// Something that a describe call lists.
pub trait Listed: Send + Sync + 'static {
    /// The input's field for ids.
    const IDS: &'static str;
    /// The field of the answer.
    const ANSWER: &'static str;

    /// All with these ids (any, when there are none) that pass the filters.
    fn list(
        clients: &Clients, ids: Vec<String>, filters: Vec<Filter>,
    ) -> impl Future<Output = Result<Vec<Value>, CallError>> + Send;
}

/// The one with an id; None when it does not exist.
///
/// # Errors
/// See [`CallError`].
pub async fn one<L: Listed>(clients: &Clients, id: &str) -> Result<Option<Value>, CallError> {
    match L::list(clients, vec![id.to_owned()], Vec::new()).await {
        Ok(list) => Ok(list.into_iter().next()),
        Err(e) if e.class == Class::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// The describe call of what is listed.
pub struct List<L>(PhantomData<L>);

impl<L> List<L> {
    /// The call.
    pub const NEW: Self = Self(PhantomData);
}

impl<L: Listed> Call for List<L> {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let list = L::list(clients, texts(sent.input, L::IDS), filters(sent.input)).await?;
        Ok(json!({ L::ANSWER: list }))
    }
}
