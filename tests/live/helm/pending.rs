//! What a killed helm leaves, ours and somebody else's.

use std::time::Duration;

use runbook_modules::{error::Class, helm::release::Release, resource::Kind};
use serde_json::{Value, json};

use super::{
    bench::{Site, with_both},
    processes::kill,
};

/// Kills helm in the middle of an install or upgrade that a hook holds.
async fn killed(site: &Site, revision: u64, status: &str, effect: &str) {
    let held = site.input("jobs", "hooks", json!({"before": {"exitCode": 0, "hold": true}}));
    let (created, ()) = tokio::join!(site.create(&held, effect), async {
        site.until("jobs", revision, status).await;
        let helms = site.helms("jobs");
        assert_eq!(helms.len(), 1, "one helm is at work");
        kill(helms[0]);
    });
    let error = created.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Unknown, "HelmKilled"), "{error}");
    let found = site.find(&held, effect).await;
    assert_eq!(found[0]["status"], status);
    assert!(Release.unfinished(&found[0]));
}

#[test]
fn a_killed_install_of_ours_is_done_again() {
    with_both(async |site| {
        killed(&site, 1, "pending-install", "e").await;
        let made = site.install(&site.input("jobs", "hooks", json!({})), "e").await.expect("installed");
        assert_eq!((&made["status"], &made["revision"]), (&json!("deployed"), &json!(1)), "as undisturbed");
    });
}

#[test]
fn a_killed_upgrade_of_ours_is_done_again() {
    with_both(async |site| {
        site.install(&site.input("jobs", "hooks", json!({})), "e1").await.expect("installed");
        killed(&site, 2, "pending-upgrade", "e2").await;
        let values = json!({"podAnnotations": {"a": "b"}});
        let made = site.install(&site.input("jobs", "hooks", values.clone()), "e2").await.expect("upgraded");
        assert_eq!((&made["status"], &made["values"], &made["revision"]), (&json!("deployed"), &values, &json!(3)));
        let template = site.object("Deployment", "jobs").await["spec"]["template"]["metadata"]["annotations"].clone();
        assert_eq!(template, json!({"a": "b"}));
    });
}

#[test]
fn what_somebody_else_made_is_not_taken_over() {
    with_both(async |site| {
        let input = site.input("jobs", "hooks", json!({}));
        let made = site.install(&input, "e").await.expect("installed");
        let at = Release.locate(&input, &made).expect("a locator");
        let site = site.for_run("another-run");
        let error = site.create(&input, "e").await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "NameInUse"), "{error}");
        assert_eq!(site.status("jobs").await["revision"], 1);

        // Reinstalled by another run under the same name, it is not the first run's any more.
        site.delete(&at).await.expect("uninstalled");
        site.install(&input, "e").await.expect("installed");
        assert_eq!(site.read(&at).await, None);
        assert_eq!(site.delete(&at).await.unwrap_err().class, Class::NotFound);
        assert_eq!(site.status("jobs").await["status"], "deployed");
    });
}

#[test]
fn somebody_elses_pending_release_stops_the_run() {
    with_both(async |site| {
        killed(&site, 1, "pending-install", "e").await;
        let site = site.for_run("another-run");
        let error = site.create(&site.input("jobs", "hooks", json!({})), "e").await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Refused, "RB0802"), "{error}");
        assert!(
            error.message.contains("pending-install since") && error.hints[1].contains("helm rollback jobs"),
            "{error:?}"
        );
        assert_eq!(site.status("jobs").await["status"], "pending-install", "it is left as it was");
    });
}

#[test]
fn a_persons_release_stays_theirs() {
    with_both(async |site| {
        // As `helm install` of a person: without our labels.
        let input = site.input("jobs", "hooks", json!({}));
        let chart = input["chart"].as_str().expect("a chart");
        site.person(&["install", "jobs", chart, "--plain-http"]).await;
        let error = site.create(&input, "e").await.unwrap_err();
        assert_eq!(error.code, "NameInUse");
        let found = site.find(&input, "e").await;
        assert_eq!(found[0]["tags"], json!({}));
        assert_eq!(site.status("jobs").await["revision"], 1);
    });
}

#[test]
fn a_helm_that_outlives_its_run_is_waited_for() {
    with_both(async |site| {
        // As after a SIGKILL of the run: helm goes on, and its folder with it.
        let held = site.input("jobs", "hooks", json!({"before": {"exitCode": 0, "hold": true}}));
        site.orphaned(&held, "e").await;
        let found = site.find(&held, "e").await;
        assert!(!Release.unfinished(&found[0]), "it is at work: {found:?}");
        let (again, ()) = tokio::join!(site.create(&held, "e"), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            site.release_pods("jobs-before").await;
        });
        let again: Value = again.expect("the orphan's release");
        assert_eq!((&again["revision"], &again["tags"]["runbook:effect"]), (&json!(1), &json!("e")));
        assert!(site.host.told().iter().any(|text| text.contains("an earlier process")), "{:?}", site.host.told());
    });
}

#[test]
#[ignore = "the process that a_helm_that_outlives_its_run_is_waited_for kills"]
fn a_run_that_is_killed() {
    super::bench::orphan();
}
