//! Who the target is, asked before a run is driven.

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
