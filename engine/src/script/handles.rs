//! What a script calls bindings on: `aws(#{…})`, its services, `k8s(…)` and its `.helm`, `github(#{…})`, `cloudflare(#{…})`. A
//! handle is only a place.

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext};
use runbook_modules::{
    input::nearest,
    table::Table,
    target::{Api, Place},
};
use runbook_rest::{address, cloudflare, github};

use super::{bindings, convert, raise, secret::Secret};
use crate::error::Failure;

/// An account and region, and tags for everything made in it.
#[derive(Clone)]
pub struct Aws {
    /// Where its calls go.
    pub place: Place,
    /// For everything made through it.
    pub tags: Map,
}

/// One service in an account and region, Kubernetes or Helm in a cluster, GitHub or Cloudflare: the first part of a binding's name.
#[derive(Clone)]
pub struct Service {
    /// `ec2`, `k8s`, `helm`, `github`, `cloudflare`.
    pub name: ImmutableString,
    /// Where its calls go.
    pub place: Place,
    /// For everything made through it.
    pub tags: Map,
}

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Functions that give a handle on which bindings are called at once, each the name of its service. Beside these and `helm`, which is got
/// from one of them, all services are AWS's.
pub const HANDLES: [&str; 3] = ["k8s", "github", "cloudflare"];

/// What a value is, when it is a handle.
pub fn named(value: &Dynamic) -> Option<&'static str> {
    if value.is::<Aws>() {
        Some("an AWS handle")
    } else if let Some(service) = value.read_lock::<Service>() {
        Some(match service.name.as_str() {
            "k8s" => "a Kubernetes handle",
            "helm" => "a Helm handle",
            "github" => "a GitHub handle",
            "cloudflare" => "a Cloudflare handle",
            _ => "an AWS service",
        })
    } else {
        None
    }
}

/// The place of a handle.
pub fn place(value: &Dynamic) -> Option<Place> {
    value
        .read_lock::<Aws>()
        .map(|aws| aws.place.clone())
        .or_else(|| value.read_lock::<Service>().map(|service| service.place.clone()))
}

/// Adds the handles and, with a table, every binding.
pub fn register(engine: &mut Engine, table: &Table) {
    engine
        .register_type_with_name::<Aws>("AWS")
        .register_type_with_name::<Service>("Service")
        .register_fn("aws", aws)
        .register_fn("github", |ctx: NativeCallContext, options: Map| service(&ctx, &GITHUB, &options))
        .register_fn("cloudflare", |ctx: NativeCallContext, options: Map| service(&ctx, &CLOUDFLARE, &options))
        .register_fn("k8s", |ctx: NativeCallContext, cluster: Map| k8s(&ctx, &Place::default(), &cluster))
        .register_fn("k8s", |ctx: NativeCallContext, aws: Aws, cluster: Map| k8s(&ctx, &aws.place, &cluster))
        .register_get("region", |aws: &mut Aws| aws.place.region.clone())
        .register_get("helm", |k8s: &mut Service| Service {
            name: "helm".into(),
            place: k8s.place.clone(),
            tags: Map::new(),
        });
    let services: std::collections::BTreeSet<&str> =
        table.bindings().filter_map(|(name, _)| name.split_once('.')).map(|(service, _)| service).collect();
    for service in services.iter().filter(|service| **service != "helm" && !HANDLES.contains(service)) {
        let name: ImmutableString = (*service).into();
        engine.register_get(*service, move |aws: &mut Aws| Service {
            name: name.clone(),
            place: aws.place.clone(),
            tags: aws.tags.clone(),
        });
    }
    let functions: std::collections::BTreeSet<&str> =
        table.bindings().filter_map(|(name, _)| name.split_once('.')).map(|(_, function)| function).collect();
    for function in functions {
        bindings::register(engine, function);
    }
}

