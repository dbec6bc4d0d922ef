//! What goes over the wire, and what GitHub's answers mean: against the stand-in, with faults.

use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::graphql_at;
use crate::{
    live::standin::Fault,
    testing::{By, Lab, TOKEN},
};

const REPOSITORY: &str = "github.repository";
const FILES: &str = "github.files";
const RUN: &str = "0123456789abcdef0123456789abcdef";

fn repository(owner: &str) -> Value {
    json!({"owner": owner, "name": "operations", "description": "Operations"})
}

fn files() -> Value {
    json!({"owner": "tester", "name": "operations", "branch": "main", "message": "Manifests", "files": {"a.yaml": "a: 1\n"}})
}

async fn make(lab: &Lab) -> Result<Value, CallError> {
    lab.create(By(RUN, 1), REPOSITORY, &repository("tester")).await
}

#[test]
fn an_enterprise_server_has_graphql_beside_its_rest_api() {
    assert_eq!(graphql_at("https://api.github.com"), "https://api.github.com/graphql");
    assert_eq!(graphql_at("https://git.example/api/v3"), "https://git.example/api/graphql");
}

#[tokio::test]
async fn a_users_and_an_organisations_are_made_in_their_places() {
    let lab = Lab::live().await;
    make(&lab).await.unwrap();
    lab.create(By(RUN, 2), REPOSITORY, &repository("acme")).await.unwrap();
    let stranger = lab.create(By(RUN, 3), REPOSITORY, &repository("stranger")).await.unwrap_err();
    assert_eq!((stranger.class, stranger.code.as_str()), (Class::Refused, "OwnerNotFound"));
    let made = lab.standin().seen().into_iter().filter(|seen| seen.line.starts_with("POST")).collect::<Vec<_>>();
    let lines: Vec<&str> = made.iter().map(|seen| seen.line.as_str()).collect();
    assert_eq!(lines, ["POST /user/repos", "POST /orgs/acme/repos", "POST /orgs/stranger/repos"]);
    let description = format!("Operations [runbook run={RUN} effect={:032x}]", 1);
    assert_eq!(
        made[0].body,
        json!({"name": "operations", "private": true, "auto_init": true, "description": description})
    );
}

#[tokio::test]
async fn a_commit_names_the_one_that_it_stands_on_and_bears_the_marks() {
    let lab = Lab::live().await;
    make(&lab).await.unwrap();
    lab.create(By(RUN, 2), FILES, &files()).await.unwrap();
    let seen = lab.standin().seen();
    let input = &seen.last().unwrap().body["variables"]["input"];
    assert_eq!(
        *input,
        json!({
            "branch": {"repositoryNameWithOwner": "tester/operations", "branchName": "main"},
            "expectedHeadOid": format!("{:040x}", 1),
            "message": {"headline": "Manifests", "body": format!("Runbook-Run: {RUN}\nRunbook-Effect: {:032x}", 2)},
            "fileChanges": {"additions": [{"path": "a.yaml", "contents": "YTogMQo="}], "deletions": []},
        })
    );
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_what_was_made_is_found() {
    let lab = Lab::live().await;
    lab.standin().next("POST /user/repos", Fault::Lose);
    assert_eq!(make(&lab).await.unwrap_err().class, Class::Unknown);
    assert_eq!(lab.find(By(RUN, 1), REPOSITORY, &repository("tester")).await.len(), 1);
    lab.standin().next("createCommitOnBranch", Fault::Lose);
    assert_eq!(lab.create(By(RUN, 2), FILES, &files()).await.unwrap_err().class, Class::Unknown);
    assert_eq!(lab.find(By(RUN, 2), FILES, &files()).await.len(), 1);
    assert_eq!(lab.standin().commits("tester/operations").len(), 2);
    lab.standin().next("createCommitOnBranch", Fault::Drop);
    let mut more = files();
    more["files"] = json!({"b.yaml": "b: 1\n"});
    assert_eq!(lab.create(By(RUN, 3), FILES, &more).await.unwrap_err().class, Class::Unknown);
    assert!(lab.find(By(RUN, 3), FILES, &more).await.is_empty());
}

#[tokio::test]
async fn whoever_is_faster_is_not_overwritten() {
    let lab = Lab::live().await;
    make(&lab).await.unwrap();
    lab.standin().next("createCommitOnBranch", Fault::Overtake);
    let error = lab.create(By(RUN, 2), FILES, &files()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::NotYet, "STALE_DATA"), "nothing was executed");
    lab.create(By(RUN, 2), FILES, &files()).await.unwrap();
    assert_eq!(lab.standin().commits("tester/operations").len(), 3);
}

