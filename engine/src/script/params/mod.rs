//! Parameters: what a runbook declares with `params(#{…})`, and the values a person gives for them.
//!
//! * `declare`: the builders that a script calls.
//! * `bind`: values against the declaration.

pub(super) mod bind;
pub(super) mod declare;

use runbook_state::record::Site;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// An IPv4 or IPv6 network, `10.5.0.0/16`.
    Cidr,
    /// A list.
    List,
    /// A map.
    Map,
    /// A secret: never shown, kept sealed.
    Secret,
    /// A time span: `500ms`, `30s`, `5m`, `1h30m`.
    Duration,
    /// One of a fixed set of texts.
    Choice,
}

/// A declared parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParamSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ParamType,
    /// The value when none is given; None: it has none.
    pub default: Option<Value>,
    /// It may stay without a value (`()` in the script).
    pub optional: bool,
    /// A sentence for people; may be empty.
    pub help: String,
    /// The smallest and the largest value (of a number, of a text's or list's length).
    pub range: Option<(f64, f64)>,
    /// The values allowed; empty: any.
    pub choices: Vec<Value>,
    /// A secret that is generated with this many characters when none is given.
    pub generate: Option<u32>,
    /// Where it is declared.
    pub site: Site,
}

/// A secret parameter's value, on its way into the vault.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretValue {
    /// Given by a person.
    Given(zeroize::Zeroizing<String>),
    /// To be generated, with this many characters, unless the vault has it already.
    Generate(u32),
}

/// Values for the parameters of a run.
#[derive(Clone, Default)]
pub struct BoundParams {
    /// Name to value; a secret's value is to be replaced by its placeholder before the run (it is null here).
    pub values: Map<String, Value>,
    /// The secrets, by parameter name.
    pub secrets: Vec<(String, SecretValue)>,
}

impl ParamType {
    /// What a value of it is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Int => "whole number",
            Self::Float => "number",
            Self::Bool => "true or false",
            Self::Cidr => "network such as 10.5.0.0/16",
            Self::List => "list",
            Self::Map => "map",
            Self::Secret => "secret text",
            Self::Duration => "duration such as 5m",
            Self::Choice => "choice",
        }
    }
}
