//! The live target of the services without an SDK: which of them carries out a call.
//!
//! Each mutating call is sent once. The token of a place is a placeholder: [`client`] puts the value in at the last hop.

use runbook_modules::{
    error::{CallError, Class},
    target::{Api, Calls, Place},
};

use crate::{cloudflare::live::Cloudflare, github::live::GitHub};

pub mod client;
#[cfg(test)]
pub mod standin;

/// The services, live.
pub struct Rest {
    github: GitHub,
    cloudflare: Cloudflare,
}

impl Rest {
    /// A target without any connection yet. `only_here`: services on other machines are refused.
    pub fn new(only_here: bool) -> Self {
        let client = || client::Client::new(only_here);
        Self { github: GitHub::new(client()), cloudflare: Cloudflare::new(client()) }
    }

    /// Who carries out a binding, by its name; None: none of them.
    pub fn calls(&self, binding: &str) -> Option<&dyn Calls> {
        match binding.split_once('.')?.0 {
            "github" => Some(&self.github),
            "cloudflare" => Some(&self.cloudflare),
            _ => None,
        }
    }
}

/// The service of a place.
///
/// # Errors
/// Refused when the place names none.
pub fn api(place: &Place) -> Result<&Api, CallError> {
    place.api.as_ref().ok_or_else(|| CallError::refused("NoService", "the place names no service"))
}

/// A binding that this program does not know: it was recorded by a newer one.
pub fn unknown(name: &str) -> CallError {
    CallError::refused("UnknownBinding", format!("this program knows no live calls of {name}"))
}

/// An error of a question that was asked before anything was sent: its outcome is known.
pub fn before(error: CallError) -> CallError {
    match error.class {
        Class::Unknown => CallError { class: Class::NotSent, ..error },
        _ => error,
    }
}
