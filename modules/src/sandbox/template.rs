//! `${…}` in a rehearsal file's texts, and `each:` in its lists. `README.md` has the table of what may stand there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    helm::RELEASE,
    k8s::{CLUSTER, OBJECT, status::describe},
    rehearsal::{Pattern, glob},
    simple::lookup,
    world::{Object, World},
};
use crate::{
    k8s::{health, types::text},
    resource::Health,
};

/// Where a text is rendered: the world at a time, a cluster, and names with their values.
#[derive(Clone)]
pub struct Scope<'a> {
    /// The world.
    pub world: &'a World,
    /// The time.
    pub now_ms: i64,
    /// The cluster that patterns mean.
    pub cluster: &'a str,
    /// `cluster`, `region`, `param`, `name`, `object`, …
    pub names: BTreeMap<String, Value>,
}

impl<'a> Scope<'a> {
    /// A scope with `cluster`, `region`, `account` and `param`.
    pub fn new(world: &'a World, cluster: &'a str, now_ms: i64) -> Self {
        let region = world.get(CLUSTER, cluster, cluster, now_ms).map(|c| c.body["region"].clone()).unwrap_or_default();
        let names = [
            ("cluster", cluster.into()),
            ("region", region),
            ("account", super::target::ACCOUNT.into()),
            ("param", Value::Object(world.rehearsal.params.clone())),
        ];
        Self { world, now_ms, cluster, names: names.map(|(name, value)| (name.to_owned(), value)).into() }
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
            Value::Number(count) => (0..count.as_u64().unwrap_or(0)).map(Value::from).collect(),
            Value::Array(list) => list,
            Value::String(pattern) => self.objects(&pattern.parse()?)?,
            other => return Err(format!("each: `{other}` is no pattern, number or list")),
        };
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
            let end = closing(&rest[start..]).ok_or_else(|| format!("`{text}`: no closing brace"))? + start;
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
            let object =
                aws_object(self.world, self.names.get("region"), kind, name.trim(), self.now_ms).ok_or_else(none)?;
            return if field == "id" {
                Ok(object.id.as_str().into())
            } else {
                lookup(&object.body, field).cloned().ok_or_else(none)
            };
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
        let pattern = self.pattern(pattern)?;
        let found = matching(self.world, self.cluster, &pattern, self.now_ms);
        Ok(found.into_iter().map(|object| describe(self.world, &object.place, object, self.now_ms)).collect())
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
            let pattern = self.pattern(pattern)?;
            let found = matching(self.world, self.cluster, &pattern, self.now_ms);
            if !found.into_iter().any(|object| is_ready(self.world, object, self.now_ms)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether an object or release is ready.
pub fn is_ready(world: &World, object: &Object, now_ms: i64) -> bool {
    if object.kind == RELEASE {
        return super::helm::status(world, object, now_ms).0 == "deployed";
    }
    health::judge(&describe(world, &object.place, object, now_ms)) == Health::Ready
}

/// The objects and releases (kind `Release`) that a pattern means, those on their way out left out.
pub fn matching<'a>(world: &'a World, here: &str, pattern: &Pattern, now_ms: i64) -> Vec<&'a Object> {
    let clusters = world.everything().filter(|o| o.kind == CLUSTER && o.exists(now_ms)).map(|o| o.id.clone());
    let mut found = Vec::new();
    for cluster in clusters {
        for object in world.list(OBJECT, &cluster, now_ms).chain(world.list(RELEASE, &cluster, now_ms)) {
            let (kind, namespace, name) = identity(object);
            if object.gone_at.is_none()
                && text(&object.body, "metadata.deletionTimestamp").is_empty()
                && pattern.fits(here, &cluster, kind, namespace, name)
            {
                found.push(object);
            }
        }
    }
    found
}

/// Kind, namespace and name of an object or release.
pub fn identity(object: &Object) -> (&str, &str, &str) {
    if object.kind == RELEASE {
        return ("Release", text(&object.body, "namespace"), text(&object.body, "release"));
    }
    (text(&object.body, "kind"), text(&object.body, "metadata.namespace"), text(&object.body, "metadata.name"))
}

/// An AWS object by kind and id, ARN, name or tag Name; a dot at the end of a name may be left out.
pub fn aws_object<'a>(
    world: &'a World, region: Option<&Value>, kind: &str, name: &str, now_ms: i64,
) -> Option<&'a Object> {
    let bare = name.trim_end_matches('.');
    let region = region.and_then(Value::as_str).unwrap_or_default();
    [region, ""].into_iter().flat_map(|place| world.list(kind, place, now_ms)).find(|object| {
        let fields = ["arn", "name"].map(|field| text(&object.body, field));
        object.id == name
            || object.tags.get("Name").is_some_and(|tag| tag == name)
            || fields.iter().any(|field| !field.is_empty() && field.trim_end_matches('.') == bare)
    })
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

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::world::World, Scope};

    #[test]
    fn texts_are_rendered() {
        let world = World::default();
        let scope =
            Scope::new(&world, "c1", 0).with("param", json!({"nodes": 3, "zone": "r.internal", "list": ["a", "b"]}));
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
    fn each_repeats_an_item() {
        let world = World::default();
        let scope = Scope::new(&world, "c1", 0).with("param", json!({"nodes": 2, "list": ["a", "b"]}));
        let rendered = scope.render(
            &json!({"x": [{"each": "${param.nodes}", "n": "p-${i}"}, {"each": "${param.list}", "v": "${each}"}, "z"]}),
        );
        assert_eq!(rendered, Ok(json!({"x": [{"n": "p-0"}, {"n": "p-1"}, {"v": "a"}, {"v": "b"}, "z"]})));
    }
}
