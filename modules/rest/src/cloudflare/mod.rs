//! Cloudflare: records of a zone, and what is asked before one is written.
//!
//! * [`record`]: the kind `cloudflare.dns_record`; [`reads`]: what only looks.
//! * `simulate`: records of the sandbox; `live`: Cloudflare itself.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
pub mod live;
pub mod reads;
pub mod record;
mod simulate;
#[cfg(test)]
mod tests;

/// Where Cloudflare's own API is.
pub const API: &str = "https://api.cloudflare.com/client/v4";

/// Adds the kind and the operations.
pub fn register(table: &mut Table) {
    table.add(&[&record::Record], &[&reads::TOKEN, &reads::ZONE, &reads::RECORD]);
}
