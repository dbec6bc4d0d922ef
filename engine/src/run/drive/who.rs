//! Who the target is, and whether it is the one that the run belongs to (account guard).

use std::{sync::Arc, time::Duration};

use runbook_modules::{
    error::{CallError, Class},
    host::{Clock, Host, Interrupted},
    target::About,
};
use serde_json::Value;

use super::{Driver, Refused};
use crate::{
    error::Failure,
    run::{
        cancel::Cancel,
        clock::{Time, Working},
    },
};

/// Has the target say who it is.
pub(super) fn ask(driver: &Driver) -> Result<About, Refused> {
    let _working = Working::begin(&driver.time);
    let host = Asking { time: &driver.time, cancel: &driver.cancel };
    driver.runtime.block_on(driver.target.about(&driver.place, &host)).map_err(|error: CallError| {
        let code = if error.class == Class::Credentials { "RB0432" } else { "RB0431" };
        let mut failure = Failure::new(code, format!("the target does not say who it is: {error}"));
        failure.request_id = error.request_id;
        failure.hints = error.hints;
        Refused::Failure(Box::new(failure))
    })
}

/// A run stays with the account (and endpoint) that it began with, and with the one that the customer file names.
pub(super) fn guard(about: &About, bound: Option<Value>, expected: Option<&str>) -> Result<(), Refused> {
    let refuse =
        |message: String, hint: &str| Err(Refused::Failure(Box::new(Failure::new("RB0430", message).hint(hint))));
    if let Some(expected) = expected.filter(|expected| *expected != about.account) {
        return refuse(
            format!("the customer file names account {expected}, and these credentials are for {}", about.account),
            "use credentials of the customer's account, or the customer file of this one",
        );
    }
    let Some(bound) = bound.and_then(|bound| serde_json::from_value::<About>(bound).ok()) else { return Ok(()) };
    let name = |about: &About| {
        let place = about.endpoint.as_ref().map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
        let kind = if about.simulated { "the sandbox's account" } else { "account" };
        format!("{kind} {}{place}", about.account)
    };
    let same = (bound.simulated, &bound.account, &bound.endpoint) == (about.simulated, &about.account, &about.endpoint);
    if same {
        return Ok(());
    }
    refuse(
        format!("this run belongs to {}, and the target now is {}", name(&bound), name(about)),
        "use the credentials and endpoint that the run began with, or begin a new run",
    )
}

/// The runner as `about` needs it: there is no script yet.
struct Asking<'a> {
    time: &'a Arc<dyn Time>,
    cancel: &'a Cancel,
}

impl Host for Asking<'_> {
    fn clock(&self) -> &dyn Clock {
        self
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn progress(&self, _text: &str) {}
}

impl Clock for Asking<'_> {
    fn now_ms(&self) -> i64 {
        self.time.now_ms()
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        self.time.sleep(how_long, &|| self.cancel.asked().is_some())
    }
}
