//! One request's way through the proxy: understood, numbered, met by a fault, executed, answered.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use tokio::time::sleep;

use super::{
    answer::Answer,
    cloudmap, ec2, eks, elb,
    emulator::Incoming,
    faults::{Action, Fault, Phase},
    parse::{self, Call, Credential},
    quotas, rds, route53, s3,
    shared::Shared,
    socket::{Delivered, Delivery, Reset},
    sts,
};

/// The connection closes without an answer.
#[derive(Debug)]
pub struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the testbed's proxy cuts this connection")
    }
}

impl std::error::Error for Cut {}

/// How a request ends for the client.
enum End {
    Answer(Box<Answer>, Delivery, Option<Fault>),
    Close,
    Reset,
}

/// Serves one request of a connection.
pub async fn handle(
    shared: Arc<Shared>, reset: Reset, request: Request<hyper::body::Incoming>,
) -> Result<Response<Delivered>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let incoming = Incoming { method: parts.method, uri: parts.uri, headers: parts.headers, body };
    let who = Credential::of(&incoming.uri, &incoming.headers);
    let account = shared.identities.account(&who.access_key);
    shared.met(&who);
    let call = parse::parse(&incoming.method, &incoming.uri, &incoming.headers, &incoming.body, &account);
    let number = call.mutating.then(|| shared.log.enter(&call));
    // A task of its own: what AWS has begun, it ends, though the client may be gone.
    let ends = tokio::spawn(process(Arc::clone(&shared), incoming, call, number)).await;
    match ends.map_err(|_| Cut)? {
        End::Close => Err(Cut),
        End::Reset => {
            reset.arm();
            Err(Cut)
        }
        End::Answer(answer, delivery, after) => Ok(respond(shared, *answer, delivery, after, number)),
    }
}

fn respond(
    shared: Arc<Shared>, answer: Answer, delivery: Delivery, after: Option<Fault>, number: Option<u64>,
) -> Response<Delivered> {
    let closes = after.as_ref().is_some_and(|fault| matches!(fault.action, Action::Drop | Action::Reset));
    let status = answer.status;
    let done = move || {
        shared.log.delivered(number, status.as_u16());
        if let Some(Action::Kill(pid)) = after.map(|fault| fault.action) {
            shared.faults.kill(pid, number);
        }
    };
    let mut response = Response::new(Delivered::new(answer.body, delivery, Some(Box::new(done))));
    *response.status_mut() = status;
    *response.headers_mut() = answer.headers;
    if closes {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn process(shared: Arc<Shared>, incoming: Incoming, call: Call, number: Option<u64>) -> End {
    let fault = shared.faults.take(number, &call);
    if let Some(fault) = &fault {
        shared.log.met(number, fault);
    }
    let at = |phase: Phase| fault.as_ref().filter(|fault| fault.phase == phase).map(|fault| fault.action.clone());
    if let Some(action) = at(Phase::BeforeForward) {
        match action {
            Action::Drop => return End::Close,
            Action::Reset => return End::Reset,
            Action::Kill(pid) => {
                shared.faults.kill(pid, number);
                return End::Close;
            }
            Action::ForwardLater(ms) => {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    sleep(Duration::from_millis(ms)).await;
                    execute(&shared, &incoming, &call, number).await;
                });
                return End::Close;
            }
            Action::Delay(ms) => sleep(Duration::from_millis(ms)).await,
            Action::Hold => shared.faults.hold().await,
            Action::StaleReads(reads) => shared.stale.begin(&call, reads),
            other => {
                let failed = Answer::error(&call, 500, "InternalError", "An internal error has occurred");
                return spoiled(&call, failed, &other);
            }
        }
    }
    let answer = execute(&shared, &incoming, &call, number).await;
    match at(Phase::AfterForward) {
        None => {
            if let Some(Action::StaleReads(reads)) = at(Phase::Answered) {
                shared.stale.begin_after(&call, &answer, reads);
            }
            End::Answer(Box::new(answer), Delivery::Whole, fault.filter(|fault| fault.phase == Phase::Answered))
        }
        Some(Action::Drop | Action::ForwardLater(_)) => End::Close,
        Some(Action::Reset) => End::Reset,
        Some(Action::Kill(pid)) => {
            shared.faults.kill(pid, number);
            End::Close
        }
        Some(Action::Delay(ms)) => {
            sleep(Duration::from_millis(ms)).await;
            End::Answer(Box::new(answer), Delivery::Whole, None)
        }
        Some(Action::Hold) => {
            shared.faults.hold().await;
            End::Answer(Box::new(answer), Delivery::Whole, None)
        }
        Some(Action::StaleReads(reads)) => {
            shared.stale.begin_after(&call, &answer, reads);
            End::Answer(Box::new(answer), Delivery::Whole, None)
        }
        Some(other) => spoiled(&call, answer, &other),
    }
}

/// An answer that an action makes worse.
fn spoiled(call: &Call, answer: Answer, action: &Action) -> End {
    match action {
        Action::Status { status, code, message } => {
            End::Answer(Box::new(Answer::error(call, *status, code, message)), Delivery::Whole, None)
        }
        Action::Page { status, headers, body } => {
            End::Answer(Box::new(Answer::page(*status, headers, body)), Delivery::Whole, None)
        }
        Action::Throttle => End::Answer(Box::new(Answer::throttled(call)), Delivery::Whole, None),
        Action::Truncate => End::Answer(Box::new(answer), Delivery::Truncated, None),
        Action::SlowDrip(ms) => End::Answer(Box::new(answer), Delivery::Slow(Duration::from_millis(*ms)), None),
        _ => {
            let body: Bytes = answer.body.iter().map(|byte| byte ^ 0x15).collect::<Vec<u8>>().into();
            End::Answer(Box::new(Answer { body, ..answer }), Delivery::Whole, None)
        }
    }
}

/// Executes a request: once for a token, and with what stale reads hide.
async fn execute(shared: &Arc<Shared>, incoming: &Incoming, call: &Call, number: Option<u64>) -> Answer {
    let answer = if call.mutating {
        shared.ledger.once(call, dispatch(shared, incoming, call)).await
    } else {
        let answer = dispatch(shared, incoming, call).await;
        shared.stale.read(call, answer)
    };
    shared.log.executed(number, &answer);
    answer.with_request_id(shared.next_request())
}

async fn dispatch(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    match call.service.as_str() {
        "ec2" => ec2::answer(shared, incoming, call).await,
        "eks" => eks::answer(shared, incoming, call).await,
        "elasticloadbalancing" => elb::answer(shared, incoming, call).await,
        "rds" => rds::answer(shared, incoming, call).await,
        "route53" => route53::answer(shared, incoming, call).await,
        "s3" => s3::answer(shared, incoming, call).await,
        "servicediscovery" => cloudmap::answer(shared, incoming, call).await,
        "servicequotas" => quotas::answer(shared, incoming, call).await,
        "sts" | "iam" => sts::answer(shared, incoming, call).await,
        _ => shared.emulators.forward(incoming, call).await,
    }
}
