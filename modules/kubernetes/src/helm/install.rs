//! `helm upgrade --install`: exactly one install or upgrade, after what a dead one left is repaired, and an answer that says whether
//! anything was made.
//!
//! The chart is fetched first and rendered once by a dry run on the server: what fails there, and until Helm has written its release,
//! has changed nothing. Helm itself waits (`--wait`) only for a chart with hooks that run after the install or upgrade, since these
//! expect what was installed to be ready; every other release is waited for by the engine, so that a crash in the middle of
//! the wait leaves no half-made release. A first install that fails stays for a look, and is uninstalled before the next try; an upgrade
//! that fails is rolled back to the revision before, at once.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use runbook_modules::{
    error::{CallError, Class},
    helm::release::{Input, Registry},
    k8s::types::{Type, text},
    target::{Request, STEP_TAG},
};
use serde_json::Value;

use super::{
    Helm,
    answer::{not_fetched, nothing_done, words},
    chart::Chart,
    describe::{INTERRUPTED, Seen, reasons},
    folder::{CHART, Folder},
    process::{Ended, Ran},
    record::{self, EFFECT_LABEL, RUN_LABEL},
    standing::{Next, Ours, next},
    uninstall, values,
    work::{Call, LONGEST, Tells, Work, broken_off, millis},
};
use crate::target::revealed;

/// The code of the error about a release on which somebody else's helm is at work.
const PENDING: &str = "RB0802";
/// An apply without hooks takes seconds: it is not broken off when the run is to stop, unless it takes longer.
const GRACE: Duration = Duration::from_secs(20);
/// Hooks after which Helm must wait first.
const AFTER: [&str; 2] = ["post-install", "post-upgrade"];

/// Installs or upgrades.
///
/// # Errors
/// See [`CallError`]; its class says whether anything was made.
pub async fn create(helm: &Helm, request: &Request<'_>) -> Result<Value, CallError> {
    let input = revealed(request.host, request.input)?;
    let asked: Input =
        serde_json::from_value(input).map_err(|error| CallError::refused("InvalidInput", error.to_string()))?;
    let work = Work::begin(helm, request.place, request.host, request.input).await?;
    work.program().await?;
    let install = Install { work, ours: Ours::of(request.tags), step: request.tags.get(STEP_TAG), asked };
    install.run().await
}

/// One install or upgrade.
struct Install<'a> {
    work: Work<'a>,
    ours: Ours,
    step: Option<&'a String>,
    asked: Input,
}

