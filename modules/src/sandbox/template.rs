//! `${…}` in a rehearsal file's texts, and `each:` in its lists. `README.md` has the table of what may stand there.

use std::{cell::Cell, collections::BTreeMap, rc::Rc};

use serde_json::{Map, Value};

use super::{
    rehearsal::{Pattern, glob},
    simple::lookup,
};

/// As many things one rendering may make with `each:`, in all.
const MOST: usize = 10_000;
/// `${…}` may stand in `${…}` so deep.
const DEEPEST: usize = 32;

/// What is known of the systems that a rehearsal file speaks of: the sandbox's world at a time, or a live testbed.
pub trait Facts {
    /// The region of a cluster; Null when there is no such cluster.
    fn region(&self, cluster: &str) -> Value;

    /// The account.
    fn account(&self) -> &str;

    /// The run's parameters.
    fn params(&self) -> &Map<String, Value>;

    /// The objects and releases (kind `Release`) that a pattern means, those on their way out left out. `here`: the cluster of the
    /// call or the trigger.
    fn objects(&self, here: &str, pattern: &Pattern) -> Vec<Value>;

    /// Whether one of these is ready.
    fn is_one_ready(&self, here: &str, pattern: &Pattern) -> bool;

    /// An AWS object with its `id`, by kind and id, ARN, name or tag Name, in a region or in none.
    fn aws_object(&self, region: &str, kind: &str, name: &str) -> Option<Value>;
}

/// Where a text is rendered: what is known, a cluster, and names with their values.
#[derive(Clone)]
pub struct Scope<'a> {
    /// What is known.
    pub facts: &'a dyn Facts,
    /// The cluster that patterns mean.
    pub cluster: &'a str,
    /// `cluster`, `region`, `param`, `name`, `object`, …
    pub names: BTreeMap<String, Value>,
    /// As many things may still be made.
    left: Rc<Cell<usize>>,
}

impl<'a> Scope<'a> {
    /// A scope with `cluster`, `region`, `account` and `param`.
    pub fn new(facts: &'a dyn Facts, cluster: &'a str) -> Self {
        let names = [
            ("cluster", cluster.into()),
            ("region", facts.region(cluster)),
            ("account", facts.account().into()),
            ("param", Value::Object(facts.params().clone())),
        ];
        let names = names.map(|(name, value)| (name.to_owned(), value)).into();
        Self { facts, cluster, names, left: Rc::new(Cell::new(MOST)) }
    }

