//! Names that there are not: the nearest that there are.

use super::bed::failed;

#[test]
fn an_unknown_function_names_the_nearest() {
    for (wrong, right) in
        [("stepp", "step"), ("cidr_contain", "cidr_contains"), ("fille", "file"), ("random_pasword", "random_password")]
    {
        let (failure, catchable) = failed(&format!("\n{wrong}(\"a\", 1)"));
        assert_eq!(failure.code, "RB0103");
        assert!(failure.hints.iter().any(|hint| hint.contains(&format!("{right}?"))), "{wrong}: {:?}", failure.hints);
        assert!(!catchable);
    }
}

#[test]
fn a_name_that_begins_with_index_is_found_too() {
    let (failure, _) = failed("let list = [1, 2];\nlist.index_off(2)");
    assert_eq!(failure.code, "RB0103");
    assert!(failure.hints.iter().any(|hint| hint == "Did you mean index_of?"), "{:?}", failure.hints);
}

#[test]
fn no_hint_names_what_a_script_cannot_say() {
    for name in ["switchh", "keyy", "getx", "index"] {
        let (failure, _) = failed(&format!("{name}(1)"));
        assert!(!failure.hints.iter().any(|hint| hint.contains('$') || hint.contains('\u{1}')), "{:?}", failure.hints);
    }
}

#[test]
fn a_known_function_with_other_arguments_says_what_was_given() {
    let (failure, _) = failed("cidr_contains(1, \"a\")");
    assert_eq!(failure.code, "RB0105");
    assert_eq!(failure.message, "cidr_contains does not take (a whole number, a text)");
}

#[test]
fn a_binding_with_other_arguments_says_what_was_given_without_its_service() {
    for (given, told) in [("()", "nothing"), ("1, \"a\"", "a whole number, a text"), ("|x| x", "a closure")] {
        let text =
            format!("let aws = aws(#{{ region: \"us-east-1\" }});\nstep(\"s\", || aws.sqs.create_queue({given}));");
        let (failure, catchable) = failed(&text);
        assert_eq!(failure.code, "RB0105", "{failure:#?}");
        assert_eq!(failure.message, format!("create_queue does not take ({told})"));
        assert!(failure.hints.iter().any(|hint| hint.contains("runbook docs")), "{:?}", failure.hints);
        assert!(!catchable);
    }
}
