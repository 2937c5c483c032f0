//! A crowd, and a long day. Slow, so only when asked for:
//!
//! ```sh
//! cargo test --release -p pentimento-cli --test studio -- --ignored --nocapture --test-threads 1
//! ```
#![allow(clippy::print_stdout, reason = "figures, for whoever asks for them by hand")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use pentimento::imaging::{Channels, EncodeOptions, Format, Picture, Pixels, encode};
use serde_json::{Value, json};

use crate::Studio;
use crate::http::{Answer, Asked, ask, send, try_ask};

const CLIENTS: u64 = 64;
const MEMORY: u64 = 2_000_000_000;
/// Beyond the limit: the program with its networks, four styles and the one that colours among
/// them, and what the allocator holds back.
const BESIDE: u64 = 900_000_000;

fn photograph() -> Vec<u8> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/pictures/mountains.jpg");
    fs::read(path).unwrap()
}

/// Numbers that follow no rule.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn grey() -> Vec<u8> {
    let pixels = Pixels::U8((0..200 * 300).map(|i| (i % 300 * 255 / 300) as u8).collect());
    let picture = Picture::new([200, 300], Channels::Grey, pixels);
    encode(&picture, Format::Png, &EncodeOptions::default()).unwrap()
}

/// What is asked of the studio.
struct Client<'a> {
    host: &'a str,
    chance: Chance,
    seen: &'a Mutex<BTreeMap<(String, u16), usize>>,
    photograph: &'a [u8],
    grey: &'a [u8],
}

