//! The live target: AWS through the SDK, Kubernetes through kube, Helm through helm, GitHub and Cloudflare over HTTPS. What
//! reaches an EKS cluster is asked of AWS.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use runbook_aws::live::{Live as Aws, eks_access};
use runbook_kubernetes::{Access, Connection, Identity, Kubernetes};
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    operation::Operation,
    resource::Kind,
    target::{About, Calls, Lapse, Listing, Place, Renewal, Request, Target},
};
use runbook_rest::live::Rest;
use serde_json::Value;

use super::test_clock;

/// The live target.
pub struct Live {
    aws: Arc<Aws>,
    kubernetes: Kubernetes,
    rest: Rest,
    /// Its time is a test clock's: it may only speak to this machine.
    only_here: bool,
}

impl Live {
    /// A target without any client yet. `profile`: of places that name none. `only_here`: nothing beyond the loopback is spoken to.
    pub fn new(profile: Option<String>, only_here: bool) -> Self {
        let aws = Arc::new(Aws::by_default(profile));
        let clusters = Clusters { aws: Arc::clone(&aws) };
        Self { aws, kubernetes: Kubernetes::new(Arc::new(clusters), only_here), rest: Rest::new(only_here), only_here }
    }

    /// Who carries out a binding, by its name; None: AWS.
    fn calls(&self, binding: &str) -> Option<&dyn Calls> {
        self.rest.calls(binding).or_else(|| self.kubernetes.calls(binding))
    }

    /// What is known of a cluster does not hold for one that is made anew under its name.
    fn forget(&self, kind: &dyn Kind, at: &Value) {
        if kind.meta().name == "eks.cluster" {
            self.kubernetes.forget(at.get("name").and_then(Value::as_str).unwrap_or_default());
        }
    }
}

#[async_trait]
impl Target for Live {
    async fn about(&self, place: &Place, host: &dyn Host) -> Result<About, CallError> {
        if place.context.is_some() {
            return self.kubernetes.about(place).await;
        }
        let about = self.aws.about(place, host).await?;
        if self.only_here && !about.endpoint.as_deref().is_some_and(test_clock::all_here) {
            return Err(CallError::refused("TestClock", "RUNBOOK_TEST_CLOCK is for endpoints on this machine only"));
        }
        Ok(about)
    }

    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        match self.calls(kind.meta().name) {
            Some(calls) => calls.create(kind, request).await,
            None => {
                self.forget(kind, request.input);
                self.aws.create(kind, request).await
            }
        }
    }

    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        match self.calls(kind.meta().name) {
            Some(calls) => calls.read(kind, place, at, host).await,
            None => self.aws.read(kind, place, at, host).await,
        }
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        match self.calls(kind.meta().name) {
            Some(calls) => calls.find(kind, request).await,
            None => self.aws.find(kind, request).await,
        }
    }

    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        match self.calls(kind.meta().name) {
            Some(calls) => calls.delete(kind, place, at, put_back, host).await,
            None => {
                self.forget(kind, at);
                self.aws.delete(kind, place, at, put_back, host).await
            }
        }
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        match self.calls(operation.name) {
            Some(calls) => calls.call(operation, request).await,
            None => self.aws.call(operation, request).await,
        }
    }

    async fn tagged(&self, place: &Place, host: &dyn Host) -> Result<Listing, CallError> {
        let mut listing = self.aws.tagged(place, host).await?;
        listing.unseen.push("repositories and files on GitHub, records at Cloudflare".to_owned());
        Ok(listing)
    }

    async fn renew(&self, place: &Place) -> Renewal {
        if let Some(api) = &place.api {
            return Renewal::Lapsed(Lapse { from: format!("the token for {}", api.url), ..Lapse::default() });
        }
        match &place.context {
            // A kubeconfig says itself how it signs in.
            Some(context) => Renewal::Lapsed(Lapse { from: format!("context {context}"), ..Lapse::default() }),
            None => self.aws.renew(place).await,
        }
    }

    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host) -> Vec<String> {
        match self.calls(kind.meta().name) {
            Some(calls) => calls.obstacles(kind, place, at, host).await,
            None => self.aws.obstacles(kind, place, at, host).await,
        }
    }
}

/// EKS clusters, by their own description.
struct Clusters {
    aws: Arc<Aws>,
}

#[async_trait]
impl Access for Clusters {
    async fn connect(&self, place: &Place) -> Result<Connection, CallError> {
        let signed = Instant::now();
        let reach = self.aws.reach(place).await.map_err(no_cluster)?;
        Ok(Connection {
            endpoint: reach.endpoint,
            ca_pem: Some(reach.ca_pem),
            server_name: None,
            identity: Identity::token(reach.token),
            renew_at: Some(signed + eks_access::RENEW_AFTER),
        })
    }
}

/// Under the name that a script can tell it by, whatever it asked of the cluster.
fn no_cluster(error: CallError) -> CallError {
    match error.class {
        Class::NotFound => CallError { code: "ClusterNotFound".to_owned(), ..error },
        _ => error,
    }
}
