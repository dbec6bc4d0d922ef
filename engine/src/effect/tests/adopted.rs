//! What the script gets is the same whether its thing was made before its eyes or found after a death: field by field.

use std::time::Duration;

use runbook_modules::resource::Kind as _;
use serde_json::{Value, json};

use super::{
    cloud::{Fault, IDENTITIES},
    rig::Rig,
};

/// Ids and tokens are another run's.
fn normal(value: &Value) -> Value {
    let id = value["id"].as_str().unwrap_or_default();
    let text = value.to_string().replace(id, "<id>");
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["tags"]["runbook:effect"] = "<effect>".into();
    value
}

#[test]
fn the_script_sees_of_an_adopted_one_what_it_would_have_seen() {
    for kind in IDENTITIES {
        let name = format!("t.{}", kind.meta().create);
        for slow in [0, 90] {
            let input = json!({"name": "n", "size": 3, "slow": slow});
            let calm = normal(&Rig::new().call(&name, input.clone()).unwrap());
            assert!(calm["arn"].is_string(), "{calm}");
            for fault in [None, Some(Fault::Lost(runbook_modules::error::Class::Unknown)), Some(Fault::Ghost(30))] {
                // Began and Target are one commit; the last cut is after the end.
                for (cut, rest_s) in (2..9).flat_map(|cut| [(cut, 0), (cut, 400_000)]) {
                    let rig = Rig::new();
                    rig.cloud.state().faults.push_back(fault);
                    rig.cut.after(cut, false);
                    let _died = rig.call(&name, input.clone());
                    rig.cut.never();
                    rig.pass(Duration::from_secs(rest_s));
                    let value = rig.call(&name, input.clone()).unwrap();
                    assert_eq!(normal(&value), calm, "{name} slow {slow} fault {fault:?} cut {cut} rest {rest_s}");
                }
            }
        }
    }
}
