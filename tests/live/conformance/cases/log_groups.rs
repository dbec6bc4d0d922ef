//! CloudWatch Logs: log groups and for how long they keep what is written.

use serde_json::{Value, json};

use super::keys::key;
use crate::conformance::{
    case::{Case, Other, holds, is, list, part, text},
    lab::Lab,
};

fn asked(lab: &Lab) -> Value {
    json!({ "log_group_name": lab.name("/app/web") })
}

/// A log group of this case's own: its name.
fn group(lab: &Lab) -> Result<String, Other> {
    lab.make("logs.create_log_group", asked(lab))?;
    Ok(lab.name("/app/web"))
}

fn keep(lab: &Lab, days: i32) -> Result<Value, Other> {
    lab.make("logs.put_retention_policy", json!({ "log_group_name": group_name(lab), "retention_in_days": days }))
}

fn group_name(lab: &Lab) -> String {
    lab.name("/app/web")
}

/// This case's group, as it is listed.
fn listed(lab: &Lab) -> Result<Value, Other> {
    let input = json!({ "log_group_name_prefix": group_name(lab) });
    let found = lab.call("logs.describe_log_groups", input).ok()?;
    let own = list(&found, "log_groups").iter().find(|one| text(one, "log_group_name") == group_name(lab));
    Ok(own.cloned().unwrap_or_default())
}

pub const CASES: &[Case] = &[
    Case {
        name: "a log group is described as it was made",
        aws: "an ARN with its name, of class STANDARD, the tags; listed",
        page: "logs/CreateLogGroup",
        run: |lab| {
            let made = lab.make("logs.create_log_group", asked(lab))?;
            holds(text(&made, "arn").ends_with(&format!(":log-group:{}", group_name(lab))), "another ARN")?;
            lab.tagged(&made)?;
            is(&listed(lab)?, "log_group_class", "STANDARD")
        },
    },
    Case {
        name: "a log group for what is seldom read",
        aws: "of class INFREQUENT_ACCESS",
        page: "logs/CreateLogGroup",
        run: |lab| {
            let mut input = asked(lab);
            input["log_group_class"] = "INFREQUENT_ACCESS".into();
            is(&lab.make("logs.create_log_group", input)?, "log_group_class", "INFREQUENT_ACCESS")
        },
    },
    Case {
        name: "a second log group of the same name",
        aws: "`ResourceAlreadyExistsException`",
        page: "logs/CreateLogGroup",
        run: |lab| lab.refused_again("logs.create_log_group", asked(lab), &["ResourceAlreadyExistsException"]),
    },
    Case {
        name: "a log group with a key that does not exist",
        aws: "`InvalidParameterException`",
        page: "logs/CreateLogGroup",
        run: |lab| {
            let mut input = asked(lab);
            let arn = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef";
            input["kms_key_id"] = arn.into();
            lab.refused("logs.create_log_group", input, &["InvalidParameterException"])
        },
    },
    Case {
        name: "a log group with a key that is about to go",
        aws: "`InvalidParameterException`: it is not enabled",
        page: "logs/CreateLogGroup",
        run: |lab| {
            let (made, mut input) = (key(lab)?, asked(lab));
            lab.delete("kms.key", json!({ "key_id": made["key_id"] })).ok()?;
            input["kms_key_id"] = made["arn"].clone();
            lab.refused("logs.create_log_group", input, &["InvalidParameterException"])
        },
    },
    Case {
        name: "log groups by the beginning of their names",
        aws: "those that begin so",
        page: "logs/DescribeLogGroups",
        run: |lab| {
            group(lab)?;
            let other = json!({ "log_group_name": lab.name("/data/web") });
            lab.make("logs.create_log_group", other)?;
            let found = lab.call("logs.describe_log_groups", json!({ "log_group_name_prefix": "/data/" })).ok()?;
            let all = list(&found, "log_groups");
            let fits = all.iter().all(|one| text(one, "log_group_name").starts_with("/data/"));
            holds(!all.is_empty() && fits, "finds others")
        },
    },
    Case {
        name: "a log group that stands is taken over",
        aws: "it gets the tags of the request",
        page: "logs/TagResource",
        run: |lab| {
            let token = lab.token();
            lab.with_token(&token, "logs.create_log_group", asked(lab)).ok()?;
            let taken = lab.make("logs.adopt_log_group", asked(lab))?;
            let effect = |described: &Value| part(described, "tags").get("runbook:effect").cloned();
            holds(effect(&taken).is_some_and(|effect| effect != token[token.len() - 32..]), "the tags of the first")
        },
    },
    Case {
        name: "a log group is taken over that nobody made",
        aws: "it is made, and deleted like any other",
        page: "logs/CreateLogGroup",
        run: |lab| {
            lab.tagged(&lab.make("logs.adopt_log_group", asked(lab))?)?;
            lab.deleted_twice("logs.adopted_log_group", asked(lab), &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "for how long a log group keeps what is written",
        aws: "for ever at first, then as it was put last",
        page: "logs/PutRetentionPolicy",
        run: |lab| {
            group(lab)?;
            holds(part(&listed(lab)?, "retention_in_days").is_null(), "not for ever")?;
            for days in [30, 90] {
                keep(lab, days)?;
                is(&listed(lab)?, "retention_in_days", days)?;
            }
            Ok(())
        },
    },
    Case {
        name: "a log group keeps what is written for ever again",
        aws: "no period is told",
        page: "logs/DeleteRetentionPolicy",
        run: |lab| {
            group(lab)?;
            keep(lab, 30)?;
            lab.delete("logs.retention_policy", asked(lab)).ok()?;
            lab.gone("logs.retention_policy", asked(lab))?;
            holds(part(&listed(lab)?, "retention_in_days").is_null(), "not for ever")
        },
    },
    Case {
        name: "for how long a log group that does not exist keeps what is written",
        aws: "`ResourceNotFoundException`",
        page: "logs/PutRetentionPolicy",
        run: |lab| {
            let input = json!({ "log_group_name": group_name(lab), "retention_in_days": 30 });
            lab.refused("logs.put_retention_policy", input, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a log group is deleted twice",
        aws: "`ResourceNotFoundException`",
        page: "logs/DeleteLogGroup",
        run: |lab| {
            group(lab)?;
            lab.deleted_twice("logs.log_group", asked(lab), &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a log group that an agent made is deleted",
        aws: "gone; a second time `ResourceNotFoundException`",
        page: "logs/DeleteLogGroup",
        run: |lab| {
            group(lab)?;
            lab.call("logs.delete_log_group", asked(lab)).ok()?;
            lab.gone("logs.log_group", asked(lab))?;
            lab.refused("logs.delete_log_group", asked(lab), &["ResourceNotFoundException"])
        },
    },
];
