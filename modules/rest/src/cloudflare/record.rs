//! `cloudflare.dns_record`: a record of a zone, by type and name. What stood there is kept, and put back by undo.

use std::time::Duration;

use runbook_modules::{
    input::{self, InputError},
    k8s::types::text,
    resource::{Identity, Kind, Meta},
    sandbox::sim::Sim,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::simulate;
use crate::mark;

/// What writes a record. See <https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/create/>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The zone's id.
    pub zone_id: String,
    /// `A`, `AAAA`, `CNAME`, `TXT` and so on.
    #[serde(rename = "type")]
    pub record_type: String,
    /// The whole name: `api.example.com`.
    pub name: String,
    /// What it says: an address, a name, a text.
    pub content: String,
    /// Whether Cloudflare stands in between; false when it is left out.
    pub proxied: Option<bool>,
    /// Seconds; 1 (automatic) when it is left out.
    pub ttl: Option<u32>,
    /// Up to 13 characters: what the smallest plan takes beside our mark, which is put at the end.
    pub comment: Option<String>,
    /// Ours, not Cloudflare's: a record that stands already is replaced, until undo puts it back. Without it the run stops.
    pub overwrite: Option<bool>,
}

/// The kind.
pub struct Record;

/// The constant facts.
pub static META: Meta = Meta {
    name: "cloudflare.dns_record",
    create: "put_dns_record",
    operations: ("CreateDnsRecord", "DeleteDnsRecord"),
    doc: "Writes a record of a zone.\n\nWhose it is stands at the end of its comment, in the request that writes it: `[runbook run=… \
          effect=…]`. A record of that type and name that stands already stops the run, unless `overwrite: true`: then it is kept, and undo \
          puts it back, unless somebody has changed it since. See the \
          [Cloudflare reference](https://developers.cloudflare.com/api/resources/dns/subresources/records/).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// What the comment holds beside our mark: the smallest plan takes 100 characters.
const WORDS: usize = 13;

/// The fields that a record is written with.
const FIELDS: [&str; 5] = ["type", "name", "content", "proxied", "ttl"];

impl Kind for Record {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn schema(&self) -> Value {
        input::schema::<Input>()
    }

    fn check(&self, value: &Value) -> Result<(), InputError> {
        let input = input::parse::<Input>(value)?;
        let hex = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if input.zone_id.is_empty() || !input.zone_id.chars().all(hex) {
            return Err(InputError::new("zone_id", format!("{:?} is no zone's id", input.zone_id)));
        }
        if input.record_type.is_empty() || !input.record_type.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(InputError::new("type", format!("{:?} is no type of a record", input.record_type)));
        }
        name_fits(&input.name)?;
        if input.content.is_empty() {
            return Err(InputError::new("content", "must not be empty"));
        }
        if input.ttl.is_some_and(|ttl| ttl != 1 && !(30..=86_400).contains(&ttl)) {
            return Err(InputError::new("ttl", "must be 1 (automatic) or from 30 to 86400"));
        }
        let words = input.comment.unwrap_or_default();
        if words.chars().count() > WORDS || words.chars().any(char::is_control) || mark::looks_like_one(&words) {
            return Err(InputError::new("comment", format!("must have up to {WORDS} characters")));
        }
        Ok(())
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        let mut at = json!({});
        for field in ["zone_id", "type", "name"] {
            at[field] = described.get(field).or_else(|| input.get(field))?.clone();
        }
        if let Some(id) = described.get("id") {
            at["record_id"] = id.clone();
        }
        Some(at)
    }

    fn differences(&self, input: &Value, described: &Value) -> Vec<(String, Value, Value)> {
        let asked = written(input);
        let differing = asked.into_iter().filter_map(|(field, asked)| {
            let found = described.get(&field)?;
            (!same(&asked, found)).then(|| (field, asked, found.clone()))
        });
        differing.collect()
    }

    fn sim(&self) -> &dyn Sim {
        &simulate::Records
    }
}

/// What a record is written as, out of an input or the description of one.
pub fn written(from: &Value) -> Map<String, Value> {
    let default = |field: &str| match field {
        "proxied" => Value::Bool(false),
        "ttl" => 1.into(),
        _ => Value::Null,
    };
    let value =
        |field: &str| from.get(field).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| default(field));
    FIELDS.iter().map(|field| ((*field).to_owned(), value(field))).collect()
}

/// Names in upper and lower case, and with a dot at the end, are one.
fn same(asked: &Value, found: &Value) -> bool {
    let plain = |value: &Value| value.as_str().map(|text| text.trim_end_matches('.').to_ascii_lowercase());
    asked == found || (plain(asked).is_some() && plain(asked) == plain(found))
}

/// Whether a record is the one of a type and name.
pub fn is_at(at: &Value, found: &Value) -> bool {
    ["type", "name"].iter().all(|field| same(&at[*field], &found[*field]))
}

/// The refusal to take over a record.
pub fn stands(input: &Value, content: &str) -> runbook_modules::error::CallError {
    let (name, record_type) = (text(input, "name"), text(input, "type"));
    let said = format!("the record {name} {record_type} stands already: {content}");
    runbook_modules::error::CallError::refused("RecordExists", said)
        .hint("overwrite: true replaces it, and undo puts it back; or delete it")
}

/// The name of a record or zone.
///
/// # Errors
/// The field that does not fit.
pub fn name_fits(name: &str) -> Result<(), InputError> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_.*".contains(c);
    if name.len() < 3 || name.len() > 253 || !name.contains('.') || !name.chars().all(inside) || name.contains("..") {
        return Err(InputError::new("name", format!("{name:?} must be a whole name, like api.example.com")));
    }
    Ok(())
}
