//! `github.files`: files of a branch, written as one commit on top of what was looked at, and put back by undo.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{
    input::{self, InputError},
    k8s::types::text,
    resource::{Identity, Kind, Meta, named},
    sandbox::sim::Sim,
    target::RUN_TAG,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{changes, full_name, names_fit, repository, simulate};
use crate::mark;

/// What writes files. See <https://docs.github.com/en/graphql/reference/commits#createcommitonbranch>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The repository's owner.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// The branch, which must stand: `main`.
    pub branch: String,
    /// The commit's message. Our mark is put at its end.
    pub message: String,
    /// Each file's whole text, by its path. No secrets: what is in Git stays there.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Paths of files that are to go.
    #[serde(default)]
    pub delete: Vec<String>,
    /// Whether files that stand already with another text are replaced. Without it the run stops and names them.
    pub overwrite: Option<bool>,
}

/// The kind.
pub struct Files;

/// The constant facts.
pub static META: Meta = Meta {
    name: "github.files",
    create: "put_files",
    operations: ("CreateCommitOnBranch", "CreateCommitOnBranch"),
    doc: "Writes files of a branch as one commit.\n\nThe commit is made on top of the branch as it was looked at (`expectedHeadOid`): when \
          somebody else commits in between, GitHub refuses it, and it is looked again. Files that stand already as asked need no commit. \
          Files with another text stop the run, unless `overwrite: true`. What stood there is kept, and undo commits it again, unless \
          somebody has changed it since. See the \
          [GitHub reference](https://docs.github.com/en/graphql/reference/commits#createcommitonbranch).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The message of the commit by which undo puts back.
pub const PUT_BACK: &str = "Put back what stood here";

/// The largest number of files in one commit of ours, so that all are read in one question.
const MOST: usize = 100;

impl Kind for Files {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn schema(&self) -> Value {
        input::schema::<Input>()
    }

    fn check(&self, value: &Value) -> Result<(), InputError> {
        let input = input::parse::<Input>(value)?;
        names_fit(&input.owner, &input.name)?;
        branch_fits(&input.branch)?;
        if input.message.trim().is_empty() || mark::looks_like_one(&input.message) {
            return Err(InputError::new("message", "must not be empty, nor hold a mark of ours"));
        }
        let paths =
            input.files.keys().map(|path| ("files", path)).chain(input.delete.iter().map(|path| ("delete", path)));
        for (field, path) in paths {
            path_fits(path).map_err(|why| InputError::new(field, format!("{path:?} {why}")))?;
        }
        if let Some(both) = input.delete.iter().find(|path| input.files.contains_key(*path)) {
            return Err(InputError::new("delete", format!("{both:?} is in files too")));
        }
        match input.files.len() + input.delete.len() {
            0 => return Err(InputError::new("files", "names no file")),
            1..=MOST => {}
            many => return Err(InputError::new("files", format!("names {many} files, more than {MOST}"))),
        }
        match input.files.iter().find(|(_, words)| words.contains("{{secret:")) {
            Some((path, _)) => {
                Err(InputError::new(format!("files.{path}"), "holds a secret, and what is in Git stays there"))
            }
            None => Ok(()),
        }
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        let texts = ["owner", "name", "branch"].map(|field| input.get(field).and_then(Value::as_str));
        let [Some(owner), Some(name), Some(branch)] = texts else { return None };
        let prints = changes::wanted(input).into_iter().map(|(path, text)| (path, changes::print(text.as_deref())));
        let mut at = json!({
            "owner": owner, "name": name, "branch": branch, "files": prints.collect::<Map<_, _>>(),
        });
        if described.is_object() {
            at["made"] = true.into();
        }
        if let Some(run) = described.get("tags").and_then(|tags| tags.get(RUN_TAG)) {
            at["run"] = run.clone();
        }
        Some(at)
    }

    fn parents(&self, input: &Value) -> Vec<String> {
        vec![named(repository::META.name, &full_name(text(input, "owner"), text(input, "name")))]
    }

    /// By fingerprint: a whole file in a sentence helps nobody.
    fn differences(&self, input: &Value, described: &Value) -> Vec<(String, Value, Value)> {
        let standing = described.get("files").and_then(Value::as_object);
        let differing = changes::wanted(input).into_iter().filter_map(|(path, asked)| {
            let found = standing?.get(&path)?.as_str();
            (asked.as_deref() != found)
                .then(|| (format!("files.{path}"), changes::print(asked.as_deref()), changes::print(found)))
        });
        differing.collect()
    }

    fn sim(&self) -> &dyn Sim {
        &simulate::Commits
    }
}

/// A description of files: those of the paths that were asked about, with their texts, and null where there is none.
pub fn describe(
    (owner, name, branch): (&str, &str, &str), commit: &str, files: &BTreeMap<String, Option<String>>,
    marks: &mark::Marks,
) -> Value {
    let first = files.keys().next().map_or("", String::as_str);
    let more = if files.len() > 1 { format!(" and {} more", files.len() - 1) } else { String::new() };
    json!({
        "id": format!("{owner}/{name}@{branch}:{first}{more}"), "owner": owner, "name": name, "branch": branch, "files": files,
        // The branch goes on without us: in `status` it counts for nothing when descriptions are compared.
        "status": { "commit": commit }, "tags": marks,
    })
}

/// Whether what a locator names is gone: of what was made there nothing stands. Before it is made that says nothing.
pub fn is_gone(at: &Value, files: &BTreeMap<String, Option<String>>) -> bool {
    let made = at.get("made").is_some();
    let mut kept = changes::prints(at).into_iter().filter(|(_, print)| !print.is_null()).peekable();
    made && kept.peek().is_some() && kept.all(|(path, _)| files.get(&path).is_none_or(Option::is_none))
}

/// See `git check-ref-format`.
fn branch_fits(branch: &str) -> Result<(), InputError> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let odd = ["..", "//", "/."].iter().any(|odd| branch.contains(odd));
    let edge = |c: char| c == '/' || c == '.' || c == '-';
    let whole = branch.starts_with("refs/") || branch.ends_with(".lock");
    if branch.is_empty()
        || !branch.chars().all(inside)
        || odd
        || whole
        || branch.starts_with(edge)
        || branch.ends_with('/')
    {
        return Err(InputError::new("branch", format!("{branch:?} is no branch's name")));
    }
    Ok(())
}

fn path_fits(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > 1000 || path.chars().any(|c| c.is_control() || c == '\\') {
        return Err("is no path");
    }
    match path.split('/').find(|part| ["", ".", ".."].contains(part) || part.eq_ignore_ascii_case(".git")) {
        Some(_) => Err("must go down from the repository's root, without empty parts, dots and .git"),
        None => Ok(()),
    }
}
