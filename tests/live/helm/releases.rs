//! Install, upgrade, status, template, uninstall.

use runbook_modules::{
    error::Class,
    helm::{operations, release::Release},
    resource::Kind,
    target::{EFFECT_TAG, RUN_TAG},
};
use serde_json::json;

use super::bench::with_both;

#[test]
fn a_release_is_installed_upgraded_and_uninstalled() {
    with_both(async |site| {
        let input = site.input("web", "slow", json!({"settings": {"a": "1"}}));
        let made = site.install(&input, "e1").await.expect("installed");
        assert_eq!(made["id"], format!("{}/web", site.namespace));
        assert_eq!(
            (&made["status"], &made["revision"], &made["chart"]),
            (&json!("deployed"), &json!(1), &input["chart"])
        );
        assert_eq!((&made["version"], &made["values"]), (&json!("1.0.0"), &input["values"]));
        assert_eq!(made["tags"], json!({RUN_TAG: site.run, EFFECT_TAG: "e1"}));
        assert!(Release.differences(&input, &made).is_empty());
        assert_eq!(site.object("Deployment", "web").await["status"]["availableReplicas"], 1);

        assert_eq!(
            site.create(&input, "e1").await.expect("the same")["revision"],
            1,
            "sent again, it is not done again"
        );

        let input = site.input("web", "slow", json!({"settings": {"b": "2"}}));
        let upgraded = site.install(&input, "e2").await.expect("upgraded");
        assert_eq!((&upgraded["status"], &upgraded["revision"]), (&json!("deployed"), &json!(2)));
        assert_eq!(upgraded["tags"][EFFECT_TAG], "e2");
        assert_eq!(site.object("ConfigMap", "web").await["data"], json!({"b": "2"}), "values replace those before");

        let bare = site.install(&site.input("web", "slow", json!({})), "e3").await.expect("upgraded");
        assert_eq!((&bare["values"], &bare["revision"]), (&json!({}), &json!(3)), "no values are not the old values");

        let status = site.status("web").await;
        assert_eq!((&status["status"], &status["chart"]), (&json!("deployed"), &json!("slow")));

        let at = Release.locate(&input, &bare).expect("a locator");
        site.delete(&at).await.expect("uninstalled");
        assert_eq!(site.read(&at).await, None);
        assert_eq!(site.names("Pod").await, Vec::<String>::new(), "uninstalled means that the pods are gone");
        assert_eq!(site.status("web").await, json!(null));
        assert_eq!(site.delete(&at).await.unwrap_err().class, Class::NotFound);
        assert_eq!(
            std::fs::read_dir(site.root.path().join("calls")).expect("the folder").count(),
            1,
            "only the lock is left"
        );
    });
}

#[test]
fn our_redis_becomes_ready_and_its_claims_outlive_it() {
    with_both(async |site| {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis-secret", "namespace": site.namespace},
            "stringData": {"redis_password": "secret"},
        });
        site.apply(&secret).await;
        let values = json!({
            "auth": {"existingSecret": "redis-secret", "existingSecretPasswordKey": "redis_password"},
            "replica": {"replicaCount": 2, "persistence": {"enabled": false}},
            "useExternalDNS": {"enabled": true, "suffix": "redis-ha.internal"},
        });
        let mut input = site.input("redis-cluster-1", "redis", values);
        input["version"] = "19.6.4".into();
        let made = site.install(&input, "e").await.expect("ready");
        assert_eq!(made["version"], "19.6.4");
        assert_eq!(site.object("StatefulSet", "redis-cluster-1-node").await["status"]["readyReplicas"], 2);
        let headless = site.object("Service", "redis-cluster-1-headless").await;
        let hostname = &headless["metadata"]["annotations"]["external-dns.alpha.kubernetes.io/hostname"];
        assert_eq!(hostname, "redis-cluster-1.redis-ha.internal");
        let dns = json!({"txtOwnerId": "one", "domainFilters": ["redis-ha.internal"], "policy": "sync"});
        let dns = site.input(&format!("external-dns-{}", site.namespace), "external-dns", dns);
        site.install(&dns, "dns").await.expect("ready");

        let stateful = site.input("stateful", "slow", json!({"stateful": true, "replicas": 0}));
        let made = site.install(&stateful, "s").await.expect("installed");
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-stateful-0", "namespace": site.namespace},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        });
        site.apply(&claim).await;
        site.delete(&Release.locate(&stateful, &made).expect("a locator")).await.expect("uninstalled");
        assert_eq!(site.names("PersistentVolumeClaim").await, ["data-stateful-0"], "claims of a StatefulSet stay");
    });
}

#[test]
fn a_chart_is_rendered_without_being_installed() {
    with_both(async |site| {
        let input = site.input("web", "slow", json!({"settings": {"greeting": "hello"}}));
        let text = site.call(&operations::TEMPLATE, &input).await.expect("rendered");
        let text = text.as_str().expect("a text");
        assert!(text.contains("kind: Deployment") && text.contains("greeting: \"hello\""), "{text}");
        assert_eq!(site.status("web").await, json!(null));
        let uninstalled =
            site.call(&operations::UNINSTALL, &json!({"release": "web", "namespace": site.namespace})).await;
        assert_eq!(uninstalled.unwrap_err().class, Class::NotFound);
        site.install(&input, "e").await.expect("installed");
        let gone = site.call(&operations::UNINSTALL, &json!({"release": "web", "namespace": site.namespace})).await;
        assert_eq!(gone.expect("uninstalled"), json!({"id": format!("{}/web", site.namespace)}));
        assert_eq!(site.names("Deployment").await, Vec::<String>::new());
    });
}

#[test]
fn a_chart_is_rendered_before_its_cluster_stands() {
    with_both(async |site| {
        let mut input = site.input("web", "slow", json!({"settings": {"greeting": "hello"}}));
        let text = site.call_early(&operations::TEMPLATE, &input).await.expect("rendered");
        assert!(text.as_str().is_some_and(|text| text.contains("greeting: \"hello\"")), "{text}");
        input["chart"] = "./nowhere/web".into();
        let error = site.call_early(&operations::TEMPLATE, &input).await.unwrap_err();
        assert_eq!(error.code, "ChartNotFound", "{error}");
        let status = json!({"release": "web", "namespace": site.namespace});
        let error = site.call_early(&operations::STATUS, &status).await.unwrap_err();
        assert_eq!(error.class, Class::NotFound, "{error}");
    });
}

#[test]
fn the_namespace_is_made_when_it_is_asked_for() {
    with_both(async |site| {
        let mut input = site.input("web", "slow", json!({}));
        input["namespace"] = format!("{}-new", site.namespace).into();
        let error = site.create(&input, "e").await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Refused, "NotFound"));
        assert!(error.message.contains("-new\" not found") && error.hints[0].contains("create_namespace"), "{error}");
        input["create_namespace"] = true.into();
        assert_eq!(site.install(&input, "e").await.expect("installed")["status"], "deployed");
    });
}
