//! `pentimento weights pull`, as far as it goes without half a gigabyte of traffic.
#![allow(clippy::unwrap_used, reason = "a test's own helpers")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use support::{Place, Ran};

fn pull(place: &Place, words: &[&str]) -> Command {
    let mut command = place.command(&[&["weights", "pull"], words].concat());
    command.env("XDG_CACHE_HOME", place.path("cache")).env_remove("PENTIMENTO_MIRROR");
    command
}

fn ran(command: &mut Command) -> Ran {
    Ran::new(&command.output().unwrap())
}

/// A mirror that gives every caller this, and then keeps the line open.
fn mirror(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/deep/down", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut open = vec![];
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            assert!(lines.map(Result::unwrap).take_while(|l| !l.is_empty()).count() > 0);
            stream.write_all(reply.as_bytes()).unwrap();
            open.push(stream);
        }
    });
    url
}

#[test]
fn what_is_known_is_listed() {
    let place = Place::new();
    let list = ran(&mut pull(&place, &[])).ended(0, &[]).out;
    for part in ["vgg16", "vgg19", "BSD-3-Clause", "553 MB", "not here: https://download."] {
        assert!(list.contains(part), "no {part:?} in {list}");
    }
    let file = "cache/pentimento/weights/vgg19-dcbb9e9d.pth";
    place.file(file, b"");
    let json = ran(&mut pull(&place, &["--json"])).ended(0, &[]).json();
    assert_eq!(json[0]["path"], serde_json::Value::Null);
    assert_eq!(json[1]["path"], place.path(file).to_str().unwrap());
}

#[test]
fn it_says_what_to_put_where() {
    let place = Place::new();
    let missing = mirror("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    let file = place.path("cache/pentimento/weights/vgg16-397923af.pth");
    let words = ["404", "/deep/down/vgg16-397923af.pth", "put it at", file.to_str().unwrap()];
    ran(&mut pull(&place, &["vgg16", "--mirror", &missing])).ended(1, &words);
    ran(pull(&place, &["vgg16"]).env("PENTIMENTO_MIRROR", &missing)).ended(1, &words);
    let closed = ["vgg16", "--mirror", "http://127.0.0.1:1", "--to", "here"];
    ran(&mut pull(&place, &closed)).ended(1, &["put it at here/vgg16-397923af.pth"]);
}

#[test]
fn each_failure_has_its_status() {
    let place = Place::new();
    ran(&mut pull(&place, &["vgg61"])).ended(2, &["vgg61", "vgg16, vgg19"]);
    let other = mirror("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n1234567");
    ran(&mut pull(&place, &["vgg16", "--mirror", &other])).ended(4, &["7 bytes", "553433881"]);
    place.file("cache/pentimento/weights/vgg16-397923af.pth", b"something else");
    ran(&mut pull(&place, &["vgg16"])).ended(4, &["take the file away"]);
    place.file("file", b"");
    ran(&mut pull(&place, &["vgg16", "--to", "file"])).ended(5, &["file"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_came() {
    use std::thread::sleep;
    use std::time::Duration;
    use support::{interrupt, wait_until};

    let place = Place::new();
    // The whole length is promised, and then little comes at a time.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: 553433881\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        while stream.write_all(&[7; 1000]).is_ok() {
            sleep(Duration::from_millis(5));
        }
    });
    let mut command = pull(&place, &["vgg16", "--to", "here", "--mirror", &url]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let part = place.path("here/vgg16-397923af.pth.part");
    wait_until("something came", || part.metadata().is_ok_and(|m| m.len() > 0));
    interrupt(&child);
    Ran::new(&child.wait_with_output().unwrap()).ended(130, &["goes on from there"]);
    assert!(part.metadata().unwrap().len() > 0);
    assert_eq!(place.files("here").len(), 2, "the part and its tag");
}