    /// With one more name.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.names.insert(name.to_owned(), value);
        self
    }

    /// A value with every text rendered and every `each:` repeated.
    ///
    /// # Errors
    /// The expression that has no value.
    pub fn render(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    list.extend(self.repeat(item)?);
                }
                Ok(Value::Array(list))
            }
            Value::Object(fields) => {
                let mut map = Map::new();
                for (name, value) in fields {
                    map.insert(in_words(&self.text(name)?), self.render(value)?);
                }
                Ok(Value::Object(map))
            }
            other => Ok(other.clone()),
        }
    }

    /// An item of a list, once for each of what its `each:` says.
    ///
    /// # Errors
    /// As [`Scope::render`].
    pub fn repeat(&self, item: &Value) -> Result<Vec<Value>, String> {
        let Some(each) = item.get("each") else { return Ok(vec![self.render(item)?]) };
        let mut item = item.clone();
        if let Value::Object(fields) = &mut item {
            fields.remove("each");
        }
        let over: Vec<Value> = match self.render(each)? {
            Value::Number(count) => (0..count.as_u64().unwrap_or(0)).take(MOST + 1).map(Value::from).collect(),
            Value::Array(list) => list,
            Value::String(pattern) => self.objects(&pattern.parse()?)?,
            other => return Err(format!("each: `{other}` is no pattern, number or list")),
        };
        let left = self.left.get().checked_sub(over.len()).ok_or_else(|| format!("each: more than {MOST} in all"))?;
        self.left.set(left);
        let render = |(i, each): (usize, Value)| self.clone().with("i", i.into()).with("each", each).render(&item);
        over.into_iter().enumerate().map(render).collect()
    }

    /// A text rendered to a text.
    ///
    /// # Errors
    /// As [`Scope::render`].
    pub fn words(&self, text: &str) -> Result<String, String> {
        self.text(text).map(|value| in_words(&value))
    }

    fn text(&self, text: &str) -> Result<Value, String> {
        if !text.contains("${") {
            return Ok(text.into());
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let end = closing(&rest[start..]).map_err(|why| format!("`{text}`: {why}"))? + start;
            let value = self.expression(&self.words(&rest[start + 2..end])?)?;
            if start == 0 && end + 1 == rest.len() && out.is_empty() {
                return Ok(value);
            }
            out.push_str(&rest[..start]);
            out.push_str(&in_words(&value));
            rest = &rest[end + 1..];
        }
        Ok((out + rest).into())
    }

    fn expression(&self, expression: &str) -> Result<Value, String> {
        let words: Vec<&str> = expression.split_whitespace().collect();
        let operator = |word: &&str| matches!(*word, "+" | "-" | "*");
        if !words.iter().any(operator) {
            return self.operand(expression.trim());
        }
        let (mut sum, mut product, mut sign) = (0_i64, 1_i64, 1_i64);
        let wrong = || format!("${{{expression}}}: not a whole number");
        for (i, part) in words.split(operator).enumerate() {
            let at: usize = words.split(operator).take(i).map(|part| part.len() + 1).sum();
            let number = self.operand(&part.join(" "))?;
            let number = number.as_i64().or_else(|| number.as_str()?.parse().ok()).ok_or_else(wrong)?;
            match at.checked_sub(1).map(|before| words[before]) {
                None => product = number,
                Some("*") => product = product.saturating_mul(number),
                Some(next) => {
                    sum = sum.saturating_add(sign.saturating_mul(product));
                    sign = if next == "-" { -1 } else { 1 };
                    product = number;
                }
            }
        }
        Ok(sum.saturating_add(sign.saturating_mul(product)).into())
    }

    fn operand(&self, operand: &str) -> Result<Value, String> {
        let none = || format!("${{{operand}}} has no value here");
        if let Ok(number) = operand.parse::<i64>() {
            return Ok(number.into());
        }
        let Some((field, of)) = operand.split_once(" of ") else {
            let (first, rest) = operand.split_once('.').unwrap_or((operand, ""));
            let value = self.names.get(first).ok_or_else(none)?;
            let value = if rest.is_empty() { Some(value) } else { lookup(value, rest) };
            return value.cloned().ok_or_else(none);
        };
        if let Some((kind, name)) = of.trim().split_once(' ') {
            let region = self.names.get("region").and_then(Value::as_str).unwrap_or_default();
            let object = self.facts.aws_object(region, kind, name.trim()).ok_or_else(none)?;
            return lookup(&object, field).cloned().ok_or_else(none);
        }
        let found = self.objects(&of.trim().parse()?)?;
        if field == "count" {
            return Ok(found.len().into());
        }
        match field.strip_prefix("all ") {
            Some(field) => Ok(found.iter().filter_map(|object| lookup(object, field)).cloned().collect()),
            None => found.first().and_then(|object| lookup(object, field)).cloned().ok_or_else(none),
        }
    }

    fn objects(&self, pattern: &Pattern) -> Result<Vec<Value>, String> {
        Ok(self.facts.objects(self.cluster, &self.pattern(pattern)?))
    }

    /// A pattern with its texts rendered.
    ///
    /// # Errors
    /// As [`Scope::render`].
    pub fn pattern(&self, pattern: &Pattern) -> Result<Pattern, String> {
        Ok(Pattern {
            cluster: pattern.cluster.as_deref().map(|cluster| self.words(cluster)).transpose()?,
            kind: self.words(&pattern.kind)?,
            namespace: self.words(&pattern.namespace)?,
            name: self.words(&pattern.name)?,
        })
    }

    /// Whether all of these stand and are ready.
    ///
    /// # Errors
    /// As [`Scope::render`].
    pub fn all_ready(&self, needs: &[Pattern]) -> Result<bool, String> {
        for pattern in needs {
            if !self.facts.is_one_ready(self.cluster, &self.pattern(pattern)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether every field of a call fits its glob.
///
/// # Errors
/// A glob whose expression has no value.
pub fn fits(scope: &Scope<'_>, globs: &Map<String, Value>, fields: &BTreeMap<String, String>) -> Result<bool, String> {
    for (name, wanted) in globs {
        let wanted = in_words(&scope.render(wanted)?);
        if !fields.get(name).is_some_and(|has| glob(&wanted, has)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn closing(text: &str) -> Result<usize, String> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' if depth == DEEPEST => return Err(format!("more than {DEEPEST} braces in each other")),
            '{' => depth += 1,
            '}' if depth == 1 => return Ok(at),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Err("no closing brace".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{facts::Moment, world::World},
        Scope,
    };

    #[test]
    fn texts_are_rendered() {
        let world = World::default();
        let moment = Moment { world: &world, now_ms: 0 };
        let scope =
            Scope::new(&moment, "c1").with("param", json!({"nodes": 3, "zone": "r.internal", "list": ["a", "b"]}));
        for (text, value) in [
            ("${cluster}/x", json!("c1/x")),
            ("${param.nodes}", json!(3)),
            ("n=${param.nodes}.", json!("n=3.")),
            ("${2 * param.nodes - 1}", json!(5)),
            ("${10 - 2 * param.nodes}", json!(4)),
            ("a ${param.${cluster}} b", json!(null)),
            ("${count of Pod/default/*}", json!(0)),
            ("plain {brace}", json!("plain {brace}")),
        ] {
            match scope.render(&json!(text)) {
                Ok(found) => assert_eq!(found, value, "{text}"),
                Err(error) => assert!(value.is_null() && error == "${param.c1} has no value here", "{text}: {error}"),
            }
        }
    }

    #[test]
    fn what_would_never_end_is_refused() {
        let world = World::default();
        let moment = Moment { world: &world, now_ms: 0 };
        let scope = |text: &str| Scope::new(&moment, "c1").render(&json!({"x": [{"each": text, "n": "${i}"}]}));
        assert!(scope("${4000000000 * 4000000000}").is_err_and(|why| why == "each: more than 10000 in all"));
        let inner = json!([{"each": "${200}", "n": [{"each": "${200}", "n": "${i}"}]}]);
        assert!(Scope::new(&moment, "c1").render(&inner).is_err_and(|why| why.contains("more than 10000")));
        let braces = format!("{}cluster{}", "${".repeat(100_000), "}".repeat(100_000));
        let refused = Scope::new(&moment, "c1").render(&json!(braces));
        assert!(refused.is_err_and(|why| why.ends_with("more than 32 braces in each other")));
    }

    #[test]
    fn each_repeats_an_item() {
        let world = World::default();
        let moment = Moment { world: &world, now_ms: 0 };
        let scope = Scope::new(&moment, "c1").with("param", json!({"nodes": 2, "list": ["a", "b"]}));
        let rendered = scope.render(
            &json!({"x": [{"each": "${param.nodes}", "n": "p-${i}"}, {"each": "${param.list}", "v": "${each}"}, "z"]}),
        );
        assert_eq!(rendered, Ok(json!({"x": [{"n": "p-0"}, {"n": "p-1"}, {"v": "a"}, {"v": "b"}, "z"]})));
    }
}
