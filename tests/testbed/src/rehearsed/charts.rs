//! Charts that hold what the rehearsal file says a release makes. Real helm installs them, with the values that the run gives.

use std::{
    fs,
    path::{Path, PathBuf},
};

use runbook_modules::sandbox::{
    rehearsal::{Make, OnDelete, glob},
    standard,
    template::Scope,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Rehearsed, answers,
    completed::completed,
    facts::{Found, rendered},
    kinds::Kinds,
};
use crate::standins::{cluster::Inside, kube_objects::text};

/// A release that is about to be rendered.
#[derive(Debug, Deserialize)]
pub struct Asked {
    /// `upgrade` or `template`.
    pub verb: String,
    /// Its name.
    pub release: String,
    /// Its namespace.
    pub namespace: String,
    /// The values that the run gives.
    pub values: Value,
    /// The chart's own description, as it was pulled.
    pub chart: Value,
}

/// Writes the chart of a release into a new folder. One that is only rendered holds the file's answer to `helm.template`, if it has one.
///
/// # Errors
/// The file says nothing of such a release, or what it says cannot be rendered or written.
pub async fn chart(inside: &Inside, rehearsed: &Rehearsed, asked: &Asked, into: &Path) -> Result<PathBuf, String> {
    if asked.verb == "template"
        && let Some(text) = answers::template(inside, &asked.release).await?
    {
        let holder =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rehearsed"}, "data": {"text": text}});
        let files =
            [("Chart.yaml".to_owned(), asked.chart.to_string()), ("templates/text.yaml".to_owned(), escaped(&holder))];
        return written(into, &files);
    }
    let rules: Vec<&Make> =
        standard::rules().iter().chain(&rehearsed.rehearsal.makes).filter(|rule| is_of(rule, asked)).collect();
    if rules.is_empty() {
        return Err(format!("the rehearsal file says nothing of the release {}/{}", asked.namespace, asked.release));
    }
    let kinds = Kinds::read(&inside.objects).await?;
    let mut found = Found::default();
    let mut files = vec![("Chart.yaml".to_owned(), asked.chart.to_string())];
    for (i, rule) in rules.into_iter().enumerate() {
        let made = rendered(inside, rehearsed, &kinds, &mut found, |live| {
            let scope = Scope::new(live, &inside.name).with("release", asked.release.as_str().into());
            let scope =
                scope.with("name", asked.release.as_str().into()).with("namespace", asked.namespace.as_str().into());
            Make { aws: Vec::new(), adds: Value::Null, ..rule.clone() }
                .rendered(&scope.with("values", asked.values.clone()))
        })
        .await?;
        for (j, object) in made.objects.into_iter().map(completed).enumerate() {
            files.push((place(rule, &object, i, j), escaped(&object)));
        }
    }
    written(into, &files)
}

fn written(into: &Path, files: &[(String, String)]) -> Result<PathBuf, String> {
    let folder = tempfile::Builder::new().prefix("chart-").tempdir_in(into).map_err(|error| error.to_string())?.keep();
    for (name, text) in files {
        let path = folder.join(name);
        let written = fs::create_dir_all(path.parent().unwrap_or(&folder)).and_then(|()| fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(folder)
}

fn is_of(rule: &Make, asked: &Asked) -> bool {
    rule.when.helm.as_deref().is_some_and(|release| {
        let (namespace, name) = release.split_once('/').unwrap_or(("*", release));
        glob(namespace, &asked.namespace) && glob(name, &asked.release)
    })
}

/// Definitions that stay are where helm never takes any away.
fn place(rule: &Make, object: &Value, i: usize, j: usize) -> String {
    let stays = rule.on_delete == OnDelete::Keep && text(object, "kind") == "CustomResourceDefinition";
    format!("{}/{i:02}-{j:02}.yaml", if stays { "crds" } else { "templates" })
}

/// JSON is YAML; what helm would take for its own templates is written so that it prints itself.
fn escaped(object: &Value) -> String {
    object.to_string().replace("{{", "{{ \"{{\" }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helm_prints_what_looks_like_its_own() {
        assert_eq!(escaped(&json!({"a": "x {{ y }}"})), r#"{"a":"x {{ "{{" }} y }}"}"#);
        // In JSON, braces that follow each other without a text between them.
        assert_eq!(escaped(&json!({"a": {}})), r#"{"a":{}}"#);
    }
}
