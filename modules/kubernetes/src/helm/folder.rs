//! The private folder of one helm call: who we are towards the cluster, helm's caches, and what helm says.
//!
//! The folder (0700) is made under the user's cache, holds the only files with our credentials (0600), and is removed after the
//! call. What helm writes to its standard error goes into a file there on which an exclusive lock is held through the very open
//! file that helm inherits: as long as helm lives, even when the program that started it was killed, the lock says so. Folders
//! without a living holder are swept away by the next call.

use std::{
    env,
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::fs::{FlockOperation, flock};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::connection::{Connection, Identity};

/// The file that helm's standard error goes to, and whose lock says that helm lives.
const SAID: &str = "stderr";
/// The folder that a chart is fetched into.
pub const CHART: &str = "chart";
/// The file with a registry's login that the script gave.
const REGISTRY: &str = "registry.json";
/// No more of what helm says is read.
const SAID_MOST: u64 = 64 * 1024;

/// The folder of one call.
pub struct Folder {
    dir: TempDir,
    said: File,
}

impl Folder {
    /// Makes a folder under a root. `key` names what the call changes, see [`key`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn make(root: &Path, key: &str, connection: Option<&Connection>) -> io::Result<Self> {
        let calls = root.join("calls");
        DirBuilder::new().recursive(true).mode(0o700).create(&calls)?;
        let _guard = guard(&calls)?;
        sweep(&calls);
        let dir = tempfile::Builder::new().prefix(&format!("{key}~")).tempdir_in(&calls)?;
        fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let said =
            OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(dir.path().join(SAID))?;
        flock(&said, FlockOperation::LockExclusive)?;
        fs::create_dir(dir.path().join("tmp"))?;
        fs::create_dir(dir.path().join(CHART))?;
        let folder = Self { dir, said };
        if let Some(connection) = connection {
            folder.write("kubeconfig", kubeconfig(connection, &folder.token_file()).to_string().as_bytes())?;
            folder.renew(connection)?;
        }
        Ok(folder)
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes the present token; helm reads it again every minute.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn renew(&self, connection: &Connection) -> io::Result<()> {
        let Identity::Token(token) = &connection.identity else { return Ok(()) };
        self.write("token.new", token.expose_secret().as_bytes())?;
        fs::rename(self.path().join("token.new"), self.token_file())
    }

    /// Logs helm in to a registry, for this call alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn log_in(&self, host: &str, username: &str, password: &str) -> io::Result<()> {
        let auth = STANDARD.encode(format!("{username}:{password}"));
        self.write(REGISTRY, json!({"auths": {host: {"auth": auth}}}).to_string().as_bytes())
    }

    /// The standard error for the next program; what the one before it said is forgotten.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn listen(&self) -> io::Result<Stdio> {
        self.said.set_len(0)?;
        Ok(self.said.try_clone()?.into())
    }

    /// What the program has said, its end when it was much.
    pub fn said(&self) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(self.path().join(SAID))?;
            let skip = file.metadata()?.len().saturating_sub(SAID_MOST);
            file.seek(SeekFrom::Start(skip))?;
            let mut bytes = Vec::new();
            file.take(SAID_MOST).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
    }

    /// The environment of helm: nothing of the user's helm and kubectl leaks in but registry credentials and repositories.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        environment(&|name| env::var_os(name), self.path())
    }

    fn token_file(&self) -> PathBuf {
        self.path().join("token")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path().join(name);
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
    }
}

/// The name of what a call changes: a release in a cluster.
pub fn key(endpoint: &str, namespace: &str, release: &str) -> String {
    let host = endpoint.trim_start_matches("https://");
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    format!("{namespace}.{release}.{}", host.chars().take(100).map(plain).collect::<String>())
}

/// Whether a helm of an earlier (or another) process is still at work on what the key names.
pub fn is_at_work(root: &Path, key: &str) -> bool {
    let calls = root.join("calls");
    let Ok(_guard) = guard(&calls) else { return false };
    folders(&calls).any(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.strip_prefix(key).is_some_and(|rest| rest.starts_with('~')) && is_held(&folder)
    })
}

/// Where the folders are: `${RUNBOOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runbook}/helm`.
pub fn root() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    set("RUNBOOK_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("runbook")))
        .or_else(|| set("HOME").map(|path| path.join(".cache/runbook")))
        .unwrap_or_else(|| env::temp_dir().join("runbook"))
        .join("helm")
}

