//! Who the target is, asked before anything else.

use std::{sync::Arc, time::Duration};

use runbook_modules::{
    error::{CallError, Class},
    host::{Clock, Host, Interrupted},
    target::{About, Place, Target},
};
use serde_json::Value;
use tokio::runtime::Handle;

use super::{Driver, Refused};
use crate::{
    effect::policy,
    error::Failure,
    run::{
        cancel::Cancel,
        clock::{Time, Working},
    },
};

/// Has the target say who it is, before a run is driven.
pub(super) fn know(driver: &Driver) -> Result<About, Refused> {
    let _working = Working::begin(&driver.time);
    let host = Asking { time: &driver.time, cancel: &driver.cancel };
    ask(&driver.runtime, &*driver.target, &driver.place, &host).map_err(|error| {
        let code = if error.class == Class::Credentials { "RB0432" } else { "RB0431" };
        let mut failure = Failure::new(code, silent(&error));
        failure.request_id = error.request_id;
        failure.hints = error.hints;
        Refused::Failure(Box::new(failure))
    })
}

/// What a person is told when a target does not say who it is.
pub fn silent(error: &CallError) -> String {
    format!("the target does not say who it is: {error}")
}

/// Asks a target who it is, a few times when it is busy or does not answer. One that cannot be reached, or that refuses, is not asked
/// again: nothing has begun, and a person may be waiting.
///
/// # Errors
/// The last answer.
pub fn ask(runtime: &Handle, target: &dyn Target, place: &Place, host: &dyn Host) -> Result<About, CallError> {
    let mut tries = 0;
    loop {
        let error = match runtime.block_on(target.about(place, host)) {
            Err(error) if matches!(error.class, Class::Throttled | Class::NotYet | Class::Unknown) => error,
            answer => return answer,
        };
        tries += 1;
        match policy::WHO.after(tries) {
            Some(delay) if host.clock().sleep(delay).is_ok() => {}
            _ => return Err(error),
        }
    }
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