fn aws(ctx: NativeCallContext, options: Map) -> Outcome<Aws> {
    let mut place = Place::default();
    let mut tags = Map::new();
    for (name, value) in &options {
        let text = || {
            value
                .clone()
                .into_immutable_string()
                .map(|text| text.to_string())
                .map_err(|_| wrong(&ctx, format!("aws(): {name} must be a text, not {}", convert::named(value))))
        };
        match name.as_str() {
            "region" => place.region = text()?,
            "profile" => place.profile = optional(value, text)?,
            "assume_role" => place.assume_role = optional(value, text)?,
            "tags" => {
                tags = value
                    .flatten_clone()
                    .try_cast()
                    .ok_or_else(|| wrong(&ctx, "aws(): tags must be a map".to_owned()))?;
            }
            other => return Err(unknown(&ctx, "aws()", other, &["region", "profile", "assume_role", "tags"])),
        }
    }
    Ok(Aws { place, tags })
}

fn optional(value: &Dynamic, text: impl Fn() -> Outcome<String>) -> Outcome<Option<String>> {
    if value.is_unit() { Ok(None) } else { text().map(Some) }
}

fn k8s(ctx: &NativeCallContext, within: &Place, cluster: &Map) -> Outcome<Service> {
    let text = |name: &str| cluster.get(name).and_then(|value| value.clone().into_immutable_string().ok());
    let mut place = within.clone();
    if let Some(context) = text("context") {
        place.context = Some(context.to_string());
    } else if let Some(name) = text("name") {
        place.cluster = Some(name.to_string());
        let from_arn = text("arn").and_then(|arn| arn.split(':').nth(3).map(str::to_owned));
        if let Some(region) = text("region").map(|region| region.to_string()).or(from_arn) {
            place.region = region;
        }
    } else {
        return Err(wrong(
            ctx,
            "k8s() takes a described EKS cluster (with its name) or #{ context: \"…\" }".to_owned(),
        ));
    }
    Ok(Service { name: "k8s".into(), place, tags: Map::new() })
}

/// A service with an address of its own: its name, the field of its token, and where it is unless the script says so.
struct Apart(&'static str, &'static str, &'static str);

/// GitHub, or an Enterprise Server.
static GITHUB: Apart = Apart("github", "token", github::API);
/// Cloudflare.
static CLOUDFLARE: Apart = Apart("cloudflare", "api_token", cloudflare::API);

/// A service, as whom the token says.
fn service(ctx: &NativeCallContext, Apart(name, field, url): &Apart, options: &Map) -> Outcome<Service> {
    let known = [*field, "api_url"];
    if let Some(other) = options.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown(ctx, &format!("{name}()"), other, &known));
    }
    let token = options.get(*field).and_then(|token| token.read_lock::<Secret>().map(|token| token.text().to_owned()));
    let token = token.ok_or_else(|| wrong(ctx, format!("{name}(): {field} must be a secret parameter")))?;
    let url = match options.get("api_url").filter(|url| !url.is_unit()) {
        None => (*url).to_owned(),
        Some(url) => {
            let text = url.clone().into_immutable_string();
            let text = text.map_err(|_| format!("must be a text, not {}", convert::named(url)));
            text.and_then(|text| address::checked(&text))
                .map_err(|why| wrong(ctx, format!("{name}(): api_url {why}")))?
        }
    };
    let place = Place { api: Some(Api { url, token }), ..Place::default() };
    Ok(Service { name: (*name).into(), place, tags: Map::new() })
}

fn wrong(ctx: &NativeCallContext, message: String) -> Box<EvalAltResult> {
    raise::mistake(Failure::new("RB0105", message).at(&raise::site(ctx)))
}

fn unknown(ctx: &NativeCallContext, what: &str, name: &str, known: &[&str]) -> Box<EvalAltResult> {
    let mut failure = Failure::new("RB0111", format!("{what} has no field {name}")).at(&raise::site(ctx));
    for near in nearest(name, known.iter().copied()) {
        failure = failure.hint(format!("Did you mean {near}?"));
    }
    raise::mistake(failure.hint(format!("It takes: {}.", known.join(", "))))
}
