//! Repositories and files, the same on the sandbox and, against a stand-in, live: lost answers, strangers, drift, undo.

use runbook_modules::{error::Class, target::EFFECT_TAG};
use serde_json::{Value, json};

use crate::testing::{By, Lab, trials};

const REPOSITORY: &str = "github.repository";
const FILES: &str = "github.files";
const OURS: &str = "0123456789abcdef0123456789abcdef";
const THEIRS: &str = "ffffffffffffffffffffffffffffffff";

trials! {
    a_repository_is_made_found_again_and_deleted,
    a_strangers_repository_is_never_taken_over,
    what_others_committed_is_deleted_with_consent_only,
    files_are_one_commit_that_is_found_again,
    files_of_others_are_replaced_only_when_told,
    what_stood_there_is_put_back,
    what_others_changed_since_is_not_put_back,
    without_a_branch_nothing_is_committed,
}

fn repository() -> Value {
    json!({"owner": "acme", "name": "operations", "description": "Operations of notes"})
}

fn files(texts: Value) -> Value {
    json!({"owner": "acme", "name": "operations", "branch": "main", "message": "Manifests", "files": texts})
}

async fn made(lab: &Lab) -> Value {
    lab.create(By(OURS, 1), REPOSITORY, &repository()).await.unwrap()
}

/// Somebody else's commit.
async fn somebody_commits(lab: &Lab, texts: Value) {
    let mut input = files(texts);
    input["overwrite"] = true.into();
    lab.create(By(THEIRS, 99), FILES, &input).await.unwrap();
}

async fn text(lab: &Lab, path: &str) -> Value {
    lab.ask("github.get_file", json!({"owner": "acme", "name": "operations", "branch": "main", "path": path})).await
}

async fn a_repository_is_made_found_again_and_deleted(lab: &Lab) {
    let input = repository();
    assert!(lab.find(By(OURS, 1), REPOSITORY, &input).await.is_empty());
    let made = made(lab).await;
    assert_eq!((&made["id"], &made["private"]), (&json!("acme/operations"), &json!(true)));
    assert_eq!(made["description"], "Operations of notes", "the mark is none of its words");
    let found = lab.find(By(OURS, 1), REPOSITORY, &input).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["tags"][EFFECT_TAG], format!("{:032x}", 1), "a lost answer is found by its mark");
    assert_eq!(lab.create(By(OURS, 2), REPOSITORY, &input).await.unwrap_err().class, Class::AlreadyExists);

    let at = lab.locate(REPOSITORY, &input, &made);
    let read = lab.read(REPOSITORY, &at).await.unwrap();
    assert!(lab.drift(REPOSITORY, &input, &read).is_empty());
    let mut open = input.clone();
    open["private"] = false.into();
    assert_eq!(lab.drift(REPOSITORY, &open, &read), ["private"]);
    assert_eq!(
        lab.ask("github.get_repository", json!({"owner": "acme", "name": "operations"})).await["id"],
        made["id"]
    );

    lab.delete(REPOSITORY, &at, None).await.unwrap();
    assert_eq!(lab.read(REPOSITORY, &at).await, None);
    assert_eq!(lab.delete(REPOSITORY, &at, None).await.unwrap_err().class, Class::NotFound);
    assert_eq!(lab.ask("github.get_repository", json!({"owner": "acme", "name": "operations"})).await, Value::Null);
}

async fn a_strangers_repository_is_never_taken_over(lab: &Lab) {
    let theirs = lab.create(By(THEIRS, 7), REPOSITORY, &repository()).await.unwrap();
    let found = lab.find(By(OURS, 1), REPOSITORY, &repository()).await;
    assert_eq!(found[0]["tags"][EFFECT_TAG], format!("{:032x}", 7), "it says whose it is");
    // Ours was deleted by somebody, who then made another one of the same name.
    let mut at = lab.locate(REPOSITORY, &repository(), &theirs);
    at["repository_id"] = "other".into();
    assert_eq!(lab.read(REPOSITORY, &at).await, None);
    assert_eq!(lab.delete(REPOSITORY, &at, None).await.unwrap_err().class, Class::NotFound);
    assert_ne!(lab.find(By(OURS, 1), REPOSITORY, &repository()).await, Vec::<Value>::new(), "theirs still stands");
}

