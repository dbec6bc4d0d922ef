//! Secrets: placeholders in everything that is kept or shown, sealed values in the store.
//!
//! A placeholder is `{{secret:NAME:CHECK}}` or `{{secret:NAME|base64:CHECK}}`; CHECK is 16 hexadecimal digits over the run id and
//! what stands before, so that a cut or changed one is noticed.

/// The secrets of a run.
#[derive(Default)]
pub struct Vault {}
