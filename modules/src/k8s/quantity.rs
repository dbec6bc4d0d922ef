//! Quantities, which the API server writes in its own way: who asks for `1000m` reads `1`.
//!
//! Source: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.

use serde_json::Value;

/// Whether a field (dots go down) holds a quantity.
pub fn is_at(path: &str) -> bool {
    const ABOVE: [&str; 8] =
        ["resources", "requests", "limits", "capacity", "hard", "sizeLimit", "overhead", "averageValue"];
    path.starts_with("spec.") && path.split('.').any(|name| ABOVE.contains(&name))
}

/// Whether both are quantities, and the same one.
pub fn same(one: &Value, other: &Value) -> bool {
    matches!((read(one), read(other)), (Some(one), Some(other)) if one == other)
}

/// In thousandths; None for what is no quantity, or is finer or larger than anybody asks for.
pub fn read(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: i128 = match unit {
        "m" => 1,
        "" => 1000,
        "k" => 1000 * 10_i128.pow(3),
        "M" => 1000 * 10_i128.pow(6),
        "G" => 1000 * 10_i128.pow(9),
        "T" => 1000 * 10_i128.pow(12),
        "P" => 1000 * 10_i128.pow(15),
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        "Pi" => 1000 << 50,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.len() > 9 || part.contains(['-', '+']) {
        return None;
    }
    let scale = 10_i128.pow(u32::try_from(part.len()).ok()?);
    let digits: i128 = format!("{whole}{part}").parse().ok()?;
    let scaled = digits.checked_mul(factor)?;
    (scaled % scale == 0).then_some(scaled / scale)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_at, same};

    #[test]
    fn the_same_quantity_in_other_words() {
        for (one, other) in [("1000m", "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("1000k", "1M")] {
            assert!(same(&json!(one), &json!(other)), "{one} {other}");
        }
        assert!(same(&json!(1), &json!("1")));
    }

    #[test]
    fn where_quantities_stand() {
        for path in ["spec.template.spec.containers.0.resources.limits.cpu", "spec.hard.pods", "spec.capacity.storage"]
        {
            assert!(is_at(path), "{path}");
        }
        assert!(!is_at("data.limits"));
        assert!(!is_at("spec.version"));
    }

    #[test]
    fn other_quantities_and_other_texts() {
        for (one, other) in [("1", "2"), ("1Gi", "1G"), ("web", "web2"), ("", ""), ("1x", "1x "), ("1.2.3", "1.2.3 ")] {
            assert!(!same(&json!(one), &json!(other)), "{one} {other}");
        }
        assert!(!same(&json!(true), &json!("1")));
    }
}
