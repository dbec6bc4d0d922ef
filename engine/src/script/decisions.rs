//! What only the engine can say, recorded so that a replay hears the same: `now`, `uuid`, `sleep`, `random_password`, `approve`;
//! and what the script says: `output`, `print`, `log`.

use std::{sync::Arc, time::Duration};

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};
use serde_json::Value;

use super::{
    bindings, convert, here,
    host::Host,
    raise,
    secret::Secret,
    steps::{scope, to_script},
};
use crate::{
    error::{Failure, Halt},
    event::What,
    run::{approve::approve, decide, output::output, retry, scope::Scope, session::Mode},
};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Adds them.
pub fn register(engine: &mut Engine, host: &Arc<Host>) {
    let h = host.clone();
    engine.register_fn("now", move || -> Outcome<String> {
        let ms = outside(decide::now(&*scope(&h)?))?;
        Ok(jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string()))
    });
    let h = host.clone();
    engine.register_fn("uuid", move || -> Outcome<String> { outside(decide::uuid(&*scope(&h)?)) });
    let h = host.clone();
    engine.register_fn("sleep", move |ctx: NativeCallContext, text: ImmutableString| -> Outcome<()> {
        let length = retry::parse(&text).map_err(|why| wrong(&ctx, format!("sleep(): {why}")))?;
        outside(decide::sleep(&*scope(&h)?, length))
    });
    let h = host.clone();
    engine.register_fn("sleep", move |ctx: NativeCallContext, seconds: i64| sleep(&ctx, &h, seconds as f64));
    let h = host.clone();
    engine.register_fn("sleep", move |ctx: NativeCallContext, seconds: f64| sleep(&ctx, &h, seconds));
    let h = host.clone();
    engine.register_fn("random_password", move |ctx: NativeCallContext, length: i64| password(&ctx, &h, length));
    let h = host.clone();
    engine.register_fn("approve", move |ctx: NativeCallContext, question: ImmutableString| -> Outcome<Dynamic> {
        let scope = scope(&h)?;
        let answer = outside(approve(&scope, &question, &raise::site(&ctx)))?;
        Ok(to_script(&scope, &answer))
    });
    let h = host.clone();
    engine.register_fn("output", move |ctx: NativeCallContext, name: ImmutableString, value: Dynamic| -> Outcome<()> {
        let scope = scope(&h)?;
        let value = convert::to_json(&value, &format!("output {name:?}"))
            .map_err(|failure| raise::mistake(failure.at(&raise::site(&ctx))))?;
        outside(output(&scope, &name, value))
    });
    engine.register_fn("log", |text: ImmutableString| {
        say(|step| What::Note { step, text: text.to_string() });
    });
    engine.on_print(|text| say(|step| What::Print { step, text: text.to_owned() }));
    engine.on_debug(|text, _, position| {
        let at = position.line().map(|line| format!("line {line}: ")).unwrap_or_default();
        say(|step| What::Print { step, text: format!("{at}{text}") });
    });
}

fn say(what: impl FnOnce(String) -> What) {
    if let Some(scope) = here::scope()
        && scope.session.mode == Mode::Drive
    {
        scope.session.events.send(what(scope.key.clone()));
    }
}

/// The answer of something that may have taken its time.
fn outside<T>(answer: Result<T, Halt>) -> Outcome<T> {
    here::fresh();
    answer.map_err(raise::halt)
}

fn wrong(ctx: &NativeCallContext, message: String) -> Box<EvalAltResult> {
    raise::mistake(Failure::new("RB0105", message).at(&raise::site(ctx)))
}

fn sleep(ctx: &NativeCallContext, host: &Host, seconds: f64) -> Outcome<()> {
    let length = Duration::try_from_secs_f64(seconds).ok().filter(|length| length.as_secs() <= 366 * 86_400);
    let Some(length) = length else {
        return Err(wrong(ctx, format!("sleep(): {seconds} s is no time to wait; write sleep(\"30s\")")));
    };
    outside(decide::sleep(&*scope(host)?, length))
}

fn password(ctx: &NativeCallContext, host: &Host, length: i64) -> Outcome<Secret> {
    let scope = scope(host)?;
    if !scope.in_step {
        return Err(raise::stop(bindings::only_in_step("random_password", &raise::site(ctx))));
    }
    let Some(length) = usize::try_from(length).ok().filter(|length| (8..=1024).contains(length)) else {
        return Err(wrong(ctx, "random_password(n) takes 8 to 1024 characters".to_owned()));
    };
    let asked = format!("random_password {length}");
    let name = outside(decide::decide(&scope, &asked, || Ok(Value::String(secret_name(&scope)))))?;
    let name = name.as_str().unwrap_or_default();
    let placeholder = scope.session.vault.generate(name, length);
    placeholder.map(|text| Secret::new(&text)).map_err(|error| {
        raise::fail(&Failure::new("RB0703", format!("the secret {name} cannot be kept: {error}")).at(&raise::site(ctx)))
    })
}

/// A secret's name after its step, with a number from the second one on.
fn secret_name(scope: &Scope) -> String {
    let base: String =
        scope.key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
    let known = |name: &str| scope.session.vault.knows(name);
    if !known(&base) {
        return base;
    }
    (2_u32..).map(|n| format!("{base}_{n}")).find(|name| !known(name)).unwrap_or(base)
}
