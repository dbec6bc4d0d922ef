//! Whole outputs from hand-made events, at 80 and 120 columns.

use std::sync::Arc;

use runbook_modules::target::About;
use runbook_state::record::{Ending, Site};

use super::{
    finale::Finale,
    heading, json,
    lines::Writer,
    look::Look,
    tally::{Silent, Tally},
    tree::{Expect, Expected, Tree},
};
use crate::{
    error::Failure,
    event::{Event, Sink, VERSION, What},
};

const START: i64 = 1_795_197_603_000;

fn look(width: usize) -> Look {
    Look { width, unicode: true, ..Look::plain() }
}

fn events(list: Vec<(i64, What)>) -> Vec<Event> {
    list.into_iter()
        .enumerate()
        .map(|(at, (seconds, what))| Event {
            v: VERSION,
            seq: at as u64 + 1,
            at_ms: START,
            target_ms: START + seconds * 1000,
            run: "7f3a9c".to_owned(),
            simulated: true,
            what,
        })
        .collect()
}

fn started(step: &str) -> What {
    What::StepStarted { step: step.to_owned(), attempt: 1, site: Site::default() }
}

fn done(step: &str, seconds: i64, effects: u32) -> What {
    What::StepDone { step: step.to_owned(), took_ms: seconds * 1000, effects, kept: false }
}

fn effect(step: &str, op: &str, name: &str, id: &str) -> What {
    What::EffectDone {
        step: step.to_owned(),
        op: op.to_owned(),
        name: name.to_owned(),
        id: id.to_owned(),
        token: String::new(),
        took_ms: 412,
        adopted: false,
        kept: false,
    }
}

fn began() -> What {
    What::Began {
        mode: "run".to_owned(),
        runbook: "redis-ha".to_owned(),
        customer: None,
        about: About {
            simulated: true,
            account: "000000000000".to_owned(),
            caller: String::new(),
            region: String::new(),
            endpoint: None,
        },
        region: "us-east-1".to_owned(),
        speed: Some(600.0),
        kept: 0,
    }
}

fn story() -> Vec<Event> {
    let wait = |step: &str, cluster: &str| What::Waiting {
        step: step.to_owned(),
        text: format!("{cluster} is CREATING"),
        since_ms: 480_000,
        usual_ms: 600_000,
    };
    events(vec![
        (0, began()),
        (0, started("preflight")),
        (2, What::CheckPassed { step: "preflight".to_owned(), tries: 1 }),
        (4, done("preflight", 4, 0)),
        (4, started("redis1/network")),
        (5, started("redis1/network/vpc")),
        (6, effect("redis1/network/vpc", "ec2.create_vpc", "redis1-vpc-us-east-1", "vpc-0c1d")),
        (6, done("redis1/network/vpc", 1, 1)),
        (165, done("redis1/network", 161, 1)),
        (165, started("redis1/cluster")),
        (165, started("redis1/cluster/roles")),
        (167, effect("redis1/cluster/roles", "iam.create_role", "redis1-eks", "redis1-eks")),
        (167, done("redis1/cluster/roles", 2, 1)),
        (167, started("redis1/cluster/eks")),
        (167, started("redis2/cluster")),
        (647, wait("redis1/cluster/eks", "redis1-demo-cluster")),
        (647, wait("redis2/cluster", "redis2-demo-cluster")),
    ])
}

fn screen(width: usize) -> String {
    let expect = Expected::default();
    expect.get_or_init(|| Expect { steps: 26, took_ms: 1_390_000 });
    let mut tree = Tree::new(look(width), false, expect);
    let mut lines = vec![heading::of(&story()[0], "7f3a", "", &look(width)).unwrap_or_default()];
    for event in story() {
        lines.extend(tree.take(&event));
    }
    lines.extend(tree.live(START + 660_000, 2, 24));
    assert!(lines.iter().all(|line| super::text::measure(line) < width));
    lines.join("\n")
}

