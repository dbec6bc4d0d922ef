//! How failed calls are sorted, on the real SDK clients: against a loopback port, with credentials that fail, and by code.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, SharedCredentialsProvider, error::CredentialsError},
};
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_types::retry::RetryConfig;
use runbook_modules::{
    error::{CallError, Class},
    target::Place,
};

use super::{Clients, classify, credentials::Source, error::class};

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

/// A source whose provider gives these keys one after the other, the last one for ever; each good for so many seconds.
fn source(keys: &'static [(&'static str, u64)]) -> Source {
    let asked = Arc::new(AtomicUsize::new(0));
    let provider = aws_credential_types::credential_fn::provide_credentials_fn(move || {
        let (key, life) = keys[asked.fetch_add(1, Ordering::Relaxed).min(keys.len() - 1)];
        let expiry = UNIX_EPOCH + NOW + Duration::from_secs(life);
        async move { Ok(Credentials::new(key, "s", None, Some(expiry), "test")) }
    });
    let config = SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(provider));
    let time = StaticTimeSource::from_secs(NOW.as_secs());
    Source::of(&config.time_source(time).build()).unwrap()
}

const NOW: Duration = Duration::from_secs(1_000_000);

#[tokio::test]
async fn credentials_are_fresh_when_they_are_others_and_last() {
    let used = source(&[("AKIAUSED", 60)]);
    used.tap.provide_credentials().await.unwrap();
    for (keys, fresh) in
        [(&[("AKIAUSED", 60)][..], false), (&[("AKIANEW", 0)], false), (&[("AKIANEW", 60), ("AKIALATER", 60)], true)]
    {
        let other = source(keys);
        assert_eq!(other.tap.other_than(&used.tap).await, fresh, "{keys:?}");
        let given = other.tap.provide_credentials().await.unwrap();
        assert_eq!(given.access_key_id(), keys[0].0, "what was compared is what is given");
    }
}

#[tokio::test]
async fn what_lapsed_is_named_without_its_secret() {
    let source = source(&[("AKIAWXYZ", 0)]);
    source.tap.provide_credentials().await.unwrap();
    source.tap.worked();
    let place = Place { profile: Some("acme".to_owned()), ..Place::default() };
    let lapse = source.tap.lapse(&place);
    assert_eq!(lapse.from, "profile acme, access key …WXYZ");
    assert_eq!((lapse.expired_ms, lapse.worked_ms), (Some(1_000_000_000), Some(1_000_000_000)));
}
