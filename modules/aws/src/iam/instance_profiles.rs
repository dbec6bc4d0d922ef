//! Instance profiles that others made: `list_instance_profiles`, `get_instance_profile`, `delete_instance_profile`.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::Kind,
    sandbox::{
        sim::{Sim, SimCall},
        simple::begin_deletion,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::instance_profile::{KIND, ROLE};
use crate::{
    row::{text, untagged},
    simulate::{body, having},
};

/// Which profiles are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only those whose path begins so; all when left out.
    pub path_prefix: Option<String>,
}

/// Which profile is meant.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct One {
    /// The profile's name.
    pub instance_profile_name: String,
}

/// `iam.list_instance_profiles`.
pub static LIST: Operation = Operation {
    name: "iam.list_instance_profiles",
    operation: "ListInstanceProfiles",
    doc: "Lists instance profiles with the roles in them, as `#{instance_profiles: [...]}`. Their tags IAM tells of one alone: \
          `get_instance_profile`.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let all = world.list(KIND.meta.name, "", call.now_ms);
        let below = all.filter(|profile| body(profile, "path").starts_with(call.text("path_prefix")));
        let listed = below.map(|profile| untagged(described(world, call, profile)));
        Ok(json!({ "instance_profiles": listed.collect::<Value>() }))
    },
};

/// `iam.get_instance_profile`.
pub static GET: Operation = Operation {
    name: "iam.get_instance_profile",
    operation: "GetInstanceProfile",
    doc: "Describes an instance profile, with its tags and the role in it.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html).",
    class: Class::Read,
    schema: input::schema::<One>,
    check: input::check::<One>,
    token: None,
    settle: None,
    sim: |world, call| {
        let name = call.text("instance_profile_name");
        let found = having(world, KIND.meta.name, "", call.now_ms, "instance_profile_name", name).next();
        found
            .map(|profile| described(world, call, profile))
            .ok_or_else(|| CallError::not_found("NoSuchEntity", format!("Instance Profile {name} cannot be found.")))
    },
};

/// `iam.delete_instance_profile`.
pub static DELETE: Operation = Operation {
    name: "iam.delete_instance_profile",
    operation: "DeleteInstanceProfile",
    doc: "Deletes an instance profile that this run does not own (a controller made it); the role in it is taken out before. One that is \
          gone is no error.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html).",
    class: Class::Delete,
    schema: input::schema::<One>,
    check: input::check::<One>,
    token: None,
    settle: None,
    sim: |world, call| {
        let name = call.text("instance_profile_name");
        let held = having(world, ROLE.meta.name, "", call.now_ms, "instance_profile_name", name);
        let held: Vec<String> = held.map(Object::key).collect();
        held.iter().for_each(|key| begin_deletion(world, key, call.now_ms, "", call.now_ms));
        KIND.sim.delete(&KIND as &dyn Kind, world, call, None)?;
        Ok(json!({}))
    },
};

/// With the role in it, unless whoever put the profile into the world said which.
fn described(world: &World, call: &SimCall<'_>, profile: &Object) -> Value {
    let mut described = KIND.sim.description(profile, call.now_ms);
    if described["roles"].is_null() {
        let held = having(world, ROLE.meta.name, "", call.now_ms, "instance_profile_name", text(&described, "id"));
        described["roles"] = held.map(|role| body(role, "role_name")).collect();
    }
    described
}
