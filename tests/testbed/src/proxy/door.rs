//! What is known of a proxy before it runs: control planes need its address for their token webhooks, and it needs the control
//! planes.

use std::{net::TcpListener, sync::Arc};

use super::eks::Eks;

/// Who may enter which cluster, as the proxy's EKS says.
#[derive(Debug, Clone, Default)]
pub struct Access(pub(super) Arc<Eks>);

impl Access {
    /// The Kubernetes groups of an IAM principal (as `GetCallerIdentity` names it) in a cluster; None: no access.
    pub fn groups(&self, cluster: &str, principal: &str) -> Option<Vec<String>> {
        self.0.groups(cluster, principal)
    }
}

/// The address and the access entries of a proxy that will run.
#[derive(Debug)]
pub struct Door {
    pub(super) listener: TcpListener,
    access: Access,
}

impl Door {
    /// Takes a free loopback port.
    ///
    /// # Errors
    /// There is none.
    pub fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, access: Access::default() })
    }

    /// Where the proxy will listen: `http://127.0.0.1:PORT`. Connections wait until it runs.
    pub fn url(&self) -> String {
        self.listener.local_addr().map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// Who may enter which cluster.
    pub fn access(&self) -> Access {
        self.access.clone()
    }
}
