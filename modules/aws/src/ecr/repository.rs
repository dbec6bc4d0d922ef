//! `ecr.repository`: a repository of container images. The images are not the run's.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::image;
use crate::row::{Difference, Row, at_once, text};

/// What makes a repository. See <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in account and region: lower case, with `/` for parts.
    pub repository_name: String,
    /// Whether an image is scanned when it is pushed.
    pub image_scanning_configuration: Option<Scanning>,
    /// `MUTABLE` or `IMMUTABLE`: whether a tag may move to another image.
    pub image_tag_mutability: Option<String>,
    /// Ours, not AWS's: undo deletes every image in it, then the repository. Without it, undo deletes an empty repository only.
    pub empty_on_undo: Option<bool>,
}

/// Whether images are scanned.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scanning {
    /// When they are pushed.
    pub scan_on_push: bool,
}

/// The constant facts.
pub static META: Meta = Meta {
    name: "ecr.repository",
    create: "create_repository",
    operations: ("CreateRepository", "DeleteRepository"),
    doc: "Makes a repository of container images.\n\nImages that others push are not the run's. Undo leaves a repository that holds any \
          and says so, unless the script gave `empty_on_undo: true` or a person says `runbook undo RUN --also ecr://NAME`. See the \
          [ECR reference](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: Some("ECR repository (by what it holds)"),
    replaces: false,
    shared: false,
};

/// The field that says that undo may delete the images.
pub const CONSENT: &str = "empty_on_undo";

/// The kind.
pub static KIND: Row<Repository> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let input = input::parse::<Input>(value)?;
        let name = &input.repository_name;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        if !(2..=256).contains(&name.len()) || !name.chars().all(fits) {
            let why = format!("{name:?} must have 2 to 256 lower-case letters, digits and . _ - /");
            return Err(InputError::new("repository_name", why));
        }
        match input.image_tag_mutability.as_deref() {
            None | Some("MUTABLE" | "IMMUTABLE") => Ok(()),
            Some(other) => {
                Err(InputError::new("image_tag_mutability", format!("must be MUTABLE or IMMUTABLE, not {other:?}")))
            }
        }
    },
    locator: &["repository_name"],
    along: &[CONSENT],
    parents: &[],
    judge: at_once,
    differences,
    sim: &SIM,
};

/// `empty_on_undo` says what may happen, not what is.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut input = input.clone();
    if let Value::Object(map) = &mut input {
        map.remove(CONSENT);
    }
    same_fields(&input, described)
}

/// The refusal to delete a repository that holds images, with what to do. Waiting would not help.
pub fn not_empty(name: &str, images: &[String]) -> CallError {
    let text = format!(
        "the repository {name} holds images ({}), and nobody allowed undo to delete them; \
         `runbook undo RUN --also ecr://{name}` deletes the repository with all that is in it",
        images.join(", ")
    );
    CallError::refused("RepositoryNotEmptyException", text)
}

static SIMPLE: Simple = Simple {
    id: |call| call.text("repository_name").to_owned(),
    unique: (&[], "RepositoryAlreadyExistsException"),
    missing: "RepositoryNotFoundException",
    describe: |_, call, id| {
        let (region, account) = (&call.place.region, call.account);
        json!({
            "name": id, "arn": format!("arn:aws:ecr:{region}:{account}:repository/{id}"), "registry_id": account,
            "repository_uri": format!("{account}.dkr.ecr.{region}.amazonaws.com/{id}"),
            "image_scanning_configuration":
                call.input.get("image_scanning_configuration").cloned().unwrap_or_else(|| json!({ "scan_on_push": false })),
            "image_tag_mutability": match call.text("image_tag_mutability") { "" => "MUTABLE", asked => asked },
        })
    },
    deleted: |world, call, repository| {
        let inside: Vec<String> = image::inside(world, call, &repository.id).map(Object::key).collect();
        inside.iter().for_each(|key| world.remove(key));
    },
    ..Simple::DEFAULT
};

static SIM: Repository = Repository;

/// The simulated repository: the locator's consent is no field of it.
pub struct Repository;

fn with<'a>(call: &SimCall<'a>, input: &'a Value) -> SimCall<'a> {
    SimCall { input, ..*call }
}

fn named(call: &SimCall<'_>) -> Value {
    json!({ "repository_name": call.text("repository_name") })
}

impl Sim for Repository {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        SIMPLE.create(kind, world, call)
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        SIMPLE.read(kind, world, &with(call, &named(call)))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        SIMPLE.find(kind, world, call)
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let held = self.obstacles(kind, world, call);
        if !held.is_empty() && call.input.get(CONSENT) != Some(&Value::Bool(true)) {
            return Err(not_empty(call.text("repository_name"), &held));
        }
        SIMPLE.delete(kind, world, &with(call, &named(call)), put_back)
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        SIMPLE.next_change(kind, world, &with(call, &named(call)))
    }

    fn obstacles(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        image::inside(world, call, call.text("repository_name")).map(|image| image::called(&image.body)).collect()
    }
}

/// The repository that a call names.
///
/// # Errors
/// RepositoryNotFoundException.
pub fn standing<'w>(world: &'w World, call: &SimCall<'_>) -> Result<&'w Object, CallError> {
    let name = call.text("repository_name");
    world.get(META.name, &call.place.region, name, call.now_ms).ok_or_else(|| {
        let text = format!("The repository with name '{name}' does not exist in the registry");
        CallError::not_found("RepositoryNotFoundException", text)
    })
}

/// Which repositories are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these names; one that does not exist is an error. All when left out.
    pub repository_names: Option<Vec<String>>,
}

/// `ecr.describe_repositories`.
pub static DESCRIBE: Operation = Operation {
    name: "ecr.describe_repositories",
    operation: "DescribeRepositories",
    doc: "Lists repositories, as `#{repositories: [...]}`.\n\nSee the \
          [ECR reference](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let all = world.list(META.name, &call.place.region, call.now_ms);
        let all: Vec<Value> = all.map(|object| SIMPLE.description(object, call.now_ms)).collect();
        let Some(names) = call.input.get("repository_names").and_then(Value::as_array) else {
            return Ok(json!({ "repositories": all }));
        };
        let found = |name: &Value| {
            let found = all.iter().find(|one| text(one, "name") == name.as_str().unwrap_or_default()).cloned();
            found.ok_or_else(|| CallError::not_found(SIMPLE.missing, format!("The repository {name} does not exist")))
        };
        Ok(json!({ "repositories": names.iter().map(found).collect::<Result<Value, _>>()? }))
    },
};
