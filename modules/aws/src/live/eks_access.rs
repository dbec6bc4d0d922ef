//! How the API server of an EKS cluster is reached: endpoint and certificates out of its description, and a token that is a
//! GetCallerIdentity request signed beforehand, which the cluster sends to STS to learn who we are. No kubeconfig, no aws program.
//!
//! Source: <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>.

use std::time::{Duration, SystemTime};

use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_async::time::{SystemTimeSource, TimeSource};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use runbook_modules::{
    error::{CallError, Class},
    target::Place,
};

use super::{Clients, Live, classify, target::taken};

/// A token is taken for 15 minutes. It is renewed much earlier, so that what is begun with it (helm) has ten minutes at least.
pub const RENEW_AFTER: Duration = Duration::from_secs(5 * 60);
/// The form of the token that EKS takes.
const PREFIX: &str = "k8s-aws-v1.";
/// For how long STS takes the signature.
const EXPIRES: Duration = Duration::from_secs(60);

/// A cluster that can be spoken to.
pub struct Reach {
    /// `https://…` of the API server.
    pub endpoint: String,
    /// The certificates that sign the server's.
    pub ca_pem: String,
    /// The token. A secret.
    pub token: String,
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reach").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Live {
    /// Asks for the cluster of a place and signs a token for it.
    ///
    /// # Errors
    /// `NotFound` when there is no such cluster, `NotYet` while it has no endpoint, `Credentials` when there are none that work, and
    /// what DescribeCluster answers.
    pub async fn reach(&self, place: &Place) -> Result<Reach, CallError> {
        let cluster = place.cluster.as_deref().unwrap_or_default();
        let clients = self.clients(place).await;
        taken(&clients, reach(&clients, cluster).await)
    }
}

async fn reach(clients: &Clients, cluster: &str) -> Result<Reach, CallError> {
    let answer = clients.eks.describe_cluster().name(cluster).send().await.map_err(classify)?;
    let found =
        answer.cluster().ok_or_else(|| CallError::new(Class::Unknown, "NoCluster", "no cluster in the answer"))?;
    let not_yet = |what: &str| {
        let status = found.status().map_or("in an unknown state", |status| status.as_str());
        CallError::new(Class::NotYet, "ClusterNotReady", format!("cluster {cluster} is {status} and has no {what} yet"))
    };
    let endpoint = found.endpoint().filter(|text| !text.is_empty()).ok_or_else(|| not_yet("endpoint"))?;
    let data = found.certificate_authority().and_then(|ca| ca.data()).ok_or_else(|| not_yet("certificate"))?;
    let ca_pem = STANDARD.decode(data).ok().and_then(|pem| String::from_utf8(pem).ok());
    let ca_pem = ca_pem.ok_or_else(|| {
        CallError::refused("BadCertificate", format!("the certificate authority of cluster {cluster} is no PEM"))
    })?;
    Ok(Reach { endpoint: endpoint.to_owned(), ca_pem, token: token(clients, cluster).await? })
}

async fn token(clients: &Clients, cluster: &str) -> Result<String, CallError> {
    let none = |why: String| CallError::new(Class::Credentials, "NoCredentials", why);
    let provider = clients.signer.as_ref().ok_or_else(|| none("no credentials are configured".to_owned()))?;
    let credentials = provider.provide_credentials().await.map_err(|error| none(error.to_string()))?;
    let unsigned = |why: String| CallError::new(Class::NotSent, "TokenNotSigned", why);
    let endpoint = match &clients.sts_endpoint {
        Some(endpoint) => endpoint.clone(),
        None => regional(&clients.region).await.map_err(unsigned)?,
    };
    signed(&endpoint, &clients.region, cluster, credentials, SystemTimeSource::new().now()).map_err(unsigned)
}

/// STS in the cluster's region, as EKS wants it.
async fn regional(region: &str) -> Result<String, String> {
    let params =
        Params::builder().region(region).use_global_endpoint(false).build().map_err(|error| error.to_string())?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await.map_err(|error| error.to_string())?;
    Ok(endpoint.url().to_owned())
}

fn signed(
    endpoint: &str, region: &str, cluster: &str, credentials: Credentials, now: SystemTime,
) -> Result<String, String> {
    let url = format!("{}/?Action=GetCallerIdentity&Version=2011-06-15", endpoint.trim_end_matches('/'));
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES);
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?;
    let headers = [("x-k8s-aws-id", cluster)];
    let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(&[]));
    let request = request.map_err(|error| error.to_string())?;
    let (instructions, _) = sign(request, &params.into()).map_err(|error| error.to_string())?.into_parts();
    let mut request = http::Request::get(&url).body(()).map_err(|error| error.to_string())?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(request.uri().to_string())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::Credentials;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::{PREFIX, regional, signed};

    fn url(endpoint: &str, session: Option<&str>) -> String {
        let credentials = Credentials::new("AKID", "SECRET", session.map(str::to_owned), None, "test");
        let now = std::time::UNIX_EPOCH + Duration::from_secs(1_763_740_000);
        let token = signed(endpoint, "eu-west-1", "demo", credentials, now).unwrap_or_default();
        let encoded = token.strip_prefix(PREFIX).unwrap_or_default();
        assert!(!encoded.ends_with('='), "{encoded}");
        String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap_or_default()).unwrap_or_default()
    }

    #[test]
    fn the_token_is_a_presigned_question_who_we_are() {
        let url = url("https://sts.eu-west-1.amazonaws.com", None);
        assert!(
            url.starts_with("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&"),
            "{url}"
        );
        for part in [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKID%2F20251121%2Feu-west-1%2Fsts%2Faws4_request",
            "X-Amz-Date=20251121T154640Z",
            "X-Amz-Expires=60",
            "X-Amz-SignedHeaders=host%3Bx-k8s-aws-id",
            "X-Amz-Signature=",
        ] {
            assert!(url.contains(part), "{part} in {url}");
        }
        assert!(!url.contains("SECRET"));
    }

    #[test]
    fn a_configured_endpoint_and_a_session_are_in_it() {
        let url = url("http://127.0.0.1:5000/", Some("a+b/c="));
        assert!(url.starts_with("http://127.0.0.1:5000/?Action="), "{url}");
        assert!(url.contains("X-Amz-Security-Token=a%2Bb%2Fc%3D"), "{url}");
    }

    #[tokio::test]
    async fn sts_is_the_regions_own() {
        assert_eq!(regional("eu-west-1").await, Ok("https://sts.eu-west-1.amazonaws.com".to_owned()));
        assert_eq!(regional("cn-north-1").await, Ok("https://sts.cn-north-1.amazonaws.com.cn".to_owned()));
    }
}
