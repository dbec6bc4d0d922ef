//! Charts and plugins that want more than to be rendered, given to the real helm as we call it: an archive writes and reads nothing outside,
//! a plugin of the user's is not started. Skipped without the testbed's helm (`tests/testbed/install`).

#![expect(clippy::print_stdout, reason = "what was skipped, and figures")]

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use flate2::{Compression, write::GzEncoder};

use super::*;

/// Names no file of ours.
const SECRET: &str = "what stands outside of the archive";
/// Where helm looks for the user's plugins, below the home.
const PLUGINS: &str = ".local/share/helm/plugins";

/// The testbed's programs, as far as they are there.
fn helms() -> Vec<PathBuf> {
    let home = env::var_os("RUNBOOK_CACHE").map(PathBuf::from);
    let cache = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache/runbook")));
    let bin = cache.unwrap_or_default().join("testbed/bin");
    let found: Vec<PathBuf> =
        ["helm3", "helm4"].map(|name| bin.join(name)).into_iter().filter(|at| at.exists()).collect();
    if found.is_empty() {
        println!("SKIPPED: no helm in {}", bin.display());
    }
    found
}

/// An entry of an archive: its name, and a file's content or where a symbolic link leads.
enum Entry<'a> {
    File(&'a str, &'a [u8]),
    Link(&'a str, &'a str),
}

const CHART_YAML: Entry<'_> = Entry::File("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n");

fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        let (name, content, kind, link) = match entry {
            Entry::File(name, content) => (name, *content, b'0', ""),
            Entry::Link(name, link) => (name, &b""[..], b'2', *link),
        };
        let mut header = [0_u8; 512];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(124, format!("{:011o}\0", content.len()).as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, &[kind]);
        put(157, link.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&tar).and_then(|()| packed.finish()).unwrap()
}

/// Calls helm with the environment that we give it, for a user whose variables and home these are.
fn called(helm: &Path, folder: &Folder, home: &Path, arguments: &[&str]) -> Output {
    let variable = |name: &str| match name {
        "HOME" => Some(home.into()),
        "PATH" => env::var_os("PATH"),
        "HELM_PLUGINS" => Some(home.join(PLUGINS).into()),
        "HELM_POST_RENDERER" => Some(home.join("evil.sh").into()),
        _ => None,
    };
    let mut command = Command::new(helm);
    command.args(arguments).env_clear().envs(environment(&variable, folder.path())).current_dir(folder.path());
    command.output().unwrap()
}

/// All names below a folder.
fn names(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            all.extend(names(&path));
        }
        all.push(path);
    }
    all
}

#[test]
fn an_archive_reads_and_writes_nothing_outside() {
    let mut tried = 0;
    for helm in helms() {
        let root = tempfile::tempdir().unwrap();
        let outside = root.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), SECRET).unwrap();
        let (secret, absolute) =
            (outside.join("secret").display().to_string(), outside.join("escape").display().to_string());
        let there = outside.display().to_string();
        let shows: &[u8] = b"all: {{ .Files.Get \"link\" | quote }}\n{{ range $name, $_ := .Files.Glob \"**\" }}# {{ $name }}\n{{ end }}";
        let template = Entry::File("web/templates/a.yaml", shows);
        let archives = [
            archive(&[CHART_YAML, Entry::File("web/templates/../../../escape", b"a: 1\n")]),
            archive(&[CHART_YAML, Entry::File("../escape", b"a: 1\n")]),
            archive(&[CHART_YAML, Entry::File(&absolute, b"a: 1\n")]),
            archive(&[CHART_YAML, Entry::File("web\\..\\..\\escape", b"a: 1\n")]),
            archive(&[CHART_YAML, Entry::Link("web/link", &secret), template]),
            archive(&[CHART_YAML, Entry::Link("web/out", &there), Entry::File("web/out/escape", b"a: 1\n")]),
            archive(&[
                CHART_YAML,
                Entry::Link("web/charts", &there),
                Entry::File("web/charts/escape/Chart.yaml", b"a: 1\n"),
            ]),
        ];
        for (nth, bytes) in archives.iter().enumerate() {
            let folder = Folder::make(root.path(), "x", None).unwrap();
            let chart = folder.path().join(CHART).join("web.tgz");
            fs::write(&chart, bytes).unwrap();
            let before = names(root.path());
            let done = called(&helm, &folder, root.path(), &["template", "x", &chart.display().to_string()]);
            let told = [done.stdout, done.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(!told.contains(SECRET), "{} {nth}: {told}", helm.display());
            assert_eq!(names(&outside), [outside.join("secret")], "{} {nth}", helm.display());
            let made: Vec<PathBuf> = names(root.path()).into_iter().filter(|path| !before.contains(path)).collect();
            assert!(made.iter().all(|path| path.starts_with(folder.path())), "{} {nth}: {made:?}", helm.display());
            assert!(!made.iter().any(|path| path.ends_with("escape")), "{} {nth}: {made:?}", helm.display());
            tried += 1;
        }
    }
    println!("hostile archives: {tried}, written or read outside 0");
}

