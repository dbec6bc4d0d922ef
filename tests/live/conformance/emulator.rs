//! moto and ministack by themselves: without the fault proxy, which would mend what is to be seen here.

use std::sync::Arc;

use runbook_aws::live::{Clients, Live};
use runbook_testbed::{
    emulators::{Ministack, Moto},
    tools,
};
use tokio::runtime::Runtime;

use super::lab::{REGION, place, runtime};

/// One emulator, which ends with this value, and our live code before it: made once, since new clients read all certificates of
/// the machine.
pub struct Emulator {
    /// Our live code, with its connections.
    pub live: Arc<Live>,
    /// Where the connections live.
    pub runtime: Arc<Runtime>,
    _process: Box<dyn Send + Sync>,
}

/// moto and ministack; None, said aloud, when they are not installed.
pub fn both() -> Option<(Emulator, Emulator)> {
    let tools = tools::require()?;
    let moto = Moto::start(&tools).unwrap_or_else(|why| panic!("{why}"));
    let ministack = Ministack::start(&tools).unwrap_or_else(|why| panic!("{why}"));
    Some((Emulator::at(&moto.url(), moto), Emulator::at(&ministack.url(), ministack)))
}

impl Emulator {
    fn at(url: &str, process: impl Send + Sync + 'static) -> Self {
        let live = Live::with(place(), Clients::of_emulator(url, REGION));
        Self { live: Arc::new(live), runtime: runtime(), _process: Box::new(process) }
    }
}
