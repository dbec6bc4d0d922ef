//! Puts Rhai together: which of its packages, which switches, and what we add.

use std::sync::Arc;

use rhai::{
    Engine, OptimizationLevel,
    packages::{
        ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
        BasicStringPackage, LanguageCorePackage, LogicPackage, MoreStringPackage, Package,
    },
};
use runbook_modules::{input::nearest, table::Table};

use super::{
    compare, decisions, handles, here,
    host::Host,
    limits::Limits,
    params, raise,
    resolver::Modules,
    respell::{self, Parser},
    secret, steps, text,
};
use crate::error::Failure;

/// An engine that only parses.
pub fn parser(limits: &Limits) -> Parser {
    let mut engine = Engine::new_raw();
    switches(&mut engine, limits);
    Parser::new(engine)
}

/// An engine for one run.
pub fn runner(host: &Arc<Host>, table: &Table, modules: Modules) -> Engine {
    let mut engine = Engine::new_raw();
    switches(&mut engine, &host.limits);
    packages(&mut engine);
    watch(&mut engine, host);
    engine.set_module_resolver(modules);
    respell::register(&mut engine);
    text::register(&mut engine, host);
    secret::register(&mut engine);
    compare::register(&mut engine);
    params::declare::register(&mut engine, host);
    handles::register(&mut engine, table);
    steps::register(&mut engine, host);
    decisions::register(&mut engine, host);
    engine
}

fn switches(engine: &mut Engine, limits: &Limits) {
    limits.apply(engine);
    engine.set_strict_variables(true).set_fail_on_invalid_map_property(true);
    // Nothing of ours may be called at compile time, and a stored script must compile to the same tree for ever.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.disable_symbol("eval");
}

/// One by one: no time, no bits, no blobs, no debugging.
fn packages(engine: &mut Engine) {
    LanguageCorePackage::new().register_into_engine(engine);
    ArithmeticPackage::new().register_into_engine(engine);
    LogicPackage::new().register_into_engine(engine);
    BasicStringPackage::new().register_into_engine(engine);
    MoreStringPackage::new().register_into_engine(engine);
    BasicIteratorPackage::new().register_into_engine(engine);
    BasicFnPackage::new().register_into_engine(engine);
    BasicArrayPackage::new().register_into_engine(engine);
    BasicMapPackage::new().register_into_engine(engine);
    BasicMathPackage::new().register_into_engine(engine);
}

#[expect(deprecated, reason = "Rhai calls these two callbacks volatile; its version is pinned by Cargo.lock")]
fn watch(engine: &mut Engine, host: &Arc<Host>) {
    let (limits, base) = (host.limits, host.base);
    engine.on_progress(move |_| here::tick(&limits, base).map(raise::token));
    engine.on_var(|_, _, _| match here::raised() {
        Some(failure) => Err(raise::fail(&failure)),
        None => Ok(None),
    });
    engine.on_map_missing_property(move |map, name, _| {
        if name.starts_with(respell::MARK) {
            return respell::assigned(map, name, limits.map);
        }
        let mut failure = Failure::new("RB0104", format!("the map has no field {name}"));
        failure.cause = "no such field".to_owned();
        let near = nearest(name, map.keys().map(rhai::Identifier::as_str));
        for near in &near {
            failure = failure.hint(format!("Did you mean {near}?"));
        }
        if near.is_empty() {
            let all: Vec<&str> = map.keys().map(rhai::Identifier::as_str).take(20).collect();
            failure = failure.hint(if all.is_empty() {
                "It is empty.".to_owned()
            } else {
                format!("It has: {}.", all.join(", "))
            });
        }
        Err(raise::fail(&failure.hint("A field that may be absent: map.get(\"name\") gives () then.")))
    });
}