/// Held while folders are made and looked at, so that none is taken for abandoned before its lock is held.
fn guard(calls: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(calls.join(".lock"))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

fn folders(calls: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(calls).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

fn sweep(calls: &Path) {
    for folder in folders(calls).filter(|folder| !is_held(folder)) {
        if let Err(error) = fs::remove_dir_all(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "what a dead helm left cannot be removed");
        }
    }
}

fn is_held(folder: &Path) -> bool {
    File::open(folder.join(SAID)).is_ok_and(|said| flock(&said, FlockOperation::NonBlockingLockExclusive).is_err())
}

fn kubeconfig(connection: &Connection, token_file: &Path) -> Value {
    let mut cluster = json!({"server": connection.endpoint});
    if let Some(ca) = &connection.ca_pem {
        cluster["certificate-authority-data"] = STANDARD.encode(ca).into();
    }
    if let Some(name) = &connection.server_name {
        cluster["tls-server-name"] = name.as_str().into();
    }
    let user = match &connection.identity {
        Identity::Token(_) => json!({"tokenFile": token_file.to_string_lossy()}),
        Identity::Certificate { cert_pem, key_pem } => json!({
            "client-certificate-data": STANDARD.encode(cert_pem),
            "client-key-data": STANDARD.encode(key_pem.expose_secret()),
        }),
    };
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    })
}

/// What is passed on: where programs and certificates are, the way out, and Docker's configuration, in which registry credentials
/// may be kept too.
const PASSED: [&str; 19] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "XDG_RUNTIME_DIR",
    "DOCKER_CONFIG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
];

