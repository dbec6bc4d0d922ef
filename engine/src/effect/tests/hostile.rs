//! Inputs that nobody would write, to every binding: refused with an error, taken, or failed by the sandbox, and never a panic.

use std::sync::Arc;

use runbook_modules::sandbox::{memory::MemoryStore, target::Sandbox};
use serde_json::{Map, Value, json};

use super::rig::{Rig, site};
use crate::{
    run::step::{StepOptions, step},
    targets,
};

/// What stands where something else should.
fn hostile() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inside, _| json!([inside]));
    let maps = (0..60).fold(json!(1), |inside, _| json!({"a": inside}));
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!(" "),
        json!("x".repeat(70_000)),
        json!("a\u{0}b"),
        json!("\u{202e}\u{feff}\n\r\t"),
        json!("ΐ"),
        json!("../../etc/passwd"),
        json!("arn:"),
        json!("arn:aws:iam::1"),
        json!("10.0.0.0/99"),
        json!("0.0.0.0/0"),
        json!("vpc-0123456789abcdef0"),
        json!("{"),
        json!([]),
        json!([[], null, {}]),
        json!([""]),
        json!(["10.0.0.0/33", "é"]),
        json!({}),
        json!({"": 1, "a b": null}),
        deep,
        maps,
    ]
}

/// Something of a field's type, so that the others are looked at too.
fn plain(schema: &Value) -> Value {
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind {
        Some("string") => json!("x1"),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        _ => json!({}),
    }
}

/// The hostile values as the whole input, and every other one in each field, with something plain in those that must be there.
fn inputs(schema: &Value) -> Vec<Value> {
    let mut inputs = hostile();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let base: Map<String, Value> =
        required.iter().map(|name| ((*name).to_owned(), properties.get(*name).map_or(Value::Null, plain))).collect();
    for (number, name) in properties.keys().enumerate() {
        inputs.extend(hostile().into_iter().skip(number % 2).step_by(2).map(|value| {
            let mut input = base.clone();
            input.insert(name.clone(), value);
            Value::Object(input)
        }));
    }
    inputs
}

#[test]
fn no_input_of_any_binding_is_a_panic() {
    let table = targets::table();
    let (mut tried, mut taken) = (0, 0);
    for (name, binding) in table.bindings() {
        let sandbox = Sandbox::open(Arc::new(MemoryStore::default()), Default::default(), Default::default()).unwrap();
        let rig = Rig::over(Arc::new(sandbox), table.clone());
        let outcome = rig.drive(|scope| {
            for (number, input) in inputs(&binding.schema()).into_iter().enumerate() {
                let _recorded = step(scope, &number.to_string(), &StepOptions::default(), &site(1), "", &mut |inner| {
                    let said = rig.bind(inner, name, input.clone());
                    let bug = format!("{said:?}").contains("RB0900");
                    assert!(!bug, "{name}({}): {said:?}", shortened(&input));
                    taken += u32::from(said.is_ok());
                    said
                });
                tried += 1;
            }
            Ok(())
        });
        let bug = outcome.failures.iter().find(|failure| failure.code == "RB0900");
        assert!(bug.is_none(), "{name}: {bug:#?}");
    }
    assert!(tried > 5_000 && taken > 100, "{tried} tried, {taken} taken");
}

fn shortened(input: &Value) -> String {
    input.to_string().chars().take(300).collect()
}
