//! What a control plane is to have.

/// What a control plane is to have. The default is all of it, without a kubelet and a webhook.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name, in messages and in its folder's name.
    pub name: String,
    /// Addresses of services.
    pub service_cidr: String,
    /// Addresses of pods.
    pub pod_cidr: String,
    /// Where the kubelet of every node listens on 127.0.0.1; 0 for none.
    pub kubelet_port: u16,
    /// Who is asked about tokens that are no service account's.
    pub webhook: Option<Webhook>,
    /// Whether the controller manager runs.
    pub controllers: bool,
    /// Whether the scheduler runs.
    pub scheduler: bool,
    /// Whether kwok runs.
    pub kwok: bool,
    /// Further flags of the API server.
    pub api_server_flags: Vec<String>,
}

/// Who is asked about tokens that are no service account's.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// `https://127.0.0.1:PORT/PATH`, or `http://…`.
    pub url: String,
    /// The certificate authority of an `https` server, PEM.
    pub ca_pem: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "cluster".into(),
            service_cidr: "172.20.0.0/16".into(),
            pod_cidr: "10.5.11.0/24".into(),
            kubelet_port: 0,
            webhook: None,
            controllers: true,
            scheduler: true,
            kwok: true,
            api_server_flags: Vec::new(),
        }
    }
}

impl Options {
    /// All of it, by that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The API server alone: objects are kept and nothing happens to them. Ready sooner.
    #[must_use]
    pub fn api_server_alone(name: &str) -> Self {
        Self { controllers: false, scheduler: false, kwok: false, ..Self::named(name) }
    }
}