fn environment(variable: &dyn Fn(&str) -> Option<OsString>, folder: &Path) -> Vec<(OsString, OsString)> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut all: Vec<(OsString, OsString)> =
        PASSED.iter().filter_map(|name| Some(((*name).into(), variable(name)?))).collect();
    let mut add = |name: &str, value: PathBuf| all.push((name.into(), value.into()));
    for (name, path) in [
        ("KUBECONFIG", "kubeconfig"),
        ("KUBECACHEDIR", "kube-cache"),
        ("HELM_CACHE_HOME", "cache"),
        ("HELM_CONFIG_HOME", "config"),
        ("HELM_DATA_HOME", "data"),
        ("HELM_PLUGINS", "plugins"),
        ("TMPDIR", "tmp"),
    ] {
        add(name, folder.join(path));
    }
    let home = |own: &str, xdg: &str, below: &str| {
        set(own)
            .map(PathBuf::from)
            .or_else(|| set(xdg).map(|path| Path::new(&path).join("helm")))
            .or_else(|| set("HOME").map(|path| Path::new(&path).join(below).join("helm")))
    };
    let config = home("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", ".config");
    let cache = home("HELM_CACHE_HOME", "XDG_CACHE_HOME", ".cache");
    let users = |name: &str, base: Option<PathBuf>, below: &str| {
        set(name).map(PathBuf::from).or_else(|| Some(base?.join(below))).filter(|path| path.exists())
    };
    let given = Some(folder.join(REGISTRY)).filter(|path| path.exists());
    if let Some(file) = given.or_else(|| users("HELM_REGISTRY_CONFIG", config.clone(), "registry/config.json")) {
        add("HELM_REGISTRY_CONFIG", file);
    }
    if let Some(file) = users("HELM_REPOSITORY_CONFIG", config, "repositories.yaml") {
        add("HELM_REPOSITORY_CONFIG", file);
        if let Some(folder) = users("HELM_REPOSITORY_CACHE", cache, "repository") {
            add("HELM_REPOSITORY_CACHE", folder);
        }
    }
    all
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::SecretString;

    use super::*;

    fn connection(token: &str) -> Connection {
        Connection {
            endpoint: "https://127.0.0.1:6443".to_owned(),
            ca_pem: Some("CA".to_owned()),
            server_name: None,
            identity: Identity::Token(SecretString::from(token)),
            renew_at: None,
        }
    }

    #[test]
    fn credentials_are_private_renewed_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::make(root.path(), "default.web.host", Some(&connection("one"))).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        for file in ["kubeconfig", "token", SAID] {
            assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
        }
        let config: Value = serde_json::from_slice(&fs::read(folder.path().join("kubeconfig")).unwrap()).unwrap();
        assert_eq!(config["clusters"][0]["cluster"]["certificate-authority-data"], "Q0E=");
        assert!(!config.to_string().contains("one"));
        let token = PathBuf::from(config["users"][0]["user"]["tokenFile"].as_str().unwrap());
        assert_eq!(fs::read_to_string(&token).unwrap(), "one");
        folder.renew(&connection("two")).unwrap();
        assert_eq!((fs::read_to_string(&token).unwrap().as_str(), mode(&token)), ("two", 0o600));
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_login_of_the_script_comes_before_the_users_own() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::make(root.path(), "default.web.host", None).unwrap();
        let own = root.path().join("own.json");
        fs::write(&own, "{}").unwrap();
        let variable = |name: &str| (name == "HELM_REGISTRY_CONFIG").then(|| own.clone().into_os_string());
        let config = || {
            let all = environment(&variable, folder.path());
            all.into_iter().find(|(name, _)| name == "HELM_REGISTRY_CONFIG").map(|(_, path)| PathBuf::from(path))
        };
        assert_eq!(config(), Some(own.clone()));
        folder.log_in("registry.example.com", "me", "s3cret").unwrap();
        let given = config().unwrap();
        assert_eq!(fs::metadata(&given).unwrap().permissions().mode() & 0o777, 0o600);
        let written: Value = serde_json::from_slice(&fs::read(&given).unwrap()).unwrap();
        assert_eq!(written, json!({"auths": {"registry.example.com": {"auth": "bWU6czNjcmV0"}}}));
    }

    #[test]
    fn a_living_program_holds_its_folder_and_a_dead_ones_is_swept() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::make(root.path(), "default.web.host", None).unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").stderr(folder.listen().unwrap()).spawn().unwrap();
        let path = folder.path().to_owned();
        // As after a SIGKILL: our own end is gone, the folder and the child stay.
        let Folder { dir, said } = folder;
        let _ = dir.keep();
        drop(said);
        assert!(is_at_work(root.path(), "default.web.host"));
        assert!(!is_at_work(root.path(), "default.web") && !is_at_work(root.path(), "default.web2.host"));
        drop(Folder::make(root.path(), "other", None).unwrap());
        assert!(path.exists(), "the folder of a living program was swept");
        child.kill().unwrap();
        child.wait().unwrap();
        // A program that another test was starting meanwhile has our lock too, until it runs.
        let ended = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            !is_at_work(root.path(), "default.web.host")
        });
        assert!(ended, "the dead program still holds its folder");
        drop(Folder::make(root.path(), "other", None).unwrap());
        assert!(!path.exists(), "the folder of a dead program was kept");
    }

    #[test]
    fn of_the_users_helm_only_registries_and_repositories_are_known() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join(".config/helm");
        fs::create_dir_all(config.join("registry")).unwrap();
        fs::write(config.join("registry/config.json"), "{}").unwrap();
        let variable = |name: &str| match name {
            "HOME" => Some(home.path().into()),
            "KUBECONFIG"
            | "HELM_DRIVER"
            | "HELM_KUBETOKEN"
            | "HELM_NAMESPACE"
            | "RUNBOOK_KEY"
            | "AWS_SECRET_ACCESS_KEY" => Some("leak".into()),
            "PATH" => Some("/bin".into()),
            _ => None,
        };
        let all = environment(&variable, Path::new("/private"));
        let of =
            |name: &str| all.iter().find(|(n, _)| n == name).map(|(_, value)| value.to_string_lossy().into_owned());
        assert!(all.iter().all(|(_, value)| value != "leak"), "{all:?}");
        assert_eq!(of("KUBECONFIG").as_deref(), Some("/private/kubeconfig"));
        assert_eq!(of("HELM_CONFIG_HOME").as_deref(), Some("/private/config"));
        assert_eq!(
            of("HELM_REGISTRY_CONFIG"),
            Some(config.join("registry/config.json").to_string_lossy().into_owned())
        );
        assert_eq!(of("HELM_REPOSITORY_CONFIG"), None);
    }

    #[test]
    fn what_was_said_is_kept_to_its_end() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::make(root.path(), "x", None).unwrap();
        let run = |script: &str| {
            let mut command = std::process::Command::new("sh");
            command.args(["-c", script]).stderr(folder.listen().unwrap()).status().unwrap();
        };
        run("head -c 100000 /dev/zero | tr '\\0' x >&2; echo last >&2");
        assert!(folder.said().ends_with("xlast\n") && folder.said().len() == 64 * 1024);
        run("echo anew >&2");
        assert_eq!(folder.said(), "anew\n");
    }
}
