//! `keep_snapshot`: a snapshot that outlives the run, for data whose volume undo is about to delete.

use std::collections::BTreeMap;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation, Settle},
    resource::{Health, Kind},
    sandbox::{sim::SimCall, world::Object, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{simulate, snapshot::SNAPSHOT};
use crate::row::text;

/// The tag by which a kept snapshot is found again: its value is the volume's id.
const KEPT: &str = "runbook:kept";

/// Input of `keep_snapshot`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The volume. One of which a snapshot was kept already gets no second one.
    pub volume_id: String,
    /// The snapshot's tag Name.
    pub snapshot_name: String,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn tags(input: &Input) -> BTreeMap<String, String> {
    [("Name".to_owned(), input.snapshot_name.clone()), (KEPT.to_owned(), input.volume_id.clone())].into()
}

/// The operation `ec2.keep_snapshot`.
pub static KEEP: Operation = Operation {
    name: "ec2.keep_snapshot",
    operation: "CreateSnapshot",
    doc: "Makes a snapshot of a volume that is nobody's but the account's, and waits until it is completed: no undo deletes it, unlike \
          one of `create_snapshot`. The tag `runbook:kept` names the volume. \
          [CreateSnapshot](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html)",
    class: Class::Update,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    token: None,
    settle: Some(Settle {
        poll: "ec2.describe_snapshots",
        input: |_, answer| json!({ "snapshot_ids": [answer["snapshot_id"]] }),
        judge: |answer| match answer.pointer("/snapshots/0") {
            Some(found) => SNAPSHOT.judge(found),
            None => Health::Pending("not visible yet".to_owned()),
        },
    }),
    sim: keep,
};

fn keep(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let typed: Input = input::parse(call.input).map_err(|e| CallError::refused("InvalidParameter", e.to_string()))?;
    let kept = |o: &&Object| o.tags.get(KEPT) == Some(&typed.volume_id);
    if let Some(there) = simulate::list(world, call, SNAPSHOT.meta.name).find(kept) {
        return Ok(json!({ "snapshot_id": there.id }));
    }
    let tags = tags(&typed);
    let asked = json!({ "volume_id": typed.volume_id, "description": typed.description });
    let made = SNAPSHOT.sim().create(&SNAPSHOT, world, &SimCall { input: &asked, tags: &tags, token: "", ..*call })?;
    Ok(json!({ "snapshot_id": text(&made, "id") }))
}

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use super::{
        super::{snapshot::live::Snapshots, wire, wire::Listed},
        KEPT, tags,
    };
    use crate::live::{Call, Clients, Sent, convert::field, empty};

    /// The call.
    pub struct Keep;

    impl Call for Keep {
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let kept = wire::by(format!("tag:{KEPT}"), input.volume_id.as_str());
            let there = Snapshots::list(clients, Vec::new(), vec![kept]).await?;
            if let Some(there) = there.iter().find(|one| field(one, "state") != "error") {
                return Ok(json!({ "snapshot_id": field(there, "snapshot_id") }));
            }
            let pair = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
            let tags = tags(&input).into_iter().map(pair).collect();
            let tags = TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(tags)).build();
            let call = clients.ec2.create_snapshot().volume_id(input.volume_id).set_description(input.description);
            let answer = call.tag_specifications(tags).send().await.map_err(wire::making)?;
            match answer.snapshot_id() {
                Some(id) => Ok(json!({ "snapshot_id": id })),
                None => Err(empty("snapshot id")),
            }
        }
    }
}
