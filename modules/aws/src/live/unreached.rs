//! Nothing was sent: a name that does not resolve, and a certificate that is not to be trusted.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    dns::{DnsFuture, ResolveDns, ResolveDnsError},
    http::SharedHttpClient,
};
use aws_smithy_types::retry::RetryConfig;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use runbook_modules::error::{CallError, Class};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::{Clients, classify};

/// Asks who we are.
async fn asked(endpoint: String, http: SharedHttpClient) -> Result<(), CallError> {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .endpoint_url(endpoint)
        .build();
    Clients::new(&config).sts.get_caller_identity().send().await.map(drop).map_err(classify)
}

/// As the SDK's own client.
const TLS: Provider = Provider::Rustls(CryptoMode::AwsLc);

#[derive(Debug, Clone)]
struct Nowhere;

impl ResolveDns for Nowhere {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(Err(ResolveDnsError::new(format!("no such name: {name}"))))
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_means_nothing_was_sent() {
    let error = asked("https://sts.test".to_owned(), Builder::new().tls_provider(TLS).build_with_resolver(Nowhere))
        .await
        .unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::NotSent, "NotConnected"), "{error}");
    assert!(error.message.contains("no such name: sts.test"), "{error}");
}

/// An authority, and what a server shows that it signed.
struct Shown {
    authority: String,
    certificate: String,
    key: String,
}

fn shown(name: &str, years: (i32, i32)) -> Shown {
    let mut of = CertificateParams::default();
    of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = of.self_signed(&key).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    let server = KeyPair::generate().unwrap();
    let signed = params.signed_by(&server, &Issuer::new(of, key)).unwrap();
    Shown { authority: own.pem(), certificate: signed.pem(), key: server.serialize_pem() }
}

/// Answers over TLS, and gives how many requests it read.
async fn serve(shown: &Shown) -> (String, JoinHandle<u32>) {
    let certificate = CertificateDer::from_pem_slice(shown.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return 0 };
        if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
            let body = "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>";
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            return 1;
        }
        0
    });
    (endpoint, served)
}

#[tokio::test]
async fn a_certificate_that_is_not_to_be_trusted_means_nothing_was_sent() {
    let (here, now) = ("127.0.0.1", (2020, 2100));
    let strange = Shown { authority: shown(here, now).authority, ..shown(here, now) };
    let cases = [
        ("good", shown(here, now)),
        ("expired", shown(here, (2020, 2021))),
        ("of another name", shown("sts.test", now)),
        ("of a stranger", strange),
    ];
    for (what, shown) in cases {
        let (endpoint, served) = serve(&shown).await;
        let trusted = TrustStore::empty().with_pem_certificate(shown.authority.as_bytes());
        let context = TlsContext::builder().with_trust_store(trusted).build().unwrap();
        let answer = asked(endpoint, Builder::new().tls_provider(TLS).tls_context(context).build_https()).await;
        let read = served.await.unwrap();
        match (what, answer) {
            ("good", answer) => assert_eq!((answer, read), (Ok(()), 1)),
            (_, Ok(())) => panic!("{what}: it was answered"),
            (_, Err(error)) => {
                assert_eq!(
                    (error.class, error.code.as_str(), read),
                    (Class::NotSent, "NotConnected", 0),
                    "{what}: {error}"
                );
                assert!(error.message.contains("certificate"), "{what}: {error}");
            }
        }
    }
}
