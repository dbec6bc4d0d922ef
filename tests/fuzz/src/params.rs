//! A declaration of parameters, and values for it as a command line and a customer file give them.
//!
//! The input has three parts with a line `%%` between: a script, lines `NAME=VALUE`, a customer file.

use std::collections::BTreeMap;

use runbook_engine::{
    cli::{customer, options},
    script::{
        params::{BoundParams, ParamSpec, ParamType, SecretValue},
        program::Program,
    },
};
use serde_json::{Map, Value};

use super::{parser, told};

/// Binds them and insists:
///
/// * every mistake is told as [`told::failure`] wants it, and never with the value of a secret;
/// * a declaration written as JSON and read again is the same;
/// * bound again, the values that were bound give the same values.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split("%%\n");
    let files = parser::files(parts.next().unwrap_or_default().as_bytes());
    let Ok(program) = Program::within(&files, parser::limits()) else { return };
    let specs = match program.params() {
        Ok(specs) => specs,
        Err(failure) => return told::failure(&failure, &files),
    };
    written_and_read(&specs);
    let mut given = BTreeMap::new();
    for line in parts.next().unwrap_or_default().lines() {
        match options::pair(line) {
            Ok((name, value)) => drop(given.insert(name, value)),
            Err(why) => assert!(!why.is_empty()),
        }
    }
    let file = customer::parse(parts.next().unwrap_or_default()).unwrap_or_default().params;
    match program.bind_params(&given, &file) {
        Ok(bound) => again(&program, &specs, &bound),
        Err(failure) => {
            told::failure(&failure, &files);
            let told = format!("{failure:?}");
            for value in secrets(&specs, &given, &file) {
                // One that stands elsewhere too may be told for another reason.
                let once = text.matches(value).count() == 1;
                assert!(!once || !told.contains(value), "a secret is told: {told}");
            }
        }
    }
}

fn written_and_read(specs: &[ParamSpec]) {
    let text = serde_json::to_string(specs).expect("a declaration can be written");
    let read: Vec<ParamSpec> = serde_json::from_str(&text).expect("a declaration can be read");
    assert_eq!(read, specs, "written and read it is another");
}

fn secrets<'a>(
    specs: &'a [ParamSpec], given: &'a BTreeMap<String, String>, file: &'a Map<String, Value>,
) -> impl Iterator<Item = &'a str> {
    let secret = specs.iter().filter(|spec| spec.kind == ParamType::Secret);
    let values = secret
        .flat_map(|spec| [given.get(&spec.name).map(String::as_str), file.get(&spec.name).and_then(Value::as_str)]);
    values.flatten().filter(|value| value.len() >= 8)
}

fn again(program: &Program, specs: &[ParamSpec], bound: &BoundParams) {
    assert_eq!(bound.values.len(), specs.len(), "not every parameter is bound");
    let mut file = bound.values.clone();
    for (name, value) in &bound.secrets {
        if let SecretValue::Given(text) = value {
            file.insert(name.clone(), text.as_str().into());
        }
    }
    let again = match program.bind_params(&BTreeMap::new(), &file) {
        Ok(again) => again,
        Err(failure) => panic!("what was bound does not fit: {failure:?}"),
    };
    assert_eq!(again.values, bound.values, "bound again they are others");
    assert!(again.secrets == bound.secrets, "bound again the secrets are others");
}
