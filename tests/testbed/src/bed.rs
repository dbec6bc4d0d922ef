//! All of the testbed together.

use crate::{
    emulators::{Ministack, Moto},
    tools::Tools,
};

/// What a testbed is to have.
#[derive(Debug, Clone, Default)]
pub struct Options {}

/// A whole testbed, until it is dropped.
#[derive(Debug)]
pub struct Bed {
    moto: Moto,
    ministack: Ministack,
}

impl Bed {
    /// Starts everything and waits until it answers. Blocks.
    ///
    /// # Errors
    /// What did not start.
    pub fn start(tools: &Tools, _: Options) -> Result<Self, String> {
        Ok(Self { moto: Moto::start(tools)?, ministack: Ministack::start(tools)? })
    }

    /// moto itself, behind the proxy: only to read what is really there.
    #[must_use]
    pub fn moto(&self) -> &Moto {
        &self.moto
    }

    /// ministack itself, behind the proxy: only to read what is really there.
    #[must_use]
    pub fn ministack(&self) -> &Ministack {
        &self.ministack
    }

    /// The environment that points a program at it.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        vec![("AWS_ENDPOINT_URL".into(), self.moto.url())]
    }
}
