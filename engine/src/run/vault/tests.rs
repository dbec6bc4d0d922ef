//! What the vault promises: no value leaves it but by `reveal`, and no broken placeholder passes.

use serde_json::json;

use super::{Vault, seal::Key};

fn vault() -> (Vault, String) {
    let vault = Vault::in_memory("7f3a");
    let placeholder = vault.insert("redis_password", "s3cr\"et/+x").unwrap();
    (vault, placeholder)
}

#[test]
fn reveals_in_leaves_inside_longer_texts_and_in_keys() {
    let (vault, p) = vault();
    let value = json!({"a": [p, format!("user:{p}@host")], p: 1, "n": 2});
    assert_eq!(
        vault.reveal(&value).unwrap(),
        json!({"a": ["s3cr\"et/+x", "user:s3cr\"et/+x@host"], "s3cr\"et/+x": 1, "n": 2})
    );
}

#[test]
fn a_derived_secret_reveals_its_encoding() {
    let (vault, p) = vault();
    let derived = vault.derive(&p, "base64").unwrap();
    assert!(derived.starts_with("{{secret:redis_password|base64:"), "{derived}");
    assert_eq!(vault.reveal(&json!(derived)).unwrap(), json!("czNjciJldC8reA=="));
    assert_eq!(vault.derive(&format!("x{p}"), "base64"), None);
    assert_eq!(vault.derive(&p, "rot13"), None);
}

#[test]
fn conceal_undoes_reveal_in_every_encoding() {
    let (vault, p) = vault();
    for transform in ["base64", "base64url", "url", "json", "hex"] {
        let derived = vault.derive(&p, transform).unwrap();
        let revealed = vault.reveal(&json!({"x": format!("a {derived} b")})).unwrap();
        let concealed = vault.conceal(&revealed);
        assert!(!concealed.to_string().contains("s3cr"), "{concealed}");
        assert_eq!(vault.reveal(&concealed).unwrap(), revealed, "{transform}");
    }
    assert_eq!(vault.conceal(&json!("s3cr\"et/+x")), json!(p));
}

#[test]
fn a_value_inside_longer_base64_is_concealed_wherever_it_begins() {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    let vault = Vault::in_memory("7f3a");
    vault.insert("pw", "correct-horse-battery-staple").unwrap();
    vault.insert("quoted", "wit\"h qu\"otes and more").unwrap();
    for before in ["", "a", "ab", "abc", "{\"auth\":\""] {
        for value in ["correct-horse-battery-staple", "wit\"h qu\"otes and more", "wit\\\"h qu\\\"otes and more"] {
            let plain = format!("{before}{value} and more");
            for text in [STANDARD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
                let concealed = vault.conceal(&json!({"x": format!("auth: {text}")}));
                // Of the first and the last byte some bits can be seen; of what lies between, nothing.
                let inner = STANDARD.encode(&value.as_bytes()[3..9]);
                assert!(!concealed.to_string().contains(&inner[..6]), "{concealed}");
                assert!(concealed.to_string().contains("{{secret:"), "{concealed}");
                assert_eq!(vault.reveal(&concealed).unwrap(), json!({"x": format!("auth: {text}")}));
                assert!(vault.mask(&text).contains('\u{2022}'));
            }
        }
    }
}

#[test]
fn secrets_of_a_cluster_are_sealed_and_put_back_exactly() {
    let vault = Vault::in_memory("7f3a");
    let own = vault.insert("pw", "from a parameter").unwrap();
    let object = |data: serde_json::Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "default", "name": "db"}, "data": data});
    let before = object(json!({
        "user": "YWRtaW4=", "password": "aHVudGVyMi1odW50ZXIyLWh1bnRlcjI=", "binary": "/wD/", "odd": "YR==",
        "own": "ZnJvbSBhIHBhcmFtZXRlcg==", "empty": "",
    }));
    let mut sealed = before.clone();
    vault.seal_answer(&mut sealed).unwrap();
    for (key, value) in sealed["data"].as_object().unwrap() {
        assert!(key == "empty" || value.as_str().unwrap().starts_with("{{secret:"), "{key}: {value}");
    }
    assert!(sealed["data"]["own"].as_str().unwrap().contains("pw|base64"), "one value, one name: {sealed}");
    assert!(own.contains("pw"));
    assert_eq!(vault.reveal(&sealed).unwrap(), before);
    let mut again = before.clone();
    vault.seal_answer(&mut again).unwrap();
    assert_eq!(again, sealed, "the same value has the same placeholder");
    let mut other = object(json!({"user": "cm9vdA=="}));
    vault.seal_answer(&mut other).unwrap();
    assert_ne!(other["data"]["user"], sealed["data"]["user"]);
    assert_eq!(vault.reveal(&sealed).unwrap(), before, "what stood there before stays known");
    // A long value is found elsewhere too; a short one may be a word of every day.
    let text = vault.mask("admin logs in with hunter2-hunter2-hunter2");
    assert_eq!(text, "admin logs in with \u{2022}\u{2022}\u{2022}");
    assert_eq!(vault.unseal_clusters(&sealed)["data"]["user"], "YWRtaW4=");
    assert_eq!(vault.unseal_clusters(&sealed)["data"]["own"], sealed["data"]["own"]);
}

