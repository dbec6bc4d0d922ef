//! What is seen without running.

use super::bed::program;
use crate::{script::program::Program, targets};

/// The mistakes of a runbook, as `file:line:column code message; hint`.
fn mistakes(files: &[(&str, &str)]) -> Vec<String> {
    let program = program(files).unwrap_or_else(|failure| panic!("{failure:#?}"));
    let told = |failure: crate::error::Failure| {
        let site = failure.sites.first().cloned().unwrap_or_default();
        let hint = failure.hints.first().map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{}:{}:{} {} {}{hint}", site.file, site.line, site.column, failure.code, failure.message)
    };
    program.check(&targets::table()).into_iter().map(told).collect()
}

/// The mistakes of one file that begins with a handle, in line 1.
fn of(text: &str) -> Vec<String> {
    let text = format!("const AWS = aws(#{{ region: \"us-east-1\" }});\n{text}");
    mistakes(&[("t.rhai", &text)])
}

/// Insists on one mistake whose telling begins and ends so.
fn one(text: &str, wanted: &str) {
    let found = of(text);
    assert_eq!(found.len(), 1, "{text}\n{found:#?}");
    assert!(found[0].starts_with(wanted), "{text}\n{}\nwanted {wanted}", found[0]);
}

#[test]
fn the_shipped_runbooks_have_none() {
    for name in Program::names(&[]) {
        let found = Program::open(&name, &[]).unwrap().check(&targets::table());
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn an_unknown_function_is_told_with_its_place_and_the_nearest() {
    one(
        "let x = cidr_contians(\"a\", \"b\");",
        "t.rhai:2:9 RB0103 there is no function cidr_contians; did you mean cidr_contains?",
    );
    one("fn reaches(a) { a }\nreachs(1);", "t.rhai:3:1 RB0103 there is no function reachs; did you mean reaches?");
    one("let list = [1];\nlist.pusch(2);", "t.rhai:3:6 RB0103 there is no function pusch; did you mean push?");
    one("step(\"a\", || nothing_such());", "t.rhai:2:14 RB0103 there is no function nothing_such");
}

#[test]
fn wrong_argument_counts_are_told() {
    one("fn two(a, b) { a + b }\ntwo(1);", "t.rhai:3:1 RB0105 two takes 2 arguments, not 1");
    one("cidr_overlaps(\"a\");", "t.rhai:2:1 RB0105 cidr_overlaps takes 2 arguments, not 1");
    one("step(\"one\");", "t.rhai:2:1 RB0105 step takes 2 or 3 arguments, not 1");
    one("fail();", "t.rhai:2:1 RB0105 fail takes 1 argument, not 0");
}

#[test]
fn what_is_called_rightly_is_left_alone() {
    let text = r#"
        fn twice(x) { x * 2 }
        fn joined(list) { let f = |x| twice(x); list.map(f).join(",") }
        let m = #{ f: |x| x + 1 };
        let n = m.f.call(1);
        let closure = |a, b| a + b;
        let name = Fn("twice");
        print(type_of(n) + is_shared(n) + name.call(2) + closure.call(1, 2));
        let all = [3, 1].map(|x| twice(x)).filter(|x| x > 2).reduce(|a, b| a + b, 0);
        for (x, i) in [1, 2] { if x in [1] && !(i == 0) { debug(x + i - 1); } }
        try { fail("x"); } catch (e) { log(e.message); }
        let s = "abc"; s.replace("a", "b"); s.to_upper(); s.len(); s[0]; len(s);
        switch n { 1 => "one", _ => `other ${n}` }
        output("x", yaml("a: 1").a ?? 1);
        while false { break; }
        let t = if true { parse_int("1") } else { -1 }.abs();
        m.later = || 1;
        m["key"] = 1;
        let k = "other";
        m[k] = t;
        step("s", #{ retry: 3, timeout: "1m", undo: || log("x") }, || { approve("sure?"); sleep(1); uuid(); now() });
    "#;
    assert_eq!(of(text), Vec::<String>::new());
}

#[test]
fn functions_of_modules_are_looked_up_there() {
    let root = "import \"lib/eks\" as eks;\nstep(\"a\", || eks::biuld(1));\nstep(\"b\", || eks::build());\nstep(\"c\", || eks::hidden());\nstep(\"d\", || eks::build(1));\n";
    let module = "fn build(x) { helper(x) }\nprivate fn hidden() { 1 }\nfn helper(x) { hiden() + x }\n";
    let found = mistakes(&[("t.rhai", root), ("lib/eks.rhai", module)]);
    let wanted = [
        "t.rhai:2:19 RB0103 there is no function biuld in lib/eks.rhai; did you mean eks::build?",
        "t.rhai:3:19 RB0105 eks::build takes 1 argument, not 0",
        "t.rhai:4:19 RB0103 hidden is private in lib/eks.rhai",
        "lib/eks.rhai:3:16 RB0103 there is no function hiden; did you mean hidden?",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn an_unknown_operation_and_field_are_told_with_the_nearest() {
    one(
        "step(\"a\", || AWS.ec2.create_vcp(#{}));",
        "t.rhai:2:22 RB0111 there is no ec2.create_vcp; did you mean create_vpc?",
    );
    one(
        "step(\"a\", || AWS.ec2.create_vpc(#{ cidr_blok: \"10.0.0.0/16\", cidr_block: \"10.0.0.0/16\" }));",
        "t.rhai:2:36 RB0401 ec2.create_vpc: cidr_blok: unknown field; did you mean cidr_block?",
    );
    one(
        "step(\"a\", || AWS.ec2.create_vpc(#{ cidr_block: P(), nam: \"x\" }));\nfn P() { \"10.0.0.0/16\" }",
        "t.rhai:2:53 RB0401 ec2.create_vpc: nam: unknown field; did you mean name?",
    );
}

#[test]
fn a_missing_field_and_a_wrong_type_are_told() {
    one(
        "step(\"a\", || AWS.ec2.create_subnet(#{ cidr_block: \"10.0.0.0/24\" }));",
        "t.rhai:2:36 RB0401 ec2.create_subnet: vpc_id: missing",
    );
    one(
        "step(\"a\", || AWS.ec2.create_vpc(#{ cidr_block: 10 }));",
        "t.rhai:2:48 RB0401 ec2.create_vpc: cidr_block: must be a text, not 10",
    );
    one(
        "step(\"a\", || AWS.ec2.create_vpc(#{ cidr_block: [`a`] }));",
        "t.rhai:2:48 RB0401 ec2.create_vpc: cidr_block: must be a text, not a list",
    );
    one(
        "step(\"a\", || AWS.ec2.create_vpc(#{ cidr_block: \"10.0.0.0/16\", wait: \"no\" }));",
        "t.rhai:2:69 RB0401 ec2.create_vpc: wait: must be true or false, not \"no\"",
    );
    one(
        "step(\"a\", || AWS.ec2.create_vpc(#{ cidr_block: \"10.0.0.0/16\", timeout: \"soon\" }));",
        "t.rhai:2:72 RB0401 ec2.create_vpc: timeout: ",
    );
}

#[test]
fn nested_maps_and_lists_are_looked_into() {
    let call = |config: &str| {
        format!(
            "step(\"a\", || AWS.eks.create_cluster(#{{ name: \"c\", role_arn: \"r\", resources_vpc_config: {config} }}));"
        )
    };
    one(
        &call("#{ subnet_ids: [\"a\", 1] }"),
        "t.rhai:2:109 RB0401 eks.create_cluster: resources_vpc_config.subnet_ids.1: must be a text, not 1",
    );
    let found = of(&call("#{ subnet_id: [\"a\"] }"));
    assert!(found.iter().any(|told| told.contains("resources_vpc_config.subnet_id: unknown field")), "{found:#?}");
    assert_eq!(
        of(&call("#{ subnet_ids: [some.id, `x${1}`] }").replace("step(", "let some = #{ id: \"x\" };\nstep(")),
        Vec::<String>::new()
    );
}

#[test]
fn a_cluster_in_a_variable_is_known() {
    let text = "let k = k8s(#{ context: \"x\" });\nstep(\"a\", || k.run_pod(#{ name: \"p\", namespace: \"n\", imag: \"i\", command: [\"x\"] }));";
    let found = of(text);
    assert!(
        found.iter().any(|told| told.contains("k8s.run_pod: imag: unknown field; did you mean image?")),
        "{found:#?}"
    );
    one(
        "let k = k8s(#{ context: \"x\" });\nstep(\"a\", || k.rum_pod(#{}));",
        "t.rhai:3:16 RB0111 there is no k8s.rum_pod; did you mean run_pod?",
    );
}

#[test]
fn a_parameter_that_is_not_declared_is_told() {
    let params = "const P = params(#{ region: string(\"x\"), key: secret().optional() });\n";
    one(
        &format!("{params}let x = P.regoin;"),
        "t.rhai:3:11 RB0104 the runbook declares no parameter regoin; did you mean region?",
    );
    one(
        &format!("{params}let x = P[\"nothing\"];"),
        "t.rhai:3:11 RB0104 the runbook declares no parameter nothing; it declares region, key",
    );
    one(&format!("{params}step(\"a\", || P.regoin.len());"), "t.rhai:3:16 RB0104");
    one(&format!("{params}fn f() {{ global::P.rgion }}"), "t.rhai:3:20 RB0104");
    one(&format!("{params}P.region = \"y\";"), "t.rhai:3:3 RB0105 a parameter cannot be assigned");
    assert_eq!(
        of(&format!("{params}let f = |P| P.other; step(\"a\", || P.region + global::P.region);")),
        Vec::<String>::new()
    );
}

#[test]
fn a_call_that_no_step_encloses_is_told_whichever_way_it_is_reached() {
    one(
        "AWS.ec2.create_vpc(#{ cidr_block: \"10.0.0.0/16\" });",
        "t.rhai:2:9 RB0112 ec2.create_vpc is called outside a step",
    );
    one("fn make() { global::AWS.sts.get_caller_identity(#{}) }\nlet x = make();", "t.rhai:2:29 RB0112");
    one("each([1], |i| `${i}`, |i| AWS.sts.get_caller_identity(#{}));", "t.rhai:2:35 RB0112");
    one("parallel(#{ a: || [1].map(|x| AWS.sts.get_caller_identity(#{})) });", "t.rhai:2:39 RB0112");
    one("if true { k8s(#{ context: \"x\" }).list(#{ kind: \"Pod\", api_version: \"v1\" }); }", "t.rhai:2:34 RB0112");
}

#[test]
fn a_call_that_a_step_may_enclose_is_left_alone() {
    let text = r#"
        fn make(aws) { aws.sts.get_caller_identity(#{}) }
        fn stepped(aws) { step("in", || make(aws)) }
        let later = || AWS.sts.get_caller_identity(#{});
        step("a", || make(AWS));
        step("b", || each([1], |i| `${i}`, |i| AWS.sts.get_caller_identity(#{})));
        step("c", #{ undo: || AWS.sts.get_caller_identity(#{}) }, || later.call());
        check("d", || AWS.sts.get_caller_identity(#{}).account != "");
        stepped(AWS);
    "#;
    assert_eq!(of(text), Vec::<String>::new());
}

#[test]
fn two_equal_names_beside_each_other_are_told_with_both_places() {
    one("step(\"a\", || 1);\nstep(\"a\", || 2);", "t.rhai:3:1 RB0301");
    one("fn f() { step(\"a\", || 1); check(\"a\", || true); }\nstep(\"x\", || f());", "t.rhai:2:27 RB0301");
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_text() {
    let found = of("nobody();\nstep(\"a\", || AWS.ec2.create_vcp(#{}));\nstep(\"a\", || nobody());\n");
    let lines: Vec<&str> = found.iter().map(|told| &told[..9]).collect();
    assert_eq!(lines, ["t.rhai:2:", "t.rhai:3:", "t.rhai:4:", "t.rhai:4:"], "{found:#?}");
}
