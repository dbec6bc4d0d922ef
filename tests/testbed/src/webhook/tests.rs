//! The webhook over TLS, before a proxy and moto: who made a cluster enters it, nobody else.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::Webhook;
use crate::{
    emulators::Moto,
    proxy::{Config, Door, Pending, Presigned, Proxy},
    tools,
};

/// A token as clients make it: signed with a secret for a cluster, some minutes ago.
fn token(sts: &str, key: (&str, &str), cluster: &str, minutes: i64) -> String {
    let at = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_mins(minutes)).unwrap();
    let (date, day) = (at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d"));
    let query = format!(
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{day}%2Fus-east-1%2Fsts%2F\
         aws4_request&X-Amz-Date={date}&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id",
        key.0
    );
    let mut headers = HeaderMap::new();
    let host = sts.split("://").nth(1).unwrap();
    headers.insert("host", HeaderValue::from_str(host).unwrap());
    headers.insert("x-k8s-aws-id", HeaderValue::from_str(cluster).unwrap());
    let presigned = Presigned::of(&format!("/?{query}").parse().unwrap());
    let signature = presigned.signature(key.1, &Method::GET, "/", &headers, "UNSIGNED-PAYLOAD");
    format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(format!("{sts}/?{query}&X-Amz-Signature={signature}")))
}

/// The status of a TokenReview.
async fn review(webhook: &Webhook, token: &str) -> Value {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(webhook.ca_pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = webhook.url().trim_start_matches("https://").trim_end_matches('/');
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let asked = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": token } });
    let request = Request::post("/").header("host", address).body(Full::new(Bytes::from(asked.to_string()))).unwrap();
    let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&answer["kind"], &answer["apiVersion"]), (&asked["kind"], &asked["apiVersion"]));
    answer["status"].clone()
}

fn refused(status: &Value) -> &str {
    assert_eq!(status["authenticated"], false, "{status}");
    status["error"].as_str().unwrap()
}

/// A cluster made through the proxy by the key `test`.
async fn make_cluster(proxy: &Proxy, name: &str) {
    let client = crate::proxy::testing::Plain::of(proxy);
    let vpc = client.ec2("CreateVpc", &[("CidrBlock", "10.5.0.0/16")]).await.xml().at(&["vpc", "vpcId"]).to_owned();
    let mut subnets = Vec::new();
    for (block, zone) in [("10.5.1.0/24", "us-east-1a"), ("10.5.2.0/24", "us-east-1b")] {
        let fields = [("VpcId", vpc.as_str()), ("CidrBlock", block), ("AvailabilityZone", zone)];
        subnets.push(client.ec2("CreateSubnet", &fields).await.xml().at(&["subnet", "subnetId"]).to_owned());
    }
    let policy = "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"eks.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";
    let role = [("RoleName", "c"), ("AssumeRolePolicyDocument", policy)];
    client.form("iam", "CreateRole", &role).await.unwrap();
    let body = json!({
        "name": name, "roleArn": "arn:aws:iam::123456789012:role/c", "resourcesVpcConfig": { "subnetIds": subnets },
    });
    let made = client.eks("POST", "/clusters", &body).await;
    assert!(made.status.is_success(), "{:?}", made.body);
}

#[tokio::test]
async fn who_made_the_cluster_enters_and_expired_and_foreign_tokens_are_refused() {
    let Some(tools) = tools::require() else { return };
    let moto = Moto::start(&tools).unwrap();
    let door = Door::open().unwrap();
    let webhook = Webhook::start("c", &door.url(), door.access()).await.unwrap();
    let keys = [("test", "test"), ("AKIAOTHER", "other")].map(|(key, secret)| (key.to_owned(), secret.to_owned()));
    let config = Config { door: Some(door), pending: Pending::none(), keys: keys.into(), ..Config::new(moto.url()) };
    let proxy = Proxy::start(config).await.unwrap();
    let (sts, test) = (proxy.url(), ("test", "test"));

    let early = review(&webhook, &token(&sts, test, "c", 0)).await;
    assert!(refused(&early).contains("no access entry"), "{early}");
    make_cluster(&proxy, "c").await;
    let status = review(&webhook, &token(&sts, test, "c", 0)).await;
    let user = json!({
        "username": "arn:aws:sts::123456789012:user/moto", "uid": "aws-iam-authenticator:arn:aws:sts::123456789012:user/moto",
        "groups": ["system:masters"],
    });
    assert_eq!(status, json!({ "authenticated": true, "user": user }));
    let aws = token("https://sts.us-east-1.amazonaws.com", test, "c", 14);
    assert_eq!(review(&webhook, &aws).await["authenticated"], true);

    for (token, why) in [
        (token(&sts, test, "c", 16), "expired"),
        (token(&sts, test, "other", 0), "SignatureDoesNotMatch"),
        (token(&sts, ("test", "guessed"), "c", 0), "SignatureDoesNotMatch"),
        (token(&sts, ("AKIAUNKNOWN", "x"), "c", 0), "InvalidClientTokenId"),
        (token("http://127.0.0.1:9", test, "c", 0), "not to STS"),
        ("something else".to_owned(), "k8s-aws-v1."),
    ] {
        let status = review(&webhook, &token).await;
        assert!(refused(&status).contains(why), "{why}: {status}");
    }
}
