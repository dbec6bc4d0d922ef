//! Rhai's errors as ours: a code, what and why in plain words, where (innermost first, then the calls), and hints.

use rhai::{Engine, EvalAltResult, LexError, ParseError, ParseErrorType, Position};
use runbook_modules::input::nearest;
use runbook_state::record::Site;

use super::{convert, here, raise, respell};
use crate::error::{Failure, Halt, Stop};

/// What ended a piece of script. `file` is the file in which the outermost position stands.
pub fn halt(error: &EvalAltResult, file: &str, engine: &Engine) -> Halt {
    let (innermost, sites) = unwind(error, file);
    match innermost {
        EvalAltResult::ErrorTerminated(token, _) => match raise::stop_in(token) {
            Some(stop) => Halt::Stop(placed(stop, sites)),
            None => Halt::Stop(Stop::Script(Box::new(with_sites(failure(innermost, engine), sites)))),
        },
        EvalAltResult::ErrorRuntime(value, _) => {
            let thrown = raise::failure_in(value).unwrap_or_else(|| {
                let text = if value.is_string() { value.to_string() } else { convert::named(value) };
                Failure::new("RB0323", text)
            });
            let limit = here::settle(&thrown);
            let thrown = Box::new(with_sites(thrown, sites));
            if limit { Halt::Stop(Stop::Script(thrown)) } else { Halt::Failure(thrown) }
        }
        limit if mistake(limit) => Halt::Stop(Stop::Script(Box::new(with_sites(failure(limit, engine), sites)))),
        other => Halt::Failure(Box::new(with_sites(failure(other, engine), sites))),
    }
}

/// Walks to the innermost error and collects the places, innermost first.
fn unwind<'a>(error: &'a EvalAltResult, file: &str) -> (&'a EvalAltResult, Vec<Site>) {
    let mut file = file.to_owned();
    let mut sites = Vec::new();
    let mut error = error;
    loop {
        let position = error.position();
        if !position.is_none() {
            sites.push(raise::place(&file, position));
        }
        match error {
            EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
                if !source.is_empty() {
                    file.clone_from(source);
                }
                error = inner;
            }
            EvalAltResult::ErrorInModule(name, inner, _) => {
                if name.ends_with(".rhai") {
                    file.clone_from(name);
                }
                error = inner;
            }
            _ => break,
        }
    }
    sites.reverse();
    (error, sites)
}

fn with_sites(mut failure: Failure, sites: Vec<Site>) -> Failure {
    for site in sites {
        if !failure.sites.contains(&site) {
            failure.sites.push(site);
        }
    }
    failure
}

fn placed(stop: Stop, sites: Vec<Site>) -> Stop {
    match stop {
        Stop::Script(failure) => Stop::Script(Box::new(with_sites(*failure, sites))),
        Stop::Changed(failure) => Stop::Changed(Box::new(with_sites(*failure, sites))),
        Stop::Unresolved(failure) => Stop::Unresolved(Box::new(with_sites(*failure, sites))),
        Stop::Credentials(failure) => Stop::Credentials(Box::new(with_sites(*failure, sites))),
        other => other,
    }
}

/// Whether an error shows the script itself to be wrong, so that trying again or catching cannot help.
fn mistake(error: &EvalAltResult) -> bool {
    use EvalAltResult as E;
    matches!(
        error,
        E::ErrorParsing(..)
            | E::ErrorVariableNotFound(..)
            | E::ErrorFunctionNotFound(..)
            | E::ErrorModuleNotFound(..)
            | E::ErrorDataRace(..)
            | E::ErrorTooManyOperations(..)
            | E::ErrorTooManyVariables(..)
            | E::ErrorTooManyModules(..)
            | E::ErrorStackOverflow(..)
            | E::ErrorDataTooLarge(..)
            | E::Exit(..)
    )
}

fn failure(error: &EvalAltResult, engine: &Engine) -> Failure {
    use EvalAltResult as E;
    let (code, message, cause, hint) = match error {
        E::ErrorParsing(kind, _) => return syntax(kind, engine),
        E::ErrorFunctionNotFound(signature, _) => return unknown_function(signature, engine),
        E::ErrorVariableNotFound(name, _) => (
            "RB0104",
            format!("there is no variable {name}"),
            "unknown variable".to_owned(),
            format!("Inside a fn only its parameters are seen; a constant of the file is global::{name}."),
        ),
        E::ErrorPropertyNotFound(name, _) => {
            ("RB0104", format!("there is no field {name}"), "unknown field".to_owned(), String::new())
        }
        E::ErrorModuleNotFound(name, _) => {
            ("RB0108", format!("there is no module {name}"), "unknown module".to_owned(), String::new())
        }
        E::ErrorStackOverflow(_) => (
            "RB0109",
            "functions call each other too deeply".to_owned(),
            "recursion does not end".to_owned(),
            "A function that calls itself needs a case in which it does not.".to_owned(),
        ),
        E::ErrorDataTooLarge(what, _) => (
            "RB0107",
            format!("a value is too large: {}", what.to_lowercase()),
            "grows too large".to_owned(),
            "Put large texts into a file next to the runbook and read them with file().".to_owned(),
        ),
        E::ErrorTooManyOperations(_) | E::ErrorTooManyVariables(_) | E::ErrorTooManyModules(_) => {
            ("RB0107", plain(error), "limit passed".to_owned(), String::new())
        }
        E::ErrorDataRace(name, _) => (
            "RB0105",
            format!("a value is used while it is being changed: {name}"),
            "used twice at once".to_owned(),
            "In `list.map(|x| …)` do not use `list` itself inside: copy what you need first, `let n = list.len();`."
                .to_owned(),
        ),
        E::ErrorMismatchDataType(wanted, got, _) | E::ErrorMismatchOutputType(wanted, got, _) => (
            "RB0105",
            format!("{} is needed here, not {}", typed(wanted), typed(got)),
            "wrong type".to_owned(),
            String::new(),
        ),
        E::Exit(..) => ("RB0105", "exit() ends no run".to_owned(), String::new(), "Use fail(\"why\").".to_owned()),
        other => ("RB0105", plain(other), String::new(), String::new()),
    };
    let mut failure = Failure::new(code, message);
    failure.cause = cause;
    if hint.is_empty() { failure } else { failure.hint(hint) }
}

