//! The network fault matrix: a run and its undo, one script for each way in which AWS's services speak, with a fault of the network or of
//! the service at each of their requests, reads and waits too; and with one at every creation for good. Each ends in bounded time without
//! a panic and says where; resumed and undone, the emulators hold what they do without a fault.
//!
//! RUNBOOK_TRIALS=all tries every request with every fault; otherwise a sample that goes through both.

#![expect(clippy::print_stdout, reason = "the figures of the trials")]

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use regex_lite::Regex;
use runbook_testbed::{
    emulators::{Ministack, Moto},
    proxy::{Action, Config, Fault, Inventory, On, Pending, Phase, Proxy},
    tools::{self, Tools},
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    harness::{Place, Said, said},
    inventory,
    sample::chosen,
};

/// What is made, with the operation that makes it: a service of each protocol.
const SCRIPTS: [(&str, &str, &str); 7] = [
    ("ec2", "CreateVpc", "AWS.ec2.create_vpc(#{ name: \"one\", cidr_block: \"10.0.0.0/16\" })"),
    (
        "iam",
        "CreateRole",
        "AWS.iam.create_role(#{ role_name: \"one\", assume_role_policy_document: #{ Version: \"2012-10-17\", Statement: [#{ \
         Effect: \"Allow\", Action: \"sts:AssumeRole\", Principal: #{ Service: \"eks.amazonaws.com\" } }] } })",
    ),
    ("sqs", "CreateQueue", "AWS.sqs.create_queue(#{ queue_name: \"one\" })"),
    ("s3", "CreateBucket", "AWS.s3.create_bucket(#{ bucket: \"one-and-only\" })"),
    ("route53", "CreateHostedZone", "AWS.route53.create_hosted_zone(#{ name: \"one.test\" })"),
    (
        "cloudwatch",
        "PutMetricAlarm",
        "AWS.cloudwatch.put_metric_alarm(#{ alarm_name: \"one\", namespace: \"AWS/SQS\", statistic: \"Maximum\", period: 300, \
         metric_name: \"ApproximateAgeOfOldestMessage\", evaluation_periods: 3, threshold: 600, \
         comparison_operator: \"GreaterThanThreshold\" })",
    ),
    (
        "eks",
        "CreateCluster",
        "{ let vpc = AWS.ec2.create_vpc(#{ name: \"one\", cidr_block: \"10.0.0.0/16\" });\n\
         let subnet = |zone, n| AWS.ec2.create_subnet(#{ name: zone, vpc_id: vpc.id, availability_zone: zone, \
         cidr_block: `10.0.${n}.0/24` }).id;\n\
         let role = AWS.iam.create_role(#{ role_name: \"one\", assume_role_policy_document: #{ Version: \"2012-10-17\", \
         Statement: [#{ Effect: \"Allow\", Action: \"sts:AssumeRole\", Principal: #{ Service: \"eks.amazonaws.com\" } }] } });\n\
         AWS.eks.create_cluster(#{ name: \"one\", role_arn: role.arn, resources_vpc_config: #{ \
         subnet_ids: [subnet.call(\"us-east-1a\", 0), subnet.call(\"us-east-1b\", 1)] } }) }",
    ),
];

/// How many trials the sample has of each sort.
const SAMPLE: usize = 14;

/// No call of the program takes longer, in seconds, whatever the network does to it. Its own waits pass [`SPEED`] times faster.
const PATIENCE: &str = "120";
const SPEED: &str = "200";

/// More requests than any run has.
const ALWAYS: u64 = 1_000_000;

/// So often an operation is asked for at most when it never gets an answer.
const MOST_REQUESTS: usize = 60;

/// What can happen to a request: its name, the moment, and what happens.
fn faults() -> Vec<(&'static str, Phase, Action)> {
    use Phase::{AfterForward, BeforeForward};
    let status =
        |status, code: &str| Action::Status { status, code: code.to_owned(), message: "of the test".to_owned() };
    let page = |status, body: &str| Action::Page { status, headers: BTreeMap::new(), body: body.to_owned() };
    let elsewhere = BTreeMap::from([("location".to_owned(), "http://127.0.0.1:9/".to_owned())]);
    vec![
        ("closed before it arrived", BeforeForward, Action::Drop),
        ("reset before it arrived", BeforeForward, Action::Reset),
        ("throttled", BeforeForward, Action::Throttle),
        ("500 before it was executed", BeforeForward, status(500, "InternalError")),
        ("503 before it was executed", BeforeForward, status(503, "ServiceUnavailable")),
        ("expired credentials", BeforeForward, status(403, "ExpiredToken")),
        ("sent elsewhere", BeforeForward, Action::Page { status: 302, headers: elsewhere, body: String::new() }),
        ("a proxy that wants a password", BeforeForward, page(407, "<html>Proxy Authentication Required</html>")),
        ("a proxy without a way", BeforeForward, page(502, "<html>Bad Gateway</html>")),
        ("executed, then 500", AfterForward, status(500, "InternalError")),
        ("executed, then 503", AfterForward, status(503, "ServiceUnavailable")),
        ("executed, then 504", AfterForward, status(504, "GatewayTimeout")),
        ("executed, then a proxy's page", AfterForward, page(502, "<html>Bad Gateway</html>")),
        ("executed, then reset", AfterForward, Action::Reset),
        ("executed, then closed", AfterForward, Action::Drop),
        ("executed, half an answer", AfterForward, Action::Truncate),
        ("executed, an answer that says nothing", AfterForward, Action::Garble),
        ("executed, 200 with nothing", AfterForward, page(200, "")),
        ("executed, 200 with another's page", AfterForward, page(200, "<html>Welcome</html>")),
        ("executed, 200 with an error inside", AfterForward, status(200, "InternalError")),
        ("executed, 16 MiB of answer", AfterForward, page(200, &"x".repeat(16 << 20))),
        ("executed, the answer in drips", AfterForward, Action::SlowDrip(20)),
    ]
}

