//! Requests to AWS by hand: what a client sends, without one.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// Sends one request and gives the whole answer, head and body.
pub fn request(url: &str, service: &str, head: &str, kind: &str, body: &str) -> String {
    let address = url.strip_prefix("http://").expect("http");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A form of EC2 or IAM, such as `Action=CreateVpc&CidrBlock=…`.
pub fn form(url: &str, service: &str, form: &str) -> String {
    let version = if service == "iam" { "2010-05-08" } else { "2016-11-15" };
    request(url, service, "POST /", "application/x-www-form-urlencoded", &format!("{form}&Version={version}"))
}
