//! `step`, `check`, `parallel`, `each`, `on_undo`: from script to [`crate::run`].

use std::{sync::Arc, time::Duration};

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map as RhaiMap, NativeCallContext};
use runbook_modules::input::nearest;
use serde_json::Value;

use super::{
    bindings,
    bodies::Body,
    captures, convert, here,
    host::{Host, Met},
    raise, secret,
};
use crate::{
    error::{Failure, Halt, Stop},
    run::{
        check::check,
        parallel::{Branch, parallel},
        retry::{self, Policy},
        scope::Scope,
        session::Mode,
        step::{StepOptions, step},
    },
};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// How long a check asks when the script does not say.
const WITHIN: Duration = Duration::from_secs(300);
/// How often a check asks when the script does not say.
const EVERY: Duration = Duration::from_secs(10);

/// Adds them.
pub fn register(engine: &mut Engine, host: &Arc<Host>) {
    let h = host.clone();
    engine.register_fn("step", move |ctx: NativeCallContext, name: ImmutableString, body: FnPtr| {
        run_step(&ctx, &h, &name, &RhaiMap::new(), &body)
    });
    let h = host.clone();
    engine.register_fn("step", move |ctx: NativeCallContext, name: ImmutableString, options: RhaiMap, body: FnPtr| {
        run_step(&ctx, &h, &name, &options, &body)
    });
    let h = host.clone();
    engine.register_fn("check", move |ctx: NativeCallContext, name: ImmutableString, body: FnPtr| {
        run_check(&ctx, &h, &name, &RhaiMap::new(), &body)
    });
    let h = host.clone();
    engine.register_fn("check", move |ctx: NativeCallContext, name: ImmutableString, options: RhaiMap, body: FnPtr| {
        run_check(&ctx, &h, &name, &options, &body)
    });
    let h = host.clone();
    engine.register_fn("parallel", move |ctx: NativeCallContext, branches: RhaiMap| {
        run_parallel(&ctx, &h, branches, &RhaiMap::new())
    });
    let h = host.clone();
    engine.register_fn("parallel", move |ctx: NativeCallContext, branches: RhaiMap, options: RhaiMap| {
        run_parallel(&ctx, &h, branches, &options)
    });
    let h = host.clone();
    engine.register_fn("each", move |ctx: NativeCallContext, list: Array, key: FnPtr, body: FnPtr| {
        run_each(&ctx, &h, &list, &key, &RhaiMap::new(), &body)
    });
    let h = host.clone();
    engine.register_fn(
        "each",
        move |ctx: NativeCallContext, list: Array, key: FnPtr, options: RhaiMap, body: FnPtr| {
            run_each(&ctx, &h, &list, &key, &options, &body)
        },
    );
    let h = host.clone();
    engine.register_fn("on_undo", move |ctx: NativeCallContext, body: FnPtr| on_undo(&ctx, &h, &body));
}

/// The scope that the script is in; None stops the look at the declaration, which comes before all steps.
pub fn scope(host: &Host) -> Outcome<Arc<Scope>> {
    match here::scope() {
        Some(scope) if !host.only_declares() => Ok(scope),
        _ => Err(raise::stop(Stop::EndOfRecord)),
    }
}

/// A value of the run as the script sees it.
pub fn to_script(scope: &Scope, value: &Value) -> Dynamic {
    convert::from_json(value, &|text| secret::is_placeholder(&scope.session.run.id, text))
}

fn answered(scope: &Scope, answer: Result<Value, Halt>) -> Outcome<Dynamic> {
    here::fresh();
    answer.map(|value| to_script(scope, &value)).map_err(raise::halt)
}

fn run_step(ctx: &NativeCallContext, host: &Host, name: &str, options: &RhaiMap, closure: &FnPtr) -> Outcome<Dynamic> {
    let scope = scope(host)?;
    let site = raise::site(ctx);
    named(ctx, "a step", name)?;
    let mut chosen = StepOptions::default();
    let mut undo = None;
    for (field, value) in options {
        match field.as_str() {
            "retry" => {
                let policy = json(ctx, value, "retry").and_then(|v| Policy::from_json(&v).map_err(|w| wrong(ctx, w)));
                chosen.retry = policy?;
            }
            "timeout" => chosen.timeout = Some(span(ctx, "timeout", value)?),
            "undo" => undo = Some(closure_of(ctx, "undo", value)?),
            other => return Err(unknown(ctx, "step", other, &["retry", "timeout", "undo"])),
        }
    }
    let body = Body::new(ctx, host, closure, format!("step {name:?}"));
    let answer = step(&scope, name, &chosen, &site, &body.digest(), &mut |scope| body.run(scope, Vec::new()));
    if let (Some(undo), Ok(output), Mode::Recall) = (undo, &answer, scope.session.mode) {
        host.meet(met(ctx, &scope.child_key(name), &undo, Some(output.clone())));
    }
    answered(&scope, answer)
}

fn run_check(ctx: &NativeCallContext, host: &Host, name: &str, options: &RhaiMap, closure: &FnPtr) -> Outcome<Dynamic> {
    let scope = scope(host)?;
    named(ctx, "a check", name)?;
    let (mut within, mut every) = (WITHIN, EVERY);
    for (field, value) in options {
        match field.as_str() {
            "within" => within = span(ctx, "within", value)?,
            "every" => every = span(ctx, "every", value)?,
            other => return Err(unknown(ctx, "check", other, &["within", "every"])),
        }
    }
    let body = Body::new(ctx, host, closure, format!("check {name:?}"));
    let answer =
        check(&scope, name, within, every, &raise::site(ctx), &body.digest(), &mut |scope| body.run(scope, Vec::new()));
    answered(&scope, answer)
}

