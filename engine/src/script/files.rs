//! Finds a runbook and reads its files: a path first, then the folders given, then the copies in the binary.
//!
//! Whatever a script names is confined to its own folder: no absolute path, no `..`, no symbolic link. Each file is read
//! once; what was read is what is stored and what runs.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};
use runbook_modules::input::nearest;
use runbook_seeded::mutant;
use runbook_state::store::File;
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::error::Failure;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../runbooks");

/// Where a program's files come from.
pub enum Source {
    /// A folder on the disk.
    Folder(PathBuf),
    /// The runbooks in the binary.
    Shipped,
    /// Files that were stored with a run.
    Stored(BTreeMap<String, Vec<u8>>),
}

/// A runbook that was found: where, and the name of its root file.
pub struct Found {
    /// Where its files are.
    pub source: Source,
    /// The root file, `redis-ha.rhai`.
    pub root: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// Finds a runbook by path or name.
///
/// # Errors
/// RB0101 names what there is.
pub fn find(name_or_path: &str, search: &[PathBuf], largest: u64) -> Result<Found, Failure> {
    let direct = Path::new(name_or_path);
    if direct.is_file() {
        return on_disk(direct, largest);
    }
    let bare = name_or_path.strip_suffix(".rhai").unwrap_or(name_or_path);
    let file = format!("{bare}.rhai");
    if !bare.contains(['/', '\\']) && !bare.is_empty() {
        for folder in search {
            let path = folder.join(&file);
            if path.is_file() {
                return on_disk(&path, largest);
            }
        }
        if let Some(shipped) = SHIPPED.get_file(&file) {
            return Ok(Found { source: Source::Shipped, root: file, content: shipped.contents().to_vec() });
        }
    }
    let known = names(search);
    let mut failure = Failure::new("RB0101", format!("there is no runbook {name_or_path}"));
    for near in nearest(bare, known.iter().map(String::as_str)) {
        failure = failure.hint(format!("Did you mean {near}?"));
    }
    Err(failure.hint(format!("Known here: {}. A path to a .rhai file works as well.", known.join(", "))))
}

/// The runbooks that can be opened by name, sorted.
pub fn names(search: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = SHIPPED.files().filter_map(|file| runbook_name(file.path())).collect();
    for folder in search {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        names.extend(entries.filter_map(|entry| runbook_name(&entry.path())));
    }
    names.sort();
    names.dedup();
    names
}

fn runbook_name(path: &Path) -> Option<String> {
    (path.extension()? == "rhai").then(|| path.file_stem()?.to_str().map(str::to_owned))?
}

fn on_disk(path: &Path, largest: u64) -> Result<Found, Failure> {
    let shown = path.display();
    let refuse = |why: String| Failure::new("RB0101", format!("{shown} cannot be read: {why}"));
    let root = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| refuse("its name is no text".into()))?;
    let file = fs::File::open(path).map_err(|error| refuse(error.to_string()))?;
    let content = read_limited(file, largest).map_err(refuse)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Found { source: Source::Folder(folder.to_owned()), root: root.to_owned(), content })
}

