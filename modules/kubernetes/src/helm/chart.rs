//! Where a chart comes from, and how helm is told so.

use std::{net::IpAddr, path::Path};

/// A chart as a script names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// `oci://…`, a URL, `repo/name`, a name (with `repo`), or a path.
    pub reference: String,
    /// Its version; None: the newest.
    pub version: Option<String>,
    /// URL of the repository that the name is of.
    pub repo: Option<String>,
}

impl Chart {
    /// Whether it is a folder or an archive on this machine: then nothing is fetched.
    pub fn is_local(&self) -> bool {
        if self.repo.is_some() || self.reference.contains("://") {
            return false;
        }
        self.reference.starts_with(['/', '.']) || Path::new(&self.reference).exists()
    }

    /// The arguments of `helm pull` that put its archive into a folder.
    pub fn pull(&self, into: &Path) -> Vec<String> {
        let mut arguments = vec!["pull".to_owned(), format!("--destination={}", into.display())];
        arguments.extend(self.version.as_ref().map(|version| format!("--version={version}")));
        arguments.extend(self.repo.as_ref().map(|repo| format!("--repo={repo}")));
        if self.over_plain_http() {
            arguments.push("--plain-http".to_owned());
        }
        arguments.extend(["--".to_owned(), self.reference.clone()]);
        arguments
    }

    /// The registry that it is in, with its port.
    pub fn registry(&self) -> Option<&str> {
        self.reference.strip_prefix("oci://")?.split('/').next()
    }

    /// A registry on this machine speaks plain HTTP, as those of tests and of kind clusters do. Any other must have a certificate.
    fn over_plain_http(&self) -> bool {
        let Some(place) = self.registry() else { return false };
        let host = match place.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or_default(),
            None => place.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Whether a chart of that name can be this one. A path says nothing about the chart's name.
    pub fn is_named(&self, name: &str) -> bool {
        self.is_local()
            || self.reference.ends_with(".tgz")
            || self.reference.rsplit('/').next().is_some_and(|last| last.split([':', '@']).next() == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(reference: &str) -> Chart {
        Chart { reference: reference.to_owned(), version: Some("1.2.3".to_owned()), repo: None }
    }

    #[test]
    fn only_registries_on_this_machine_are_spoken_to_without_tls() {
        for plain in
            ["oci://127.0.0.1:5000/c/redis", "oci://localhost/redis", "oci://127.8.0.1/x", "oci://[::1]:5000/x"]
        {
            assert!(chart(plain).over_plain_http(), "{plain}");
        }
        for not in [
            "oci://registry-1.docker.io/c/redis",
            "oci://127.0.0.1.example.com/x",
            "oci://10.0.0.1:5000/x",
            "oci://localhost.example.com/x",
            "https://127.0.0.1/x.tgz",
            "bitnami/redis",
        ] {
            assert!(!chart(not).over_plain_http(), "{not}");
        }
    }

    #[test]
    fn pulling_names_version_repository_and_folder() {
        let mut redis = chart("redis");
        redis.repo = Some("https://charts.example.com".to_owned());
        assert_eq!(
            redis.pull(Path::new("/x")).join(" "),
            "pull --destination=/x --version=1.2.3 --repo=https://charts.example.com -- redis"
        );
        let local = chart("oci://localhost:5000/redis").pull(Path::new("/x"));
        assert_eq!(local.join(" "), "pull --destination=/x --version=1.2.3 --plain-http -- oci://localhost:5000/redis");
    }

    #[test]
    fn a_path_is_local_and_a_reference_names_its_chart() {
        assert!(chart("./charts/web").is_local() && chart("/srv/web").is_local());
        assert!(!chart("oci://example.com/web").is_local() && !chart("nobody/web").is_local());
        assert!(chart("oci://example.com/c/web").is_named("web") && chart("nobody/web").is_named("web"));
        assert!(!chart("oci://example.com/c/web").is_named("c") && chart("./x").is_named("web"));
    }
}
