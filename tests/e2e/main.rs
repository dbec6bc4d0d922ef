//! End to end: the built program, seen from outside.

#[cfg(feature = "live")]
mod canned;
mod cluster_secrets;
mod commands;
mod corpses;
mod crash;
mod files;
mod gone;
mod harness;
mod journals;
mod karpenter;
#[cfg(feature = "live")]
mod live;
mod manifests;
mod notejam;
mod openremote;
mod parameters;
mod planned;
mod promises;
mod put_back;
mod quotas;
mod readme;
mod redis_ha;
mod reducto;
mod script_errors;
mod seeded;
mod signals;
mod sre_platform;
mod stays;
mod systems;
mod table;
#[path = "../trials/mod.rs"]
#[expect(dead_code, reason = "the catalogue uses the rest of it")]
mod trials;
