//! Reads and compiles all files of a runbook: the root, what it imports, what it reads with `file("…")`, its rehearsal.
//!
//! All names are literal, so that every file is known, read once and stored before the run begins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rhai::{AST, ASTNode, Expr, Position, Stmt};
use runbook_state::{record::Site, store::File};

use super::{
    diagnose, engine,
    files::{self, Found},
    host::Closure,
    limits::Limits,
    raise,
    respell::Parser,
};
use crate::error::Failure;

/// A compiled runbook.
pub struct Loaded {
    /// The root file.
    pub root: Arc<str>,
    /// All files, the root first.
    pub files: Vec<File>,
    /// The compiled scripts by file name.
    pub scripts: Arc<BTreeMap<String, AST>>,
    /// The texts that `file()` gives.
    pub texts: BTreeMap<String, Arc<str>>,
    /// Every closure by Rhai's name.
    pub closures: BTreeMap<String, Closure>,
}

/// The file of a module: `lib/network` is `lib/network.rhai`.
pub fn module_file(path: &str) -> String {
    if path.ends_with(".rhai") { path.to_owned() } else { format!("{path}.rhai") }
}

/// The rehearsal file beside a root file.
pub fn rehearsal_file(root: &str) -> String {
    format!("{}.rehearsal.yaml", root.strip_suffix(".rhai").unwrap_or(root))
}

/// Loads what was found.
///
/// # Errors
/// RB0102 to RB0110: a file that does not parse, is missing, or lies outside the runbook's folder; a ring of imports.
pub fn load(found: Found, limits: &Limits) -> Result<Loaded, Failure> {
    let parser = engine::parser(limits);
    let mut load = Load {
        found,
        limits,
        parser,
        scripts: BTreeMap::new(),
        texts: BTreeMap::new(),
        closures: BTreeMap::new(),
        order: Vec::new(),
    };
    let root = load.found.root.clone();
    let content = std::mem::take(&mut load.found.content);
    load.script(&root, content, &mut Vec::new())?;
    let rehearsal = rehearsal_file(&root);
    if let Some(content) = load.found.source.read(&rehearsal, limits.file).unwrap_or_default() {
        load.order.push(File { name: rehearsal, content });
    }
    Ok(Loaded {
        root: root.into(),
        files: load.order,
        scripts: load.scripts.into(),
        texts: load.texts,
        closures: load.closures,
    })
}

struct Load<'a> {
    found: Found,
    limits: &'a Limits,
    parser: Parser,
    scripts: BTreeMap<String, AST>,
    texts: BTreeMap<String, Arc<str>>,
    closures: BTreeMap<String, Closure>,
    order: Vec<File>,
}

/// What a script names.
enum Named {
    Import(String),
    Text(String),
    Computed(&'static str),
}

impl Load<'_> {
    fn script(&mut self, name: &str, content: Vec<u8>, within: &mut Vec<String>) -> Result<(), Failure> {
        let file = Site { file: name.to_owned(), ..Site::default() };
        let text = text(name, &content).map_err(|failure| failure.at(&file))?;
        lines_end_alike(name, &text)?;
        let compiled = self.parser.compile(&text);
        let mut ast = compiled.map_err(|error| diagnose::parse(&error, name, &self.parser.engine))?;
        ast.set_source(name);
        self.order.push(File { name: name.to_owned(), content });
        if self.order.len() > self.limits.files {
            return Err(Failure::new("RB0108", format!("the runbook has more than {} files", self.limits.files)));
        }
        self.note_closures(name, &ast);
        let named = named(&ast);
        self.scripts.insert(name.to_owned(), ast);
        within.push(name.to_owned());
        for (what, position) in named {
            let site = raise::place(name, position);
            match what {
                Named::Import(path) => self.import(&path, &site, within)?,
                Named::Text(path) => self.text(&path, &site)?,
                Named::Computed(what) => return Err(computed(what).at(&site)),
            }
        }
        within.pop();
        Ok(())
    }

    fn import(&mut self, path: &str, site: &Site, within: &mut Vec<String>) -> Result<(), Failure> {
        let file = module_file(path);
        if let Some(start) = within.iter().position(|outer| *outer == file) {
            let ring: Vec<&str> = within[start..].iter().map(String::as_str).chain([file.as_str()]).collect();
            let failure = Failure::new("RB0108", format!("imports go round in a ring: {}", ring.join(" → ")));
            return Err(failure.at(site).hint("Move what both need into a third file."));
        }
        if self.scripts.contains_key(&file) {
            return Ok(());
        }
        let content = self.read(&file, &format!("import {path:?}"), site)?;
        self.script(&file, content, within)
    }

