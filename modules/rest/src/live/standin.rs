//! GitHub, and beside it [Cloudflare](cloudflare), on the loopback, as far as these bindings use them, strict about what they are asked:
//! for tests.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runbook_modules::k8s::types::text;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::testing::TOKEN;

mod cloudflare;

/// What becomes of the next request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is executed, and the answer lost.
    Lose,
    /// It is not executed, and no answer comes.
    Drop,
    /// Not executed; these status, headers and body are answered.
    Say(u16, &'static str, Value),
    /// Before it is executed, somebody else commits to every branch.
    Overtake,
}

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// `GET /repos/…`.
    pub line: String,
    headers: BTreeMap<String, String>,
    /// The body.
    pub body: Value,
}

#[derive(Default)]
struct Repository {
    id: u64,
    name: String,
    description: String,
    private: bool,
    /// The messages of the branch main, the first one first; empty: there is no branch.
    commits: Vec<String>,
    files: BTreeMap<String, String>,
}

#[derive(Default)]
struct World {
    repositories: BTreeMap<String, Repository>,
    records: cloudflare::Records,
    made: u64,
    faults: VecDeque<(&'static str, Fault)>,
    seen: Vec<Seen>,
}

/// The server.
pub struct StandIn {
    /// Where it listens.
    pub url: String,
    world: Arc<Mutex<World>>,
}

type Said = (u16, String, Value);

fn ok(body: Value) -> Said {
    (200, String::new(), body)
}

fn not_found() -> Said {
    (404, String::new(), json!({"message": "Not Found"}))
}

impl StandIn {
    /// Starts it.
    pub async fn new() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("{error}"));
        let url = format!("http://{}", listener.local_addr().unwrap_or_else(|error| panic!("{error}")));
        let world = Arc::new(Mutex::new(World::default()));
        let kept = world.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &kept).await;
            }
        });
        Arc::new(Self { url, world })
    }

    /// Does this with the next request whose line or body holds a text.
    pub fn next(&self, holding: &'static str, fault: Fault) {
        lock(&self.world).faults.push_back((holding, fault));
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.world).seen.clone()
    }

    /// The messages of a repository's commits.
    pub fn commits(&self, full_name: &str) -> Vec<String> {
        lock(&self.world).repositories[full_name].commits.clone()
    }
}

