//! The rules of a web ACL, in AWS's own form with fields in snake case.
//! <https://docs.aws.amazon.com/waf/latest/APIReference/API_Rule.html>

use runbook_modules::input::InputError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A rule.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in the web ACL.
    pub name: String,
    /// Rules are tried in this order; each number once.
    pub priority: i32,
    /// What a request must be like.
    pub statement: Statement,
    /// What happens then: for every statement but a rule group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Whether the actions of a rule group's own rules count: for a rule group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_action: Option<OverrideAction>,
    /// What is measured and sampled.
    pub visibility_config: Visibility,
}

/// One of these: `#{ block: #{} }`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Let through.
    Allow(Nothing),
    /// Refused with 403.
    Block(Nothing),
    /// Only counted; the next rules are tried.
    Count(Nothing),
}

/// One of these: `#{ none: #{} }`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverrideAction {
    /// The group's actions count.
    None(Nothing),
    /// They are only counted.
    Count(Nothing),
}

/// An empty map.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What is measured and sampled.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Visibility {
    /// Whether WAF keeps samples of requests.
    pub sampled_requests_enabled: bool,
    /// Whether CloudWatch counts them.
    pub cloud_watch_metrics_enabled: bool,
    /// The metric's name.
    pub metric_name: String,
}

/// What a request must be like: exactly one of these.
/// <https://docs.aws.amazon.com/waf/latest/APIReference/API_Statement.html>
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// Its size compares so.
    SizeConstraintStatement(Size),
    /// It looks like SQL injection.
    SqliMatchStatement(Match),
    /// It looks like a script.
    XssMatchStatement(Match),
    /// Its address is in a set.
    IpSetReferenceStatement(IpSet),
    /// Its address sends too many.
    RateBasedStatement(Rate),
    /// AWS's own rules match it.
    ManagedRuleGroupStatement(ManagedGroup),
    /// Any of these.
    OrStatement(Several),
    /// All of these.
    AndStatement(Several),
    /// Not this.
    NotStatement(One),
}

/// A size that a part of the request has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Which part.
    pub field_to_match: Field,
    /// `EQ`, `NE`, `LE`, `LT`, `GE` or `GT`.
    pub comparison_operator: String,
    /// Bytes.
    pub size: i64,
    /// How it is decoded first.
    pub text_transformations: Vec<Transformation>,
}

/// A part of the request that is looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Which part.
    pub field_to_match: Field,
    /// How it is decoded first, in the order of their priorities.
    pub text_transformations: Vec<Transformation>,
}

/// A decoding.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transformation {
    /// The order.
    pub priority: i32,
    /// `NONE`, `URL_DECODE`, `HTML_ENTITY_DECODE`, `LOWERCASE` …
    #[serde(rename = "type")]
    pub kind: String,
}

/// Which part of the request: one of these.
/// <https://docs.aws.amazon.com/waf/latest/APIReference/API_FieldToMatch.html>
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What stands behind the question mark.
    QueryString(Nothing),
    /// The path.
    UriPath(Nothing),
    /// The body.
    Body(Oversize),
    /// One header.
    SingleHeader(Header),
    /// The cookies.
    Cookies(Cookies),
}

/// What happens to what is too long to be looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oversize {
    /// `CONTINUE` (look at what fits), `MATCH` or `NO_MATCH`.
    #[serde(default = "keep_on")]
    pub oversize_handling: String,
}

fn keep_on() -> String {
    "CONTINUE".to_owned()
}

/// A header by its name, in lower case.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its name.
    pub name: String,
}

/// All cookies.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cookies {
    /// `ALL`, `KEY` or `VALUE`.
    pub match_scope: String,
    /// `CONTINUE`, `MATCH` or `NO_MATCH`.
    pub oversize_handling: String,
}

/// An IP set by its ARN.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpSet {
    /// Its ARN.
    pub arn: String,
}

/// So many requests of one address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests in the window, 10 or more.
    pub limit: i64,
    /// `IP`: each address counts for itself.
    pub aggregate_key_type: String,
    /// The window in seconds: 60, 120, 300 or 600; 300 when left out.
    #[serde(default = "five_minutes")]
    pub evaluation_window_sec: i64,
}

fn five_minutes() -> i64 {
    300
}

/// A rule group of AWS's or a vendor's.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagedGroup {
    /// `AWS`.
    pub vendor_name: String,
    /// The group's name: `AWSManagedRulesCommonRuleSet`.
    pub name: String,
    /// Rules of the group that do something else. What the former field ExcludedRules did is `count` here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rule_action_overrides: Vec<ActionOverride>,
}

/// A rule of the group with another action.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionOverride {
    /// The rule's name.
    pub name: String,
    /// What it does instead.
    pub action_to_use: Action,
}

/// Two statements or more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Several {
    /// The statements.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct One {
    /// The statement.
    pub statement: Box<Statement>,
}

/// Checks what the types do not say: names and priorities once each, the fitting kind of action.
///
/// # Errors
/// The rule and field.
pub fn check(rules: &[Rule]) -> Result<(), InputError> {
    for (n, rule) in rules.iter().enumerate() {
        let wrong = |field: &str, why: &str| Err(InputError::new(format!("rules.{n}.{field}"), why));
        let earlier = &rules[..n];
        if earlier.iter().any(|other| other.priority == rule.priority) {
            return wrong("priority", "another rule has the same; WAF takes each number once");
        }
        if earlier.iter().any(|other| other.name == rule.name) {
            return wrong("name", "another rule has the same");
        }
        match (&rule.statement, &rule.action, &rule.override_action) {
            (Statement::ManagedRuleGroupStatement(_), None, Some(_)) => {}
            (Statement::ManagedRuleGroupStatement(_), _, _) => {
                return wrong("override_action", "a rule group takes an override_action and no action");
            }
            (_, Some(_), None) => {}
            _ => return wrong("action", "needs an action, and no override_action"),
        }
    }
    Ok(())
}

/// The ARNs of the IP sets that rules name, wherever they stand.
pub fn ip_sets(rules: &Value) -> Vec<&str> {
    match rules {
        Value::Array(list) => list.iter().flat_map(ip_sets).collect(),
        Value::Object(map) => map.iter().flat_map(|(field, value)| named(map, field, value)).collect(),
        _ => Vec::new(),
    }
}

fn named<'a>(map: &'a Map<String, Value>, field: &str, value: &'a Value) -> Vec<&'a str> {
    if field == "ip_set_reference_statement" {
        return map[field].get("arn").and_then(Value::as_str).into_iter().collect();
    }
    ip_sets(value)
}

/// Rules with what is left out filled in and in the order of their priorities, so that asked and found compare.
pub fn normal(rules: &Value) -> Value {
    let Ok(mut typed) = Vec::<Rule>::deserialize(rules) else { return rules.clone() };
    typed.sort_by_key(|rule| rule.priority);
    serde_json::to_value(typed).unwrap_or_else(|_| rules.clone())
}
