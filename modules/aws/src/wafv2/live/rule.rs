//! Rules as the SDK takes them, and as WAF answers them in the input's form.

use aws_sdk_wafv2::types::{
    All, AllowAction, AndStatement, BlockAction, Body, ComparisonOperator, CookieMatchPattern, Cookies, CountAction,
    FieldToMatch, IpSetReferenceStatement, ManagedRuleGroupStatement, MapMatchScope, NoneAction, NotStatement,
    OrStatement, OverrideAction, OversizeHandling, QueryString, RateBasedStatement, RateBasedStatementAggregateKeyType,
    Rule, RuleAction, RuleActionOverride, SingleHeader, SizeConstraintStatement, SqliMatchStatement, Statement,
    TextTransformation, TextTransformationType, UriPath, VisibilityConfig, XssMatchStatement,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use crate::{live::convert::built, wafv2::rule as asked};

/// A rule as the SDK takes it.
///
/// # Errors
/// `RequestNotBuilt`.
pub fn rule(rule: &asked::Rule) -> Result<Rule, CallError> {
    let over = rule.override_action.as_ref().map(|over| match over {
        asked::OverrideAction::None(_) => OverrideAction::builder().none(NoneAction::builder().build()).build(),
        asked::OverrideAction::Count(_) => OverrideAction::builder().count(CountAction::builder().build()).build(),
    });
    let built_rule = Rule::builder()
        .name(&rule.name)
        .priority(rule.priority)
        .statement(statement(&rule.statement)?)
        .set_action(rule.action.as_ref().map(action))
        .set_override_action(over)
        .visibility_config(visibility(&rule.visibility_config)?);
    built(built_rule.build())
}

/// What is measured, as the SDK takes it.
///
/// # Errors
/// `RequestNotBuilt`.
pub fn visibility(asked: &asked::Visibility) -> Result<VisibilityConfig, CallError> {
    let config = VisibilityConfig::builder()
        .sampled_requests_enabled(asked.sampled_requests_enabled)
        .cloud_watch_metrics_enabled(asked.cloud_watch_metrics_enabled)
        .metric_name(&asked.metric_name);
    built(config.build())
}

fn action(asked: &asked::Action) -> RuleAction {
    let action = RuleAction::builder();
    match asked {
        asked::Action::Allow(_) => action.allow(AllowAction::builder().build()),
        asked::Action::Block(_) => action.block(BlockAction::builder().build()),
        asked::Action::Count(_) => action.count(CountAction::builder().build()),
    }
    .build()
}

fn statement(statement: &asked::Statement) -> Result<Statement, CallError> {
    use asked::Statement as Asked;
    let made = Statement::builder();
    let made = match statement {
        Asked::SizeConstraintStatement(size) => made.size_constraint_statement(built(
            SizeConstraintStatement::builder()
                .field_to_match(part(&size.field_to_match)?)
                .comparison_operator(ComparisonOperator::from(size.comparison_operator.as_str()))
                .size(size.size)
                .set_text_transformations(Some(transformations(&size.text_transformations)?))
                .build(),
        )?),
        Asked::SqliMatchStatement(found) => made.sqli_match_statement(built(
            SqliMatchStatement::builder()
                .field_to_match(part(&found.field_to_match)?)
                .set_text_transformations(Some(transformations(&found.text_transformations)?))
                .build(),
        )?),
        Asked::XssMatchStatement(found) => made.xss_match_statement(built(
            XssMatchStatement::builder()
                .field_to_match(part(&found.field_to_match)?)
                .set_text_transformations(Some(transformations(&found.text_transformations)?))
                .build(),
        )?),
        Asked::IpSetReferenceStatement(set) => {
            made.ip_set_reference_statement(built(IpSetReferenceStatement::builder().arn(&set.arn).build())?)
        }
        Asked::RateBasedStatement(rate) => made.rate_based_statement(built(
            RateBasedStatement::builder()
                .limit(rate.limit)
                .evaluation_window_sec(rate.evaluation_window_sec)
                .aggregate_key_type(RateBasedStatementAggregateKeyType::from(rate.aggregate_key_type.as_str()))
                .build(),
        )?),
        Asked::ManagedRuleGroupStatement(group) => made.managed_rule_group_statement(managed(group)?),
        Asked::OrStatement(several) => {
            made.or_statement(built(OrStatement::builder().set_statements(Some(all(several)?)).build())?)
        }
        Asked::AndStatement(several) => {
            made.and_statement(built(AndStatement::builder().set_statements(Some(all(several)?)).build())?)
        }
        Asked::NotStatement(one) => {
            made.not_statement(NotStatement::builder().statement(self::statement(&one.statement)?).build())
        }
    };
    Ok(made.build())
}

fn all(several: &asked::Several) -> Result<Vec<Statement>, CallError> {
    several.statements.iter().map(statement).collect()
}

fn managed(group: &asked::ManagedGroup) -> Result<ManagedRuleGroupStatement, CallError> {
    let over = |one: &asked::ActionOverride| {
        built(RuleActionOverride::builder().name(&one.name).action_to_use(action(&one.action_to_use)).build())
    };
    let overrides = group.rule_action_overrides.iter().map(over).collect::<Result<Vec<_>, _>>()?;
    let statement = ManagedRuleGroupStatement::builder()
        .vendor_name(&group.vendor_name)
        .name(&group.name)
        .set_rule_action_overrides(Some(overrides).filter(|list| !list.is_empty()));
    built(statement.build())
}

fn transformations(asked: &[asked::Transformation]) -> Result<Vec<TextTransformation>, CallError> {
    let one = |asked: &asked::Transformation| {
        let kind = TextTransformationType::from(asked.kind.as_str());
        built(TextTransformation::builder().priority(asked.priority).r#type(kind).build())
    };
    asked.iter().map(one).collect()
}

fn part(field: &asked::Field) -> Result<FieldToMatch, CallError> {
    let made = FieldToMatch::builder();
    let made = match field {
        asked::Field::QueryString(_) => made.query_string(QueryString::builder().build()),
        asked::Field::UriPath(_) => made.uri_path(UriPath::builder().build()),
        asked::Field::Body(body) => {
            let oversize = OversizeHandling::from(body.oversize_handling.as_str());
            made.body(Body::builder().oversize_handling(oversize).build())
        }
        asked::Field::SingleHeader(header) => {
            made.single_header(built(SingleHeader::builder().name(&header.name).build())?)
        }
        asked::Field::Cookies(cookies) => made.cookies(built(
            Cookies::builder()
                .match_pattern(CookieMatchPattern::builder().all(All::builder().build()).build())
                .match_scope(MapMatchScope::from(cookies.match_scope.as_str()))
                .oversize_handling(OversizeHandling::from(cookies.oversize_handling.as_str()))
                .build(),
        )?),
    };
    Ok(made.build())
}

/// A rule as WAF answers it. What the input cannot say is left out, so that it shows as a difference.
pub fn found(rule: &Rule) -> Value {
    let mut found = json!({ "name": rule.name(), "priority": rule.priority() });
    if let Some(statement) = rule.statement() {
        found["statement"] = statement_found(statement);
    }
    if let Some(action) = rule.action() {
        found["action"] = action_found(action);
    }
    if let Some(over) = rule.override_action() {
        found["override_action"] = if over.count().is_some() { json!({ "count": {} }) } else { json!({ "none": {} }) };
    }
    if let Some(seen) = rule.visibility_config() {
        found["visibility_config"] = visibility_found(seen);
    }
    found
}

/// What is measured, as WAF answers it.
pub fn visibility_found(config: &VisibilityConfig) -> Value {
    json!({
        "sampled_requests_enabled": config.sampled_requests_enabled(),
        "cloud_watch_metrics_enabled": config.cloud_watch_metrics_enabled(),
        "metric_name": config.metric_name(),
    })
}

fn action_found(action: &RuleAction) -> Value {
    if action.block().is_some() {
        json!({ "block": {} })
    } else if action.allow().is_some() {
        json!({ "allow": {} })
    } else {
        json!({ "count": {} })
    }
}

fn statement_found(statement: &Statement) -> Value {
    if let Some(size) = statement.size_constraint_statement() {
        json!({ "size_constraint_statement": {
            "field_to_match": part_found(size.field_to_match()), "comparison_operator": size.comparison_operator().as_str(),
            "size": size.size(), "text_transformations": transformations_found(size.text_transformations()),
        } })
    } else if let Some(found) = statement.sqli_match_statement() {
        json!({ "sqli_match_statement": match_found(found.field_to_match(), found.text_transformations()) })
    } else if let Some(found) = statement.xss_match_statement() {
        json!({ "xss_match_statement": match_found(found.field_to_match(), found.text_transformations()) })
    } else if let Some(set) = statement.ip_set_reference_statement() {
        json!({ "ip_set_reference_statement": { "arn": set.arn() } })
    } else if let Some(rate) = statement.rate_based_statement() {
        json!({ "rate_based_statement": {
            "limit": rate.limit(), "aggregate_key_type": rate.aggregate_key_type().as_str(),
            "evaluation_window_sec": rate.evaluation_window_sec(),
        } })
    } else if let Some(group) = statement.managed_rule_group_statement() {
        json!({ "managed_rule_group_statement": managed_found(group) })
    } else if let Some(several) = statement.or_statement() {
        json!({ "or_statement": { "statements": several.statements().iter().map(statement_found).collect::<Value>() } })
    } else if let Some(several) = statement.and_statement() {
        json!({ "and_statement": { "statements": several.statements().iter().map(statement_found).collect::<Value>() } })
    } else if let Some(one) = statement.not_statement().and_then(NotStatement::statement) {
        json!({ "not_statement": { "statement": statement_found(one) } })
    } else {
        json!({})
    }
}

fn managed_found(group: &ManagedRuleGroupStatement) -> Value {
    let mut found = json!({ "vendor_name": group.vendor_name(), "name": group.name() });
    let over = |one: &RuleActionOverride| json!({ "name": one.name(), "action_to_use": one.action_to_use().map(action_found) });
    if !group.rule_action_overrides().is_empty() {
        found["rule_action_overrides"] = group.rule_action_overrides().iter().map(over).collect();
    }
    found
}

fn match_found(field: Option<&FieldToMatch>, decoded: &[TextTransformation]) -> Value {
    json!({ "field_to_match": part_found(field), "text_transformations": transformations_found(decoded) })
}

fn transformations_found(list: &[TextTransformation]) -> Value {
    list.iter().map(|one| json!({ "priority": one.priority(), "type": one.r#type().as_str() })).collect()
}

fn part_found(field: Option<&FieldToMatch>) -> Value {
    let Some(field) = field else { return json!({}) };
    let oversize =
        |handling: Option<&OversizeHandling>| handling.map_or("CONTINUE", OversizeHandling::as_str).to_owned();
    if field.query_string().is_some() {
        json!({ "query_string": {} })
    } else if field.uri_path().is_some() {
        json!({ "uri_path": {} })
    } else if let Some(body) = field.body() {
        json!({ "body": { "oversize_handling": oversize(body.oversize_handling()) } })
    } else if let Some(header) = field.single_header() {
        json!({ "single_header": { "name": header.name() } })
    } else if let Some(cookies) = field.cookies() {
        let handling = cookies.oversize_handling().as_str();
        json!({ "cookies": { "match_scope": cookies.match_scope().as_str(), "oversize_handling": handling } })
    } else {
        json!({})
    }
}