#[test]
fn a_secure_string_is_sealed_by_its_name() {
    let vault = Vault::in_memory("7f3a");
    let parameter = |value: &str| {
        let arn = "arn:aws:ssm:us-east-1:123456789012:parameter/prod/db";
        json!({"name": "/prod/db", "type": "SecureString", "value": value, "arn": arn, "version": 1})
    };
    let mut answer = parameter("hunter2-hunter2-hunter2");
    vault.seal_answer(&mut answer).unwrap();
    let placeholder = answer["value"].as_str().unwrap().to_owned();
    assert!(placeholder.starts_with("{{secret:parameter/prod/db:"), "{answer}");
    assert_eq!(vault.reveal(&answer).unwrap(), parameter("hunter2-hunter2-hunter2"));
    assert_eq!(vault.conceal_text("with hunter2-hunter2-hunter2"), format!("with {placeholder}"));
    let mut short = parameter("hunter2");
    vault.seal_answer(&mut short).unwrap();
    let placeholder = short["value"].as_str().unwrap();
    assert!(placeholder.starts_with("{{secret:"), "{short}");
    assert_eq!(vault.conceal_text("with hunter2"), format!("with {placeholder}"));
}

#[test]
fn what_looks_like_a_placeholder_is_sealed_too() {
    let vault = Vault::in_memory("7f3a");
    for value in [r#"{"a":{"password":"hunter2"}}"#, "{{secret:of nobody}} hunter2", "x:0123456789abcdef}} hunter2"] {
        let mut answer = json!({"name": "/prod/db", "type": "SecureString", "value": value});
        let plain = answer.clone();
        vault.seal_answer(&mut answer).unwrap();
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
        assert_eq!(vault.reveal(&answer).unwrap(), plain);
    }
    let kept =
        json!({"type": "SecureString", "value": format!("redis://{}@cache", vault.insert("own", "s3cret").unwrap())});
    let mut answer = kept.clone();
    vault.seal_answer(&mut answer).unwrap();
    assert_eq!(answer, kept);
}

#[test]
fn a_broken_placeholder_is_found_wherever_it_was_cut() {
    let (vault, p) = vault();
    assert_eq!(vault.find_broken(&format!("ok {p} ok {{{{ .Values.x }}}}")), None);
    for cut in [&p[..p.len() - 1], &p[..12], &p[5..], &p[p.len() - 20..], &p.replace("redis", "other")] {
        assert!(vault.find_broken(cut).is_some(), "{cut}");
        assert!(vault.reveal(&json!({"field": cut})).unwrap_err().contains("field"));
    }
    let foreign = Vault::in_memory("another").placeholder("redis_password");
    assert!(vault.find_broken(&foreign).is_some());
    assert!(vault.find_broken(&vault.placeholder("nobody")).is_some());
}

#[test]
fn a_short_secret_is_concealed_only_as_a_whole_leaf() {
    let vault = Vault::in_memory("7f3a");
    let p = vault.insert("pin", "a").unwrap();
    assert_eq!(vault.conceal(&json!(["a", "banana"])), json!([p, "banana"]));
}

#[test]
fn longest_first_and_never_inside_a_placeholder() {
    let vault = Vault::in_memory("7f3a");
    let short = vault.insert("short", "secret").unwrap();
    let long = vault.insert("long", "secret-and-more").unwrap();
    assert_eq!(
        vault.conceal(&json!(format!("{short} secret-and-more secret"))),
        json!(format!("{short} {long} {short}"))
    );
}

#[test]
fn people_see_a_mask_and_debug_shows_no_value() {
    let (vault, p) = vault();
    assert_eq!(
        vault.mask(&format!("login {p} failed: s3cr\"et/+x")),
        "login \u{2022}\u{2022}\u{2022} failed: \u{2022}\u{2022}\u{2022}"
    );
    assert!(!format!("{vault:?}").contains("s3cr"));
}

#[test]
fn generated_once_and_url_safe() {
    let vault = Vault::in_memory("7f3a");
    let p = vault.generate("token", 24).unwrap();
    let value = vault.reveal(&json!(p)).unwrap();
    let text = value.as_str().unwrap();
    assert_eq!(text.len(), 24);
    assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    vault.generate("token", 24).unwrap();
    assert_eq!(vault.reveal(&json!(p)).unwrap(), value);
    assert!(vault.generate("a:b", 3).is_err());
}

#[test]
fn a_sealed_value_opens_only_for_its_run_name_and_key() {
    let key = Key::random().unwrap();
    let sealed = key.seal("run", "name", "value").unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("value"));
    assert_eq!(key.open("run", "name", &sealed).unwrap().as_str(), "value");
    assert!(key.open("run2", "name", &sealed).is_err());
    assert!(key.open("run", "name2", &sealed).is_err());
    assert!(Key::random().unwrap().open("run", "name", &sealed).is_err());
    let mut changed = sealed;
    changed[20] ^= 1;
    assert!(key.open("run", "name", &changed).is_err());
    assert!(key.open("run", "name", &[]).is_err());
}

#[test]
fn the_key_file_is_made_once_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runbook/key");
    let sealed = Key::at(&path).unwrap().seal("r", "n", "v").unwrap();
    assert_eq!(Key::at(&path).unwrap().open("r", "n", &sealed).unwrap().as_str(), "v");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    Key::at(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&path, "not a key").unwrap();
    assert!(Key::at(&path).is_err());
}

#[test]
fn a_request_is_compared_in_the_form_of_an_answer_wherever_the_text_stands() {
    let vault = Vault::in_memory("r");
    let host = "retool-db-rw.database.svc.cluster.local";
    let mut answer =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"host": host}});
    vault.seal_answer(&mut answer).unwrap();
    let asked = json!({"spec": {"host": host}});
    assert_ne!(vault.as_answered(&asked), asked);
    assert_eq!(vault.as_answered(&asked), vault.conceal(&asked));
}
