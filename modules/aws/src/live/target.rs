//! The live target for AWS: finds the clients of a place and the calls of a kind, and puts the values of secrets in at this
//! last hop.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    operation::Operation,
    resource::Kind,
    target::{About, Lapse, Listing, Place, Renewal, Request, Target},
};
use serde_json::Value;

use super::{Clients, DynCall, DynDriver, Sent, classify, credentials::Source, skew, tagged};

/// AWS. Clients are built with the first call to a place and kept.
#[derive(Debug, Default)]
pub struct Live {
    kept: Mutex<Kept>,
    /// The profile of places that name none.
    profile: Option<String>,
    /// Held while something is loaded.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    clients: BTreeMap<Place, Arc<Clients>>,
    /// By profile and role.
    sources: BTreeMap<Place, Source>,
}

impl Kept {
    fn keep(&mut self, place: Place, loaded: Clients) -> Arc<Clients> {
        if let Some(source) = &loaded.credentials {
            self.sources.insert(whose(&place), source.clone());
        }
        let loaded = Arc::new(loaded);
        self.clients.insert(place, Arc::clone(&loaded));
        loaded
    }
}

/// A place without its region: what its credentials depend on.
fn whose(place: &Place) -> Place {
    Place { region: String::new(), ..place.clone() }
}

impl Live {
    /// A target without any clients yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A target whose places have this profile when they name none.
    pub fn by_default(profile: Option<String>) -> Self {
        Self { profile, ..Self::default() }
    }

    /// A target whose clients at a place are given.
    pub fn with(place: Place, clients: Clients) -> Self {
        let live = Self::default();
        live.kept().keep(place, clients);
        live
    }

    /// The clients of a place. Kubernetes fields of the place make no difference.
    pub async fn clients(&self, place: &Place) -> Arc<Clients> {
        let place = self.whole(place);
        if let Some(clients) = self.known(&place) {
            return clients;
        }
        let _one = self.loading.lock().await;
        if let Some(clients) = self.known(&place) {
            return clients;
        }
        let source = self.kept().sources.get(&whose(&place)).cloned();
        let loaded = Clients::load(&place, source.as_ref()).await;
        self.kept().keep(place, loaded)
    }

    fn known(&self, place: &Place) -> Option<Arc<Clients>> {
        self.kept().clients.get(place).cloned()
    }

    /// The clients of a place for a call that goes to a region.
    async fn regional(&self, place: &Place) -> Result<Arc<Clients>, CallError> {
        let clients = self.clients(place).await;
        if clients.region.is_empty() {
            let error = CallError::refused("NoRegion", "neither the call nor the configuration names a region");
            return Err(error.hint("aws(#{ region: \"…\" }) in the script, AWS_REGION, or `region` in the profile"));
        }
        Ok(clients)
    }

