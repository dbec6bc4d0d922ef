//! A server with prepared answers, so that a test sees each request as it goes over the wire.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use runbook_modules::{error::CallError, target::Place};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{
    client::Clients,
    connection::{Access, Connection, Connections, Identity},
};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Answers with a status and a body.
    Say(u16, String),
    /// Closes the connection without an answer.
    Close,
}

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// `GET /api/v1/…`.
    pub line: String,
    /// The bearer token.
    pub token: String,
    /// The body.
    pub body: String,
}

/// A server that answers what it was told, one after the other, and then 500.
pub struct Canned {
    endpoint: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    asked: AtomicUsize,
}

impl Canned {
    /// Starts it.
    pub async fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("{error}"));
        let endpoint = format!("http://{}", listener.local_addr().unwrap_or_else(|error| panic!("{error}")));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let kept = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &kept, &answers).await;
            }
        });
        Arc::new(Self { endpoint, seen, asked: AtomicUsize::new(0) })
    }

    /// Clients that reach it, each connection with another token.
    pub fn clients(self: &Arc<Self>) -> Clients {
        Clients::new(Arc::new(Connections::new(Arc::<Self>::clone(self))))
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }
}

#[async_trait]
impl Access for Canned {
    async fn connect(&self, _: &Place) -> Result<Connection, CallError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let identity = Identity::token(format!("token-{asked}"));
        let endpoint = self.endpoint.clone();
        Ok(Connection { endpoint, ca_pem: None, server_name: None, identity, renew_at: None })
    }
}

/// The place of a cluster.
pub fn place() -> Place {
    Place { cluster: Some("one".to_owned()), ..Place::default() }
}

/// A good answer.
pub fn good(body: Value) -> Answer {
    Answer::Say(200, body.to_string())
}

/// A refusal in the API server's words.
pub fn status(code: u16, reason: &str, message: &str) -> Answer {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message});
    Answer::Say(code, body.to_string())
}

/// One request a connection.
async fn serve(stream: TcpStream, seen: &Mutex<Vec<Seen>>, answers: &Mutex<VecDeque<Answer>>) {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length, mut line) = (Seen::default(), 0, String::new());
    while reader.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        let text = line.trim_end();
        if request.line.is_empty() {
            request.line = text.trim_end_matches(" HTTP/1.1").to_owned();
        }
        if let Some((name, value)) = text.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "authorization" => request.token = value.trim_start_matches("Bearer ").to_owned(),
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).await.is_err() || request.line.is_empty() {
        return;
    }
    request.body = String::from_utf8_lossy(&body).into_owned();
    lock(seen).push(request);
    let next = lock(answers).pop_front();
    if let Answer::Say(status, body) = next.unwrap_or(Answer::Say(500, "no answer is left".to_owned())) {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n");
        let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        // A client that went away has nothing to say about it.
        drop(reader.into_inner().write_all(text.as_bytes()).await);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
