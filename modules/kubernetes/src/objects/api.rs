//! Paths of objects on an API server, reads of them, and which kinds the server knows.

use runbook_modules::{
    error::{CallError, Class},
    input::nearest,
    k8s::types::{Type, builtin, builtin_kinds, text},
    target::Place,
};
use serde_json::Value;

use crate::{
    client::{Ask, Clients},
    error::is_unserved,
};

/// How many objects a page holds.
const PAGE: usize = 500;
/// Asks for all kinds at once.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The API server of a place.
#[derive(Clone, Copy)]
pub struct Api<'a> {
    clients: &'a Clients,
    place: &'a Place,
}

/// Whether a server has a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// As this.
    As(Type),
    /// Its definition stands, but the server does not serve it yet.
    NotYet,
    /// Nothing defines it.
    Never,
}

impl<'a> Api<'a> {
    /// The API server of a place.
    pub fn new(clients: &'a Clients, place: &'a Place) -> Self {
        Self { clients, place }
    }

    /// The clients and the place, for what is more than one request.
    pub fn reach(&self) -> (&'a Clients, &'a Place) {
        (self.clients, self.place)
    }

    /// Sends a request; gives the answer as JSON.
    pub async fn send(&self, ask: &Ask) -> Result<Value, CallError> {
        let answer = self.clients.text(self.place, ask).await?;
        serde_json::from_str(&answer)
            .map_err(|error| CallError::new(Class::Unknown, "GarbledAnswer", error.to_string()))
    }

    /// Sends a request; gives the answer as it is.
    pub async fn text(&self, ask: &Ask) -> Result<String, CallError> {
        self.clients.text(self.place, ask).await
    }

    /// Reads a path; None when there is nothing.
    pub async fn get(&self, path: String) -> Result<Option<Value>, CallError> {
        none_if_missing(self.send(&Ask::get(path)).await)
    }

    /// Reads an object; None when there is none.
    pub async fn object(&self, kind: &Type, namespace: &str, name: &str) -> Result<Option<Value>, CallError> {
        self.get(path(kind, namespace, name)?).await
    }

    /// Reads all objects of a kind, page by page; an empty namespace means all. `query`: `labelSelector=…&fieldSelector=…`, encoded.
    pub async fn list(&self, kind: &Type, namespace: &str, query: &str) -> Result<Vec<Value>, CallError> {
        let path = collection(kind, namespace)?;
        let mut found: Vec<Value> = Vec::new();
        let mut next = String::new();
        loop {
            let answer = self.send(&Ask::get(format!("{path}?limit={PAGE}&continue={next}&{query}"))).await;
            let mut page = match answer {
                // The rest of a list that was begun too long ago is gone: it is read anew, whole.
                Err(error) if error.code == "Expired" && !next.is_empty() => {
                    found.clear();
                    next.clear();
                    self.send(&Ask::get(format!("{path}?{query}"))).await?
                }
                Err(error) if is_unserved(&error) => return Ok(Vec::new()),
                answer => answer?,
            };
            if let Some(items) = page["items"].as_array_mut() {
                found.append(items);
            }
            match text(&page, "metadata.continue") {
                "" => return Ok(found),
                token => next = encoded(token),
            }
        }
    }

    /// The kind as this server knows it.
    ///
    /// # Errors
    /// `NotYet` while its definition is not served, `Refused` when nothing defines it.
    pub async fn known(&self, kind: &str, api_version: Option<&str>) -> Result<Type, CallError> {
        let version = api_version.map(|version| format!(" in version \"{version}\"")).unwrap_or_default();
        let message = format!("no matches for kind \"{kind}\"{version}");
        match self.lookup(kind, api_version).await? {
            Served::As(found) => Ok(found),
            Served::NotYet => Err(CallError::new(Class::NotYet, "NoKindMatch", message)
                .hint("its definition stands, but the API server does not serve it yet")),
            Served::Never => {
                let error = CallError::refused("NoKindMatch", message);
                Err(match nearest(kind, builtin_kinds()).first() {
                    Some(near) if near != kind => error.hint(format!("did you mean `{near}`?")),
                    _ => error.hint("apply its CustomResourceDefinition first"),
                })
            }
        }
    }

    /// The kind, when the server serves it.
    pub async fn served(&self, kind: &str, api_version: Option<&str>) -> Result<Option<Type>, CallError> {
        Ok(match self.lookup(kind, api_version).await? {
            Served::As(found) => Some(found),
            Served::NotYet | Served::Never => None,
        })
    }

    /// A kind turned out not to be served any more: it is looked for anew the next time.
    pub async fn unlearn(&self, kind: &Type) -> Result<(), CallError> {
        let reached = self.clients.of(self.place).await?;
        reached.found().retain(|_, found| found != kind);
        Ok(())
    }

