//! Whom a run's calls may be made as: the account guard, and who may go on with EKS clusters that the run made.
//!
//! A run has credentials of its own, and a script may name others (`aws(#{ profile, assume_role })`, `k8s(#{ context })`). Each of these
//! places is bound to the account, endpoint and region that it had when the run first used it; a context of a kubeconfig to its API
//! server.

use runbook_modules::target::{About, Place};
use runbook_seeded::mutant;
use runbook_state::record::Record;
use serde_json::Value;

use super::history::History;
use crate::{error::Failure, ui::text::escape};

/// Names whose credentials a place uses: the empty text for the run's own. A context of a kubeconfig has its own, whatever else the place
/// says.
pub fn whose(place: &Place) -> String {
    let Place { profile, assume_role, context, .. } = place;
    let only = match context {
        Some(_) => Place { context: context.clone(), ..Place::default() },
        None if profile.is_none() && assume_role.is_none() => return String::new(),
        None => Place { profile: profile.clone(), assume_role: assume_role.clone(), ..Place::default() },
    };
    serde_json::to_string(&only).unwrap_or_default()
}

/// The same of a recorded place.
pub fn whose_recorded(place: &Value) -> String {
    serde_json::from_value::<Place>(place.clone()).map(|place| whose(&place)).unwrap_or_default()
}

/// What a run holds its credentials to.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// The account that the customer file names.
    pub account: Option<String>,
    /// `--other-identity`.
    pub other_identity: bool,
}

impl Guard {
    /// Checks what a target said it is. `whose`: see [`whose`].
    ///
    /// # Errors
    /// RB0441 another account than the customer's, RB0430 another one than the run's, RB0433 another identity than the one that made
    /// the run's EKS clusters.
    pub fn check(&self, history: &History, whose: &str, about: &About) -> Result<(), Failure> {
        if mutant!("no-account-guard") {
            return Ok(());
        }
        if let Some(expected) = self.account.as_deref().filter(|expected| *expected != about.account) {
            let message =
                format!("the customer file names account {expected}, and these credentials are for {}", about.account);
            return Err(Failure::new("RB0441", message)
                .hint("use credentials of the customer's account, or the customer file of this one"));
        }
        let bound = history.target_of(whose).map(serde_json::from_value::<About>).transpose().map_err(unreadable)?;
        if let Some(bound) = bound.filter(|bound| !same(bound, about)) {
            let message = format!("this run belongs to {}, and the target now is {}", name(&bound), name(about));
            return Err(Failure::new("RB0430", message)
                .hint("use the credentials, region and endpoint that the run began with, or begin a new run"));
        }
        let maker = history.cluster_makers(whose).into_iter().find(|(_, by)| principal(by) != principal(&about.caller));
        match maker.filter(|_| !self.other_identity) {
            Some((cluster, by)) => Err(strange(&cluster, &by, &about.caller)),
            None => Ok(()),
        }
    }
}

/// What is to be recorded of a target that was admitted: nothing when the journal has it.
pub fn fact(history: &History, whose: &str, about: &About) -> Option<Record> {
    let known = history.caller(whose).is_some_and(|caller| principal(&caller) == principal(&about.caller));
    let place = serde_json::from_str(whose).unwrap_or_default();
    (!known).then(|| Record::Target { about: serde_json::to_value(about).unwrap_or_default(), place })
}

/// An identity without what changes with each session: of an assumed role its name, of anything else the whole ARN.
pub fn principal(arn: &str) -> &str {
    match arn.rsplit_once('/') {
        Some((role, _)) if role.contains(":assumed-role/") => role,
        _ => arn,
    }
}

fn same(bound: &About, about: &About) -> bool {
    let one_region = bound.region.is_empty() || about.region.is_empty() || bound.region == about.region;
    one_region
        && (bound.simulated, &bound.account, &bound.endpoint) == (about.simulated, &about.account, &about.endpoint)
}

fn name(about: &About) -> String {
    let endpoint = about.endpoint.as_ref().map_or_else(String::new, |endpoint| format!(" at {}", escape(endpoint)));
    let region = if about.region.is_empty() { String::new() } else { format!(", region {}", escape(&about.region)) };
    let kind = if about.simulated { "the sandbox's account" } else { "account" };
    format!("{kind} {}{endpoint}{region}", escape(&about.account))
}

/// A journal of another program: without knowing what the run belongs to nothing can be held against it.
fn unreadable(error: serde_json::Error) -> Failure {
    let message = format!("what this run belongs to cannot be read in its journal: {error}");
    Failure::new("RB0430", message).hint("go on with the program that began the run, or begin a new one")
}

fn strange(cluster: &str, by: &str, caller: &str) -> Failure {
    let message =
        format!("this run made the EKS cluster {} as {}, and now is {}", escape(cluster), escape(by), escape(caller));
    let mut failure = Failure::new("RB0433", message);
    "a cluster lets in who made it, and nobody else without an access entry".clone_into(&mut failure.cause);
    failure
        .hint("use the credentials that the run began with; another session of the same role will do")
        .hint("--other-identity goes on, once this identity has access entries (`aws eks create-access-entry`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_a_role_are_one_identity() {
        let role = |session: &str| format!("arn:aws:sts::123456789012:assumed-role/deploy/{session}");
        assert_eq!(principal(&role("a@b")), principal(&role("c")));
        let users = ["arn:aws:iam::123456789012:user/team/a", "arn:aws:iam::123456789012:user/team/b"];
        assert_ne!(principal(users[0]), principal(users[1]));
    }

    #[test]
    fn the_region_of_a_place_is_none_of_its_credentials() {
        let place = Place { region: "eu-west-1".to_owned(), cluster: Some("c".to_owned()), ..Place::default() };
        assert_eq!(whose(&place), "");
        let role = Place { assume_role: Some("r".to_owned()), ..place };
        assert_eq!(whose(&role), r#"{"assume_role":"r"}"#);
        let context = Place { context: Some("k".to_owned()), ..role };
        assert_eq!(whose(&context), r#"{"context":"k"}"#);
    }
}
