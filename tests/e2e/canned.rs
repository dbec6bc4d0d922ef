//! A server with prepared answers, in the place of AWS.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// STS's answer to GetCallerIdentity.
pub const CALLER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::123456789012:user/tester</Arn><UserId>AIDA</UserId><Account>123456789012</Account>\
    </GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>";

/// A server on the loopback that keeps every request's body and answers as told.
pub struct Canned {
    /// Where it listens.
    pub url: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// Listens on a free port until the process ends; `answer` gives status and body for a request's body.
    pub fn new(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = bodies.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &kept, &answer);
            }
        });
        Self { url, bodies }
    }

    /// The actions of all requests, in their order.
    pub fn actions(&self) -> Vec<String> {
        self.bodies().iter().map(|body| action(body).to_owned()).collect()
    }

    /// The bodies of all requests, in their order.
    pub fn bodies(&self) -> Vec<String> {
        self.bodies.lock().expect("no panic").clone()
    }
}

/// The action that a form asks for; the whole body where it is no such form.
pub fn action(body: &str) -> &str {
    body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or(body)
}

/// One request a connection.
fn serve(stream: TcpStream, bodies: &Mutex<Vec<String>>, answer: &impl Fn(&str) -> (u16, String)) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    let (status, text) = answer(&body);
    bodies.lock().expect("no panic").push(body);
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\nconnection: close\r\n");
    // The program may be gone already: that is for the test to judge by what it said.
    let _ = write!(reader.into_inner(), "{head}content-length: {}\r\n\r\n{text}", text.len());
}
