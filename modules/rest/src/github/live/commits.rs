//! `github.files` live: the branch is read with one query, and committed to with one mutation that names the commit it stands on.

use std::{collections::BTreeMap, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    k8s::types::text,
    target::{RUN_TAG, Request},
};
use serde_json::{Value, json};

use super::On;
use crate::{
    github::{
        changes::{self, Changes, Texts},
        files, full_name,
    },
    live::before,
    mark::{self, Marks},
};

const COMMIT: &str =
    "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }";

/// A branch as it was looked at.
struct Branch {
    /// Its newest commit.
    head: String,
    /// The marks of its newest commits, the newest first.
    marks: Vec<Marks>,
    texts: Texts,
}

/// What of a repository is meant.
struct Named<'a> {
    owner: &'a str,
    name: &'a str,
    branch: &'a str,
}

impl<'a> Named<'a> {
    fn of(at: &'a Value) -> Self {
        Self { owner: text(at, "owner"), name: text(at, "name"), branch: text(at, "branch") }
    }

    fn describe(&self, commit: &str, texts: &Texts, marks: &Marks) -> Value {
        files::describe((self.owner, self.name, self.branch), commit, texts, marks)
    }

    fn missing(&self) -> CallError {
        let Self { owner, name, branch } = self;
        CallError::not_found("NOT_FOUND", format!("there is no branch {branch} of a repository {owner}/{name}"))
    }

    /// Its newest commits, and the files of these paths; None when there is no such branch or repository.
    async fn look(&self, on: &On<'_>, paths: impl IntoIterator<Item = String>) -> Result<Option<Branch>, CallError> {
        let paths: Vec<String> = paths.into_iter().collect();
        let mut variables =
            json!({ "owner": self.owner, "name": self.name, "ref": format!("refs/heads/{}", self.branch) });
        let (mut declared, mut asked) = (String::new(), String::new());
        for (number, path) in paths.iter().enumerate() {
            variables[format!("p{number}")] = format!("{}:{path}", self.branch).into();
            // Writing to a text cannot fail.
            let _ = write!(declared, ", $p{number}: String!");
            let _ = write!(
                asked,
                " f{number}: object(expression: $p{number}) {{ __typename ... on Blob {{ text isBinary isTruncated }} }}"
            );
        }
        let query = format!(
            "query($owner: String!, $name: String!, $ref: String!{declared}) {{ repository(owner: $owner, name: $name) {{ \
             ref(qualifiedName: $ref) {{ target {{ oid ... on Commit {{ history(first: 100) {{ nodes {{ message }} }} }} }} }}{asked} }} }}"
        );
        let data = match on.graphql(&query, variables).await {
            Err(error) if error.class == Class::NotFound => return Ok(None),
            other => other?,
        };
        let found = &data["repository"];
        let target = &found["ref"]["target"];
        let head = text(target, "oid");
        if head.is_empty() {
            return Ok(None);
        }
        let mut texts = Texts::new();
        for (number, path) in paths.into_iter().enumerate() {
            let words = words(&found[format!("f{number}")], &path)?;
            texts.insert(path, words);
        }
        let commits = target.pointer("/history/nodes").and_then(Value::as_array).into_iter().flatten();
        let marks = commits.map(|commit| mark::of_message(text(commit, "message"))).collect();
        Ok(Some(Branch { head: head.to_owned(), marks, texts }))
    }

    /// Commits on top of what was looked at, and gives the new commit.
    async fn commit(
        &self, on: &On<'_>, head: &str, changes: &Changes, message: &str, marks: &Marks,
    ) -> Result<String, CallError> {
        let (headline, body) = message.split_once('\n').unwrap_or((message, ""));
        let body = format!("{}\n\n{}", body.trim(), mark::trailers(marks));
        let additions: Vec<Value> = changes
            .additions
            .iter()
            .map(|(path, words)| json!({ "path": path, "contents": STANDARD.encode(words) }))
            .collect();
        let deletions: Vec<Value> = changes.deletions.iter().map(|path| json!({ "path": path })).collect();
        let input = json!({
            "branch": { "repositoryNameWithOwner": full_name(self.owner, self.name), "branchName": self.branch },
            "expectedHeadOid": head, "message": { "headline": headline, "body": body.trim() },
            "fileChanges": { "additions": additions, "deletions": deletions },
        });
        let data = on.graphql(COMMIT, json!({ "input": input })).await.map_err(refused_if_missing)?;
        match text(&data, "createCommitOnBranch.commit.oid") {
            "" => Err(CallError::new(Class::Unknown, "GarbledAnswer", "GitHub's answer names no commit")),
            oid => Ok(oid.to_owned()),
        }
    }
}

