//! Secrets: placeholders in everything that is kept or shown, sealed values in the store.
//!
//! A placeholder is `{{secret:NAME:CHECK}}` or `{{secret:NAME|base64:CHECK}}`; CHECK is 16 hexadecimal digits over the run id and
//! what stands before, so that a cut or changed one is noticed. Values leave the vault only through [`Vault::reveal`].

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use runbook_modules::secret::{self, CLUSTER};
use runbook_seeded::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use runbook_state::store::Store;
use serde_json::Value;
use zeroize::Zeroizing;

pub mod placeholder;
pub mod seal;
#[cfg(test)]
mod tests;

use placeholder::{Piece, Placeholder, Transform, holds_one, pieces, suspicious};
use seal::{Error, Key};

/// A value shorter than this is concealed only where it is a whole leaf: elsewhere it would shred the output.
const SHORT: usize = 4;
/// A part of an encoding that is shorter than this is not looked for: it may stand anywhere by chance.
const SHORT_PART: usize = 8;
/// A value from a cluster that is shorter than this is sealed where it stands and not looked for elsewhere: Secrets hold user names,
/// host names and flags too, and masking every `admin` would shred the output.
const LONG: usize = 16;
/// What people see instead of a secret.
const MASK: &str = "\u{2022}\u{2022}\u{2022}";
/// URL-safe, 64 of them: six random bits a character.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The secrets of a run.
#[derive(Default)]
pub struct Vault {
    run: String,
    kept: Option<(Arc<dyn Store>, Key)>,
    inner: RwLock<Inner>,
    /// Held while a value out of an answer gets its name.
    naming: Mutex<()>,
}

#[derive(Default)]
struct Inner {
    values: BTreeMap<String, Zeroizing<String>>,
    derived: Vec<Placeholder>,
    /// What is looked for in what comes back, longest first.
    forms: Vec<Form>,
}

struct Form {
    text: Zeroizing<String>,
    placeholder: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("names", &self.names()).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault in memory only, for a run that keeps nothing (`plan`) and for tests.
    pub fn in_memory(run: &str) -> Self {
        Self { run: run.to_owned(), ..Self::default() }
    }

