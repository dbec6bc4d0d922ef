//! Hooks, waits and their reasons.

use std::sync::atomic::Ordering;

use runbook_modules::{error::Class, helm::release::Release, resource::Kind};
use serde_json::json;

use super::bench::{during, with_both};

#[test]
fn hooks_run_and_those_after_the_install_see_it_ready() {
    with_both(async |site| {
        let made = site.install(&site.input("jobs", "hooks", json!({})), "e").await.expect("installed");
        assert_eq!(made["status"], "deployed");
        let time = |job: serde_json::Value, field: &str| job["status"][field].as_str().expect("a time").to_owned();
        let before = time(site.object("Job", "jobs-before").await, "completionTime");
        let after = time(site.object("Job", "jobs-after").await, "startTime");
        let deployment = site.object("Deployment", "jobs").await;
        let ready = deployment["status"]["conditions"]
            .as_array()
            .expect("conditions")
            .iter()
            .find(|c| c["type"] == "Available");
        let ready = ready.expect("available")["lastTransitionTime"].as_str().expect("a time");
        assert!(before.as_str() <= ready && ready <= after.as_str(), "{before} {ready} {after}");
    });
}

#[test]
fn a_failing_hook_is_reported_with_its_reason_and_the_remains_can_be_deleted() {
    with_both(async |site| {
        for when in ["before", "after"] {
            let release = format!("jobs-{when}");
            let input = site.input(&release, "hooks", json!({when: {"exitCode": 3}}));
            let described = site.create(&input, "e").await.expect("it was made, and failed");
            let why = site.install(&input, "e2").await.unwrap_err();
            assert_eq!(described["status"], "failed", "{described}");
            for part in [&*format!("Job {release}-{when}"), "exited with 3", "BackoffLimitExceeded"] {
                assert!(why.contains(part), "{part} is not in {why}");
            }
            assert!(!why.contains("timed out"), "{why}");
            let at = Release.locate(&input, &described).expect("a locator");
            site.delete(&at).await.expect("uninstalled");
            let good = site.input(&release, "hooks", json!({}));
            assert_eq!(site.install(&good, "e3").await.expect("installed")["revision"], 1);
        }
    });
}

#[test]
fn an_upgrade_that_fails_leaves_the_revision_before_it() {
    with_both(async |site| {
        site.install(&site.input("jobs", "hooks", json!({})), "e1").await.expect("installed");
        let error =
            site.create(&site.input("jobs", "hooks", json!({"after": {"exitCode": 4}})), "e2").await.unwrap_err();
        assert_eq!(error.code, "UpgradeFailed");
        assert!(
            error.message.contains("exited with 4") && error.message.contains("revision 1 stands again"),
            "{error}"
        );
        let status = site.status("jobs").await;
        assert_eq!(
            (&status["status"], &status["values"], &status["revision"]),
            (&json!("deployed"), &json!({}), &json!(3))
        );
        let upgraded = site.install(&site.input("jobs", "hooks", json!({"after": {"exitCode": 0}})), "e3").await;
        assert_eq!(upgraded.expect("upgraded")["revision"], 4);
    });
}

#[test]
fn what_is_not_ready_is_named_with_its_reason() {
    with_both(async |site| {
        let failing = json!({"podAnnotations": {"testbed.runbook.dev/fail": "ImagePullBackOff"}});
        let input = site.input("web", "slow", failing.clone());
        let mut described = site.create(&input, "e").await.expect("taken");
        let at = Release.locate(&input, &described).expect("a locator");
        for _ in 0..100 {
            if described["waiting_for"].to_string().contains("ImagePullBackOff") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            described = site.read(&at).await.expect("it stands");
        }
        assert_eq!(described["status"], "pending-install");
        let waiting = described["waiting_for"][0].as_str().expect("a text");
        assert!(waiting.starts_with("Deployment web: pod web-") && waiting.contains("ImagePullBackOff"), "{waiting}");

        // A chart with a hook after the install makes helm itself wait: what it waits for is told meanwhile.
        let input = site.input("jobs", "hooks", failing);
        let created = during(site.create(&input, "e"), async {
            site.host.until_told(&["Deployment jobs: pod jobs-", "ImagePullBackOff"]).await;
            site.host.stop.store(true, Ordering::Relaxed);
        })
        .await;
        assert_eq!(created.unwrap_err().code, "Interrupted");
        site.host.stop.store(false, Ordering::Relaxed);
        let found = site.find(&input, "e").await;
        assert!(
            found[0]["status"] == "failed" && Release.unfinished(&found[0]),
            "helm writes down that it was stopped: {found:?}"
        );
        let good = site.input("jobs", "hooks", json!({}));
        assert_eq!(site.install(&good, "e").await.expect("done again")["revision"], 1);
    });
}

#[test]
fn the_end_of_patience_names_what_is_not_ready() {
    with_both(async |site| {
        let held = json!({"testbed.runbook.dev/hold": "true"});
        for (release, values, parts) in [
            (
                "hook",
                json!({"before": {"exitCode": 0, "hold": true}}),
                ["hook Job hook-before: pod hook-before-", "not ready"],
            ),
            ("wait", json!({"podAnnotations": held}), ["Deployment wait: pod wait-", "not ready"]),
        ] {
            let input = site.input(release, "hooks", values);
            let created = during(site.create(&input, "e"), async {
                site.host.until_told(&parts).await;
                site.host.jump();
            })
            .await;
            let described = created.expect("it was made, and failed");
            assert_eq!(described["status"], "failed");
            let why = described["waiting_for"].to_string();
            assert!(parts.iter().all(|part| why.contains(part)), "{why}");
            for empty in ["timed out", "context", "deadline"] {
                assert!(!why.contains(empty), "{why}");
            }
        }
    });
}

#[test]
fn an_uninstall_waits_and_names_what_is_left() {
    with_both(async |site| {
        let input = site.input("web", "slow", json!({}));
        let made = site.install(&input, "e").await.expect("installed");
        let at = Release.locate(&input, &made).expect("a locator");
        site.patch("ConfigMap", "web", json!({"metadata": {"finalizers": ["example.com/kept"]}})).await;
        let deleted = during(site.delete(&at), async {
            site.host.until_told(&["ConfigMap web: finalizers example.com/kept"]).await;
            site.host.jump();
        })
        .await;
        let error = deleted.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "NotGone"));
        assert!(error.message.contains("ConfigMap web: finalizers example.com/kept"), "{error}");
        site.patch("ConfigMap", "web", json!({"metadata": {"finalizers": null}})).await;
        match site.delete(&at).await {
            Ok(()) => {}
            // Helm forgets a release that it has given up waiting for.
            Err(error) => assert_eq!(error.class, Class::NotFound, "{error}"),
        }
        assert_eq!(site.object("ConfigMap", "web").await, json!(null));
        assert_eq!(site.read(&at).await, None);
    });
}
