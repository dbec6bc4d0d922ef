//! How failed calls are sorted, on the real SDK clients: against a loopback port, with credentials that fail, and by code.

use std::net::TcpListener;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{
    Credentials,
    provider::{SharedCredentialsProvider, error::CredentialsError},
};
use aws_smithy_types::retry::RetryConfig;
use runbook_modules::error::{CallError, Class};

use super::{Clients, classify, error::class};

async fn caller(endpoint: String, credentials: SharedCredentialsProvider) -> CallError {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .build();
    classify(Clients::new(&config).sts.get_caller_identity().send().await.unwrap_err())
}

fn good() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::for_tests())
}

#[tokio::test]
async fn a_refused_connection_means_nothing_was_sent() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = caller(format!("http://127.0.0.1:{port}"), good()).await;
    assert_eq!((error.class, error.code.as_str()), (Class::NotSent, "NotConnected"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || drop(listener.accept()));
    let error = caller(format!("http://127.0.0.1:{port}"), good()).await;
    server.join().unwrap();
    assert_eq!(error.class, Class::Unknown, "{error}");
}

#[tokio::test]
async fn failing_credentials_pause_the_run() {
    let none = || async { Err(CredentialsError::not_loaded("the SSO session has expired")) };
    let none = SharedCredentialsProvider::new(aws_credential_types::credential_fn::provide_credentials_fn(none));
    let error = caller("http://127.0.0.1:1".to_owned(), none).await;
    assert_eq!(error.class, Class::Credentials, "{error}");
    assert!(!error.hints.is_empty());
}

#[test]
fn codes_are_sorted() {
    for (status, code, message, expected) in [
        (400, "InvalidVpcID.NotFound", "", Class::NotFound),
        (400, "InvalidSubnet.Conflict", "", Class::AlreadyExists),
        (400, "InvalidGroup.Duplicate", "", Class::AlreadyExists),
        (400, "DependencyViolation", "", Class::Blocked),
        (400, "IdempotentParameterMismatch", "", Class::TokenMismatch),
        (503, "RequestLimitExceeded", "", Class::Throttled),
        (503, "Unavailable", "", Class::Unknown),
        (500, "InternalError", "", Class::Unknown),
        (400, "InvalidParameterValue", "", Class::Refused),
        (400, "VpcLimitExceeded", "", Class::Refused),
        (401, "AuthFailure", "", Class::Credentials),
        (403, "UnauthorizedOperation", "", Class::Refused),
        (409, "ResourceInUseException", "Cluster already exists with name: c", Class::AlreadyExists),
        (409, "ResourceInUseException", "Cluster has nodegroups attached", Class::Blocked),
        (
            400,
            "InvalidParameterException",
            "Role with arn: x, could not be assumed because it does not exist",
            Class::NotYet,
        ),
        (400, "InvalidParameterException", "unsupported Kubernetes version", Class::Refused),
        (400, "PriorRequestNotComplete", "", Class::Throttled),
        (400, "HostedZoneNotEmpty", "", Class::Blocked),
    ] {
        assert_eq!(class(status, code, message), expected, "{status} {code} {message}");
    }
}