impl Client<'_> {
    /// Asks, and holds the answer to what may be said.
    fn ask(&self, what: &str, asked: &Asked<'_>, fine: &[u16]) -> Option<Answer> {
        // Who is refused by his head may find the connection closed before he has read why.
        let answer = match try_ask(self.host, asked) {
            Ok(answer) => answer,
            Err(_) if asked.length.is_some() || asked.body.len() > 100_000 => {
                self.note(what, 0);
                return None;
            }
            Err(error) => panic!("{what}: {error}"),
        };
        self.note(what, answer.status);
        let put_off = [429, 503].contains(&answer.status);
        assert!(
            fine.contains(&answer.status) || put_off,
            "{what}: {} {}",
            answer.status,
            answer.text()
        );
        if answer.status >= 400 {
            let error = answer.json()["error"].clone();
            assert!(error["code"].is_string() && error["message"].is_string(), "{what}: {error}");
            assert!(!put_off || answer.head.contains("retry-after:"), "{what}: {}", answer.head);
        }
        Some(answer)
    }

    fn note(&self, what: &str, status: u16) {
        *self.seen.lock().unwrap().entry((what.to_owned(), status)).or_default() += 1;
    }

    fn upload(&self, bytes: &[u8], media: &str) -> Option<String> {
        let asked = Asked::post("/api/pictures?name=a.jpg", media, bytes);
        let answer = self.ask("upload", &asked, &[201])?;
        (answer.status == 201).then(|| answer.json()["id"].as_str().unwrap().to_owned())
    }

    /// One of many things that a client does.
    fn turn(&mut self) {
        match self.chance.below(10) {
            0 => {
                self.ask("page", &Asked::get("/"), &[200]);
                self.ask("styles", &Asked::get("/api/styles"), &[200]);
            }
            1 | 2 => self.bad(),
            3 => self.leave(),
            4 => {
                self.ask("results", &Asked::get("/api/results"), &[200]);
                self.ask("nothing", &Asked::get("/api/results/../../etc/passwd"), &[404]);
            }
            _ => self.work(),
        }
    }

    /// An upload that is none.
    fn bad(&mut self) {
        let (bytes, media) = (self.photograph, "image/jpeg");
        let post = |media, body: Vec<u8>| Asked::post("/api/pictures", media, body);
        let cut = self.chance.below(bytes.len() as u64) as usize;
        match self.chance.below(7) {
            0 => self.ask("noise", &post(media, vec![7; 50_000]), &[422]),
            // What is cut off late can be shown: a reader may make do with what there is.
            1 => self.ask("cut off", &post(media, bytes[..cut].to_vec()), &[201, 422]),
            2 => self.ask("other type", &post("image/png", bytes.to_vec()), &[415]),
            3 => self.ask("no type", &post("text/html", bytes.to_vec()), &[415]),
            4 => {
                let mut bomb = self.grey.to_vec();
                bomb[16..24].fill(0x7f);
                self.ask("bomb", &post("image/png", bomb), &[413])
            }
            5 => {
                let asked = Asked { length: Some(1 << 40), ..post(media, vec![]) };
                self.ask("endless", &asked, &[413])
            }
            _ => {
                let asked =
                    Asked { length: Some(bytes.len()), ..post(media, bytes[..cut].to_vec()) };
                drop(send(self.host, &asked)); // goes away in the middle
                None
            }
        };
    }

    /// A page that goes away with a job at work.
    fn leave(&mut self) {
        let Some(picture) = self.upload(self.photograph, "image/jpeg") else { return };
        let body = json!({ "kind": "stylize", "picture": picture, "style": "scream", "size": 900 });
        let answer = self.ask("job", &Asked::json("/api/jobs", &body), &[202, 410]);
        let Some(answer) = answer.filter(|answer| answer.status == 202) else { return };
        let place = format!("/api/jobs/{}/events", answer.json()["id"].as_str().unwrap());
        let stream = send(self.host, &Asked::get(&place)).unwrap();
        sleep(Duration::from_millis(self.chance.below(200)));
        drop(stream);
    }

    /// A job, and what comes of it.
    fn work(&mut self) {
        let (bytes, media) = if self.chance.below(2) == 0 {
            (self.photograph, "image/jpeg")
        } else {
            (self.grey, "image/png")
        };
        let Some(picture) = self.upload(bytes, media) else { return };
        let place = format!("/api/pictures/{picture}/preview?side=256");
        self.ask("preview", &Asked::get(&place), &[200, 410]);
        let body = match self.chance.below(5) {
            0 => json!({ "kind": "stylize", "picture": picture, "style": "udnie", "size": 200 }),
            1 => json!({ "kind": "gallery", "picture": picture, "styles": ["scream"], "side": 96 }),
            2 => json!({ "kind": "colorize", "picture": picture, "recolor": true }),
            3 => json!({ "kind": "proposals", "picture": picture, "x": 10, "y": 10 }),
            _ => json!({ "kind": "cam", "picture": picture, "network": "cats-and-dogs" }),
        };
        let answer = self.ask("job", &Asked::json("/api/jobs", &body), &[202, 410]);
        let Some(answer) = answer.filter(|answer| answer.status == 202) else { return };
        let job = format!("/api/jobs/{}", answer.json()["id"].as_str().unwrap());
        if self.chance.below(6) == 0 {
            self.ask("cancel", &Asked::delete(&job), &[200]);
            return;
        }
        let Some(ended) = self.ended(&job) else { return };
        assert_eq!(ended["state"], "done", "{ended}");
        let result = format!("/api/results/{}", ended["result"].as_str().unwrap());
        if ["stylize", "colorize"].contains(&body["kind"].as_str().unwrap()) {
            self.ask("look", &Asked::get(&format!("{result}/preview?side=128")), &[200, 410]);
            self.ask("file", &Asked::get(&format!("{result}/file")), &[200, 410]);
        }
        if self.chance.below(2) == 0 {
            self.ask("forget", &Asked::delete(&result), &[204, 410]);
        }
    }

    fn ended(&self, job: &str) -> Option<Value> {
        loop {
            let answer = self.ask("wait", &Asked::get(job), &[200, 404])?;
            if answer.status == 404 {
                return None; // hundreds have ended since
            }
            let view = answer.json();
            if !["queued", "running"].contains(&view["state"].as_str().unwrap()) {
                return Some(view);
            }
            sleep(Duration::from_millis(100));
        }
    }
}

