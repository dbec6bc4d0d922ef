//! `params(#{…})` and its builders: `string("x").help("…")`, `int(3).range(1, 9)`, `secret().generate(24)`.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map as RhaiMap, NativeCallContext};
use serde_json::Value;

use super::{ParamSpec, ParamType, bind::fits};
use crate::{
    error::{Failure, Stop},
    script::{convert, here, host::Host, raise, secret},
};

/// A parameter being declared.
#[derive(Clone)]
pub struct Declared(ParamSpec);

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Adds the builders and `params`.
pub fn register(engine: &mut Engine, host: &Arc<Host>) {
    engine.register_type_with_name::<Declared>("Parameter");
    for (name, kind) in [
        ("string", ParamType::String),
        ("int", ParamType::Int),
        ("float", ParamType::Float),
        ("bool", ParamType::Bool),
        ("cidr", ParamType::Cidr),
        ("list", ParamType::List),
        ("map", ParamType::Map),
        ("secret", ParamType::Secret),
        ("duration", ParamType::Duration),
        ("choice", ParamType::Choice),
    ] {
        engine.register_fn(name, move |ctx: NativeCallContext| start(&ctx, kind, None));
        let with_default = move |ctx: NativeCallContext, value: Dynamic| start(&ctx, kind, Some(value));
        match kind {
            ParamType::String | ParamType::Cidr | ParamType::Duration => {
                engine.register_fn(name, move |ctx: NativeCallContext, value: ImmutableString| {
                    with_default(ctx, value.into())
                });
            }
            ParamType::Int => {
                engine.register_fn(name, move |ctx: NativeCallContext, value: i64| with_default(ctx, value.into()));
            }
            ParamType::Float => {
                engine
                    .register_fn(name, move |ctx: NativeCallContext, value: f64| with_default(ctx, value.into()))
                    .register_fn(name, move |ctx: NativeCallContext, value: i64| with_default(ctx, value.into()));
            }
            ParamType::Bool => {
                engine.register_fn(name, move |ctx: NativeCallContext, value: bool| with_default(ctx, value.into()));
            }
            ParamType::List => {
                engine.register_fn(name, move |ctx: NativeCallContext, value: Array| with_default(ctx, value.into()));
            }
            ParamType::Map => {
                engine.register_fn(name, move |ctx: NativeCallContext, value: RhaiMap| with_default(ctx, value.into()));
            }
            ParamType::Choice => {
                engine
                    .register_fn(name, move |ctx: NativeCallContext, value: ImmutableString| {
                        with_default(ctx, value.into())
                    })
                    .register_fn(name, choice)
                    .register_fn(name, |ctx: NativeCallContext, value: ImmutableString, all: Array| {
                        choices(&ctx, start(&ctx, ParamType::Choice, Some(value.into()))?, all)
                    });
            }
            ParamType::Secret => {}
        }
    }
    engine
        .register_fn("help", |mut p: Declared, text: ImmutableString| {
            p.0.help = text.to_string();
            p
        })
        .register_fn("optional", |mut p: Declared| {
            p.0.optional = true;
            p
        })
        .register_fn("range", |ctx: NativeCallContext, p: Declared, low: Dynamic, high: Dynamic| {
            range(&ctx, p, &low, &high)
        })
        .register_fn("choices", |ctx: NativeCallContext, p: Declared, all: Array| choices(&ctx, p, all))
        .register_fn("generate", |ctx: NativeCallContext, p: Declared, length: i64| generate(&ctx, p, length));
    let host = host.clone();
    engine.register_fn("params", move |ctx: NativeCallContext, declared: RhaiMap| params(&ctx, &host, declared));
}

fn start(ctx: &NativeCallContext, kind: ParamType, default: Option<Dynamic>) -> Outcome<Declared> {
    let default = match default {
        None => None,
        Some(value) => Some(json(ctx, &value, "the default")?),
    };
    Ok(Declared(ParamSpec {
        name: String::new(),
        kind,
        default,
        optional: false,
        help: String::new(),
        range: None,
        choices: Vec::new(),
        generate: None,
        site: raise::site(ctx),
    }))
}

fn choice(ctx: NativeCallContext, all: Array) -> Outcome<Declared> {
    let first = all.first().cloned();
    choices(&ctx, start(&ctx, ParamType::Choice, first)?, all)
}

fn choices(ctx: &NativeCallContext, mut p: Declared, all: Array) -> Outcome<Declared> {
    p.0.choices = all.iter().map(|value| json(ctx, value, "a choice")).collect::<Outcome<_>>()?;
    Ok(p)
}

fn range(ctx: &NativeCallContext, mut p: Declared, low: &Dynamic, high: &Dynamic) -> Outcome<Declared> {
    let number = |value: &Dynamic| value.as_float().ok().or_else(|| value.as_int().ok().map(|n| n as f64));
    match (number(low), number(high)) {
        (Some(low), Some(high)) if low <= high && low.is_finite() && high.is_finite() => p.0.range = Some((low, high)),
        _ => return Err(wrong(ctx, "range(low, high) takes two numbers, the smaller one first")),
    }
    Ok(p)
}

fn generate(ctx: &NativeCallContext, mut p: Declared, length: i64) -> Outcome<Declared> {
    match u32::try_from(length) {
        Ok(length) if p.0.kind == ParamType::Secret && (8..=1024).contains(&length) => p.0.generate = Some(length),
        _ => return Err(wrong(ctx, "generate(n) belongs to a secret() and takes 8 to 1024 characters")),
    }
    Ok(p)
}

fn json(ctx: &NativeCallContext, value: &Dynamic, what: &str) -> Outcome<Value> {
    convert::to_json(value, what).map_err(|failure| raise::mistake(failure.at(&raise::site(ctx))))
}

fn wrong(ctx: &NativeCallContext, message: impl Into<String>) -> Box<EvalAltResult> {
    raise::mistake(Failure::new("RB0203", message).at(&raise::site(ctx)))
}

fn params(ctx: &NativeCallContext, host: &Host, declared: RhaiMap) -> Outcome<RhaiMap> {
    let mut specs = Vec::new();
    for (name, value) in declared {
        let Some(Declared(mut spec)) = value.clone().try_cast::<Declared>() else {
            let what = convert::named(&value);
            return Err(wrong(
                ctx,
                format!("params(): {name} must be declared with string(), int(), …, not with {what}"),
            ));
        };
        spec.name = name.to_string();
        if let Some(default) = &spec.default
            && let Err(why) = fits(&spec, default)
        {
            let failure = Failure::new("RB0203", format!("the default of parameter {name} does not fit: {why}"));
            return Err(raise::mistake(failure.at(&spec.site)));
        }
        specs.push(spec);
    }
    if host.declare(&specs) {
        return Err(raise::stop(Stop::EndOfRecord));
    }
    let run = here::scope().map(|scope| scope.session.run.id.clone()).unwrap_or_default();
    let is_secret = |text: &str| secret::is_placeholder(&run, text);
    Ok(specs
        .iter()
        .map(|spec| {
            let value = host.given(&spec.name).or(spec.default.as_ref()).unwrap_or(&Value::Null);
            (spec.name.as_str().into(), convert::from_json(value, &is_secret))
        })
        .collect())
}
