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
use aws_smithy_async::time::{StaticTimeSource, SystemTimeSource, TimeSource as _};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::{
    client::orchestrator::{HttpRequest, HttpResponse},
    http::StatusCode,
};
use aws_smithy_types::{DateTime, body::SdkBody, date_time::Format, retry::RetryConfig};
use runbook_modules::{
    error::{CallError, Class},
    target::{Place, Target as _},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Clients, Live, classify, credentials::Source, error::class};
use crate::testing::Jumping;

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

/// With the SDK's own retries each would be sent three times.
#[tokio::test]
async fn the_sdk_sends_nothing_again_by_itself() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _request = stream.read(&mut [0; 4096]).await;
            counted.fetch_add(1, Ordering::Relaxed);
            let busy = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _gone = stream.write_all(busy.as_bytes()).await;
        }
    });
    let clients = Clients::of_emulator(&endpoint, "us-east-1");
    assert!(clients.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.is_err());
    assert!(clients.s3.create_bucket().bucket("one").send().await.is_err());
    assert!(clients.servicediscovery.create_http_namespace().name("one").send().await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    server.abort();
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

/// STS with a clock of its own, which answers the first request with an error and the second one as it should.
fn skewed(ahead: Duration, status: u16, code: &str) -> (Clients, StaticReplayClient) {
    let date = DateTime::from(SystemTimeSource::new().now() + ahead).fmt(Format::HttpDate).unwrap();
    let refusal = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>Signature expired</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    let caller = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                  <Arn>arn:aws:iam::123456789012:user/t</Arn><UserId>A</UserId><Account>123456789012</Account>\
                  </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let event = |(status, body): (u16, String)| {
        let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
        response.headers_mut().insert("date", date.clone());
        ReplayEvent::new(HttpRequest::new(SdkBody::empty()), response)
    };
    let http = StaticReplayClient::new([(status, refusal), (200, caller.to_owned())].map(event).into());
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(good())
        .retry_config(RetryConfig::disabled())
        .http_client(http.clone());
    (Clients::new(&config.build()), http)
}

/// The times in the signatures of all requests, in seconds of their days.
fn signed(http: &StaticReplayClient) -> Vec<i64> {
    let seconds = |date: &str| {
        let part = |at: usize| date[at..at + 2].parse::<i64>().unwrap();
        part(9) * 3600 + part(11) * 60 + part(13)
    };
    http.actual_requests().map(|request| seconds(request.headers().get("x-amz-date").unwrap())).collect()
}

#[tokio::test]
async fn a_clock_that_is_not_awss_is_told_and_the_next_request_has_awss_time() {
    for (ahead, code) in
        [(7_200, "RequestTimeTooSkewed"), (7_200, "InvalidSignatureException"), (600, "SignatureDoesNotMatch")]
    {
        let (clients, http) = skewed(Duration::from_secs(ahead), 403, code);
        let error = classify(clients.sts.get_caller_identity().send().await.unwrap_err());
        assert_eq!((error.class, error.code.as_str()), (Class::NotSent, "ClockSkew"), "{error}");
        assert!(error.message.contains(code) && error.message.contains("minutes behind AWS's"), "{error}");
        assert!(error.hints.iter().any(|hint| hint.contains("set the clock")), "{error}");
        assert!(clients.sts.get_caller_identity().send().await.is_ok());
        let times = signed(&http);
        let apart = (times[1] - times[0]).rem_euclid(86_400);
        assert!(apart.abs_diff(i64::try_from(ahead).unwrap()) <= 5, "{code}: signed {apart} s later");
    }
}

#[tokio::test]
async fn the_caller_is_asked_once_more_with_awss_time() {
    let (clients, http) = skewed(Duration::from_secs(7_200), 403, "InvalidSignatureException");
    let place = Place { region: "us-east-1".to_owned(), ..Place::default() };
    let about = Live::with(place.clone(), clients).about(&place, &Jumping::default()).await.unwrap();
    assert_eq!((about.account.as_str(), http.actual_requests().count()), ("123456789012", 2));
}

#[tokio::test]
async fn a_wrong_signature_at_the_right_time_is_one_of_wrong_credentials() {
    for code in ["SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"] {
        let (clients, _) = skewed(Duration::ZERO, 403, code);
        let error = classify(clients.sts.get_caller_identity().send().await.unwrap_err());
        assert_eq!((error.class, error.code.as_str()), (Class::Credentials, code), "{error}");
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
