//! A plain client of the proxy, for tests.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use super::{Proxy, xml::Element};

/// An answer, as a client sees it.
pub(crate) struct Seen {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn xml(&self) -> Element {
        Element::parse(&self.body).unwrap_or_default()
    }

    /// The code of an error document.
    pub(crate) fn code(&self) -> String {
        let document = self.xml();
        let error =
            document.items(&["Errors"]).first().or_else(|| document.child("Error")).cloned().unwrap_or_default();
        match self.json()["__type"].as_str() {
            Some(code) => code.to_owned(),
            None => error.at(&["Code"]).to_owned(),
        }
    }
}

/// A plain client of the proxy, which signs nothing but names a scope.
pub(crate) struct Plain {
    pub(crate) client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) base: String,
}

impl Plain {
    pub(crate) fn of(proxy: &Proxy) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), base: proxy.url() }
    }

    pub(crate) async fn ask(
        &self, service: &str, method: &str, path: &str, headers: &[(&str, &str)], body: String,
    ) -> Result<Seen, String> {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.base)).header("authorization", scope);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|e| e.to_string())?;
        let answer = self.client.request(request).await.map_err(|e| format!("{e:?}"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| format!("{e:?}"))?.to_bytes();
        Ok(Seen { status, body })
    }

    pub(crate) async fn form(&self, service: &str, action: &str, fields: &[(&str, &str)]) -> Result<Seen, String> {
        let version = match service {
            "ec2" => "2016-11-15",
            "elasticloadbalancing" => "2015-12-01",
            _ => "2010-05-08",
        };
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", version)
            .extend_pairs(fields)
            .finish();
        self.ask(service, "POST", "/", &[("content-type", "application/x-www-form-urlencoded")], body).await
    }

    pub(crate) async fn ec2(&self, action: &str, fields: &[(&str, &str)]) -> Seen {
        self.form("ec2", action, fields).await.unwrap()
    }

    pub(crate) async fn eks(&self, method: &str, path: &str, body: &Value) -> Seen {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask("eks", method, path, &[("content-type", "application/json")], body).await.unwrap()
    }

    pub(crate) async fn cloud_map(&self, operation: &str, body: Value) -> Seen {
        let target = format!("Route53AutoNaming_v20170314.{operation}");
        self.ask("servicediscovery", "POST", "/", &[("x-amz-target", &target)], body.to_string()).await.unwrap()
    }

    pub(crate) async fn route53(&self, method: &str, path: &str, body: &str) -> Seen {
        self.ask("route53", method, &format!("/2013-04-01/{path}"), &[], body.to_owned()).await.unwrap()
    }
}
