//! EBS snapshots.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, list},
    lab::{Lab, REGION},
};

/// A volume: its id.
fn volume(lab: &Lab) -> Result<Value, Other> {
    let input = json!({ "availability_zone": format!("{REGION}a"), "size": 8 });
    Ok(lab.make("ec2.create_volume", input)?["id"].clone())
}

fn make(lab: &Lab, volume: &Value) -> Result<Value, Other> {
    lab.make("ec2.create_snapshot", json!({ "volume_id": volume, "description": "conformance" }))
}

/// How many snapshots of a volume there are.
fn count(lab: &Lab, volume: &Value) -> Result<usize, Other> {
    let found = lab.call("ec2.describe_snapshots", json!({ "filters": { "volume-id": volume } })).ok()?;
    Ok(list(&found, "snapshots").len())
}

pub const CASES: &[Case] = &[
    Case {
        name: "a snapshot is described as it was made",
        aws: "`completed` in the end, with the volume's size, not encrypted; the tags",
        page: "ec2/CreateSnapshot",
        run: |lab| {
            let made = make(lab, &volume(lab)?)?;
            is(&made, "state", "completed")?;
            is(&made, "volume_size", 8)?;
            is(&made, "encrypted", false)?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a snapshot is pending at first",
        aws: "the answer says `pending`",
        page: "ec2/CreateSnapshot",
        run: |lab| {
            let input = json!({ "volume_id": volume(lab)? });
            is(&lab.call("ec2.create_snapshot", input).ok()?, "state", "pending")
        },
    },
    Case {
        name: "a snapshot of a volume that does not exist",
        aws: "`InvalidVolume.NotFound`",
        page: "ec2/errors",
        run: |lab| {
            let input = json!({ "volume_id": "vol-0123456789abcdef0" });
            lab.refused("ec2.create_snapshot", input, &["InvalidVolume.NotFound"])
        },
    },
    Case {
        name: "snapshots by their volume",
        aws: "the filter `volume-id` keeps those of the volume",
        page: "ec2/DescribeSnapshots",
        run: |lab| {
            let (first, second) = (volume(lab)?, volume(lab)?);
            make(lab, &first)?;
            make(lab, &second)?;
            let count = count(lab, &first)?;
            holds(count == 1, format!("{count} snapshots"))
        },
    },
    Case {
        name: "a snapshot that does not exist is described",
        aws: "`InvalidSnapshot.NotFound`",
        page: "ec2/errors",
        run: |lab| {
            let input = json!({ "snapshot_ids": ["snap-0123456789abcdef0"] });
            lab.refused("ec2.describe_snapshots", input, &["InvalidSnapshot.NotFound"])
        },
    },
    Case {
        name: "the volume of a snapshot is deleted",
        aws: "accepted; the snapshot stays",
        page: "ec2/DeleteVolume",
        run: |lab| {
            let volume = volume(lab)?;
            let made = make(lab, &volume)?;
            lab.delete("ec2.volume", json!({ "volume_id": volume })).ok()?;
            lab.gone("ec2.volume", json!({ "volume_id": volume }))?;
            lab.standing("ec2.snapshot", json!({ "snapshot_id": made["snapshot_id"] })).map(|_| ())
        },
    },
    Case {
        name: "a snapshot of a volume is kept, twice",
        aws: "two snapshots; our call looks for the first one and makes no second",
        page: "ec2/CreateSnapshot",
        run: |lab| {
            let volume = volume(lab)?;
            let input = json!({ "volume_id": volume, "snapshot_name": "last" });
            let first = lab.call("ec2.keep_snapshot", input.clone()).ok()?;
            let second = lab.call("ec2.keep_snapshot", input).ok()?;
            is(&second, "snapshot_id", first["snapshot_id"].clone())?;
            let count = count(lab, &volume)?;
            holds(count == 1, format!("{count} snapshots"))
        },
    },
    Case {
        name: "a snapshot is deleted twice",
        aws: "`InvalidSnapshot.NotFound`",
        page: "ec2/DeleteSnapshot",
        run: |lab| {
            let at = json!({ "snapshot_id": make(lab, &volume(lab)?)?["snapshot_id"] });
            lab.deleted_twice("ec2.snapshot", at, &["InvalidSnapshot.NotFound"])
        },
    },
];
