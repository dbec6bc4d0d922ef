//! The testbed's programs, each with the real thing on its other side. One binary, so that the tests that wait wait side by side.

mod balancers;
mod bed;
mod common;
mod control_plane;
mod emulators;
mod standing;
mod standins;
mod two_clusters;
