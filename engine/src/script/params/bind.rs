//! Values given on the command line and in a customer file, against the declaration.

use std::collections::BTreeMap;

use ipnet::IpNet;
use runbook_modules::{input::nearest, yaml::bounded};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{BoundParams, ParamSpec, ParamType, SecretValue};
use crate::{error::Failure, run::retry};

/// Binds values to declared parameters. A value on the command line wins over one in the file.
///
/// # Errors
/// RB0201 an unknown or missing parameter, RB0202 a value that does not fit.
pub fn bind(
    specs: &[ParamSpec], given: &BTreeMap<String, String>, from_file: &Map<String, Value>,
) -> Result<BoundParams, Failure> {
    for name in given.keys().chain(from_file.keys()) {
        if !specs.iter().any(|spec| spec.name == *name) {
            return Err(unknown(name, specs));
        }
    }
    let mut bound = BoundParams::default();
    let mut missing = Vec::new();
    for spec in specs {
        let value = match given.get(&spec.name) {
            Some(text) => Some(parse(spec, text).map_err(|why| unfit(spec, &why))?),
            None => from_file.get(&spec.name).filter(|value| !value.is_null()).cloned(),
        };
        if let Some(value) = &value {
            fits(spec, value).map_err(|why| unfit(spec, &why))?;
        }
        if spec.kind == ParamType::Secret {
            match (value, spec.generate) {
                (Some(Value::String(text)), _) => {
                    bound.secrets.push((spec.name.clone(), SecretValue::Given(Zeroizing::new(text))));
                }
                (_, Some(length)) => bound.secrets.push((spec.name.clone(), SecretValue::Generate(length))),
                _ if spec.optional => {}
                _ => missing.push(spec),
            }
            bound.values.insert(spec.name.clone(), Value::Null);
            continue;
        }
        match value.or_else(|| spec.default.clone()) {
            Some(value) => {
                bound.values.insert(spec.name.clone(), value);
            }
            None if spec.optional => {
                bound.values.insert(spec.name.clone(), Value::Null);
            }
            None => missing.push(spec),
        }
    }
    if missing.is_empty() { Ok(bound) } else { Err(absent(&missing)) }
}

fn unknown(name: &str, specs: &[ParamSpec]) -> Failure {
    let mut failure = Failure::new("RB0201", format!("the runbook has no parameter {name}"));
    for near in nearest(name, specs.iter().map(|spec| spec.name.as_str())) {
        failure = failure.hint(format!("Did you mean {near}?"));
    }
    let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    failure.hint(if names.is_empty() {
        "It takes none.".to_owned()
    } else {
        format!("It takes: {}.", names.join(", "))
    })
}

fn absent(missing: &[&ParamSpec]) -> Failure {
    let names: Vec<&str> = missing.iter().map(|spec| spec.name.as_str()).collect();
    let what = if names.len() == 1 { "parameter" } else { "parameters" };
    let mut failure = Failure::new("RB0201", format!("no value for {what} {}", names.join(", ")));
    for spec in missing {
        failure.sites.push(spec.site.clone());
        let help = if spec.help.is_empty() { String::new() } else { format!(" ({})", spec.help) };
        failure = failure.hint(format!("Give it: -p {}=…{help}", spec.name));
    }
    failure.cause = "declared here without a default".to_owned();
    failure
}

fn unfit(spec: &ParamSpec, why: &str) -> Failure {
    let mut failure = Failure::new("RB0202", format!("parameter {}: {why}", spec.name)).at(&spec.site);
    failure.cause = "declared here".to_owned();
    if spec.help.is_empty() { failure } else { failure.hint(spec.help.clone()) }
}

/// A text from the command line as a value of the declared type.
fn parse(spec: &ParamSpec, text: &str) -> Result<Value, String> {
    match spec.kind {
        ParamType::String | ParamType::Cidr | ParamType::Secret | ParamType::Duration | ParamType::Choice => {
            Ok(Value::String(text.to_owned()))
        }
        ParamType::Int => text.parse::<i64>().map(Value::from).map_err(|_| format!("{text:?} is no whole number")),
        ParamType::Float => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Value::from)
            .ok_or_else(|| format!("{text:?} is no number")),
        ParamType::Bool => {
            text.parse::<bool>().map(Value::from).map_err(|_| format!("{text:?} is neither true nor false"))
        }
        ParamType::List if text.trim_start().starts_with('[') => structured(text, "list"),
        ParamType::List if text.trim().is_empty() => Ok(Value::Array(Vec::new())),
        ParamType::List => Ok(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect()),
        ParamType::Map => structured(text, "map"),
    }
}

fn structured(text: &str, what: &str) -> Result<Value, String> {
    let read = bounded(text).and_then(|()| serde_yaml::from_str(text).map_err(|error| error.to_string()));
    read.map_err(|why| format!("is no {what} in JSON or YAML: {why}"))
}

/// Whether a value fits the declaration.
///
/// # Errors
/// In a few words, why not; never with a secret's value.
pub fn fits(spec: &ParamSpec, value: &Value) -> Result<(), String> {
    let shown = if spec.kind == ParamType::Secret { "the value".to_owned() } else { value.to_string() };
    match (spec.kind, value) {
        (ParamType::String | ParamType::Secret, Value::String(_))
        | (ParamType::Float, Value::Number(_))
        | (ParamType::Bool, Value::Bool(_))
        | (ParamType::List, Value::Array(_))
        | (ParamType::Map, Value::Object(_)) => {}
        (ParamType::Int, Value::Number(number)) if number.is_i64() => {}
        (ParamType::Choice, _) => {}
        (ParamType::Cidr, Value::String(text)) => cidr(text)?,
        (ParamType::Duration, Value::String(text)) => retry::parse(text).map(|_| ())?,
        (ParamType::String, Value::Number(_)) => return Err(format!("{shown} must be a text: put it in quotes")),
        (kind, _) => return Err(format!("{shown} is no {}", kind.noun())),
    }
    if !spec.choices.is_empty() && !spec.choices.contains(value) {
        let all: Vec<String> = spec.choices.iter().map(shown_choice).collect();
        return Err(format!("{shown} is none of {}", all.join(", ")));
    }
    if let Some((low, high)) = spec.range {
        let (size, what) = match value {
            Value::Number(number) => (number.as_f64().unwrap_or(f64::NAN), ""),
            Value::String(text) => (text.chars().count() as f64, "the length of "),
            Value::Array(list) => (list.len() as f64, "the length of "),
            _ => return Ok(()),
        };
        if !(low..=high).contains(&size) {
            return Err(format!("{what}{shown} is not within {low} to {high}"));
        }
    }
    Ok(())
}

fn shown_choice(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn cidr(text: &str) -> Result<(), String> {
    let net: IpNet = text.parse().map_err(|_| format!("{text:?} is no network such as 10.5.0.0/16"))?;
    if net == net.trunc() {
        return Ok(());
    }
    Err(format!("{text} names a host, its network is {}", net.trunc()))
}
