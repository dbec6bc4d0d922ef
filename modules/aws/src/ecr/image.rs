//! The images in a repository. They are not the run's: `describe_images`.

use runbook_modules::{
    input,
    operation::{Class, Operation},
    sandbox::{
        sim::SimCall,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::repository;
use crate::{row::text, simulate::body};

/// The sandbox's kind of an image, made by rehearsal files: body `repository_name`, `image_tags`, `image_digest`.
pub const IMAGE: &str = "ecr.image";

/// The images in a repository.
pub fn inside<'w>(world: &'w World, call: &SimCall<'_>, name: &str) -> impl Iterator<Item = &'w Object> + use<'w> {
    let name = name.to_owned();
    world.list(IMAGE, &call.place.region, call.now_ms).filter(move |image| body(image, "repository_name") == name)
}

/// What people call an image: its first tag, else its digest.
pub fn called(image: &Value) -> String {
    let tag = image.get("image_tags").and_then(|tags| tags.get(0)).and_then(Value::as_str);
    tag.map_or_else(|| text(image, "image_digest").to_owned(), str::to_owned)
}

/// Which images are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The repository's name.
    pub repository_name: String,
}

/// `ecr.describe_images`.
pub static DESCRIBE: Operation = Operation {
    name: "ecr.describe_images",
    operation: "DescribeImages",
    doc: "Lists the images of a repository, as `#{image_details: [#{image_tags, image_digest, image_pushed_at}]}`, all pages.\n\nSee the \
          [ECR reference](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let name = repository::standing(world, call)?.id.clone();
        let found = inside(world, call, &name).map(|image| image.body.clone());
        Ok(json!({ "image_details": found.collect::<Value>() }))
    },
};
