//! How regions stand in the sandbox.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::{Value, json};

use super::region;
use crate::testing::{Lab, code};

fn status(lab: &Lab, region: &str) -> Value {
    lab.call("account.get_region_opt_status", json!({ "region_name": region })).unwrap()["region_opt_status"].clone()
}

#[test]
fn a_region_is_enabled_after_minutes_and_stays() {
    let lab = Lab::new();
    let input = json!({ "region_name": "eu-south-1" });
    assert_eq!(status(&lab, "eu-south-1"), "DISABLED");
    assert_eq!(lab.read("account.region", input.clone()), None);
    let at_once = lab.call("account.enable_region", input.clone()).unwrap();
    assert_eq!((&at_once["region_opt_status"], at_once.get("tags")), (&json!("ENABLING"), None));
    let made = lab.settle("account.enable_region", &input, &at_once);
    assert_eq!(made["region_opt_status"], "ENABLED");
    assert_eq!(status(&lab, "eu-south-1"), "ENABLED");
    assert!(region::KIND.stays());
    assert_eq!(lab.delete("account.region", input).unwrap_err().class, Class::Refused);
    assert_eq!(status(&lab, "eu-south-1"), "ENABLED");
}

#[test]
fn a_region_that_is_on_is_used_as_it_is() {
    let lab = Lab::new();
    assert_eq!(status(&lab, "us-east-1"), "ENABLED_BY_DEFAULT");
    for name in ["us-east-1", "ap-east-1"] {
        let input = json!({ "region_name": name });
        if name == "ap-east-1" {
            lab.call("account.enable_region", input.clone()).unwrap();
        }
        assert_eq!(lab.call("account.enable_region", input.clone()).unwrap_err().class, Class::AlreadyExists);
        assert_eq!(lab.find("account.region", &"f".repeat(64), input).len(), 1);
    }
}

#[test]
fn one_that_stands_before_the_run_is_on() {
    let lab = Lab::new();
    lab.put_object("account.region", "", "il-central-1", json!({}));
    assert_eq!(status(&lab, "il-central-1"), "ENABLED");
}

#[test]
fn what_is_no_region_is_refused() {
    let lab = Lab::new();
    let nowhere = lab.call("account.get_region_opt_status", json!({ "region_name": "eu-nowhere-1" }));
    assert_eq!(code(nowhere), "ValidationException");
    for wrong in ["", "eu-south-1a", "EU-SOUTH-1", "eusouth1", "eu-1"] {
        let error = lab.check("account.enable_region", json!({ "region_name": wrong })).unwrap_err();
        assert_eq!(error.path, "region_name", "{wrong}");
    }
    for right in ["us-gov-west-1", "eu-south-2"] {
        lab.check("account.enable_region", json!({ "region_name": right })).unwrap();
    }
}
