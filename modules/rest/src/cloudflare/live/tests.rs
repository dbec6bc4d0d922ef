//! What goes over the wire, and what Cloudflare's answers mean: against the stand-in, with faults.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::{
    live::standin::Fault,
    testing::{By, Lab, TOKEN, ZONE},
};

const RECORD: &str = "cloudflare.dns_record";
const RUN: &str = "0123456789abcdef0123456789abcdef";

fn record() -> Value {
    json!({"zone_id": ZONE, "type": "CNAME", "name": "api.example.com", "content": "nlb.example.net"})
}

#[tokio::test]
async fn a_record_is_written_with_its_mark_and_the_token_in_the_header_only() {
    let lab = Lab::live().await;
    lab.create(By(RUN, 1), RECORD, &record()).await.unwrap();
    let seen = lab.standin().seen();
    let lines: Vec<&str> = seen.iter().map(|seen| seen.line.as_str()).collect();
    let query = "?type=CNAME&name=api.example.com&per_page=100";
    assert_eq!(lines, [format!("GET /zones/{ZONE}/dns_records{query}"), format!("POST /zones/{ZONE}/dns_records")]);
    let comment = format!("[runbook run={RUN} effect={:032x}]", 1);
    assert_eq!(
        seen[1].body,
        json!({"type": "CNAME", "name": "api.example.com", "content": "nlb.example.net", "proxied": false, "ttl": 1, "comment": comment})
    );
    for seen in seen {
        assert!(!format!("{} {}", seen.line, seen.body).contains(TOKEN.1));
    }
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_what_was_made_is_found() {
    let lab = Lab::live().await;
    lab.standin().next("POST", Fault::Lose);
    assert_eq!(lab.create(By(RUN, 1), RECORD, &record()).await.unwrap_err().class, Class::Unknown);
    assert_eq!(lab.find(By(RUN, 1), RECORD, &record()).await.len(), 1);
    lab.standin().next("GET", Fault::Drop);
    assert_eq!(lab.create(By(RUN, 2), RECORD, &record()).await.unwrap_err().class, Class::NotSent);
}

#[tokio::test]
async fn answers_are_sorted_by_what_they_mean() {
    let said = |code: u64| json!({"success": false, "errors": [{"code": code, "message": "no"}], "result": null});
    for (status, body, class) in [
        (401, said(10000), Class::Credentials),
        (403, said(9109), Class::Refused),
        (400, said(81053), Class::Refused),
        (200, said(1004), Class::Refused),
        (429, said(971), Class::Throttled),
        (500, Value::Null, Class::Unknown),
        (524, Value::Null, Class::Unknown),
        (200, Value::Null, Class::Unknown),
    ] {
        let lab = Lab::live().await;
        lab.standin().next("POST", Fault::Say(status, "", body));
        let error = lab.create(By(RUN, 1), RECORD, &record()).await.unwrap_err();
        assert_eq!(error.class, class, "{status}: {error}");
    }
}
