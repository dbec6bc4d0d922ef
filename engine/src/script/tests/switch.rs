//! `switch`: as in Rhai, except that a secret is refused.

use serde_json::json;

use super::bed::{failed, it, place};

/// A switch over a subject, in a file that declares a secret.
fn over(subject: &str) -> String {
    format!(
        "const P = params(#{{ key: secret().generate(12) }});\nlet secret = P.key;\nlet m = #{{ key: secret }};\nstep(\"one\", || {{\n    switch {subject} {{ \"a\" => 1, _ => 2 }}\n}});"
    )
}

#[test]
fn a_secret_is_refused_wherever_it_comes_from() {
    for subject in [
        "P.key",
        "secret",
        "m.key",
        "m",
        "[1, secret]",
        "`${secret}`",
        "(secret)",
        "\"x\" + secret",
        "secret + \"x\"",
        "base64(secret)",
        "random_password(12)",
        "if true { secret } else { \"a\" }",
        "m.get(\"key\")",
    ] {
        let (failure, catchable) = failed(&over(subject));
        assert_eq!(failure.code, "RB0701", "{subject}: {failure:#?}");
        assert!(failure.message.contains("switched on"), "{}", failure.message);
        assert!(!catchable);
        assert_eq!(place(&failure), (5, 5), "{subject}");
    }
}

#[test]
fn everything_else_is_chosen_as_ever() {
    let text = r#"
        fn chosen(x) {
            switch x {
                1 => "one",
                2 | 3 => "two or three",
                4..10 if x != 7 => "four and more",
                "text" => { let y = "a "; y + x }
                [1, 2] => "list",
                () => "nothing",
                true => "yes",
                _ => "other",
            }
        }
        let a = 1;
        let b = switch(a + 1) { 2 => "sum", _ => "no sum" };
        let c = switch a == 1 || false { true => "or", _ => "no or" };
        let d = switch -1 { -1 => "minus", _ => "no minus" };
        let e = switch a { 2 => 1 };
        let f = switch "x" + a { "x1" => switch a { 1 => "nested", _ => "" }, _ => "" };
        let all = [1, 3, 5, 7, "text", [1, 2], (), true, 1.5].map(|x| chosen(x));
        output("it", all + [b, c, d, e, f]);
    "#;
    let wanted = json!([
        "one",
        "two or three",
        "four and more",
        "other",
        "a text",
        "list",
        "nothing",
        "yes",
        "other",
        "sum",
        "or",
        "minus",
        null,
        "nested"
    ]);
    assert_eq!(it(text), wanted);
}

#[test]
fn an_error_beside_a_switch_keeps_its_column() {
    let text = "let a = 1;\nswitch a { 1 => nobody(a), _ => 2 }";
    let (failure, _) = failed(text);
    assert_eq!((failure.code.as_str(), place(&failure)), ("RB0103", (2, 17)));
}

#[test]
fn the_word_in_a_text_or_a_comment_is_left_alone() {
    assert_eq!(it("// switch x\n/* switch */ output(\"it\", \"switch it\");"), json!("switch it"));
}
