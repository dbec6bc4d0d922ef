//! Cloudflare on the loopback, as far as these bindings use it: one zone and its records.

use std::collections::BTreeMap;

use runbook_modules::k8s::types::text;
use serde_json::{Value, json};

use super::{Said, ok};
use crate::testing::ZONE;

/// Records by id.
#[derive(Default)]
pub struct Records {
    all: BTreeMap<String, Value>,
    made: u64,
}

fn good(result: &Value) -> Said {
    ok(json!({"success": true, "errors": [], "messages": [], "result": result}))
}

fn bad(status: u16, code: u64, message: &str) -> Said {
    (status, String::new(), json!({"success": false, "errors": [{"code": code, "message": message}], "result": null}))
}

impl Records {
    /// What Cloudflare answers.
    pub fn answer(&mut self, method: &str, path: &str, body: &Value) -> Said {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asked = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("GET", ["user", "tokens", "verify"]) => good(&json!({"id": "token1", "status": "active"})),
            ("GET", ["zones"]) if asked("name") == Some("example.com") => {
                good(&json!([{"id": ZONE, "name": "example.com", "status": "active", "plan": {}}]))
            }
            ("GET", ["zones"]) => good(&json!([])),
            ("GET", ["zones", ZONE, "dns_records"]) => {
                let fits = |record: &&Value| {
                    asked("type") == Some(text(record, "type")) && asked("name") == Some(text(record, "name"))
                };
                good(&self.all.values().filter(fits).cloned().collect::<Value>())
            }
            ("POST", ["zones", ZONE, "dns_records"]) => {
                if self.all.values().any(|other| other["name"] == body["name"]) {
                    return bad(400, 81053, "An A, AAAA, or CNAME record with that host already exists.");
                }
                self.made += 1;
                self.write(&format!("record{}", self.made), body)
            }
            (method, ["zones", ZONE, "dns_records", id]) => match (self.all.contains_key(*id), method) {
                (false, _) => bad(404, 81044, "Record does not exist."),
                (true, "PUT") => self.write(id, body),
                (true, "DELETE") => {
                    self.all.remove(*id);
                    good(&json!({"id": id}))
                }
                (true, _) => good(&self.all[*id]),
            },
            _ => bad(404, 7003, "Could not route to that path, perhaps your object identifier is invalid?"),
        }
    }

    fn write(&mut self, id: &str, body: &Value) -> Said {
        let fields = ["type", "name", "content", "proxied", "ttl", "comment"];
        let odd = body.as_object().into_iter().flatten().find(|(field, _)| !fields.contains(&field.as_str()));
        assert_eq!(odd, None, "a field that is not written");
        if text(body, "comment").chars().count() > 100 {
            return bad(400, 9313, "DNS record has an invalid comment: too long for the plan.");
        }
        let mut record = body.clone();
        record["id"] = id.into();
        record["created_on"] = "2026-01-01T00:00:00Z".into();
        self.all.insert(id.to_owned(), record.clone());
        good(&record)
    }
}
