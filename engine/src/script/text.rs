//! Small pure functions that runbooks need, and replacements for those of Rhai that could make too much of a little.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext, Position};
use runbook_modules::input::nearest;

use super::{convert, here, host::Host, raise, secret, secret::Secret, yaml};
use crate::error::Failure;

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Adds them.
pub fn register(engine: &mut Engine, host: &Arc<Host>) {
    sized(engine, host);
    cidr(engine);
    data(engine, host);
    engine
        .register_fn("join", |list: Array, separator: ImmutableString| join(&list, &separator))
        .register_fn("join", |list: Array| join(&list, ""))
        .register_fn("fail", |ctx: NativeCallContext, message: ImmutableString| -> Outcome<Dynamic> {
            Err(raise::fail(&Failure::new("RB0323", message.as_str()).at(&raise::site(&ctx))))
        })
        .register_fn("exit", |ctx: NativeCallContext| no_exit(&ctx))
        .register_fn("exit", |ctx: NativeCallContext, _: Dynamic| no_exit(&ctx));
}

fn no_exit(ctx: &NativeCallContext) -> Outcome<Dynamic> {
    let failure = Failure::new("RB0105", "exit() would leave the run half done").at(&raise::site(ctx));
    Err(raise::mistake(failure.hint("Use fail(\"why\") to stop the run, or return from the function.")))
}

/// Rhai checks a value's size after it was made; these are checked before.
fn sized(engine: &mut Engine, host: &Arc<Host>) {
    let (text, list) = (host.limits.text, host.limits.list);
    let replace = move |text_in: &mut ImmutableString, find: &str, with: &str| -> Outcome<()> {
        let hits = if find.is_empty() { text_in.chars().count() + 1 } else { text_in.matches(find).count() };
        let grown = text_in.len().saturating_sub(hits * find.len()).saturating_add(hits.saturating_mul(with.len()));
        if grown > text {
            return Err(EvalAltResult::ErrorDataTooLarge("Length of string".to_owned(), Position::NONE).into());
        }
        *text_in = text_in.replace(find, with).into();
        Ok(())
    };
    engine
        .register_fn("replace", move |t: &mut ImmutableString, a: ImmutableString, b: ImmutableString| {
            replace(t, &a, &b)
        })
        .register_fn("replace", move |t: &mut ImmutableString, a: char, b: ImmutableString| {
            replace(t, a.encode_utf8(&mut [0; 4]), &b)
        })
        .register_fn("replace", move |t: &mut ImmutableString, a: ImmutableString, b: char| {
            replace(t, &a, b.encode_utf8(&mut [0; 4]))
        })
        .register_fn("replace", move |t: &mut ImmutableString, a: char, b: char| {
            replace(t, a.encode_utf8(&mut [0; 4]), b.encode_utf8(&mut [0; 4]))
        });
    let split = move |text: &str, by: &str| -> Outcome<Array> {
        let pieces: Vec<Dynamic> = if by.is_empty() {
            text.chars().take(list + 1).map(|c| c.to_string().into()).collect()
        } else {
            text.split(by).take(list + 1).map(|piece| piece.to_owned().into()).collect()
        };
        if pieces.len() > list {
            return Err(EvalAltResult::ErrorDataTooLarge("Size of array".to_owned(), Position::NONE).into());
        }
        Ok(pieces)
    };
    engine
        .register_fn("split", move |t: ImmutableString, by: ImmutableString| split(&t, &by))
        .register_fn("split", move |t: ImmutableString, by: char| split(&t, by.encode_utf8(&mut [0; 4])))
        .register_fn("split", move |t: ImmutableString| {
            let words = t.split_whitespace().collect::<Vec<_>>().join(" ");
            if words.is_empty() { Ok(Array::new()) } else { split(&words, " ") }
        });
}

fn join(list: &Array, separator: &str) -> Dynamic {
    let mut hides = false;
    let parts: Vec<String> = list
        .iter()
        .map(|item| {
            hides |= item.is::<Secret>();
            item.read_lock::<Secret>().map_or_else(|| item.to_string(), |secret| secret.text().to_owned())
        })
        .collect();
    let joined = parts.join(separator);
    if hides { Dynamic::from(Secret::new(&joined)) } else { joined.into() }
}

fn cidr(engine: &mut Engine) {
    engine
        .register_fn("cidr_contains", |ctx: NativeCallContext, outer: ImmutableString, inner: ImmutableString| {
            Ok::<_, Box<EvalAltResult>>(net(&ctx, &outer)?.contains(&net(&ctx, &inner)?))
        })
        .register_fn("cidr_overlaps", |ctx: NativeCallContext, a: ImmutableString, b: ImmutableString| {
            let (a, b) = (net(&ctx, &a)?, net(&ctx, &b)?);
            Ok::<_, Box<EvalAltResult>>(a.contains(&b) || b.contains(&a))
        })
        .register_fn("cidr_subnet", |ctx: NativeCallContext, of: ImmutableString, bits: i64, n: i64| {
            subnet(&ctx, &of, bits, n)
        });
}

/// An address counts as a network of its own.
fn net(ctx: &NativeCallContext, text: &str) -> Outcome<IpNet> {
    let parsed = text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
    parsed.map(|net| net.trunc()).ok_or_else(|| {
        raise::fail(
            &Failure::new("RB0105", format!("{text:?} is no network such as 10.5.0.0/16")).at(&raise::site(ctx)),
        )
    })
}