#[tokio::test]
async fn a_question_that_fails_before_the_call_means_that_nothing_was_sent() {
    let lab = Lab::live().await;
    lab.standin().next("GET /user", Fault::Drop);
    assert_eq!(make(&lab).await.unwrap_err().class, Class::NotSent);
    make(&lab).await.unwrap();
    lab.standin().next("qualifiedName", Fault::Drop);
    assert_eq!(lab.create(By(RUN, 2), FILES, &files()).await.unwrap_err().class, Class::NotSent);
}

#[tokio::test]
async fn answers_are_sorted_by_what_they_mean() {
    let limited = json!({"message": "You have exceeded a secondary rate limit"});
    let said = |text: &str| json!({"message": text});
    for (status, headers, body, class) in [
        (401, "", said("Bad credentials"), Class::Credentials),
        (403, "", said("Resource not accessible by personal access token"), Class::Refused),
        (403, "x-ratelimit-remaining: 0\r\n", said("API rate limit exceeded"), Class::Throttled),
        (403, "", limited.clone(), Class::Throttled),
        (429, "", said("slow down"), Class::Throttled),
        (422, "", said("Validation Failed"), Class::Refused),
        (301, "location: /repositories/1\r\n", said("Moved Permanently"), Class::Refused),
        (500, "", Value::Null, Class::Unknown),
        (502, "", Value::Null, Class::Unknown),
        (201, "", Value::Null, Class::Unknown),
    ] {
        let lab = Lab::live().await;
        lab.standin().next("POST /user/repos", Fault::Say(status, headers, body));
        let error = make(&lab).await.unwrap_err();
        assert_eq!(error.class, class, "{status}: {error}");
    }
    for (code, class) in [
        (json!("FORBIDDEN"), Class::Refused),
        (json!("UNPROCESSABLE"), Class::Refused),
        (json!("RATE_LIMITED"), Class::Throttled),
        (json!("NOT_FOUND"), Class::Refused),
        (Value::Null, Class::Unknown),
    ] {
        let lab = Lab::live().await;
        make(&lab).await.unwrap();
        let body = json!({"data": {"createCommitOnBranch": null}, "errors": [{"type": code, "message": "no"}]});
        lab.standin().next("createCommitOnBranch", Fault::Say(200, "", body));
        let error = lab.create(By(RUN, 2), FILES, &files()).await.unwrap_err();
        assert_eq!(error.class, class, "{code}: {error}");
    }
}

#[tokio::test]
async fn a_token_that_may_not_delete_is_named_as_what_holds_it() {
    let lab = Lab::live().await;
    let made = make(&lab).await.unwrap();
    let at = lab.locate(REPOSITORY, &repository("tester"), &made);
    let said = json!({"message": "Must have admin rights to Repository."});
    lab.standin().next("DELETE /repos", Fault::Say(403, "", said));
    let error = lab.delete(REPOSITORY, &at, None).await.unwrap_err();
    assert_eq!(error.class, Class::Refused);
    assert!(error.message.contains("the token may not delete the repository tester/operations"), "{error}");
    assert!(error.hints.iter().any(|hint| hint.contains("delete_repo")), "{error:?}");
    let described = json!({"permissions": {"admin": false}});
    lab.standin().next("GET /repos", Fault::Say(200, "x-oauth-scopes: repo, gist\r\n", described));
    let held = lab.obstacles(REPOSITORY, &at).await;
    assert_eq!(held, ["a token without the scope delete_repo", "a token whose user does not administer it"]);
}

#[tokio::test]
async fn a_renamed_repository_is_not_taken_for_gone() {
    let lab = Lab::live().await;
    let moved = || Fault::Say(301, "location: /repositories/1\r\n", json!({"message": "Moved Permanently"}));
    let made = make(&lab).await.unwrap();
    let at = lab.locate(REPOSITORY, &repository("tester"), &made);
    lab.standin().next("GET /repos", moved());
    let error = lab.delete(REPOSITORY, &at, None).await.unwrap_err();
    assert_eq!(error.class, Class::Refused, "{error}");
    lab.standin().next("GET /repos", moved());
    assert!(lab.find(By(RUN, 1), REPOSITORY, &repository("tester")).await.is_empty(), "its old name is free");
}

#[tokio::test]
async fn the_token_goes_into_the_header_and_nowhere_else() {
    let lab = Lab::live().await;
    make(&lab).await.unwrap();
    lab.create(By(RUN, 2), FILES, &files()).await.unwrap();
    for seen in lab.standin().seen() {
        let rest = format!("{} {}", seen.line, seen.body);
        assert!(!rest.contains(TOKEN.1) && !rest.contains(TOKEN.0), "{rest}");
    }
}
