//! No core dumps: memory holds secrets in clear.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core files for this process and all that it starts.
///
/// The process stays readable for its own user (`PR_SET_DUMPABLE` is left alone): tracing it, as the tests of the disk do, and the
/// other entries of `/proc` need that.
pub fn forbid() {
    // Lowering a limit of one's own is never refused.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
