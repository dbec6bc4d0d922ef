//! What one call makes: an instance profile, a log group, a web ACL's association, an object in a bucket, an image.

use bytes::Bytes;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::unless;
use crate::standins::{
    aws::Aws,
    kube_objects::{at, items, text},
};

/// What a key may hold plainly in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const WAF: &str = "AWSWAF_20190729";
const LOGS: &str = "Logs_20140328";
const ECR: &str = "AmazonEC2ContainerRegistry_V20150921";
/// AWS says so of what an object is in, and of the object.
const NO_ENTITY: &[&str] = &["NoSuchEntity"];

/// An instance profile with its roles.
pub(super) async fn put_profile(aws: &Aws, item: &Value) -> Result<Option<Value>, String> {
    let name = text(item, "body.instance_profile_name");
    let path = text(item, "body.path");
    let path = if path.is_empty() { "/" } else { path };
    let asked = [("InstanceProfileName", name), ("Path", path)];
    if unless(aws.query("iam", "CreateInstanceProfile", &asked).await, &["EntityAlreadyExists"])?.is_none() {
        return Ok(None);
    }
    let mut roles = Vec::new();
    for role in items(item, "body.roles").iter().filter_map(Value::as_str) {
        let role = role.rsplit('/').next().unwrap_or(role);
        let asked = [("InstanceProfileName", name), ("RoleName", role)];
        aws.query("iam", "AddRoleToInstanceProfile", &asked).await?;
        roles.push(role);
    }
    Ok(Some(json!({ "name": name, "roles": roles })))
}

pub(super) async fn remove_profile(aws: &Aws, what: &Value) -> Result<(), String> {
    let name = text(what, "name");
    for role in items(what, "roles").iter().filter_map(Value::as_str) {
        let asked = [("InstanceProfileName", name), ("RoleName", role)];
        unless(aws.query("iam", "RemoveRoleFromInstanceProfile", &asked).await, NO_ENTITY)?;
    }
    unless(aws.query("iam", "DeleteInstanceProfile", &[("InstanceProfileName", name)]).await, NO_ENTITY).map(|_| ())
}

/// A web ACL on a load balancer.
pub(super) async fn associate(aws: &Aws, item: &Value) -> Result<Option<Value>, String> {
    let resource = text(item, "body.resource_arn");
    let asked = json!({ "ResourceArn": resource });
    let standing = aws.target("wafv2", &format!("{WAF}.GetWebACLForResource"), &asked).await?;
    if !at(&standing, "WebACL.ARN").is_null() {
        return Ok(None);
    }
    let asked = json!({ "ResourceArn": resource, "WebACLArn": text(item, "body.web_acl_arn") });
    aws.target("wafv2", &format!("{WAF}.AssociateWebACL"), &asked).await?;
    Ok(Some(json!({ "resource": resource })))
}

pub(super) async fn disassociate(aws: &Aws, what: &Value) -> Result<(), String> {
    let asked = json!({ "ResourceArn": what["resource"] });
    let ended = aws.target("wafv2", &format!("{WAF}.DisassociateWebACL"), &asked).await;
    unless(ended, &["WAFNonexistentItemException"]).map(|_| ())
}

pub(super) async fn put_log_group(aws: &Aws, item: &Value) -> Result<Option<Value>, String> {
    let name = text(item, "body.log_group_name");
    let made = aws.target("logs", &format!("{LOGS}.CreateLogGroup"), &json!({ "logGroupName": name })).await;
    Ok(unless(made, &["ResourceAlreadyExistsException"])?.map(|_| json!({ "name": name })))
}

pub(super) async fn remove_log_group(aws: &Aws, what: &Value) -> Result<(), String> {
    let ended = aws.target("logs", &format!("{LOGS}.DeleteLogGroup"), &json!({ "logGroupName": what["name"] })).await;
    unless(ended, &["ResourceNotFoundException"]).map(|_| ())
}

/// An object of the size that is said, encrypted as it is said.
pub(super) async fn put_object(aws: &Aws, item: &Value) -> Result<Option<Value>, String> {
    let path = format!("/{}/{}", text(item, "body.bucket"), utf8_percent_encode(text(item, "body.key"), PATH));
    // The answer to HEAD has no body, and so no code but the status.
    if unless(aws.s3(Method::HEAD, &path, &[], Bytes::new()).await, &["404"])?.is_some() {
        return Ok(None);
    }
    let size = at(item, "body.size").as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let encryption = text(item, "body.server_side_encryption");
    let headers = [("x-amz-server-side-encryption", encryption)];
    let headers = if encryption.is_empty() { &headers[..0] } else { &headers[..] };
    aws.s3(Method::PUT, &path, headers, vec![0; size].into()).await?;
    Ok(Some(json!({ "path": path })))
}

pub(super) async fn remove_object(aws: &Aws, what: &Value) -> Result<(), String> {
    let ended = aws.s3(Method::DELETE, text(what, "path"), &[], Bytes::new()).await;
    unless(ended, &["NoSuchBucket", "NoSuchKey"]).map(|_| ())
}

/// An image under its tags. Its digest is the registry's: that of a rehearsal file is made up.
pub(super) async fn put_image(aws: &Aws, item: &Value) -> Result<Option<Value>, String> {
    let repository = text(item, "body.repository_name");
    let tags: Vec<&str> = items(item, "body.image_tags").iter().filter_map(Value::as_str).collect();
    let ids: Value = tags.iter().map(|tag| json!({ "imageTag": tag })).collect();
    let asked = json!({ "repositoryName": repository, "imageIds": ids });
    let standing = aws.target("ecr", &format!("{ECR}.DescribeImages"), &asked).await;
    if unless(standing, &["ImageNotFoundException"])?.is_some() {
        return Ok(None);
    }
    let layer = |kind: &str, digit: &str| {
        let digest = format!("sha256:{}", digit.repeat(64));
        json!({ "mediaType": format!("application/vnd.docker.{kind}"), "size": 1024, "digest": digest })
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": layer("container.image.v1+json", "c"), "layers": [layer("image.rootfs.diff.tar.gzip", "1")],
    });
    for tag in &tags {
        let asked = json!({ "repositoryName": repository, "imageManifest": manifest.to_string(), "imageTag": tag });
        aws.target("ecr", &format!("{ECR}.PutImage"), &asked).await?;
    }
    Ok(Some(json!({ "repository": repository, "ids": ids })))
}

pub(super) async fn remove_image(aws: &Aws, what: &Value) -> Result<(), String> {
    let asked = json!({ "repositoryName": what["repository"], "imageIds": what["ids"] });
    let ended = aws.target("ecr", &format!("{ECR}.BatchDeleteImage"), &asked).await;
    unless(ended, &["RepositoryNotFoundException"]).map(|_| ())
}
