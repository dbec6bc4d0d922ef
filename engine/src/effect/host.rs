//! The runner as a binding sees it: the branch's clock, secrets, and a way to say what it waits for.

use std::time::Duration;

use runbook_modules::host::{Clock, Host, Interrupted};
use serde_json::Value;

use crate::{event::What, run::scope::Scope};

/// The runner for calls made within one scope.
pub struct ScopeHost<'a> {
    scope: &'a Scope,
}

impl<'a> ScopeHost<'a> {
    /// The runner for a scope.
    pub fn new(scope: &'a Scope) -> Self {
        Self { scope }
    }
}

impl Clock for ScopeHost<'_> {
    fn now_ms(&self) -> i64 {
        self.scope.session.time.now_ms()
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        self.scope.session.time.sleep(how_long, &|| self.scope.stopping())
    }
}

impl Host for ScopeHost<'_> {
    fn clock(&self) -> &dyn Clock {
        self
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        self.scope.session.vault.reveal(value)
    }

    fn progress(&self, text: &str) {
        let text = self.scope.session.vault.conceal_text(text);
        self.scope.waits_for(&text);
        self.scope.session.tell(What::Waiting { step: self.scope.key.clone(), text, since_ms: 0, usual_ms: 0 });
    }
}