fn subnet(ctx: &NativeCallContext, of: &str, bits: i64, n: i64) -> Outcome<String> {
    let outer = net(ctx, of)?;
    let wrong = |why: String| raise::fail(&Failure::new("RB0105", why).at(&raise::site(ctx)));
    let length = u8::try_from(i64::from(outer.prefix_len()).saturating_add(bits)).ok();
    let Some(length) = length.filter(|length| bits >= 0 && *length <= outer.max_prefix_len()) else {
        return Err(wrong(format!("{of} has no room for subnets {bits} bits smaller")));
    };
    let mut all = outer.subnets(length).map_err(|error| wrong(error.to_string()))?;
    // Subnets are equally large, so the n-th is found without walking.
    let index = u128::try_from(n).ok().filter(|n| bits < 127 && *n < 1_u128 << bits);
    let first = all.next();
    match (index, first) {
        (Some(n), Some(IpNet::V4(first))) => {
            let step = 1_u64 << (32 - length);
            let address = u64::from(u32::from(first.addr())) + step * u64::try_from(n).unwrap_or(0);
            Ok(format!("{}/{length}", std::net::Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX))))
        }
        (Some(n), Some(IpNet::V6(first))) => {
            let address = u128::from(first.addr()).wrapping_add(n.checked_shl(u32::from(128 - length)).unwrap_or(0));
            Ok(format!("{}/{length}", std::net::Ipv6Addr::from(address)))
        }
        _ => Err(wrong(format!(
            "{of} has only {} subnets of /{length}: there is no number {n}",
            1_u128 << bits.min(126)
        ))),
    }
}

fn data(engine: &mut Engine, host: &Arc<Host>) {
    let files = host.clone();
    engine
        .register_fn("file", move |ctx: NativeCallContext, name: ImmutableString| file(&ctx, &files, &name))
        .register_fn("yaml", |ctx: NativeCallContext, text: ImmutableString| {
            yaml::document(&text)
                .map(|value| script(&value))
                .map_err(|failure| raise::fail(&failure.at(&raise::site(&ctx))))
        })
        .register_fn("yaml_all", |ctx: NativeCallContext, text: ImmutableString| {
            let documents = yaml::documents(&text).map_err(|failure| raise::fail(&failure.at(&raise::site(&ctx))))?;
            Ok::<_, Box<EvalAltResult>>(documents.iter().map(script).collect::<Array>())
        })
        .register_fn("to_yaml", |ctx: NativeCallContext, value: Dynamic| {
            let json = convert::to_json(&value, "the value").and_then(|value| yaml::text(&value));
            json.map_err(|failure| raise::fail(&failure.at(&raise::site(&ctx))))
        })
        .register_fn("to_json", |ctx: NativeCallContext, value: Dynamic| to_json(&ctx, &value))
        // Rhai has one of its own for maps, which writes a secret's Rust type.
        .register_fn("to_json", |ctx: NativeCallContext, value: Map| to_json(&ctx, &value.into()))
        .register_fn("base64", |text: ImmutableString| STANDARD.encode(text.as_bytes()))
        .register_fn("base64", |ctx: NativeCallContext, value: Secret| derive(&ctx, &value, "base64"))
        .register_fn("from_base64", |ctx: NativeCallContext, text: ImmutableString| {
            let bytes = STANDARD.decode(text.trim().as_bytes()).ok();
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
                raise::fail(&Failure::new("RB0105", "the text is no base64 of a text").at(&raise::site(&ctx)))
            })
        });
}

fn to_json(ctx: &NativeCallContext, value: &Dynamic) -> Outcome<String> {
    let json = convert::to_json(value, "the value").map(|value| value.to_string());
    json.map_err(|failure| raise::fail(&failure.at(&raise::site(ctx))))
}

fn script(value: &serde_json::Value) -> Dynamic {
    let run = here::scope().map(|scope| scope.session.run.id.clone()).unwrap_or_default();
    convert::from_json(value, &|text| secret::is_placeholder(&run, text))
}

fn derive(ctx: &NativeCallContext, value: &Secret, transform: &str) -> Outcome<Secret> {
    let derived = here::scope().and_then(|scope| scope.session.vault.derive(value.text(), transform));
    derived.map(|text| Secret::new(&text)).ok_or_else(|| {
        let failure =
            Failure::new("RB0701", format!("{transform}() takes one whole secret, not a text that contains one"));
        raise::mistake(failure.at(&raise::site(ctx)))
    })
}

fn file(ctx: &NativeCallContext, host: &Host, name: &str) -> Outcome<ImmutableString> {
    if let Some(text) = host.texts.get(name) {
        return Ok(text.as_ref().into());
    }
    let mut failure =
        Failure::new("RB0108", format!("file({name:?}) is not among the runbook's files")).at(&raise::site(ctx));
    failure.cause = "not stored with the run".to_owned();
    for near in nearest(name, host.texts.keys().map(String::as_str)) {
        failure = failure.hint(format!("Did you mean {near}?"));
    }
    Err(raise::mistake(failure.hint(
        "Write the name literally, file(\"manifests/x.yaml\"): files are read and stored before the run begins.",
    )))
}
