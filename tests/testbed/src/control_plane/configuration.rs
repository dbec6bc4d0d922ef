//! The files of a control plane: keys, certificates, kubeconfigs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::Webhook;
use crate::certificates::{Authority, Certified, token_keys};

/// Who is who in one control plane.
#[derive(Debug)]
pub(super) struct Identities {
    pub(super) authority: Authority,
    api_server: Certified,
    kubelet_client: Certified,
    admin: Certified,
    controllers: Certified,
    scheduler: Certified,
    service_accounts: (String, String),
}

impl Identities {
    pub(super) fn new(cluster: &str) -> Result<Self, String> {
        let authority = Authority::new(&format!("{cluster} of the testbed"))?;
        let names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
        let masters = Some("system:masters");
        Ok(Self {
            api_server: authority.server("kube-apiserver", &names)?,
            kubelet_client: authority.client("kube-apiserver-kubelet-client", masters)?,
            admin: authority.client("testbed-admin", masters)?,
            controllers: authority.client("system:kube-controller-manager", None)?,
            scheduler: authority.client("system:kube-scheduler", None)?,
            service_accounts: token_keys()?,
            authority,
        })
    }

    /// File names and what they hold.
    pub(super) fn files(&self) -> Vec<(String, &str)> {
        let pairs =
            [("ca", self.authority.own()), ("api-server", &self.api_server), ("kubelet-client", &self.kubelet_client)];
        let mut files = vec![
            ("service-accounts.key".to_owned(), self.service_accounts.0.as_str()),
            ("service-accounts.pub".to_owned(), self.service_accounts.1.as_str()),
        ];
        for (name, pair) in pairs {
            files.push((format!("{name}.crt"), &pair.certificate));
            files.push((format!("{name}.key"), &pair.key));
        }
        files
    }

    /// Who gets a kubeconfig.
    pub(super) fn kubeconfigs(&self) -> [(&'static str, &Certified); 3] {
        [("admin", &self.admin), ("controllers", &self.controllers), ("scheduler", &self.scheduler)]
    }

    /// How a client reaches the API server as admin.
    pub(super) fn client(&self, endpoint: &str) -> kube::Config {
        let mut config = kube::Config::new(endpoint.parse().expect("an address made of a port"));
        config.root_cert = Some(vec![self.authority.der().to_vec()]);
        config.auth_info.client_certificate_data = Some(STANDARD.encode(&self.admin.certificate));
        config.auth_info.client_key_data = Some(STANDARD.encode(&self.admin.key).into());
        config
    }
}

/// A kubeconfig with everything inside. JSON is YAML.
pub(super) fn kubeconfig(endpoint: &str, ca_pem: &str, identity: &Certified) -> String {
    let cluster = json!({ "server": endpoint, "certificate-authority-data": STANDARD.encode(ca_pem) });
    let user = json!({
        "client-certificate-data": STANDARD.encode(&identity.certificate),
        "client-key-data": STANDARD.encode(&identity.key),
    });
    together(cluster, user)
}

/// The file that tells the API server where its token webhook is.
pub(super) fn webhook(options: &Webhook) -> String {
    let mut cluster = json!({ "server": options.url });
    if let Some(pem) = &options.ca_pem {
        cluster["certificate-authority-data"] = STANDARD.encode(pem).into();
    }
    together(cluster, json!({}))
}

fn together(cluster: serde_json::Value, user: serde_json::Value) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "testbed", "cluster": cluster }],
        "users": [{ "name": "testbed", "user": user }],
        "contexts": [{ "name": "testbed", "context": { "cluster": "testbed", "user": "testbed" } }],
        "current-context": "testbed",
    })
    .to_string()
}
