//! `github.repository`: a repository, by owner and name. What others commit to it is not the run's.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    k8s::types::text,
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::sim::Sim,
    target::RUN_TAG,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{full_name, names_fit, simulate};
use crate::mark;

/// What makes a repository. See <https://docs.github.com/en/rest/repos/repos#create-a-repository-for-the-authenticated-user> and, for an
/// organisation's, <https://docs.github.com/en/rest/repos/repos#create-an-organization-repository>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The user whose token it is, or an organisation.
    pub owner: String,
    /// The name, unique for the owner: 1 to 100 letters, digits, dots, hyphens and underscores.
    pub name: String,
    /// Whether only those see it who are let in; true when it is left out, other than GitHub's own default.
    pub private: Option<bool>,
    /// Whether it begins with a commit (a README), and so with a branch; true when it is left out, other than GitHub's own default.
    pub auto_init: Option<bool>,
    /// What it is for, in up to 240 characters. Our mark is put at its end.
    pub description: Option<String>,
    /// Ours, not GitHub's: one that stands already and is somebody else's is used as it is, and never deleted. Without it the run stops.
    pub use_existing: Option<bool>,
    /// Ours, not GitHub's: undo deletes it although others have committed to it. Without it, undo leaves it then.
    pub delete_with_commits: Option<bool>,
}

/// The kind.
pub struct Repository;

/// The field that says that undo may delete what others have committed.
pub const CONSENT: &str = "delete_with_commits";

/// The constant facts.
pub static META: Meta = Meta {
    name: "github.repository",
    create: "create_repository",
    operations: ("CreateRepository", "DeleteRepository"),
    doc: "Makes a repository on GitHub.\n\nWhose it is stands at the end of its description, in the request that makes it: `[runbook run=… \
          effect=…]`. One of that name that is somebody else's stops the run, unless `use_existing: true`. Undo leaves a repository to \
          which others have committed, or that has other branches, issues or pull requests, and says so, unless the script gave \
          `delete_with_commits: true` or a person says `runbook undo RUN --also github://OWNER/NAME`; it needs a token that may delete \
          (`delete_repo`, or Administration: write). See the \
          [GitHub reference](https://docs.github.com/en/rest/repos/repos#create-a-repository-for-the-authenticated-user).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

impl Kind for Repository {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn schema(&self) -> Value {
        input::schema::<Input>()
    }

    fn check(&self, value: &Value) -> Result<(), InputError> {
        let input = input::parse::<Input>(value)?;
        names_fit(&input.owner, &input.name)?;
        let words = input.description.unwrap_or_default();
        if words.chars().count() > mark::WORDS || words.chars().any(char::is_control) || mark::looks_like_one(&words) {
            let why = format!("must be one line of up to {} characters, without a mark of ours", mark::WORDS);
            return Err(InputError::new("description", why));
        }
        Ok(())
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        let named = text(described, "full_name");
        let full_name = if named.is_empty() {
            full_name(input.get("owner")?.as_str()?, input.get("name")?.as_str()?)
        } else {
            named.to_owned()
        };
        let mut at = json!({ "full_name": full_name });
        for (field, value) in [
            ("repository_id", described.get("repository_id")),
            ("run", described.get("tags").and_then(|tags| tags.get(RUN_TAG))),
            (CONSENT, described.get(CONSENT).or_else(|| input.get(CONSENT))),
        ] {
            if let Some(value) = value {
                at[field] = value.clone();
            }
        }
        Some(at)
    }

    /// How it came to be, and what may become of it, says nothing about what it is. Upper and lower case of names are one for GitHub.
    fn differences(&self, input: &Value, described: &Value) -> Vec<(String, Value, Value)> {
        let mut asked = json!({ "private": is_private(input) });
        if let Some(words) = input.get("description").filter(|words| !words.is_null()) {
            asked["description"] = words.clone();
        }
        same_fields(&asked, described)
    }

    fn shared(&self, input: &Value) -> bool {
        input.get("use_existing") == Some(&Value::Bool(true))
    }

    fn sim(&self) -> &dyn Sim {
        &simulate::Repositories
    }
}

/// Whether a repository is to be private.
pub fn is_private(input: &Value) -> bool {
    input.get("private") != Some(&Value::Bool(false))
}

/// Whether a repository is to begin with a commit.
pub fn begins_with_a_commit(input: &Value) -> bool {
    input.get("auto_init") != Some(&Value::Bool(false))
}

/// Whether a locator allows what others have committed to be deleted.
pub fn may_take_commits(at: &Value) -> bool {
    at.get(CONSENT) == Some(&Value::Bool(true))
}

/// The refusal to delete a repository that holds work of others, with what to do. Waiting would not help.
pub fn holds_work(full_name: &str, work: &[String]) -> CallError {
    let text = format!(
        "the repository {full_name} holds what is not the run's ({}), and nobody allowed undo to delete that; \
         `runbook undo RUN --also github://{full_name}` deletes the repository with all that is in it",
        work.join(", ")
    );
    CallError::refused("RepositoryNotEmpty", text)
}
