//! Repositories of the sandbox: their branches are their commits in a row, and their files objects beside them.

use std::collections::BTreeMap;

use runbook_modules::{
    error::{CallError, Class},
    k8s::types::text,
    resource::Kind,
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::{Object, World},
    },
    target::RUN_TAG,
};
use serde_json::{Value, json};

use super::{
    changes::{self, Changes, Texts},
    files, full_name, repository,
};
use crate::mark::{self, Marks};

/// The kind of a commit in the world.
const COMMIT: &str = "github.commit";
/// The kind of a file in the world.
const FILE: &str = "github.file";
/// The branch that a new repository has.
const FIRST: &str = "main";

/// A branch of a repository.
struct Branch<'a> {
    /// The repository's key in the world.
    owner: String,
    repository: &'a str,
    branch: &'a str,
}

impl<'a> Branch<'a> {
    fn new(repository: &'a str, branch: &'a str) -> Self {
        Self { owner: runbook_modules::sandbox::world::key(repository::META.name, "", repository), repository, branch }
    }

    fn id(&self, rest: &str) -> String {
        format!("{}@{}{rest}", self.repository, self.branch)
    }

    /// Its commits, the first one first.
    fn commits<'w>(&self, world: &'w World, now_ms: i64) -> Vec<&'w Object> {
        let prefix = self.id("#");
        world.list(COMMIT, "", now_ms).filter(|commit| commit.id.starts_with(&prefix)).collect()
    }

    /// Its newest commit and what it holds of these paths; None when there is no such branch.
    fn look(&self, world: &World, paths: impl Iterator<Item = String>, now_ms: i64) -> Option<(String, Marks, Texts)> {
        let commits = self.commits(world, now_ms);
        let head = commits.last()?;
        let held = |path: &str| world.get(FILE, "", &self.id(&format!(":{path}")), now_ms);
        let texts = paths.map(|path| (held(&path).map(|file| text(&file.body, "text").to_owned()), path));
        Some((head.id.clone(), marks_of(head), texts.map(|(found, path)| (path, found)).collect()))
    }

    fn commit(&self, world: &mut World, changes: &Changes, message: &str, marks: &Marks, call: &SimCall<'_>) {
        for (path, words) in &changes.additions {
            let body = json!({ "repository": self.repository, "branch": self.branch, "path": path, "text": words });
            self.put(world, FILE, self.id(&format!(":{path}")), body, "");
        }
        for path in &changes.deletions {
            world.remove(&runbook_modules::sandbox::world::key(FILE, "", &self.id(&format!(":{path}"))));
        }
        let number = self.commits(world, call.now_ms).len() + 1;
        // Marks are no tags here: what a listing by tags can tell of a repository is the repository.
        let body = json!({ "repository": self.repository, "branch": self.branch, "message": message, "marks": marks });
        self.put(world, COMMIT, self.id(&format!("#{number:06}")), body, call.token);
    }

    fn put(&self, world: &mut World, kind: &str, id: String, mut body: Value, token: &str) {
        body["id"] = id.as_str().into();
        world.put(Object {
            kind: kind.to_owned(),
            place: String::new(),
            id,
            body,
            tags: BTreeMap::new(),
            token: token.to_owned(),
            input: Value::Null,
            refs: Vec::new(),
            owner: Some(self.owner.clone()),
            states: Vec::new(),
            gone_at: None,
        });
    }
}

fn marks_of(commit: &Object) -> Marks {
    commit.body.get("marks").and_then(|marks| serde_json::from_value(marks.clone()).ok()).unwrap_or_default()
}

static REPOSITORY: Simple = Simple {
    id: |call| full_name(call.text("owner"), call.text("name")),
    global: true,
    unique: (&[], "RepositoryExists"),
    missing: "NotFound",
    describe: |_, call, id| {
        json!({
            "full_name": id, "private": repository::is_private(call.input), "description": call.text("description"),
            "default_branch": FIRST, "html_url": format!("https://github.com/{id}"),
            "clone_url": format!("https://github.com/{id}.git"), "archived": false,
        })
    },
    made: |world, call, made| {
        let number = world.new_id("R_");
        world.change(repository::META.name, "", &made.id, |object| object.body["repository_id"] = number.into());
        if repository::begins_with_a_commit(call.input) {
            let name = call.text("name");
            let additions = BTreeMap::from([("README.md".to_owned(), format!("# {name}\n"))]);
            let first = Changes { additions, deletions: Vec::new() };
            Branch::new(&made.id, FIRST).commit(world, &first, "Initial commit", &mark::kept(call.tags), call);
        }
    },
    ..Simple::DEFAULT
};

/// The simulated `github.repository`.
pub struct Repositories;

/// What names one: what else is in its locator is no field of a repository.
fn at(call: &SimCall<'_>) -> Value {
    let mut at = json!({ "full_name": call.text("full_name") });
    if let Some(id) = call.input.get("repository_id") {
        at["repository_id"] = id.clone();
    }
    at
}

fn with<'a>(call: &SimCall<'a>, input: &'a Value) -> SimCall<'a> {
    SimCall { input, ..*call }
}

