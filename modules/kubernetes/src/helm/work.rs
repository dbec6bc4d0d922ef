//! Work on one release in one cluster: the API server, helm, and what to tell while it takes its time.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    k8s::types::text,
    target::Place,
};
use serde_json::Value;

use super::{
    Helm,
    describe::{self, Seen},
    folder::{self, Folder},
    process::{self, Ended, Job, Meanwhile, Ran},
    program::Program,
};
use crate::{
    connection::Connection,
    objects::api::{Api, namespace},
};

/// No helm of ours goes on for longer, in the target's time: charts whose hooks take longer are broken.
pub const LONGEST: Duration = Duration::from_secs(30 * 60);
/// How often what helm waits for is looked at, in looks of the runner (about two seconds).
const TOLD_EVERY: u32 = 20;

/// One release, being worked on.
pub struct Work<'a> {
    helm: &'a Helm,
    place: &'a Place,
    /// The runner.
    pub host: &'a dyn Host,
    /// The release's namespace.
    pub namespace: String,
    /// The release's name.
    pub release: String,
    /// None: the cluster does not stand yet.
    connection: Option<Arc<Connection>>,
}

/// A call of helm.
#[derive(Default)]
pub struct Call {
    /// Arguments; the namespace is added.
    pub arguments: Vec<String>,
    /// For its standard input.
    pub input: Option<String>,
    /// What it prints is wanted.
    pub prints: bool,
    /// It is not ended in the middle when the run is to stop, unless it takes longer than this.
    pub grace: Duration,
    /// How long it may take, in the target's time; [`LONGEST`] when it is not said.
    pub limit: Option<Duration>,
    /// What to tell while it works.
    pub tells: Tells,
}

/// What is told while helm works.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// Nothing: it takes a moment.
    #[default]
    Nothing,
    /// What is not ready yet.
    Unready,
    /// What is not gone yet.
    Left,
}

impl<'a> Work<'a> {
    /// Reaches the cluster.
    ///
    /// # Errors
    /// When it cannot be reached: nothing was done.
    pub async fn begin(helm: &'a Helm, place: &'a Place, host: &'a dyn Host, at: &Value) -> Result<Self, CallError> {
        let connection = helm.connections.of(place).await?;
        Ok(Self::with(helm, place, host, at, Some(connection)))
    }

    /// As [`Work::begin`], also before the cluster stands: for what needs none.
    ///
    /// # Errors
    /// When nobody says whether it stands, or it cannot be reached.
    pub async fn begin_early(
        helm: &'a Helm, place: &'a Place, host: &'a dyn Host, at: &Value,
    ) -> Result<Self, CallError> {
        match helm.connections.of(place).await {
            Ok(connection) => Ok(Self::with(helm, place, host, at, Some(connection))),
            Err(error) if matches!(error.class, Class::NotFound | Class::NotYet) => {
                Ok(Self::with(helm, place, host, at, None))
            }
            Err(error) => Err(error),
        }
    }

    fn with(
        helm: &'a Helm, place: &'a Place, host: &'a dyn Host, at: &Value, connection: Option<Arc<Connection>>,
    ) -> Self {
        let (namespace, release) = (namespace(at).to_owned(), text(at, "release").to_owned());
        Self { helm, place, host, namespace, release, connection }
    }

    /// Whether the cluster stands.
    pub fn has_cluster(&self) -> bool {
        self.connection.is_some()
    }