async fn what_others_committed_is_deleted_with_consent_only(lab: &Lab) {
    let made = made(lab).await;
    let input = files(json!({"a.yaml": "a: 1\n"}));
    lab.create(By(OURS, 2), FILES, &input).await.unwrap();
    let mut at = lab.locate(REPOSITORY, &repository(), &made);
    assert!(lab.obstacles(REPOSITORY, &at).await.is_empty(), "the run's own commits are none");
    somebody_commits(lab, json!({"b.yaml": "b: 1\n"})).await;
    assert_eq!(lab.obstacles(REPOSITORY, &at).await.len(), 1);
    let refused = lab.delete(REPOSITORY, &at, None).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("--also github://acme/operations"), "{refused}");
    at["delete_with_commits"] = true.into();
    lab.delete(REPOSITORY, &at, None).await.unwrap();
    assert_eq!(lab.read(REPOSITORY, &at).await, None);
}

async fn files_are_one_commit_that_is_found_again(lab: &Lab) {
    made(lab).await;
    let input = files(json!({"a.yaml": "a: 1\n", "dir/b.yaml": "b: 1\n"}));
    assert!(lab.find(By(OURS, 2), FILES, &input).await.is_empty());
    let before = lab.read(FILES, &lab.locate(FILES, &input, &Value::Null)).await.unwrap();
    assert_eq!(
        before["files"],
        json!({"a.yaml": null, "dir/b.yaml": null}),
        "the branch stands, and none of the files"
    );
    let done = lab.create(By(OURS, 2), FILES, &input).await.unwrap();
    assert_eq!(done["files"], input["files"]);
    assert_ne!(done["status"]["commit"], before["status"]["commit"]);
    let found = lab.find(By(OURS, 2), FILES, &input).await;
    assert_eq!(found, std::slice::from_ref(&done), "a lost answer is found by the commit's mark, in the same shape");
    assert!(lab.find(By(OURS, 3), FILES, &input).await.is_empty(), "another effect's commit is not its");

    let again = lab.create(By(OURS, 3), FILES, &input).await.unwrap();
    assert_eq!(again["status"], done["status"], "what stands as asked needs no commit");
    assert!(lab.drift(FILES, &input, &again).is_empty());
    assert_eq!(text(lab, "dir/b.yaml").await["text"], "b: 1\n");
    somebody_commits(lab, json!({"a.yaml": "a: 2\n"})).await;
    let at = lab.locate(FILES, &input, &done);
    assert_eq!(lab.drift(FILES, &input, &lab.read(FILES, &at).await.unwrap()), ["files.a.yaml"]);
}

async fn files_of_others_are_replaced_only_when_told(lab: &Lab) {
    made(lab).await;
    somebody_commits(lab, json!({"a.yaml": "theirs\n"})).await;
    let mut input = files(json!({"a.yaml": "ours\n", "b.yaml": "ours\n"}));
    let refused = lab.create(By(OURS, 2), FILES, &input).await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_str()), (Class::Refused, "FilesDiffer"));
    assert!(refused.message.ends_with(": a.yaml"), "{refused}");
    assert_eq!(text(lab, "b.yaml").await, Value::Null, "nothing was written");
    input["overwrite"] = true.into();
    lab.create(By(OURS, 2), FILES, &input).await.unwrap();
    assert_eq!(text(lab, "a.yaml").await["text"], "ours\n");
}

async fn what_stood_there_is_put_back(lab: &Lab) {
    made(lab).await;
    somebody_commits(lab, json!({"a.yaml": "theirs\n", "c.yaml": "theirs\n"})).await;
    let mut input = files(json!({"a.yaml": "ours\n", "b.yaml": "ours\n"}));
    input["overwrite"] = true.into();
    input["delete"] = json!(["c.yaml", "none.yaml"]);
    let before = lab.read(FILES, &lab.locate(FILES, &input, &Value::Null)).await.unwrap();
    let done = lab.create(By(OURS, 2), FILES, &input).await.unwrap();
    assert_eq!(text(lab, "c.yaml").await, Value::Null);
    let at = lab.locate(FILES, &input, &done);
    for _ in 0..2 {
        lab.delete(FILES, &at, Some(&before)).await.unwrap();
        assert_eq!(text(lab, "a.yaml").await["text"], "theirs\n");
        assert_eq!(text(lab, "b.yaml").await, Value::Null);
        assert_eq!(text(lab, "c.yaml").await["text"], "theirs\n");
    }
}

