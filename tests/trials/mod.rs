//! What the catalogue tries many times with other dice. The end-to-end tests borrow the dice, the scanner, and how a world is changed.
//!
//! A trial is a function of a number that gives what went wrong, for a person. It asks for places through [`Make`], so that it can be
//! tried with any build of the program. Each file says what it promises; none knows who calls it.

pub mod attacks;
pub mod audit;
pub mod between;
pub mod binaries;
pub mod canaries;
pub mod damage;
pub mod disk;
pub mod edits;
pub mod killed;
pub mod one_shot;
pub mod power;
pub mod recall;
pub mod restored;
pub mod scanner;
pub mod several;
pub mod storms;
pub mod uses;
pub mod watched;
pub mod wedges;

use serde_json::Value;

use crate::harness::{Place, Said};

/// Makes an empty place for the program that is tried.
pub type Make<'a> = &'a (dyn Fn() -> Place + Sync);

/// The arguments of an undo.
pub const UNDO: [&str; 3] = ["undo", "latest", "--yes"];

/// What a trial gives: the figures that it counted, or what went wrong.
pub type Tried<T> = Result<T, String>;

/// A small generator (xorshift): the same number gives the same trial.
pub struct Dice(u64);

impl Dice {
    /// From a number; neighbours give different dice.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % most.max(1)
    }

    /// One of a list.
    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.up_to(list.len() as u64) as usize]
    }
}

/// Insists on an exit code.
pub fn expect(place: &Place, code: i32, args: &[&str]) -> Tried<Said> {
    let said = place.run(args);
    if said.code == code {
        return Ok(said);
    }
    Err(format!("{args:?} ended with {} and not {code}\nstdout:\n{}\nstderr:\n{}", said.code, said.out, said.err))
}

/// The sandbox's world.
pub fn world(place: &Place) -> Tried<Value> {
    let said = expect(place, 0, &["world", "--json"])?;
    serde_json::from_str(&said.out).map_err(|error| format!("the world is no JSON: {error}"))
}

/// The mutating calls that a world has seen.
pub fn calls(world: &Value) -> Vec<Value> {
    world["calls"].as_array().cloned().unwrap_or_default()
}

/// What is there and not wanted, and what is wanted and not there. What stands twice counts twice.
pub fn apart<T: Clone + PartialEq>(now: &[T], wanted: &[T]) -> (Vec<T>, Vec<T>) {
    let (mut too_much, mut missing) = (now.to_vec(), Vec::new());
    for one in wanted {
        match too_much.iter().position(|other| other == one) {
            Some(at) => drop(too_much.remove(at)),
            None => missing.push(one.clone()),
        }
    }
    (too_much, missing)
}

/// The names of what runs made and what stands, sorted.
pub fn made(world: &Value) -> Vec<String> {
    let objects = world["objects"].as_array().into_iter().flatten();
    let ours = objects.filter(|object| object["tags"].get("runbook:step").is_some());
    let named = ours.map(|object| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{} {}", text(&object["kind"]), text(&object["tags"]["Name"]))
    });
    let mut all: Vec<String> = named.collect();
    all.sort();
    all
}
