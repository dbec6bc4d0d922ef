//! The only place that writes to standard output and standard error. A reader that has gone is no error to report.

use std::io::{ErrorKind, Write as _};

/// Writes an answer to standard output. False: nobody reads it any more.
pub fn answer(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    readable(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes text for people to standard error. False: nobody reads it any more.
pub fn say(text: &str) -> bool {
    let mut err = std::io::stderr().lock();
    readable(err.write_all(text.as_bytes()).and_then(|()| err.flush()))
}

fn readable(written: std::io::Result<()>) -> bool {
    !written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
