//! Values arrive as they are, and a secret among them is nowhere but where it must be.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::bench::with_both;

#[test]
fn texts_arrive_as_they_are() {
    with_both(async |site| {
        let texts = [
            "plain",
            "",
            " white space ",
            "line\nbreak\r\n\ttab",
            "'quotes' \"and\" \\backslashes\\",
            "{{ .Values.x }} {{- if }}",
            "$HOME `x` $(x) %s",
            "---\n- yaml: [1, 2]\n# no comment",
            "null",
            "true",
            "0123",
            "1e3",
            "a,b=c.d",
            "ümlaut 日本語 \u{1f600}",
            "@file",
            "-",
        ];
        let settings: Map<String, Value> =
            texts.iter().enumerate().map(|(i, text)| (format!("t{i}"), Value::from(*text))).collect();
        // What YAML reads otherwise unless it is escaped; no template renders this one.
        let odd = "next\u{85}line\u{2028}separator\u{feff}mark\u{7f}delete";
        let input = site.input("web", "slow", json!({"settings": settings, "padding": odd}));
        let made = site.install(&input, "e").await.expect("installed");
        assert_eq!(made["values"]["padding"], odd);
        assert_eq!(made["values"]["settings"], Value::Object(settings.clone()), "as Helm keeps them");
        assert_eq!(site.object("ConfigMap", "web").await["data"], Value::Object(settings), "as the template has them");
    });
}

#[test]
fn a_secret_is_in_no_argument_no_environment_and_no_file() {
    with_both(async |site| {
        let canary = "canary-9d1f-secret";
        let mut values = json!({"before": {"exitCode": 0, "hold": true}});
        values["podAnnotations"] = json!({"example.com/key": canary});
        let input = site.input("jobs", "hooks", values);
        let (created, found) = tokio::join!(site.create(&input, "e"), async {
            site.until("jobs", 1, "pending-install").await;
            let mut found = Vec::new();
            let helms = site.helms("jobs");
            assert_eq!(helms.len(), 1);
            for file in ["cmdline", "environ"] {
                let bytes = fs::read(format!("/proc/{}/{file}", helms[0])).expect("it lives");
                assert!(contains(&bytes, b"jobs") || file == "environ", "we look at the right place");
                if contains(&bytes, canary.as_bytes()) {
                    found.push(PathBuf::from(file));
                }
            }
            holding(site.root.path(), canary.as_bytes(), &mut found);
            holding(site.root.path(), STANDARD.encode(canary).as_bytes(), &mut found);
            let mut credentials = Vec::new();
            holding(site.root.path(), b"certificate-authority-data", &mut credentials);
            assert_eq!(credentials.len(), 1, "the scan sees the private files");
            site.release_pods("jobs-before").await;
            found
        });
        assert_eq!(found, Vec::<PathBuf>::new());
        created.expect("installed");
        let template = site.object("Deployment", "jobs").await["spec"]["template"]["metadata"]["annotations"].clone();
        assert_eq!(template["example.com/key"], canary, "it has arrived");
        assert_eq!(
            fs::read_dir(site.root.path().join("calls")).expect("the folder").count(),
            1,
            "only the lock is left"
        );
    });
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The files below a folder that hold a text.
fn holding(folder: &Path, part: &[u8], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            holding(&entry.path(), part, found);
        } else if fs::read(entry.path()).is_ok_and(|bytes| contains(&bytes, part)) {
            found.push(entry.path());
        }
    }
}
