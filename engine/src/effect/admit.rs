//! Before anything is sent to a place: as whom, and whether the run may.

use std::sync::PoisonError;

use runbook_modules::target::{About, Place};
use runbook_state::store::When;

use super::{
    act::{Act, json},
    report::NOTHING_SENT,
};
use crate::{
    error::{Halt, Stop},
    run::guard::{fact, whose},
};

impl Act<'_> {
    /// Says as whom the calls to a place are made. Places with a profile, role or context of their own are asked, bound and recorded with
    /// the first call to them.
    ///
    /// # Errors
    /// A stop when the account guard refuses it; RB0444 without a region.
    pub fn admit(&self, place: &Place) -> Result<About, Halt> {
        let whose = whose(place);
        let about = if whose.is_empty() { self.scope.session.about.clone() } else { self.other(place, whose)? };
        let elsewhere = place.context.is_some() || place.api.is_some();
        if place.region.is_empty() && about.region.is_empty() && !elsewhere && !about.simulated {
            let mut failure =
                self.failure("RB0444", format!("{} names no region, and the configuration has none", self.op));
            NOTHING_SENT.clone_into(&mut failure.outcome);
            return Err(failure
                .hint("aws(#{ region: \"…\" }) in the script, AWS_REGION, or region in the profile")
                .into());
        }
        Ok(about)
    }

    fn other(&self, place: &Place, whose: String) -> Result<About, Halt> {
        let session = &self.scope.session;
        // The lock is kept while it is asked: the other branches wait for the answer.
        let mut known = session.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(about) = known.get(&whose) {
            return Ok(about.clone());
        }
        let about = self.patiently(place, || {
            session.runtime.block_on(session.target.about(place, &self.host)).map(|about| json(&about))
        })?;
        let unreadable = |error: serde_json::Error| -> Halt { self.failure("RB0431", error.to_string()).into() };
        let mut about: About = serde_json::from_value(about).map_err(unreadable)?;
        if place.context.is_some() {
            // An API server knows no account: what is made there is booked with the run's.
            about.account.clone_from(&session.about.account);
        }
        if let Err(mut failure) = session.guard.check(&session.history, &whose, &about) {
            failure.step.clone_from(&self.scope.key);
            failure.op.clone_from(&self.op);
            failure.sites.push(self.site.clone());
            NOTHING_SENT.clone_into(&mut failure.outcome);
            return Err(Stop::Script(Box::new(failure)).into());
        }
        if let Some(fact) = fact(&session.history, &whose, &about) {
            session.record(vec![fact], When::Now)?;
        }
        known.insert(whose, about.clone());
        Ok(about)
    }
}
