//! The AWS objects of a rehearsal file (`aws:` and `given:`), made, found and taken away through AWS calls as a controller would.
//!
//! * [`records`]: Route 53. [`instance`]: EC2 instances. [`single`]: what one call makes. [`find`]: what `${FIELD of KIND NAME}` means.
//!
//! What is made is remembered by a handle, a JSON text, and nowhere else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::standins::{
    aws::{Aws, Refusal},
    cluster::Inside,
    kube_objects::text,
};

mod find;
mod instance;
mod records;
mod single;
#[cfg(test)]
mod tests;

/// Under this name the calls are in the proxy's log.
const AGENT: &str = "rehearsed";

/// Makes the AWS object that an item of `aws:` says, in which nothing is left to be filled in. `zones` has the real id of each zone of
/// the file. Its handle; none when the object stands already, which is then left as it is.
///
/// `owner` needs nothing here: what goes with another object, AWS takes away with it.
///
/// # Errors
/// AWS refuses, or the kind is none that the testbed makes.
pub async fn put(inside: &Inside, item: &Value, zones: &BTreeMap<String, String>) -> Result<Option<String>, String> {
    let place = text(item, "place");
    if !place.is_empty() && place != inside.region {
        return Err(format!("the testbed makes AWS objects in its cluster's region only, not in {place}"));
    }
    make(&inside.aws.as_agent(AGENT), item, zones).await
}

async fn make(aws: &Aws, item: &Value, zones: &BTreeMap<String, String>) -> Result<Option<String>, String> {
    let kind = text(item, "kind");
    let made = match kind {
        "route53.record_set" => records::put(aws, item, zones).await?,
        "ec2.instance" => instance::put(aws, item).await?,
        "iam.instance_profile" => single::put_profile(aws, item).await?,
        "wafv2.web_acl_association" => single::associate(aws, item).await?,
        "logs.log_group" => single::put_log_group(aws, item).await?,
        "s3.object" => single::put_object(aws, item).await?,
        "ecr.image" => single::put_image(aws, item).await?,
        _ => return Err(format!("the testbed makes no {kind} out of a rehearsal file (rehearsed/aws)")),
    };
    Ok(made.map(|what| json!({ "kind": kind, "what": what }).to_string()))
}

/// Takes away what [`put`] made. Fine when it is gone.
///
/// # Errors
/// AWS refuses, or the handle is none of [`put`]'s.
pub async fn remove(inside: &Inside, handle: &str) -> Result<(), String> {
    unmake(&inside.aws.as_agent(AGENT), handle).await
}

async fn unmake(aws: &Aws, handle: &str) -> Result<(), String> {
    let handle: Value = serde_json::from_str(handle).map_err(|error| format!("no handle: {handle}: {error}"))?;
    let what = &handle["what"];
    match text(&handle, "kind") {
        "route53.record_set" => records::remove(aws, what).await,
        "ec2.instance" => instance::remove(aws, what).await,
        "iam.instance_profile" => single::remove_profile(aws, what).await,
        "wafv2.web_acl_association" => single::disassociate(aws, what).await,
        "logs.log_group" => single::remove_log_group(aws, what).await,
        "s3.object" => single::remove_object(aws, what).await,
        "ecr.image" => single::remove_image(aws, what).await,
        kind => Err(format!("no handle of an object that the testbed makes: {kind}")),
    }
}

/// What `${FIELD of KIND NAME}` asks: the object of that id, ARN, name or tag Name, as a map with `id` and its fields.
///
/// # Errors
/// AWS refuses, or the kind is none that the testbed finds.
pub async fn find(inside: &Inside, kind: &str, name: &str) -> Result<Option<Value>, String> {
    find::find(&inside.aws.as_agent(AGENT), kind, name).await
}

/// Makes what an item of `given:` says, the customer's own: its id in the file, and its real one. What stands already is the answer too.
///
/// # Errors
/// AWS refuses, or it is neither a public hosted zone, nor a region that is on, nor a zone of Cloudflare's.
pub async fn give(aws: &Aws, item: &Value) -> Result<(String, String), String> {
    match text(item, "kind") {
        "route53.hosted_zone" => records::give_zone(&aws.as_agent(AGENT), item).await,
        // Every region is on in the emulators, and Cloudflare is none of them: a run that wrote a record there would not get through.
        "account.region" | "cloudflare.zone" => Ok((text(item, "id").to_owned(), text(item, "id").to_owned())),
        kind => Err(format!("the testbed gives no {kind} before a run (rehearsed/aws)")),
    }
}

/// What was asked for is there: none when it is missing, by these codes.
fn unless<T>(answer: Result<T, Refusal>, missing: &[&str]) -> Result<Option<T>, String> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(refusal) if missing.contains(&refusal.code.as_str()) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}
