//! Records, the same on the sandbox and, against a stand-in, live: lost answers, strangers, drift, undo.

use runbook_modules::{error::Class, target::EFFECT_TAG};
use serde_json::{Value, json};

use crate::testing::{By, Lab, ZONE, trials};

const RECORD: &str = "cloudflare.dns_record";
const OURS: &str = "0123456789abcdef0123456789abcdef";
const THEIRS: &str = "ffffffffffffffffffffffffffffffff";

trials! {
    a_record_is_made_found_again_and_deleted,
    a_strangers_record_is_replaced_only_when_told_and_put_back,
    what_only_looks_tells,
}

fn record(content: &str) -> Value {
    json!({"zone_id": ZONE, "type": "CNAME", "name": "api.example.com", "content": content, "comment": "reducto"})
}

fn named() -> Value {
    json!({"zone_id": ZONE, "type": "CNAME", "name": "api.example.com"})
}

async fn a_record_is_made_found_again_and_deleted(lab: &Lab) {
    let input = record("nlb.example.net");
    assert_eq!(lab.read(RECORD, &lab.locate(RECORD, &input, &Value::Null)).await, None);
    let made = lab.create(By(OURS, 1), RECORD, &input).await.unwrap();
    assert_eq!((&made["proxied"], &made["ttl"], &made["comment"]), (&json!(false), &json!(1), &json!("reducto")));
    assert_eq!(made["tags"][EFFECT_TAG], format!("{:032x}", 1));
    assert_eq!(
        lab.find(By(OURS, 1), RECORD, &input).await,
        std::slice::from_ref(&made),
        "a lost answer is found, in the same shape"
    );
    let refused = lab.create(By(OURS, 2), RECORD, &input).await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_str()), (Class::Refused, "RecordExists"));

    let at = lab.locate(RECORD, &input, &made);
    assert!(lab.drift(RECORD, &record("NLB.example.net."), &lab.read(RECORD, &at).await.unwrap()).is_empty());
    assert_eq!(lab.drift(RECORD, &record("other.example.net"), &made), ["content"]);
    lab.delete(RECORD, &at, None).await.unwrap();
    assert_eq!(lab.read(RECORD, &at).await, None);
    assert_eq!(lab.delete(RECORD, &at, None).await.unwrap_err().class, Class::NotFound);
}

async fn a_strangers_record_is_replaced_only_when_told_and_put_back(lab: &Lab) {
    lab.create(By(THEIRS, 9), RECORD, &record("theirs.example.net")).await.unwrap();
    let mut input = record("ours.example.net");
    let refused = lab.create(By(OURS, 1), RECORD, &input).await.unwrap_err();
    assert!(refused.message.contains("theirs.example.net"), "{refused}");
    input["overwrite"] = true.into();
    let before = lab.read(RECORD, &lab.locate(RECORD, &input, &Value::Null)).await.unwrap();
    let made = lab.create(By(OURS, 1), RECORD, &input).await.unwrap();
    assert_eq!((&made["content"], &made["id"]), (&json!("ours.example.net"), &before["id"]));
    let at = lab.locate(RECORD, &input, &made);
    for _ in 0..2 {
        lab.delete(RECORD, &at, Some(&before)).await.unwrap();
        assert_eq!(lab.read(RECORD, &at).await.as_ref(), Some(&before), "with its own mark");
    }
}

async fn what_only_looks_tells(lab: &Lab) {
    assert_eq!(lab.ask("cloudflare.verify_token", json!({})).await["status"], "active");
    assert_eq!(lab.ask("cloudflare.get_zone", json!({"name": "example.com"})).await["id"], ZONE);
    assert_eq!(lab.ask("cloudflare.get_zone", json!({"name": "example.org"})).await, Value::Null);
    assert_eq!(lab.ask("cloudflare.get_dns_record", named()).await, Value::Null);
    let made = lab.create(By(OURS, 1), RECORD, &record("nlb.example.net")).await.unwrap();
    assert_eq!(lab.ask("cloudflare.get_dns_record", named()).await, made);
}

#[test]
fn inputs_that_do_not_fit_are_named() {
    use runbook_modules::resource::Kind as _;
    for (field, value) in [
        ("zone_id", json!("../x")),
        ("type", json!("cname")),
        ("name", json!("api")),
        ("name", json!("a b.example.com")),
        ("content", json!("")),
        ("ttl", json!(5)),
        ("comment", json!("more than thirteen")),
        ("priority", json!(1)),
    ] {
        let mut input = record("nlb.example.net");
        input[field] = value;
        let error = super::record::Record.check(&input).unwrap_err();
        assert_eq!(error.path, field, "{error}");
    }
}
