//! What a rehearsal file's texts find in a real cluster and in AWS.
//!
//! A text is rendered without waiting, so what it asks for is fetched between two tries: [`rendered`] tries, fetches what was asked
//! for and not known, and tries again.

use std::{cell::RefCell, collections::BTreeMap};

use runbook_modules::{
    k8s::health,
    resource::Health,
    sandbox::{rehearsal::Pattern, template::Facts},
};
use serde_json::{Map, Value};

use super::{Rehearsed, aws, kinds::Kinds};
use crate::{
    emulators::ACCOUNT,
    standins::{
        cluster::Inside,
        kube_objects::{is_going, name, namespace, text},
    },
};

/// No text asks for more one after the other.
const TRIES: usize = 20;

/// What was found in one round.
#[derive(Debug, Default)]
pub struct Found {
    /// Objects by kind.
    objects: BTreeMap<String, Vec<Value>>,
    /// AWS objects by kind and name.
    aws: BTreeMap<(String, String), Option<Value>>,
}

/// What a text asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Objects(String),
    Aws(String, String),
}

/// A cluster as it was found.
pub struct Live<'a> {
    params: &'a Map<String, Value>,
    region: &'a str,
    cluster: &'a str,
    found: &'a Found,
    asked: RefCell<Vec<Asked>>,
}

impl<'a> Live<'a> {
    /// A cluster with what was found of it.
    #[must_use]
    pub fn new(params: &'a Map<String, Value>, region: &'a str, cluster: &'a str, found: &'a Found) -> Self {
        Self { params, region, cluster, found, asked: RefCell::default() }
    }

    fn fitting(&self, here: &str, pattern: &Pattern) -> Vec<&'a Value> {
        if here != self.cluster {
            return Vec::new();
        }
        let Some(all) = self.found.objects.get(&pattern.kind) else {
            self.asked.borrow_mut().push(Asked::Objects(pattern.kind.clone()));
            return Vec::new();
        };
        all.iter().filter(|object| !is_going(object) && fits(pattern, here, object)).collect()
    }
}

/// Whether a pattern means an object.
pub fn fits(pattern: &Pattern, cluster: &str, object: &Value) -> bool {
    pattern.fits(cluster, cluster, text(object, "kind"), namespace(object), name(object))
}

/// Whether an object is ready.
#[must_use]
pub fn is_ready(object: &Value) -> bool {
    health::judge(object) == Health::Ready
}

impl Facts for Live<'_> {
    fn region(&self, _: &str) -> Value {
        self.region.into()
    }

    fn account(&self) -> &str {
        ACCOUNT
    }

    fn params(&self) -> &Map<String, Value> {
        self.params
    }

    fn objects(&self, here: &str, pattern: &Pattern) -> Vec<Value> {
        self.fitting(here, pattern).into_iter().cloned().collect()
    }

    fn is_one_ready(&self, here: &str, pattern: &Pattern) -> bool {
        self.fitting(here, pattern).into_iter().any(is_ready)
    }

    fn aws_object(&self, _: &str, kind: &str, name: &str) -> Option<Value> {
        let key = (kind.to_owned(), name.to_owned());
        match self.found.aws.get(&key) {
            Some(found) => found.clone(),
            None => {
                self.asked.borrow_mut().push(Asked::Aws(key.0, key.1));
                None
            }
        }
    }
}

/// All objects of a kind; those of one that is not served are none.
///
/// # Errors
/// The API server does not answer.
pub async fn of_kind<'a>(
    inside: &Inside, kinds: &Kinds, found: &'a mut Found, kind: &str,
) -> Result<&'a [Value], String> {
    if !found.objects.contains_key(kind) {
        let mut listed = Vec::new();
        if let Some(served) = kinds.named(kind) {
            listed = inside.objects.list(&served.all()).await?;
            for object in &mut listed {
                // In a list they do not say what they are.
                object["apiVersion"] = served.api_version.as_str().into();
                object["kind"] = kind.into();
            }
        }
        found.objects.insert(kind.to_owned(), listed);
    }
    Ok(found.objects.get(kind).map_or(&[], Vec::as_slice))
}

/// Renders something, with all that it asks for.
///
/// # Errors
/// What cannot be rendered, or asked for.
pub async fn rendered<T>(
    inside: &Inside, rehearsed: &Rehearsed, kinds: &Kinds, found: &mut Found,
    render: impl Fn(&Live<'_>) -> Result<T, String>,
) -> Result<T, String> {
    for _ in 0..TRIES {
        let (result, asked) = {
            let live = Live::new(rehearsed.params(), &inside.region, &inside.name, found);
            (render(&live), live.asked.into_inner())
        };
        if asked.is_empty() {
            return result;
        }
        for one in asked {
            match one {
                Asked::Objects(kind) => {
                    of_kind(inside, kinds, found, &kind).await?;
                }
                Asked::Aws(kind, name) => {
                    let object = aws::find(inside, &kind, &name).await?;
                    found.aws.insert((kind, name), object);
                }
            }
        }
    }
    Err("it asks for ever more".to_owned())
}
