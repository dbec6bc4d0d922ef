//! Signals: the first Ctrl-C, SIGTERM or SIGHUP parks the run, the second stops the process at once. SIGUSR1 asks what is running.

use std::sync::{Arc, atomic::AtomicU32};

use tokio::{
    runtime::Handle,
    signal::unix::{SignalKind, signal},
};

use super::{exit::Exit, terminal};
use crate::{
    run::cancel::Cancel,
    ui::{out, screen::Screen},
};

/// Watches from now on. `resume` is the command to paste after a stop.
pub fn watch(runtime: &Handle, cancel: &Cancel, screen: &Arc<Screen>, resume: &str) {
    let asked = Arc::new(AtomicU32::new(0));
    let stops =
        [("Ctrl-C", SignalKind::interrupt()), ("SIGTERM", SignalKind::terminate()), ("SIGHUP", SignalKind::hangup())];
    let _entered = runtime.enter();
    for (name, kind) in stops {
        // Without the handler the signal ends the process: still resumable.
        let Ok(mut signals) = signal(kind) else { continue };
        let (cancel, screen, asked, resume) = (cancel.clone(), screen.clone(), asked.clone(), resume.to_owned());
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                    0 => park(name, &cancel, &screen, &resume),
                    _ => stop(name, &screen, &resume),
                }
            }
        });
    }
    if let Ok(mut signals) = signal(SignalKind::user_defined1()) {
        let screen = screen.clone();
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                screen.tell();
            }
        });
    }
}

fn park(name: &str, cancel: &Cancel, screen: &Screen, resume: &str) {
    // Asked before, since nothing runs any more soon after.
    let running = screen.running();
    cancel.ask(name);
    let what = if running.is_empty() { "the run".to_owned() } else { running.join(", ") };
    screen.say(&format!("{name}: parking {what}; once more stops at once. Go on later with: {resume}"));
}

fn stop(name: &str, screen: &Screen, resume: &str) -> ! {
    screen.close();
    terminal::restore();
    out::say(&format!("{name} again: stopped at once; what was recorded is kept.\nnext  {resume}\n"));
    std::process::exit(i32::from(Exit::Parked as u8))
}