/// The emulators of AWS behind a proxy, without clusters.
struct Aws {
    moto: Moto,
    ministack: Ministack,
    proxy: Proxy,
    runtime: Runtime,
}

impl Aws {
    fn start(tools: &Tools) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (moto, ministack) = (Moto::start(tools).expect("moto"), Ministack::start(tools).expect("ministack"));
        let config = Config { ministack: Some(ministack.url()), pending: Pending::none(), ..Config::new(moto.url()) };
        let proxy = runtime.block_on(Proxy::start(config)).expect("the proxy");
        Self { moto, ministack, proxy, runtime }
    }

    /// Empty emulators, no faults; and what stands even so.
    fn emptied(&self) -> Inventory {
        self.moto.reset().expect("moto forgets");
        self.ministack.reset().expect("ministack forgets");
        self.proxy.reset();
        self.inventory()
    }

    fn inventory(&self) -> Inventory {
        self.runtime.block_on(self.proxy.inventory()).expect("an inventory")
    }

    /// Runs the program to its end, which comes in bounded time and without a panic.
    fn say(&self, place: &Place, args: &[&str]) -> Result<Said, String> {
        let mut timeout = Command::new("timeout");
        timeout.args(["--signal=KILL", PATIENCE]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = place.under(timeout, args);
        command.env("AWS_ENDPOINT_URL", self.proxy.url()).env("RUNBOOK_TEST_CLOCK", SPEED);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        let said = said(command.output().expect("the program starts"));
        match said.code {
            // timeout has killed it, and itself.
            -1 | 137 => Err(format!("it does not end:\n{}", said.err)),
            101.. => Err(format!("it died:\n{}", said.err)),
            _ => Ok(said),
        }
    }
}

fn place(script: &str) -> Place {
    let place = Place::new();
    let text = format!("const AWS = aws(#{{ region: \"us-east-1\" }});\nstep(\"made\", || {script});\n");
    place.write("s.rhai", &text);
    place
}

const RUN: [&str; 3] = ["run", "s.rhai", "--yes"];
const UNDO: [&str; 3] = ["undo", "latest", "--yes"];

/// A case: a script, a fault, and the requests that meet it.
struct Case {
    script: usize,
    fault: usize,
    on: On,
    times: u64,
}

/// What an undisturbed run of a script makes, and how many requests it and its undo send.
struct Calm {
    stands: Vec<String>,
    requests: u64,
}

fn calm(aws: &Aws, script: &str) -> Calm {
    let before = aws.emptied();
    // Counts the requests and does nothing else.
    let count = Fault::new(On::Any(1), Phase::BeforeForward, Action::Delay(0)).times(ALWAYS);
    aws.proxy.faults().add(count);
    let place = place(script);
    let said = aws.say(&place, &RUN).expect("a run");
    assert_eq!(said.code, 0, "{script}\n{}", said.err);
    let stands = standing(aws, &before);
    assert!(!stands.is_empty(), "{script} makes nothing");
    let said = aws.say(&place, &UNDO).expect("an undo");
    assert_eq!(said.code, 0, "{script}\n{}", said.err);
    assert_eq!(aws.inventory().since(&before), json!({}), "{script}");
    Calm { stands, requests: aws.proxy.faults().happened().len() as u64 }
}

/// What came since, a line each.
fn standing(aws: &Aws, before: &Inventory) -> Vec<String> {
    // EKS names a cluster's security group with a number of its own.
    let numbered = Regex::new(r"eks-cluster-sg-one-\d+").expect("a pattern");
    let lines = inventory::lines(&aws.inventory().since(before), "no run");
    lines.iter().map(|line| numbered.replace_all(line, "eks-cluster-sg-one-*").into_owned()).collect()
}

/// What a disturbed life was like.
struct Lived {
    /// The request that was to meet the fault came.
    met: bool,
    /// How often the program had to be called again.
    again: usize,
    /// How many requests met the fault.
    faults: usize,
}

