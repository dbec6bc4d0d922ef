//! The operations of S3: path style, told apart by method, depth and subresource.

use http::{HeaderMap, Method};

/// What each subresource is called in an operation's name.
const SUBRESOURCES: &[(&str, &str)] = &[
    ("acl", "Acl"),
    ("cors", "Cors"),
    ("encryption", "Encryption"),
    ("lifecycle", "LifecycleConfiguration"),
    ("location", "Location"),
    ("logging", "Logging"),
    ("notification", "NotificationConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("ownershipControls", "OwnershipControls"),
    ("policy", "Policy"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("tagging", "Tagging"),
    ("versioning", "Versioning"),
    ("website", "Website"),
];

/// The operation of a request to S3.
pub fn operation(method: &Method, path: &str, query: &[(String, String)], headers: &HeaderMap) -> String {
    let has = |name: &str| query.iter().any(|(key, _)| key == name);
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(2, '/').filter(|part| !part.is_empty()).collect();
    let verb = match method.as_str() {
        "HEAD" => "Head",
        "GET" => "Get",
        "DELETE" => "Delete",
        "POST" => "Post",
        _ => "Put",
    };
    let subresource = SUBRESOURCES.iter().find(|(name, _)| has(name)).map(|(_, called)| *called);
    match (parts.len(), verb, subresource) {
        (0, _, _) => "ListBuckets".to_owned(),
        (1, verb, Some("PublicAccessBlock")) => format!("{verb}PublicAccessBlock"),
        (1, verb, Some(called)) => format!("{verb}Bucket{called}"),
        (1, "Put", None) => "CreateBucket".to_owned(),
        (1, "Get", None) if has("versions") => "ListObjectVersions".to_owned(),
        (1, "Get", None) if has("uploads") => "ListMultipartUploads".to_owned(),
        (1, "Get", None) => "ListObjectsV2".to_owned(),
        (1, "Post", None) if has("delete") => "DeleteObjects".to_owned(),
        (1, verb, None) => format!("{verb}Bucket"),
        (_, verb, Some(called)) => format!("{verb}Object{called}"),
        (_, "Post", None) if has("uploads") => "CreateMultipartUpload".to_owned(),
        (_, "Post", None) => "CompleteMultipartUpload".to_owned(),
        (_, "Delete", None) if has("uploadId") => "AbortMultipartUpload".to_owned(),
        (_, "Put", None) if has("partNumber") => "UploadPart".to_owned(),
        (_, "Put", None) if headers.contains_key("x-amz-copy-source") => "CopyObject".to_owned(),
        (_, verb, None) => format!("{verb}Object"),
    }
}