    /// The vault of a run: opens what the store holds sealed, and seals into it what is added.
    ///
    /// # Errors
    /// The store's error, or a value that this key does not open.
    pub fn open(run: &str, store: Arc<dyn Store>, key: Key) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        for name in store.secret_names(run)? {
            if let Some(sealed) = store.secret(run, &name)? {
                let value = key.open(run, &name, &sealed)?;
                values.insert(name, value);
            }
        }
        let mut inner = Inner { values, ..Inner::default() };
        inner.refresh(run);
        Ok(Self { run: run.to_owned(), kept: Some((store, key)), inner: RwLock::new(inner), naming: Mutex::default() })
    }

    /// Makes a random URL-safe value of `length` characters and keeps it, unless the name has one already. Gives the placeholder.
    ///
    /// # Errors
    /// A name that cannot be one, no random bytes, or the store's error.
    pub fn generate(&self, name: &str, length: usize) -> Result<String, Error> {
        if self.knows(name) {
            return Ok(self.placeholder(name));
        }
        let mut bytes = Zeroizing::new(vec![0; length]);
        getrandom::fill(&mut bytes).map_err(Error::Random)?;
        let value: Zeroizing<String> =
            Zeroizing::new(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect());
        self.insert(name, &value)
    }

    /// Keeps a value under a name, in place of an earlier one. Gives the placeholder.
    ///
    /// # Errors
    /// A name that cannot be one, or the store's error.
    pub fn insert(&self, name: &str, value: &str) -> Result<String, Error> {
        if !placeholder::good_name(name) {
            return Err(Error::Name { name: name.to_owned() });
        }
        if let Some((store, key)) = &self.kept {
            store.put_secret(&self.run, name, &key.seal(&self.run, name, value)?)?;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.values.insert(name.to_owned(), Zeroizing::new(value.to_owned()));
        inner.refresh(&self.run);
        Ok(self.placeholder(name))
    }

    /// Seals the values of Kubernetes `Secret`s and of `SecureString` parameters in an answer of a target, and puts their placeholders
    /// there. The same value of the same Secret has the same placeholder every time; another value has another one, so that what stood
    /// there before stays known.
    ///
    /// # Errors
    /// As [`Vault::insert`].
    pub fn seal_answer(&self, answer: &mut Value) -> Result<(), Error> {
        secret::values(answer, &mut |name, value| {
            let text = match value {
                Value::String(text) if !text.is_empty() && !holds_one(&self.run, text) => text,
                _ => return Ok(()),
            };
            let whole = self.conceal_in(&self.read(), text, true);
            if matches!(pieces(&self.run, &whole)[..], [Piece::Secret(..)]) {
                *text = whole;
                return Ok(());
            }
            let plain = BASE64.decode(&*text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            // Only what gives the same text back.
            let plain = plain.filter(|plain| BASE64.encode(plain) == *text).map(Zeroizing::new);
            let mut kept = Placeholder::plain(&self.named(name, plain.as_ref().map_or(text, |plain| plain))?);
            kept.chain.extend(plain.is_some().then_some(Transform::Base64));
            *text = kept.text(&self.run);
            Ok(())
        })
    }

    /// A request in the form in which an answer shows it, to be compared with one: a value that stands in clear in a script's `Secret`
    /// has the placeholder of the same value in the cluster, and so has the same text elsewhere (a host that a Secret names too).
    pub fn as_answered(&self, request: &Value) -> Value {
        let mut sealed = request.clone();
        match self.seal_answer(&mut sealed) {
            Ok(()) => self.conceal(&sealed),
            Err(_) => request.clone(),
        }
    }

    /// Puts back what [`Vault::seal_answer`] took out of the `Secret`s of a cluster: for the sandbox, which keeps all other secrets as
    /// placeholders.
    pub fn unseal_clusters(&self, value: &Value) -> Value {
        let inner = self.read();
        map_texts(value, &|text, _| self.reveal_in(&inner, text, |name| name.starts_with(CLUSTER)))
    }

    /// The name under which a value is kept: the given one, or it with a number when that has another value already.
    fn named(&self, name: &str, value: &str) -> Result<String, Error> {
        let name: String =
            name.chars().map(|letter| if placeholder::good_name(&letter.to_string()) { letter } else { '-' }).collect();
        let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let mut candidate = name.clone();
        let mut number = 1;
        while let Some(known) = self.value(&candidate) {
            if known.as_str() == value {
                return Ok(candidate);
            }
            number += 1;
            candidate = format!("{name}/{number}");
        }
        self.insert(&candidate, value)?;
        Ok(candidate)
    }

    /// Whether a secret has a value.
    pub fn knows(&self, name: &str) -> bool {
        self.read().values.contains_key(name)
    }

    /// The names of all secrets.
    pub fn names(&self) -> Vec<String> {
        self.read().values.keys().cloned().collect()
    }

    /// The placeholder of a name.
    pub fn placeholder(&self, name: &str) -> String {
        Placeholder::plain(name).text(&self.run)
    }

    /// The placeholder of a transformed secret (`base64`, `base64url`, `url`, `json`, `hex`); None when `text` is not exactly one
    /// whole placeholder, or the transformation is unknown.
    pub fn derive(&self, text: &str, transform: &str) -> Option<String> {
        let transform = Transform::named(transform)?;
        let [Piece::Secret(_, placeholder)] = &pieces(&self.run, text)[..] else { return None };
        let mut derived = placeholder.clone();
        derived.chain.push(transform);
        let text = derived.text(&self.run);
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if !inner.derived.contains(&derived) {
            inner.derived.push(derived);
            inner.refresh(&self.run);
        }
        Some(text)
    }

    /// The first broken placeholder in a text: cut, changed, of another run, or of a secret that has no value.
    pub fn find_broken(&self, text: &str) -> Option<String> {
        if !suspicious(text) {
            return None;
        }
        let inner = self.read();
        pieces(&self.run, text).into_iter().find_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Secret(whole, placeholder) => {
                (!inner.values.contains_key(&placeholder.name)).then(|| whole.to_owned())
            }
            Piece::Broken(part) => Some(part.to_owned()),
        })
    }

    /// The first broken placeholder in a value, with its field.
    pub fn find_broken_in(&self, value: &Value) -> Option<(String, String)> {
        let mut found = None;
        visit(value, "", &mut |path, text| {
            if found.is_none() {
                found = self.find_broken(text).map(|part| (path.to_owned(), part));
            }
        });
        found
    }

    /// Puts values in place of placeholders, in parsed leaves and keys.
    ///
    /// # Errors
    /// A sentence naming the field when a placeholder is broken or its secret unknown. It never holds a value.
    pub fn reveal(&self, value: &Value) -> Result<Value, String> {
        if let Some((field, part)) = self.find_broken_in(value) {
            let field = if field.is_empty() { "the value".to_owned() } else { field };
            return Err(format!("{field} holds a broken or unknown secret: {part}"));
        }
        let inner = self.read();
        Ok(map_texts(value, &|text, _| self.reveal_in(&inner, text, |_| true)))
    }

    /// The value of one secret, for `output --reveal`.
    pub fn value(&self, name: &str) -> Option<Zeroizing<String>> {
        self.read().values.get(name).cloned()
    }

    /// Puts placeholders in place of values and of their usual encodings, in all leaves and keys.
    pub fn conceal(&self, value: &Value) -> Value {
        let inner = self.read();
        if inner.forms.is_empty() {
            return value.clone();
        }
        map_texts(value, &|text, leaf| self.conceal_in(&inner, text, leaf))
    }

    /// Puts placeholders in place of values in a text for people, such as a target's error.
    pub fn conceal_text(&self, text: &str) -> String {
        self.conceal_in(&self.read(), text, false)
    }

    /// A text as people see it: every placeholder, broken or not, is a mask.
    pub fn mask(&self, text: &str) -> String {
        let concealed = self.conceal_text(text);
        if !suspicious(&concealed) {
            return concealed;
        }
        pieces(&self.run, &concealed)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Secret(..) | Piece::Broken(_) => MASK,
            })
            .collect()
    }

    fn reveal_in(&self, inner: &Inner, text: &str, wanted: impl Fn(&str) -> bool) -> String {
        if !suspicious(text) {
            return text.to_owned();
        }
        let mut out = String::new();
        for piece in pieces(&self.run, text) {
            match piece {
                Piece::Secret(whole, placeholder) => match inner.values.get(&placeholder.name) {
                    Some(value) if wanted(&placeholder.name) => out.push_str(&placeholder.apply(value)),
                    _ => out.push_str(whole),
                },
                Piece::Text(text) | Piece::Broken(text) => out.push_str(text),
            }
        }
        out
    }

    fn conceal_in(&self, inner: &Inner, text: &str, leaf: bool) -> String {
        if leaf && let Some(form) = inner.forms.iter().find(|form| form.text.as_str() == text) {
            return form.placeholder.clone();
        }
        let mut out = text.to_owned();
        for form in inner.forms.iter().filter(|form| form.text.len() >= SHORT) {
            if !out.contains(form.text.as_str()) {
                continue;
            }
            // A value that happens to be part of a placeholder must not break it.
            out = pieces(&self.run, &out)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.replace(form.text.as_str(), &form.placeholder),
                    Piece::Secret(whole, _) | Piece::Broken(whole) => whole.to_owned(),
                })
                .collect();
        }
        out
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn refresh(&mut self, run: &str) {
        let looked_for =
            |(name, value): &(&String, &Zeroizing<String>)| !name.starts_with(CLUSTER) || value.len() >= LONG;
        let single = self.values.iter().filter(looked_for).flat_map(|(name, _)| {
            let plain = Placeholder::plain(name);
            let encoded =
                Transform::ALL.into_iter().map(|transform| Placeholder { name: name.clone(), chain: vec![transform] });
            // A JSON document in base64, as in `.dockerconfigjson`.
            let documents = Transform::ALL.into_iter().filter(|transform| transform.is_part());
            let documents =
                documents.map(|part| Placeholder { name: name.clone(), chain: vec![Transform::Json, part] });
            std::iter::once(plain).chain(encoded).chain(documents)
        });
        let mut forms: Vec<Form> = single
            .chain(self.derived.iter().cloned())
            .filter_map(|placeholder| {
                let value = self.values.get(&placeholder.name)?;
                let text = Zeroizing::new(placeholder.apply(value));
                let part = placeholder.chain.last().is_some_and(|last| last.is_part());
                let least = if part { SHORT_PART } else { 1 };
                (text.len() >= least).then(|| Form { text, placeholder: placeholder.text(run) })
            })
            .collect();
        // The sort is stable and the plain form comes first: of two equal texts the plainer name wins.
        forms.sort_by_key(|form| std::cmp::Reverse(form.text.len()));
        forms.dedup_by(|later, earlier| later.text == earlier.text);
        self.forms = forms;
    }
}

fn visit(value: &Value, path: &str, with: &mut dyn FnMut(&str, &str)) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::String(text) => with(path, text),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, item)| visit(item, &below(&index.to_string()), with));
        }
        Value::Object(map) => {
            for (name, item) in map {
                with(&below(name), name);
                visit(item, &below(name), with);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn map_texts(value: &Value, with: &dyn Fn(&str, bool) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(with(text, true)),
        Value::Array(list) => list.iter().map(|item| map_texts(item, with)).collect(),
        Value::Object(map) => map.iter().map(|(name, item)| (with(name, false), map_texts(item, with))).collect(),
        other => other.clone(),
    }
}
