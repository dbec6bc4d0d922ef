//! The fields of a request as JSON, whatever they came as.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

#[derive(Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn put(&mut self, path: &str, text: String) {
        match path.split_once('.') {
            Some((first, rest)) => self.children.entry(first.to_owned()).or_default().put(rest, text),
            None => self.children.entry(path.to_owned()).or_default().text = Some(text),
        }
    }

    fn json(mut self) -> Value {
        if self.children.is_empty() {
            return Value::String(self.text.unwrap_or_default());
        }
        if self.children.len() == 1 {
            for wrapper in ["member", "entry"] {
                if let Some(list) = self.children.remove(wrapper) {
                    return list.json();
                }
            }
        }
        if self.children.keys().all(|key| key.parse::<u32>().is_ok()) {
            let mut items: Vec<(u32, Value)> =
                self.children.into_iter().filter_map(|(key, node)| Some((key.parse().ok()?, node.json()))).collect();
            items.sort_by_key(|(place, _)| *place);
            return items.into_iter().map(|(_, item)| item).collect();
        }
        self.children.into_iter().map(|(key, node)| (key, node.json())).collect::<Map<_, _>>().into()
    }
}

/// `Tag.1.Key=a&Tag.1.Value=b` becomes `{"Tag": [{"Key": "a", "Value": "b"}]}`.
pub fn nested(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut root = Node::default();
    for (path, text) in pairs {
        root.put(&path, text);
    }
    match root.json() {
        Value::Object(map) => Value::Object(map),
        _ => Value::Object(Map::new()),
    }
}

/// The decoded pairs of a query or a form.
pub fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_places_in_lists() {
        let form =
            pairs(b"VpcId=vpc-1&Tag.2.Key=b&Tag.1.Key=a&Tag.10.Key=c&Tags.member.1.Key=n&Tags.member.1.Value=x%20y");
        let tags = json!([{ "Key": "a" }, { "Key": "b" }, { "Key": "c" }]);
        assert_eq!(
            nested(form.into_iter()),
            json!({ "VpcId": "vpc-1", "Tag": tags, "Tags": [{ "Key": "n", "Value": "x y" }] })
        );
    }
}