impl Install<'_> {
    async fn run(&self) -> Result<Value, CallError> {
        if let Some(done) = self.repaired().await? {
            return self.described(&done).await;
        }
        let before = self.work.newest().await?;
        self.has_namespace().await?;
        let folder = self.work.folder()?;
        let chart = fetched(&self.work, &folder, &self.chart(), self.asked.registry.as_ref()).await?;
        let waits = self.waits(&folder, &chart).await?;
        let ran = self.work.call(&folder, self.apply(&chart, waits)).await?;
        self.outcome(&ran, before.map_or(0, |seen| seen.revision.number)).await
    }

    /// Brings what stands into a state in which an install or upgrade can begin. Some: it was done already.
    async fn repaired(&self) -> Result<Option<Seen>, CallError> {
        let Work { host, .. } = self.work;
        let until = host.clock().now_ms() + millis(LONGEST);
        loop {
            let at_work = self.work.is_at_work();
            let seen = self.work.newest().await?;
            let revision = seen.as_ref().map(|seen| &seen.revision);
            match next(revision, &self.ours, at_work) {
                Next::Go => return Ok(None),
                Next::Done => return Ok(seen),
                Next::Wait if host.clock().now_ms() >= until => return Err(self.busy("an earlier helm does not end")),
                Next::Wait => {
                    host.progress(&format!("the helm that an earlier process started on {}", self.work.id()));
                    host.clock().sleep(Duration::from_secs(1)).map_err(|_| self.busy("the run is being stopped"))?;
                }
                Next::Uninstall => uninstall::run(&self.work).await?,
                Next::MarkFailed => {
                    if let Some(revision) = revision {
                        record::mark_failed(self.work.api(), &self.work.namespace, revision, INTERRUPTED).await?;
                    }
                }
                Next::Foreign => {
                    let text = format!("cannot re-use a name that is still in use: {}", self.work.id());
                    return Err(CallError::new(Class::AlreadyExists, "NameInUse", text));
                }
                Next::ForeignPending => return Err(self.pending(seen.as_ref())),
            }
        }
    }

    fn busy(&self, why: &str) -> CallError {
        let text = format!("another operation (install/upgrade/rollback) is in progress: {}: {why}", self.work.id());
        CallError::new(Class::NotYet, "OperationInProgress", text)
    }

    fn pending(&self, seen: Option<&Seen>) -> CallError {
        let (id, release) = (self.work.id(), &self.work.release);
        let (status, since) = seen.map_or_else(Default::default, |seen| {
            let since = seen.content.info.last_deployed.as_str().unwrap_or("an unknown time").to_owned();
            (seen.revision.status.clone(), since)
        });
        let namespace = &self.work.namespace;
        CallError::refused(PENDING, format!("release {id} is {status} since {since}, and not by this run"))
            .hint("if somebody's helm is still at work on it, wait until it has ended, then resume")
            .hint(format!(
                "if that helm was killed: helm rollback {release} -n {namespace} (or helm uninstall, when nothing was deployed before), then resume"
            ))
    }

    async fn has_namespace(&self) -> Result<(), CallError> {
        let kind =
            Type { api_version: "v1".into(), kind: "Namespace".into(), plural: "namespaces".into(), namespaced: false };
        let namespace = &self.work.namespace;
        match self.work.api().object(&kind, "", namespace).await {
            Ok(Some(found)) if text(&found, "status.phase") == "Terminating" => {
                let text = format!("namespace {namespace} is being deleted");
                Err(CallError::new(Class::NotYet, "NamespaceTerminating", text))
            }
            Ok(None) if self.asked.create_namespace != Some(true) => {
                let text = format!("create: failed to create: namespaces \"{namespace}\" not found");
                Err(CallError::refused("NotFound", text).hint("create_namespace: true makes it"))
            }
            // Who may not read namespaces may still install into one.
            Err(error) if error.class != Class::Refused => Err(error),
            _ => Ok(()),
        }
    }

    fn chart(&self) -> Chart {
        let Input { chart, version, repo, .. } = &self.asked;
        Chart { reference: chart.clone(), version: version.clone(), repo: repo.clone() }
    }

    /// Renders the chart on the server without changing anything; whether Helm must wait before it goes on to hooks.
    async fn waits(&self, folder: &Folder, chart: &Path) -> Result<bool, CallError> {
        let mut call = self.upgrade(chart, &["--dry-run=server", "--output=json"]);
        call.prints = true;
        let ran = self.work.call(folder, call).await?;
        if let Some(error) = broken_off(&ran) {
            return Err(error);
        }
        if !ran.succeeded {
            let error = nothing_done(&ran.said);
            // A dry run makes no definitions that the chart brings along, so it cannot know their kinds.
            return if error.code == "UnknownKind" { Ok(true) } else { Err(error) };
        }
        let rendered: record::Content = serde_json::from_slice(&ran.printed).unwrap_or_default();
        Ok(rendered.hooks.iter().flatten().flat_map(|hook| &hook.events).any(|event| AFTER.contains(&event.as_str())))
    }

    fn apply(&self, chart: &Path, waits: bool) -> Call {
        let labels = format!("--labels={RUN_LABEL}={},{EFFECT_LABEL}={}", self.ours.run, self.ours.effect);
        let step: String = self.step.map(String::as_str).unwrap_or_default().chars().take(200).collect();
        let description = format!("--description=runbook: run {}, step {step}", self.ours.run);
        let timeout = format!("--timeout={}s", LONGEST.as_secs());
        let mut flags = vec![labels.as_str(), &description, &timeout];
        if waits {
            flags.push("--wait");
        }
        if self.asked.create_namespace == Some(true) {
            flags.push("--create-namespace");
        }
        let mut call = self.upgrade(chart, &flags);
        call.tells = Tells::Unready;
        if !waits {
            call.grace = GRACE;
        }
        call
    }

    fn upgrade(&self, chart: &Path, flags: &[&str]) -> Call {
        let mut arguments: Vec<String> =
            ["upgrade", "--install", "--reset-values", "--values=-"].map(str::to_owned).into();
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        arguments.extend(["--".to_owned(), self.work.release.clone(), chart.display().to_string()]);
        Call { arguments, input: Some(values::text(&self.asked.values)), ..Call::default() }
    }

    /// What became of it, as Helm's own record says. `before`: the revision that stood before.
    async fn outcome(&self, ran: &Ran, before: u64) -> Result<Value, CallError> {
        let unknown = |code: &str, why: String| CallError::new(Class::Unknown, code, why);
        let seen = self.work.newest().await.map_err(|error| unknown("ReleaseNotRead", error.message))?;
        let new = seen.filter(|seen| seen.revision.number > before && self.ours.made(&seen.revision));
        match new {
            Some(seen) if seen.revision.status == "deployed" => self.described(&seen).await,
            _ if ran.ended == Some(Ended::Interrupted) => {
                Err(unknown("Interrupted", "helm was ended, because the run is being stopped".to_owned()))
            }
            Some(seen) if seen.revision.is_pending() => {
                Err(unknown("HelmKilled", format!("helm ended while the release was {}", seen.revision.status)))
            }
            Some(seen) if before > 0 => self.rolled_back(ran, &seen, before).await,
            Some(seen) => self.described(&seen).await,
            None if ran.succeeded => {
                Err(unknown("ReleaseNotFound", "helm succeeded, and its release is not there".to_owned()))
            }
            None if ran.ended.is_some() => Err(CallError::refused("TimedOut", "helm wrote no release, and was ended")),
            None => Err(nothing_done(&ran.said)),
        }
    }

    /// After a failed upgrade the revision before it stands again.
    async fn rolled_back(&self, ran: &Ran, failed: &Seen, before: u64) -> Result<Value, CallError> {
        let described = self.described(failed).await?;
        let known =
            described["waiting_for"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let why = match known.collect::<Vec<_>>() {
            none if none.is_empty() => reasons(&ran.said, Vec::new(), Vec::new()),
            why => why,
        }
        .join("; ");
        let revisions = record::revisions(self.work.api(), &self.work.namespace, &self.work.release).await?;
        let good = revisions
            .iter()
            .rfind(|one| one.number <= before && ["deployed", "superseded"].contains(&one.status.as_str()));
        let Some(good) = good else { return Ok(described) };
        let folder = self.work.folder()?;
        let arguments = [
            "rollback",
            &format!("--timeout={}s", LONGEST.as_secs()),
            "--",
            &self.work.release,
            &good.number.to_string(),
        ];
        let call = Call {
            arguments: arguments.map(str::to_owned).into(),
            grace: GRACE,
            tells: Tells::Unready,
            ..Call::default()
        };
        let back = self.work.call(&folder, call).await?;
        let text = match back.succeeded {
            true => format!("{why}; revision {} stands again", good.number),
            false => format!("{why}; it could not be rolled back to revision {}: {}", good.number, words(&back.said)),
        };
        Err(CallError::refused("UpgradeFailed", text))
    }

    async fn described(&self, seen: &Seen) -> Result<Value, CallError> {
        self.work.described(seen, Some(&self.asked.chart)).await.map_err(|error| {
            let text = format!("it was taken, and could not be read again: {}", error.message);
            CallError::new(Class::Unknown, error.code, text)
        })
    }
}