    /// A place with its profile, as far as AWS is concerned.
    fn whole(&self, place: &Place) -> Place {
        let profile = place.profile.clone().or_else(|| self.profile.clone());
        Place { cluster: None, context: None, profile, ..place.clone() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn driver(kind: &dyn Kind) -> Result<&'static dyn DynDriver, CallError> {
    let name = kind.meta().name;
    super::driver(name).ok_or_else(|| CallError::refused("NoLiveCall", format!("{name} has no live calls")))
}

/// What came of a call, after noting what it says about the credentials.
pub(super) fn taken<T>(clients: &Clients, answer: Result<T, CallError>) -> Result<T, CallError> {
    if let Some(Source { tap, .. }) = &clients.credentials {
        match answer.as_ref().err().map(|error| error.class) {
            Some(Class::Credentials) => tap.refuse(),
            Some(Class::NotSent | Class::Throttled | Class::Unknown) => {}
            _ => tap.worked(),
        }
    }
    answer
}

/// Input and tags with the values of the secrets in them.
fn revealed(request: &Request<'_>) -> Result<(Value, BTreeMap<String, String>), CallError> {
    let reveal =
        |value: &Value| request.host.reveal(value).map_err(|why| CallError::new(Class::Refused, "BrokenSecret", why));
    let mut tags = request.tags.clone();
    for value in tags.values_mut() {
        if let Value::String(text) = reveal(&Value::from(value.as_str()))? {
            *value = text;
        }
    }
    Ok((reveal(request.input)?, tags))
}

#[async_trait]
impl Target for Live {
    async fn about(&self, place: &Place, _: &dyn Host) -> Result<About, CallError> {
        let clients = self.clients(place).await;
        let ask = || clients.sts.get_caller_identity().send();
        let mut caller = ask().await.map_err(classify);
        if caller.as_ref().is_err_and(|error| error.code == skew::CODE) {
            // The client knows AWS's time now.
            caller = ask().await.map_err(classify);
        }
        let caller = taken(&clients, caller)?;
        Ok(About {
            simulated: false,
            account: caller.account().unwrap_or_default().to_owned(),
            caller: caller.arn().unwrap_or_default().to_owned(),
            region: clients.region.clone(),
            endpoint: clients.endpoint.clone(),
        })
    }

    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        let (driver, (input, tags)) = (driver(kind)?, revealed(request)?);
        let clients = self.regional(request.place).await?;
        let sent = Sent { input: &input, token: request.token, tags: &tags };
        taken(&clients, driver.create(&clients, &sent).await)
    }

    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, _: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        let driver = driver(kind)?;
        let clients = self.regional(place).await?;
        match taken(&clients, driver.read(&clients, at).await) {
            Err(e) if e.class == Class::NotFound => Ok(None),
            other => other,
        }
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        let (driver, (input, tags)) = (driver(kind)?, revealed(request)?);
        let clients = self.regional(request.place).await?;
        let sent = Sent { input: &input, token: request.token, tags: &tags };
        match taken(&clients, driver.find(&clients, &sent).await) {
            Err(e) if e.class == Class::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError> {
        let driver = driver(kind)?;
        let reveal = |value| host.reveal(value).map_err(|why| CallError::new(Class::Refused, "BrokenSecret", why));
        let put_back = put_back.map(reveal).transpose()?;
        let clients = self.regional(place).await?;
        taken(&clients, driver.delete(&clients, at, put_back.as_ref()).await)
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        let name = operation.name;
        let call: &dyn DynCall =
            super::call(name).ok_or_else(|| CallError::refused("NoLiveCall", format!("{name} has no live call")))?;
        let (input, tags) = revealed(request)?;
        let clients = self.regional(request.place).await?;
        let sent = Sent { input: &input, token: request.token, tags: &tags };
        taken(&clients, call.call(&clients, &sent).await)
    }

    /// Of several branches that are refused at once, the first one looks; the others go on with what it found.
    async fn renew(&self, place: &Place) -> Renewal {
        let place = self.whole(place);
        let _one = self.loading.lock().await;
        let Some(clients) = self.known(&place) else { return Renewal::Fresh };
        let Some(used) = &clients.credentials else { return Renewal::Lapsed(Lapse::default()) };
        if !used.tap.refused() {
            return Renewal::Fresh;
        }
        let loaded = Clients::load(&place, None).await;
        match &loaded.credentials {
            Some(fresh) if fresh.tap.other_than(&used.tap).await => {}
            _ => return Renewal::Lapsed(used.tap.lapse(&place)),
        }
        let mut kept = self.kept();
        kept.clients.retain(|other, _| whose(other) != whose(&place));
        kept.keep(place, loaded);
        Renewal::Fresh
    }

    /// What has no region (hosted zones, OIDC providers) is listed in one region only.
    async fn tagged(&self, place: &Place, _: &dyn Host) -> Result<Listing, CallError> {
        let clients = self.regional(place).await?;
        let mut listing = taken(&clients, tagged::tagged(&clients, place, false).await)?;
        if clients.region != tagged::GLOBAL {
            let everywhere = Place { region: tagged::GLOBAL.to_owned(), ..place.clone() };
            let clients = self.regional(&everywhere).await?;
            let global = taken(&clients, tagged::tagged(&clients, &everywhere, true).await)?;
            let new = global.found.into_iter().filter(|new| !listing.found.iter().any(|known| known.id == new.id));
            let new: Vec<_> = new.collect();
            listing.found.extend(new);
        }
        Ok(listing)
    }

    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, _: &dyn Host) -> Vec<String> {
        match driver(kind) {
            Ok(driver) => driver.obstacles(&*self.clients(place).await, at).await,
            Err(_) => Vec::new(),
        }
    }
}
