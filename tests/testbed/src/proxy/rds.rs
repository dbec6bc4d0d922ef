//! RDS: engine versions, which moto cannot list, and option groups of PostgreSQL, which moto takes for no engine.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{
    answer::Answer,
    emulator::Incoming,
    parse::{Call, pairs},
    shared::Shared,
    xml::Element,
};

/// Engines and versions, oldest first. Source: the release notes of RDS and Aurora for PostgreSQL.
const VERSIONS: [(&str, &str); 8] = [
    ("postgres", "15.13"),
    ("postgres", "16.8"),
    ("postgres", "16.9"),
    ("postgres", "17.5"),
    ("aurora-postgresql", "15.10"),
    ("aurora-postgresql", "16.6"),
    ("aurora-postgresql", "16.8"),
    ("aurora-postgresql", "17.4"),
];

/// An engine and a major version of which moto knows option groups.
const KNOWN: (&str, &str) = ("mysql", "8.0");

/// Option groups of engines that moto does not know: engine and major version by name.
#[derive(Debug, Default)]
pub struct OptionGroups(Mutex<BTreeMap<String, (String, String)>>);

/// Answers a request to the service.
pub(super) async fn answer(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    match call.operation.as_str() {
        "DescribeDBEngineVersions" => versions(call),
        "CreateOptionGroup" if call.text("EngineName").contains("postgres") => create(shared, incoming, call).await,
        "CreateOptionGroup" | "DescribeOptionGroups" => told(shared, shared.emulators.forward(incoming, call).await),
        _ => shared.emulators.forward(incoming, call).await,
    }
}

fn versions(call: &Call) -> Answer {
    let [engine, version] = ["Engine", "EngineVersion"].map(|field| call.text(field));
    let of_family = call.text("DBParameterGroupFamily");
    let fits = |(of, offered): &&(&str, &str)| {
        let same = version.is_empty() || *offered == version || offered.starts_with(&format!("{version}."));
        (engine.is_empty() || *of == engine) && same && (of_family.is_empty() || of_family == family(of, offered))
    };
    let fitting: Vec<_> = VERSIONS.iter().filter(fits).collect();
    let only = call.text("DefaultOnly") == "true";
    let described = fitting.iter().enumerate().filter(|(i, _)| !only || i + 1 == fitting.len());
    let described = described.map(|(_, (of, offered))| {
        Element::of(
            "DBEngineVersion",
            vec![
                Element::text("Engine", of),
                Element::text("EngineVersion", offered),
                Element::text("MajorEngineVersion", major(offered)),
                Element::text("DBParameterGroupFamily", &family(of, offered)),
                Element::text("Status", "available"),
            ],
        )
    });
    let list = Element::of("DBEngineVersions", described.collect());
    let result = Element::of("DescribeDBEngineVersionsResult", vec![list]);
    Answer::xml(&Element::of("DescribeDBEngineVersionsResponse", vec![result]))
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

fn family(engine: &str, version: &str) -> String {
    format!("{engine}{}", major(version))
}

/// Made as one of an engine that moto knows, and told as what it is.
async fn create(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    let own = |(name, value): (String, String)| match name.as_str() {
        "EngineName" => (name, KNOWN.0.to_owned()),
        "MajorEngineVersion" => (name, KNOWN.1.to_owned()),
        _ => (name, value),
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs(&incoming.body).into_iter().map(own))
        .finish();
    let answer = shared.emulators.forward(&Incoming { body: form.into(), ..incoming.clone() }, call).await;
    if answer.ok() {
        let [name, engine, version] =
            ["OptionGroupName", "EngineName", "MajorEngineVersion"].map(|f| call.text(f).to_owned());
        shared
            .option_groups
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_lowercase(), (engine, version));
    }
    told(shared, answer)
}

fn told(shared: &Shared, answer: Answer) -> Answer {
    if !answer.ok() {
        return answer;
    }
    let mut document = answer.document();
    let groups = shared.option_groups.0.lock().unwrap_or_else(PoisonError::into_inner);
    document.each(&mut |element| {
        if let Some((engine, version)) = groups.get(&element.at(&["OptionGroupName"]).to_lowercase())
            && !element.at(&["EngineName"]).is_empty()
        {
            element.set("EngineName", engine);
            element.set("MajorEngineVersion", version);
        }
    });
    drop(groups);
    answer.with_document(&document)
}