/// The chart as a path: its own, or that of the archive that was fetched into the folder.
///
/// # Errors
/// When it cannot be fetched.
pub async fn fetched(
    work: &Work<'_>, folder: &Folder, chart: &Chart, registry: Option<&Registry>,
) -> Result<PathBuf, CallError> {
    if chart.is_local() {
        let path = PathBuf::from(&chart.reference);
        if path.exists() {
            return Ok(path);
        }
        return Err(CallError::refused("ChartNotFound", format!("there is no chart at {}", chart.reference)));
    }
    if let (Some(Registry { username, password }), Some(host)) = (registry, chart.registry()) {
        let no_folder = |error: std::io::Error| CallError::new(Class::NotSent, "NoFolder", error.to_string());
        folder.log_in(host, username, password).map_err(no_folder)?;
    }
    let into = folder.path().join(CHART);
    let ran = work.call(folder, Call { arguments: chart.pull(&into), ..Call::default() }).await?;
    if let Some(error) = broken_off(&ran) {
        return Err(error);
    }
    if !ran.succeeded {
        return Err(not_fetched(&ran.said));
    }
    let archives = std::fs::read_dir(&into).into_iter().flatten().flatten().map(|entry| entry.path());
    archives.into_iter().find(|path| path.extension().is_some_and(|end| end == "tgz")).ok_or_else(|| {
        CallError::refused("ChartNotFetched", format!("helm pull brought no archive of {}", chart.reference))
    })
}