fn run_parallel(ctx: &NativeCallContext, host: &Host, closures: RhaiMap, options: &RhaiMap) -> Outcome<Dynamic> {
    let scope = scope(host)?;
    let mut bodies = Vec::new();
    for (name, value) in &closures {
        named(ctx, "a branch", name)?;
        let closure = closure_of(ctx, name, value)?;
        bodies.push((name.to_string(), Body::new(ctx, host, &closure, format!("branch {name:?}")), Vec::new()));
    }
    side_by_side(ctx, &scope, bodies, most(ctx, "parallel", options)?)
}

fn run_each(
    ctx: &NativeCallContext, host: &Host, list: &Array, key: &FnPtr, options: &RhaiMap, closure: &FnPtr,
) -> Outcome<Dynamic> {
    let scope = scope(host)?;
    let keys = Body::new(ctx, host, key, "the key closure of each()");
    let mut bodies = Vec::new();
    for item in list {
        let name = keys.call(vec![captures::own(item)]).map_err(raise::halt)?;
        let name = match name.flatten_clone().into_immutable_string() {
            Ok(name) => name,
            Err(_) if name.is_int() => name.to_string().into(),
            Err(_) => return Err(wrong(ctx, format!("each(): a key must be a text, not {}", convert::named(&name)))),
        };
        named(ctx, "a branch", &name)?;
        let body = Body::new(ctx, host, closure, format!("branch {name:?}"));
        bodies.push((name.to_string(), body, vec![captures::own(item)]));
    }
    side_by_side(ctx, &scope, bodies, most(ctx, "each", options)?)
}

fn side_by_side(
    ctx: &NativeCallContext, scope: &Arc<Scope>, bodies: Vec<(String, Body<'_>, Vec<Dynamic>)>, max: Option<usize>,
) -> Outcome<Dynamic> {
    let branches = bodies
        .into_iter()
        .map(|(name, body, args)| Branch { name, body: Box::new(move |scope: &Arc<Scope>| body.run(scope, args)) })
        .collect();
    let results = parallel(scope, &raise::site(ctx), branches, max);
    answered(scope, results.map(Value::Object))
}

fn on_undo(ctx: &NativeCallContext, host: &Host, closure: &FnPtr) -> Outcome<()> {
    let scope = scope(host)?;
    if !scope.in_step {
        return Err(raise::stop(bindings::only_in_step("on_undo", &raise::site(ctx))));
    }
    if scope.session.mode == Mode::Recall {
        host.meet(Met { after: Some(scope.reached()), ..met(ctx, &scope.key, closure, None) });
    }
    Ok(())
}

fn met(ctx: &NativeCallContext, step: &str, closure: &FnPtr, output: Option<Value>) -> Met {
    Met {
        step: step.to_owned(),
        site: raise::site(ctx),
        after: None,
        closure: captures::own(&closure.clone().into()).cast::<FnPtr>(),
        output,
        global: ctx.global_runtime_state().clone(),
    }
}

fn named(ctx: &NativeCallContext, what: &str, name: &str) -> Outcome<()> {
    let problem = if name.trim().is_empty() {
        "must not be empty"
    } else if name.chars().count() > 200 {
        "has more than 200 characters"
    } else if name.chars().any(char::is_control) {
        "holds a control character"
    } else if name.contains("{{secret:") {
        "holds a secret"
    } else {
        return Ok(());
    };
    Err(wrong(ctx, format!("the name of {what} {problem}")))
}

fn json(ctx: &NativeCallContext, value: &Dynamic, what: &str) -> Outcome<Value> {
    convert::to_json(value, what).map_err(|failure| raise::mistake(failure.at(&raise::site(ctx))))
}

fn span(ctx: &NativeCallContext, field: &str, value: &Dynamic) -> Outcome<Duration> {
    retry::read(field, &json(ctx, value, field)?).map_err(|why| wrong(ctx, why))
}

fn most(ctx: &NativeCallContext, of: &str, options: &RhaiMap) -> Outcome<Option<usize>> {
    let mut max = None;
    for (field, value) in options {
        match (field.as_str(), value.as_int().ok().and_then(|n| usize::try_from(n).ok())) {
            ("max", Some(n)) if n > 0 => max = Some(n),
            ("max", _) => return Err(wrong(ctx, format!("{of}(): max must be a whole number above 0"))),
            (other, _) => return Err(unknown(ctx, of, other, &["max"])),
        }
    }
    Ok(max)
}

fn closure_of(ctx: &NativeCallContext, field: &str, value: &Dynamic) -> Outcome<FnPtr> {
    value.flatten_clone().try_cast_result::<FnPtr>().map_err(|value| {
        let what = convert::named(&value);
        wrong(ctx, format!("{field} must be a closure, || …, not {what}"))
    })
}

fn wrong(ctx: &NativeCallContext, message: impl Into<String>) -> Box<EvalAltResult> {
    raise::mistake(Failure::new("RB0105", message).at(&raise::site(ctx)))
}

fn unknown(ctx: &NativeCallContext, of: &str, field: &str, known: &[&str]) -> Box<EvalAltResult> {
    let mut failure = Failure::new("RB0111", format!("{of}() has no option {field}")).at(&raise::site(ctx));
    for near in nearest(field, known.iter().copied()) {
        failure = failure.hint(format!("Did you mean {near}?"));
    }
    raise::mistake(failure.hint(format!("It takes: {}.", known.join(", "))))
}
