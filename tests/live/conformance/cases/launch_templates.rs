//! Launch templates.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, list},
    lab::Lab,
};

fn asked(lab: &Lab) -> Value {
    let metadata = json!({ "http_tokens": "required", "http_put_response_hop_limit": 2 });
    json!({
        "launch_template_name": lab.name("nodes"),
        "launch_template_data": { "instance_type": "t3.medium", "metadata_options": metadata },
    })
}

fn make(lab: &Lab) -> Result<Value, Other> {
    lab.make("ec2.create_launch_template", asked(lab))
}

const NOT_THERE: &str = "lt-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "a launch template is described as it was made",
        aws: "its first version is the default and the latest one; what it holds, the tags",
        page: "ec2/CreateLaunchTemplate",
        run: |lab| {
            let made = make(lab)?;
            is(&made, "default_version_number", 1)?;
            is(&made, "latest_version_number", 1)?;
            is(&made, "launch_template_data.instance_type", "t3.medium")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second launch template of the same name",
        aws: "`InvalidLaunchTemplateName.AlreadyExistsException`",
        page: "ec2/errors",
        run: |lab| {
            let codes = ["InvalidLaunchTemplateName.AlreadyExistsException"];
            lab.refused_again("ec2.create_launch_template", asked(lab), &codes)
        },
    },
    Case {
        name: "the same request for a launch template, with the same client token",
        aws: "the same launch template again",
        page: "ec2/CreateLaunchTemplate",
        run: |lab| lab.same_again("ec2.create_launch_template", asked(lab), "launch_template_id"),
    },
    Case {
        name: "launch templates by name",
        aws: "the filter `launch-template-name` keeps it",
        page: "ec2/DescribeLaunchTemplates",
        run: |lab| {
            let made = make(lab)?;
            let input = json!({ "filters": { "launch-template-name": lab.name("nodes") } });
            let found = lab.call("ec2.describe_launch_templates", input).ok()?;
            holds(list(&found, "launch_templates").len() == 1, "finds others")?;
            is(&found, "launch_templates.0.launch_template_id", made["launch_template_id"].clone())
        },
    },
    Case {
        name: "a launch template that does not exist is described",
        aws: "`InvalidLaunchTemplateId.NotFound`, in the field with `Exception` at its end",
        page: "ec2/errors",
        run: |lab| {
            let codes = ["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.NotFoundException"];
            lab.refused("ec2.describe_launch_templates", json!({ "launch_template_ids": [NOT_THERE] }), &codes)
        },
    },
    Case {
        name: "a launch template is deleted twice",
        aws: "`InvalidLaunchTemplateId.NotFound`, in the field with `Exception` at its end",
        page: "ec2/DeleteLaunchTemplate",
        run: |lab| {
            let at = json!({ "launch_template_id": make(lab)?["launch_template_id"] });
            let codes = ["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.NotFoundException"];
            lab.deleted_twice("ec2.launch_template", at, &codes)
        },
    },
    Case {
        name: "a launch template that a controller made is deleted",
        aws: "gone; then `InvalidLaunchTemplateId.NotFound`, in the field with `Exception` at its end",
        page: "ec2/DeleteLaunchTemplate",
        run: |lab| {
            let at = json!({ "launch_template_id": make(lab)?["launch_template_id"] });
            lab.call("ec2.delete_launch_template", at.clone()).ok()?;
            lab.gone("ec2.launch_template", at.clone())?;
            let codes = ["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.NotFoundException"];
            lab.call("ec2.delete_launch_template", at).refused(&codes)
        },
    },
];
