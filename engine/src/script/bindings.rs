//! Calls of bindings: from a method on a handle to [`effect::bind`].

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext};
use runbook_modules::{
    input::nearest,
    table::{Binding, Table},
};
use runbook_state::record::Site;
use serde_json::Value;

use super::{convert, handles::Service, here, raise, secret, yaml};
use crate::{
    effect::{self, Call},
    error::{Failure, Stop},
    run::scope::Scope,
};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Adds one function name as a method of all services; which of them have it is asked of the table.
pub fn register(engine: &mut Engine, function: &str) {
    let name: ImmutableString = function.into();
    let of = |name: &ImmutableString| name.clone();
    let n = of(&name);
    engine.register_fn(function, move |ctx: NativeCallContext, on: Service| call(&ctx, &on, &n, &Map::new()));
    let n = of(&name);
    engine.register_fn(function, move |ctx: NativeCallContext, on: Service, input: Map| call(&ctx, &on, &n, &input));
    if function == "apply" {
        engine
            .register_fn("apply", |ctx: NativeCallContext, on: Service, text: ImmutableString| {
                apply_text(&ctx, &on, &text, &Map::new())
            })
            .register_fn("apply", |ctx: NativeCallContext, on: Service, text: ImmutableString, options: Map| {
                apply_text(&ctx, &on, &text, &options)
            })
            .register_fn("apply", |ctx: NativeCallContext, on: Service, list: Array| {
                apply_list(&ctx, &on, &list, &Map::new())
            })
            .register_fn("apply", |ctx: NativeCallContext, on: Service, list: Array, options: Map| {
                apply_list(&ctx, &on, &list, &options)
            })
            .register_fn("apply", |ctx: NativeCallContext, on: Service, mut object: Map, options: Map| {
                object.extend(options);
                call(&ctx, &on, &"apply".into(), &object)
            });
    }
}

fn apply_text(ctx: &NativeCallContext, on: &Service, text: &str, options: &Map) -> Outcome<Dynamic> {
    let documents = yaml::documents(text).map_err(|failure| raise::fail(&failure.at(&raise::site(ctx))))?;
    let is_secret = |text: &str| here::scope().is_some_and(|scope| secret::is_placeholder(&scope.session.run.id, text));
    let list: Array = documents.iter().map(|document| convert::from_json(document, &is_secret)).collect();
    apply_list(ctx, on, &list, options)
}

fn apply_list(ctx: &NativeCallContext, on: &Service, list: &Array, options: &Map) -> Outcome<Dynamic> {
    let mut applied = Array::new();
    for (index, object) in list.iter().enumerate() {
        let Some(mut object) = object.flatten_clone().try_cast::<Map>() else {
            let what = convert::named(&list[index]);
            let failure = Failure::new("RB0105", format!("k8s.apply: item {index} must be an object, not {what}"));
            return Err(raise::mistake(failure.at(&raise::site(ctx))));
        };
        object.extend(options.clone());
        applied.push(call(ctx, on, &"apply".into(), &object)?);
    }
    Ok(applied.into())
}

fn call(ctx: &NativeCallContext, on: &Service, function: &ImmutableString, input: &Map) -> Outcome<Dynamic> {
    let site = raise::site(ctx);
    let name = format!("{}.{function}", on.name);
    let Some(scope) = here::scope() else {
        return Err(raise::mistake(outside(&name, &site)));
    };
    if !scope.in_step {
        return Err(raise::mistake(outside(&name, &site)));
    }
    let Some(binding) = scope.session.table.binding(&name) else {
        return Err(raise::mistake(unknown(&scope.session.table, &name).at(&site)));
    };
    let mut input = convert::to_json(&Dynamic::from(input.clone()), &format!("the input of {name}"))
        .map_err(|failure| raise::mistake(failure.at(&site)))?;
    if matches!(binding, Binding::Create(_)) {
        add_tags(&mut input, &on.tags).map_err(|failure| raise::mistake(failure.at(&site)))?;
    }
    bound(&scope, Call { name: &name, binding, place: &on.place, input, site })
}

/// The handle's tags, below those of the call.
fn add_tags(input: &mut Value, tags: &Map) -> Result<(), Failure> {
    if tags.is_empty() {
        return Ok(());
    }
    let common = convert::to_json(&Dynamic::from(tags.clone()), "the tags of aws()")?;
    if let (Some(input), Value::Object(mut all)) = (input.as_object_mut(), common) {
        match input.remove("tags") {
            Some(Value::Object(own)) => all.extend(own),
            None | Some(Value::Null) => {}
            Some(other) => {
                // Not a map: the binding's own check says so.
                input.insert("tags".to_owned(), other);
                return Ok(());
            }
        }
        input.insert("tags".to_owned(), Value::Object(all));
    }
    Ok(())
}

fn bound(scope: &Scope, call: Call<'_>) -> Outcome<Dynamic> {
    let answer: Result<Value, _> = effect::bind(scope, call);
    here::fresh();
    let run = &scope.session.run.id;
    answer.map(|value| convert::from_json(&value, &|text| secret::is_placeholder(run, text))).map_err(raise::halt)
}

/// "It is called outside a step."
pub fn outside(name: &str, site: &Site) -> Failure {
    let mut failure = Failure::new("RB0112", format!("{name} is called outside a step")).at(site);
    failure.op = name.to_owned();
    failure.cause = "not inside a step".to_owned();
    failure.hint("Wrap the call: step(\"a name\", || …). Only a step is recorded, so only a step can be resumed.")
}

/// "There is no such operation", with the nearest names.
pub fn unknown(table: &Table, name: &str) -> Failure {
    let (service, function) = name.split_once('.').unwrap_or(("", name));
    let mut failure = Failure::new("RB0111", format!("there is no operation {name}"));
    failure.op = name.to_owned();
    failure.cause = "unknown operation".to_owned();
    let siblings = table.bindings().filter_map(|(known, _)| known.split_once('.')).filter(|(s, _)| *s == service);
    let siblings: Vec<&str> = siblings.map(|(_, f)| f).collect();
    for near in nearest(function, siblings.iter().copied()) {
        failure = failure.hint(format!("Did you mean {service}.{near}?"));
    }
    if let Some((elsewhere, _)) =
        table.bindings().find(|(known, _)| known.split_once('.').is_some_and(|(_, f)| f == function))
    {
        failure = failure.hint(format!("There is {elsewhere}."));
    }
    failure.hint(format!("List them: runbook docs {service}"))
}

/// The stop for a function that only a step may call.
pub fn only_in_step(name: &str, site: &Site) -> Stop {
    Stop::Script(Box::new(outside(name, site)))
}
