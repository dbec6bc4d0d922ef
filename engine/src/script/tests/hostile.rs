//! What only a script can hand to a binding (a closure, a range, a handle, a secret, no number) or to a function: an error with a code
//! and a place, and never a panic.

use super::bed::{Bed, place};
use crate::targets;

const BEFORE: &str = "const P = params(#{ key: secret().generate(12) });\n\
     let aws = aws(#{ region: \"us-east-1\" });\n\
     let odd = [|x| x, 0..5, 'c', 0.0 / 0.0, 1.0 / 0.0, aws, P.key, P, [P.key, |x| x], #{ \"a\": #{ b: 0..=3 } }, (), `${P.key}`];\n\
     fn put(map, name, value) { map[name] = value; map }\n";

/// How many values `odd` has.
const ODD: usize = 12;

/// Fails or not, but in an orderly way.
fn orderly(line: &str) {
    let outcome = Bed::new(&format!("{BEFORE}{line}")).drive();
    for failure in &outcome.failures {
        assert!(failure.code.starts_with("RB") && failure.code != "RB0900", "{line}\n{failure:#?}");
        assert!(!failure.message.trim().is_empty(), "{line}");
        assert!(place(failure).0 > 0, "{line}\n{failure:#?}");
    }
}

#[test]
fn no_value_of_a_script_makes_a_binding_panic() {
    let table = targets::table();
    for (number, (name, binding)) in table.bindings().enumerate() {
        let schema = binding.schema();
        let (service, function) = name.split_once('.').unwrap();
        let on = match service {
            "k8s" => "k8s(#{ context: \"here\" })",
            "helm" => "k8s(#{ context: \"here\" }).helm",
            "github" => "github(#{ token: P.key })",
            "cloudflare" => "cloudflare(#{ api_token: P.key })",
            _ => "aws",
        };
        let on = if on == "aws" { format!("aws.{service}") } else { on.to_owned() };
        let fields: Vec<&String> = schema["properties"].as_object().into_iter().flat_map(|map| map.keys()).collect();
        let odd = number % ODD;
        orderly(&format!("step(\"s\", || {on}.{function}(odd[{odd}]));"));
        for (at, field) in fields.iter().enumerate().take(2) {
            let odd = (number + at + 5) % ODD;
            orderly(&format!("step(\"s\", || {on}.{function}(put(#{{}}, \"{field}\", odd[{odd}])));"));
        }
    }
}
