//! Which programs a container's image has. A command of a pod runs here on this machine, but finds only what its image would hold:
//! a distroless image has no shell, and only Redis images have redis-cli.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// What any image with a shell has; those are this machine's own.
const COMMON: [&str; 34] = [
    "sh", "bash", "cat", "echo", "head", "tail", "grep", "sed", "awk", "cut", "tr", "sort", "uniq", "wc", "test", "[",
    "env", "true", "false", "sleep", "date", "printf", "seq", "tee", "xargs", "ls", "mkdir", "rm", "dirname",
    "basename", "timeout", "id", "expr", "base64",
];

/// Part of an image's name, and the programs in it that the testbed answers ([`super::tools`]).
const IMAGES: [(&str, &[&str]); 4] = [
    ("redis", &["redis-cli", "nslookup", "hostname"]),
    ("agnhost", &["agnhost", "nslookup", "dig", "nc", "hostname"]),
    ("busybox", &["nslookup", "nc", "hostname"]),
    ("netshoot", &["nslookup", "dig", "nc", "redis-cli", "hostname"]),
];

/// Lays the programs out under a folder; `kubelet` is the program that answers under other names.
///
/// # Errors
/// The folder cannot be written.
pub fn make(folder: &Path, kubelet: &Path) -> Result<(), String> {
    let kubelet = fs::canonicalize(kubelet)
        .map_err(|error| format!("{}: {error}; tests/testbed/up builds it", kubelet.display()))?;
    let lay = |image: &str, answered: &[&str]| -> std::io::Result<()> {
        let bin = bin(folder, image);
        fs::create_dir_all(&bin)?;
        for name in answered {
            symlink(&kubelet, bin.join(name))?;
        }
        for (name, program) in COMMON.iter().filter_map(|name| Some((name, on_path(name)?))) {
            symlink(program, bin.join(name))?;
        }
        Ok(())
    };
    for (image, answered) in IMAGES {
        lay(image, answered).map_err(|error| format!("failed to lay out the programs of {image}: {error}"))?;
    }
    Ok(())
}

/// Where an image's programs are; none when it has not even a shell.
pub fn of_image(folder: &Path, image: &str) -> Option<PathBuf> {
    let repository = image.rsplit('/').next().unwrap_or(image);
    IMAGES.iter().find(|(part, _)| repository.contains(part)).map(|(part, _)| bin(folder, part))
}

/// The program that a command names: its last part, since the paths inside images are not this machine's.
pub fn program(bin: &Path, command: &str) -> Option<PathBuf> {
    let program = bin.join(Path::new(command).file_name()?);
    program.exists().then_some(program)
}

fn bin(folder: &Path, image: &str) -> PathBuf {
    folder.join("images").join(image)
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_its_own_programs_only() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), Path::new("/bin/sh")).unwrap();
        let redis = of_image(folder.path(), "docker.io/bitnamilegacy/redis-sentinel:7.2.5").unwrap();
        assert!(program(&redis, "redis-cli").is_some() && program(&redis, "/bin/sh").is_some());
        let agnhost = of_image(folder.path(), "registry.k8s.io/e2e-test-images/agnhost:2.47").unwrap();
        assert!(program(&agnhost, "/agnhost").is_some() && program(&agnhost, "redis-cli").is_none());
        assert_eq!(of_image(folder.path(), "ghcr.io/aws/aws-cloud-map-mcs-controller-for-k8s:v0.3.1"), None);
    }
}
