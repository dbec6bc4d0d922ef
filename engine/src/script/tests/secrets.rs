//! What a script may not do with a secret: an answer about the placeholder would be wrong.

use super::bed::{failed, it};

/// A script that declares a secret and then evaluates an expression.
fn with(expression: &str) -> String {
    format!(
        "const P = params(#{{ key: secret().generate(12) }});\nlet s = P.key;\nlet joined = \"x\" + s;\nlet x = {expression};\noutput(\"it\", \"went on\");"
    )
}

fn refused(expression: &str) {
    let (failure, catchable) = failed(&with(expression));
    assert_eq!(failure.code, "RB0701", "{expression}: {failure:#?}");
    assert!(!catchable, "{expression}");
}

#[test]
fn comparing_one_with_anything_is_refused_on_either_side() {
    let others = [
        "1",
        "-1",
        "1.5",
        "true",
        "\"text\"",
        "'c'",
        "()",
        "[1]",
        "[s]",
        "#{}",
        "#{ a: s }",
        "s",
        "joined",
        "1..3",
        "(|| 1)",
        "Fn(\"f\")",
    ];
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        for other in others {
            for secret in ["s", "joined", "P.key", "base64(s)"] {
                refused(&format!("{secret} {operator} {other}"));
                refused(&format!("{other} {operator} {secret}"));
            }
        }
    }
}

#[test]
fn comparing_one_inside_a_list_or_a_map_is_refused() {
    for expression in [
        "[s] == [s]",
        "[1, s] != [1, 2]",
        "#{ a: s } == #{ a: 1 }",
        "#{ a: #{ b: s } } != #{ a: #{ b: s } }",
        "[s].contains(s)",
        "[s].contains(1)",
        "[1].contains(s)",
        "[s].index_of(s)",
        "[s, s].dedup()",
        "s in [s]",
        "s in [1, 2]",
        "1 in [s]",
    ] {
        refused(expression);
    }
}

#[test]
fn comparing_or_searching_a_text_with_one_in_it_is_refused() {
    for text in [
        "`${s}`",
        "`key=${s};`",
        "`${joined}`",
        "`${`${s}`}`",
        "`${base64(s)}`",
        "\"a\" + `${s}`",
        "#{ a: s }.to_json()",
    ] {
        for other in ["\"text\"", "'c'", "text", "`${s}`"] {
            let with = |expression: String| refused(&format!("{{ let text = {text}; {expression} }}"));
            for operator in ["==", "!=", "<", "<=", ">", ">="] {
                with(format!("text {operator} {other}"));
                with(format!("{other} {operator} text"));
            }
            for name in ["contains", "starts_with", "ends_with", "index_of"] {
                with(format!("text.{name}({other})"));
                if other != "'c'" {
                    with(format!("{other}.{name}(text)"));
                }
            }
            with(format!("{other} in text"));
            with(format!("text.index_of({other}, 1)"));
            with(format!("[1, text].contains({other})"));
            with(format!("[text] == [{other}]"));
            with(format!("#{{ a: text }} != #{{ a: {other} }}"));
        }
    }
}

#[test]
fn texts_without_one_are_compared_and_searched_as_ever() {
    let text = r#"
        let t = "räder";
        output("it", [
            t == "räder", t != "x", "a" < "b", "b" <= "b", "b" > 'a', 'a' >= "a", "a" == 'a', "a" == 1, t == (), 1 == 1.0,
            t.contains("äd"), 'x' in t, "rä" in t, t.starts_with('r'), t.ends_with("er"), t.ends_with('x'),
            t.index_of("d"), t.index_of('r', 1), t.index_of("r", -2), t.index_of("r", -99), t.index_of('r', 5), "".index_of(""), t.index_of("x"),
            t.index_of("", 2), t.index_of('r', -9223372036854775807), t.index_of('r', 9223372036854775807),
            "}}" == "{{secret:key:0123456789abcdef}}", ["a", "b"] == ["a", "b"], ["a", "b"].contains("b"), ["a", "b"].index_of("b"),
        ]);
    "#;
    let expected = serde_json::json!([
        true, true, true, true, true, true, true, false, false, true, true, false, true, true, true, false, 2, 4, 4, 0,
        -1, -1, -1, 2, 0, -1, false, true, true, 1,
    ]);
    assert_eq!(it(text), expected);
}

#[test]
fn arithmetic_cutting_and_deciding_on_one_is_an_error() {
    for expression in [
        "s - 1",
        "1 - s",
        "s * 2",
        "s / s",
        "s % 2",
        "s ** 2",
        "-s",
        "!s",
        "s && true",
        "s..3",
        "s[0]",
        "s[0..2]",
        "s.len",
        "s.len()",
        "s.split()",
        "s.to_int()",
        "parse_int(s)",
        "if s { 1 } else { 2 }",
        "s - \"a\"",
        "s & 1",
        "s << 1",
        "[s, s].sort()",
        "min(s, s)",
        "max(1, s)",
    ] {
        // What Rhai itself refuses is as good: it does not run through.
        failed(&with(expression));
    }
}

#[test]
fn duplicates_of_anything_else_are_taken_out_as_ever() {
    let text =
        "let l = [1, 2, 2, \"a\", \"a\", #{ b: 1 }, #{ b: 1 }, [1], [1], (), (), 1]; l.dedup(); output(\"it\", l);";
    assert_eq!(it(text), serde_json::json!([1, 2, "a", {"b": 1}, [1], null, 1]));
}

#[test]
fn joining_and_passing_one_on_works() {
    let text = with("[s + \"a\", \"a\" + s, s + s, `${s}`, #{ a: s }, [s]]");
    assert_eq!(it(&text), "went on");
}

#[test]
fn one_in_a_map_is_written_into_its_json() {
    let said = |value: &str| {
        it(&format!("const P = params(#{{ key: secret().generate(12) }});\nlet s = P.key;\noutput(\"it\", {value});"))
    };
    assert_eq!(said("#{ a: s, b: \"\\u0001'\" }.to_json()"), said("`{\"a\":${to_json(s)},\"b\":\"\\u0001'\"}`"));
    assert_eq!(said("to_json(#{ a: [s] })"), said("`{\"a\":${to_json([s])}}`"));
}