/// Beside what stands anyhow nothing stands before it and, when it went well, after it.
fn trial(aws: &Aws, before: &Inventory, calm: &Calm, case: &Case) -> Result<Lived, String> {
    let script = SCRIPTS[case.script].2;
    let (_, phase, action) = &faults()[case.fault];
    aws.proxy.reset();
    aws.proxy.faults().add(Fault::new(case.on.clone(), *phase, action.clone()).times(case.times));
    let place = place(script);
    let lasting = case.times == ALWAYS;
    let (mut again, mut faults) = (0, 0);
    let mut to_its_end = |args: &[&str]| -> Result<(), String> {
        let mut args = args.to_vec();
        loop {
            let said = aws.say(&place, &args)?;
            faults = faults.max(aws.proxy.faults().happened().len());
            if said.code == 0 {
                return Ok(());
            }
            if ["made", "left     ", "the target", "AWS credentials"].iter().all(|word| !said.err.contains(word)) {
                return Err(format!("it does not say where:\n{}", said.err));
            }
            again += 1;
            if again > 3 {
                return Err(format!("{args:?} ended with {}:\n{}", said.code, said.err));
            }
            if lasting {
                aws.proxy.faults().clear();
            }
            // Until it has begun a run cannot be resumed.
            let begun = aws.say(&place, &["show", "latest"])?.code == 0 && !said.err.contains("RB0218");
            if args[0] != "undo" {
                args = if begun { vec!["resume", "latest"] } else { RUN.to_vec() };
            }
        }
    };
    to_its_end(&RUN)?;
    let stands = standing(aws, before);
    if let Some(differs) = inventory::difference(&stands, &calm.stands) {
        return Err(differs);
    }
    to_its_end(&UNDO)?;
    let left = aws.inventory().since(before);
    if left != json!({}) {
        return Err(format!("undo left {left}"));
    }
    Ok(Lived { met: faults > 0, again, faults })
}

#[test]
fn whatever_the_network_does_to_a_request_it_ends_and_nothing_is_made_twice() {
    let Some(tools) = tools::require() else { return };
    let aws = Aws::start(&tools);
    let calms: Vec<Calm> = SCRIPTS.iter().map(|(_, _, script)| calm(&aws, script)).collect();
    let kinds = faults().len();
    let each = |script: usize, fault: usize| (1..=calms[script].requests).map(move |n| (script, fault, n));
    let every = (0..SCRIPTS.len()).flat_map(|script| (0..kinds).map(move |fault| (script, fault)));
    let once: Vec<Case> = every
        .clone()
        .flat_map(|(script, fault)| each(script, fault))
        .map(|(script, fault, n)| Case { script, fault, on: On::Any(n), times: 1 })
        .collect();
    let always: Vec<Case> =
        every.map(|(script, fault)| Case { script, fault, on: On::first(SCRIPTS[script].1), times: ALWAYS }).collect();
    let (cells, lasting) = (once.len(), always.len());
    let cases: Vec<Case> = chosen(once, SAMPLE, 0).into_iter().chain(chosen(always, SAMPLE, 1)).collect();
    let tried = cases.len();
    let lived = side_by_side(&tools, aws, &calms, &cases);
    let wrong: Vec<&String> = lived.iter().filter_map(|lived| lived.as_ref().err()).collect();
    let well: Vec<&Lived> = lived.iter().filter_map(|lived| lived.as_ref().ok()).collect();
    let most = well.iter().map(|lived| lived.faults).max().unwrap_or_default();
    let figures = json!({
        "requests": calms.iter().map(|calm| calm.requests).sum::<u64>(), "faults": kinds, "cells": cells + lasting,
        "tried": tried, "wrong": wrong.len(), "not_met": well.iter().filter(|lived| !lived.met).count(),
        "again": well.iter().map(|lived| lived.again).sum::<usize>(), "most": most,
    });
    println!("network {figures}");
    assert!(wrong.is_empty(), "{}", wrong.iter().map(|why| why.as_str()).collect::<Vec<_>>().join("\n\n"));
    assert!(most <= MOST_REQUESTS, "one operation was asked for {most} times without an answer");
    assert!(well.iter().any(|lived| lived.again > 0), "nothing ended early: the faults did not come");
}

/// Tries the cases, in a full run on several emulators at once.
fn side_by_side(tools: &Tools, first: Aws, calms: &[Calm], cases: &[Case]) -> Vec<Result<Lived, String>> {
    let next = AtomicUsize::new(0);
    let lived = Mutex::new(Vec::new());
    let work = |mut aws: Aws| {
        let mut before = aws.emptied();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            let ended = trial(&aws, &before, &calms[case.script], case).map_err(|why| {
                let (service, fault) = (SCRIPTS[case.script].0, faults()[case.fault].0);
                format!("{service} {:?}, {fault} ({:.0?}): {why}", case.on, began.elapsed())
            });
            if let Err(why) = &ended {
                println!("{why}\n");
                // Whatever stands now, the next case begins with nothing.
                aws = Aws::start(tools);
                before = aws.emptied();
            }
            lived.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
        }
    };
    std::thread::scope(|scope| {
        if cases.len() > 4 * SAMPLE {
            for _ in 0..2 {
                scope.spawn(|| work(Aws::start(tools)));
            }
        }
        work(first);
    });
    lived.into_inner().unwrap_or_else(PoisonError::into_inner)
}
