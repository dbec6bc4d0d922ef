//! Which credentials are in use, and whether there are fresh ones when they are refused.
//!
//! The SDK gets credentials anew when they say themselves that they expire soon. What it does not do is to look again when a
//! service refuses those that should still be good (revoked, or a profile that was signed in again meanwhile): that is done here.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, SharedCredentialsProvider, future},
};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::SdkConfig;
use runbook_modules::target::{Lapse, Place};

/// A provider that remembers what it gave last.
#[derive(Debug, Clone)]
pub struct Tap {
    inner: SharedCredentialsProvider,
    time: SharedTimeSource,
    last: Arc<Mutex<Option<Credentials>>>,
    worked_ms: Arc<Mutex<Option<i64>>>,
    refused: Arc<AtomicBool>,
    /// Got to be compared and not given to anybody yet.
    ready: Arc<Mutex<Option<Credentials>>>,
}

/// Where the credentials of some places come from: what their regions share, so that a role is assumed once.
#[derive(Debug, Clone)]
pub struct Source {
    /// What was given, and what came of it.
    pub tap: Tap,
    provider: SharedCredentialsProvider,
    cache: Option<SharedIdentityCache>,
}

impl Source {
    /// The source that a configuration has; None when it has no credentials at all.
    pub fn of(config: &SdkConfig) -> Option<Self> {
        let time = config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new()));
        let tap = Tap::new(config.credentials_provider()?, time);
        let provider = SharedCredentialsProvider::new(tap.clone());
        Some(Self { tap, provider, cache: config.identity_cache() })
    }

    /// The configuration with this source.
    pub fn in_place(&self, config: SdkConfig) -> SdkConfig {
        let mut builder = config.into_builder().credentials_provider(self.provider.clone());
        builder.set_identity_cache(self.cache.clone());
        builder.build()
    }
}

impl Tap {
    /// Before a provider.
    fn new(inner: SharedCredentialsProvider, time: SharedTimeSource) -> Self {
        let (last, worked_ms, refused, ready) = Default::default();
        Self { inner, time, last, worked_ms, refused, ready }
    }

    /// A service has taken the credentials just now.
    pub fn worked(&self) {
        *lock(&self.worked_ms) = Some(ms(self.time.now()));
    }

    /// A service has refused the credentials, or there were none to be got.
    pub fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Whether that has happened.
    pub fn refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Asks the provider, past every cache, for credentials that are neither those given last by `refused` nor expired. They are
    /// given to whoever asks next.
    pub async fn other_than(&self, refused: &Self) -> bool {
        let Ok(fresh) = self.inner.provide_credentials().await else { return false };
        let expired = fresh.expiry().is_some_and(|at| at <= self.time.now());
        let same = lock(&refused.last).as_ref().is_some_and(|last| same(last, &fresh));
        *lock(&self.ready) = Some(fresh);
        !expired && !same
    }

    /// What is known of credentials that no longer work.
    pub fn lapse(&self, place: &Place) -> Lapse {
        let last = lock(&self.last);
        let from = match (&place.assume_role, &place.profile) {
            (Some(role), _) => format!("role {role}"),
            (None, Some(profile)) => format!("profile {profile}"),
            (None, None) => String::new(),
        };
        let key = last.as_ref().map(|last| {
            let id = last.access_key_id();
            format!("access key …{}", id.get(id.len().saturating_sub(4)..).unwrap_or_default())
        });
        let parts: Vec<String> = [from, key.unwrap_or_default()].into_iter().filter(|part| !part.is_empty()).collect();
        let expiry = last.as_ref().and_then(Credentials::expiry).filter(|at| *at <= self.time.now());
        Lapse { from: parts.join(", "), expired_ms: expiry.map(ms), worked_ms: *lock(&self.worked_ms) }
    }

    async fn provide(&self) -> provider::Result {
        let ready = lock(&self.ready).take();
        let credentials = match ready {
            Some(ready) => ready,
            None => self.inner.provide_credentials().await?,
        };
        *lock(&self.last) = Some(credentials.clone());
        Ok(credentials)
    }
}

impl ProvideCredentials for Tap {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.inner.fallback_on_interrupt()
    }
}

fn same(a: &Credentials, b: &Credentials) -> bool {
    (a.access_key_id(), a.secret_access_key(), a.session_token())
        == (b.access_key_id(), b.secret_access_key(), b.session_token())
}

fn ms(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