impl World {
    fn answer(&mut self, seen: &Seen) -> Said {
        if seen.headers.get("authorization") != Some(&format!("Bearer {}", TOKEN.1)) {
            return (401, String::new(), json!({"message": "Bad credentials"}));
        }
        let (method, path) = seen.line.split_once(' ').unwrap_or_default();
        if path.starts_with("/zones") || path.starts_with("/user/tokens") {
            return self.records.answer(method, path, &seen.body);
        }
        for (header, value) in [("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")] {
            assert_eq!(seen.headers.get(header).map(String::as_str), Some(value), "{header}");
        }
        assert!(seen.headers.contains_key("user-agent"), "GitHub refuses requests without a user agent");
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("GET", ["user"]) => ok(json!({"login": "tester"})),
            ("POST", ["user", "repos"]) => self.make("tester", &seen.body),
            ("POST", ["orgs", "acme", "repos"]) => self.make("acme", &seen.body),
            ("GET", ["repos", owner, name]) => {
                let full_name = format!("{owner}/{name}");
                self.repositories.get(&full_name).map_or_else(not_found, |found| ok(described(&full_name, found)))
            }
            ("DELETE", ["repos", owner, name]) => match self.repositories.remove(&format!("{owner}/{name}")) {
                Some(_) => (204, String::new(), Value::Null),
                None => not_found(),
            },
            ("POST", ["graphql"]) => self.graphql(&seen.body),
            _ => not_found(),
        }
    }

    fn make(&mut self, owner: &str, asked: &Value) -> Said {
        let fields = ["name", "private", "auto_init", "description"];
        let odd = asked.as_object().into_iter().flatten().find(|(field, _)| !fields.contains(&field.as_str()));
        assert_eq!(odd, None, "a field that GitHub does not know");
        assert!(text(asked, "description").chars().count() <= 350, "GitHub refuses longer descriptions");
        let name = text(asked, "name");
        let full_name = format!("{owner}/{name}");
        if self.repositories.contains_key(&full_name) {
            let error =
                json!({"resource": "Repository", "field": "name", "message": "name already exists on this account"});
            return (422, String::new(), json!({"message": "Repository creation failed.", "errors": [error]}));
        }
        self.made += 1;
        let begun = asked["auto_init"] == true;
        let made = Repository {
            id: self.made,
            name: name.to_owned(),
            description: text(asked, "description").to_owned(),
            private: asked["private"] == true,
            commits: begun.then(|| "Initial commit".to_owned()).into_iter().collect(),
            files: begun.then(|| ("README.md".to_owned(), format!("# {name}\n"))).into_iter().collect(),
        };
        let body = described(&full_name, &made);
        self.repositories.insert(full_name, made);
        (201, String::new(), body)
    }

    fn graphql(&mut self, asked: &Value) -> Said {
        let query = text(asked, "query");
        let count = |c: char| query.matches(c).count();
        assert_eq!((count('{'), count('(')), (count('}'), count(')')), "{query}");
        if query.contains("createCommitOnBranch") {
            return self.commit(&asked["variables"]["input"]);
        }
        let variables = &asked["variables"];
        for name in variables.as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(query.contains(&format!("${name}: String!")), "{name} is not declared in {query}");
        }
        let full_name = format!("{}/{}", text(variables, "owner"), text(variables, "name"));
        let Some(found) = self.repositories.get(&full_name) else {
            return ok(error("NOT_FOUND", "Could not resolve to a Repository"));
        };
        let nodes = found.commits.iter().enumerate().rev().map(|(number, message)| {
            json!({"oid": oid(number + 1), "message": message, "parents": {"totalCount": number.min(1)}})
        });
        let history = json!({"totalCount": found.commits.len(), "nodes": nodes.collect::<Vec<_>>()});
        let target = json!({"target": {"oid": oid(found.commits.len()), "history": history}});
        let branch = if found.commits.is_empty() { Value::Null } else { target };
        let mut data = json!({"defaultBranchRef": branch});
        for of in ["issues", "pullRequests"] {
            data[of] = json!({"totalCount": 0});
        }
        data["branches"] = json!({"totalCount": 1});
        if query.contains("qualifiedName") {
            data["ref"] = if text(variables, "ref") == "refs/heads/main" { branch } else { Value::Null };
        }
        for number in 0.. {
            let Some(expression) = variables.get(format!("p{number}")).and_then(Value::as_str) else { break };
            let file = expression.strip_prefix("main:").and_then(|path| found.files.get(path));
            data[format!("f{number}")] =
                file.map(|words| json!({"text": words, "isBinary": false, "isTruncated": false})).unwrap_or_default();
        }
        ok(json!({"data": {"repository": data}}))
    }

    fn commit(&mut self, input: &Value) -> Said {
        assert_eq!(input["branch"]["branchName"], "main");
        let Some(found) = self.repositories.get_mut(text(input, "branch.repositoryNameWithOwner")) else {
            return ok(error("NOT_FOUND", "Could not resolve to a Repository"));
        };
        let expected = text(input, "expectedHeadOid");
        if expected != oid(found.commits.len()) {
            let said = format!("Expected branch to point to \"{expected}\" but it did not.  Pull and try again.");
            return ok(error("STALE_DATA", &said));
        }
        let list = |of: &str| input["fileChanges"][of].as_array().cloned().unwrap_or_default();
        assert!(list("additions").len() + list("deletions").len() > 0, "an empty commit");
        for addition in list("additions") {
            let words = STANDARD.decode(text(&addition, "contents")).expect("base64");
            found.files.insert(text(&addition, "path").to_owned(), String::from_utf8(words).expect("a text"));
        }
        for deletion in list("deletions") {
            assert!(
                found.files.remove(text(&deletion, "path")).is_some(),
                "GitHub refuses to delete what is not there"
            );
        }
        found.commits.push(format!("{}\n\n{}", text(input, "message.headline"), text(input, "message.body")));
        ok(json!({"data": {"createCommitOnBranch": {"commit": {"oid": oid(found.commits.len())}}}}))
    }
}

fn error(code: &str, message: &str) -> Value {
    json!({"data": null, "errors": [{"type": code, "message": message}]})
}

fn oid(commits: usize) -> String {
    format!("{commits:040x}")
}

fn described(full_name: &str, found: &Repository) -> Value {
    let owner = full_name.split('/').next().unwrap_or_default();
    json!({
        "id": found.id, "full_name": full_name, "name": found.name, "owner": {"login": owner}, "private": found.private,
        "description": found.description, "default_branch": "main", "html_url": format!("https://github.com/{full_name}"),
        "clone_url": format!("https://github.com/{full_name}.git"), "archived": false, "permissions": {"admin": true},
    })
}

/// One request a connection.
async fn serve(stream: TcpStream, world: &Mutex<World>) {
    let mut reader = BufReader::new(stream);
    let (mut seen, mut line) = (Seen::default(), String::new());
    while reader.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        match line.trim_end().split_once(": ") {
            Some((name, value)) => {
                seen.headers.insert(name.to_ascii_lowercase(), value.to_owned());
            }
            None => seen.line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
        }
        line.clear();
    }
    let length = seen.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).await.is_err() || seen.line.is_empty() {
        return;
    }
    seen.body = serde_json::from_slice(&body).unwrap_or_default();
    let Some((status, headers, body)) = said(&mut lock(world), seen) else { return };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}");
    let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    // A client that went away has nothing to say about it.
    drop(reader.into_inner().write_all(text.as_bytes()).await);
}

fn said(world: &mut World, seen: Seen) -> Option<Said> {
    world.seen.push(seen.clone());
    let whole = format!("{} {}", seen.line, seen.body);
    let place = world.faults.iter().position(|(holding, _)| whole.contains(holding));
    match place.and_then(|place| world.faults.remove(place)).map(|(_, fault)| fault) {
        None => Some(world.answer(&seen)),
        Some(Fault::Drop) => None,
        Some(Fault::Say(status, headers, body)) => Some((status, headers.to_owned(), body)),
        Some(Fault::Lose) => {
            world.answer(&seen);
            None
        }
        Some(Fault::Overtake) => {
            for repository in world.repositories.values_mut() {
                repository.commits.push("Somebody was faster".to_owned());
            }
            Some(world.answer(&seen))
        }
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
