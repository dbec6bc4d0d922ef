//! What looks like an id, what an answer brought into the world, and what things are called.

use serde_json::Value;

use super::answer::Answer;

/// Tags that carry the run and its effects.
pub const RUN: [&str; 3] = ["runbook:run", "runbook:effect", "runbook:step"];

/// Whether a word is an id: letters, a dash and a long run of hexadecimal digits (`vpc-0a1b2c3d`), one of Cloud Map's, or the sixteen
/// digits at the end of a load balancer's ARN.
pub fn is_id(word: &str) -> bool {
    if word.len() == 16 && word.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)) {
        return true;
    }
    let hex = |text: &str| text.len() >= 8 && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    let drawn = |text: &str| text.len() >= 8 && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    word.rsplit_once('-').is_some_and(|(kind, rest)| match kind {
        "ns" | "srv" => drawn(rest),
        _ => hex(rest) && !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
    })
}

/// The words of a text, and what stands between them.
pub fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = is_word(first);
        let end = rest.find(|c| is_word(c) != kind).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

/// A text with every id replaced by a star.
pub fn masked(text: &str) -> String {
    words(text).into_iter().map(|word| if is_id(word) { "*" } else { word }).collect()
}

/// All texts in a value.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The ids in an answer that were not in the request: of a hosted zone with its path.
pub fn made(fields: &Value, answer: &Answer) -> Vec<String> {
    let body = match answer.value() {
        Value::Null => answer.document().json(),
        value => value,
    };
    let asked = texts(fields);
    let mut made: Vec<String> = Vec::new();
    for text in texts(&body).into_iter().filter(|text| is_id(text) || text.starts_with("/hostedzone/")) {
        if answer.ok() && !asked.contains(&text) && !made.iter().any(|known| known == text) {
            made.push(text.to_owned());
        }
    }
    made
}

/// A thing's name in a description or a request: its tag `Name`, or its own; empty when it has none.
pub fn name(value: &Value) -> String {
    let lists = ["tagSet", "tags", "Tags", "Tag"].iter().filter_map(|field| value.get(*field)?.as_array()).flatten();
    let of_request = value.get("TagSpecification").and_then(Value::as_array).into_iter().flatten();
    let tags = lists.chain(of_request.filter_map(|one| one.get("Tag")?.as_array()).flatten());
    let mut named = tags.filter(|tag| tag.get("key").or_else(|| tag.get("Key")).is_some_and(|key| key == "Name"));
    let tag = named.next().and_then(|tag| tag.get("value").or_else(|| tag.get("Value")));
    let fields = ["groupName", "GroupName", "name", "Name", "RoleName", "PolicyName", "Id"];
    let own = fields.iter().filter_map(|field| value.get(*field));
    tag.into_iter().chain(own).filter_map(Value::as_str).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_keep_the_text() {
        let text = "arn:aws:ec2:us-east-1:1:vpc/vpc-0a1b2c3d, redis1-vpc";
        assert_eq!(words(text).concat(), text);
        assert_eq!(masked(text), "arn:aws:ec2:us-east-1:1:vpc/*, redis1-vpc");
    }

    #[test]
    fn an_answer_makes_what_the_request_did_not_name() {
        let answer = Answer::json(
            &json!({ "a": "vpc-0a1b2c3d", "b": ["subnet-0a1b2c3d", "subnet-0a1b2c3d"], "c": "available" }),
        );
        assert_eq!(made(&json!({ "VpcId": "vpc-0a1b2c3d" }), &answer), ["subnet-0a1b2c3d"]);
        assert_eq!(
            name(&json!({ "TagSpecification": [{ "Tag": [{ "Key": "Name", "Value": "n" }] }], "Name": "m" })),
            "n"
        );
    }
}
