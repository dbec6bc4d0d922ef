//! `github.repository` live.

use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    k8s::types::text,
    target::Request,
};
use serde_json::{Value, json};

use super::{On, error, work};
use crate::{
    github::{full_name, repository},
    live::before,
    mark,
};

/// Makes one: for the token's own user, or in an organisation.
pub(super) async fn create(on: &On<'_>, request: &Request<'_>) -> Result<Value, CallError> {
    let input = request.input;
    let (owner, name) = (text(input, "owner"), text(input, "name"));
    let body = json!({
        "name": name, "private": repository::is_private(input), "auto_init": repository::begins_with_a_commit(input),
        "description": mark::into_description(text(input, "description"), request.tags),
    });
    let path = if is_own(on, owner).await? { "/user/repos".to_owned() } else { format!("/orgs/{owner}/repos") };
    match on.good(Method::POST, &path, Some(&body)).await {
        Ok(made) if text(&made, "full_name").is_empty() => {
            Err(CallError::new(Class::Unknown, "GarbledAnswer", "GitHub's answer describes no repository"))
        }
        Ok(made) => Ok(describe(&made)),
        Err(error) if error.class == Class::NotFound => {
            let text =
                format!("{owner} is neither the token's user nor an organisation in which it may make repositories");
            Err(CallError::refused("OwnerNotFound", text))
        }
        Err(error) => Err(error),
    }
}

/// Whether an owner is the user whose token it is. Tokens of applications have none.
async fn is_own(on: &On<'_>, owner: &str) -> Result<bool, CallError> {
    match on.found("/user").await {
        Ok(user) => Ok(user.is_some_and(|user| text(&user, "login").eq_ignore_ascii_case(owner))),
        Err(error) if error.class == Class::Refused => Ok(false),
        Err(error) => Err(before(error)),
    }
}

/// Reads one. Another one that has its name by now is not it.
pub(super) async fn read(on: &On<'_>, at: &Value) -> Result<Option<Value>, CallError> {
    let found = on.found(&path(at)).await?.map(|found| describe(&found));
    let known = at.get("repository_id");
    Ok(found.filter(|found| known.is_none_or(|id| found.get("repository_id") == Some(id))))
}

/// Looks for one by its name. What was renamed leaves its old name to be taken again.
pub(super) async fn find(on: &On<'_>, input: &Value) -> Result<Option<Value>, CallError> {
    let answer = on.rest(Method::GET, &named(input), None).await?;
    match answer.status {
        200 => Ok(Some(describe(&answer.body))),
        301 | 302 | 307 | 308 | 404 => Ok(None),
        _ => Err(error::of(&answer)),
    }
}

/// `github.get_repository`.
pub(super) async fn get(on: &On<'_>, input: &Value) -> Result<Value, CallError> {
    Ok(on.found(&named(input)).await?.map(|found| describe(&found)).unwrap_or_default())
}

/// Deletes one, unless others have worked in it.
pub(super) async fn delete(on: &On<'_>, at: &Value) -> Result<(), CallError> {
    let name = text(at, "full_name");
    let gone = || CallError::not_found("NotFound", format!("there is no repository {name}"));
    read(on, at).await.map_err(before)?.ok_or_else(gone)?;
    if !repository::may_take_commits(at) {
        let others = work::of_others(on, name, text(at, "run")).await.map_err(before)?;
        if !others.is_empty() {
            return Err(repository::holds_work(name, &others));
        }
    }
    match on.good(Method::DELETE, &path(at), None).await {
        Err(error) if error.code == "Http403" && error.class == Class::Refused => {
            let text = format!("the token may not delete the repository {name}: {}", error.message);
            Err(CallError { message: text, ..error })
        }
        done => done.map(drop),
    }
}

/// What holds one: what others did in it, and a token that may not delete.
pub(super) async fn obstacles(on: &On<'_>, at: &Value) -> Vec<String> {
    let Ok(answer) = on.rest(Method::GET, &path(at), None).await else { return Vec::new() };
    let mut held = work::of_others(on, text(at, "full_name"), text(at, "run")).await.unwrap_or_default();
    // Only classic tokens have scopes: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
    let scopes = answer.headers.get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
    if scopes.is_some_and(|scopes| !scopes.is_empty() && !scopes.split(", ").any(|scope| scope == "delete_repo")) {
        held.push("a token without the scope delete_repo".to_owned());
    }
    if answer.body.pointer("/permissions/admin") == Some(&Value::Bool(false)) {
        held.push("a token whose user does not administer it".to_owned());
    }
    held
}

fn path(at: &Value) -> String {
    format!("/repos/{}", text(at, "full_name"))
}

fn named(input: &Value) -> String {
    format!("/repos/{}", full_name(text(input, "owner"), text(input, "name")))
}

fn describe(found: &Value) -> Value {
    let (words, marks) = mark::of_description(text(found, "description"));
    json!({
        "id": found["full_name"], "full_name": found["full_name"], "owner": found["owner"]["login"], "name": found["name"],
        "private": found["private"], "description": words, "default_branch": found["default_branch"],
        "html_url": found["html_url"], "clone_url": found["clone_url"], "archived": found["archived"],
        "repository_id": found["id"].to_string(), "tags": marks,
    })
}
