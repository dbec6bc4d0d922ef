//! The plan of a shipped runbook, as data: it comes to its end, makes nothing, and its critical path explains how long it takes.

use serde_json::Value;

use crate::harness::Place;

/// Links of the critical path are steps, one after the other, and the whole length but for a twentieth.
pub fn its_plan_names_the_chain_that_takes_the_time(system: &[&str]) {
    let place = Place::new();
    let args: Vec<&str> = ["plan", "--json"].iter().chain(system).copied().collect();
    let told: Value = serde_json::from_str(&place.expect(0, args).out).expect("JSON");
    assert_eq!(told["finished"], true, "{}", told["failures"]);
    let plan = &told["plan"];
    let list = |name: &str| plan[name].as_array().cloned().unwrap_or_default();
    let number = |of: &Value, name: &str| of[name].as_i64().unwrap_or_else(|| panic!("no {name} in {of}"));
    let (steps, links) = (list("all"), list("critical"));
    let mut until = 0;
    for link in &links {
        assert!(steps.iter().any(|step| step["step"] == link["step"]), "no step: {link}");
        assert!(number(link, "from_ms") >= until, "it begins before the one before it ends: {link} in {links:#?}");
        until = number(link, "from_ms") + number(link, "took_ms");
    }
    let (took, whole) = (links.iter().map(|link| number(link, "took_ms")).sum::<i64>(), number(plan, "took_ms"));
    assert!(until <= whole && took * 20 >= whole * 19, "{took} of {whole} ms: {links:#?}");
    assert!(!place.state().join("sandbox.db").exists(), "plan made a world");
}
