//! A chart's values as the text that helm reads from its standard input.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The values as JSON that YAML 1.1 reads alike: helm parses it as YAML, which refuses some characters that JSON allows raw, and
/// folds others as line breaks.
pub fn text(values: &Map<String, Value>) -> String {
    let json = serde_json::to_string(values).unwrap_or_default();
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                // Outside of its texts JSON holds ASCII only, so this is inside of one.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn what_yaml_reads_otherwise_is_escaped() {
        let values = json!({"a": "x\u{85}y\u{2028}z\u{feff}\u{7f}", "b": "ü\n\t\"\\ {{ .Values }} ${x} 'q' \u{1f600}"});
        let text = text(values.as_object().unwrap());
        assert!(text.is_ascii() || !text.contains(['\u{85}', '\u{2028}', '\u{feff}', '\u{7f}']), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), values);
        assert_eq!(serde_yaml::from_str::<serde_json::Value>(&text).unwrap(), values);
    }
}
