//! Waits until a resource is usable. Waits are reads: never recorded, freely begun again after a crash.

use std::time::Duration;

use runbook_modules::resource::{Health, Kind};
use serde_json::Value;

use super::{
    act::{Act, Deed},
    policy,
    prepare::Asked,
};
use crate::error::Halt;

/// How a wait ended.
pub(super) enum Waited {
    /// Usable; the last description.
    Ready(Value),
    /// It will never be usable; the reason.
    Broken(String),
}

/// Reads again and again until it is usable (with `wait: false`: until it is there), broken, or the limit is over: RB0418, naming the obstacle.
pub(super) fn until_ready(
    act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, at: &Value, asked: &Asked,
) -> Result<Waited, Halt> {
    let usual = kind.meta().usual.0;
    let limit = asked.timeout.unwrap_or_else(|| policy::limit(usual));
    let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    let began = act.now_ms();
    let (mut polls, mut misses) = (0, 0);
    loop {
        act.scope.check_stop()?;
        let obstacle = match act.read(kind, &deed.place, at)? {
            Some(described) if !asked.wait => return Ok(Waited::Ready(described)),
            Some(described) => match kind.judge(&described) {
                Health::Ready => {
                    act.scope.waits_for("");
                    return Ok(Waited::Ready(described));
                }
                Health::Failed(why) => return Ok(Waited::Broken(why)),
                Health::Deleting(why) => return Ok(Waited::Broken(format!("it is being deleted ({why})"))),
                Health::Pending(why) => {
                    misses = 0;
                    why
                }
            },
            None => {
                misses += 1;
                if misses > policy::MISSES && settled(act.now_ms(), deed.since_ms) {
                    return Ok(Waited::Broken("it does not exist any more".to_owned()));
                }
                "not visible yet".to_owned()
            }
        };
        let waited = act.now_ms() - began;
        if waited >= limit_ms {
            return Err(act.timed_out(limit, &obstacle).into());
        }
        act.waiting(&format!("{} is {obstacle}", act.subject_name()), began, usual);
        polls += 1;
        act.scope.sleep(pause(act, kind, deed, at, polls, limit_ms - waited))?;
    }
}

/// How long until the next look: the sandbox knows, a live target is asked by the policy.
fn pause(act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, at: &Value, polls: u32, left_ms: i64) -> Duration {
    let known = act.scope.session.target.next_change(kind, &deed.place, at);
    let pause = known.or_else(|| policy::POLL.after(polls)).unwrap_or(policy::POLL.most);
    let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
    pause.min(left).max(Duration::from_millis(1))
}

/// Whether a request of that time can no longer be under way, and reads can no longer lag behind it.
pub(super) fn settled(now_ms: i64, since_ms: i64) -> bool {
    now_ms - since_ms >= i64::try_from(policy::SETTLE.as_millis()).unwrap_or(i64::MAX)
}
