//! What is refused, by whom, and that nothing was made then.

use runbook_modules::error::Class;
use serde_json::json;

use super::bench::with_both;

#[test]
fn what_is_wrong_is_said_before_anything_is_made() {
    with_both(async |site| {
        let bad = |class: Class, code: &'static str, input, words: &'static str| (class, code, input, words);
        let mut no_such_version = site.input("web", "slow", json!({}));
        no_such_version["version"] = "9.9.9".into();
        let mut nobody = site.input("web", "slow", json!({}));
        nobody["chart"] = "oci://127.0.0.1:9/charts/slow".into();
        let mut no_path = site.input("web", "slow", json!({}));
        no_path["chart"] = "./no/such/chart".into();
        let reserved = json!({"podAnnotations": {"not a name": "x"}});
        for (class, code, input, words) in [
            bad(Class::Refused, "ChartNotFound", site.input("web", "no-such-chart", json!({})), "no-such-chart"),
            bad(Class::Refused, "ChartNotFound", no_such_version, "9.9.9"),
            bad(Class::NotSent, "RegistryUnreachable", nobody, "127.0.0.1:9"),
            bad(Class::Refused, "ChartNotFound", no_path, "./no/such/chart"),
            bad(Class::Refused, "ValuesSchema", site.input("web", "slow", json!({"replicas": -1})), "replicas"),
            bad(
                Class::Refused,
                "TemplateError",
                site.input("redis", "redis", json!({})),
                "auth.password or auth.existingSecret",
            ),
        ] {
            let error = site.create(&input, "e").await.unwrap_err();
            assert_eq!((error.class, error.code.as_str()), (class, code), "{error}");
            assert!(error.message.contains(words), "{words} is not in {error}");
        }
        assert_eq!(site.names("Secret").await, Vec::<String>::new(), "nothing was made");

        // What only the API server knows to be wrong comes to light when it is applied: then a release stands, and is reported so.
        let made = site.create(&site.input("web", "slow", reserved), "e").await.expect("taken, and failed");
        assert_eq!(made["status"], "failed");
        assert!(made["waiting_for"].to_string().contains("not a name"), "{made}");
        assert_eq!(site.install(&site.input("web", "slow", json!({})), "e").await.expect("done again")["revision"], 1);
    });
}

#[test]
fn what_somebody_else_keeps_is_not_imported() {
    with_both(async |site| {
        let theirs = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": site.namespace}, "data": {"a": "theirs"},
        });
        site.apply(&theirs).await;
        let error = site.create(&site.input("web", "slow", json!({})), "e").await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Refused, "ObjectNotOurs"), "{error}");
        assert!(error.message.contains("ConfigMap \"web\""), "{error}");
        assert_eq!(site.object("ConfigMap", "web").await["data"], json!({"a": "theirs"}));
        assert_eq!(site.status("web").await, json!(null));
    });
}

#[test]
fn a_release_that_is_too_large_is_refused_with_what_to_do() {
    with_both(async |site| {
        // Random letters, so that it does not become smaller.
        let mut state = 7_u64;
        let padding: String = (0..1_600_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b'!' + u8::try_from((state >> 33) % 90).expect("small"))
            })
            .collect();
        let error = site.create(&site.input("web", "slow", json!({"padding": padding})), "e").await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Refused, "RB0803"), "{error}");
        assert!(error.message.len() < 4000 && error.hints[0].contains("1 MiB"), "{error:?}");
        assert_eq!(site.names("Deployment").await, Vec::<String>::new(), "nothing was made");
    });
}
