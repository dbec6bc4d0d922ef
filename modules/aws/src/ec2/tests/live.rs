//! The requests of the real SDK client, field by field, and what its answers become. No network.

use runbook_modules::{
    error::{CallError, Class},
    resource::Kind,
};
use serde_json::{Value, json};

use super::Bench;
use crate::{
    ec2,
    live::testing::{Answer, Seen, TOKEN, Wire, sent, tag_json, tags, xml_answer},
};

mod answers;
mod kinds;
mod links;
mod logs_and_templates;
mod operations;
mod others;
mod snapshots;

/// An answer of EC2: the element `<Action>Response` around the content.
pub(super) fn answer(action: &str, content: &str) -> Answer {
    xml_answer(&format!(
        "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>{content}</{action}Response>"
    ))
}

/// A refusal of EC2.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, format!("<Response><Errors>{error}</Errors><RequestID>req-9</RequestID></Response>"))
}

/// The tags of the test request as EC2 lists them.
pub(super) fn tag_set() -> String {
    let each = |(key, value)| format!("<item><key>{key}</key><value>{value}</value></item>");
    format!("<tagSet>{}</tagSet>", tags().into_iter().map(each).collect::<String>())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// A conversation: what was answered to us, and what went out.
pub(super) struct Said<T> {
    pub(super) answer: T,
    pub(super) seen: Vec<Seen>,
}

impl<T> Said<T> {
    /// The actions in order.
    pub(super) fn actions(&self) -> Vec<String> {
        self.seen.iter().map(|seen| seen.form().remove("Action").unwrap_or_default()).collect()
    }

    /// The last request's fields, but for `Action` and `Version`, and with the tags checked and taken out.
    pub(super) fn fields(&self, tagged: Option<&str>) -> Value {
        let mut form = self.seen.last().expect("a request").form();
        form.remove("Action");
        assert_eq!(form.remove("Version").as_deref(), Some("2016-11-15"));
        if let Some(resource) = tagged {
            assert_eq!(form.remove("TagSpecification.1.ResourceType").as_deref(), Some(resource));
            for (i, (key, value)) in tags().into_iter().enumerate() {
                let field = |part: &str| format!("TagSpecification.1.Tag.{}.{part}", i + 1);
                assert_eq!(form.remove(&field("Key")), Some(key));
                assert_eq!(form.remove(&field("Value")), Some(value));
            }
        }
        json!(form)
    }
}

pub(super) fn create(kind: &str, input: Value, answers: Vec<Answer>) -> Said<Result<Value, CallError>> {
    let row = super::full_table().kind(kind).expect("in the table");
    assert_eq!(row.check(&input), Ok(()), "the input of {kind}");
    let (wire, tags) = (Wire::answering(answers), tags());
    let driver = ec2::driver(kind).expect("live calls");
    let answer = block_on(driver.create(&wire.clients, &sent(&input, &tags)));
    Said { answer, seen: wire.seen() }
}

pub(super) fn find(kind: &str, input: Value, answers: Vec<Answer>) -> Said<Result<Vec<Value>, CallError>> {
    let (wire, tags) = (Wire::answering(answers), tags());
    let driver = ec2::driver(kind).expect("live calls");
    let answer = block_on(driver.find(&wire.clients, &sent(&input, &tags)));
    Said { answer, seen: wire.seen() }
}

pub(super) fn read(kind: &str, at: Value, answers: Vec<Answer>) -> Said<Result<Option<Value>, CallError>> {
    let wire = Wire::answering(answers);
    let driver = ec2::driver(kind).expect("live calls");
    let answer = block_on(driver.read(&wire.clients, &at));
    Said { answer, seen: wire.seen() }
}

pub(super) fn delete(kind: &str, at: Value, answers: Vec<Answer>) -> Said<Result<(), CallError>> {
    let wire = Wire::answering(answers);
    let driver = ec2::driver(kind).expect("live calls");
    let answer = block_on(driver.delete(&wire.clients, &at, None));
    Said { answer, seen: wire.seen() }
}

pub(super) fn call(operation: &str, input: Value, answers: Vec<Answer>) -> Said<Result<Value, CallError>> {
    let (wire, tags) = (Wire::answering(answers), tags());
    let call = ec2::call(operation).expect("a live call");
    let answer = block_on(call.call(&wire.clients, &sent(&input, &tags)));
    Said { answer, seen: wire.seen() }
}

/// The class of a refusal.
pub(super) fn class<T>(said: Said<Result<T, CallError>>) -> Option<Class> {
    said.answer.err().map(|error| error.class)
}

/// Every field that the sandbox's description has, but for these, the live one has too: a script that was rehearsed finds the same.
pub(super) fn same_shape(row: &'static crate::row::Row, simulated: &Value, live: &Value, only_simulated: &[&str]) {
    let lacking: Vec<&String> = simulated
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .filter(|field| live.get(field.as_str()).is_none() && !only_simulated.contains(&field.as_str()))
        .collect();
    assert!(lacking.is_empty(), "{}: only the sandbox describes {lacking:?}", row.meta.name);
}

#[test]
fn every_kind_and_operation_has_live_calls() {
    let table = super::full_table();
    for kind in table.kinds() {
        assert!(ec2::driver(kind.meta().name).is_some(), "{}", kind.meta().name);
    }
    for (name, binding) in table.bindings() {
        if matches!(binding, runbook_modules::table::Binding::Call(_)) {
            assert!(ec2::call(name).is_some(), "{name}");
        }
    }
}

#[test]
fn codes_of_ec2_fall_into_their_classes() {
    let input = || json!({ "vpc_id": "vpc-1", "cidr_block": "10.5.1.0/24" });
    let creating = |status, code: &str| class(create("ec2.subnet", input(), vec![refusal(status, code, "no")]));
    assert_eq!(creating(400, "InvalidSubnet.Conflict"), Some(Class::AlreadyExists));
    assert_eq!(creating(400, "InvalidSubnet.Range"), Some(Class::Refused));
    assert_eq!(creating(400, "SubnetLimitExceeded"), Some(Class::Refused));
    assert_eq!(creating(403, "UnauthorizedOperation"), Some(Class::Refused));
    assert_eq!(creating(400, "InvalidVpcID.NotFound"), Some(Class::NotYet), "a parent that EC2 does not see yet");
    assert_eq!(creating(503, "RequestLimitExceeded"), Some(Class::Throttled));
    assert_eq!(creating(500, "InternalError"), Some(Class::Unknown));
    assert_eq!(creating(503, "Unavailable"), Some(Class::Unknown));
    assert_eq!(creating(400, "RequestExpired"), Some(Class::Credentials));
    assert_eq!(class(create("ec2.subnet", input(), vec![(200, "garbled".to_owned())])), Some(Class::Unknown));
    let empty = create("ec2.subnet", input(), vec![answer("CreateSubnet", "")]);
    assert_eq!(class(empty), Some(Class::Unknown), "an answer without the subnet");

    let deleting = |kind: &str, at: Value, code: &str| class(delete(kind, at, vec![refusal(400, code, "no")]));
    assert_eq!(deleting("ec2.vpc", json!({ "vpc_id": "vpc-1" }), "DependencyViolation"), Some(Class::Blocked));
    assert_eq!(deleting("ec2.vpc", json!({ "vpc_id": "vpc-1" }), "InvalidVpcID.NotFound"), Some(Class::NotFound));
    assert_eq!(
        deleting("ec2.nat_gateway", json!({ "nat_gateway_id": "nat-1" }), "NatGatewayNotFound"),
        Some(Class::NotFound)
    );
    assert_eq!(
        deleting("ec2.address", json!({ "allocation_id": "e" }), "InvalidIPAddress.InUse"),
        Some(Class::Blocked)
    );
    let held = vec![refusal(400, "AuthFailure", "You do not have permission to access the specified resource.")];
    assert_eq!(class(delete("ec2.address", json!({ "allocation_id": "e" }), held)), Some(Class::Blocked));

    let nat = json!({ "subnet_id": "subnet-1", "allocation_id": "eipalloc-1" });
    let mismatch = create("ec2.nat_gateway", nat, vec![refusal(400, "IdempotentParameterMismatch", "no")]);
    assert_eq!(class(mismatch), Some(Class::TokenMismatch));
}
