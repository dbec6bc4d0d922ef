//! Sealing of secret values: ChaCha20-Poly1305 with a key of the user's, bound to run and name.

use std::{
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use chacha20poly1305::{
    ChaCha20Poly1305, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use runbook_seeded::mutant;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE: usize = 12;

/// What can be wrong with a key, a sealed value, or the name of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key's text is not 64 hexadecimal digits.
    #[error("{place} does not hold a key (64 hexadecimal digits)")]
    NoKey {
        /// The file or the variable.
        place: String,
    },
    /// The key's file cannot be read or made.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The value was sealed with another key, for another run or name, or was changed.
    #[error(
        "the sealed value of secret {name} cannot be opened with this key: it was sealed with another one, or changed"
    )]
    Sealed {
        /// The secret.
        name: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] runbook_state::error::Error),
    /// A secret's name has characters that a placeholder cannot hold.
    #[error("{name:?} cannot be the name of a secret: letters, digits, '_', '-', '.' and '/' can")]
    Name {
        /// The name.
        name: String,
    },
}

/// The key that seals secrets at rest.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// A key from its text, 64 hexadecimal digits; `place` names where it came from.
    ///
    /// # Errors
    /// [`Error::NoKey`].
    pub fn from_text(text: &str, place: &str) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| Error::NoKey { place: place.to_owned() })?;
        Ok(Self(key))
    }

    /// A new random key.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn random() -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(Error::Random)?;
        Ok(Self(key))
    }

    /// The key in a file, which is made on first use with mode 0600; a looser mode is repaired.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NoKey`], [`Error::Random`].
    pub fn at(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        if !path.try_exists().map_err(io)? {
            Self::make(path)?;
        }
        let mode = std::fs::metadata(path).map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(io)?);
        Self::from_text(&text, &path.display().to_string())
    }

    /// Writes a new key beside its place and links it there, so that no half-written key is ever found; the first one stays.
    fn make(path: &Path) -> Result<(), Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let text = Zeroizing::new(hex::encode(*Self::random()?.0) + "\n");
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        let linked = match std::fs::hard_link(&beside, path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
        std::fs::remove_file(&beside).map_err(io)?;
        linked.map_err(io)
    }

    /// Seals a value for a run and name.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal(&self, run: &str, name: &str, value: &str) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(Error::Random)?;
        let aad = aad(run, name);
        let sealed = self
            .cipher()
            .encrypt(Nonce::from_slice(&nonce), Payload { msg: value.as_bytes(), aad: &aad })
            .map_err(|_| Error::Sealed { name: name.to_owned() })?;
        let sealed = if mutant!("sealed-in-clear") { value.as_bytes().to_vec() } else { sealed };
        let mut out = vec![VERSION];
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// [`Error::Sealed`].
    pub fn open(&self, run: &str, name: &str, sealed: &[u8]) -> Result<Zeroizing<String>, Error> {
        let wrong = || Error::Sealed { name: name.to_owned() };
        let [VERSION, rest @ ..] = sealed else { return Err(wrong()) };
        let (nonce, body) = rest.split_at_checked(NONCE).ok_or_else(wrong)?;
        let aad = aad(run, name);
        if mutant!("sealed-in-clear") {
            return String::from_utf8(body.to_vec()).map(Zeroizing::new).map_err(|_| wrong());
        }
        let plain =
            self.cipher().decrypt(Nonce::from_slice(nonce), Payload { msg: body, aad: &aad }).map_err(|_| wrong())?;
        String::from_utf8(plain).map(Zeroizing::new).map_err(|_| wrong())
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&*self.0).into())
    }
}

fn aad(run: &str, name: &str) -> Vec<u8> {
    [run.as_bytes(), &[0], name.as_bytes()].concat()
}
