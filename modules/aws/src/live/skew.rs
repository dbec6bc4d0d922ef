//! A clock that is not AWS's: a request is refused because of the time in its signature. The SDK's client learns from the answer by how
//! much, and signs its next request with AWS's time. Nothing was executed, and the same may be sent again.

use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::{DateTime, date_time::Format};
use runbook_modules::error::{CallError, Class};

/// The code of such an error.
pub const CODE: &str = "ClockSkew";
/// A refusal with less between the clocks has another reason: AWS takes five minutes, and the SDK corrects no less than these.
const LEAST: Duration = Duration::from_secs(4 * 60);
/// What AWS says of a signature that is of another time; of a wrong one it says some of it, too.
const CODES: [&str; 6] = [
    "RequestTimeTooSkewed",
    "RequestExpired",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "AccessDeniedException",
];

/// The error of a refusal for the time in its signature, by this machine's time; None: that is not why.
pub fn told(answer: &HttpResponse, code: &str, message: &str, now: SystemTime) -> Option<CallError> {
    let date = DateTime::from_str(answer.headers().get("date")?, Format::HttpDate).ok()?;
    let there = SystemTime::try_from(date).ok()?;
    let (apart, how) = match now.duration_since(there) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    if apart < LEAST || !CODES.contains(&code) {
        return None;
    }
    let minutes = apart.as_secs() / 60;
    let text = format!("{code}: this machine's clock is {minutes} minutes {how} AWS's: {message}");
    Some(CallError::new(Class::NotSent, CODE, text).hint("set the clock, e.g. `timedatectl set-ntp true`"))
}
