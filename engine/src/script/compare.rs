//! Comparing and searching texts, as Rhai does; but a text into which a secret was interpolated is refused: the answer would be about
//! the placeholder.

use rhai::{Engine, EvalAltResult, ImmutableString, NativeCallContext};

use super::secret;

type Outcome<T> = Result<T, Box<EvalAltResult>>;
type Answer = fn(&str, &str) -> bool;

const OPERATORS: [(&str, Answer); 6] = [
    ("==", |a, b| a == b),
    ("!=", |a, b| a != b),
    ("<", |a, b| a < b),
    ("<=", |a, b| a <= b),
    (">", |a, b| a > b),
    (">=", |a, b| a >= b),
];
const SEARCHES: [(&str, Answer); 3] = [
    ("contains", |text, find| text.contains(find)),
    ("starts_with", |text, find| text.starts_with(find)),
    ("ends_with", |text, find| text.ends_with(find)),
];

/// Puts them in the place of Rhai's own.
pub fn register(engine: &mut Engine) {
    // Otherwise Rhai compares two texts without asking anybody.
    engine.set_fast_operators(false);
    for (operator, answer) in OPERATORS {
        both(engine, operator, "compared", answer);
        engine.register_fn(operator, move |ctx: NativeCallContext, a: char, b: ImmutableString| -> Outcome<bool> {
            secret::not_in(&ctx, [&b], "compared")?;
            Ok(answer(a.encode_utf8(&mut [0; 4]), &b))
        });
    }
    for (name, answer) in SEARCHES {
        both(engine, name, SEARCHED, answer);
    }
    engine
        .register_fn("index_of", |ctx: NativeCallContext, text: ImmutableString, find: ImmutableString| {
            index_of(&ctx, &text, &find, 0)
        })
        .register_fn("index_of", |ctx: NativeCallContext, text: ImmutableString, find: char| {
            index_of(&ctx, &text, find.encode_utf8(&mut [0; 4]), 0)
        })
        .register_fn("index_of", |ctx: NativeCallContext, text: ImmutableString, find: ImmutableString, start: i64| {
            index_of(&ctx, &text, &find, start)
        })
        .register_fn("index_of", |ctx: NativeCallContext, text: ImmutableString, find: char, start: i64| {
            index_of(&ctx, &text, find.encode_utf8(&mut [0; 4]), start)
        });
}

const SEARCHED: &str = "searched or cut";

/// A text and another one, or a letter.
fn both(engine: &mut Engine, name: &'static str, what: &'static str, answer: Answer) {
    engine
        .register_fn(name, move |ctx: NativeCallContext, a: ImmutableString, b: ImmutableString| -> Outcome<bool> {
            secret::not_in(&ctx, [&a, &b], what)?;
            Ok(answer(&a, &b))
        })
        .register_fn(name, move |ctx: NativeCallContext, a: ImmutableString, b: char| -> Outcome<bool> {
            secret::not_in(&ctx, [&a], what)?;
            Ok(answer(&a, b.encode_utf8(&mut [0; 4])))
        });
}

/// Which letter it begins at, from a letter on; a negative one counts from the end. -1: nowhere.
fn index_of(ctx: &NativeCallContext, text: &str, find: &str, start: i64) -> Outcome<i64> {
    secret::not_in(ctx, [text, find], SEARCHED)?;
    let count = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let letters = count(text);
    let start = if start < 0 { (letters + start).max(0) } else { start };
    let from = usize::try_from(start).ok().and_then(|start| text.char_indices().nth(start));
    let Some((from, _)) = from else { return Ok(-1) };
    Ok(text[from..].find(find).map_or(-1, |at| start + count(&text[from..from + at])))
}
