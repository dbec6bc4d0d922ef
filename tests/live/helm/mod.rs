//! Helm on a real API server, with the real helm 3 and helm 4.

mod bench;
mod hooks;
mod killed;
mod pending;
mod processes;
mod refusals;
mod releases;
mod secrets;
