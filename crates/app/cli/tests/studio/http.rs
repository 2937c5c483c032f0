//! As much of an HTTP client as is needed: a connection a request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: String,
    pub(crate) media: &'a str,
    pub(crate) body: Vec<u8>,
    /// Another host than the one that is connected to.
    pub(crate) host: Option<&'a str>,
    /// The length that it says to have, where that is a lie.
    pub(crate) length: Option<usize>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) bytes: Vec<u8>,
}

impl<'a> Asked<'a> {
    pub(crate) fn get(path: &str) -> Self {
        let (path, body) = (path.to_owned(), vec![]);
        Self { method: "GET", path, media: "", body, host: None, length: None }
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    pub(crate) fn post(path: &str, media: &'a str, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST", media, body: body.into(), ..Self::get(path) }
    }

    pub(crate) fn json(path: &str, body: &Value) -> Self {
        Self::post(path, "application/json", body.to_string())
    }
}

/// Sends a request; an answer may come before all of it is sent.
pub(crate) fn send(host: &str, asked: &Asked<'_>) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_mins(2)))?;
    let Asked { method, path, media, body, .. } = asked;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", asked.host.unwrap_or(host));
    head += "connection: close\r\n";
    if !media.is_empty() {
        head.extend(["content-type: ", media, "\r\n"]);
    }
    if *method == "POST" {
        let length = asked.length.unwrap_or(body.len()).to_string();
        head.extend(["content-length: ", &length, "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let _ = stream.write_all(body); // it may be refused by its head
    Ok(stream)
}

/// Asks, and waits for the answer.
pub(crate) fn ask(host: &str, asked: &Asked<'_>) -> Answer {
    try_ask(host, asked).unwrap_or_else(|e| panic!("{} {}: {e}", asked.method, asked.path))
}

/// The same where the connection may break.
pub(crate) fn try_ask(host: &str, asked: &Asked<'_>) -> std::io::Result<Answer> {
    let mut bytes = vec![];
    let read = send(host, asked)?.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return Err(read.err().unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into()));
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let rest = bytes.split_off(end + 4);
    let bytes = if head.contains("transfer-encoding: chunked") { unchunked(&rest) } else { rest };
    Ok(Answer { status, head, bytes })
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = vec![];
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok();
        let size = size.and_then(|text| usize::from_str_radix(text, 16).ok()).unwrap_or(0);
        if size == 0 || rest.len() < end + 2 + size {
            break;
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    whole
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}
