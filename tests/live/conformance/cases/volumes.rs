//! EBS volumes.

use runbook_modules::target::EFFECT_TAG;
use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, holds, is, list},
    lab::REGION,
};

fn asked() -> Value {
    json!({ "availability_zone": format!("{REGION}a"), "size": 8 })
}

const NOT_THERE: &str = "vol-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "a volume is described as it was made",
        aws: "gp2 when no type is named, `available` in the end, not encrypted, attached to nothing, the tags",
        page: "ec2/CreateVolume",
        run: |lab| {
            let made = lab.make("ec2.create_volume", asked())?;
            is(&made, "size", 8)?;
            is(&made, "volume_type", "gp2")?;
            is(&made, "state", "available")?;
            is(&made, "encrypted", false)?;
            holds(list(&made, "attachments").is_empty(), "attached to something")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a volume is creating at first",
        aws: "the answer says `creating`",
        page: "ec2/CreateVolume",
        run: |lab| is(&lab.call("ec2.create_volume", asked()).ok()?, "state", "creating"),
    },
    Case {
        name: "a gp3 volume without more",
        aws: "3000 operations and 125 MiB a second",
        page: "ec2/CreateVolume",
        run: |lab| {
            let mut input = asked();
            input["volume_type"] = "gp3".into();
            let made = lab.make("ec2.create_volume", input)?;
            is(&made, "iops", 3000)?;
            is(&made, "throughput", 125)
        },
    },
    Case {
        name: "an io2 volume without its operations a second",
        aws: "`InvalidParameterCombination`, or `InvalidParameterDependency`, which the list explains in the same words",
        page: "ec2/errors",
        run: |lab| {
            let mut input = asked();
            input["volume_type"] = "io2".into();
            lab.call("ec2.create_volume", input).refused(&["InvalidParameterCombination", "InvalidParameterDependency"])
        },
    },
    Case {
        name: "a volume in a zone that does not exist",
        aws: "`InvalidZone.NotFound`",
        page: "ec2/errors",
        run: |lab| {
            let input = json!({ "availability_zone": format!("{REGION}z"), "size": 8 });
            lab.call("ec2.create_volume", input).refused(&["InvalidZone.NotFound"])
        },
    },
    Case {
        name: "the same request for a volume, with the same client token",
        aws: "the same volume again",
        page: "ec2/CreateVolume",
        run: |lab| {
            let token = lab.token();
            let made = lab.with_token(&token, "ec2.create_volume", asked()).ok()?;
            let again = lab.with_token(&token, "ec2.create_volume", asked()).ok()?;
            holds(again["id"] == made["id"], "a second volume")
        },
    },
    Case {
        name: "another request for a volume, with the same client token",
        aws: "`IdempotentParameterMismatch`",
        page: "ec2/errors",
        run: |lab| {
            let (mut input, token) = (asked(), lab.token());
            lab.with_token(&token, "ec2.create_volume", input.clone()).ok()?;
            input["size"] = 9.into();
            lab.with_token(&token, "ec2.create_volume", input).refused(&["IdempotentParameterMismatch"])
        },
    },
    Case {
        name: "volumes by a tag",
        aws: "the filter `tag:KEY` keeps those with the value",
        page: "ec2/DescribeVolumes",
        run: |lab| {
            let made = lab.make("ec2.create_volume", asked())?;
            for (value, wanted) in [(&made["tags"][EFFECT_TAG], 1), (&"another".into(), 0)] {
                let filters = json!({ "filters": { format!("tag:{EFFECT_TAG}"): value } });
                let found = lab.call("ec2.describe_volumes", filters).ok()?;
                holds(list(&found, "volumes").len() == wanted, "finds others")?;
            }
            Ok(())
        },
    },
    Case {
        name: "a volume is deleted",
        aws: "gone in the end",
        page: "ec2/DeleteVolume",
        run: |lab| {
            let at = json!({ "volume_id": lab.make("ec2.create_volume", asked())?["id"] });
            lab.delete("ec2.volume", at.clone()).ok()?;
            lab.gone("ec2.volume", at)
        },
    },
    Case {
        name: "a volume that does not exist is deleted",
        aws: "`InvalidVolume.NotFound`",
        page: "ec2/errors",
        run: |lab| lab.delete("ec2.volume", json!({ "volume_id": NOT_THERE })).refused(&["InvalidVolume.NotFound"]),
    },
];
