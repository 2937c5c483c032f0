//! A web server that says what it was told to say.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test's own helpers")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers each connection with the next of its replies and hangs up.
#[derive(Debug)]
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(replies: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(vec![]));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let lines: Vec<String> =
                    lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                heard.lock().unwrap().push(lines.join("\n").to_lowercase());
                let _ = stream.write_all(&reply); // a client that has had enough hangs up
            }
        });
        Self { url, asked }
    }

    /// The requests so far, in lower case.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A reply: status line, header lines, body.
pub fn reply(status: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let text = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    let headers: Vec<u8> = headers.iter().flat_map(|h| [h.as_bytes(), b"\r\n"].concat()).collect();
    [text.as_bytes(), &headers, b"\r\n", body].concat()
}

/// The whole file.
pub fn whole(body: &[u8], tag: &str) -> Vec<u8> {
    let headers = [format!("content-length: {}", body.len()), format!("etag: {tag}")];
    reply("200 OK", &headers, body)
}

/// The file from a byte on.
pub fn rest(body: &[u8], from: usize, tag: &str) -> Vec<u8> {
    let n = body.len();
    let headers = [
        format!("content-length: {}", n - from),
        format!("content-range: bytes {from}-{}/{n}", n - 1),
        format!("etag: {tag}"),
    ];
    reply("206 Partial Content", &headers, &body[from..])
}

/// The same, but the connection breaks so many bytes before its end.
pub fn cut(reply: &[u8], before: usize) -> Vec<u8> {
    let end = reply.len() - before;
    reply[..end].to_vec()
}
