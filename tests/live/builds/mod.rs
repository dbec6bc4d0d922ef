//! The shipped runbooks, whole and live, and one of each service. Tests begin in the order of their names, and these take the longest, most of it waiting: begun
//! first, they leave the processor to the others.

mod redis_ha;
#[cfg(feature = "live")]
mod services;
mod systems;
