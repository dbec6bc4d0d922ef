//! Bad input always gets a clear error: what, where (file, line, caret), why, what next; and nothing is lost.

use crate::harness::Place;

/// Runs a script of one file on the sandbox and insists on the exit code and on every text in standard error.
fn refused(script: &str, code: i32, texts: &[&str]) {
    let place = Place::new();
    place.write("bad.rhai", script);
    let said = place.expect(code, ["run", "bad.rhai", "--sandbox", "--speed", "0"]);
    for text in texts {
        assert!(said.err.contains(text), "no {text:?} in:\n{}", said.err);
    }
    assert!(!said.err.contains("panicked"), "{}", said.err);
}

#[test]
fn a_typo_in_a_binding_names_the_nearest() {
    refused(
        "const AWS = aws(#{ region: \"us-east-1\" });\nstep(\"vpc\", || AWS.ec2.create_vcp(#{ cidr_block: \"10.0.0.0/16\" }));\n",
        2,
        &["bad.rhai:2", "create_vcp", "create_vpc"],
    );
}

#[test]
fn a_typo_in_a_field_names_the_nearest() {
    refused(
        "const AWS = aws(#{ region: \"us-east-1\" });\nstep(\"vpc\", || AWS.ec2.create_vpc(#{ cidr_blok: \"10.0.0.0/16\" }));\n",
        2,
        &["bad.rhai:2", "cidr_blok", "cidr_block"],
    );
}

#[test]
fn a_wrong_type_names_the_field() {
    refused(
        "const AWS = aws(#{ region: \"us-east-1\" });\nlet n = 1;\nstep(\"vpc\", || AWS.ec2.create_vpc(#{ cidr_block: n }));\n",
        1,
        &["bad.rhai:3", "cidr_block"],
    );
}

#[test]
fn two_equal_step_keys_show_both_lines() {
    refused("step(\"one\", || 1);\nstep(\"two\", || 2);\nstep(\"one\", || 3);\n", 2, &["bad.rhai:3", "one", ":1"]);
}

#[test]
fn a_binding_outside_a_step_says_so() {
    refused(
        "const AWS = aws(#{ region: \"us-east-1\" });\nAWS.ec2.create_vpc(#{ cidr_block: \"10.0.0.0/16\" });\n",
        2,
        &["bad.rhai:2", "step"],
    );
}

#[test]
fn a_missing_module_is_named() {
    refused("import \"lib/nowhere\" as nowhere;\nstep(\"one\", || 1);\n", 2, &["bad.rhai:1", "lib/nowhere"]);
}

#[test]
fn an_import_out_of_the_folder_is_refused() {
    for path in ["/etc/passwd", "../secret", "lib/../../secret"] {
        refused(&format!("import \"{path}\" as x;\nstep(\"one\", || 1);\n"), 2, &["bad.rhai:1"]);
    }
}

#[test]
fn an_endless_loop_is_ended() {
    refused("step(\"one\", || { let x = 0; loop { x += 1; } });\n", 2, &["bad.rhai:1", "one"]);
}

#[test]
fn a_giant_text_is_refused() {
    refused("step(\"one\", || { let s = \"aaaaaaaaaa\"; for i in 0..30 { s += s; } s.len() });\n", 2, &["bad.rhai:1"]);
}

#[test]
fn a_replace_bomb_is_refused() {
    refused(
        "step(\"one\", || { let s = \"aaaaaaaaaa\"; for i in 0..16 { s += s; } s.replace(\"a\", s); s.len() });\n",
        2,
        &["bad.rhai:1"],
    );
}

#[test]
fn an_assignment_that_replay_would_lose_is_refused() {
    refused("let n = 1;\nstep(\"one\", || { n = 2; });\n", 2, &["bad.rhai:2", "n"]);
}

#[test]
fn a_parameter_out_of_range_names_its_declaration() {
    let place = Place::new();
    place.write("p.rhai", "const P = params(#{\n    nodes: int(3).range(1, 9),\n});\nstep(\"one\", || P.nodes);\n");
    let said = place.expect(2, ["run", "p.rhai", "--sandbox", "-p", "nodes=10"]);
    assert!(said.err.contains("nodes") && said.err.contains('9'), "{}", said.err);
    let said = place.expect(2, ["run", "p.rhai", "--sandbox", "-p", "node=2"]);
    assert!(said.err.contains("nodes"), "{}", said.err);
}

#[test]
fn overlapping_networks_are_refused_before_anything_is_made() {
    let place = Place::new();
    let said = place.expect(1, ["run", "redis-ha.rhai", "--sandbox", "--speed", "0", "-p", "vpc2_cidr=10.5.0.0/16"]);
    assert!(said.err.contains("overlap") && said.err.contains("redis-ha.rhai:"), "{}", said.err);
    let world = place.expect(0, ["world", "--json"]);
    let world: serde_json::Value = serde_json::from_str(&world.out).expect("JSON");
    assert_eq!(world["objects"].as_array().map(Vec::len), Some(0), "{world:#}");
}
