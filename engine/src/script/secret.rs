//! A secret as a script holds it: an opaque value around the vault's placeholder.
//!
//! It can be interpolated, joined to texts and put into maps. Comparing, cutting or measuring one is an error: the script never
//! sees the value, and an answer about the placeholder would be wrong. Of a text into which one was interpolated, which is Rhai's own,
//! [`super::compare`] sees to comparing and searching.

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};

use runbook_state::record::Site;

use super::{here, raise};
use crate::{
    error::Failure,
    run::vault::placeholder::{Piece, holds_one, pieces, suspicious},
};

/// A text that holds one or more placeholders.
#[derive(Clone)]
pub struct Secret(ImmutableString);

impl Secret {
    /// Wraps a placeholder.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The placeholder text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Whether a text is exactly one whole placeholder of a run.
pub fn is_placeholder(run: &str, text: &str) -> bool {
    text.starts_with("{{secret:") && matches!(pieces(run, text)[..], [Piece::Secret(..)])
}

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Adds what a script may do with a secret, and errors for what it may not.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Secret>("Secret")
        .register_fn("to_string", |secret: &mut Secret| secret.0.clone())
        .register_fn("to_debug", |secret: &mut Secret| secret.0.clone())
        .register_fn("print", |secret: &mut Secret| secret.0.clone())
        .register_fn("debug", |secret: &mut Secret| secret.0.clone())
        .register_fn("+", |a: Secret, b: Secret| joined(a.text(), b.text()))
        .register_fn("+", |a: Secret, b: ImmutableString| joined(a.text(), &b))
        .register_fn("+", |a: ImmutableString, b: Secret| joined(&a, b.text()));
    for operator in ["==", "!=", "<", ">", "<=", ">="] {
        engine
            .register_fn(operator, move |ctx: NativeCallContext, _: Secret, _: Secret| refuse(&ctx, "compared"))
            .register_fn(operator, move |ctx: NativeCallContext, _: Secret, _: Dynamic| refuse(&ctx, "compared"))
            .register_fn(operator, move |ctx: NativeCallContext, _: Dynamic, _: Secret| refuse(&ctx, "compared"));
    }
    // Rhai's own takes an error of the comparison for "not equal".
    engine.register_fn("dedup", |ctx: NativeCallContext, list: &mut Array| {
        if list.iter().any(holds) {
            return refuse(&ctx, "compared");
        }
        list.dedup_by(|later, earlier| {
            let same = ctx.call_native_fn_raw("==", false, &mut [&mut earlier.clone(), &mut later.clone()]);
            same.is_ok_and(|same| same.as_bool().unwrap_or(false))
        });
        Ok(Dynamic::UNIT)
    });
    for (name, what) in [
        ("len", "measured"),
        ("is_empty", "measured"),
        ("bytes", "measured"),
        ("chars", "taken apart"),
        ("to_blob", "taken apart"),
    ] {
        engine.register_fn(name, move |ctx: NativeCallContext, _: Secret| refuse(&ctx, what));
    }
    for name in ["len", "is_empty", "bytes"] {
        engine.register_get(name, |ctx: NativeCallContext, _: &mut Secret| refuse(&ctx, "measured"));
    }
    for name in
        ["contains", "starts_with", "ends_with", "index_of", "split", "sub_string", "crop", "truncate", "remove"]
    {
        engine.register_fn(name, move |ctx: NativeCallContext, _: Secret, _: Dynamic| refuse(&ctx, "searched or cut"));
    }
    for name in ["sub_string", "replace", "crop", "pad"] {
        engine.register_fn(name, move |ctx: NativeCallContext, _: Secret, _: Dynamic, _: Dynamic| {
            refuse(&ctx, "searched or cut")
        });
    }
    for name in ["trim", "to_upper", "to_lower", "make_upper", "make_lower"] {
        engine.register_fn(name, move |ctx: NativeCallContext, _: Secret| refuse(&ctx, "changed"));
    }
}

/// The value, unless it is a secret or holds one: no case of a `switch` could ever fit.
///
/// # Errors
/// RB0701.
pub fn not_within(site: &Site, value: Dynamic) -> Outcome<Dynamic> {
    if holds(&value) {
        return refuse_at(site, "switched on");
    }
    Ok(value)
}

/// Nothing, unless a secret was put into one of the texts.
///
/// # Errors
/// RB0701, in which it cannot be what is said.
pub fn not_in<const N: usize>(ctx: &NativeCallContext, texts: [&str; N], what: &str) -> Outcome<()> {
    if texts.into_iter().any(in_text) { refuse(ctx, what).map(drop) } else { Ok(()) }
}

fn in_text(text: &str) -> bool {
    let run = || here::scope().map(|scope| scope.session.run.id.clone()).unwrap_or_default();
    suspicious(text) && holds_one(&run(), text)
}

fn holds(value: &Dynamic) -> bool {
    if value.is_shared() {
        return holds(&value.flatten_clone());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return in_text(&text);
    }
    if let Ok(list) = value.as_array_ref() {
        return list.iter().any(holds);
    }
    if let Ok(map) = value.as_map_ref() {
        return map.values().any(holds);
    }
    value.is::<Secret>()
}

fn joined(a: &str, b: &str) -> Secret {
    Secret(format!("{a}{b}").into())
}

fn refuse(ctx: &NativeCallContext, what: &str) -> Outcome<Dynamic> {
    refuse_at(&raise::site(ctx), what)
}

fn refuse_at(site: &Site, what: &str) -> Outcome<Dynamic> {
    let mut failure = Failure::new("RB0701", format!("a secret cannot be {what}: the script does not hold its value"))
        .at(site)
        .hint("Put it into a map, join it to a text, or pass it to a binding: the value is put in at the last moment.");
    failure.cause = format!("a secret is {what} here");
    Err(raise::stop(crate::error::Stop::Script(Box::new(failure))))
}
