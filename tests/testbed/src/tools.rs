//! Where the programs of the testbed are. `tests/testbed/up --install` puts them there.

use std::{
    env, fmt,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The programs, each found.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The folder everything of the testbed is kept in, outside the checkout.
    pub cache: PathBuf,
    /// etcd 3.6.
    pub etcd: PathBuf,
    /// kube-apiserver 1.36.
    pub kube_apiserver: PathBuf,
    /// kube-controller-manager 1.36.
    pub kube_controller_manager: PathBuf,
    /// kube-scheduler 1.36.
    pub kube_scheduler: PathBuf,
    /// kwok: nodes and pods without a kubelet.
    pub kwok: PathBuf,
    /// The kubelet stand-in of `kubelet/`: exec and logs.
    pub kubelet_standin: PathBuf,
    /// helm 3.
    pub helm3: PathBuf,
    /// helm 4.
    pub helm4: PathBuf,
    /// moto's server.
    pub moto_server: PathBuf,
    /// ministack.
    pub ministack: PathBuf,
}

/// What is not installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Vec<PathBuf>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.0.iter().map(|path| path.display().to_string()).collect();
        write!(f, "the testbed's programs are not installed: {} (run tests/testbed/up --install)", paths.join(", "))
    }
}

impl Tools {
    /// The programs in the cache; etcd and kube-apiserver from `KUBEBUILDER_ASSETS` where that is set.
    ///
    /// # Errors
    /// Names every program that is missing.
    pub fn find() -> Result<Self, Missing> {
        Self::find_in(
            &cache(|name| env::var_os(name).map(PathBuf::from)),
            env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from),
        )
    }

    fn find_in(cache: &Path, assets: Option<PathBuf>) -> Result<Self, Missing> {
        let (bin, python) = (cache.join("bin"), cache.join("venv/bin"));
        let assets = assets.unwrap_or_else(|| bin.clone());
        let tools = Self {
            cache: cache.to_owned(),
            etcd: assets.join("etcd"),
            kube_apiserver: assets.join("kube-apiserver"),
            kube_controller_manager: bin.join("kube-controller-manager"),
            kube_scheduler: bin.join("kube-scheduler"),
            kwok: bin.join("kwok"),
            kubelet_standin: bin.join("kubelet-standin"),
            helm3: bin.join("helm3"),
            helm4: bin.join("helm4"),
            moto_server: python.join("moto_server"),
            ministack: python.join("ministack"),
        };
        let missing: Vec<_> = tools.programs().into_iter().filter(|path| !path.is_file()).cloned().collect();
        if missing.is_empty() { Ok(tools) } else { Err(Missing(missing)) }
    }

    fn programs(&self) -> [&PathBuf; 10] {
        [
            &self.etcd,
            &self.kube_apiserver,
            &self.kube_controller_manager,
            &self.kube_scheduler,
            &self.kwok,
            &self.kubelet_standin,
            &self.helm3,
            &self.helm4,
            &self.moto_server,
            &self.ministack,
        ]
    }
}

/// The programs, or nothing after a loud line, so that a developer without them can still run the other tests.
///
/// # Panics
/// When something is missing and `RUNBOOK_TESTBED=required`, as in CI: a skipped test there is a failure.
#[must_use]
pub fn require() -> Option<Tools> {
    match Tools::find() {
        Ok(tools) => Some(tools),
        Err(missing) if env::var_os("RUNBOOK_TESTBED").is_some_and(|value| value == "required") => panic!("{missing}"),
        Err(missing) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Straight to stderr: the test harness swallows what the print macros write.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {missing}");
            None
        }
    }
}

/// `${RUNBOOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runbook}/testbed`.
fn cache(variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    let set = |name: &str| variable(name).filter(|path| !path.as_os_str().is_empty());
    set("RUNBOOK_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("runbook")))
        .or_else(|| set("HOME").map(|path| path.join(".cache/runbook")))
        .unwrap_or_else(|| PathBuf::from(".cache/runbook"))
        .join("testbed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_scripts_say() {
        let with = |pairs: &'static [(&str, &str)]| {
            cache(move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value)))
        };
        assert_eq!(with(&[("RUNBOOK_CACHE", "/c"), ("HOME", "/h")]), Path::new("/c/testbed"));
        assert_eq!(with(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]), Path::new("/x/runbook/testbed"));
        assert_eq!(with(&[("RUNBOOK_CACHE", ""), ("HOME", "/h")]), Path::new("/h/.cache/runbook/testbed"));
    }

    #[test]
    fn what_is_missing_is_named_and_assets_are_honoured() {
        let folder = tempfile::tempdir().expect("a folder");
        let (cache, assets) = (folder.path().join("cache"), folder.path().join("assets"));
        let bins = ["kube-controller-manager", "kube-scheduler", "kwok", "kubelet-standin", "helm3"]
            .map(|name| cache.join("bin").join(name));
        let python = ["moto_server", "ministack"].map(|name| cache.join("venv/bin").join(name));
        let given = ["etcd", "kube-apiserver"].map(|name| assets.join(name));
        for path in bins.iter().chain(&python).chain(&given) {
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
        assert_eq!(Tools::find_in(&cache, Some(assets.clone())).unwrap_err(), Missing(vec![cache.join("bin/helm4")]));
        std::fs::write(cache.join("bin/helm4"), "").expect("a file");
        assert_eq!(Tools::find_in(&cache, Some(assets.clone())).expect("all there").etcd, assets.join("etcd"));
        assert_eq!(Tools::find_in(&cache, None).unwrap_err().0.len(), 2);
    }
}