async fn what_others_changed_since_is_not_put_back(lab: &Lab) {
    made(lab).await;
    let input = files(json!({"a.yaml": "ours\n", "b.yaml": "ours\n"}));
    let done = lab.create(By(OURS, 2), FILES, &input).await.unwrap();
    somebody_commits(lab, json!({"a.yaml": "theirs\n"})).await;
    let at = lab.locate(FILES, &input, &done);
    let refused = lab.delete(FILES, &at, None).await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_str()), (Class::Refused, "ChangedSince"));
    assert_eq!(text(lab, "a.yaml").await["text"], "theirs\n");
    somebody_commits(lab, json!({"a.yaml": "ours\n"})).await;
    lab.delete(FILES, &at, None).await.unwrap();
    assert_eq!(lab.read(FILES, &at).await, None, "what was made there is gone");
}

async fn without_a_branch_nothing_is_committed(lab: &Lab) {
    let input = files(json!({"a.yaml": "a: 1\n"}));
    assert_eq!(lab.create(By(OURS, 2), FILES, &input).await.unwrap_err().class, Class::Refused, "no repository");
    let mut bare = repository();
    bare["auto_init"] = false.into();
    let made = lab.create(By(OURS, 1), REPOSITORY, &bare).await.unwrap();
    assert_eq!(lab.create(By(OURS, 2), FILES, &input).await.unwrap_err().class, Class::NotYet, "no branch yet");
    assert_eq!(lab.read(FILES, &lab.locate(FILES, &input, &Value::Null)).await, None);
    lab.delete(REPOSITORY, &lab.locate(REPOSITORY, &bare, &made), None).await.unwrap();
}

/// What a check says of an input with another field.
fn checked(kind: &str, mut input: Value, field: &str, value: Value) -> Result<(), String> {
    input[field] = value;
    let mut table = runbook_modules::table::Table::default();
    crate::register(&mut table);
    table.kind(kind).unwrap().check(&input).map_err(|error| error.to_string())
}

#[test]
fn inputs_that_do_not_fit_are_named() {
    let wrong = [
        ("owner", json!("a/b"), "owner"),
        ("name", json!(".."), "name"),
        ("name", json!(""), "name"),
        ("description", json!("two\nlines"), "description"),
        ("description", json!("x [runbook run=1]"), "description"),
        ("description", json!("w".repeat(300)), "description"),
        ("privat", json!(true), "privat"),
    ];
    for (field, value, named) in wrong {
        let error = checked(REPOSITORY, repository(), field, value).unwrap_err();
        assert!(error.starts_with(named), "{error}");
    }
    let input = || files(json!({"a": "1"}));
    let wrong = [
        ("branch", json!("refs/heads/main"), "branch"),
        ("branch", json!("a..b"), "branch"),
        ("message", json!(" "), "message"),
        ("message", json!("x\nRunbook-Run: 1"), "message"),
        ("files", json!({}), "files"),
        ("files", json!({"/a": "1"}), "files"),
        ("files", json!({"a/../b": "1"}), "files"),
        ("files", json!({".git/config": "1"}), "files"),
        ("files", json!({"a": "{{secret:key:0123456789abcdef}}"}), "files.a"),
        ("delete", json!(["a"]), "delete"),
    ];
    for (field, value, named) in wrong {
        let error = checked(FILES, input(), field, value).unwrap_err();
        assert!(error.starts_with(named), "{error}");
    }
    assert_eq!(checked(FILES, input(), "branch", json!("release/1.x")), Ok(()));
}

#[test]
fn one_that_stands_is_used_only_when_the_script_says_so() {
    use runbook_modules::resource::Kind as _;
    let kind = super::repository::Repository;
    assert!(!kind.shared(&repository()));
    assert!(kind.shared(&json!({"owner": "acme", "name": "operations", "use_existing": true})));
}