#[test]
fn a_file_that_grows_when_it_is_unpacked_is_refused() {
    for helm in helms() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::make(root.path(), "x", None).unwrap();
        let chart = folder.path().join(CHART).join("web.tgz");
        let bytes = archive(&[CHART_YAML, Entry::File("web/large", &vec![0; 64 << 20])]);
        assert!(bytes.len() < 1 << 20, "it is small before");
        fs::write(&chart, bytes).unwrap();
        let done = called(&helm, &folder, root.path(), &["template", "x", &chart.display().to_string()]);
        assert!(!done.status.success(), "{}", helm.display());
    }
}

#[test]
fn a_template_looks_nothing_up() {
    for helm in helms() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::make(root.path(), "x", None).unwrap();
        let chart = folder.path().join(CHART).join("web.tgz");
        let looks = b"found: {{ lookup \"v1\" \"Secret\" \"default\" \"theirs\" | toJson | quote }}\n";
        fs::write(&chart, archive(&[CHART_YAML, Entry::File("web/templates/a.yaml", looks)])).unwrap();
        let done = called(&helm, &folder, root.path(), &["template", "x", &chart.display().to_string()]);
        let told = String::from_utf8_lossy(&done.stdout);
        assert!(told.contains("found: \"{}\""), "{}: {told}{}", helm.display(), String::from_utf8_lossy(&done.stderr));
    }
}

/// Two plugins that leave a note when they are started: one is a command, one fetches charts of a protocol. (Helm 4 takes one that
/// declares both for the latter alone.)
fn plugins(home: &Path) -> io::Result<PathBuf> {
    let note = home.join("started");
    let script = format!("#!/bin/sh\ntouch {}\ncat\n", note.display());
    for (name, does) in [
        ("evil", "command: $HELM_PLUGIN_DIR/evil.sh"),
        ("fetch", "downloaders: [{command: evil.sh, protocols: [evil]}]"),
    ] {
        let folder = home.join(PLUGINS).join(name);
        fs::create_dir_all(&folder)?;
        let path = folder.join("evil.sh");
        fs::write(&path, &script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        let declared = format!("name: {name}\nversion: 1.0.0\nusage: evil\ndescription: evil\n{does}\n");
        fs::write(folder.join("plugin.yaml"), declared)?;
    }
    Ok(note)
}

#[test]
fn no_plugin_of_the_users_is_started() {
    for helm in helms() {
        let root = tempfile::tempdir().unwrap();
        let note = plugins(root.path()).unwrap();
        let folder = Folder::make(root.path(), "x", None).unwrap();
        let chart = folder.path().join(CHART).join("web.tgz");
        fs::write(&chart, archive(&[CHART_YAML, Entry::File("web/templates/a.yaml", b"a: 1\n")])).unwrap();
        let path = chart.display().to_string();
        let into = format!("--destination={}", folder.path().display());
        for (arguments, works) in [
            (vec!["evil"], false),
            (vec!["pull", into.as_str(), "--", "evil://example.invalid/web"], false),
            (vec!["template", "x", path.as_str()], true),
        ] {
            let done = called(&helm, &folder, root.path(), &arguments);
            let told = String::from_utf8_lossy(&done.stderr).into_owned();
            assert_eq!(done.status.success(), works, "{} {arguments:?}: {told}", helm.display());
            assert!(!note.exists(), "{} {arguments:?} started the plugin", helm.display());
        }
        // As the user would call it, it is started: the plugin is a good one.
        let mut own = Command::new(&helm);
        own.args(["evil"]).env_clear().envs([("HOME", root.path()), ("HELM_PLUGINS", &root.path().join(PLUGINS))]);
        let done = own.env("PATH", "/usr/bin:/bin").output().unwrap();
        assert!(note.exists(), "{}: {}", helm.display(), String::from_utf8_lossy(&done.stderr));
    }
}
