//! One request and what becomes of its answer: the class, and how often it was sent.

use http::Method;
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use crate::{
    client::Ask,
    objects::{api::Api, patch},
    testing::{Answer, Canned, good, place, status},
};

async fn change(answers: Vec<Answer>) -> (Result<Value, CallError>, usize) {
    let server = Canned::new(answers).await;
    let clients = server.clients();
    let place = place();
    let path = "/api/v1/namespaces/default/configmaps/one";
    let ask = Ask::with(Method::PATCH, path, "application/apply-patch+yaml", b"{}".to_vec());
    let answer = Api::new(&clients, &place).send(&ask).await;
    (answer, server.seen().len())
}

async fn class_of(answer: Answer) -> Class {
    let (answer, sent) = change(vec![answer]).await;
    assert_eq!(sent, 1, "sent once and never again");
    answer.map_or_else(|error| error.class, |value| panic!("{value}"))
}

#[tokio::test]
async fn answers_are_sorted_and_nothing_is_sent_twice() {
    for (code, reason, message, class) in [
        (429, "TooManyRequests", "the server has received too many requests", Class::Throttled),
        (500, "InternalError", "etcdserver: leader changed", Class::Unknown),
        (500, "", "etcdserver: request is too large", Class::Refused),
        (500, "", "failed to create typed patch object: .spec.x: field not declared in schema", Class::Refused),
        (500, "InternalError", "Internal error occurred: failed calling webhook \"x\": refused", Class::NotYet),
        (502, "", "bad gateway", Class::Unknown),
        (503, "ServiceUnavailable", "the server is currently unable to handle the request", Class::Unknown),
        (504, "Timeout", "request did not complete within the allotted timeout", Class::Unknown),
        (400, "BadRequest", "strict decoding error", Class::Refused),
        (403, "Forbidden", "User \"x\" cannot patch resource", Class::Refused),
        (404, "NotFound", "configmaps \"one\" not found", Class::NotFound),
        (404, "NotFound", "the server could not find the requested resource", Class::NotYet),
        (409, "AlreadyExists", "configmaps \"one\" already exists", Class::AlreadyExists),
        (409, "AlreadyExists", "object is being deleted: configmaps \"one\" already exists", Class::NotYet),
        (409, "Conflict", "the object has been modified", Class::NotYet),
        (413, "RequestEntityTooLarge", "limit is 3145728", Class::Refused),
        (422, "Invalid", "spec.x: Invalid value", Class::Refused),
    ] {
        assert_eq!(class_of(status(code, reason, message)).await, class, "{code} {reason} {message}");
    }
    assert_eq!(class_of(Answer::Say(404, "404 page not found\n".to_owned())).await, Class::NotYet);
    assert_eq!(class_of(Answer::Say(503, "upstream connect error".to_owned())).await, Class::Unknown);
    assert_eq!(class_of(Answer::Say(200, "{\"kind\": \"Conf".to_owned())).await, Class::Unknown);
    assert_eq!(class_of(Answer::Close).await, Class::Unknown);
}

#[tokio::test]
async fn a_server_that_is_not_there_got_nothing() {
    let server = Canned::new([]).await;
    let clients = server.clients();
    // Its task ends with the runtime of another thread.
    let gone = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        Some(runtime.block_on(Canned::new([])))
    });
    let gone = gone.join().ok().flatten().map(|server| server.clients());
    let place = place();
    let ask = Ask::get("/version");
    let gone = gone.unwrap_or_else(|| panic!("a server"));
    let error = Api::new(&gone, &place).send(&ask).await;
    assert_eq!(error.map_err(|error| error.class), Err(Class::NotSent));
    assert_eq!(Api::new(&clients, &place).send(&ask).await.map_err(|error| error.class), Err(Class::Unknown));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let refused = || status(401, "Unauthorized", "Unauthorized");
    let server = Canned::new([refused(), good(json!({"kind": "ConfigMap"}))]).await;
    let (clients, place) = (server.clients(), place());
    assert!(Api::new(&clients, &place).send(&Ask::get("/x")).await.is_ok());
    let tokens: Vec<String> = server.seen().into_iter().map(|seen| seen.token).collect();
    assert_eq!(tokens, ["token-0", "token-1"]);
    let server = Canned::new([refused(), refused(), good(json!({}))]).await;
    let clients = server.clients();
    let error = Api::new(&clients, &place).send(&Ask::get("/x")).await;
    assert_eq!(error.map_err(|error| error.class), Err(Class::Credentials));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_conflict_names_manager_and_field() {
    let causes = json!([
        {"reason": "FieldManagerConflict", "message": "conflict with \"helm\" using apps/v1", "field": ".spec.replicas"},
        {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\"", "field": ".data.a"},
    ]);
    let body = json!({"kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict", "message": "Apply failed with 2 conflicts",
        "details": {"causes": causes}});
    let (answer, _) = change(vec![Answer::Say(409, body.to_string())]).await;
    let error = answer.err().unwrap_or_else(|| panic!("a conflict"));
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "FieldConflict"));
    for part in ["spec.replicas", "helm", "data.a", "kubectl"] {
        assert!(error.message.contains(part), "{part} in {error}");
    }
}

#[tokio::test]
async fn a_list_whose_rest_is_gone_is_read_anew() {
    let page =
        |name: &str, next: &str| good(json!({"metadata": {"continue": next}, "items": [{"metadata": {"name": name}}]}));
    let server = Canned::new([
        page("a", "to/ken"),
        status(410, "Expired", "The provided continue parameter is too old"),
        good(json!({"metadata": {}, "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]})),
    ])
    .await;
    let (clients, place) = (server.clients(), place());
    let kind = runbook_modules::k8s::types::builtin("ConfigMap", None).unwrap_or_else(|| panic!("known"));
    let found = Api::new(&clients, &place).list(&kind, "default", "labelSelector=a%3Db").await;
    let names: Vec<Value> = found.unwrap_or_default().iter().map(|one| one["metadata"]["name"].clone()).collect();
    assert_eq!(names, [json!("a"), json!("b")]);
    let lines: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
    let path = "GET /api/v1/namespaces/default/configmaps";
    assert_eq!(
        lines,
        [
            format!("{path}?limit=500&continue=&labelSelector=a%3Db"),
            format!("{path}?limit=500&continue=to%2Fken&labelSelector=a%3Db"),
            format!("{path}?labelSelector=a%3Db"),
        ]
    );
}

#[tokio::test]
async fn a_patch_that_somebody_outran_is_merged_again() {
    let stands = |version: &str, other: &str| {
        good(
            json!({"metadata": {"name": "one", "namespace": "default", "resourceVersion": version}, "data": {"a": "1", "other": other}}),
        )
    };
    let server = Canned::new([
        stands("5", "x"),
        status(409, "Conflict", "the object has been modified"),
        stands("6", "y"),
        good(json!({"metadata": {"name": "one", "namespace": "default"}, "data": {"a": "2", "other": "y"}})),
    ])
    .await;
    let (clients, place) = (server.clients(), place());
    let input = json!({"kind": "ConfigMap", "name": "one", "patch": {"data": {"a": "2"}}});
    let made = patch::patch(Api::new(&clients, &place), &input).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(made["patch"], json!({"data": {"a": "2"}}));
    let sent: Vec<Value> = server.seen().iter().filter_map(|seen| serde_json::from_str(&seen.body).ok()).collect();
    let change = |version: &str| json!({"metadata": {"resourceVersion": version}, "data": {"a": "2"}});
    assert_eq!(sent, [change("5"), change("6")]);
}
