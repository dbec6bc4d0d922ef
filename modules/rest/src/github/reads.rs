//! What only looks: `github.get_repository`, `github.get_file`.

use runbook_modules::{
    input,
    operation::{Class, Operation},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::simulate;

/// Which repository.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its owner.
    pub owner: String,
    /// Its name.
    pub name: String,
}

/// Which file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pathed {
    /// The repository's owner.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// The branch.
    pub branch: String,
    /// The path from the repository's root.
    pub path: String,
}

/// `github.get_repository`.
pub static REPOSITORY: Operation = Operation {
    name: "github.get_repository",
    operation: "GetRepository",
    doc: "Describes a repository; `()` when there is none that the token may see.\n\nSee the \
          [GitHub reference](https://docs.github.com/en/rest/repos/repos#get-a-repository).",
    class: Class::Read,
    schema: input::schema::<Named>,
    check: |value| {
        let input = input::parse::<Named>(value)?;
        super::names_fit(&input.owner, &input.name)
    },
    token: None,
    settle: None,
    sim: simulate::get_repository,
};

/// `github.get_file`.
pub static FILE: Operation = Operation {
    name: "github.get_file",
    operation: "GetFile",
    doc: "Reads a text file of a branch: a map with its `text`; `()` when there is none.\n\nSee the \
          [GitHub reference](https://docs.github.com/en/graphql/reference/git#blob).",
    class: Class::Read,
    schema: input::schema::<Pathed>,
    check: |value| {
        let input = input::parse::<Pathed>(value)?;
        super::names_fit(&input.owner, &input.name)
    },
    token: None,
    settle: None,
    sim: simulate::get_file,
};
