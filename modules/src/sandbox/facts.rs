//! What a rehearsal file's texts find in the sandbox's world at a time.

use serde_json::{Map, Value};

use super::{
    helm::RELEASE,
    k8s::{CLUSTER, OBJECT, status::describe},
    rehearsal::Pattern,
    template::Facts,
    world::{Object, World},
};
use crate::{
    k8s::{health, types::text},
    resource::Health,
};

/// A world at a time.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The world.
    pub world: &'a World,
    /// The time.
    pub now_ms: i64,
}

impl Facts for Moment<'_> {
    fn region(&self, cluster: &str) -> Value {
        let found = self.world.get(CLUSTER, cluster, cluster, self.now_ms);
        found.map(|cluster| cluster.body["region"].clone()).unwrap_or_default()
    }

    fn account(&self) -> &str {
        super::target::ACCOUNT
    }

    fn params(&self) -> &Map<String, Value> {
        &self.world.rehearsal.params
    }

    fn objects(&self, here: &str, pattern: &Pattern) -> Vec<Value> {
        let found = matching(self.world, here, pattern, self.now_ms);
        found.into_iter().map(|object| describe(self.world, &object.place, object, self.now_ms)).collect()
    }

    fn is_one_ready(&self, here: &str, pattern: &Pattern) -> bool {
        let found = matching(self.world, here, pattern, self.now_ms);
        found.into_iter().any(|object| is_ready(self.world, object, self.now_ms))
    }

    fn aws_object(&self, region: &str, kind: &str, name: &str) -> Option<Value> {
        let found = aws_object(self.world, region, kind, name, self.now_ms)?;
        let mut body = found.body.clone();
        body["id"] = found.id.as_str().into();
        Some(body)
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
fn matching<'a>(world: &'a World, here: &str, pattern: &Pattern, now_ms: i64) -> Vec<&'a Object> {
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
pub fn aws_object<'a>(world: &'a World, region: &str, kind: &str, name: &str, now_ms: i64) -> Option<&'a Object> {
    let bare = name.trim_end_matches('.');
    [region, ""].into_iter().flat_map(|place| world.list(kind, place, now_ms)).find(|object| {
        let fields = ["arn", "name"].map(|field| text(&object.body, field));
        object.id == name
            || object.tags.get("Name").is_some_and(|tag| tag == name)
            || fields.iter().any(|field| !field.is_empty() && field.trim_end_matches('.') == bare)
    })
}
