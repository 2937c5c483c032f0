//! A studio without a socket. Every answer is held to the description.
#![allow(dead_code, reason = "no test file uses all of it")]

mod schema;

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use pentimento::imaging::{Channels, EncodeOptions, Format, Picture, Pixels, encode};
use serde_json::{Value, json};
use studio::{Limits, Session, Settings, app};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const HOST: &str = "127.0.0.1:7878";

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../api/openapi.json")).unwrap());

/// A studio with an empty folder of styles.
pub(crate) struct Tried {
    pub(crate) router: Router,
    pub(crate) session: Session,
    pub(crate) folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn limits() -> Limits {
    Limits { memory: 4 << 30, ..Limits::default() }
}

pub(crate) fn studio() -> Tried {
    with(|_| {})
}

pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Tried {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings {
        port: 7878,
        styles: folder.path().to_owned(),
        threads: Some(2),
        limits: limits(),
        ..Settings::default()
    };
    change(&mut settings);
    let session = Session::new(settings, HOST.parse().unwrap()).unwrap();
    Tried { router: app(session.clone()), session, folder }
}

impl Tried {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 1 << 28).await.unwrap().to_vec();
        let answer = Answer { status, headers, bytes };
        answer.hold(&method, &path);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(crate) async fn upload_as(&self, media: &str, bytes: impl Into<Body>) -> Answer {
        let request = request(Method::POST, "/api/pictures?name=a%20cat.png");
        self.send(request.header(header::CONTENT_TYPE, media).body(bytes.into()).unwrap()).await
    }

    /// Uploads a picture and gives its name.
    pub(crate) async fn upload(&self, picture: &Picture) -> String {
        let bytes = encode(picture, Format::Png, &EncodeOptions::default()).unwrap();
        let answer = self.upload_as("image/png", bytes).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Submits a job and waits for its end.
    pub(crate) async fn job(&self, body: Value) -> Value {
        let answer = self.post("/api/jobs", &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        self.ended(&id).await
    }

    pub(crate) async fn ended(&self, id: &str) -> Value {
        for _ in 0..6000 {
            let job = self.get(&format!("/api/jobs/{id}")).await.json();
            if !["queued", "running"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the job does not end");
    }

    /// Does a job and gives its result.
    pub(crate) async fn done(&self, body: Value) -> Value {
        let job = self.job(body).await;
        assert_eq!(job["state"], "done", "{job}");
        self.get(&format!("/api/results/{}", job["result"].as_str().unwrap())).await.json()
    }
}

pub(crate) fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, HOST)
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The code of the error that it is.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Asserts that it is that error.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{}", self.text());
        let error = &self.json()["error"];
        assert!(error["message"].as_str().unwrap().len() > 10, "{error}");
        if [429, 503].contains(&status) && code != "unavailable" {
            let seconds = self.headers[header::RETRY_AFTER].to_str().unwrap();
            assert!((1..60).contains(&seconds.parse::<u32>().unwrap()));
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Holds it to the description.
    fn hold(&self, method: &Method, path: &str) {
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{path}");
        assert!(self.header("content-security-policy").contains("default-src 'self'"), "{path}");
        if self.status.is_client_error() || self.status.is_server_error() {
            assert_eq!(self.header("content-type"), "application/json", "{path}");
            holds(&json!({ "$ref": "#/components/schemas/Error" }), &self.json());
        }
        let Some(described) = operation(path).and_then(|of| of.get(method.as_str().to_lowercase()))
        else {
            let fine = [404, 405, 421, 403].contains(&self.status.as_u16());
            assert!(!path.starts_with("/api/") || fine, "{method} {path}: {}", self.status);
            return;
        };
        let mut response = &described["responses"][self.status.as_str()];
        if let Some(name) = response["$ref"].as_str() {
            response = DOCUMENT.pointer(name.trim_start_matches('#')).unwrap();
        }
        assert!(response.is_object(), "{method} {path} gives {}: {}", self.status, self.text());
        let Some(content) = response.get("content") else {
            assert!(self.bytes.is_empty(), "{method} {path}");
            return;
        };
        let media = self.header("content-type");
        assert!(content.get(media).is_some(), "{method} {path} gives {media}");
        if let Some(schema) = content["application/json"].get("schema") {
            holds(schema, &self.json());
        }
        for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(self.status.as_u16() == 503 || !self.header(name).is_empty(), "{path}: {name}");
        }
    }
}

/// Holds a value to a schema of the description.
#[track_caller]
pub(crate) fn holds(schema: &Value, value: &Value) {
    let errors = schema::errors(&DOCUMENT, schema, value);
    assert!(errors.is_empty(), "{errors:?} in {value}");
}

/// Names and data of server-sent events.
pub(crate) fn parsed(text: &str) -> Vec<(String, Value)> {
    let event = |block: &str| {
        let line = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
        Some((line("event:")?.to_owned(), serde_json::from_str(line("data:")?).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

/// What is described for an address.
fn operation(path: &str) -> Option<&'static Value> {
    let parts: Vec<_> = path.split('/').collect();
    let fits = |template: &str| {
        let wanted: Vec<_> = template.split('/').collect();
        let same = |(w, p): (&&str, &&str)| w.starts_with('{') || w == p;
        wanted.len() == parts.len() && wanted.iter().zip(&parts).all(same)
    };
    let mut paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.find(|(template, _)| fits(template)).map(|(_, of)| of)
}

/// Slopes of colour, different everywhere.
pub(crate) fn colourful(size: [usize; 2]) -> Picture {
    let pixel = |i: usize| {
        let (y, x) = (i / size[1], i % size[1]);
        [(255 * x / size[1]) as u8, (255 * y / size[0]) as u8, (x * y % 256) as u8]
    };
    let bytes = (0..size[0] * size[1]).flat_map(pixel).collect();
    Picture::new(size, Channels::Rgb, Pixels::U8(bytes))
}

/// Slopes of grey.
pub(crate) fn grey(size: [usize; 2]) -> Picture {
    let value =
        |i: usize| (40 + 150 * (i % size[1]) / size[1] + 40 * (i / size[1]) / size[0]) as u8;
    Picture::new(size, Channels::Grey, Pixels::U8((0..size[0] * size[1]).map(value).collect()))
}
