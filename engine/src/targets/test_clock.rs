//! `RUNBOOK_TEST_CLOCK=SPEED` or `SPEED@ANCHOR`: live time that runs faster, for trials against servers on this machine.
//!
//! All waits, polls and settle times are shorter by the factor, and so the same run takes less time. The scaled time starts at the
//! anchor (milliseconds since the Unix epoch), so that it is the same for every process that resumes the run.

use std::env;

use runbook_kubernetes::connection::is_loopback;

use crate::{error::Failure, run::clock::Scale};

const NAME: &str = "RUNBOOK_TEST_CLOCK";
/// Where scaled time starts when none is given: 2026-01-01.
const ANCHOR_MS: i64 = 1_767_225_600_000;

/// The scale that the environment asks for; None: the system's time.
///
/// # Errors
/// RB0446 when it is malformed, or when AWS is not replaced by something on this machine.
pub fn from_environment() -> Result<Option<Scale>, Failure> {
    match env::var(NAME) {
        Ok(text) => {
            let endpoints = env::vars().filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"));
            allowed(&text, endpoints.collect()).map(Some)
        }
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(Failure::new("RB0446", format!("{NAME}: {error}"))),
    }
}

fn allowed(text: &str, endpoints: Vec<(String, String)>) -> Result<Scale, Failure> {
    let scale = scale(text).ok_or_else(|| {
        Failure::new("RB0446", format!("{NAME} is {text:?}, not SPEED or SPEED@MILLISECONDS"))
            .hint("for example 10, or 10@1763740000000; the speed is from 1 to 1000")
    })?;
    let whole = endpoints.iter().any(|(name, _)| name == "AWS_ENDPOINT_URL");
    if let Some((name, value)) = endpoints.iter().find(|(_, value)| !is_loopback(value)) {
        let message = format!("{NAME} is for trials on this machine, and {name} is {value}");
        return Err(Failure::new("RB0446", message).hint(format!("unset {NAME}")));
    }
    if !whole {
        let message = format!("{NAME} is for trials on this machine, and AWS_ENDPOINT_URL names no endpoint there");
        return Err(Failure::new("RB0446", message).hint(format!("unset {NAME}: a real account keeps real time")));
    }
    Ok(scale)
}

fn scale(text: &str) -> Option<Scale> {
    let (speed, anchor) = text.split_once('@').map_or((text, None), |(speed, anchor)| (speed, Some(anchor)));
    let speed = speed.parse::<f64>().ok().filter(|speed| (1.0..=1000.0).contains(speed))?;
    let anchor_ms = match anchor {
        Some(anchor) => anchor.parse().ok().filter(|ms| *ms >= 0)?,
        None => ANCHOR_MS,
    };
    Some(Scale { speed, anchor_ms })
}

/// Whether every URL in a text goes to this machine, and there is one.
pub fn all_here(text: &str) -> bool {
    let mut urls = text.split([' ', ',']).filter(|word| word.contains("://")).peekable();
    urls.peek().is_some() && urls.all(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, endpoints: &[(&str, &str)]) -> Result<Scale, String> {
        let endpoints = endpoints.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        allowed(text, endpoints).map_err(|failure| failure.message)
    }

    const HERE: (&str, &str) = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");

    #[test]
    fn speed_and_anchor() {
        assert_eq!(with("10", &[HERE]), Ok(Scale { speed: 10.0, anchor_ms: ANCHOR_MS }));
        assert_eq!(with("2.5@1763740000000", &[HERE]), Ok(Scale { speed: 2.5, anchor_ms: 1_763_740_000_000 }));
    }

    #[test]
    fn all_urls_of_a_text_count() {
        assert!(all_here("http://127.0.0.1:1 (EC2, STS), http://localhost:2 (EKS)"));
        assert!(!all_here("http://127.0.0.1:1 (EC2, STS), http://10.0.0.1:2 (EKS)"));
        assert!(!all_here(""));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in ["", "fast", "0.5", "0", "-1", "NaN", "inf", "1001", "10@", "10@x", "10@-5", "@5", "10@5@6"] {
            assert!(with(text, &[HERE]).is_err_and(|message| message.contains("SPEED@MILLISECONDS")), "{text}");
        }
    }

    #[test]
    fn a_real_account_keeps_real_time() {
        assert!(with("10", &[]).is_err_and(|message| message.contains("names no endpoint")));
        let far = ("AWS_ENDPOINT_URL", "https://ec2.eu-west-1.amazonaws.com");
        assert!(with("10", &[far]).is_err_and(|message| message.contains("amazonaws")));
        let one = ("AWS_ENDPOINT_URL_EC2", "http://10.0.0.1:80");
        assert!(with("10", &[HERE, one]).is_err_and(|message| message.contains("AWS_ENDPOINT_URL_EC2")));
        assert!(with("10", &[("AWS_ENDPOINT_URL_EC2", HERE.1)]).is_err());
    }
}
