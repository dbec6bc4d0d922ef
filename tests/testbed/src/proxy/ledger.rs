//! The token ledger: what AWS promises about a repeated token and the emulators do not keep.
//!
//! The first answer is kept per account, region, operation and token. The same request again gets it again and is not executed;
//! the same token with other parameters is refused. Failures are not kept: AWS lets a failed request be tried again. Two services have
//! rules of their own, which stand with them: Route 53's CallerReference (`route53`), Cloud Map's CreatorRequestId (`cloudmap`).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    answer::{Answer, By},
    parse::{Call, Protocol},
};

type Key = (String, String, String, String, String);

#[derive(Debug, Clone)]
struct Kept {
    fields: Value,
    answer: Answer,
    since: Instant,
}

/// One token: empty until the first answer. The lock is held while the request is executed, so that a second one waits for it.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// The ledger.
#[derive(Debug)]
pub struct Ledger {
    slots: Mutex<BTreeMap<Key, Slot>>,
    expiry: Mutex<Duration>,
}

impl Ledger {
    /// A ledger that keeps tokens this long.
    pub fn new(expiry: Duration) -> Self {
        Self { slots: Mutex::default(), expiry: Mutex::new(expiry) }
    }

    /// Keeps tokens this long from now on, those that it has too.
    pub fn expire_after(&self, expiry: Duration) {
        *self.expiry.lock().unwrap_or_else(PoisonError::into_inner) = expiry;
    }

    /// Forgets all tokens.
    pub fn clear(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Executes a request unless its token was used.
    pub(super) async fn once(&self, call: &Call, execute: impl Future<Output = Answer>) -> Answer {
        let Some(token) = call.token.as_ref().filter(|_| ours(call)) else { return execute.await };
        let key = (
            call.account.clone(),
            call.region().to_owned(),
            format!("{}:{}", call.service, call.operation),
            token.value.clone(),
            scope(call),
        );
        let slot = Arc::clone(self.slots.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let mut kept = slot.lock().await;
        let expiry = *self.expiry.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref().filter(|kept| kept.since.elapsed() < expiry) {
            Some(first) if first.fields == call.fields => Answer { by: By::Ledger, ..first.answer.clone() },
            Some(_) => mismatch(call),
            None => {
                let answer = execute.await;
                if answer.ok() {
                    *kept = Some(Kept { fields: call.fields.clone(), answer: answer.clone(), since: Instant::now() });
                }
                answer
            }
        }
    }
}

fn ours(call: &Call) -> bool {
    !matches!(call.service.as_str(), "route53" | "servicediscovery")
}

/// EKS's tokens for what is in a cluster count for that cluster.
fn scope(call: &Call) -> String {
    call.text("clusterName").to_owned()
}

/// The service's own refusal of a token whose parameters have changed.
fn mismatch(call: &Call) -> Answer {
    let text = "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token \
                with different requests, unless the requests are identical";
    match (call.service.as_str(), call.protocol) {
        ("eks", _) => Answer::error(call, 400, "InvalidParameterException", text),
        ("secretsmanager", _) => Answer::error(call, 400, "ResourceExistsException", text),
        (_, Protocol::Json | Protocol::RestJson) => {
            Answer::error(call, 400, "IdempotentParameterMismatchException", text)
        }
        _ => Answer::error(call, 400, "IdempotentParameterMismatch", text),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;

    fn call(token: &str, size: &str) -> Call {
        let mut call = super::super::parse::parse(
            &Method::GET,
            &"/?Action=CreateVolume".parse().unwrap(),
            &Default::default(),
            b"",
            "1",
        );
        call.protocol = Protocol::Ec2;
        call.fields = json!({ "ClientToken": token, "Size": size });
        call.token = Some(super::super::parse::Token { field: "ClientToken", value: token.to_owned() });
        call
    }

    async fn made(ledger: &Ledger, call: &Call, id: &str) -> Answer {
        ledger.once(call, async { Answer::json(&json!({ "id": id })) }).await
    }

    #[tokio::test]
    async fn a_token_gives_its_first_answer_until_it_expires() {
        let ledger = Ledger::new(Duration::from_secs(60));
        assert_eq!(made(&ledger, &call("t", "1"), "a").await.value()["id"], "a");
        let again = made(&ledger, &call("t", "1"), "b").await;
        assert_eq!((again.value()["id"].as_str(), again.by), (Some("a"), By::Ledger));
        assert_eq!(made(&ledger, &call("u", "1"), "c").await.value()["id"], "c");
        ledger.expire_after(Duration::ZERO);
        assert_eq!(made(&ledger, &call("t", "1"), "d").await.value()["id"], "d");
    }

    #[tokio::test]
    async fn other_parameters_are_refused_and_failures_are_not_kept() {
        let ledger = Ledger::new(Duration::from_secs(60));
        let failing = call("f", "1");
        let failed = ledger.once(&failing, async { Answer::error(&failing, 400, "Full", "no room") }).await;
        assert_eq!(failed.status, 400);
        assert!(made(&ledger, &failing, "a").await.ok());
        let refused = made(&ledger, &call("f", "2"), "b").await;
        assert_eq!(refused.document().items(&["Errors"])[0].at(&["Code"]), "IdempotentParameterMismatch");
    }

    #[tokio::test]
    async fn the_second_of_two_at_once_waits_for_the_first() {
        let ledger = Ledger::new(Duration::from_secs(60));
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let (call, other) = (call("t", "1"), call("t", "1"));
        let first = ledger.once(&call, async move {
            wait.await.ok();
            Answer::json(&json!({ "id": "a" }))
        });
        let second = async {
            go.send(()).ok();
            made(&ledger, &other, "b").await
        };
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first.value(), second.value()), (json!({ "id": "a" }), json!({ "id": "a" })));
    }
}
