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
    let customer = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let read: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    if endless(&read) {
        return Err("a number that has no end or is none (.inf, .nan) is no value for a parameter".to_owned());
    }
    Ok(customer)
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
    fn a_number_without_an_end_is_not_taken_for_nothing() {
        for number in [".inf", "-.inf", ".nan"] {
            let refused = parse(&format!("params: {{ a: [ {{ ratio: {number} }} ] }}"));
            assert!(refused.is_err_and(|why| why.contains(".inf")), "{number}");
        }
    }
}
