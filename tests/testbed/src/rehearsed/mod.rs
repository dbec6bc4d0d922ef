//! What rehearsal files say that controllers make, made here with real objects.
//!
//! * [`aws`]: their AWS objects, through AWS calls.

pub mod aws;
