//! Launch templates: `create_launch_template`, `describe_launch_templates`.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta},
    sandbox::{clock_text::rfc3339, sim::Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{REMEMBERED, filter::Filters, simulate};
use crate::row::{Row, at_once, unordered};

/// Input of `create_launch_template`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in account and region.
    pub launch_template_name: String,
    /// What its first version is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_description: Option<String>,
    /// What instances are made with.
    pub launch_template_data: Data,
}

/// What instances are made with. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The image. A managed node group takes EKS's own without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// The instance type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Base64 text given to the instance. Not a secret: everybody on the instance reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
    /// The groups of the instances. A node group with such a list gets these and not the cluster's own group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group_ids: Option<Vec<String>>,
    /// How the instance metadata service answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_options: Option<Metadata>,
    /// Disks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_device_mappings: Option<Vec<Disk>>,
    /// Tags of what is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_specifications: Option<Vec<Tags>>,
}

/// How the instance metadata service answers.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// `required` (version 2 only) or `optional`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_tokens: Option<String>,
    /// Through how many hops the answer goes: pods need 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_put_response_hop_limit: Option<i32>,
    /// `enabled` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_endpoint: Option<String>,
}

/// A disk.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Its name: `/dev/xvda` is the root of Amazon Linux.
    pub device_name: String,
    /// The volume.
    pub ebs: Volume,
}

/// A volume. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateEbsBlockDeviceRequest.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_size: Option<i32>,
    /// `gp3` and its like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<String>,
    /// Whether it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// The key; AWS's own without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Whether it goes with its instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_on_termination: Option<bool>,
}

/// Tags of one type of thing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tags {
    /// `instance`, `volume`, `network-interface`.
    pub resource_type: String,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

