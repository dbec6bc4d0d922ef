//! Services that are spoken to in JSON over HTTPS, without an SDK: GitHub and Cloudflare.
//!
//! Each is a folder: what a script can call, as [`runbook_modules`] has it, and how the sandbox simulates that; the live calls stand
//! beside it, behind the feature `live`, on the one client in [`live`]. Nothing here knows of runs, the journal or Rhai.
//!
//! * [`address`]: which addresses a token may be sent to.
//! * [`mark`]: how these services themselves tell whose something is.
//! * [`github`]: repositories and the files in them.
//! * [`cloudflare`]: records of a zone.
//! * [`live`]: the live target of these services.

use runbook_modules::table::Table;

pub mod address;
pub mod cloudflare;
pub mod github;
#[cfg(feature = "live")]
pub mod live;
pub mod mark;
#[cfg(test)]
mod testing;

/// Adds all kinds and operations.
pub fn register(table: &mut Table) {
    github::register(table);
    cloudflare::register(table);
}
