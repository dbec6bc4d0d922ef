//! What only a live system could answer or make, out of a `*.rehearsal.yaml` next to the runbook. `README.md` is the reference.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use crate::yaml::bounded;

/// A rehearsal file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// Values for the parameters that have no default: a rehearsal takes them when none is given.
    #[serde(default, rename = "params")]
    pub examples: Map<String, Value>,
    /// AWS objects that stand before the run, the customer's own: a public zone, say.
    #[serde(default)]
    pub given: Vec<Value>,
    /// What exec, run_pod, logs and the like answer; the first that fits wins.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// What controllers would make.
    #[serde(default)]
    pub makes: Vec<Make>,
    /// The run's parameters, for `${param.NAME}`; given by the program, not by the file.
    #[serde(skip)]
    pub params: Map<String, Value>,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The script function: `k8s.exec`, `k8s.run_pod`, `k8s.logs`, `helm.template`.
    pub call: String,
    /// Fields of the call, as globs: cluster, region, namespace, pod, name, kind, container, image, command (joined by spaces).
    #[serde(default, rename = "where")]
    pub fits: Map<String, Value>,
    /// What must stand and be ready.
    #[serde(default)]
    pub needs: Vec<Pattern>,
    /// Only that long after the pod or cluster exists.
    #[serde(default)]
    pub after: Span,
    /// Standard output; for logs the log, for others the answer's text.
    #[serde(default)]
    pub stdout: String,
    /// Standard error.
    #[serde(default)]
    pub stderr: String,
    /// Exit code.
    #[serde(default)]
    pub exit_code: i64,
    /// Of `k8s.exec` alone: what the command changes, merged into the pod that it runs in. Later answers can tell it.
    #[serde(default)]
    pub adds: Value,
}

/// What a controller makes when something stands.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// What sets it off.
    pub when: When,
    /// What must stand and be ready besides: the controller itself. Without it nothing is made, nor removed.
    #[serde(default)]
    pub needs: Vec<Pattern>,
    /// How long after.
    #[serde(default)]
    pub after: Span,
    /// Kubernetes objects; `cluster:` in one says where, as a glob; `each:` repeats it.
    #[serde(default)]
    pub objects: Vec<Value>,
    /// AWS objects.
    #[serde(default)]
    pub aws: Vec<Value>,
    /// Merged into the object that set it off.
    #[serde(default)]
    pub adds: Value,
    /// Put on the object that set it off as soon as this is made, taken off by the controller when what it made is gone (a Flux
    /// Kustomization's: when it is deleted).
    #[serde(default)]
    pub finalizers: Vec<String>,
    /// What happens to what was made when the trigger goes.
    #[serde(default)]
    pub on_delete: OnDelete,
}

/// What sets a [`Make`] off: exactly one of `k8s` and `helm`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// A Kubernetes object: `Kind/namespace/name`, or `Kind/name`, with globs.
    #[serde(default)]
    pub k8s: Option<Pattern>,
    /// A release: `name` or `namespace/name`, with globs.
    #[serde(default)]
    pub helm: Option<String>,
    /// The cluster, as a glob.
    #[serde(default = "any")]
    pub cluster: String,
    /// Only once it is ready.
    #[serde(default)]
    pub ready: bool,
}

fn any() -> String {
    "*".to_owned()
}

/// What happens to what a controller made when its reason goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// It goes at the same time, or that long after.
    #[default]
    Remove,
    /// It goes that long after.
    RemoveAfter(Duration),
    /// It stays.
    Keep,
}

/// `[cluster:]Kind/namespace/name`, or `Kind/name` for what has no namespace; each part a glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The cluster; None: the one of the call or the trigger.
    pub cluster: Option<String>,
    /// The kind.
    pub kind: String,
    /// The namespace; empty for what has none.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A duration: `500ms`, `40s`, `5m`, `1h30m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A rehearsal file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Unusable {
    /// The file.
    pub file: String,
    /// The line, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl Rehearsal {
    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn parse(text: &str, file: &str) -> Result<Self, Unusable> {
        let bad = |line, message| Unusable { file: file.to_owned(), line, message };
        bounded(text).map_err(|why| bad(None, why))?;
        let rehearsal: Self = serde_yaml::from_str(text).map_err(|error| {
            let line = error.location().map(|at| at.line());
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            bad(line, message.to_owned())
        })?;
        for (i, answer) in rehearsal.answers.iter().enumerate() {
            if !answer.adds.is_null() && (answer.call != "k8s.exec" || !answer.adds.is_object()) {
                return Err(bad(None, format!("answers.{i}.adds: a map of what k8s.exec changes of its pod")));
            }
        }
        for (i, make) in rehearsal.makes.iter().enumerate() {
            if make.when.k8s.is_some() == make.when.helm.is_some() {
                return Err(bad(None, format!("makes.{i}.when: say either `k8s` or `helm`")));
            }
        }
        Ok(rehearsal)
    }

    /// With the run's parameters.
    #[must_use]
    pub fn with_params(mut self, params: Map<String, Value>) -> Self {
        self.params = params;
        self
    }
}