fn seconds() -> u64 {
    std::env::var("STUDIO_LOAD_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(120)
}

#[test]
#[ignore = "two minutes at full load"]
fn sixty_four_clients_at_once_for_two_minutes() {
    let mut studio = Studio::start(&["--memory", &MEMORY.to_string()]);
    let (seen, over) = (Mutex::default(), AtomicBool::new(false));
    let (photograph, grey, host) = (photograph(), grey(), studio.host.clone());
    let before = studio.memory();
    let mut most = 0;
    scope(|scope| {
        for number in 0..CLIENTS {
            let (seen, photograph, grey, host, over) = (&seen, &photograph, &grey, &host, &over);
            scope.spawn(move || {
                let chance = Chance(0x9e37_79b9_7f4a_7c15 ^ (number + 1));
                let mut client = Client { host, chance, seen, photograph, grey };
                while !over.load(Ordering::Relaxed) {
                    client.turn();
                }
            });
        }
        let until = Instant::now() + Duration::from_secs(seconds());
        while Instant::now() < until && studio.is_alive() {
            most = studio.memory().max(most);
            sleep(Duration::from_millis(200));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(studio.is_alive(), "it has ended");
    let seen = seen.into_inner().unwrap();
    let all: usize = seen.values().sum();
    println!("{all} answers; memory {} MB before, {} MB at most", before >> 20, most >> 20);
    for ((what, status), count) in &seen {
        println!("  {what:12} {status:4} {count:7}");
    }
    assert!(most < MEMORY + BESIDE, "{most} bytes");
    assert_eq!(ask(&host, &Asked::get("/")).status, 200);
}

#[test]
#[ignore = "two thousand requests in a row"]
fn memory_stays_flat_over_two_thousand_requests() {
    let studio = Studio::start(&["--memory", "600M"]);
    let (seen, photograph, grey) = (Mutex::default(), photograph(), grey());
    let mut client = Client {
        host: &studio.host,
        chance: Chance(7),
        seen: &seen,
        photograph: &photograph,
        grey: &grey,
    };
    let answers = || seen.lock().unwrap().values().sum::<usize>();
    // What is kept fills its third of the memory first, as it would in a day.
    for _ in 0..120 {
        client.upload(&photograph, "image/jpeg");
    }
    let mut early = 0;
    let mut told = 0;
    while answers() < 2000 {
        client.turn();
        if early == 0 && answers() >= 200 {
            early = studio.memory();
        }
        if answers() >= told + 200 {
            told = answers();
            println!("after {told} answers: {} MB", studio.memory() >> 20);
        }
    }
    let late = studio.memory();
    println!("{} MB after 200, {} MB after {}", early >> 20, late >> 20, answers());
    assert!(late as f64 <= 1.1 * early as f64, "{early} bytes, then {late}");
}

/// Start to page, and a large photograph to its first styled preview, as the page does it.
#[test]
#[ignore = "a measurement"]
fn how_long_it_takes() {
    let starts: Vec<_> = (0..5)
        .map(|_| {
            let studio = Studio::start(&[]);
            assert_eq!(ask(&studio.host, &Asked::get("/")).status, 200);
            studio.began.elapsed()
        })
        .collect();
    println!("start to page served: {starts:?}");
    let studio = Studio::start(&[]);
    let bytes = large();
    for style in ["scream", "udnie", "great-wave"] {
        let began = Instant::now();
        let upload = Asked::post("/api/pictures?name=large.jpg", "image/jpeg", bytes.clone());
        let picture = ask(&studio.host, &upload).json()["id"].clone();
        let uploaded = began.elapsed();
        let body = json!({ "kind": "stylize", "picture": picture, "style": style });
        let job = ask(&studio.host, &Asked::json("/api/jobs", &body)).json()["id"].clone();
        let admitted = began.elapsed();
        let job = format!("/api/jobs/{}", job.as_str().unwrap());
        let result = loop {
            if let Some(result) = ask(&studio.host, &Asked::get(&job)).json()["result"].as_str() {
                break result.to_owned();
            }
            sleep(Duration::from_millis(5));
        };
        let painted = began.elapsed();
        let shown =
            ask(&studio.host, &Asked::get(&format!("/api/results/{result}/preview?side=1024")));
        assert_eq!(shown.status, 200);
        println!(
            "{style}: 12 megapixels uploaded {uploaded:?}, admitted {admitted:?}, quick look \
             painted {painted:?}, shown {:?}",
            began.elapsed()
        );
        ask(&studio.host, &Asked::delete(&job));
        sleep(Duration::from_secs(2));
    }
}

/// The photograph, twelve megapixels of it.
fn large() -> Vec<u8> {
    use pentimento::imaging::{Depth, Filter, Limits, decode, resize_tensor};
    let picture = decode(&photograph(), &Limits::default()).unwrap();
    let rgb = resize_tensor(&picture.to_rgb_tensor(), [3000, 4000], Filter::CatmullRom);
    let large = Picture::from_rgb_tensor(&rgb, Depth::Eight);
    encode(&large, Format::Jpeg, &EncodeOptions::default()).unwrap()
}