/// A file's text; None where there is none. What is no text, or too long to be told whole, cannot be kept.
fn words(found: &Value, path: &str) -> Result<Option<String>, CallError> {
    let whole = found["isBinary"] == false && found["isTruncated"] == false;
    match (found.is_null(), found["text"].as_str()) {
        (true, _) => Ok(None),
        (false, Some(words)) if whole => Ok(Some(words.to_owned())),
        _ => Err(CallError::refused("NotText", format!("{path} is no text file that GitHub tells whole"))),
    }
}

/// A token that may read and not write is told that there is no such repository.
fn refused_if_missing(error: CallError) -> CallError {
    match error.class {
        Class::NotFound => CallError { class: Class::Refused, ..error }.hint("may the token write to this repository?"),
        _ => error,
    }
}

/// Commits what differs, if anything does.
pub(super) async fn create(on: &On<'_>, request: &Request<'_>) -> Result<Value, CallError> {
    let input = request.input;
    let named = Named::of(input);
    let looked = named.look(on, changes::wanted(input).into_keys()).await.map_err(before)?;
    let Some(branch) = looked else {
        let repository = super::repositories::find(on, input).await.map_err(before)?;
        let class = if repository.is_some() { Class::NotYet } else { Class::Refused };
        return Err(CallError { class, ..named.missing() });
    };
    let changes = changes::to_make(input, &branch.texts)?;
    if changes.is_empty() {
        return Ok(named.describe(&branch.head, &branch.texts, &Marks::new()));
    }
    let marks = mark::kept(request.tags);
    let commit = named.commit(on, &branch.head, &changes, text(input, "message"), &marks).await?;
    Ok(named.describe(&commit, &changes::wanted(input), &marks))
}

/// Reads the files that a locator names.
pub(super) async fn read(on: &On<'_>, at: &Value) -> Result<Option<Value>, CallError> {
    let named = Named::of(at);
    let branch =
        named.look(on, changes::prints(at).into_keys()).await?.filter(|branch| !files::is_gone(at, &branch.texts));
    Ok(branch.map(|branch| {
        let marks = branch.marks.first().cloned().unwrap_or_default();
        named.describe(&branch.head, &branch.texts, &marks)
    }))
}

/// Looks for the commit of a request among the newest ones.
pub(super) async fn find(on: &On<'_>, request: &Request<'_>) -> Result<Option<Value>, CallError> {
    let named = Named::of(request.input);
    let ours = mark::kept(request.tags);
    let branch = named.look(on, changes::wanted(request.input).into_keys()).await?;
    let made = branch.filter(|branch| branch.marks.contains(&ours));
    Ok(made.map(|branch| named.describe(&branch.head, &branch.texts, &ours)))
}

/// Commits what stood there before.
pub(super) async fn put_back(on: &On<'_>, at: &Value, stood: Option<&Value>) -> Result<(), CallError> {
    let named = Named::of(at);
    let stood = stood.map(|stood| revealed(on.host, stood)).transpose()?;
    let looked = named.look(on, changes::prints(at).into_keys()).await.map_err(before)?;
    let branch = looked.ok_or_else(|| named.missing())?;
    let changes = changes::to_put_back(at, stood.as_ref(), &branch.texts)?;
    if changes.is_empty() {
        return Ok(());
    }
    let marks = BTreeMap::from([(RUN_TAG.to_owned(), text(at, "run").to_owned())]);
    named.commit(on, &branch.head, &changes, files::PUT_BACK, &marks).await.map(drop)
}

/// What stood there, with the values of secrets that it happened to hold.
fn revealed(host: &dyn Host, stood: &Value) -> Result<Value, CallError> {
    host.reveal(stood).map_err(|why| CallError::refused("BrokenSecret", why))
}

/// `github.get_file`.
pub(super) async fn get(on: &On<'_>, input: &Value) -> Result<Value, CallError> {
    let path = text(input, "path").to_owned();
    let branch = Named::of(input).look(on, [path.clone()]).await?;
    let words = branch.and_then(|branch| branch.texts.get(&path).cloned().flatten());
    Ok(words.map(|words| json!({ "path": path, "text": words })).unwrap_or_default())
}
