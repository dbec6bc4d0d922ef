//! IPv4 blocks: the input's type, and the arithmetic of what AWS accepts.

use std::borrow::Cow;

use ipnet::Ipv4Net;
use runbook_modules::error::CallError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An IPv4 block without host bits, e.g. `10.5.0.0/16`. AWS would silently change `10.5.0.1/16` to it, and the script's text would
/// then differ from the description for ever; so it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr(pub Ipv4Net);

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let net: Ipv4Net = text.parse().map_err(|_| format!("`{text}` is not an IPv4 block such as 10.5.0.0/16"))?;
        if net.trunc() == net {
            Ok(Self(net))
        } else {
            Err(format!("`{text}` has host bits set; the block is {}", net.trunc()))
        }
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.0.to_string()
    }
}

impl JsonSchema for Cidr {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cidr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "cidr", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$" })
    }
}

/// A block out of a simulated object; None when it is none.
pub fn net(text: &str) -> Option<Ipv4Net> {
    text.parse().ok()
}

/// Whether two blocks share an address.
pub fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// Refuses a size that VPCs and subnets cannot have, with the given code.
///
/// # Errors
/// The refusal.
pub fn check_size(text: &str, code: &str) -> Result<Ipv4Net, CallError> {
    let refuse = || CallError::refused(code, format!("The CIDR '{text}' is invalid."));
    let net = net(text).ok_or_else(refuse)?;
    if (16..=28).contains(&net.prefix_len()) { Ok(net) } else { Err(refuse().hint("between /16 and /28")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_with_host_bits_is_refused_and_the_block_named() {
        let wrong = Cidr::try_from("10.5.0.1/16".to_owned());
        assert_eq!(wrong, Err("`10.5.0.1/16` has host bits set; the block is 10.5.0.0/16".to_owned()));
    }

    #[test]
    fn sizes_end_at_16_and_28() {
        assert!(check_size("10.0.0.0/16", "InvalidVpcRange").is_ok());
        assert!(check_size("10.0.0.0/28", "InvalidVpcRange").is_ok());
        assert_eq!(check_size("10.0.0.0/15", "InvalidVpcRange").map_err(|e| e.code), Err("InvalidVpcRange".to_owned()));
        assert_eq!(check_size("10.0.0.0/29", "InvalidVpcRange").map_err(|e| e.code), Err("InvalidVpcRange".to_owned()));
    }
}