fn read_limited(file: fs::File, largest: u64) -> Result<Vec<u8>, String> {
    let about = file.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut content = Vec::new();
    file.take(largest + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    if content.len() as u64 > largest {
        return Err(format!("it is larger than {} MiB", largest >> 20));
    }
    Ok(content)
}

/// Checks that a name stays inside the runbook's folder by its looks.
///
/// # Errors
/// In a few words, why not.
pub fn confined(name: &str) -> Result<(), String> {
    if mutant!("not-confined") {
        return Ok(());
    }
    if name.is_empty() || name.len() > 512 {
        return Err("a name has 1 to 512 characters".to_owned());
    }
    if name.contains(['\0', '\\', ':']) {
        return Err("a name has no NUL, no backslash and no colon".to_owned());
    }
    if name.starts_with('/') {
        return Err("an absolute path leaves the runbook's folder".to_owned());
    }
    match name.split('/').find(|part| part.is_empty() || *part == "." || *part == "..") {
        Some("..") => Err("`..` leaves the runbook's folder".to_owned()),
        Some(_) => Err("a part of the path is empty or `.`".to_owned()),
        None => Ok(()),
    }
}

impl Source {
    /// Reads a file by its name below the runbook's folder. None: there is none.
    ///
    /// # Errors
    /// In a few words, why it may not or cannot be read.
    pub fn read(&self, name: &str, largest: u64) -> Result<Option<Vec<u8>>, String> {
        confined(name)?;
        match self {
            Self::Folder(folder) => read_below(folder, name, largest),
            Self::Shipped => Ok(SHIPPED.get_file(name).map(|file| file.contents().to_vec())),
            Self::Stored(files) => Ok(files.get(name).cloned()),
        }
    }
}

/// Opens part by part without following a symbolic link, so that nobody can swap one in between a check and the open.
fn read_below(folder: &Path, name: &str, largest: u64) -> Result<Option<Vec<u8>>, String> {
    let open = |at: rustix::fd::BorrowedFd<'_>, part: &Path, flags: OFlags| match openat(at, part, flags, Mode::empty())
    {
        Ok(fd) => Ok(Some(fd)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
            Err(format!("{} is a symbolic link or no folder: links are not followed", part.display()))
        }
        Err(error) => Err(error.to_string()),
    };
    let base = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let Some(mut at) = open(CWD, folder, base | OFlags::DIRECTORY)? else { return Ok(None) };
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let nofollow = if mutant!("links-followed") { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = base | nofollow | if last { OFlags::empty() } else { OFlags::DIRECTORY };
        let Some(next) = open(rustix::fd::AsFd::as_fd(&at), Path::new(part), flags)? else { return Ok(None) };
        at = next;
    }
    read_limited(fs::File::from(at), largest).map(Some)
}

/// The stored files as a source, the root first.
///
/// # Errors
/// RB0101 when there is none.
pub fn stored(files: &[File]) -> Result<Found, Failure> {
    let Some(root) = files.first() else {
        return Err(Failure::new("RB0101", "the run has no stored script"));
    };
    let all = files.iter().map(|file| (file.name.clone(), file.content.clone())).collect();
    Ok(Found { source: Source::Stored(all), root: root.name.clone(), content: root.content.clone() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const LARGEST: u64 = 1 << 20;

    /// A runbook's folder with a file, and beside it what a script must not reach.
    fn folders() -> (tempfile::TempDir, Source) {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("runbooks");
        fs::create_dir_all(own.join("lib")).unwrap();
        fs::create_dir(dir.path().join("others")).unwrap();
        fs::write(own.join("lib/a.yaml"), "ours").unwrap();
        fs::write(dir.path().join("secret"), "theirs").unwrap();
        fs::write(dir.path().join("others/secret"), "theirs").unwrap();
        (dir, Source::Folder(own))
    }

    #[test]
    fn nothing_outside_the_folder_is_named() {
        let (dir, source) = folders();
        assert_eq!(source.read("lib/a.yaml", LARGEST), Ok(Some(b"ours".to_vec())));
        let absolute = dir.path().join("secret").display().to_string();
        for name in
            ["../secret", "lib/../../secret", absolute.as_str(), "lib//a.yaml", "./lib/a.yaml", "", "a\0b", "c:\\x"]
        {
            assert!(source.read(name, LARGEST).is_err(), "{name:?}");
        }
    }

    #[test]
    fn no_symbolic_link_leads_out() {
        let (dir, source) = folders();
        let own = dir.path().join("runbooks");
        symlink(dir.path().join("secret"), own.join("file")).unwrap();
        symlink(dir.path().join("others"), own.join("folder")).unwrap();
        symlink("lib/a.yaml", own.join("inside")).unwrap();
        for name in ["file", "folder/secret", "inside"] {
            let told = source.read(name, LARGEST);
            assert!(told.as_ref().is_err_and(|why| why.contains("symbolic link")), "{name}: {told:?}");
        }
    }
}
