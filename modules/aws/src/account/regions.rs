//! The regions of AWS as the sandbox knows them.
//!
//! Source: <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>.

/// On in every account; they cannot be switched off.
const BY_DEFAULT: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Off until an account switches them on.
const OPT_IN: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// What a region is before anybody did anything; None for one that does not exist.
pub(super) fn status(region: &str) -> Option<&'static str> {
    if BY_DEFAULT.contains(&region) {
        return Some("ENABLED_BY_DEFAULT");
    }
    OPT_IN.contains(&region).then_some("DISABLED")
}
