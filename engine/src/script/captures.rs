//! What a closure captured: copies for the step or branch that runs it, a digest for the journal, and a look whether it was
//! assigned to, which a replay would lose.

use rhai::{Array, Dynamic, FnPtr, Map as RhaiMap};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{handles, secret::Secret};

/// A closure with captures of its own.
pub struct Guarded {
    /// To be called in place of the original.
    pub closure: FnPtr,
    kept: Vec<(Dynamic, Value)>,
}

/// Gives a closure copies of what it captured.
pub fn guard(closure: &FnPtr) -> Guarded {
    let mut copy = closure.clone();
    let captured: Vec<Dynamic> = closure.iter_curry().map(|value| own(value).into_shared()).collect();
    copy.set_curry(captured.iter().cloned());
    let kept = captured.into_iter().map(|value| (value.clone(), canonical(&value))).collect();
    Guarded { closure: copy, kept }
}

impl Guarded {
    /// Which capture was assigned to, by its place.
    pub fn changed(&self) -> Option<usize> {
        self.kept.iter().position(|(now, before)| canonical(now) != *before)
    }
}

/// The digest of what closures captured.
pub fn digest<'a>(closures: impl IntoIterator<Item = &'a FnPtr>) -> String {
    let captured: Vec<Value> = closures.into_iter().map(captures).collect();
    hex::encode(Sha256::digest(Value::Array(captured).to_string()))
}

fn captures(closure: &FnPtr) -> Value {
    closure.iter_curry().map(canonical).collect()
}

/// A copy that shares nothing with the original.
pub fn own(value: &Dynamic) -> Dynamic {
    let mut value = value.flatten_clone();
    if let Some(mut list) = value.write_lock::<Array>() {
        for item in list.iter_mut() {
            *item = own(item);
        }
    } else if let Some(mut map) = value.write_lock::<RhaiMap>() {
        for item in map.values_mut() {
            *item = own(item);
        }
    } else if let Some(mut closure) = value.write_lock::<FnPtr>() {
        let captured: Vec<Dynamic> = closure.iter_curry().map(|value| own(value).into_shared()).collect();
        closure.set_curry(captured);
    }
    value
}

/// A value in a form that can be compared and hashed; unlike JSON for the journal it has room for everything.
fn canonical(value: &Dynamic) -> Value {
    if value.is_shared() {
        return canonical(&value.flatten_clone());
    }
    if let Ok(list) = value.as_array_ref() {
        return list.iter().map(canonical).collect();
    }
    if let Ok(map) = value.as_map_ref() {
        return Value::Object(map.iter().map(|(k, v)| (k.to_string(), canonical(v))).collect::<Map<_, _>>());
    }
    if let Some(closure) = value.read_lock::<FnPtr>() {
        return json!({ "\u{0}closure": captures(&closure) });
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return json!({ "\u{0}secret": secret.text() });
    }
    if let Some(place) = handles::place(value) {
        return json!({ "\u{0}place": place });
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Value::String(text.to_string());
    }
    if let Ok(number) = value.as_int() {
        return Value::from(number);
    }
    if let Ok(flag) = value.as_bool() {
        return Value::from(flag);
    }
    if value.is_unit() {
        return Value::Null;
    }
    json!({ "\u{0}other": [value.type_name(), value.to_string()] })
}