    async fn lookup(&self, kind: &str, api_version: Option<&str>) -> Result<Served, CallError> {
        if let Some(found) = builtin(kind, api_version) {
            return Ok(Served::As(found));
        }
        let reached = self.clients.of(self.place).await?;
        let key = (api_version.unwrap_or_default().to_owned(), kind.to_owned());
        if let Some(found) = reached.found().get(&key) {
            return Ok(Served::As(found.clone()));
        }
        let found = match api_version {
            Some(version) => self.in_version(version, kind).await?,
            None => self.in_any(kind).await?,
        };
        if let Some(found) = found {
            reached.found().insert(key, found.clone());
            return Ok(Served::As(found));
        }
        Ok(if self.defined(kind, api_version).await? { Served::NotYet } else { Served::Never })
    }

    async fn in_version(&self, version: &str, kind: &str) -> Result<Option<Type>, CallError> {
        let list = match self.send(&Ask::get(base(version)?)).await {
            Err(error) if matches!(error.class, Class::NotFound | Class::NotYet) => return Ok(None),
            list => list?,
        };
        let mut resources = list["resources"].as_array().into_iter().flatten();
        let found = resources.find(|one| text(one, "kind") == kind && !text(one, "name").contains('/'));
        Ok(found.map(|one| Type {
            api_version: version.to_owned(),
            kind: kind.to_owned(),
            plural: text(one, "name").to_owned(),
            namespaced: one["namespaced"] == true,
        }))
    }

    async fn in_any(&self, kind: &str) -> Result<Option<Type>, CallError> {
        let groups = self.send(&Ask::get("/apis").accept(AGGREGATED)).await?;
        for group in groups["items"].as_array().into_iter().flatten() {
            for version in group["versions"].as_array().into_iter().flatten() {
                let mut resources = version["resources"].as_array().into_iter().flatten();
                if let Some(one) = resources.find(|one| text(one, "responseKind.kind") == kind) {
                    return Ok(Some(Type {
                        api_version: format!("{}/{}", text(group, "metadata.name"), text(version, "version")),
                        kind: kind.to_owned(),
                        plural: text(one, "resource").to_owned(),
                        namespaced: text(one, "scope") == "Namespaced",
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Whether a CustomResourceDefinition defines the kind.
    async fn defined(&self, kind: &str, api_version: Option<&str>) -> Result<bool, CallError> {
        let Some(definition) = builtin("CustomResourceDefinition", None) else { return Ok(false) };
        let all = self.list(&definition, "", "").await?;
        Ok(all.iter().map(|one| &one["spec"]).any(|spec| {
            let mut versions = spec["versions"].as_array().into_iter().flatten();
            text(spec, "names.kind") == kind
                && versions.any(|version| {
                    let name = format!("{}/{}", text(spec, "group"), text(version, "name"));
                    version["served"] == true && api_version.is_none_or(|wanted| wanted == name)
                })
        }))
    }
}

/// None for "does not exist".
pub fn none_if_missing(answer: Result<Value, CallError>) -> Result<Option<Value>, CallError> {
    match answer {
        Err(error) if error.class == Class::NotFound || is_unserved(&error) => Ok(None),
        answer => answer.map(Some),
    }
}

/// The namespace of a map, `default` when it has none.
pub fn namespace(of: &Value) -> &str {
    match text(of, "namespace") {
        "" => "default",
        namespace => namespace,
    }
}

/// The path of an object.
pub fn path(kind: &Type, namespace: &str, name: &str) -> Result<String, CallError> {
    let namespace = if namespace.is_empty() { "default" } else { namespace };
    Ok(format!("{}/{}", collection(kind, if kind.namespaced { namespace } else { "" })?, segment(name)?))
}

/// The path of the objects of a kind; an empty namespace means all.
pub fn collection(kind: &Type, namespace: &str) -> Result<String, CallError> {
    let base = base(&kind.api_version)?;
    Ok(match (kind.namespaced, namespace) {
        (true, namespace) if !namespace.is_empty() => {
            format!("{base}/namespaces/{}/{}", segment(namespace)?, kind.plural)
        }
        _ => format!("{base}/{}", kind.plural),
    })
}

fn base(version: &str) -> Result<String, CallError> {
    match version.split_once('/') {
        Some((group, version)) => Ok(format!("/apis/{}/{}", segment(group)?, segment(version)?)),
        None => Ok(format!("/api/{}", segment(version)?)),
    }
}

fn segment(name: &str) -> Result<String, CallError> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') || name.contains('%') {
        return Err(CallError::refused("Invalid", format!("{name:?} cannot be a name in Kubernetes")));
    }
    Ok(encoded(name))
}

/// A text as part of a query.
pub fn encoded(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}
