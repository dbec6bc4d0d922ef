//! An EKS token: a presigned GetCallerIdentity in base64, as aws-iam-authenticator and `aws eks get-token` make it.

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::Uri;

use crate::proxy::Presigned;

const PREFIX: &str = "k8s-aws-v1.";
/// How long a token is good, whatever it says of itself.
const MINUTES: i64 = 15;
/// What a presigned GetCallerIdentity may contain. Anything else could make it another request.
const PARAMETERS: [&str; 9] = [
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// The header that binds a token to its cluster.
pub(super) const CLUSTER: &str = "x-k8s-aws-id";

/// Reads a token: where its request goes. `emulator` is the address that stands for STS beside AWS's own.
///
/// # Errors
/// Why it is no good.
pub(super) fn read(token: &str, emulator: &str, now: jiff::Timestamp) -> Result<Uri, String> {
    let encoded = token.strip_prefix(PREFIX).ok_or_else(|| format!("the token does not begin with {PREFIX}"))?;
    let engine = GeneralPurpose::new(
        &base64::alphabet::URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let decoded = engine.decode(encoded).map_err(|e| format!("the token is no base64: {e}"))?;
    let text = String::from_utf8(decoded).map_err(|_| "the token is no text".to_owned())?;
    let uri: Uri = text.parse().map_err(|e| format!("the token is no URL: {e}"))?;
    check_address(&uri, emulator)?;
    let presigned = Presigned::of(&uri);
    if let Some(other) = presigned.names().find(|name| !PARAMETERS.contains(name)) {
        return Err(format!("the token has a parameter that does not belong there: {other}"));
    }
    if presigned.get("Action") != "GetCallerIdentity" {
        return Err(format!("the token asks for {} instead of GetCallerIdentity", presigned.get("Action")));
    }
    if !presigned.signed_headers().contains(&CLUSTER) {
        return Err(format!("the token does not sign the header {CLUSTER}"));
    }
    if !presigned.get("X-Amz-Expires").parse().is_ok_and(|seconds: i64| (0..=MINUTES * 60).contains(&seconds)) {
        return Err("the token has no X-Amz-Expires between 0 and 900".to_owned());
    }
    let signed = presigned.signed_at().ok_or_else(|| "the token has no X-Amz-Date".to_owned())?;
    let age = now.duration_since(signed).as_mins();
    match age {
        ..MINUTES if age > -MINUTES => Ok(uri),
        _ => Err(format!("the token has expired: it was signed at {signed}, {age} minutes ago")),
    }
}

fn check_address(uri: &Uri, emulator: &str) -> Result<(), String> {
    let host = uri.host().unwrap_or_default();
    let aws = uri.scheme_str() == Some("https")
        && (host == "sts.amazonaws.com"
            || host.strip_prefix("sts.").is_some_and(|rest| rest.ends_with(".amazonaws.com")));
    let ours =
        emulator.parse::<Uri>().is_ok_and(|sts| sts.scheme() == uri.scheme() && sts.authority() == uri.authority());
    if (aws || ours) && uri.path() == "/" {
        Ok(())
    } else {
        Err(format!("the token points to {host}{} and not to STS", uri.path()))
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const GOOD: &str = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60\
        &X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=ff";

    fn verdict(url: &str, now: &str) -> Result<Uri, String> {
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url));
        read(&token, "http://127.0.0.1:7", now.parse().unwrap())
    }

    #[test]
    fn a_token_is_good_for_fifteen_minutes() {
        assert!(verdict(GOOD, "2026-01-01T00:00:00Z").is_ok());
        assert!(verdict(GOOD, "2026-01-01T00:14:59Z").is_ok());
        for now in ["2026-01-01T00:15:00Z", "2025-12-31T23:40:00Z"] {
            assert!(verdict(GOOD, now).unwrap_err().contains("expired"));
        }
    }

    #[test]
    fn only_get_caller_identity_of_sts_for_a_cluster_is_a_token() {
        let now = "2026-01-01T00:01:00Z";
        let ours = GOOD.replace("https://sts.eu-west-1.amazonaws.com", "http://127.0.0.1:7");
        assert!(verdict(&ours, now).is_ok());
        for (from, to, why) in [
            ("sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com.evil.example", "not to STS"),
            ("https://sts.eu-west-1.amazonaws.com", "http://127.0.0.1:8", "not to STS"),
            ("com/?", "com/other?", "not to STS"),
            ("GetCallerIdentity", "AssumeRole", "AssumeRole"),
            ("%3Bx-k8s-aws-id", "", "does not sign"),
            ("X-Amz-Expires=60", "X-Amz-Expires=90000", "X-Amz-Expires"),
            ("&X-Amz-Date=20260101T000000Z", "", "X-Amz-Date"),
            ("&Version", "&Policy=x&Version", "Policy"),
        ] {
            let said = verdict(&GOOD.replace(from, to), now).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        assert!(read("other", "http://127.0.0.1:7", now.parse().unwrap()).unwrap_err().contains(PREFIX));
    }
}
