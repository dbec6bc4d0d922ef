//! Closures of a script as bodies of steps and branches: with captures of their own, in the right scope and file, their result as
//! JSON, their errors as ours.

use std::sync::Arc;

use rhai::{Dynamic, Engine, FnPtr, GlobalRuntimeState, NativeCallContext, Position};
use runbook_state::record::Site;
use serde_json::Value;

use super::{captures, convert, diagnose, here, host::Host, raise};
use crate::{
    error::{Failure, Halt, Stop},
    run::scope::Scope,
};

/// A closure that can be called on any thread and more than once.
#[derive(Clone)]
pub struct Body<'a> {
    host: &'a Host,
    engine: &'a Engine,
    global: GlobalRuntimeState,
    position: Position,
    site: Site,
    closure: FnPtr,
    what: String,
}

impl<'a> Body<'a> {
    /// A closure given to a native function; `what` names it in errors, e.g. `step "vpc"`.
    pub fn new(ctx: &'a NativeCallContext, host: &'a Host, closure: &FnPtr, what: impl Into<String>) -> Self {
        Self {
            host,
            engine: ctx.engine(),
            global: ctx.global_runtime_state().clone(),
            position: ctx.call_position(),
            site: raise::site(ctx),
            closure: captures::own(&closure.clone().into()).cast::<FnPtr>(),
            what: what.into(),
        }
    }

    /// A closure that was kept with the modules it sees.
    pub fn kept(engine: &'a Engine, host: &'a Host, closure: &FnPtr, global: &GlobalRuntimeState, site: &Site) -> Self {
        let closure = captures::own(&closure.clone().into()).cast::<FnPtr>();
        let what = "an undo closure".to_owned();
        Self { host, engine, global: global.clone(), position: Position::NONE, site: site.clone(), closure, what }
    }

    /// The digest of what it captured.
    pub fn digest(&self) -> String {
        captures::digest([&self.closure])
    }

    /// Calls it inside a scope, for its result as JSON.
    ///
    /// # Errors
    /// What ended it; a result that cannot be kept; an assignment to something captured.
    pub fn run(&self, scope: &Arc<Scope>, args: Vec<Dynamic>) -> Result<Value, Halt> {
        here::within(scope, || {
            let value = self.call(args)?;
            let json = convert::to_json(&value, &format!("the result of {}", self.what));
            json.map_err(|failure| self.mistake(failure))
        })
    }

    /// Calls it where the thread is.
    ///
    /// # Errors
    /// As [`Body::run`].
    pub fn call(&self, args: Vec<Dynamic>) -> Result<Dynamic, Halt> {
        let guarded = captures::guard(&self.closure);
        let known = self.host.closures.get(self.closure.fn_name());
        let file: &str = known.map_or(self.site.file.as_str(), |closure| &closure.file);
        let mut global = self.global.clone();
        global.source = Some(file.into());
        let ctx = NativeCallContext::new_with_all_fields(self.engine, "step", None, &global, self.position);
        let value = guarded.closure.call_raw(&ctx, None, args);
        let value = value.map_err(|error| diagnose::halt(&error, &self.site.file, self.engine))?;
        match guarded.changed() {
            None => Ok(value),
            Some(place) => {
                let name = known.and_then(|closure| closure.takes.get(place)).map_or("a variable", String::as_str);
                Err(self.mistake(self.assigned(name)))
            }
        }
    }

    fn assigned(&self, name: &str) -> Failure {
        let mut failure =
            Failure::new("RB0321", format!("{} assigns to {name}, which belongs to the script around it", self.what));
        failure.cause = format!("{name} is assigned to inside");
        failure
            .hint(format!("Return the value instead: let {name} = step(…, || …). When the run is resumed, a finished step is not run again, and the assignment would be missing."))
            .hint("A copy may be changed: let mine = the_variable; inside the closure.")
    }

    fn mistake(&self, failure: Failure) -> Halt {
        let failure = if failure.sites.contains(&self.site) { failure } else { failure.at(&self.site) };
        Stop::Script(Box::new(failure)).into()
    }
}
