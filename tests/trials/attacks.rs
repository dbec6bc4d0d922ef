//! H1, H2: scripts that want too much, or out. Each must end by itself, with an error and never with a signal, in time, and in little
//! memory, under a limit of the address space.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    Make, Tried,
    watched::{Watched, watched},
};

/// An attack: what it wants, and the body of the step that tries it.
pub struct Attack {
    /// In words.
    pub name: String,
    /// The script.
    pub script: String,
    /// What it must be told, or one of these with `|` between: it did reach what it attacks. Empty: it is no attack at all and must
    /// run to its end.
    pub told: &'static str,
}

/// What an attack came to.
#[derive(Debug)]
pub struct Held {
    /// Real time.
    pub took: Duration,
    /// The most memory that it had, in KiB.
    pub peak_kib: u64,
}

/// The address space of a process, in KiB: what is asked for beyond it aborts the process, and so is seen.
const ADDRESS_SPACE: u64 = 6 << 20;
/// A script may compute for ten seconds between two bindings; the rest is for a busy machine.
const MOST: Duration = Duration::from_secs(60);

/// There is nothing to attack: a script has no such function.
const NO_FUNCTION: &str = "RB0103";
/// It may run to its end, where it throws this.
const END: &str = "the end";

/// Bodies of a step, and what each must be told. They want too much memory, time or stack, or something that a script has no business
/// with.
const BODIES: &[(&str, &str, &str)] = &[
    (
        "a text put in place of its own letters",
        "RB0107",
        r#"let s = "a"; for i in 0..20 { s += s; } s.replace("a", s); s.len()"#,
    ),
    (
        "a small text put in place of its own letters",
        "RB0107",
        r#"let s = "aaaaaaaaaa"; for i in 0..11 { s += s; } s.replace("a", s); s.len()"#,
    ),
    (
        "900 texts of a megabyte",
        "RB0107",
        r#"let l = []; let s = "x"; for i in 0..20 { s += s; } for i in 0..900 { l.push(s + i); } l.len()"#,
    ),
    (
        "many texts in many maps",
        "RB0107",
        r#"let m = #{}; let s = "x"; for i in 0..18 { s += s; } for i in 0..100000 { m[`k${i}`] = s + i; } m.len()"#,
    ),
    ("a text that doubles", "RB0107", r#"let s = "a"; loop { s += s; }"#),
    ("a list that doubles", "RB0107", "let l = [1]; loop { l += l; }"),
    ("a list inside itself", "RB0106|RB0107", "let l = [1, 2, 3]; loop { l = [l, l, l]; }"),
    ("a map inside itself", "RB0106|RB0107", "let m = #{ a: 1 }; loop { m = #{ a: m, b: m }; }"),
    ("an endless loop", "RB0106", "let x = 0; loop { x += 1; }"),
    ("an endless loop without a variable", "RB0106", "loop { }"),
    ("an endless while", "RB0106", "while true { }"),
    ("an endless do", "RB0106", "do { } while true"),
    ("an endless loop inside a loop", "RB0106", "for i in 0..1000000000 { for j in 0..1000000000 { } }"),
    ("a range over everything", "RB0106", "for i in 0..9223372036854775807 { }"),
    ("an error caught for ever", "RB0106", r#"loop { try { throw "x"; } catch { } }"#),
    ("a missing field caught for ever", "RB0106", "let m = #{}; loop { try { m.x; } catch { } }"),
    ("limits caught", "RB0107", r#"try { let s = "a"; loop { s += s; } } catch { } let x = 0; loop { x += 1; }"#),
    ("recursion", "RB0109", "fn f(n) { f(n + 1) } f(0)"),
    ("recursion in both directions", "RB0109", "fn f(n) { g(n + 1) } fn g(n) { f(n + 1) } f(0)"),
    ("recursion through closures", "RB0109", "let f = |f, n| f.call(f, n + 1); f.call(f, 0)"),
    ("a closure over itself", "RB0109", "let f = || 1; for i in 0..100000 { let g = f; f = || g.call(); } f.call()"),
    ("maps of maps of maps", END, "fn deep(n) { if n == 0 { #{} } else { #{ a: deep(n - 1) } } } deep(60)"),
    ("a deep result", "more than 100 levels", "let m = 1; for i in 0..5000 { m = [m]; } m"),
    ("a deep text of brackets", "more than 1000 brackets", r#"let s = "["; for i in 0..16 { s += s; } yaml(s)"#),
    (
        "YAML maps in maps in brackets",
        "more than 1000 brackets",
        r#"let s = "{a: "; for i in 0..16 { s += s; } yaml(s)"#,
    ),
    (
        "YAML with many directives",
        "more than 100 directives",
        r#"let s = "%TAG !a! b\n"; for i in 0..15 { s += s; } yaml(s + "--- a")"#,
    ),
    ("deep YAML", "recursion limit exceeded", r#"let s = "- "; for i in 0..16 { s += s; } yaml(s)"#),
    ("YAML that refers to itself", "RB0105", r#"yaml("a: &a [b, *a]")"#),
    (
        "a billion laughs",
        "repetition limit exceeded",
        r#"let s = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"; for i in 1..12 { let p = i - 1; s += `a${i}: &a${i} [*a${p}, *a${p}, *a${p}, *a${p}, *a${p}, *a${p}, *a${p}, *a${p}, *a${p}, *a${p}]`; s += "\n"; } yaml(s)"#,
    ),
    ("padding", "RB0107", r#"let s = "x"; s.pad(2000000000, "y"); s.len()"#),
    ("padding of a list", "RB0107", "let l = []; l.pad(2000000000, 0); l.len()"),
    (
        "padding of a list with lists",
        "RB0107",
        "let l = []; let big = []; big.pad(100000, 7); l.pad(100000, big); l.len()",
    ),
    (
        "splitting",
        "RB0106|RB0107",
        r#"let s = "a,"; for i in 0..22 { s += s; } let l = s.split(","); l.map(|x| s); l.len()"#,
    ),
    ("splitting into letters", "RB0107", r#"let s = "a"; for i in 0..23 { s += s; } s.split("").len()"#),
    (
        "a list of characters",
        "RB0106|RB0107",
        r#"let s = "a"; for i in 0..23 { s += s; } let l = []; for c in s { l.push(`${c}${c}`); } l.len()"#,
    ),
    ("joining", "RB0107", r#"let s = "x"; for i in 0..18 { s += s; } let l = []; l.pad(10000, s); l.join(s)"#),
    (
        "JSON of something large",
        "RB0107",
        r#"let s = "\u0001"; for i in 0..22 { s += s; } #{ a: s, b: s, c: s, d: s }.to_json()"#,
    ),
    (
        "base64 over and over",
        "RB0107",
        r#"let s = "x"; for i in 0..20 { s += s; } for i in 0..40 { s = base64(s); } s.len()"#,
    ),
    ("upper case that grows", "RB0107", r#"let s = "ΐ"; for i in 0..23 { s += s; } s.to_upper().len()"#),
    ("an interpolation that doubles", "RB0107", "let s = `x`; loop { s = `${s}${s}${s}`; }"),
    (
        "a text times a list",
        "RB0107",
        r#"let s = "x"; for i in 0..20 { s += s; } [1,2,3,4,5,6,7,8,9,0].map(|x| [s + x, s + x, s + x, s + x, s + x, s + x, s + x, s + x, s + x, s + x].map(|y| y + s)).len()"#,
    ),
    ("a list made by itself", "RB0107", "let l = [0]; for i in 0..40 { l.append(l); } l.len()"),
    ("a list spliced into itself", "RB0107", "let l = [1]; loop { l.splice(0..0, l); }"),
    (
        "copies of a part of a list",
        "RB0106|RB0107",
        "let l = []; l.pad(900000, 0); let m = []; loop { m.push(l.extract(1)); }",
    ),
    (
        "zipping",
        "RB0106|RB0107",
        "let l = []; l.pad(900000, 0); let m = []; for i in 0..100 { m.push(l.zip(l, |a, b| [a, b])); } m.len()",
    ),
    (
        "sorting with a comparison that lies",
        "RB0106|RB0107",
        "let l = []; for i in 0..20000 { l.push(i); } l.sort(|a, b| 1); l.sort(|a, b| -1); loop { l.sort(|a, b| 1); }",
    ),
    (
        "sorting with a comparison that throws",
        "RB0106|RB0107",
        r#"let l = [3, 2, 1]; loop { try { l.sort(|a, b| throw "x"); } catch { } }"#,
    ),
    ("retaining for ever", "RB0106|RB0107", "let l = []; l.pad(900000, 1); loop { l.retain(|x| x == 1); }"),
    (
        "reducing into a text",
        "RB0106|RB0107",
        r#"let l = []; l.pad(900000, "xxxxxxxxxx"); l.reduce(|sum, x| (sum ?? "") + x + x + x)"#,
    ),
    ("numbers that overflow", "RB0105", "9223372036854775807 + 1"),
    ("the smallest number's opposite", "RB0105", "let x = -9223372036854775807 - 1; -x"),
    ("the smallest number divided", "RB0105", "let x = -9223372036854775807 - 1; x / -1"),
    ("the rest of the smallest number", "RB0105", "let x = -9223372036854775807 - 1; x % -1"),
    ("division by nothing", "RB0105", "1 / 0"),
    ("a power that overflows", "RB0105", "10 ** 100"),
    ("a negative power", "RB0105", "2 ** -1"),
    ("shifting too far", END, "1 << 100000"),
    ("an index out of bounds", "RB0105", "[1][9223372036854775807]"),
    ("an index before the beginning", "RB0105", "[1][-9223372036854775807]"),
    ("a range backwards in a text", END, r#""abc".sub_string(9223372036854775807, -1)"#),
    (
        "a text cut in a letter",
        END,
        r#"let s = "äöü"; s.crop(1, 9223372036854775807); s.sub_string(-9223372036854775807, 9223372036854775807)"#,
    ),
    ("a long sleep", "RB0105", r#"sleep("999999999999999999999h")"#),
    ("an endless sleep as a number", "RB0105", "sleep(1e300)"),
    ("a negative sleep", "RB0105", r#"sleep("-1s")"#),
    ("a sleep that is no number", "RB0105", "sleep(0.0 / 0.0)"),
    ("a password of any length", "RB0105", "random_password(9223372036854775807)"),
    ("a password of less than nothing", "RB0105", "random_password(-1)"),
    ("eval", "RB0102", r#"eval("1 + 1")"#),
    ("eval by its name", "RB0102", r#"Fn("eval").call("1 + 1")"#),
    ("a function by a made-up name", NO_FUNCTION, r#"Fn("anon$0").call()"#),
    ("our own operator", NO_FUNCTION, r#"Fn("\u0001key").call("x", 0)"#),
    ("a file of the system", "RB0108", r#"file("/etc/passwd")"#),
    ("a file above", "RB0108", r#"file("../outside")"#),
    ("a file by a computed name", "RB0110", r#"let n = "outs" + "ide"; file(n)"#),
    ("an environment variable", NO_FUNCTION, r#"env("HOME")"#),
    ("the time", NO_FUNCTION, "timestamp()"),
    ("a random number", NO_FUNCTION, "rand()"),
    ("a program", "RB0105", r#"exec("id")"#),
    ("opening a file", NO_FUNCTION, r#"open_file("/etc/passwd")"#),
    ("a step in a step without end", "RB0109", "fn f(n) { step(`s${n}`, || f(n + 1)) } f(0)"),
    ("branches without end", "RB0109", "fn f(n) { parallel(#{ a: || f(n + 1), b: || f(n + 1) }) } f(0)"),
    ("many branches", "the end|RB0106", "let m = #{}; for i in 0..100000 { m[`b${i}`] = || 1; } parallel(m)"),
    ("a step key without end", "RB0105", r#"let s = "k"; for i in 0..22 { s += s; } step(s, || 1)"#),
    ("a step key with a slash", END, r#"step("a/b", || 1)"#),
    ("an empty step key", "RB0105", r#"step("", || 1)"#),
    ("a result that is no JSON", "RB0322", "|| 1"),
    ("a result that is no number", "RB0322", "0.0 / 0.0"),
    ("a thrown list", "RB0323", "let l = []; l.pad(1000000, 7); throw l"),
    ("a thrown secret", "RB0323", "throw random_password(12)"),
    ("an assignment to a constant", "RB0102", "const X = 1; X = 2;"),
    ("a shared value changed by two", "RB0321", "let x = 1; let f = || { x += 1; }; parallel(#{ a: f, b: f })"),
    (
        "print without end",
        "RB0106|RB0107",
        r#"loop { print("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"); }"#,
    ),
    ("printing something large", "RB0323", r#"let s = "x"; for i in 0..23 { s += s; } print(s); throw "done""#),
    (
        "an output of something large",
        "RB0107",
        r#"let s = "x"; for i in 0..23 { s += s; } let l = []; for i in 0..30 { l.push(s); } output("x", l)"#,
    ),
    (
        "an effect with a large input",
        "RB0401",
        r#"let s = "x"; for i in 0..23 { s += s; } let a = aws(#{ region: "us-east-1" }); a.ec2.create_vpc(#{ cidr_block: s })"#,
    ),
    ("a regular expression", NO_FUNCTION, r#""aaaa".matches("(a+)+$")"#),
    (
        "a broken placeholder",
        "RB0703",
        r#"let a = aws(#{ region: "us-east-1" }); a.ec2.create_vpc(#{ name: "{{secret:x:0123456789abcdef}}", cidr_block: "10.0.0.0/16" })"#,
    ),
];

/// Whole scripts.
const SCRIPTS: &[(&str, &str, &str)] = &[
    ("an import of the system", "RB0108", r#"import "/etc/passwd" as x; step("a", || 1);"#),
    ("an import above", "RB0108", r#"import "../outside" as x; step("a", || 1);"#),
    ("an import of itself", "RB0108", r#"import "attack" as x; step("a", || 1);"#),
    ("an import by a computed name", "RB0110", r#"let n = "lib"; import n as x; step("a", || 1);"#),
    ("an import of a device", "RB0108", r#"import "/dev/zero" as x; step("a", || 1);"#),
    ("no script", "RB0102", "\u{0}\u{1}\u{2}"),
    ("an open text", "RB0102", "let x = \"for ever"),
    ("an open back-tick", "RB0102", "let ever = 1;\nlet x = `for ${ever"),
];

/// All of them, with some that are made here because they are long.
pub fn all() -> Vec<Attack> {
    let body = |&(name, told, body): &(&str, &'static str, &str)| {
        // Functions stand outside of closures.
        let (functions, rest): (Vec<&str>, String) = match body.rfind("} ").filter(|_| body.starts_with("fn ")) {
            Some(end) => (vec![&body[..=end]], body[end + 1..].to_owned()),
            None => (Vec::new(), body.to_owned()),
        };
        let script = format!("{}\nstep(\"attack\", || {{ {rest} }});\nthrow \"{END}\";\n", functions.join("\n"));
        Attack { name: name.to_owned(), script, told }
    };
    let mut attacks: Vec<Attack> = BODIES.iter().map(body).collect();
    attacks.extend(SCRIPTS.iter().map(|&(name, told, text)| Attack {
        name: name.to_owned(),
        script: text.to_owned(),
        told,
    }));
    for (name, open, close) in [
        ("brackets", "(", ")"),
        ("lists", "[", "]"),
        ("maps", "#{a:", "}"),
        ("blocks", "{", "}"),
        ("closures", "||", ""),
        ("minus signs", "- ", ""),
        ("denials", "!", ""),
        ("ifs", "if true {", "}"),
        ("switches", "switch 1 { 1 => ", "}"),
        ("interpolations", "`${", "}`"),
    ] {
        let script = format!("let x = {}1{};\nthrow \"{END}\";", open.repeat(20_000), close.repeat(20_000));
        attacks.push(Attack { name: format!("20,000 {name} inside each other"), script, told: "maximum complexity" });
    }
    let sum = vec!["1"; 50_000].join(" + ");
    attacks.push(Attack {
        name: "a sum of 50,000".to_owned(),
        script: format!("let x = {sum};\nthrow 1;"),
        told: "maximum complexity",
    });
    let steps: String = (0..3000).map(|i| format!("let v{i} = {i};\n")).collect();
    let script = format!("{steps}throw 1;");
    attacks.push(Attack { name: "3,000 variables".to_owned(), script, told: "Too many variables" });
    attacks.push(Attack {
        name: "none: a script that computes a little".to_owned(),
        script: "let l = []; for i in 0..1000 { l.push(i * i); }\nstep(\"sum\", || l.len());\n".to_owned(),
        told: "",
    });
    attacks
}

/// Tries one.
///
/// # Errors
/// When it was not held.
pub fn one(make: Make<'_>, attack: &Attack) -> Tried<Held> {
    let place = make();
    place.write("attack.rhai", &attack.script);
    std::fs::write(place.root().join("outside"), "step(\"escaped\", || 1);").map_err(|error| error.to_string())?;
    std::fs::write(place.root().join("outside.rhai"), "step(\"escaped\", || 1);").map_err(|error| error.to_string())?;
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\"")]);
    let mut command = place.under(shell, ["run", "attack.rhai", "--sandbox", "--speed", "0"]);
    let err = std::fs::File::create(place.root().join("err")).map_err(|error| error.to_string())?;
    let watched = watched(command.stdout(Stdio::null()).stderr(err), MOST);
    let Watched { status, took, peak_kib } = watched.map_err(|why| format!("{}: {why}", attack.name))?;
    let bytes = std::fs::read(place.root().join("err")).unwrap_or_default();
    // What it printed may be much; the error stands at the end.
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(200_000)..]);
    let harmless = attack.told.is_empty();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let reached = attack.told.split('|').any(|told| words.contains(told));
    let wrong = match status.code() {
        None => Some("a signal ended it"),
        Some(0) if !harmless => Some("it ran to its end"),
        Some(code) if harmless && code != 0 => Some("a harmless script was refused"),
        Some(70) => Some("it is said to be a bug"),
        Some(_) if text.contains("panicked") || text.contains("RB0900") => Some("something panicked"),
        Some(_) if text.contains("escaped") => Some("it got out"),
        Some(_) if attack.told != NO_FUNCTION && text.contains(NO_FUNCTION) => Some("it calls what there is not"),
        Some(_) if !reached => Some("it is told something else, so it did not reach what it attacks"),
        Some(_) => None,
    };
    let end: String = text.chars().rev().take(1500).collect::<Vec<_>>().into_iter().rev().collect();
    wrong.map_or(Ok(Held { took, peak_kib }), |why| Err(format!("{}: {why} ({status})\n{end}", attack.name)))
}

/// Paths that must not lead out of the runbook's folder, by number: parts chosen at random.
pub fn path(n: u64) -> String {
    const PARTS: [&str; 18] = [
        "..",
        ".",
        "",
        "lib",
        "outside",
        "/",
        "\\",
        "..\\",
        "%2e%2e",
        "....",
        "link",
        "up",
        "~",
        "proc/self/root",
        "dev/zero",
        "\u{2025}",
        "lib/..",
        "x\u{0}",
    ];
    let mut dice = super::Dice::new(n);
    let count = 1 + dice.up_to(6);
    let parts: Vec<&str> = (0..count).map(|_| *dice.one_of(&PARTS)).collect();
    let path = parts.join("/");
    if dice.up_to(8) == 0 { format!("/{path}") } else { path }
}

/// Imports and files by such a path: nothing outside is read. `link` is a symbolic link to the folder above, `up` to a file there.
///
/// # Errors
/// When a file outside was read.
pub fn paths(make: Make<'_>, seeds: std::ops::Range<u64>) -> Tried<usize> {
    let place = make();
    std::fs::write(place.root().join("outside"), "SENTINEL").map_err(|error| error.to_string())?;
    std::fs::write(place.root().join("outside.rhai"), "fn sentinel() { \"SENTINEL\" }")
        .map_err(|error| error.to_string())?;
    place.write("lib/inside.rhai", "fn inside() { 1 }");
    let link = |to: &str, from: &str| std::os::unix::fs::symlink(to, place.work().join(from));
    link("..", "link").and_then(|()| link("../outside", "up")).map_err(|error| error.to_string())?;
    link("../outside.rhai", "up.rhai").map_err(|error| error.to_string())?;
    let mut tried = 0;
    for seed in seeds {
        let name = path(seed).replace('\\', "\\\\").replace('\u{0}', "\\0");
        for ending in ["", "outside", "/outside"] {
            let script = if seed % 2 == 0 {
                format!("step(\"x\", || file(\"{name}{ending}\"));")
            } else {
                format!("import \"{name}{ending}\" as x;\nstep(\"x\", || x::sentinel());")
            };
            place.write("path.rhai", &script);
            let said = place.run(["run", "path.rhai", "--sandbox", "--speed", "0"]);
            if said.code == 0 || said.code == -1 || said.err.contains("SENTINEL") {
                return Err(format!("{name}{ending} (number {seed}) ended with {}:\n{}", said.code, said.err));
            }
            tried += 1;
        }
    }
    Ok(tried)
}
