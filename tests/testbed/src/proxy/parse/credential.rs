//! Who signed a request, and for which service and region: the credential of Signature Version 4.

use http::{HeaderMap, Uri};

use super::fields;

/// The scope of a signature, and its session token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// `AKIA…`; empty when the request is not signed.
    pub access_key: String,
    /// `us-east-1`.
    pub region: String,
    /// The service's name for signing, e.g. `ec2`.
    pub service: String,
    /// The session token of temporary credentials.
    pub session: Option<String>,
    /// Whether the signature stands in the query.
    pub presigned: bool,
}

impl Credential {
    /// Out of the `Authorization` header or the query.
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(scope) = header("authorization").and_then(|text| text.split("Credential=").nth(1)) {
            let scope = scope.split(',').next().unwrap_or_default();
            let session = header("x-amz-security-token").map(str::to_owned);
            return Self { session, ..Self::scoped(scope) };
        }
        let query = fields::pairs(uri.query().unwrap_or_default().as_bytes());
        let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        match asked("X-Amz-Credential") {
            Some(scope) => Self { session: asked("X-Amz-Security-Token"), presigned: true, ..Self::scoped(&scope) },
            None => Self::default(),
        }
    }

    fn scoped(scope: &str) -> Self {
        let parts: Vec<&str> = scope.trim().split('/').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
        Self { access_key: part(0), region: part(2), service: part(3), ..Self::default() }
    }

    /// An `Authorization` header of this scope. The emulators read the scope and check no signature.
    pub fn header(&self) -> String {
        let Self { access_key, region, service, .. } = self;
        format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }
}
