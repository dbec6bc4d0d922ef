//! Elastic IP addresses: `allocate_address`, `describe_addresses`.

use std::time::Duration;

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{filter::Filters, simulate};
use crate::row::{Row, at_once};

/// Input of `allocate_address`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `vpc`, the only one AWS still has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// An address pool that you brought to AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ipv4_pool: Option<String>,
    /// The group of zones from which AWS advertises the address; the region without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_border_group: Option<String>,
}

/// Where an address is used.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// In VPCs.
    Vpc,
}

/// The kind `ec2.address`.
pub static ADDRESS: Row = Row {
    meta: &Meta {
        name: "ec2.address",
        create: "allocate_address",
        operations: ("AllocateAddress", "ReleaseAddress"),
        doc: "Allocates an Elastic IP address. It costs money, idle or not, until it is released. \
              [AllocateAddress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html)",
        identity: Identity::Tag,
        usual: (Duration::ZERO, Duration::ZERO),
        cost: Some("Elastic IP address"),
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["allocation_id"],
    along: &[],
    parents: &[],
    judge: at_once,
    differences: same_fields,
    sim: &Simple {
        prefix: "eipalloc-",
        blocked: "InvalidIPAddress.InUse",
        missing: "InvalidAllocationID.NotFound",
        describe: |_, call, id| {
            let pool = call.text("public_ipv4_pool");
            json!({
                "allocation_id": id, "public_ip": simulate::public_ip(id), "domain": "vpc",
                "public_ipv4_pool": if pool.is_empty() { "amazon" } else { pool },
                "network_border_group": call.place.region,
            })
        },
        ..Simple::DEFAULT
    },
};

/// Input of `describe_addresses`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"public-ip": "198.18.0.1"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_addresses`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_addresses",
    operation: "DescribeAddresses",
    doc: "Lists Elastic IP addresses, as `#{addresses: [...]}`. \
          [DescribeAddresses](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| simulate::describe(&ADDRESS, world, call, "allocation_ids", "addresses", &[]),
};

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Address, DomainType, Filter, ResourceType};
    use runbook_modules::error::{CallError, Class};
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Elastic IP addresses.
    pub struct Addresses;

    fn described(address: &Address) -> Value {
        Described::new()
            .text("id", address.allocation_id())
            .text("allocation_id", address.allocation_id())
            .text("public_ip", address.public_ip())
            .text("domain", address.domain())
            .text("public_ipv4_pool", address.public_ipv4_pool())
            .text("network_border_group", address.network_border_group())
            .text("association_id", address.association_id())
            .text("network_interface_id", address.network_interface_id())
            .text("instance_id", address.instance_id())
            .text("private_ip_address", address.private_ip_address())
            .tags(wire::pairs(address.tags()))
            .done()
    }

    impl Listed for Addresses {
        const IDS: &'static str = "allocation_ids";
        const ANSWER: &'static str = "addresses";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_addresses();
            let call = call.set_allocation_ids(wire::some(ids)).set_filters(wire::some(filters));
            Ok(call.send().await.map_err(classify)?.addresses().iter().map(described).collect())
        }
    }

    impl Driver for Addresses {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .allocate_address()
                .domain(DomainType::Vpc)
                .set_public_ipv4_pool(input.public_ipv4_pool)
                .set_network_border_group(input.network_border_group)
                .tag_specifications(wire::tags(ResourceType::ElasticIp, sent));
            let answer = call.send().await.map_err(wire::making)?;
            if answer.allocation_id().is_none() {
                return Err(empty("allocation id"));
            }
            Ok(Described::new()
                .text("id", answer.allocation_id())
                .text("allocation_id", answer.allocation_id())
                .text("public_ip", answer.public_ip())
                .text("domain", answer.domain())
                .text("public_ipv4_pool", answer.public_ipv4_pool())
                .text("network_border_group", answer.network_border_group())
                .tags(sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))))
                .done())
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "allocation_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await
        }

        /// An address that a NAT gateway still holds is answered with "no permission".
        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.release_address().allocation_id(field(at, "allocation_id"));
            call.send().await.map_err(|error| {
                let mut error = classify(error);
                if error.code == "AuthFailure" && error.message.contains("permission to access the specified resource")
                {
                    error.class = Class::Blocked;
                    error.hints.clear();
                }
                error
            })?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            let address = self.read(clients, at).await.ok().flatten();
            let by = address.as_ref().map(|address| field(address, "network_interface_id")).filter(|id| !id.is_empty());
            by.map(|id| format!("associated with {id}")).into_iter().collect()
        }
    }
}
