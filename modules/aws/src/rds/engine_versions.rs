//! Engine versions: `describe_db_engine_versions`.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::simulate::same_version;

/// An engine version of the sandbox's RDS.
pub(super) struct Offered {
    pub(super) engine: &'static str,
    version: &'static str,
    default: bool,
}

impl Offered {
    /// The major version: `16` of `16.6`, `8.0` of `8.0.42`.
    pub(super) fn major(&self) -> &'static str {
        let dots = if self.engine.contains("mysql") || self.engine == "mariadb" { 2 } else { 1 };
        let end = self.version.match_indices('.').nth(dots - 1).map_or(self.version.len(), |(at, _)| at);
        &self.version[..end]
    }

    /// The family of its parameter groups: `postgres16`.
    pub(super) fn family(&self) -> String {
        format!("{}{}", self.engine, self.major())
    }
}

const fn offered(engine: &'static str, version: &'static str, default: bool) -> Offered {
    Offered { engine, version, default }
}

/// The engine versions that the sandbox's RDS offers, oldest first, as RDS lists them.
pub(super) static OFFERED: [Offered; 20] = [
    offered("aurora-mysql", "8.0.mysql_aurora.3.08.2", true),
    offered("aurora-postgresql", "14.18", false),
    offered("aurora-postgresql", "15.13", false),
    offered("aurora-postgresql", "16.6", false),
    offered("aurora-postgresql", "16.9", false),
    offered("aurora-postgresql", "17.4", false),
    offered("aurora-postgresql", "17.5", true),
    offered("mariadb", "11.8.3", true),
    offered("mysql", "8.0.43", false),
    offered("mysql", "8.4.6", true),
    offered("postgres", "14.19", false),
    offered("postgres", "15.14", false),
    offered("postgres", "16.6", false),
    offered("postgres", "16.8", false),
    offered("postgres", "16.9", false),
    offered("postgres", "16.10", false),
    offered("postgres", "17.4", false),
    offered("postgres", "17.5", false),
    offered("postgres", "17.6", true),
    offered("postgres", "18.1", false),
];

/// The newest version that an asked one stands for (`16` is 16.10), or the engine's default when none is asked for.
///
/// # Errors
/// The engine or the version is not offered.
pub(super) fn chosen(engine: &str, asked: &str) -> Result<&'static Offered, CallError> {
    let of_engine = || OFFERED.iter().filter(|offered| offered.engine == engine);
    if of_engine().next().is_none() {
        return Err(CallError::refused("InvalidParameterValue", format!("Invalid DB engine: {engine}")));
    }
    let found = match asked {
        "" => of_engine().find(|offered| offered.default),
        _ => of_engine().rfind(|offered| same_version(asked, offered.version)),
    };
    found.ok_or_else(|| {
        CallError::refused("InvalidParameterCombination", format!("Cannot find version {asked} for {engine}"))
    })
}

impl Offered {
    /// The version's full number.
    pub(super) fn version(&self) -> &'static str {
        self.version
    }
}

/// Which versions are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only this engine, e.g. `postgres` or `aurora-postgresql`.
    pub engine: Option<String>,
    /// Only this version; a major version (`16`) gives all of it.
    pub engine_version: Option<String>,
    /// Only those of this parameter group family, e.g. `postgres16`.
    pub db_parameter_group_family: Option<String>,
    /// Only the version that is used when none is asked for.
    pub default_only: Option<bool>,
}

/// `rds.describe_db_engine_versions`.
pub static DESCRIBE: Operation = Operation {
    name: "rds.describe_db_engine_versions",
    operation: "DescribeDBEngineVersions",
    doc: "Lists the engine versions that RDS offers, oldest first, as `#{db_engine_versions: [...]}`: maps with `engine`, \
          `engine_version`, `major_engine_version`, `db_parameter_group_family` and `status`.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBEngineVersions.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

fn describe(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let [engine, version, family] =
        ["engine", "engine_version", "db_parameter_group_family"].map(|field| call.text(field));
    let default_only = call.input.get("default_only") == Some(&Value::Bool(true));
    let fits = |offered: &&Offered| {
        (engine.is_empty() || offered.engine == engine)
            && (version.is_empty() || same_version(version, offered.version))
            && (family.is_empty() || offered.family() == family)
            && (!default_only || offered.default)
    };
    let described = |offered: &Offered| {
        json!({
            "engine": offered.engine, "engine_version": offered.version, "major_engine_version": offered.major(),
            "db_parameter_group_family": offered.family(), "status": "available",
        })
    };
    let list: Vec<Value> = OFFERED.iter().filter(fits).map(described).collect();
    Ok(json!({ "db_engine_versions": list }))
}
