//! The customer file: whose account a run goes to, and parameters that differ from the runbook's defaults.

use std::path::Path;

use runbook_modules::yaml::bounded;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Problem;

/// A customer file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Its name, shown in headings and lists.
    #[serde(default)]
    pub customer: Option<String>,
    /// The account id; a live run against another account stops before the first effect.
    #[serde(default)]
    pub account: Option<Account>,
    /// The region, where the runbook has a parameter of that name.
    #[serde(default)]
    pub region: Option<String>,
    /// Parameters.
    #[serde(default)]
    pub params: Map<String, Value>,
}

/// An account id, written as a text; a number would lose leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Account(pub String);

impl TryFrom<Value> for Account {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let digits = match value {
            Value::String(text) => text.replace('-', ""),
            other => return Err(format!("account: put it in quotes: \"{other}\"")),
        };
        if digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err("account: an AWS account id has 12 digits".to_owned())
        }
    }
}

/// Reads a customer file.
///
/// # Errors
/// RB0204 when it cannot be read or does not fit.
pub fn read(path: &Path) -> Result<Customer, Problem> {
    let wrong = |why: String| {
        Problem::usage("RB0204", format!("failed to read the customer file {}: {why}", path.display()))
            .hint("it holds customer, account, region and params; see runbooks/customers/example.yaml")
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    parse(&text).map_err(wrong)
}

/// A customer file's text.
///
/// # Errors
/// What is wrong, with the line where it is known.
pub fn parse(text: &str) -> Result<Customer, String> {
    bounded(text)?;
    let customer: Customer = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let read: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    if endless(&read) {
        return Err("a number that has no end or is none (.inf, .nan) is no value for a parameter".to_owned());
    }
    if read.get("params").map_or(0, names) > kept(&Value::Object(customer.params.clone())) {
        return Err("params: a name stands twice in one map, written in two ways (8080 and \"8080\", or with a tag): one value \
                    would be lost"
            .to_owned());
    }
    Ok(customer)
}

/// How many names stand in it. YAML tells two apart that are one as a text.
fn names(value: &serde_yaml::Value) -> usize {
    match value {
        serde_yaml::Value::Sequence(items) => items.iter().map(names).sum(),
        serde_yaml::Value::Mapping(fields) => fields.len() + fields.values().map(names).sum::<usize>(),
        serde_yaml::Value::Tagged(tagged) => names(&tagged.value),
        _ => 0,
    }
}

/// How many of them were kept.
fn kept(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(kept).sum(),
        Value::Object(fields) => fields.len() + fields.values().map(kept).sum::<usize>(),
        _ => 0,
    }
}

/// Whether there is a number in it for which JSON has no word: it would be taken for no value at all.
fn endless(value: &serde_yaml::Value) -> bool {
    match value {
        serde_yaml::Value::Number(number) => number.as_f64().is_some_and(|number| !number.is_finite()),
        serde_yaml::Value::Sequence(items) => items.iter().any(endless),
        serde_yaml::Value::Mapping(fields) => fields.iter().any(|(name, value)| endless(name) || endless(value)),
        serde_yaml::Value::Tagged(tagged) => endless(&tagged.value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_a_text_of_12_digits() {
        let customer = parse("customer: acme\naccount: \"0234-5678-9012\"\nparams: {nodes: 3}").unwrap_or_default();
        assert_eq!(customer.account, Some(Account("023456789012".to_owned())));
        assert_eq!(customer.params["nodes"], 3);
        assert!(parse("account: 123456789012").is_err_and(|e| e.contains("quotes")));
        assert!(parse("acount: x").is_err_and(|e| e.contains("acount")));
    }

    #[test]
    fn a_name_that_stands_twice_in_two_ways_loses_no_value() {
        for twice in [
            "{ !x none: 1, none: 2 }",
            "{ ports: { 8080: a, \"8080\": b } }",
            "{ all: [ { true: a, \"true\": b } ] }",
            "{ 0x10: a, \"0x10\": b }",
        ] {
            let read = parse(&format!("params: {twice}"));
            assert!(read.as_ref().is_err_and(|why| why.contains("twice")), "{twice}: {read:?}");
        }
        let once = parse("params: { a: { b: [ { b: 1, 8080: 2 } ], c: { d: 1 } }, b: ~ }");
        assert_eq!(once.map(|customer| customer.params.len()), Ok(2));
    }

    #[test]
    fn a_number_without_an_end_is_not_taken_for_nothing() {
        for number in [".inf", "-.inf", ".nan"] {
            let refused = parse(&format!("params: {{ a: [ {{ ratio: {number} }} ] }}"));
            assert!(refused.is_err_and(|why| why.contains(".inf")), "{number}");
        }
    }
}