    /// The API server.
    pub fn api(&self) -> Api<'_> {
        Api::new(&self.helm.clients, self.place)
    }

    /// `namespace/release`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.release)
    }

    /// The release's newest revision.
    ///
    /// # Errors
    /// As a read of Secrets.
    pub async fn newest(&self) -> Result<Option<Seen>, CallError> {
        describe::newest(self.api(), &self.namespace, &self.release).await
    }

    /// A revision as the script sees it.
    ///
    /// # Errors
    /// As a read of an object.
    pub async fn described(&self, seen: &Seen, chart: Option<&str>) -> Result<Value, CallError> {
        describe::describe(self.api(), &self.namespace, &self.release, seen, chart, self.is_at_work()).await
    }

    /// Whether a helm of an earlier process is still at work on the release.
    pub fn is_at_work(&self) -> bool {
        folder::is_at_work(&self.helm.root, &self.key())
    }

    /// A private folder for the calls that follow.
    ///
    /// # Errors
    /// `NotSent`: nothing was done.
    pub fn folder(&self) -> Result<Folder, CallError> {
        Folder::make(&self.helm.root, &self.key(), self.connection.as_deref()).map_err(|error| no_folder(&error))
    }

    /// The program.
    ///
    /// # Errors
    /// RB0801.
    pub async fn program(&self) -> Result<&Program, CallError> {
        self.helm.program().await
    }

    /// Calls helm.
    ///
    /// # Errors
    /// `NotSent` when it cannot be started.
    pub async fn call(&self, folder: &Folder, call: Call) -> Result<Ran, CallError> {
        let program = self.program().await?;
        let mut arguments = vec![format!("--namespace={}", self.namespace)];
        arguments.extend(call.arguments);
        let job = Job {
            arguments: &arguments,
            input: call.input,
            prints: call.prints,
            until_ms: self.host.clock().now_ms() + millis(call.limit.unwrap_or(LONGEST)),
            grace: call.grace,
        };
        let mut teller =
            Teller { work: self, folder, tells: call.tells, looks: 0, connection: self.connection.clone() };
        process::run(program, folder, &job, self.host, &mut teller).await.map_err(|error| not_started(&error))
    }

    /// Says what is not ready, or not gone. Reads only, and as far as they get through.
    async fn tell(&self, tells: Tells) {
        let Ok(Some(seen)) = self.newest().await else { return };
        let told = match tells {
            Tells::Nothing => return,
            Tells::Unready => match describe::obstacles(self.api(), &self.namespace, &seen.content).await {
                Ok(found) => [found.failed, found.waiting].concat(),
                Err(_) => return,
            },
            Tells::Left => self.left(&seen).await.unwrap_or_default(),
        };
        if !told.is_empty() {
            self.host.progress(&format!("{} is {}: {}", self.release, seen.revision.status, told.join("; ")));
        }
    }

    /// What a release made and still stands.
    ///
    /// # Errors
    /// As a read of an object.
    pub async fn left(&self, seen: &Seen) -> Result<Vec<String>, CallError> {
        let made = super::made::of(&seen.content.manifest, &self.namespace);
        super::made::left(self.api(), &made).await
    }

    fn key(&self) -> String {
        let endpoint = self.connection.as_ref().map_or("", |connection| connection.endpoint.as_str());
        folder::key(endpoint, &self.namespace, &self.release)
    }
}

/// Keeps the token fresh and the people told.
struct Teller<'a> {
    work: &'a Work<'a>,
    folder: &'a Folder,
    tells: Tells,
    looks: u32,
    connection: Option<Arc<Connection>>,
}

#[async_trait]
impl Meanwhile for Teller<'_> {
    async fn look(&mut self) {
        self.looks += 1;
        if !self.looks.is_multiple_of(TOLD_EVERY) {
            return;
        }
        let Some(held) = self.connection.clone() else { return };
        if let Ok(connection) = self.work.helm.connections.of(self.work.place).await
            && !Arc::ptr_eq(&connection, &held)
        {
            match self.folder.renew(&connection) {
                Ok(()) => self.connection = Some(connection),
                Err(error) => tracing::warn!(%error, "helm's token cannot be renewed"),
            }
        }
        if self.tells != Tells::Nothing {
            self.work.tell(self.tells).await;
        }
    }
}

/// The error of a call that changes nothing and was ended by us; None when it ended by itself.
pub fn broken_off(ran: &Ran) -> Option<CallError> {
    let error = |class, code: &str, text: &str| Some(CallError::new(class, code, text));
    match ran.ended? {
        Ended::Interrupted => error(Class::NotYet, "Interrupted", "helm was ended, because the run is being stopped"),
        Ended::Limit => error(Class::NotSent, "TimedOut", "helm did not end, and was ended; nothing was changed"),
    }
}

/// A time as the clock counts it.
pub fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn no_folder(error: &std::io::Error) -> CallError {
    CallError::new(Class::NotSent, "NoFolder", format!("the private folder for helm cannot be made: {error}"))
        .hint("RUNBOOK_CACHE names another folder than ~/.cache/runbook")
}

fn not_started(error: &std::io::Error) -> CallError {
    CallError::new(Class::NotSent, "HelmNotStarted", format!("helm cannot be started: {error}"))
}
