//! The `kube` client of a place, and one request through it.
//!
//! A request is sent once. Only a 401 is answered by a second try with fresh credentials, since the server did nothing. Retries of
//! the client library are off: the engine owns them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures::{FutureExt, future::BoxFuture};
use http::{Method, header};
use kube::{
    Client, Config,
    config::{AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext},
};
use runbook_modules::{
    error::{CallError, Class},
    k8s::types::Type,
    target::Place,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    connection::{Connection, Connections, Identity},
    error,
};

/// No request of ours takes longer: the server ends its own after 60 s.
const LIMIT: Duration = Duration::from_secs(70);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The clients of a run, one a place.
pub struct Clients {
    connections: Arc<Connections>,
    kept: Mutex<BTreeMap<Place, Arc<Reached>>>,
}

/// A server that is spoken to.
pub struct Reached {
    connection: Arc<Connection>,
    client: Client,
    /// Kinds that discovery found, by API version (empty: none was named) and kind.
    found: Mutex<BTreeMap<(String, String), Type>>,
}

impl Reached {
    /// Kinds that discovery found, by API version (empty: none was named) and kind.
    pub fn found(&self) -> MutexGuard<'_, BTreeMap<(String, String), Type>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    path: String,
    accept: &'static str,
    body: Option<(&'static str, Vec<u8>)>,
}

impl Ask {
    /// Reads a path.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), accept: "application/json", body: None }
    }

    /// Sends a body.
    pub fn with(method: Method, path: impl Into<String>, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { method, path: path.into(), accept: "application/json", body: Some((content_type, body)) }
    }

    /// Asks for another form of the answer.
    #[must_use]
    pub fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    fn request(&self) -> Result<http::Request<Vec<u8>>, http::Error> {
        let mut request =
            http::Request::builder().method(&self.method).uri(&self.path).header(header::ACCEPT, self.accept);
        if let Some((content_type, _)) = &self.body {
            request = request.header(header::CONTENT_TYPE, *content_type);
        }
        request.body(self.body.as_ref().map(|(_, body)| body.clone()).unwrap_or_default())
    }
}

impl Clients {
    /// None yet.
    pub fn new(connections: Arc<Connections>) -> Self {
        Self { connections, kept: Mutex::default() }
    }

    /// The client of a place; another one when the connection is another one.
    ///
    /// # Errors
    /// As [`Connections::of`]; `NotSent` when no client can be made of it.
    pub async fn of(&self, place: &Place) -> Result<Arc<Reached>, CallError> {
        let connection = self.connections.of(place).await?;
        if let Some(kept) = self.kept().get(place)
            && Arc::ptr_eq(&kept.connection, &connection)
        {
            return Ok(Arc::clone(kept));
        }
        let client = client(&connection).await?;
        let reached = Arc::new(Reached { connection, client, found: Mutex::default() });
        self.kept().insert(place.clone(), Arc::clone(&reached));
        Ok(reached)
    }

    /// Sends a request; gives the answer's text.
    ///
    /// # Errors
    /// As [`error::classify`].
    pub async fn text(&self, place: &Place, ask: &Ask) -> Result<String, CallError> {
        let send = |client: Client| {
            let request = ask.request().map_err(kube::Error::HttpError);
            async move { client.request_text(request?).await }.boxed()
        };
        self.within(place, LIMIT, send).await
    }

    /// Does something through the client of a place, once more after a 401, with fresh credentials.
    ///
    /// # Errors
    /// As [`error::classify`], and a timeout.
    pub async fn within<T>(
        &self, place: &Place, limit: Duration, send: impl Fn(Client) -> BoxFuture<'static, Result<T, kube::Error>>,
    ) -> Result<T, CallError> {
        let mut fresh = false;
        loop {
            let reached = self.of(place).await?;
            let sent = tokio::time::timeout(limit, send(reached.client.clone())).await;
            let error = match sent {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error::classify(&error),
                Err(_) => return Err(error::timeout(limit)),
            };
            if matches!(error.class, Class::Credentials | Class::NotSent) {
                self.connections.refused(place, &reached.connection);
            }
            if error.class != Class::Credentials || fresh {
                return Err(error);
            }
            fresh = true;
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Place, Arc<Reached>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn client(connection: &Connection) -> Result<Client, CallError> {
    let unusable = |why: String| CallError::new(Class::NotSent, "RequestNotBuilt", why);
    let file = kubeconfig(connection);
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| unusable(error.to_string()))?;
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_LIMIT);
    Client::try_from(config).map_err(|error| unusable(error.to_string()))
}

/// The connection in the form from which the library makes its TLS settings.
fn kubeconfig(connection: &Connection) -> Kubeconfig {
    const ONE: &str = "runbook";
    let name = || ONE.to_owned();
    let mut user = AuthInfo::default();
    match &connection.identity {
        Identity::Token(token) => user.token = Some(token.clone()),
        Identity::Certificate { cert_pem, key_pem } => {
            user.client_certificate_data = Some(STANDARD.encode(cert_pem));
            user.client_key_data = Some(SecretString::from(STANDARD.encode(key_pem.expose_secret())));
        }
    }
    let cluster = Cluster {
        server: Some(connection.endpoint.clone()),
        certificate_authority_data: connection.ca_pem.as_ref().map(|pem| STANDARD.encode(pem)),
        tls_server_name: connection.server_name.clone(),
        ..Cluster::default()
    };
    let context = Context { cluster: name(), user: Some(name()), ..Context::default() };
    Kubeconfig {
        clusters: vec![NamedCluster { name: name(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: name(), auth_info: Some(user), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: name(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(name()),
        ..Kubeconfig::default()
    }
}
