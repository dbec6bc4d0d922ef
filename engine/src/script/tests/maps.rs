//! Fields of maps: assigning makes one, reading a missing one is an error that helps.

use serde_json::json;

use super::bed::{Bed, failed, it, place, value};

#[test]
fn an_assignment_makes_a_field() {
    let text = r#"
        let m = #{ a: 1 };
        m.b = 2;
        m["c"] = 3;
        let key = "d";
        m[key] = 4;
        m[`${key}${key}`] = 5;
        m[key + "e"] = 6;
        output("it", m);
    "#;
    assert_eq!(it(text), json!({"a": 1, "b": 2, "c": 3, "d": 4, "dd": 5, "de": 6}));
}

#[test]
fn an_assignment_makes_a_field_deep_inside_and_in_closures_and_functions() {
    let text = r#"
        fn filled(m, key) {
            m.inner.x = 1;
            m.inner["y"] = 2;
            m["inner"][key] = 3;
            m.list[0].z = 4;
            m
        }
        let inside = step("one", || {
            let mine = #{};
            mine.made = `${1 + 1}`;
            mine
        });
        let m = filled(#{ inner: #{}, list: [#{}] }, "k");
        m.from = inside.made;
        output("it", m);
    "#;
    assert_eq!(it(text), json!({"inner": {"x": 1, "y": 2, "k": 3}, "list": [{"z": 4}], "from": "2"}));
}

#[test]
fn an_assignment_over_several_lines_and_with_comments_works() {
    let text = "let m = #{};\nlet k = \"b\";\nm\n  .a\n  = 1;\nm[k]\n  = 2;\nm[k + \"c\"] =\n  3;\noutput(\"it\", m);";
    assert_eq!(it(text), json!({"a": 1, "b": 2, "bc": 3}));
}

#[test]
fn an_assignment_without_spaces_makes_a_field_too() {
    let text = r#"
        let m = #{ inner: #{} }; let k = "a"; let n = 0;
        m[k]=1; m[k+"b"]=2;m["c"]=3; m.d=4; m.inner[k]=switch k { "a" => 5, _ => 6 };
        m[k + "e"]= 7; m[k + "f"] =8; m[`${k}g`]=[k][n];
        let list=[#{}]; list[n][k]=9; list[n].x=10;
        output("it", [m, list]);
    "#;
    let m = json!({"a": 1, "ab": 2, "c": 3, "d": 4, "inner": {"a": 5}, "ae": 7, "af": 8, "ag": "a"});
    assert_eq!(it(text), json!([m, [{"a": 9, "x": 10}]]));
}

#[test]
fn an_error_beside_an_assignment_without_spaces_names_its_line() {
    let (failure, _) = failed("let m = #{}; let k = \"a\";\nm[k]=1; m[k]=2;\nlet x=3; m[k]=x; nobody(m);");
    assert_eq!(failure.code, "RB0103");
    let (line, column) = place(&failure);
    assert!(line == 3 && (18..=20).contains(&column), "{line}:{column}");
}

#[test]
fn an_existing_field_and_an_item_of_a_list_are_assigned_as_ever() {
    let text = r#"
        let m = #{ a: 1, b: 2 };
        let list = [1, 2, 3];
        m.a = 10;
        m["b"] += 5;
        list[0] = 7;
        list[-1]=9;
        let i = 1;
        list[i] = -8;
        output("it", #{ m: m, list: list });
    "#;
    assert_eq!(it(text), json!({"m": {"a": 10, "b": 7}, "list": [7, -8, 9]}));
}

#[test]
fn reading_a_missing_field_names_the_nearest_and_what_there_is() {
    for read in ["m.cidr_blok", "m[\"cidr_blok\"]", "m[key]", "m.cidr_blok.length"] {
        let text = format!("let m = #{{ cidr_block: 1, id: 2 }};\nlet key = \"cidr_blok\";\nlet x = {read};");
        let (failure, catchable) = failed(&text);
        assert_eq!((failure.code.as_str(), failure.message.as_str()), ("RB0104", "the map has no field cidr_blok"));
        assert!(failure.hints.iter().any(|hint| hint == "Did you mean cidr_block?"), "{:?}", failure.hints);
        assert_eq!(place(&failure).0, 3);
        assert!(catchable);
    }
    let (failure, _) = failed("let m = #{ a: 1, b: 2 };\nm.completely_else");
    assert!(failure.hints.iter().any(|hint| hint == "It has: a, b."), "{:?}", failure.hints);
}

#[test]
fn a_missing_field_is_not_made_by_reading_or_by_changing_it() {
    for read in ["m.x", "m.x += 1", "m[\"x\"] += 1", "m[k] += 1", "m.x.y = 1", "m[k].y = 1"] {
        let text = format!(
            "let m = #{{}};\nlet k = \"x\";\nlet said = \"\";\ntry {{ {read}; }} catch (e) {{ said = e.message; }}\noutput(\"it\", [said, m]);"
        );
        assert_eq!(it(&text), json!(["the map has no field x", {}]), "{read}");
    }
}

#[test]
fn a_field_of_a_captured_map_may_not_be_assigned_in_a_step() {
    let (failure, catchable) = failed("let m = #{};\nstep(\"one\", || { m.x = 1; });");
    assert_eq!(failure.code, "RB0321");
    assert!(!catchable);
}

#[test]
fn assigning_to_what_has_no_such_field_says_so_in_plain_words() {
    let (failure, _) = failed("let a = aws(#{ region: \"eu-west-1\" });\na.colour = 1;");
    assert!(failure.message.contains("colour") && !failure.message.contains('\u{1}'), "{:?}", failure.message);
    assert_eq!(place(&failure).0, 2);
}

#[test]
fn a_back_tick_text_is_read_as_it_stands() {
    let text =
        "let m = #{ a: 1 };\noutput(\"it\", `m.x = ${ let n = #{}; n.y = \"}\"; n.y } switch m[\"x\"] = ${m.a}`);";
    assert_eq!(it(text), json!("m.x = } switch m[\"x\"] = 1"));
}

#[test]
fn an_added_field_is_seen_in_a_second_run_of_the_script() {
    let bed = Bed::new("let m = step(\"one\", || { let m = #{}; m.x = 1; m });\nm.y = 2;\noutput(\"it\", m);");
    assert_eq!(bed.outputs(), bed.outputs());
    assert_eq!(bed.outputs()["it"], json!({"x": 1, "y": 2}));
}

#[test]
fn fields_are_asked_for_without_an_error_by_get_and_in() {
    assert_eq!(value("[#{ a: 1 }.get(\"b\"), \"a\" in #{ a: 1 }, \"b\" in #{ a: 1 }]"), json!([null, true, false]));
}