impl Pattern {
    /// Whether an object fits; `here` is the cluster of the call or trigger.
    pub fn fits(&self, here: &str, cluster: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.cluster.as_deref().map_or(here == cluster, |wanted| glob(wanted, cluster))
            && glob(&self.kind, kind)
            && glob(&self.namespace, namespace)
            && glob(&self.name, name)
    }
}

impl std::str::FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no pattern; say Kind/namespace/name, or Kind/name for what has no namespace");
        let (cluster, rest) = match text.split_once(':') {
            Some((cluster, rest)) if !cluster.contains('/') => (Some(cluster.to_owned()), rest),
            _ => (None, text),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, name] => (kind, "", name),
            [kind, namespace, name] => (kind, *namespace, name),
            _ => return Err(wrong()),
        };
        if kind.is_empty() || name.is_empty() {
            return Err(wrong());
        }
        let [kind, namespace, name] = [*kind, namespace, *name].map(str::to_owned);
        Ok(Self { cluster, kind, namespace, name })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cluster) = &self.cluster {
            write!(f, "{cluster}:")?;
        }
        match self.namespace.as_str() {
            "" => write!(f, "{}/{}", self.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration(&text)
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("`{text}` is no duration; say e.g. 40s or 5m")))
    }
}

impl<'de> Deserialize<'de> for OnDelete {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let after = text.strip_prefix("remove after ").and_then(duration).map(Self::RemoveAfter);
        match text.as_str() {
            "remove" => Ok(Self::Remove),
            "keep" => Ok(Self::Keep),
            _ => after.ok_or_else(|| de::Error::custom(format!("`{text}`: say remove, keep or `remove after 20s`"))),
        }
    }
}

/// A duration's text: `500ms`, `40s`, `1h30m`.
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let millis = match &rest[digits..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(n.checked_mul(millis)?))?;
        rest = &rest[unit..];
    }
    Some(total)
}

/// Whether a text fits a glob: `*` stands for any text, `?` for one character.
pub fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{OnDelete, Rehearsal, duration, glob};

    #[test]
    fn a_file_is_read() {
        let text = r#"
answers:
  - call: k8s.exec
    where: { cluster: "redis1-*", command: "*ping*" }
    after: 30s
    stdout: PONG
makes:
  - when: { k8s: "ServiceExport/default/*", cluster: "redis1-*" }
    needs: ["Deployment/cloud-map-mcs-system/cloud-map-mcs-controller-manager"]
    after: 4s
    finalizers: [multicluster.k8s.aws/service-export-finalizer]
    on_delete: remove after 6s
"#;
        let rehearsal = Rehearsal::parse(text, "r.yaml").unwrap();
        assert_eq!(rehearsal.answers[0].after.0, Duration::from_secs(30));
        assert_eq!(rehearsal.makes[0].on_delete, OnDelete::RemoveAfter(Duration::from_secs(6)));
        assert_eq!(rehearsal.makes[0].needs[0].namespace, "cloud-map-mcs-system");
    }

    #[test]
    fn a_mistake_names_file_and_line() {
        let error = Rehearsal::parse("answers:\n  - call: k8s.exec\n    stdoud: x\n", "r.yaml").unwrap_err();
        assert_eq!((error.file.as_str(), error.line), ("r.yaml", Some(3)));
        assert!(error.message.contains("unknown field `stdoud`"), "{error}");

        let error = Rehearsal::parse("makes:\n  - when: { helm: a }\n    after: soon\n", "r.yaml").unwrap_err();
        assert!(error.to_string().contains("`soon` is no duration"), "{error}");
        let error = Rehearsal::parse("makes:\n  - when: { cluster: a }\n", "r.yaml").unwrap_err();
        assert_eq!(error.to_string(), "r.yaml: makes.0.when: say either `k8s` or `helm`");
        for changes in ["{ call: k8s.logs, adds: { metadata: {} } }", "{ call: k8s.exec, adds: [1] }"] {
            let error = Rehearsal::parse(&format!("answers:\n  - {changes}\n"), "r.yaml").unwrap_err();
            assert_eq!(error.to_string(), "r.yaml: answers.0.adds: a map of what k8s.exec changes of its pod");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!([duration(""), duration("5"), duration("m"), duration("5 s")], [None; 4]);
    }

    #[test]
    fn globs() {
        assert!(glob("redis1-*", "redis1-demo-cluster") && glob("*ping*", "redis-cli ping") && glob("a?c", "abc"));
        assert!(!glob("redis1-*", "redis2-demo") && !glob("a?c", "ac") && glob("*", "") && !glob("", "a"));
    }
}
