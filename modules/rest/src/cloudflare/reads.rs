//! What only looks: `cloudflare.verify_token`, `cloudflare.get_zone`, `cloudflare.get_dns_record`.

use runbook_modules::{
    input,
    operation::{Class, Operation},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{record, simulate};

/// Nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Which zone.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its name: `example.com`.
    pub name: String,
}

/// Which record.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The zone's id.
    pub zone_id: String,
    /// `CNAME` and so on.
    #[serde(rename = "type")]
    pub record_type: String,
    /// The whole name.
    pub name: String,
}

/// `cloudflare.verify_token`.
pub static TOKEN: Operation = Operation {
    name: "cloudflare.verify_token",
    operation: "VerifyToken",
    doc: "Tells the `status` of the token: `active`.\n\nSee the \
          [Cloudflare reference](https://developers.cloudflare.com/api/resources/user/subresources/tokens/methods/verify/).",
    class: Class::Read,
    schema: input::schema::<Nothing>,
    check: input::check::<Nothing>,
    token: None,
    settle: None,
    sim: simulate::verify_token,
};

/// `cloudflare.get_zone`.
pub static ZONE: Operation = Operation {
    name: "cloudflare.get_zone",
    operation: "ListZones",
    doc: "Describes the zone of a name; `()` when there is none that the token may see.\n\nSee the \
          [Cloudflare reference](https://developers.cloudflare.com/api/resources/zones/methods/list/).",
    class: Class::Read,
    schema: input::schema::<Zone>,
    check: |value| record::name_fits(&input::parse::<Zone>(value)?.name),
    token: None,
    settle: None,
    sim: simulate::get_zone,
};

/// `cloudflare.get_dns_record`.
pub static RECORD: Operation = Operation {
    name: "cloudflare.get_dns_record",
    operation: "ListDnsRecords",
    doc: "Describes the record of a type and name; `()` when there is none.\n\nSee the \
          [Cloudflare reference](https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/list/).",
    class: Class::Read,
    schema: input::schema::<Named>,
    check: |value| record::name_fits(&input::parse::<Named>(value)?.name),
    token: None,
    settle: None,
    sim: simulate::get_record,
};
