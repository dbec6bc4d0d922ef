//! The token webhook: the API servers ask it about our EKS tokens, as EKS's do.
//!
//! A token must be a presigned GetCallerIdentity, younger than 15 minutes, signed for this cluster. It is sent to STS (the proxy, which
//! checks the signature); whoever STS names is looked up in the cluster's access entries. Tokens use real time, never the test clock.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use crate::{
    certificates::Authority,
    proxy::{Access, Element},
    tls::{Broken, Server},
};

#[cfg(test)]
mod tests;
mod token;

/// A webhook of one cluster. It stops when it is dropped.
#[derive(Debug)]
pub struct Webhook {
    url: String,
    ca_pem: String,
    _server: Server,
}

/// What it judges by.
struct Judge {
    cluster: String,
    sts: String,
    access: Access,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Webhook {
    /// Starts the webhook of a cluster on a free loopback port, over TLS. `sts` is the address of the proxy.
    ///
    /// # Errors
    /// The certificate or the port cannot be had.
    pub async fn start(cluster: &str, sts: &str, access: Access) -> Result<Self, String> {
        let authority = Authority::new("token webhook")?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let judge =
            Arc::new(Judge { cluster: cluster.to_owned(), sts: sts.trim_end_matches('/').to_owned(), access, client });
        let certified = authority.server("token webhook", &["localhost"])?;
        let server = Server::start(&certified, move |request| answer(Arc::clone(&judge), request)).await;
        let server = server.map_err(|why| format!("the token webhook: {why}"))?;
        Ok(Self { url: format!("{}/", server.url()), ca_pem: authority.own().certificate.clone(), _server: server })
    }

    /// `https://127.0.0.1:PORT/`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The authority of its certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}

async fn answer(judge: Arc<Judge>, request: Request<hyper::body::Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
    let body = request.into_body().collect().await?.to_bytes();
    let review: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = review["spec"]["token"].as_str().unwrap_or_default();
    let status = match judge.review(token).await {
        Ok(user) => json!({ "authenticated": true, "user": user }),
        Err(why) => json!({ "authenticated": false, "error": why }),
    };
    let answer = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status });
    let mut response = Response::new(Full::new(answer.to_string().into()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

impl Judge {
    /// The user of a token.
    async fn review(&self, token: &str) -> Result<Value, String> {
        let uri = token::read(token, &self.sts, jiff::Timestamp::now())?;
        let arn = self.caller(&uri).await?;
        let groups = self.access.groups(&self.cluster, &arn);
        let groups = groups.ok_or_else(|| format!("{arn} has no access entry in cluster {}", self.cluster))?;
        Ok(json!({ "username": arn, "uid": format!("aws-iam-authenticator:{arn}"), "groups": groups }))
    }

    /// Whom STS names, when the request is sent as it was signed, with this cluster's name.
    async fn caller(&self, uri: &http::Uri) -> Result<String, String> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        let request = Request::get(format!("{}{path}", self.sts))
            .header(header::HOST, host)
            .header(token::CLUSTER, &self.cluster)
            .body(Full::default())
            .map_err(|e| format!("the token's request cannot be sent: {e}"))?;
        let answer = self.client.request(request).await.map_err(|e| format!("STS cannot be reached: {e}"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| format!("STS broke off: {e}"))?.to_bytes();
        let document = Element::parse(&body).unwrap_or_default();
        match document.at(&["GetCallerIdentityResult", "Arn"]) {
            "" => {
                let error = document.child("Error").cloned().unwrap_or_default();
                Err(format!("STS refuses the token: {status}: {}: {}", error.at(&["Code"]), error.at(&["Message"])))
            }
            arn => Ok(arn.to_owned()),
        }
    }
}
