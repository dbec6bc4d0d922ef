//! `autoscaling.describe_auto_scaling_groups`. No kind: EKS makes the groups.

use runbook_modules::{
    input::{self, InputError},
    operation::{Class, Operation},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::simulate;
use crate::ec2::filter::{self, Filters};

/// Which groups. See <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these; a name that no group bears is left out.
    pub auto_scaling_group_names: Option<Vec<String>>,
    /// Only those with these tags: `tag:KEY`, `tag-key`, `tag-value`, e.g. `#{"tag:eks:cluster-name": cluster.name}`.
    pub filters: Option<Filters>,
}

/// `autoscaling.describe_auto_scaling_groups`.
pub static DESCRIBE: Operation = Operation {
    name: "autoscaling.describe_auto_scaling_groups",
    operation: "DescribeAutoScalingGroups",
    doc: "Lists Auto Scaling groups, as `#{auto_scaling_groups: [...]}`: maps with `auto_scaling_group_name`, `min_size`, `max_size`, \
          `desired_capacity`, `instances` and `tags`.\n\nA node group of EKS names its own in `resources.auto_scaling_groups`. See the \
          [Auto Scaling reference](https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check,
    token: None,
    settle: None,
    sim: |world, call| {
        let groups = simulate::groups(world, call);
        let kept: Vec<Value> = groups.into_iter().filter(|group| is_wanted(call.input, group)).collect();
        Ok(json!({ "auto_scaling_groups": kept }))
    },
};

fn check(value: &Value) -> Result<(), InputError> {
    input::check::<Describe>(value)?;
    let known = |name: &String| name.starts_with("tag:") || matches!(name.as_str(), "tag-key" | "tag-value");
    match filter::of(value).into_keys().find(|name| !known(name)) {
        None => Ok(()),
        Some(wrong) => Err(InputError::new(
            format!("filters.{wrong}"),
            "the filters of Auto Scaling are tag:KEY, tag-key and tag-value",
        )),
    }
}

/// Whether a described group passes an input. Auto Scaling knows no wildcards.
fn is_wanted(input: &Value, group: &Value) -> bool {
    let names = input.get("auto_scaling_group_names").and_then(Value::as_array);
    if names.is_some_and(|names| !names.is_empty() && !names.contains(&group["auto_scaling_group_name"])) {
        return false;
    }
    filter::of(input).iter().all(|(name, values)| {
        let values = values.list();
        let has = |text: &str| values.iter().any(|value| value == text);
        let mut tags = group["tags"].as_object().into_iter().flatten();
        match name.strip_prefix("tag:") {
            Some(key) => tags.any(|(tag, value)| tag == key && value.as_str().is_some_and(has)),
            None if name == "tag-key" => tags.any(|(tag, _)| has(tag)),
            None => tags.any(|(_, value)| value.as_str().is_some_and(has)),
        }
    })
}
