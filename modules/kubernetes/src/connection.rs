//! How the API server of a place is reached: endpoint, certificates, and credentials that are renewed before they end.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use runbook_modules::{
    error::{CallError, Class},
    target::Place,
};
use secrecy::SecretString;

use crate::kubeconfig;

/// Everything that a client of an API server needs, kube or helm.
#[derive(Debug, Clone)]
pub struct Connection {
    /// `https://…` of the API server.
    pub endpoint: String,
    /// The certificates that sign the server's; None: those that the system trusts.
    pub ca_pem: Option<String>,
    /// The name in the server's certificate, where it is not the endpoint's host.
    pub server_name: Option<String>,
    /// Who we are.
    pub identity: Identity,
    /// From then on another one must be asked for; None: it holds as long as the file that it was read from.
    pub renew_at: Option<Instant>,
}

/// How we prove who we are.
#[derive(Clone)]
pub enum Identity {
    /// A bearer token.
    Token(SecretString),
    /// A client certificate and its key, both as PEM.
    Certificate {
        /// The certificate.
        cert_pem: String,
        /// Its key.
        key_pem: SecretString,
    },
}

impl Identity {
    /// A bearer token.
    pub fn token(token: String) -> Self {
        Self::Token(SecretString::from(token))
    }

    /// A client certificate and its key, both as PEM.
    pub fn certificate(cert_pem: String, key_pem: String) -> Self {
        Self::Certificate { cert_pem, key_pem: SecretString::from(key_pem) }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Certificate { .. } => "Certificate",
        })
    }
}

/// Reaches EKS clusters by their own description. The engine gives one that asks AWS; this crate knows no AWS.
#[async_trait]
pub trait Access: Send + Sync {
    /// Endpoint, certificates and a fresh token of the EKS cluster that a place names.
    ///
    /// # Errors
    /// `NotFound` when there is no such cluster, `NotYet` while it has no endpoint, `Credentials` when AWS does not know us; a read that
    /// did not get through has the class that AWS's answer has.
    async fn connect(&self, place: &Place) -> Result<Connection, CallError>;
}

/// The connections of a run, one a place. A cluster that was made anew under the same name has another certificate: a connection is
/// asked for again when its token ends, when the server did not take it, and when somebody says [`Connections::forget`].
pub struct Connections {
    access: Arc<dyn Access>,
    /// A run on a test clock speaks to nothing beyond this machine.
    only_here: bool,
    kept: Mutex<BTreeMap<Place, Arc<Connection>>>,
}

impl Connections {
    /// None yet.
    pub fn new(access: Arc<dyn Access>) -> Self {
        Self { access, only_here: false, kept: Mutex::default() }
    }

    /// Refuses clusters on other machines, for a run on a test clock.
    #[must_use]
    pub fn only_here(self) -> Self {
        Self { only_here: true, ..self }
    }

    /// The connection of a place, made anew when there is none or its token is about to end.
    ///
    /// # Errors
    /// As [`Access::connect`]; `Refused` for a place without cluster and context, and for a context that cannot be used.
    pub async fn of(&self, place: &Place) -> Result<Arc<Connection>, CallError> {
        if let Some(kept) = self.kept().get(place)
            && kept.renew_at.is_none_or(|at| Instant::now() < at)
        {
            return Ok(Arc::clone(kept));
        }
        let made = Arc::new(match (&place.context, &place.cluster) {
            (Some(context), _) => kubeconfig::connection(context)?,
            (None, Some(_)) => self.access.connect(place).await.map_err(nothing_sent)?,
            (None, None) => {
                return Err(CallError::refused("NoCluster", "the place names neither a cluster nor a context"));
            }
        });
        if self.only_here && !is_loopback(&made.endpoint) {
            let why =
                format!("RUNBOOK_TEST_CLOCK is for trials on this machine, and the API server is {}", made.endpoint);
            return Err(CallError::refused("TestClock", why));
        }
        self.kept().insert(place.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// Forgets a connection that the server did not take (401, another certificate, nobody there): the next one is asked for anew.
    pub fn refused(&self, place: &Place, connection: &Arc<Connection>) {
        let mut kept = self.kept();
        if kept.get(place).is_some_and(|kept| Arc::ptr_eq(kept, connection)) {
            kept.remove(place);
        }
    }

    /// Forgets all connections to a cluster by its name: it is being made or deleted.
    pub fn forget(&self, cluster: &str) {
        self.kept().retain(|place, _| place.cluster.as_deref() != Some(cluster));
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Place, Arc<Connection>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a URL's host is this machine.
pub fn is_loopback(url: &str) -> bool {
    let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Asking for the connection is a read: whatever became of it, the call itself was not sent.
fn nothing_sent(error: CallError) -> CallError {
    match error.class {
        Class::Unknown => CallError { class: Class::NotSent, ..error },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn this_machine() {
        for url in ["http://127.0.0.1:5000", "https://localhost:6443/", "http://[::1]:80", "http://127.8.9.1"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["https://10.0.0.1", "https://localhost.example.com", "https://127.0.0.1.example.com", "", "x"] {
            assert!(!is_loopback(url), "{url}");
        }
    }

    struct Counted {
        asked: AtomicUsize,
        holds: bool,
    }

    #[async_trait]
    impl Access for Counted {
        async fn connect(&self, _: &Place) -> Result<Connection, CallError> {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(Connection {
                endpoint: "https://10.0.0.1".to_owned(),
                ca_pem: None,
                server_name: None,
                identity: Identity::token(format!("token {asked}")),
                renew_at: (!self.holds).then(Instant::now),
            })
        }
    }

    fn clusters(holds: bool, only_here: bool) -> (Arc<Counted>, Connections, Place) {
        let access = Arc::new(Counted { asked: AtomicUsize::new(0), holds });
        let place = Place { cluster: Some("demo".to_owned()), ..Place::default() };
        let connections = Connections::new(access.clone());
        (access, if only_here { connections.only_here() } else { connections }, place)
    }

    #[tokio::test]
    async fn a_connection_is_kept_until_it_is_refused_or_forgotten() {
        let (access, connections, place) = clusters(true, false);
        let asked = || access.asked.load(Ordering::Relaxed);
        let first = connections.of(&place).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(connections.of(&place).await.is_ok_and(|again| Arc::ptr_eq(&first, &again)));
        assert_eq!(asked(), 1);
        connections.refused(&place, &first);
        let second = connections.of(&place).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(asked(), 2);
        connections.refused(&place, &first);
        assert!(connections.of(&place).await.is_ok_and(|again| Arc::ptr_eq(&second, &again)), "another one's refusal");
        connections.forget("demo");
        assert!(connections.of(&place).await.is_ok());
        assert_eq!(asked(), 3);
    }

    #[tokio::test]
    async fn a_token_that_ends_is_asked_for_again() {
        let (access, connections, place) = clusters(false, false);
        for _ in 0..3 {
            assert!(connections.of(&place).await.is_ok());
        }
        assert_eq!(access.asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_trial_stays_on_this_machine() {
        let (_, connections, place) = clusters(true, true);
        assert!(connections.of(&place).await.is_err_and(|error| error.code == "TestClock"));
    }

    #[tokio::test]
    async fn a_place_without_a_cluster_is_refused() {
        let (_, connections, _) = clusters(true, false);
        assert!(connections.of(&Place::default()).await.is_err_and(|error| error.code == "NoCluster"));
    }
}