/// The kind `ec2.launch_template`.
pub static LAUNCH_TEMPLATE: Row = Row {
    meta: &Meta {
        name: "ec2.launch_template",
        create: "create_launch_template",
        operations: ("CreateLaunchTemplate", "DeleteLaunchTemplate"),
        doc: "Makes a launch template with its first version. \
              [CreateLaunchTemplate](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html)",
        identity: Identity::Token { field: "client_token", safe: REMEMBERED, key: true },
        usual: (Duration::ZERO, Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["launch_template_id"],
    along: &[],
    parents: &["launch_template_data.security_group_ids"],
    judge: at_once,
    differences: unordered,
    sim: &Simple {
        prefix: "lt-",
        unique: (&["launch_template_name"], "InvalidLaunchTemplateName.AlreadyExistsException"),
        token: true,
        missing: "InvalidLaunchTemplateId.NotFoundException",
        check: |world, call| {
            let groups = call.input["launch_template_data"]["security_group_ids"].as_array();
            let known = |id: &&Value| {
                simulate::get(world, call, "ec2.security_group", id.as_str().unwrap_or_default()).is_some()
            };
            match groups.into_iter().flatten().find(|id| !known(id)) {
                None => Ok(()),
                Some(id) => {
                    let text = format!("The security group {id} does not exist");
                    Err(CallError::refused("InvalidGroup.NotFound", text))
                }
            }
        },
        describe: |_, call, id| {
            json!({
                "launch_template_id": id, "name": call.text("launch_template_name"), "create_time": rfc3339(call.now_ms),
                "default_version_number": 1, "latest_version_number": 1,
            })
        },
        ..Simple::DEFAULT
    },
};

/// Input of `describe_launch_templates`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_template_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"launch-template-name": "apps"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_launch_templates`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_launch_templates",
    operation: "DescribeLaunchTemplates",
    doc: "Lists launch templates, as `#{launch_templates: [...]}`. \
          [DescribeLaunchTemplates](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        simulate::describe(&LAUNCH_TEMPLATE, world, call, "launch_template_ids", "launch_templates", &[])
    },
};

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{
        Filter, LaunchTemplate, LaunchTemplateBlockDeviceMapping, LaunchTemplateBlockDeviceMappingRequest,
        LaunchTemplateEbsBlockDevice, LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateHttpTokensState,
        LaunchTemplateInstanceMetadataEndpointState, LaunchTemplateInstanceMetadataOptions,
        LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateTagSpecification,
        LaunchTemplateTagSpecificationRequest, RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData,
        Tag,
    };
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
        empty,
    };

    /// Launch templates.
    pub struct LaunchTemplates;

    fn described(template: &LaunchTemplate) -> Described {
        Described::new()
            .text("id", template.launch_template_id())
            .text("launch_template_id", template.launch_template_id())
            .text("name", template.launch_template_name())
            .text("launch_template_name", template.launch_template_name())
            .value("default_version_number", template.default_version_number())
            .value("latest_version_number", template.latest_version_number())
            .time("create_time", template.create_time())
            .tags(wire::pairs(template.tags()))
    }

    fn data(asked: super::Data) -> RequestLaunchTemplateData {
        let metadata = |asked: super::Metadata| {
            LaunchTemplateInstanceMetadataOptionsRequest::builder()
                .set_http_tokens(asked.http_tokens.as_deref().map(LaunchTemplateHttpTokensState::from))
                .set_http_put_response_hop_limit(asked.http_put_response_hop_limit)
                .set_http_endpoint(
                    asked.http_endpoint.as_deref().map(LaunchTemplateInstanceMetadataEndpointState::from),
                )
                .build()
        };
        let disk = |asked: super::Disk| {
            let volume = LaunchTemplateEbsBlockDeviceRequest::builder()
                .set_volume_size(asked.ebs.volume_size)
                .set_volume_type(asked.ebs.volume_type.as_deref().map(Into::into))
                .set_encrypted(asked.ebs.encrypted)
                .set_kms_key_id(asked.ebs.kms_key_id)
                .set_delete_on_termination(asked.ebs.delete_on_termination)
                .build();
            LaunchTemplateBlockDeviceMappingRequest::builder().device_name(asked.device_name).ebs(volume).build()
        };
        let tags = |asked: super::Tags| {
            let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
            LaunchTemplateTagSpecificationRequest::builder()
                .resource_type(ResourceType::from(asked.resource_type.as_str()))
                .set_tags(Some(asked.tags.into_iter().map(tag).collect()))
                .build()
        };
        RequestLaunchTemplateData::builder()
            .set_image_id(asked.image_id)
            .set_instance_type(asked.instance_type.as_deref().map(Into::into))
            .set_user_data(asked.user_data)
            .set_security_group_ids(asked.security_group_ids)
            .set_metadata_options(asked.metadata_options.map(metadata))
            .set_block_device_mappings(asked.block_device_mappings.map(|all| all.into_iter().map(disk).collect()))
            .set_tag_specifications(asked.tag_specifications.map(|all| all.into_iter().map(tags).collect()))
            .build()
    }

    fn found(data: &ResponseLaunchTemplateData) -> Value {
        let metadata = |found: &LaunchTemplateInstanceMetadataOptions| {
            Described::new()
                .text("http_tokens", found.http_tokens())
                .value("http_put_response_hop_limit", found.http_put_response_hop_limit())
                .text("http_endpoint", found.http_endpoint())
                .done()
        };
        let volume = |found: &LaunchTemplateEbsBlockDevice| {
            Described::new()
                .value("volume_size", found.volume_size())
                .text("volume_type", found.volume_type())
                .value("encrypted", found.encrypted())
                .text("kms_key_id", found.kms_key_id())
                .value("delete_on_termination", found.delete_on_termination())
                .done()
        };
        let disk = |found: &LaunchTemplateBlockDeviceMapping| {
            Described::new().text("device_name", found.device_name()).value("ebs", found.ebs().map(volume)).done()
        };
        let tags = |found: &LaunchTemplateTagSpecification| {
            let described = Described::new().text("resource_type", found.resource_type());
            described.tags(wire::pairs(found.tags())).done()
        };
        let mut described = Described::new()
            .text("image_id", data.image_id())
            .text("instance_type", data.instance_type())
            .text("user_data", data.user_data())
            .value("metadata_options", data.metadata_options().map(metadata));
        if !data.security_group_ids().is_empty() {
            described = described.value("security_group_ids", Some(texts(data.security_group_ids())));
        }
        if !data.block_device_mappings().is_empty() {
            described = described.list("block_device_mappings", data.block_device_mappings(), disk);
        }
        if !data.tag_specifications().is_empty() {
            described = described.list("tag_specifications", data.tag_specifications(), tags);
        }
        described.done()
    }

    impl Listed for LaunchTemplates {
        const IDS: &'static str = "launch_template_ids";
        const ANSWER: &'static str = "launch_templates";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_launch_templates().set_launch_template_ids(wire::some(ids));
            let pages = call.set_filters(wire::some(filters)).into_paginator().items().send();
            let templates: Vec<LaunchTemplate> = pages.try_collect().await.map_err(classify)?;
            Ok(templates.iter().map(|template| described(template).done()).collect())
        }
    }

    impl Driver for LaunchTemplates {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_launch_template()
                .client_token(sent.token)
                .launch_template_name(input.launch_template_name)
                .set_version_description(input.version_description)
                .launch_template_data(data(input.launch_template_data))
                .tag_specifications(wire::tags(ResourceType::LaunchTemplate, sent));
            let answer = call.send().await.map_err(wire::making)?;
            let Some(made) = answer.launch_template() else { return Err(empty("launch template")) };
            Ok(described(made).value("launch_template_data", sent.input.get("launch_template_data").cloned()).done())
        }

        /// With the data of its default version: that is what instances are made with.
        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let id = field(at, "launch_template_id");
            let Some(mut template) = wire::one::<Self>(clients, id).await? else { return Ok(None) };
            let call = clients.ec2.describe_launch_template_versions().launch_template_id(id).versions("$Default");
            let answer = call.send().await.map_err(classify)?;
            if let Some(data) = answer.launch_template_versions().first().and_then(|one| one.launch_template_data()) {
                template["launch_template_data"] = found(data);
            }
            Ok(Some(template))
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let name = wire::by("launch-template-name", field(sent.input, "launch_template_name"));
            Self::list(clients, Vec::new(), vec![name]).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.delete_launch_template().launch_template_id(field(at, "launch_template_id"));
            call.send().await.map_err(classify).map(|_| ())
        }
    }
}