fn typed(name: &str) -> String {
    match name {
        "string" | "ImmutableString" | "&str" => "a text".to_owned(),
        "i64" => "a whole number".to_owned(),
        "f64" => "a number with a fraction".to_owned(),
        "bool" => "true or false".to_owned(),
        "map" => "a map".to_owned(),
        "array" => "a list".to_owned(),
        "()" => "nothing".to_owned(),
        "Fn" => "a closure".to_owned(),
        "" => "another type".to_owned(),
        other => other.rsplit("::").next().unwrap_or(other).to_owned(),
    }
}

/// Rhai's words without the position, which is shown beside the line.
fn plain(error: &EvalAltResult) -> String {
    let text = error.to_string().replace(respell::MARK, "");
    match text.rfind(" (line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn unknown_function(signature: &str, engine: &Engine) -> Failure {
    let (name, given) = signature.split_once(" (").unwrap_or((signature, ")"));
    let given = given.strip_suffix(')').unwrap_or(given);
    // A binding is told without the service that it is called on.
    let binding = given.split(", ").next() == Some("Service");
    let given: Vec<String> = given
        .split(", ")
        .filter(|part| !part.is_empty() && *part != "Service")
        .map(|part| typed(part.split(" | ").next().unwrap_or(part)))
        .collect();
    let known = functions(engine);
    let takes: Vec<&str> =
        known.iter().filter(|(known, _)| known == name).map(|(_, signature)| signature.as_str()).collect();
    let mut failure = if takes.is_empty() {
        let mut failure = Failure::new("RB0103", format!("there is no function {name}"));
        failure.cause = "unknown function".to_owned();
        let mut names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        for near in nearest(name, names) {
            failure = failure.hint(format!("Did you mean {near}?"));
        }
        failure
    } else if operator(name) {
        Failure::new("RB0105", format!("`{name}` does not work on {}", given.join(" and ")))
    } else {
        let given = if given.is_empty() { "nothing".to_owned() } else { given.join(", ") };
        let failure = Failure::new("RB0105", format!("{name} does not take ({given})"));
        if binding { failure.hint("`runbook docs` says what each binding takes: a map, as a rule.") } else { failure }
    };
    if failure.cause.is_empty() {
        failure.cause = "wrong arguments".to_owned();
    }
    failure
}

fn operator(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Every function by name, with its signature.
pub fn functions(engine: &Engine) -> Vec<(String, String)> {
    let known = |function: rhai::FuncInfo<'_>| {
        let name = function.metadata.name.as_str();
        // `get$x`, `set$x`, `index$get$`: how Rhai names accessors. A function that a script can name has no `$`.
        let nameable = !name.contains('$') && !respell::ours(name);
        nameable.then(|| (name.to_owned(), function.metadata.gen_signature(Into::into)))
    };
    let mut functions = engine.collect_fn_metadata(None, known, true);
    functions.sort();
    functions.dedup();
    functions
}

/// A text that does not parse.
pub fn parse(error: &ParseError, file: &str, engine: &Engine) -> Failure {
    let failure = syntax(&error.0, engine);
    let position: Position = error.1;
    if position.is_none() { failure } else { failure.at(&raise::place(file, position)) }
}

fn syntax(kind: &ParseErrorType, engine: &Engine) -> Failure {
    let mut failure = Failure::new("RB0102", format!("the script does not parse: {}", lowered(&kind.to_string())));
    failure.cause = "here".to_owned();
    match kind {
        ParseErrorType::VariableUndefined(name) => {
            failure = Failure::new("RB0104", format!("there is no variable {name}"));
            failure.cause = "unknown variable".to_owned();
            failure.hint(format!("Inside a fn only its parameters are seen; a constant of the file is global::{name}."))
        }
        ParseErrorType::ModuleUndefined(name) => {
            failure = Failure::new("RB0108", format!("there is no module {name}"));
            failure.cause = "unknown module".to_owned();
            failure.hint(format!("Add at the top: import \"lib/{name}\" as {name};"))
        }
        ParseErrorType::Reserved(word) | ParseErrorType::BadInput(LexError::ImproperSymbol(word, _))
            if engine.is_symbol_disabled(word) =>
        {
            failure.message = format!("the script does not parse: {word} is switched off");
            failure.hint("A runbook does what stands in its files, and nothing that it makes up on the way.")
        }
        ParseErrorType::Reserved(word) => {
            failure.hint(format!("`{word}` is a reserved word: as a key write \"{word}\", as a field map[\"{word}\"]."))
        }
        _ => failure,
    }
}

fn lowered(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
