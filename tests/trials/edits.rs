//! D1: a script is edited at random after a failure and gone on with. A finished step whose effects are the same is kept, one whose
//! effects differ stops the run and is named, a new one is done; comments and white space never stop. What must happen is computed from
//! the edits, never from the scripts. Every third resume is killed on its way and resumed plainly.

use std::collections::BTreeSet;

use super::{Dice, Make, Tried, calls, made, world};
use crate::harness::Place;

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
enum Does {
    /// Makes one thing: the operation and its name.
    One(&'static str, String),
    /// Makes two.
    Two(&'static str, String, String),
    /// Makes one through the function `made`.
    Through(String),
    /// Makes one in a step inside.
    Inner(String),
    /// Gives a number; no effect.
    Pure(u64),
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    key: String,
    does: Does,
    /// Stands in an `if true { … }`.
    wrapped: bool,
    /// A line that changes nothing stands in its body.
    padded: bool,
}

/// A script, before it is written down.
#[derive(Debug, Clone)]
struct Script {
    steps: Vec<Step>,
    /// What `made` puts behind a name.
    suffix: &'static str,
    /// `made` has a line that changes nothing.
    helper_padded: bool,
    /// How many steps the loop has.
    rounds: u64,
    /// The last step fails.
    fails: bool,
    /// Comments and white space.
    look: u64,
}

const OPERATIONS: [(&str, &str); 3] = [
    ("create_internet_gateway", "ec2.internet_gateway"),
    ("allocate_address", "ec2.address"),
    ("create_vpc", "ec2.vpc"),
];

impl Script {
    fn random(dice: &mut Dice) -> Self {
        let count = 3 + dice.up_to(4);
        let steps =
            (0..count).map(|n| Step { key: format!("s{n}"), does: does(dice, n), wrapped: false, padded: false });
        Self {
            steps: steps.collect(),
            suffix: "",
            helper_padded: false,
            rounds: 1 + dice.up_to(3),
            fails: true,
            look: 0,
        }
    }

    /// What each step makes, in order: its key and the things.
    fn effects(&self) -> Vec<(String, Vec<String>)> {
        let kind = |op: &str| OPERATIONS.iter().find(|known| known.0 == op).map_or("", |known| known.1);
        let mut all: Vec<_> = self
            .steps
            .iter()
            .map(|step| {
                let things = match &step.does {
                    Does::One(op, name) => vec![format!("{} {name}", kind(op))],
                    Does::Two(op, a, b) => vec![format!("{} {a}", kind(op)), format!("{} {b}", kind(op))],
                    Does::Through(name) => vec![format!("ec2.internet_gateway {name}{}", self.suffix)],
                    Does::Inner(name) => vec![format!("ec2.internet_gateway {name}")],
                    Does::Pure(_) => Vec::new(),
                };
                (step.key.clone(), things)
            })
            .collect();
        all.extend((0..self.rounds).map(|i| (format!("round {i}"), vec![format!("ec2.internet_gateway round{i}")])));
        all
    }

    /// Written down; `look` chooses comments and white space, which must change nothing.
    fn text(&self) -> String {
        let mut look = Dice::new(self.look);
        let plain = self.look == 0;
        let mut lines = vec!["const AWS = aws(#{ region: \"us-east-1\" });".to_owned()];
        let pad = if self.helper_padded { "let unused = 1; " } else { "" };
        lines.push(format!(
            "fn made(aws, n) {{ {pad}aws.ec2.create_internet_gateway(#{{ name: n + \"{}\" }}) }}",
            self.suffix
        ));
        for step in &self.steps {
            let call = |op: &str, name: &str| match op {
                "create_vpc" => format!("AWS.ec2.create_vpc(#{{ name: \"{name}\", cidr_block: \"10.0.0.0/16\" }})"),
                op => format!("AWS.ec2.{op}(#{{ name: \"{name}\" }})"),
            };
            let body = match &step.does {
                Does::One(op, name) => call(op, name),
                Does::Two(op, a, b) => format!("{}; {}", call(op, a), call(op, b)),
                Does::Through(name) => format!("made(AWS, \"{name}\")"),
                Does::Inner(name) => format!("step(\"in\", || {})", call("create_internet_gateway", name)),
                Does::Pure(number) => format!("{number} + 1"),
            };
            let pad = if step.padded { "let unused = 2; " } else { "" };
            let text = format!("step(\"{}\", || {{ {pad}{body} }});", step.key);
            lines.push(if step.wrapped { format!("if true {{ {text} }}") } else { text });
        }
        lines.push(format!(
            "for i in 0..{} {{ step(`round ${{i}}`, || AWS.ec2.create_internet_gateway(#{{ name: `round${{i}}` }})); }}",
            self.rounds
        ));
        lines.push(
            if self.fails { "step(\"late\", || fail(\"not yet\"));" } else { "step(\"late\", || 1);" }.to_owned(),
        );
        let mut out = String::new();
        for line in lines {
            if !plain && look.up_to(2) == 0 {
                out += look.one_of::<&str>(&[
                    "\n",
                    "// a comment: step(\"x\", || 1);\n",
                    "/* one\n   more */\n",
                    "    \n",
                ]);
            }
            if plain || look.up_to(2) == 0 {
                out += &line;
            } else {
                // Outside texts there is one space at every place where there may be more.
                out += &line
                    .replace("|| {", "||\n    { // here\n     ")
                    .replace("});", "}  )  ;")
                    .replace(" + ", "  /* plus */ +\n ");
            }
            out += "\n";
        }
        out
    }

    fn edit(&mut self, dice: &mut Dice, n: u64) -> &'static str {
        let at = dice.up_to(self.steps.len() as u64) as usize;
        match dice.up_to(14) {
            0 => {
                self.steps[at].does = does(dice, 100 + n);
                "another thing"
            }
            1 => {
                let does = does(dice, 200 + n);
                self.steps.insert(at, Step { key: format!("new{n}"), does, wrapped: false, padded: false });
                "a new step"
            }
            2 if self.steps.len() > 1 => {
                self.steps.remove(at);
                "a step taken out"
            }
            3 => {
                self.steps[at].key = format!("renamed{n}");
                "another key"
            }
            4 => {
                let other = dice.up_to(self.steps.len() as u64) as usize;
                self.steps.swap(at, other);
                "another order"
            }
            5 => {
                self.suffix = "x";
                "another function"
            }
            6 => {
                self.helper_padded = true;
                "a line in the function"
            }
            7 => {
                self.steps[at].wrapped = true;
                "an if around it"
            }
            8 => {
                self.rounds += 1;
                "one round more"
            }
            9 => {
                self.rounds = self.rounds.saturating_sub(1);
                "one round less"
            }
            10 => {
                let does = match &self.steps[at].does {
                    Does::One(op, name) => Does::Two(op, name.clone(), format!("more{n}")),
                    Does::Two(op, a, _) => Does::One(op, a.clone()),
                    other => other.clone(),
                };
                self.steps[at].does = does;
                "an effect more or less"
            }
            11 => {
                self.steps[at].padded = true;
                "a line in a step"
            }
            _ => {
                self.look = 1 + dice.up_to(1_000_000);
                "comments and white space"
            }
        }
    }
}

fn does(dice: &mut Dice, n: u64) -> Does {
    let op = dice.one_of(&OPERATIONS).0;
    match dice.up_to(6) {
        0 | 1 => Does::One(op, format!("n{n}")),
        2 => Does::Two(op, format!("a{n}"), format!("b{n}")),
        3 => Does::Through(format!("f{n}")),
        4 => Does::Inner(format!("i{n}")),
        _ => Does::Pure(n),
    }
}

/// What must come of going on with `new` after `old`.
struct Wanted {
    /// The step at which it must stop.
    stop: Option<String>,
    /// What is made on the way.
    made: Vec<String>,
}

fn wanted(old: &Script, new: &Script) -> Wanted {
    let known = old.effects();
    let mut made = Vec::new();
    for (key, things) in new.effects() {
        match known.iter().find(|(old, _)| *old == key) {
            Some((_, before)) if *before == things && same_shape(old, new, &key) => {}
            Some(_) => return Wanted { stop: Some(key), made },
            None => made.extend(things),
        }
    }
    Wanted { stop: None, made }
}

/// The same things under the same keys: an effect in a step inside is not the effect of the step around it.
fn same_shape(old: &Script, new: &Script, key: &str) -> bool {
    let inner =
        |script: &Script| script.steps.iter().any(|step| step.key == key && matches!(step.does, Does::Inner(_)));
    inner(old) == inner(new)
}

/// What one trial was.
#[derive(Debug)]
pub struct Outcome {
    /// The edits, in words.
    pub edits: Vec<&'static str>,
    /// It stopped at a difference.
    pub stopped: bool,
    /// It was killed on its way.
    pub killed: bool,
}

/// One random script, edited at random, gone on with.
///
/// # Errors
/// What was not as it must be.
pub fn one(make: Make<'_>, seed: u64) -> Tried<Outcome> {
    let mut dice = Dice::new(seed);
    let old = Script::random(&mut dice);
    let mut new = old.clone();
    new.fails = false;
    let edits: Vec<&str> = (0..1 + dice.up_to(3)).map(|n| new.edit(&mut dice, n)).collect();
    let told = |why: String| format!("{why}\nedits: {edits:?}\n--- before\n{}\n--- after\n{}", old.text(), new.text());
    let place = make();
    place.write("s.rhai", &old.text());
    super::expect(&place, 1, &["run", "s.rhai", "--sandbox", "--speed", "0"]).map_err(told)?;
    let before = world(&place)?;
    let wanted = wanted(&old, &new);
    place.write("s.rhai", &new.text());
    let killed = seed.is_multiple_of(3) && !wanted.made.is_empty();
    let first = calls(&before).len() as u64 + 1;
    if killed {
        let at = first + dice.up_to(wanted.made.len() as u64);
        let how = dice.one_of(&["kill-before", "kill-after"]);
        let said = place.run(["resume", "latest", "--edited", "--fault", &format!("{how}:{at}")]);
        if said.code != -1 {
            return Err(told(format!("it was not killed at call {at} but ended with {}: {}", said.code, said.err)));
        }
    }
    compare(&place, killed, &before, &wanted).map_err(told)?;
    Ok(Outcome { stopped: wanted.stop.is_some(), killed, edits: edits.clone() })
}

fn compare(place: &Place, killed: bool, before: &serde_json::Value, wanted: &Wanted) -> Tried<()> {
    let args: &[&str] = if killed { &["resume", "latest"] } else { &["resume", "latest", "--edited"] };
    let said = super::expect(place, if wanted.stop.is_some() { 6 } else { 0 }, args)?;
    if let Some(step) = &wanted.stop {
        let named = said.err.contains(step.as_str());
        let coded = ["RB0304", "RB0320"].iter().any(|code| said.err.contains(code));
        if !named || !coded {
            return Err(format!("it does not name {step}:\n{}", said.err));
        }
    }
    let after = world(place)?;
    let mut all = made(before);
    all.extend(wanted.made.iter().cloned());
    all.sort();
    if made(&after) != all {
        return Err(format!("there stands {:?}\nand not {all:?}\n{}", made(&after), said.err));
    }
    // A call that was executed and lost its answer in a kill is found, not sent again.
    let sent = |world: &serde_json::Value| {
        let done = calls(world).into_iter().filter(|call| call["outcome"] == "done");
        done.filter_map(|call| Some(call["token"].as_str()?.to_owned())).collect::<Vec<_>>()
    };
    let tokens = sent(&after);
    if tokens.len() != tokens.iter().collect::<BTreeSet<_>>().len() {
        return Err("a call was executed twice".to_owned());
    }
    if tokens.len() != sent(before).len() + wanted.made.len() {
        return Err(format!("{} calls were executed and not {}", tokens.len() - sent(before).len(), wanted.made.len()));
    }
    super::expect(place, 0, &super::UNDO)?;
    if made(&world(place)?).is_empty() { Ok(()) } else { Err("undo left something".to_owned()) }
}
