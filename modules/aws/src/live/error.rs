//! What AWS answered when it did not do as asked, sorted by what the effect protocol does next (idempotency.md §2).

use std::{error::Error, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_async::time::{SystemTimeSource, TimeSource as _};
use aws_smithy_runtime_api::client::{
    dns::ResolveDnsError,
    orchestrator::HttpResponse,
    result::{DispatchFailure, SdkError},
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use runbook_modules::error::{CallError, Class};

use super::skew;

/// Sorts a failed SDK call. A definite class is given only where the target's own answer (a 4xx with a code) or the way the
/// request failed (it never left) says so; anything else is [`Class::Unknown`].
pub fn classify<E>(error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request_id = error.request_id().or_else(|| error.meta().extra("aws_request_id")).map(str::to_owned);
    let mut sorted = match &error {
        SdkError::ConstructionFailure(_) => CallError::new(Class::NotSent, "RequestNotBuilt", chain(&error)),
        SdkError::TimeoutError(_) => CallError::new(Class::Unknown, "Timeout", chain(&error)),
        SdkError::DispatchFailure(failure) => dispatch(failure, chain(&error)),
        SdkError::ServiceError(answer) => {
            let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
            let status = answer.raw().status().as_u16();
            let now = SystemTimeSource::new().now();
            let skewed = skew::told(answer.raw(), code, message, now);
            let said = match (code, message) {
                ("", "") => foreign(answer.raw()),
                (_, "") => chain(&error),
                _ => message.to_owned(),
            };
            skewed.unwrap_or_else(|| match code {
                "" => CallError::new(Class::Unknown, format!("Http{status}"), said),
                _ => CallError::new(class(status, code, message), code, said),
            })
        }
        SdkError::ResponseError(answer) => {
            CallError::new(Class::Unknown, format!("Http{}", answer.raw().status().as_u16()), chain(&error))
        }
        _ => CallError::new(Class::Unknown, "Unsorted", chain(&error)),
    };
    sorted.request_id = request_id;
    match sorted.class {
        Class::Credentials => sorted.hint("renew the credentials (e.g. `aws sso login`) and resume the run"),
        _ => sorted,
    }
}

/// An answer that lacks what the request was for: nothing is known, neither that it was made nor that it is gone.
pub fn empty(what: &str) -> CallError {
    CallError::new(Class::Unknown, "EmptyAnswer", format!("the answer holds no {what}"))
}

/// What went wrong and why, in the words of each cause, without the answer: it may hold a secret.
fn chain(error: &(dyn Error + 'static)) -> String {
    sources(Some(error)).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An answer without a code of AWS's: something in between gave it, a proxy or a portal. The beginning of its page tells which.
fn foreign(answer: &HttpResponse) -> String {
    let status = answer.status().as_u16();
    let page = String::from_utf8_lossy(answer.body().bytes().unwrap_or_default());
    let page: String = page.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(PAGE).collect();
    let page = if page.is_empty() { String::new() } else { format!(": {page}") };
    format!("status {status}, and the answer is none of AWS's{page}")
}

/// So many characters of a foreign page are told.
const PAGE: usize = 120;

/// A request that got no answer: did it leave at all?
fn dispatch(failure: &DispatchFailure, message: String) -> CallError {
    let source = failure.as_connector_error().map(|e| e as &(dyn Error + 'static));
    if sources(source).any(never_connected) {
        CallError::new(Class::NotSent, "NotConnected", message)
    } else if sources(source).any(|e| e.is::<CredentialsError>()) {
        CallError::new(Class::Credentials, "NoCredentials", message)
    } else if failure.is_user() {
        CallError::new(Class::NotSent, "RequestNotBuilt", message)
    } else {
        CallError::new(Class::Unknown, if failure.is_timeout() { "Timeout" } else { "ConnectionBroken" }, message)
    }
}

/// An error and all that caused it.
fn sources<'a>(error: Option<&'a (dyn Error + 'static)>) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error, |e| (*e).source())
}

fn never_connected(error: &(dyn Error + 'static)) -> bool {
    error.is::<ResolveDnsError>()
        || error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
        || error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
}

/// Sorts an answer with an error code.
///
/// A throttling code counts under any status (AWS sends some as 503). Every other 5xx is unknown, whatever its code.
pub fn class(status: u16, code: &str, message: &str) -> Class {
    // The query protocol of some services puts a fault's class before the name: `Sender/Throttling`.
    let code = code.rsplit('/').next().unwrap_or(code);
    if THROTTLED.contains(&code) || (code == "PriorRequestNotComplete") || status == 429 {
        return Class::Throttled;
    }
    if status >= 500 {
        return Class::Unknown;
    }
    if NOT_YET.iter().any(|(c, text)| *c == code && message.contains(text)) {
        return Class::NotYet;
    }
    if in_use_by_dependents(code, message) || BLOCKED.contains(&code) {
        return Class::Blocked;
    }
    if TOKEN_MISMATCH.contains(&code) {
        return Class::TokenMismatch;
    }
    if CREDENTIALS.contains(&code) {
        return Class::Credentials;
    }
    if ALREADY_EXISTS.contains(&code) || code.ends_with(".Duplicate") || code.ends_with("AlreadyExistsException") {
        return Class::AlreadyExists;
    }
    if NOT_FOUND.contains(&code) || code.ends_with(".NotFound") || code.ends_with("NotFoundException") {
        return Class::NotFound;
    }
    if code == "RequestTimeout" || code == "InternalFailure" || code == "InternalError" {
        return Class::Unknown;
    }
    Class::Refused
}

/// EKS says ResourceInUseException for a second cluster of the same name and for deleting one that still has node groups.
fn in_use_by_dependents(code: &str, message: &str) -> bool {
    let message = message.to_lowercase();
    code == "ResourceInUseException"
        && ["nodegroups attached", "node groups attached", "has nodegroups", "fargate", "is currently", "in progress"]
            .iter()
            .any(|text| message.contains(text))
}

const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "RequestLimitExceededException",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "LimitExceededException.Throttled",
    "EC2ThrottledException",
    "SlowDown",
    "OperationAborted",
    "WAFOptimisticLockException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
];

/// A parent made a moment ago that the asked service does not see yet: code, and what the message says.
const NOT_YET: &[(&str, &str)] = &[
    ("InvalidParameterException", "cannot be assumed"),
    ("InvalidParameterException", "could not be assumed"),
    ("InvalidParameterException", "Role is not authorized"),
    ("InvalidRequestException", "cannot be assumed"),
    ("InvalidParameterValue", "Invalid IAM Instance Profile"),
    ("MalformedPolicyDocument", "Invalid principal in policy"),
    ("InvalidParameterException", "Invalid principal"),
    ("WAFUnavailableEntityException", ""),
];

const BLOCKED: &[&str] = &[
    "DependencyViolation",
    "DeleteConflict",
    "DeleteConflictException",
    "HostedZoneNotEmpty",
    "ResourceInUse",
    "VolumeInUse",
    "InvalidIPAddress.InUse",
    "InvalidNetworkInterface.InUse",
    "InvalidGroup.InUse",
    "OperationNotPermitted.InUse",
    "ConcurrentModification",
    "LastVPCAssociation",
    "WAFAssociatedItemException",
];

const TOKEN_MISMATCH: &[&str] =
    &["IdempotentParameterMismatch", "IdempotentParameterMismatchException", "IdempotentReplayWithDifferentParameters"];

const CREDENTIALS: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "InvalidToken",
];

const ALREADY_EXISTS: &[&str] = &[
    "EntityAlreadyExists",
    "EntityAlreadyExistsException",
    "ResourceExistsException",
    "ResourceInUseException",
    "InvalidSubnet.Conflict",
    "RouteAlreadyExists",
    "Resource.AlreadyAssociated",
    "Resource.AlreadyAssigned",
    "VpcPeeringConnectionAlreadyExists",
    "HostedZoneAlreadyExists",
    "ConflictingDomainExists",
    "NamespaceAlreadyExists",
    "ServiceAlreadyExists",
    "DuplicateRequest",
    "BucketAlreadyOwnedByYou",
    "WAFDuplicateItemException",
    "InvalidKeyPair.Duplicate",
    "InvalidLaunchTemplateName.AlreadyExistsException",
    "DuplicateLoadBalancerName",
    "DuplicateTargetGroupName",
    "DuplicateListener",
];

const NOT_FOUND: &[&str] = &[
    "NoSuchEntity",
    "NoSuchEntityException",
    "NoSuchResourceException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ParameterNotFound",
    "ParameterVersionNotFound",
    "NoSuchHostedZone",
    "NoSuchChange",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NoSuchUpload",
    "WAFNonexistentItemException",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "VPCAssociationNotFound",
    "NamespaceNotFound",
    "ServiceNotFound",
    "InstanceNotFound",
    "OperationNotFound",
    "NatGatewayNotFound",
    "Gateway.NotAttached",
    "InvalidVpcID.NotFound",
    "InvalidLaunchTemplateId.NotFoundException",
    "LoadBalancerNotFound",
    "TargetGroupNotFound",
    "ListenerNotFound",
];
