//! Folders for what runs: in the cache, named after the process, removed when dropped. What a killed process left behind goes when
//! the next one starts, since a folder of etcd's takes over 100 MB.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A folder that goes with its owner.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes `CACHE/run/PID-N-NAME`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(cache: &Path, name: &str) -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let run = cache.join("run");
        sweep(&run);
        let path = run.join(format!("{}-{}-{name}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&path)?,
        }
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.split_once('-')?.0.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_dead_processes_go_and_those_of_living_ones_stay() {
        let cache = tempfile::tempdir().expect("a folder");
        let dead = cache.path().join("run/4294967295-0-x");
        fs::create_dir_all(&dead).expect("a folder");
        let first = Scratch::new(cache.path(), "a").expect("a folder");
        let second = Scratch::new(cache.path(), "a").expect("a folder");
        assert!(!dead.exists() && first.path().exists() && second.path().exists());
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists());
    }
}
