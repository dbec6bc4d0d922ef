//! The program is killed at a request to the API server, its own or one of its helm's, and resumed; so is its undo. What stands must be
//! what an undisturbed run makes, no release may be left pending, and after the undo nothing stands.
//!
//! RUNBOOK_TRIALS=all tries every request in every way; otherwise a sample that goes through both.

#![expect(clippy::print_stdout, reason = "the figures of the trials")]

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use runbook_testbed::gateway::{Gateway, Moment};
use serde_json::{Value, json};

use super::{
    bench::{Bench, bench},
    processes::{children, kill},
};
use crate::{
    canned::{CALLER, Canned},
    harness::{Place, Said, said},
    inventory,
    sample::chosen,
};

/// An apply of several objects, a patch, an install, an upgrade, and an upgrade that is rolled back since its hook fails.
const SCRIPT: &str = r#"
const K = k8s(#{ context: "testbed" });
step("space", || K.apply(#{ apiVersion: "v1", kind: "Namespace", metadata: #{ name: "SPACE" } }));
step("objects", || {
    for name in ["one", "two"] {
        K.apply(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: name, namespace: "SPACE" }, data: #{ a: "1" } });
    }
});
step("patched", || K.patch(#{ kind: "ConfigMap", name: "two", namespace: "SPACE", patch: #{ data: #{ a: "2", b: "3" } } }));
let chart = |values| #{ release: "jobs", namespace: "SPACE", chart: "CHART", values: values };
step("installed", || K.helm.upgrade_install(chart.call(#{ after: #{ exitCode: () } })));
step("upgraded", || K.helm.upgrade_install(chart.call(#{ podAnnotations: #{ a: "b" } })));
try {
    step("rolled back", || K.helm.upgrade_install(chart.call(#{ before: #{ exitCode: 1 }, podAnnotations: #{ a: "c" } })));
} catch (error) {
    output("refused", error.code);
}
"#;

/// So many trials the sample has.
const SAMPLE: usize = 10;
/// So many at once.
const SIDE_BY_SIDE: usize = 6;
/// So much faster the program's own waits go.
const SPEED: &str = "10";

const RUN: [&str; 3] = ["run", "s.rhai", "--yes"];
const RESUME: [&str; 2] = ["resume", "latest"];
const UNDO: [&str; 3] = ["undo", "latest", "--yes"];

/// A case: the version of helm, which of the two commands is killed, at which request, when, and whether its helm is.
#[derive(Debug, Clone)]
struct Case {
    helm: usize,
    undo: bool,
    request: String,
    moment: Moment,
    helm_too: bool,
    /// A killed run is undone, not resumed.
    given_up: bool,
}

/// Every way to kill at one of these requests, and what follows. A helm that lives on gets its answer.
fn cases(helm: usize, undo: bool, requests: &[String]) -> Vec<Case> {
    let ways = |request: &String| {
        let alone = request.starts_with("helm ").then_some((Moment::Passing, false));
        let cut = [(Moment::Before, true), (Moment::After, true)].into_iter().chain(alone);
        let ends = cut.flat_map(|(moment, helm_too)| [(moment, helm_too, false), (moment, helm_too, true)]);
        // What the API server has not seen is as before it; an undo is not given up.
        let ends = ends.filter(|(moment, _, given_up)| !given_up || !undo && *moment != Moment::Before);
        let request = request.clone();
        ends.map(move |(moment, helm_too, given_up)| Case {
            helm,
            undo,
            request: request.clone(),
            moment,
            helm_too,
            given_up,
        })
        .collect::<Vec<_>>()
    };
    requests.iter().flat_map(ways).collect()
}

/// A namespace, a gateway, and a place to run the program in.
struct Site {
    bench: &'static Bench,
    gateway: Gateway,
    sts: Canned,
    place: Place,
    space: String,
    helm: PathBuf,
}

impl Site {
    fn new(bench: &'static Bench, helm: usize) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let gateway = bench.runtime.block_on(Gateway::start(bench.plane)).expect("a gateway");
        let (place, space) = (Place::new(), format!("killed-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let chart = format!("{}/hooks", bench.registry.url());
        place.write("s.rhai", &SCRIPT.replace("SPACE", &space).replace("CHART", &chart));
        place.write("kubeconfig", &gateway.kubeconfig("testbed").to_string());
        let helm = [&bench.tools.helm3, &bench.tools.helm4][helm];
        Self { bench, gateway, sts: Canned::new(|_| (200, CALLER.to_owned())), place, space, helm: helm.clone() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.env("KUBECONFIG", self.place.work().join("kubeconfig")).env("RUNBOOK_TEST_CLOCK", SPEED);
        command.env("AWS_ENDPOINT_URL", &self.sts.url).env("AWS_REGION", "us-east-1").env("RUNBOOK_HELM", &self.helm);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    fn say(&self, args: &[&str]) -> Said {
        said(self.command(args).output().expect("the program starts"))
    }

    fn good(&self, args: &[&str]) -> Result<(), String> {
        let said = self.say(args);
        let same = said.code == 0;
        same.then_some(()).ok_or_else(|| format!("{args:?} ended with {}\n{}\n{}", said.code, said.out, said.err))
    }

    /// The requests that came since the last reset, with the namespace's name taken out.
    fn seen(&self) -> Vec<String> {
        self.gateway.seen().into_iter().map(|request| request.replace(&self.space, "SPACE")).collect()
    }

    /// Begins a command, which is killed at the case's request; whether it was.
    fn killed(&self, args: &[&str], case: &Case) -> bool {
        let child = self.command(args).spawn().expect("the program starts");
        let (pid, helm_too) = (child.id(), case.helm_too);
        let deed = move || {
            let helms = children(pid);
            kill(pid);
            helms.into_iter().filter(|_| helm_too).for_each(kill);
        };
        self.gateway.at(&case.request.replace("SPACE", &self.space), case.moment, deed);
        said(child.wait_with_output().expect("its output")).code == -1
    }

    /// What stands in the namespace, a line each; with how often the release was tried.
    fn stands(&self) -> Result<(Vec<String>, usize), String> {
        let lists = [
            "api/v1/KINDS/configmaps",
            "api/v1/KINDS/secrets",
            "apis/apps/v1/KINDS/deployments",
            "apis/batch/v1/KINDS/jobs",
        ];
        let mut lines = Vec::new();
        let mut revisions = Vec::new();
        for path in lists {
            let path = format!("/{}", path.replace("KINDS", &format!("namespaces/{}", self.space)));
            for object in self.items(&path) {
                let name = object["metadata"]["name"].as_str().expect("a name");
                match path.rsplit('/').next() {
                    Some("secrets") if name.starts_with("sh.helm.release") => {
                        let number = name.rsplit(".v").next().and_then(|number| number.parse::<usize>().ok());
                        let status = object["metadata"]["labels"]["status"].as_str().unwrap_or_default().to_owned();
                        revisions.push((number.expect("a revision"), status));
                    }
                    Some("configmaps") => lines.push(format!("{name} {}", object["data"])),
                    Some("jobs") => lines.push(format!("{name} {}", object["status"]["conditions"][0]["type"])),
                    _ => lines.push(format!("{name} {}", object["spec"])),
                }
            }
        }
        revisions.sort();
        let newest = revisions.last().map(|(_, status)| status.as_str());
        let odd = |(_, status): &&(usize, String)| !["deployed", "superseded", "failed"].contains(&status.as_str());
        let deployed = revisions.iter().filter(|(_, status)| status == "deployed").count();
        if newest != Some("deployed") || deployed != 1 || revisions.iter().any(|it| odd(&it)) {
            return Err(format!("the release is {revisions:?}"));
        }
        lines.retain(|line| !line.starts_with("kube-root-ca.crt "));
        lines.sort();
        Ok((lines.into_iter().map(|line| line.replace(&self.space, "SPACE")).collect(), revisions.len()))
    }

    fn items(&self, path: &str) -> Vec<Value> {
        let request = http::Request::get(path).body(Vec::new()).expect("a request");
        let read = async { self.bench.plane.client().request_text(request).await };
        let text = self.bench.runtime.block_on(read).expect("a list");
        let list: Value = serde_json::from_str(&text).expect("JSON");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    fn gone(&self) -> Result<(), String> {
        let there = self.items("/api/v1/namespaces").iter().any(|it| it["metadata"]["name"] == self.space.as_str());
        (!there).then_some(()).ok_or_else(|| "undo left the namespace".to_owned())
    }
}

/// What an undisturbed life was like.
struct Calm {
    stands: Vec<String>,
    revisions: usize,
    run: Vec<String>,
    undo: Vec<String>,
}

fn calm(site: &Site) -> Result<Calm, String> {
    site.good(&RUN)?;
    let run = site.seen();
    let (stands, revisions) = site.stands()?;
    site.gateway.reset();
    site.good(&UNDO)?;
    site.gone()?;
    Ok(Calm { stands, revisions, run, undo: site.seen() })
}

/// What a disturbed life was like.
struct Lived {
    killed: bool,
    /// Revisions of the release beyond those of an undisturbed life.
    more: usize,
}

fn trial(site: &Site, calm: &Calm, case: &Case) -> Result<Lived, String> {
    let mut killed = false;
    if case.undo {
        site.good(&RUN)?;
    } else {
        killed = site.killed(&RUN, case);
        if killed && case.given_up {
            site.good(&UNDO)?;
            site.gone()?;
            return Ok(Lived { killed, more: 0 });
        }
        if killed {
            // Until it has begun a run cannot be resumed.
            let begun = site.say(&["show", "latest"]).code == 0;
            site.good(if begun { &RESUME } else { &RUN })?;
        }
    }
    let (stands, revisions) = site.stands()?;
    if let Some(differs) = inventory::difference(&stands, &calm.stands) {
        return Err(differs);
    }
    if case.undo {
        site.gateway.reset();
        killed = site.killed(&UNDO, case);
    }
    if killed || !case.undo {
        site.good(&UNDO)?;
    }
    site.gone()?;
    Ok(Lived { killed, more: revisions.saturating_sub(calm.revisions) })
}

#[test]
fn killed_at_a_request_to_the_cluster_it_ends_the_same() {
    let Some(bench) = bench() else { return };
    // Helm 3 and helm 4 do not ask for the same.
    let calms = [0, 1].map(|helm| calm(&Site::new(bench, helm)).expect("an undisturbed life"));
    let of = |helm: usize| [cases(helm, false, &calms[helm].run), cases(helm, true, &calms[helm].undo)].concat();
    let every = [of(0), of(1)].concat();
    let (requests, cells) = (calms.iter().map(|calm| calm.run.len() + calm.undo.len()).sum::<usize>(), every.len());
    let tried = chosen(every, SAMPLE, 0);
    let next = AtomicUsize::new(0);
    let lived = Mutex::new(Vec::new());
    let work = || {
        while let Some(case) = tried.get(next.fetch_add(1, Ordering::Relaxed)) {
            let ended = trial(&Site::new(bench, case.helm), &calms[case.helm], case);
            let ended = ended.map_err(|why| format!("{case:?}: {why}"));
            if let Err(why) = &ended {
                println!("{why}\n");
            }
            lived.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
        }
    };
    std::thread::scope(|scope| (0..SIDE_BY_SIDE).for_each(|_| drop(scope.spawn(work))));
    let lived = lived.into_inner().unwrap_or_else(PoisonError::into_inner);
    let wrong: Vec<&String> = lived.iter().filter_map(|lived| lived.as_ref().err()).collect();
    let well: Vec<&Lived> = lived.iter().filter_map(|lived| lived.as_ref().ok()).collect();
    let killed = well.iter().filter(|lived| lived.killed).count();
    let figures = json!({
        "requests": requests, "cells": cells, "tried": tried.len(), "wrong": wrong.len(), "killed": killed,
        "more": well.iter().filter(|lived| lived.more > 0).count(),
    });
    println!("killed {figures}");
    assert!(wrong.is_empty(), "{}", wrong.iter().map(|why| why.as_str()).collect::<Vec<_>>().join("\n\n"));
    assert!(killed * 2 > well.len(), "most requests did not come again: {figures}");
}
