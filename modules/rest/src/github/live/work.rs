//! What others did in a repository that the run made: commits without its mark, other branches, issues, pull requests.

use runbook_modules::{error::CallError, k8s::types::text, target::RUN_TAG};
use serde_json::{Value, json};

use super::On;
use crate::mark;

/// How many of its commits are looked at; with more than that, others have worked there.
const LOOKED_AT: u64 = 100;

const QUERY: &str = "query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
  branches: refs(refPrefix: \"refs/heads/\", first: 1) { totalCount }
  issues { totalCount }
  pullRequests { totalCount }
  defaultBranchRef { target { ... on Commit { history(first: 100) {
    totalCount nodes { oid message parents { totalCount } }
  } } } }
} }";

/// What is not the run's, for people; empty when all is.
pub(super) async fn of_others(on: &On<'_>, full_name: &str, run: &str) -> Result<Vec<String>, CallError> {
    let (owner, name) = full_name.split_once('/').unwrap_or_default();
    let data = on.graphql(QUERY, json!({ "owner": owner, "name": name })).await?;
    let found = &data["repository"];
    let count = |of: &str| found.pointer(&format!("/{of}/totalCount")).and_then(Value::as_u64).unwrap_or_default();
    let history = &found["defaultBranchRef"]["target"]["history"];
    let commits = history["nodes"].as_array().into_iter().flatten();
    // The first commit is the one that the repository began with.
    let theirs = commits.filter(|commit| {
        let first = commit.pointer("/parents/totalCount") == Some(&json!(0));
        !first && mark::of_message(text(commit, "message")).get(RUN_TAG).is_none_or(|by| by != run)
    });
    let mut others: Vec<String> = theirs
        .take(5)
        .map(|commit| {
            let headline = text(commit, "message").lines().next().unwrap_or_default();
            format!("commit {} {headline:?}", text(commit, "oid").get(..8).unwrap_or_default())
        })
        .collect();
    if history["totalCount"].as_u64().unwrap_or_default() > LOOKED_AT {
        others.push(format!("more than {LOOKED_AT} commits"));
    }
    for (of, few, what) in [("branches", 1, "branches"), ("issues", 0, "issues"), ("pullRequests", 0, "pull requests")]
    {
        if count(of) > few {
            others.push(format!("{} {what}", count(of)));
        }
    }
    Ok(others)
}
