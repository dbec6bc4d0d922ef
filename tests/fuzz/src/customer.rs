//! A customer file.

use runbook_engine::cli::customer::{self, Customer};
use serde_json::json;

use super::told;

/// Reads it and insists:
///
/// * a mistake is told in words that can be shown, with a line of the file;
/// * an account has twelve digits;
/// * written as YAML and read again it is the same;
/// * a value that stands there is not lost.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match customer::parse(text) {
        Ok(customer) => {
            if let Some(account) = &customer.account {
                assert!(account.0.len() == 12 && account.0.bytes().all(|byte| byte.is_ascii_digit()), "{account:?}");
            }
            written_and_read(&customer);
            nothing_lost(text, &customer);
        }
        Err(why) => {
            assert!(!why.trim().is_empty(), "nothing is said");
            let failure = runbook_engine::error::Failure::new("RB0204", why.as_str());
            told::failure(&failure, &[]);
            within(&why, text);
        }
    }
}

/// `… at line 3 column 5` lies in the text.
pub fn within(why: &str, text: &str) {
    let Some((_, place)) = why.rsplit_once(" at line ") else { return };
    let line: Option<usize> = place.split(' ').next().and_then(|line| line.parse().ok());
    let lines = lines(text);
    assert!(line.is_none_or(|line| line <= lines), "line {line:?} of {lines}: {why}");
}

/// How many lines YAML counts, with one behind the last, where an end that comes too soon is told.
pub fn lines(text: &str) -> usize {
    text.replace("\r\n", "\n").split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() + 1
}

fn written_and_read(customer: &Customer) {
    let account = customer.account.as_ref().map(|account| &account.0);
    let value = json!({
        "customer": customer.customer, "account": account, "region": customer.region, "params": customer.params,
    });
    let text = serde_yaml::to_string(&value).expect("it can be written");
    let read = customer::parse(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    assert_eq!(&read, customer, "written and read it is another:\n{text}");
}

/// A parameter that YAML does not call null is not null.
fn nothing_lost(text: &str, customer: &Customer) {
    let Ok(value) = serde_yaml::from_str::<serde_yaml::Value>(text) else { return };
    for (name, value) in value.get("params").and_then(serde_yaml::Value::as_mapping).into_iter().flatten() {
        let Some(name) = name.as_str() else { continue };
        let lost = !value.is_null() && customer.params.get(name).is_none_or(serde_json::Value::is_null);
        assert!(!lost, "the value of {name} is lost: {value:?}");
    }
}
