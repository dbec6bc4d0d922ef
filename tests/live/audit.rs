//! A17 live: orphans of every way in which one can come to be, planted in moto's account. `runbook audit` finds each, calls nothing an
//! orphan that a run owns, and does nothing but read.

use std::{collections::BTreeSet, fs};

use runbook_testbed::{emulators::Moto, tools};
use serde_json::Value;

use crate::{
    gate::Gate,
    harness::{Place, Said, said},
};

/// Makes owned things and, on demand, one more.
const OWNED: &str = r#"const P = params(#{ more: bool(false) });
const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "owned", cidr_block: "10.0.0.0/16" }));
for i in 0..5 {
    step(`subnet ${i}`, || AWS.ec2.create_subnet(#{ name: `owned ${i}`, vpc_id: vpc.id, cidr_block: `10.0.${i}.0/24` }));
}
step("group", || AWS.ec2.create_security_group(#{ group_name: "owned", description: "owned", vpc_id: vpc.id }));
step("queue", || AWS.sqs.create_queue(#{ queue_name: "owned" }));
if !P.more { step("stops", || fail("not yet")); }
step("more", || AWS.ec2.create_vpc(#{ name: "newer than the journal", cidr_block: "10.1.0.0/16" }));
"#;
const OTHER: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "of another directory", cidr_block: "10.2.0.0/16" }));
step("subnet", || AWS.ec2.create_subnet(#{ name: "of another directory too", vpc_id: vpc.id, cidr_block: "10.2.1.0/24" }));
"#;

struct Bed {
    _moto: Moto,
    gate: Gate,
}

impl Bed {
    fn expect(&self, place: &Place, code: i32, args: &[&str]) -> Said {
        let mut command = place.command(args);
        command.env("AWS_ENDPOINT_URL", &self.gate.url);
        command.env("AWS_ACCESS_KEY_ID", "AKIAAUDIT").env("AWS_SECRET_ACCESS_KEY", "secret");
        let said = said(command.output().expect("the program starts"));
        assert_eq!(said.code, code, "{args:?}\nstdout:\n{}\nstderr:\n{}", said.out, said.err);
        said
    }

    /// What an audit names: name, and why.
    fn audited(&self, place: &Place, code: i32) -> BTreeSet<(String, String)> {
        self.gate.calls();
        let said = self.expect(place, code, &["audit", "--region", "us-east-1", "--json"]);
        for call in self.gate.calls() {
            let reads = ["Get", "Describe", "List"].iter().any(|verb| call.action.starts_with(verb));
            assert!(reads, "an audit sent {call:?}");
        }
        let answer: Value = serde_json::from_str(&said.out).expect("JSON");
        let text = |orphan: &Value, name: &str| orphan[name].as_str().unwrap_or_default().to_owned();
        let orphans = answer["orphans"].as_array().expect("a list");
        orphans.iter().map(|orphan| (text(orphan, "name"), text(orphan, "why"))).collect()
    }
}

#[test]
fn planted_orphans_are_found_and_nothing_else_is_called_one() {
    let Some(tools) = tools::require() else { return };
    let moto = Moto::start(&tools).expect("moto starts");
    let bed = Bed { gate: Gate::before(moto.url().trim_start_matches("http://")), _moto: moto };
    let (place, elsewhere) = (Place::new(), Place::new());
    place.write("s.rhai", OWNED);
    elsewhere.write("s.rhai", OTHER);
    bed.expect(&place, 1, &["run", "s.rhai", "--yes"]);
    assert_eq!(bed.audited(&place, 0), BTreeSet::new());

    bed.expect(&elsewhere, 0, &["run", "s.rhai", "--yes"]);
    let journal = place.state().join("runs.db");
    assert!(!place.state().join("runs.db-wal").exists(), "the journal is still open");
    let backup = fs::read(&journal).expect("a journal");
    bed.expect(&place, 0, &["resume", "latest", "-p", "more=true"]);
    fs::write(&journal, backup).expect("a journal");
    let planted = [
        ("newer than the journal", "not_in_journal"),
        ("of another directory", "no_such_run"),
        ("of another directory too", "no_such_run"),
    ];
    assert_eq!(bed.audited(&place, 8), planted.map(|(name, why)| (name.to_owned(), why.to_owned())).into());

    bed.expect(&elsewhere, 0, &["undo", "latest", "--yes"]);
    assert_eq!(bed.audited(&place, 8), [("newer than the journal".to_owned(), "not_in_journal".to_owned())].into());
}