impl Sim for Repositories {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        REPOSITORY.create(kind, world, call)
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        REPOSITORY.read(kind, world, &with(call, &at(call)))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        REPOSITORY.find(kind, world, call)
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let others = self.obstacles(kind, world, call);
        if !others.is_empty() && !repository::may_take_commits(call.input) {
            return Err(repository::holds_work(call.text("full_name"), &others));
        }
        REPOSITORY.delete(kind, world, &with(call, &at(call)), put_back)
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        REPOSITORY.next_change(kind, world, &with(call, &at(call)))
    }

    /// The commits of others.
    fn obstacles(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        let prefix = format!("{}@", call.text("full_name"));
        let run = call.text("run");
        let others = world.list(COMMIT, "", call.now_ms).filter(|commit| {
            commit.id.starts_with(&prefix) && marks_of(commit).get(RUN_TAG).is_none_or(|by| by != run)
        });
        others.map(|commit| format!("commit {:?}", text(&commit.body, "message"))).collect()
    }
}

/// The simulated `github.files`.
pub struct Commits;

/// What a call of `github.files` is about, by input or locator.
fn place_of<'a>(call: &'a SimCall<'_>) -> (&'a str, &'a str, &'a str) {
    (call.text("owner"), call.text("name"), call.text("branch"))
}

/// The files that stand, where the call's branch does.
fn described(world: &World, call: &SimCall<'_>, marks: Option<Marks>) -> Option<Value> {
    let (owner, name, branch) = place_of(call);
    let repository = full_name(owner, name);
    world.get(repository::META.name, "", &repository, call.now_ms)?;
    let (head, last, texts) =
        Branch::new(&repository, branch).look(world, paths(call.input).into_iter(), call.now_ms)?;
    (!files::is_gone(call.input, &texts))
        .then(|| files::describe((owner, name, branch), &head, &texts, &marks.unwrap_or(last)))
}

/// The paths that an input or a locator names.
fn paths(input: &Value) -> Vec<String> {
    changes::wanted(input).into_keys().collect()
}

fn missing(call: &SimCall<'_>) -> CallError {
    let (owner, name, branch) = place_of(call);
    CallError::not_found("NOT_FOUND", format!("there is no branch {branch} of a repository {owner}/{name}"))
}

impl Sim for Commits {
    fn create(&self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let (owner, name, branch) = place_of(call);
        let repository = full_name(owner, name);
        if world.get(repository::META.name, "", &repository, call.now_ms).is_none() {
            return Err(CallError { class: Class::Refused, ..missing(call) });
        }
        let on = Branch::new(&repository, branch);
        let Some((_, _, standing)) = on.look(world, paths(call.input).into_iter(), call.now_ms) else {
            return Err(CallError { class: Class::NotYet, ..missing(call) });
        };
        let changes = changes::to_make(call.input, &standing)?;
        let marks = mark::kept(call.tags);
        if changes.is_empty() {
            return Ok(described(world, call, Some(Marks::new())).unwrap_or_default());
        }
        on.commit(world, &changes, call.text("message"), &marks, call);
        Ok(described(world, call, Some(marks)).unwrap_or_default())
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        described(world, call, None)
    }

    fn find(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        let (owner, name, branch) = place_of(call);
        let repository = full_name(owner, name);
        let ours = mark::kept(call.tags);
        let commits = Branch::new(&repository, branch).commits(world, call.now_ms);
        let made = commits.iter().any(|commit| marks_of(commit) == ours);
        if made { described(world, call, Some(ours)).into_iter().collect() } else { Vec::new() }
    }

    fn delete(
        &self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let (owner, name, branch) = place_of(call);
        let repository = full_name(owner, name);
        if world.get(repository::META.name, "", &repository, call.now_ms).is_none() {
            return Err(missing(call));
        }
        let on = Branch::new(&repository, branch);
        let Some((_, _, standing)) = on.look(world, paths(call.input).into_iter(), call.now_ms) else {
            return Err(missing(call));
        };
        let changes = changes::to_put_back(call.input, put_back, &standing)?;
        if !changes.is_empty() {
            let run = call.text("run");
            let marks = Marks::from([(RUN_TAG.to_owned(), run.to_owned())]);
            on.commit(world, &changes, files::PUT_BACK, &marks, call);
        }
        Ok(())
    }

    fn next_change(&self, _: &dyn Kind, _: &World, _: &SimCall<'_>) -> Option<i64> {
        None
    }

    fn obstacles(&self, _: &dyn Kind, _: &World, _: &SimCall<'_>) -> Vec<String> {
        Vec::new()
    }
}

/// `github.get_repository` on the sandbox.
///
/// # Errors
/// None.
pub fn get_repository(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let at = json!({ "full_name": full_name(call.text("owner"), call.text("name")) });
    Ok(REPOSITORY.read(&repository::Repository, world, &with(call, &at)).unwrap_or_default())
}

/// `github.get_file` on the sandbox.
///
/// # Errors
/// None.
pub fn get_file(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let repository = full_name(call.text("owner"), call.text("name"));
    let path = call.text("path").to_owned();
    let on = Branch::new(&repository, call.text("branch"));
    let found = on.look(world, std::iter::once(path.clone()), call.now_ms);
    let words = found.and_then(|(_, _, texts)| texts.get(&path).cloned().flatten());
    Ok(words.map(|words| json!({ "path": path, "text": words })).unwrap_or_default())
}
