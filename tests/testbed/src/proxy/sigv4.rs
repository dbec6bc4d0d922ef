//! Checks the signature of a presigned request (AWS Signature Version 4, query form).
//!
//! The emulators check no signatures; but only the signature binds an EKS token to its cluster, whose name is a signed header.

use http::{HeaderMap, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::parse::pairs;

/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

/// A presigned request's parts that the signature covers.
#[derive(Debug)]
pub struct Presigned {
    query: Vec<(String, String)>,
}

impl Presigned {
    /// Out of a URI.
    pub fn of(uri: &Uri) -> Self {
        Self { query: pairs(uri.query().unwrap_or_default().as_bytes()) }
    }

    /// A parameter; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// When it was signed; None when the date is no date.
    pub fn signed_at(&self) -> Option<jiff::Timestamp> {
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", self.get("X-Amz-Date")).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    }

    /// The names of its parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.query.iter().map(|(name, _)| name.as_str())
    }

    /// The names of the signed headers.
    pub fn signed_headers(&self) -> Vec<&str> {
        self.get("X-Amz-SignedHeaders").split(';').collect()
    }

    /// Whether the signature is that of a secret key.
    pub fn is_signed_with(&self, secret: &str, method: &Method, path: &str, headers: &HeaderMap) -> bool {
        let payloads = [hex::encode(Sha256::digest(b"")), "UNSIGNED-PAYLOAD".to_owned()];
        let signed = |payload: &String| self.signature(secret, method, path, headers, payload);
        payloads.iter().any(|payload| signed(payload) == self.get("X-Amz-Signature"))
    }

    /// The signature that a secret key gives.
    pub(crate) fn signature(
        &self, secret: &str, method: &Method, path: &str, headers: &HeaderMap, payload: &str,
    ) -> String {
        let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let covered = self.query.iter().filter(|(key, _)| key != "X-Amz-Signature");
        let mut query: Vec<String> = covered.map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        query.sort();
        let line = |name: &&str| {
            let values = headers.get_all(*name).iter().filter_map(|value| value.to_str().ok());
            format!("{name}:{}\n", values.map(str::trim).collect::<Vec<_>>().join(","))
        };
        let (lines, names) =
            (self.signed_headers().iter().map(line).collect::<String>(), self.get("X-Amz-SignedHeaders"));
        let request = format!("{method}\n{path}\n{}\n{lines}\n{names}\n{payload}", query.join("&"));
        let scope = self.get("X-Amz-Credential").split_once('/').map_or("", |(_, scope)| scope);
        let digest = hex::encode(Sha256::digest(request.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{digest}", self.get("X-Amz-Date"));
        let first = format!("AWS4{secret}").into_bytes();
        let key = scope.split('/').fold(first, |key, part| hmac(&key, part.as_bytes()).to_vec());
        hex::encode(hmac(&key, text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The example of the S3 documentation, "Authenticating Requests: Using Query Parameters".
    #[test]
    fn the_documented_example_is_signed_so() {
        let uri = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F\
                   aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=\
                   aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        let presigned = Presigned::of(&uri.parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("examplebucket.s3.amazonaws.com"));
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert!(presigned.is_signed_with(secret, &Method::GET, "/test.txt", &headers));
        assert!(!presigned.is_signed_with("other", &Method::GET, "/test.txt", &headers));
        assert_eq!(presigned.signed_at().unwrap().to_string(), "2013-05-24T00:00:00Z");
        headers.insert("host", HeaderValue::from_static("other.s3.amazonaws.com"));
        assert!(!presigned.is_signed_with(secret, &Method::GET, "/test.txt", &headers));
    }
}