#[test]
fn tree_at_80() {
    insta::assert_snapshot!(screen(80), @r#"
    redis-ha · run 7f3a · sandbox, simulated at 600× · us-east-1
     ✓ preflight                 1 check                                       0:04
     ✓ redis1 › network          1 effect                                      2:41
     ▾ redis1 › cluster                                                        8:15
     │  ✓ roles                  1 effect
     │  ⠹ eks                    redis1-demo-cluster is CREATING · ~2 min left
     ⠹ redis2 › cluster          redis2-demo-cluster is CREATING · ~2 min left 8:13
     ○ 19 steps to come
     2 effects · 11:00 · about 12 min left          t what is running · Ctrl-C park
    "#);
}

#[test]
fn tree_at_120() {
    insta::assert_snapshot!(screen(120), @r#"
    redis-ha · run 7f3a · sandbox, simulated at 600× · us-east-1
     ✓ preflight                               1 check                                                                 0:04
     ✓ redis1 › network                        1 effect                                                                2:41
     ▾ redis1 › cluster                                                                                                8:15
     │  ✓ roles                                1 effect
     │  ⠹ eks                                  redis1-demo-cluster is CREATING · usually 10 min · ~2 min left
     ⠹ redis2 › cluster                        redis2-demo-cluster is CREATING · usually 10 min · ~2 min left          8:13
     ○ 19 steps to come
     2 effects · 11:00 · about 12 min left                                                  t what is running · Ctrl-C park
    "#);
}

#[test]
fn tree_in_ascii() {
    let mut tree = Tree::new(Look::plain(), false, Arc::default());
    let mut lines = Vec::new();
    for event in story() {
        lines.extend(tree.take(&event));
    }
    lines.extend(tree.live(START + 800_000, 2, 24));
    let text = lines.join("\n");
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text, @r#"
    + preflight                 1 check                                       0:04
    + redis1 > network          1 effect                                      2:41
    v redis1 > cluster                                                       10:35
    |  + roles                  1 effect
    |  | eks                    redis1-demo-cluster is CREA... - longer than usual
    | redis2 > cluster          redis2-demo-cluster i... - longer than usual 10:33
    2 effects - 13:20                              t what is running - Ctrl-C park
    "#);
}

#[test]
fn many_running_parts_fit_the_screen() {
    let mut tree = Tree::new(look(80), false, Arc::default());
    for event in events((0..50).map(|n| (n, started(&format!("branch{n}/step")))).collect()) {
        tree.take(&event);
    }
    assert_eq!(tree.live(START + 60_000, 0, 24).len(), 22);
    for height in 1..6 {
        let lines = tree.live(START + 60_000, 0, height);
        assert!(
            lines.len() <= height && lines.last() == tree.live(START + 60_000, 0, 24).last(),
            "{height}: {lines:?}"
        );
    }
}

#[test]
fn lines_elsewhere() {
    let mut writer = Writer::new(look(80), false);
    let lines: Vec<String> = story().iter().filter_map(|event| writer.line(event)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    18:00:05 preflight                check passed (1 try)
    18:00:07 preflight                done in 0:04 (0 effects)
    18:00:09 redis1/network/vpc       ec2.create_vpc redis1-vpc-us-east-1 → vpc-0c1d 0.4s
    18:00:09 redis1/network/vpc       done in 0:01 (1 effect)
    18:02:48 redis1/network           done in 2:41 (1 effect)
    18:02:50 redis1/cluster/roles     iam.create_role redis1-eks 0.4s
    18:02:50 redis1/cluster/roles     done in 0:02 (1 effect)
    18:10:50 redis1/cluster/eks       waiting: redis1-demo-cluster is CREATING (usually 10 min)
    18:10:50 redis2/cluster           waiting: redis2-demo-cluster is CREATING (usually 10 min)
    "#);
}

#[test]
fn hostile_texts_are_escaped_and_secrets_masked() {
    let text = "\u{1b}]0;x\u{7} {{secret:password:0123456789abcdef}} \u{202e}";
    let note = events(vec![(0, What::Note { step: "a\u{1b}b".to_owned(), text: text.to_owned() })]);
    let line = Writer::new(look(80), false).line(&note[0]).unwrap_or_default();
    let tree = Tree::new(look(80), false, Arc::default()).take(&note[0]).join("");
    for shown in [line, tree, json::line(&note[0])] {
        assert!(!shown.contains(['\u{1b}', '\u{7}']) && !shown.contains("0123456789"), "{shown}");
    }
}

#[test]
fn json_lines() {
    insta::assert_snapshot!(json::line(&story()[6]), @r#"{"v":1,"seq":7,"at":"2026-11-20T18:00:03.000Z","run":"7f3a9c","event":"effect.done","step":"redis1/network/vpc","adopted":false,"id":"vpc-0c1d","kept":false,"name":"redis1-vpc-us-east-1","op":"ec2.create_vpc","simulated":true,"simulated_at":"2026-11-20T18:00:09.000Z","token":"","took_ms":412}"#);
}

fn finale(width: usize, more: Vec<What>) -> String {
    let tally = Tally::new(Arc::new(Silent));
    for event in events(more.into_iter().map(|what| (0, what)).collect()) {
        tally.event(&event);
    }
    let script = "step(\"a\", || 1);\n        AWS.eks.create_nodegroup(#{\n            x: 1 })";
    let look = look(width);
    let finale = Finale {
        look: &look,
        runbook: "redis-ha",
        short: "7f3a",
        options: "",
        source: &|file| (file == "lib/eks.rhai").then(|| script.to_owned()),
        steps: Some(26),
        details: "",
    };
    finale.draw(&tally.totals())
}

fn ended(ending: Ending, failures: Vec<Failure>) -> What {
    What::Ended {
        ending,
        failures,
        steps: 12,
        effects: 61,
        retries: 0,
        took_ms: 680_000,
        real_ms: 2_400,
        own_steps: 12,
        own_effects: 61,
        whole_ms: 680_000,
        whole_real_ms: 2_400,
    }
}

#[test]
fn end_finished() {
    let output = |name: &str, value: &str| What::Output { name: name.to_owned(), value: value.into() };
    let block = finale(
        80,
        vec![
            output("master", "redis-cluster-1-node-0.redis-cluster-1.redis-ha.internal"),
            output("password", "{{secret:redis_password:0123456789abcdef}}"),
            What::NotRehearsed { step: "replication".to_owned(), what: "exec".to_owned() },
            ended(Ending::Finished, Vec::new()),
        ],
    );
    insta::assert_snapshot!(block, @r#"
    ✓ redis-ha finished in 11:20 (simulated; 2.4 s real)
      12 steps · 61 effects · 0 retries

      master      redis-cluster-1-node-0.redis-cluster-1.redis-ha.internal
      password    sealed; runbook output 7f3a password --reveal
      not rehearsed: 1 check that only a live target can answer

    next  runbook show 7f3a · runbook verify 7f3a · runbook undo 7f3a
    "#);
}

fn refused() -> Failure {
    let site = |file: &str, line, column| Site { file: file.to_owned(), line, column };
    Failure {
        step: "redis2/cluster/node group".to_owned(),
        op: "eks.create_nodegroup".to_owned(),
        cause: "instance type t3.medium is not offered in us-east-1e".to_owned(),
        sites: vec![site("lib/eks.rhai", 2, 9), site("redis-ha.rhai", 34, 18)],
        outcome: "definite: nothing was created".to_owned(),
        request_id: Some("4c7b-11".to_owned()),
        attempts: 1,
        hints: vec!["offered there: t3a.medium, m5.large".to_owned()],
        ..Failure::new("RB0412", "EKS refused CreateNodegroup: InvalidParameterException")
    }
}

#[test]
fn end_failed() {
    let ending = Ending::Failed { step: "redis2/cluster/node group".to_owned(), message: String::new() };
    insta::assert_snapshot!(finale(120, vec![ended(ending, vec![refused()])]), @r#"
    ✗ redis-ha stopped at redis2 › cluster › node group. Run 7f3a is kept; nothing is lost.

    error RB0412: EKS refused CreateNodegroup: InvalidParameterException
       ╭─[lib/eks.rhai:2:9]
     1 │ step("a", || 1);
     2 │         AWS.eks.create_nodegroup(#{
       ·         ────────────┬───────────
       ·                     ╰── instance type t3.medium is not offered in us-east-1e
     3 │             x: 1 })
       ╰────
    called   from redis-ha.rhai:34:18
    step     redis2 › cluster › node group
    outcome  definite: nothing was created
    call     eks.create_nodegroup · request 4c7b-11
    hint     offered there: t3a.medium, m5.large
    so far   12 steps kept · 61 effects · about 14 to come · 11:20 simulated

    next  runbook resume 7f3a · runbook undo 7f3a · runbook show 7f3a
    "#);
}

#[test]
fn end_waiting_and_stuck() {
    let waiting = Ending::Waiting { step: "go live".to_owned(), question: "Switch the traffic over?".to_owned() };
    insta::assert_snapshot!(finale(80, vec![ended(waiting, Vec::new())]), @r#"
    ○ redis-ha waits for approval at go live

      Switch the traffic over?

    so far   12 steps kept · 61 effects · about 14 to come · 11:20 simulated

    next  runbook approve 7f3a --step 'go live' --yes
          runbook approve 7f3a --step 'go live' --no --why '…'
    "#);
    let stuck = Ending::Stuck { left: 7, message: "subnet subnet-0a1f: DependencyViolation".to_owned() };
    insta::assert_snapshot!(finale(120, vec![ended(stuck, Vec::new())]), @r#"
    ✗ undo waits no longer: subnet subnet-0a1f: DependencyViolation

    in all   7 resources left, kept in the inventory

    next  runbook undo 7f3a · runbook undo 7f3a --also ID · runbook verify 7f3a
    "#);
}

#[test]
fn tables() {
    let mut table = super::table::Table::new(&["RUN", "STATE"]);
    table.row(vec!["7f3a".to_owned(), "stopped at node group".to_owned()]);
    assert_eq!(table.draw(&look(80), false), "RUN   STATE\n7f3a  stopped at node group\n");
    assert_eq!(table.draw(&look(12), false), "RUN   STATE\n7f3a  stopp…\n");
}
