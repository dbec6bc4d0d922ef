//! Every fault, seen by a plain client; the ledger; the log; the controls.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::{Value, json};

use super::{
    super::{Action, Fault, On, Outcome, Phase, log::Entry},
    Plain, until, with_stub,
};

fn status() -> Action {
    Action::Status { status: 503, code: "Unavailable".to_owned(), message: "later".to_owned() }
}

async fn create(plain: &Plain) -> Result<super::Seen, String> {
    plain.form("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await
}

#[tokio::test]
async fn connections_that_end_before_an_answer() {
    for (phase, executed) in [(Phase::BeforeForward, 0), (Phase::AfterForward, 1)] {
        for (action, how) in [(Action::Drop, "IncompleteMessage"), (Action::Reset, "ConnectionReset")] {
            let (stub, proxy, plain) = with_stub().await;
            proxy.faults().add(Fault::new(On::Call(1), phase, action.clone()));
            let error = create(&plain).await.err().unwrap_or_default();
            assert!(error.contains(how), "{phase:?} {action:?}: {error}");
            assert_eq!(stub.count(), executed, "{phase:?} {action:?}");
            let entry = proxy.log().remove(0);
            assert_eq!(entry.outcome == Outcome::Sent, executed == 0);
            assert_eq!(entry.fault.map(|fault| fault.action), Some(action));
            assert!(create(&plain).await.unwrap().status.is_success());
        }
    }
}

#[tokio::test]
async fn answers_that_are_not_what_they_should_be() {
    let (stub, proxy, plain) = with_stub().await;
    let good = create(&plain).await.unwrap().body;
    for (phase, executed) in [(Phase::BeforeForward, 0), (Phase::AfterForward, 1)] {
        for action in [status(), Action::Throttle, Action::Truncate, Action::Garble, Action::SlowDrip(1)] {
            let before = stub.count();
            proxy.faults().add(Fault::new(On::first("CreateVpc"), phase, action.clone()));
            let seen = create(&plain).await;
            assert_eq!(stub.count() - before, executed, "{phase:?} {action:?}");
            match (&action, phase) {
                (Action::Truncate, _) => assert!(seen.is_err()),
                (Action::Status { .. }, _) => {
                    let seen = seen.unwrap();
                    assert_eq!((seen.status.as_u16(), seen.code().as_str()), (503, "Unavailable"));
                }
                (Action::Throttle, _) => assert_eq!(seen.unwrap().code(), "RequestLimitExceeded"),
                (Action::Garble, _) => assert_eq!(seen.unwrap().xml(), super::Element::default()),
                (_, Phase::AfterForward) => assert_eq!(seen.unwrap().body.len(), good.len()),
                _ => assert_eq!(seen.unwrap().code(), "InternalError"),
            }
            proxy.faults().clear();
        }
    }
}

#[tokio::test]
async fn a_delayed_and_a_held_request_goes_on() {
    let (stub, proxy, plain) = with_stub().await;
    for phase in [Phase::BeforeForward, Phase::AfterForward] {
        proxy.faults().add(Fault::new(On::first("CreateVpc"), phase, Action::Delay(1)));
        assert!(create(&plain).await.unwrap().status.is_success());
        proxy.faults().clear();
    }
    assert_eq!(stub.count(), 2);
    proxy.faults().add(Fault::new(On::first("CreateVpc"), Phase::BeforeForward, Action::Hold));
    let release = async {
        proxy.faults().held(1).await;
        assert_eq!((stub.count(), proxy.log()[2].outcome), (2, Outcome::Sent));
        proxy.faults().release();
    };
    let (seen, ()) = tokio::join!(create(&plain), release);
    assert!(seen.unwrap().status.is_success());
    assert_eq!(stub.count(), 3);
}

#[tokio::test]
async fn a_request_of_a_dead_client_arrives_later() {
    let (stub, proxy, plain) = with_stub().await;
    proxy.faults().add(Fault::new(On::Call(1), Phase::BeforeForward, Action::ForwardLater(50)));
    assert!(create(&plain).await.is_err());
    until("the late request", async || (stub.count() == 1).then_some(())).await;
    until("its entry", async || (proxy.log()[0].outcome == Outcome::Forwarded).then_some(())).await;
}

#[tokio::test]
async fn the_killer_is_called_at_each_phase() {
    for (phase, executed) in [(Phase::BeforeForward, 0), (Phase::AfterForward, 1), (Phase::Answered, 1)] {
        let (stub, proxy, plain) = with_stub().await;
        let killed = Arc::new(AtomicU64::new(0));
        let noted = Arc::clone(&killed);
        proxy.faults().on_kill(move |number| noted.store(number.unwrap_or_default(), Ordering::SeqCst));
        proxy.faults().add(Fault::new(On::Call(1), phase, Action::Kill(None)));
        let seen = create(&plain).await;
        assert_eq!(seen.is_ok(), phase == Phase::Answered);
        until("the kill", async || (killed.load(Ordering::SeqCst) == 1).then_some(())).await;
        assert_eq!(stub.count(), executed);
    }
}

#[tokio::test]
async fn faults_meet_the_requests_they_are_meant_for() {
    let (_stub, proxy, plain) = with_stub().await;
    proxy
        .faults()
        .add(Fault::new(On::Operation { name: "CreateVpc".into(), nth: 2 }, Phase::BeforeForward, status()).times(2));
    proxy.faults().add(Fault::new(On::first("DescribeVpcs"), Phase::BeforeForward, Action::Throttle));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(create(&plain).await.unwrap().status.as_u16());
    }
    assert_eq!(seen, [200, 503, 503, 200]);
    assert_eq!(plain.ec2("DescribeVpcs", &[]).await.code(), "RequestLimitExceeded");
    assert_eq!(proxy.faults().happened().len(), 3);
    assert_eq!(proxy.log().iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn credentials_that_expire_refuse_every_request_from_then_on() {
    let (_stub, proxy, plain) = with_stub().await;
    let (status, code, message) = (403, "ExpiredToken".to_owned(), "expired".to_owned());
    let expired = Fault::new(On::Any(2), Phase::BeforeForward, Action::Status { status, code, message });
    proxy.faults().add(expired.times(u64::MAX));
    assert!(plain.ec2("DescribeVpcs", &[]).await.status.is_success());
    assert_eq!(create(&plain).await.unwrap().code(), "ExpiredToken");
    assert_eq!(plain.ec2("DescribeVpcs", &[]).await.code(), "ExpiredToken");
    proxy.faults().clear();
    assert!(create(&plain).await.unwrap().status.is_success());
}

#[tokio::test]
async fn stale_reads_do_not_see_a_new_thing_and_still_see_the_old_state() {
    let (_stub, proxy, plain) = with_stub().await;
    proxy.faults().add(Fault::new(On::Call(1), Phase::AfterForward, Action::StaleReads(2)));
    let made = create(&plain).await.unwrap().xml().items(&["vpcSet"])[0].at(&["vpcId"]).to_owned();
    assert_eq!(plain.ec2("DescribeVpcs", &[("VpcId.1", &made)]).await.code(), "InvalidVpcID.NotFound");
    assert!(plain.ec2("DescribeVpcs", &[]).await.status.is_success());
    assert!(plain.ec2("DescribeVpcs", &[("VpcId.1", &made)]).await.status.is_success());

    let before = plain.ec2("DescribeVpcs", &[("VpcId.1", "vpc-1")]).await.body;
    proxy.faults().add(Fault::new(On::first("DeleteVpc"), Phase::BeforeForward, Action::StaleReads(1)));
    plain.form("ec2", "DeleteVpc", &[("VpcId", "vpc-1")]).await.unwrap();
    assert_eq!(plain.ec2("DescribeVpcs", &[("VpcId.1", "vpc-1")]).await.body, before);
    assert_ne!(plain.ec2("DescribeVpcs", &[("VpcId.1", "vpc-1")]).await.body, before);
}

#[tokio::test]
async fn a_token_gives_its_first_answer_though_it_was_withheld() {
    let (stub, proxy, plain) = with_stub().await;
    let ask = async |size: &str| plain.form("ec2", "CreateVolume", &[("Size", size), ("ClientToken", "t")]).await;
    proxy.faults().add(Fault::new(On::Call(1), Phase::AfterForward, Action::Drop));
    assert!(ask("1").await.is_err());
    let second = ask("1").await.unwrap();
    assert_eq!(second.xml().items(&["vpcSet"])[0].at(&["vpcId"]), "vpc-00000001");
    assert_eq!(ask("2").await.unwrap().code(), "IdempotentParameterMismatch");
    assert_eq!(stub.count(), 1);
    let by: Vec<Value> = proxy.log().iter().map(|entry: &Entry| json!(entry.by)).collect();
    assert_eq!(by, [json!("moto"), json!("ledger"), json!("proxy")]);
    assert_eq!(proxy.log()[0].token, Some(("ClientToken", "t".to_owned())));
}

#[tokio::test]
async fn another_process_controls_it_over_http() {
    let (_stub, proxy, plain) = with_stub().await;
    let control = Plain { client: plain.client.clone(), base: proxy.control_url() };
    let fault = Fault::new(On::first("CreateVpc"), Phase::BeforeForward, Action::Throttle);
    let added = control.ask("", "POST", "faults", &[], json!(fault).to_string()).await.unwrap();
    assert!(added.status.is_success(), "{:?}", added.body);
    assert_eq!(create(&plain).await.unwrap().code(), "RequestLimitExceeded");
    let log = control.ask("", "GET", "log", &[], String::new()).await.unwrap().json();
    assert_eq!((&log[0]["operation"], &log[0]["fields"]["CidrBlock"]), (&json!("CreateVpc"), &json!("10.0.0.0/16")));
    assert_eq!(control.ask("", "POST", "faults", &[], "{}".into()).await.unwrap().status, 400);
    assert_eq!(control.ask("", "GET", "nothing", &[], String::new()).await.unwrap().status, 404);
    control.ask("", "POST", "reset", &[], String::new()).await.unwrap();
    assert!(proxy.log().is_empty());
}

#[tokio::test]
async fn the_file_has_a_line_for_each_change_of_an_entry() {
    let (stub, folder) = (super::Stub::start().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("oracle.ndjson");
    let config = super::Config { log: Some(file.clone()), ..super::Config::new(stub.url()) };
    let proxy = super::Proxy::start(config).await.unwrap();
    create(&Plain::of(&proxy)).await.unwrap();
    let lines = || std::fs::read_to_string(&file).unwrap_or_default();
    until("the answer's line", async || lines().contains("\"answered\"").then_some(())).await;
    let outcomes: Vec<Value> =
        lines().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("sent"), json!("forwarded"), json!("answered")]);
}
