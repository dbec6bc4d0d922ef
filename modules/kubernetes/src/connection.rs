//! How the API server of a place is reached: endpoint, certificates, and credentials that are renewed before they end.

use std::{
    collections::BTreeMap,
    fmt,
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
    kept: Mutex<BTreeMap<Place, Arc<Connection>>>,
}

impl Connections {
    /// None yet.
    pub fn new(access: Arc<dyn Access>) -> Self {
        Self { access, kept: Mutex::default() }
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

/// Asking for the connection is a read: whatever became of it, the call itself was not sent.
fn nothing_sent(error: CallError) -> CallError {
    match error.class {
        Class::Unknown => CallError { class: Class::NotSent, ..error },
        _ => error,
    }
}
