//! A gate in front of moto: it hands every request on, notes whose it is, and can say that a key has expired.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A request that came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The access key that signed it.
    pub key: String,
    /// The service that it was signed for: `ec2`, `route53`.
    pub service: String,
    /// `CreateVpc`; of a REST service its method and path.
    pub action: String,
    /// Whether the gate refused it.
    pub refused: bool,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    /// Keys that are refused, with the code.
    refused: BTreeMap<String, String>,
    /// From this call of a key on it is refused.
    after: Option<(String, usize, String)>,
    /// Who a key is, instead of moto's answer.
    callers: BTreeMap<String, String>,
}

/// The gate.
pub struct Gate {
    /// Where it listens.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Gate {
    /// A gate in front of an address like `127.0.0.1:5000`.
    pub fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state: Arc<Mutex<State>> = Arc::default();
        let (kept, upstream) = (state.clone(), upstream.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, upstream) = (kept.clone(), upstream.clone());
                // A client that has gone needs no answer.
                std::thread::spawn(move || serve(stream, &kept, &upstream).ok());
            }
        });
        Self { url, state }
    }

    /// Refuses the key with a code from its `n`th call on, counted from 1, and those of GetCallerIdentity not among them.
    pub fn refuse_after(&self, key: &str, n: usize, code: &str) {
        self.lock().after = Some((key.to_owned(), n, code.to_owned()));
    }

    /// Says who a key is.
    pub fn caller(&self, key: &str, arn: &str) {
        self.lock().callers.insert(key.to_owned(), arn.to_owned());
    }

    /// What came through since the last time.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    /// The keys that were used since the last time.
    pub fn keys(&self) -> BTreeSet<String> {
        self.calls().into_iter().map(|call| call.key).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request as it came.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? <= 2 {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if !lower.starts_with("connection:") {
                head.push_str(&line);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Self { head, body })
    }

    fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }

    fn call(&self) -> Call {
        // Credential=KEY/DATE/REGION/SERVICE/aws4_request
        let scope = self.header("authorization").split("Credential=").nth(1).unwrap_or_default();
        let mut scope = scope.split(',').next().unwrap_or_default().split('/');
        let (key, service) = (scope.next().unwrap_or_default().to_owned(), scope.nth(2).unwrap_or_default().to_owned());
        let body = String::from_utf8_lossy(&self.body);
        let query = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
        let target = self.header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        let line = self.head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        let action = query.unwrap_or(if target.is_empty() { line } else { target });
        Call { key, service, action, refused: false }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, upstream: &str) -> std::io::Result<()> {
    let request = Request::read(&stream)?;
    let mut call = request.call();
    let answer = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let asks = call.action == "GetCallerIdentity";
        if let Some((key, left, code)) = state.after.take() {
            match (key == call.key && !asks, left) {
                (true, 0 | 1) => {
                    state.refused.insert(key, code);
                }
                (own, left) => state.after = Some((key, left - usize::from(own), code)),
            }
        }
        let refused = state.refused.get(&call.key).cloned();
        call.refused = refused.is_some();
        let caller = state.callers.get(&call.key).filter(|_| asks).cloned();
        state.calls.push(call.clone());
        refused.map(|code| refusal(&call, &code)).or_else(|| caller.map(|arn| identity(&arn)))
    };
    match answer {
        Some((status, body)) => {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\nconnection: close\r\n");
            write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())
        }
        None => {
            let mut above = TcpStream::connect(upstream)?;
            above.write_all(request.head.as_bytes())?;
            above.write_all(b"Connection: close\r\n\r\n")?;
            above.write_all(&request.body)?;
            std::io::copy(&mut above, &mut stream).map(drop)
        }
    }
}

/// The service's way to refuse a request.
fn refusal(call: &Call, code: &str) -> (u16, String) {
    let message = "The security token included in the request is expired";
    let body = match call.service.as_str() {
        "ec2" => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>1</RequestID></Response>"
        ),
        _ => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        ),
    };
    (if call.service == "ec2" { 400 } else { 403 }, body)
}

fn identity(arn: &str) -> (u16, String) {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    (200, body)
}
