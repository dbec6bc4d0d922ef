//! The system's clock was put back between two processes: what the journal has was then written in the future. Nothing waits for the
//! clock to catch up.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::{
    cloud::{IDENTITIES, creates},
    rig::Rig,
};
use crate::run::clock::Time as _;
use runbook_modules::resource::Kind as _;

#[test]
fn an_unknown_outcome_settles_from_now_on() {
    for kind in IDENTITIES {
        let rig = Rig::new();
        // The journal has the system's time, the processes go by one that is decades behind it.
        rig.put_back.store(true, Ordering::SeqCst);
        rig.cut.after(4, true);
        let name = format!("t.{}", kind.meta().create);
        assert!(rig.call(&name, json!({"name": "n"})).is_err());
        rig.cut.never();
        let before = rig.time.now_ms();
        rig.call(&name, json!({"name": "n"})).unwrap();
        let took = rig.time.now_ms() - before;
        assert!(took <= 200_000, "{name} took {took} ms");
        assert_eq!((creates(&rig.calls()).len(), rig.cloud.standing().len()), (1, 1), "{name}");
    }
}

/// How long ago the token was first sent cannot be told: the provider may have forgotten it.
#[test]
fn a_token_of_an_unknown_age_is_not_sent_again() {
    let rig = Rig::new();
    rig.put_back.store(true, Ordering::SeqCst);
    // Executed, the answer lost with the process.
    rig.cut.after(4, false);
    assert!(rig.call("t.create_token", json!({"name": "n"})).is_err());
    rig.cut.never();
    rig.pass(std::time::Duration::from_secs(400_000));
    rig.call("t.create_token", json!({"name": "n"})).unwrap();
    assert_eq!((creates(&rig.calls()).len(), rig.cloud.standing().len()), (1, 1));
}
