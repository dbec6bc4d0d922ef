//! Lists that are kept up to date as controllers keep them: listed once, and then the API server tells what changes.
//! Source: <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::StreamExt;
use http::Request;
use kube::{Client, Error, core::WatchEvent};
use serde_json::Value;
use tokio::task::AbortHandle;

use super::kube_objects::{name, namespace};

/// Objects by namespace and name, in the API server's own order; none when they are no longer followed.
type Listed = Mutex<Option<BTreeMap<(String, String), Value>>>;

/// The lists of one API server that are followed, by path.
#[derive(Clone, Default)]
pub(super) struct Watched(Arc<Mutex<BTreeMap<String, Followed>>>);

struct Followed {
    listed: Arc<Listed>,
    task: AbortHandle,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whatever ends the task, its list is then asked for again.
struct UntilEnd(Arc<Listed>);

impl Drop for UntilEnd {
    fn drop(&mut self) {
        *locked(&self.0) = None;
    }
}

impl Watched {
    /// The objects of a path, when it is followed.
    pub(super) fn get(&self, path: &str) -> Option<Vec<Value>> {
        let listed = locked(&self.0).get(path)?.listed.clone();
        locked(&listed).as_ref().map(|objects| objects.values().cloned().collect())
    }

    /// Follows a path from what was listed at a version.
    pub(super) fn follow(&self, client: &Client, path: &str, version: &str, objects: &[Value]) {
        let known = objects.iter().map(|object| (key(object), object.clone())).collect();
        let listed = Arc::new(Mutex::new(Some(known)));
        let joint = if path.contains('?') { '&' } else { '?' };
        let url = format!("{path}{joint}watch=true&resourceVersion={version}");
        let (client, until) = (client.clone(), UntilEnd(listed.clone()));
        let task = tokio::spawn(async move { drop(changes(&client, &url, &until.0).await) }).abort_handle();
        locked(&self.0).insert(path.to_owned(), Followed { listed, task });
    }
}

/// Takes the changes in until the API server ends the watch or cannot tell them any longer.
async fn changes(client: &Client, url: &str, listed: &Listed) -> Result<(), Error> {
    let request = Request::get(url).body(Vec::new()).map_err(Error::HttpError)?;
    let mut events = pin!(client.request_events::<Value>(request).await?);
    while let Some(event) = events.next().await {
        let mut listed = locked(listed);
        let Some(objects) = listed.as_mut() else { return Ok(()) };
        match event? {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => objects.insert(key(&object), object),
            WatchEvent::Deleted(object) => objects.remove(&key(&object)),
            WatchEvent::Bookmark(_) => None,
            WatchEvent::Error(_) => return Ok(()),
        };
    }
    Ok(())
}

fn key(object: &Value) -> (String, String) {
    (namespace(object).to_owned(), name(object).to_owned())
}

/// The guard, poisoned or not.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