    fn text(&mut self, path: &str, site: &Site) -> Result<(), Failure> {
        if self.texts.contains_key(path) {
            return Ok(());
        }
        let content = self.read(path, &format!("file({path:?})"), site)?;
        let shared: Arc<str> = text(path, &content).map_err(|failure| failure.at(site))?.into();
        self.texts.insert(path.to_owned(), shared);
        if !self.order.iter().any(|file| file.name == path) {
            self.order.push(File { name: path.to_owned(), content });
        }
        Ok(())
    }

    fn read(&self, name: &str, what: &str, site: &Site) -> Result<Vec<u8>, Failure> {
        let why = match self.found.source.read(name, self.limits.file) {
            Ok(Some(content)) => return Ok(content),
            Ok(None) => format!("there is no {name} in the runbook's folder"),
            Err(why) => why,
        };
        let mut failure = Failure::new("RB0108", format!("{what}: {why}")).at(site);
        failure.cause = "cannot be read".to_owned();
        Err(failure.hint("Imports and files are named from the runbook's folder, and lie inside it: import \"lib/network\" as network;"))
    }

    fn note_closures(&mut self, file: &str, ast: &AST) {
        let file: Arc<str> = file.into();
        for (_, _, name, _, function) in ast.shared_lib().iter_script_fn_info() {
            if name.starts_with("anon$") {
                let takes = function.params.iter().map(ToString::to_string).collect();
                self.closures.insert(name.to_owned(), Closure { file: file.clone(), takes });
            }
        }
    }
}

fn text(name: &str, content: &[u8]) -> Result<String, Failure> {
    String::from_utf8(content.to_vec()).map_err(|error| {
        let line = content[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::new("RB0102", format!("{name} is no UTF-8 text (line {line})"))
    })
}

/// Rhai ends a comment at a carriage return that no line feed follows, and a line nowhere else: from there on its places are not the
/// lines that an editor shows.
fn lines_end_alike(name: &str, text: &str) -> Result<(), Failure> {
    let next = text.bytes().skip(1).chain([0]);
    let Some(at) = text.bytes().zip(next).position(|pair| pair.0 == b'\r' && pair.1 != b'\n') else { return Ok(()) };
    let lines: Vec<&str> = text[..at].split('\n').collect();
    let column = lines.last().map_or(0, |line| line.chars().count()) + 1;
    let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let site = Site { file: name.to_owned(), line: place(lines.len()), column: place(column) };
    let mut failure =
        Failure::new("RB0102", "the script does not parse: a carriage return without a line feed").at(&site);
    failure.cause = "here".to_owned();
    Err(failure.hint("Save the file with lines that end in line feeds (LF), or in both (CRLF)."))
}

/// What a script names, from its beginning to its end. (Rhai walks functions in another order in each process, and a script that is stored in
/// one order and read in another would be another script.)
fn named(ast: &AST) -> Vec<(Named, Position)> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode]| {
        let mut call = |call: &rhai::FnCallExpr, position: Position| {
            if call.name == "file" && call.args.len() == 1 && !call.is_qualified() {
                found.push((
                    match &call.args[0] {
                        Expr::StringConstant(text, _) => Named::Text(text.to_string()),
                        _ => Named::Computed("file()"),
                    },
                    position,
                ));
            }
        };
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Import(import, position))) => found.push((
                match &import.0 {
                    Expr::StringConstant(text, _) => Named::Import(text.to_string()),
                    _ => Named::Computed("import"),
                },
                *position,
            )),
            Some(ASTNode::Stmt(Stmt::FnCall(f, position)) | ASTNode::Expr(Expr::FnCall(f, position))) => {
                call(f, *position)
            }
            _ => {}
        }
        true
    });
    found.sort_by_key(|(_, position)| (position.line(), position.position()));
    // A statement that is one call is met twice: as a statement and as an expression.
    found.retain(|(_, position)| position.is_none() || seen.insert((position.line(), position.position())));
    found
}

fn computed(what: &str) -> Failure {
    let mut failure = Failure::new("RB0110", format!("{what} takes a literal name"));
    failure.cause = "the name is computed".to_owned();
    failure.hint("All files are read and stored before a run begins, so that a resume sees the same ones: write each name in quotes.")
}

/// The files stored with a run, loaded.
///
/// # Errors
/// As [`load`].
pub fn stored(files: &[File], limits: &Limits) -> Result<Loaded, Failure> {
    load(files::stored(files)?, limits)
}
