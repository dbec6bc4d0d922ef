//! The text that stands for a secret: `{{secret:NAME:CHECK}}`, or with transformations `{{secret:NAME|base64:CHECK}}`.

use base64::Engine as _;
use runbook_seeded::mutant;
use sha2::{Digest, Sha256};

const HEAD: &str = "{{secret:";
const TAIL: &str = "}}";
const CHECK: usize = 16;

/// How a value is rewritten before it takes its placeholder's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transform {
    /// Standard base64 with padding.
    Base64,
    /// Base64 with the URL alphabet, without padding.
    Base64Url,
    /// Percent-encoded.
    Url,
    /// As inside a JSON text, without the quotes.
    Json,
    /// Lower-case hexadecimal.
    Hex,
    /// What any base64 of a longer text shows of the value, by the value's place in that text modulo three.
    Within64(Third),
    /// The same with the URL alphabet.
    Within64Url(Third),
}

/// A place modulo three: base64 takes three bytes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Third {
    /// At the beginning of three bytes.
    First,
    /// After one byte.
    Second,
    /// After two bytes.
    Last,
}

impl Transform {
    /// All of them: a target may give a value back in any of these forms.
    pub const ALL: [Self; 11] = [
        Self::Base64,
        Self::Base64Url,
        Self::Url,
        Self::Json,
        Self::Hex,
        Self::Within64(Third::First),
        Self::Within64(Third::Second),
        Self::Within64(Third::Last),
        Self::Within64Url(Third::First),
        Self::Within64Url(Third::Second),
        Self::Within64Url(Third::Last),
    ];

    /// By the name that stands in a placeholder.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transform| transform.name() == name)
    }

    /// The name that stands in a placeholder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Url => "url",
            Self::Json => "json",
            Self::Hex => "hex",
            Self::Within64(Third::First) => "base64-0",
            Self::Within64(Third::Second) => "base64-1",
            Self::Within64(Third::Last) => "base64-2",
            Self::Within64Url(Third::First) => "base64url-0",
            Self::Within64Url(Third::Second) => "base64url-1",
            Self::Within64Url(Third::Last) => "base64url-2",
        }
    }

    /// Whether it gives a part of an encoding only: a short one may stand anywhere by chance.
    pub fn is_part(self) -> bool {
        matches!(self, Self::Within64(_) | Self::Within64Url(_))
    }

    /// Rewrites a value.
    pub fn apply(self, value: &str) -> String {
        match self {
            Self::Base64 => base64::engine::general_purpose::STANDARD.encode(value),
            Self::Base64Url => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value),
            Self::Url => percent(value),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Hex => hex::encode(value),
            Self::Within64(third) => within(&base64::engine::general_purpose::STANDARD_NO_PAD, third, value),
            Self::Within64Url(third) => within(&base64::engine::general_purpose::URL_SAFE_NO_PAD, third, value),
        }
    }
}

/// The letters that depend on the value alone, whatever stands before and after it.
fn within(engine: &impl base64::Engine, third: Third, value: &str) -> String {
    let before = third as usize;
    let encoded = engine.encode([&[0; 2][..before], value.as_bytes()].concat());
    let bits = 8 * (before + value.len());
    encoded[(8 * before).div_ceil(6)..bits / 6].to_owned()
}

fn percent(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A secret's name and what is done to its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placeholder {
    /// The secret.
    pub name: String,
    /// Transformations, the first applied first.
    pub chain: Vec<Transform>,
}

impl Placeholder {
    /// The plain value of a secret.
    pub fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), chain: Vec::new() }
    }

    /// The text, with its check for this run.
    pub fn text(&self, run: &str) -> String {
        let mut inside = self.name.clone();
        for transform in &self.chain {
            inside.push('|');
            inside.push_str(transform.name());
        }
        let check = check(run, &inside);
        format!("{HEAD}{inside}:{check}{TAIL}")
    }

    /// Rewrites the secret's value by the chain.
    pub fn apply(&self, value: &str) -> String {
        self.chain.iter().fold(value.to_owned(), |value, transform| transform.apply(&value))
    }
}

/// Whether a secret may be named so: letters, digits, `_`, `-`, `.` and `/`.
pub fn good_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' '))
}

fn check(run: &str, inside: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((run.len() as u64).to_be_bytes());
    hash.update(run);
    hash.update(inside);
    hex::encode(hash.finalize())[..CHECK].to_owned()
}

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// No placeholder.
    Text(&'a str),
    /// A whole placeholder, as it stands and what it means.
    Secret(&'a str, Placeholder),
    /// Something that began or ended as a placeholder and is none of this run.
    Broken(&'a str),
}

/// Takes a text apart.
pub fn pieces<'a>(run: &str, text: &'a str) -> Vec<Piece<'a>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(HEAD) {
        push_text(&mut out, &rest[..start]);
        let from = &rest[start..];
        let end = from.find(TAIL).map(|end| end + TAIL.len());
        match end.and_then(|end| parse(run, &from[..end]).map(|placeholder| (end, placeholder))) {
            Some((end, placeholder)) => {
                out.push(Piece::Secret(&from[..end], placeholder));
                rest = &from[end..];
            }
            None => {
                let to = end.unwrap_or_else(|| from.char_indices().nth(64).map_or(from.len(), |(at, _)| at));
                out.push(Piece::Broken(&from[..to]));
                rest = &from[to..];
            }
        }
    }
    push_text(&mut out, rest);
    out
}

/// A cut-off end (`…:0123456789abcdef}}`) is as broken as a cut-off beginning.
fn push_text<'a>(out: &mut Vec<Piece<'a>>, text: &'a str) {
    let mut from = 0;
    let mut rest = 0;
    while let Some(end) = text[rest..].find(TAIL).map(|at| at + rest) {
        let bytes = text.as_bytes();
        let digits = bytes[..end].iter().rev().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        rest = end + TAIL.len();
        if digits == CHECK && end > CHECK && bytes[end - CHECK - 1] == b':' {
            out.push(Piece::Broken(&text[from..rest]));
            from = rest;
        }
    }
    if from < text.len() {
        out.push(Piece::Text(&text[from..]));
    }
}

fn parse(run: &str, whole: &str) -> Option<Placeholder> {
    let (inside, found) = whole.strip_prefix(HEAD)?.strip_suffix(TAIL)?.rsplit_once(':')?;
    if found != check(run, inside) && !mutant!("no-checksum") {
        return None;
    }
    let mut parts = inside.split('|');
    let name = parts.next().filter(|name| good_name(name))?.to_owned();
    let chain = parts.map(Transform::named).collect::<Option<Vec<_>>>()?;
    Some(Placeholder { name, chain })
}

/// Whether a text holds one of the run's placeholders.
pub fn holds_one(run: &str, text: &str) -> bool {
    pieces(run, text).iter().any(|piece| matches!(piece, Piece::Secret(..)))
}

/// Whether a text can hold a placeholder or a part of one at all.
pub fn suspicious(text: &str) -> bool {
    text.contains(HEAD) || text.contains(TAIL)
}
