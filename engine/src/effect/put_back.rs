//! Whether what stood there before stands there again: asked when a put-back may have been executed and its answer was lost,
//! with the process or with the connection.
//!
//! Three descriptions tell: before the effect, after it, and now. Only fields that the effect changed say anything; what a target
//! counts or sets by itself (versions, states) is none of them.

use serde_json::Value;

/// What the target shows now, of a thing that the run replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As before the effect: the put-back was executed.
    AsBefore,
    /// As the effect made it, or it cannot be told: the put-back is sent, which is harmless a second time.
    AsMade,
    /// Neither: somebody else has changed it.
    Otherwise,
}

/// Fields that come from the target itself, whoever wrote the rest.
const PASSING: [&str; 13] = [
    "id",
    "tags",
    "status",
    "state",
    "state_value",
    "waiting_for",
    "change_info",
    "update",
    "update_id",
    "managedFields",
    "creationTimestamp",
    "resourceVersion",
    "generation",
];

/// Compares. `made` is the description after the effect.
pub fn standing(before: &Value, made: &Value, now: &Value) -> Standing {
    let mut count = Count::default();
    count.compare(Some(before), Some(made), Some(now));
    match count {
        Count { before: 1.., made: 0, .. } => Standing::AsBefore,
        Count { before: 0, made: 0, neither: 1.. } => Standing::Otherwise,
        _ => Standing::AsMade,
    }
}

/// Fields that the effect changed, by what they hold now.
#[derive(Debug, Default)]
struct Count {
    before: u32,
    made: u32,
    neither: u32,
}

impl Count {
    fn compare(&mut self, before: Option<&Value>, made: Option<&Value>, now: Option<&Value>) {
        if let (Some(Value::Object(b)), Some(Value::Object(m)), Some(Value::Object(n))) = (before, made, now) {
            let mut names: Vec<&String> = b.keys().chain(m.keys()).collect();
            names.sort();
            names.dedup();
            for name in names.into_iter().filter(|name| !PASSING.contains(&name.as_str())) {
                self.compare(b.get(name), m.get(name), n.get(name));
            }
        } else if before == made {
            // The effect did not change it.
        } else if now == before {
            self.before += 1;
        } else if now == made {
            self.made += 1;
        } else {
            self.neither += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(before: Value, made: Value, now: Value) -> Standing {
        standing(&before, &made, &now)
    }

    #[test]
    fn the_changed_fields_tell() {
        let (before, made) = (json!({"name": "n", "ttl": 60}), json!({"name": "n", "ttl": 300, "weight": 1}));
        assert_eq!(of(before.clone(), made.clone(), before.clone()), Standing::AsBefore);
        assert_eq!(of(before.clone(), made.clone(), made.clone()), Standing::AsMade);
        assert_eq!(of(before, made, json!({"name": "n", "ttl": 7, "weight": 9})), Standing::Otherwise);
    }

    #[test]
    fn what_the_target_counts_tells_nothing() {
        let object = |version: &str, image: &str, ready: u32| {
            let metadata = json!({"resourceVersion": version, "labels": {"a": "b"}});
            json!({"metadata": metadata, "spec": {"image": image}, "status": {"ready": ready}})
        };
        let (before, made) = (object("1", "old", 3), object("2", "new", 5));
        assert_eq!(of(before.clone(), made.clone(), object("3", "old", 5)), Standing::AsBefore);
        assert_eq!(of(before.clone(), made, object("3", "new", 3)), Standing::AsMade);
        assert_eq!(of(before, object("2", "old", 3), object("3", "old", 5)), Standing::AsMade);
    }

    #[test]
    fn without_a_visible_change_it_is_sent() {
        let same = json!({"name": "n", "state": "ready"});
        assert_eq!(of(same.clone(), same.clone(), same), Standing::AsMade);
    }
}
