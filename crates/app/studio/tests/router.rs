//! Who may ask, and what is there.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use support::{HOST, request, studio, with};

const TOKEN: &str = "0123456789abcdef-XYZ";

#[tokio::test]
async fn the_page_and_the_description_are_served() {
    let studio = studio();
    let page = studio.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let csp = page.header("content-security-policy");
    assert!(
        csp.contains("default-src 'self'") && csp.contains("img-src 'self' blob: data:"),
        "{csp}"
    );
    assert!(!csp.contains("unsafe"), "{csp}");
    let again = request(Method::GET, "/").header(header::IF_NONE_MATCH, page.header("etag"));
    let again = studio.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    let described = studio.get("/api/openapi.json").await;
    assert_eq!(described.text(), include_str!("../api/openapi.json"));
    let about = studio.get("/api/about").await.json();
    assert_eq!(about["threads"], 2);
    assert_eq!(about["features"]["colorize"], true);
}

#[tokio::test]
async fn nothing_else_is_there() {
    let studio = studio();
    for path in [
        "/index.htm",
        "/api",
        "/api/",
        "/api/nothing",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2f..%2fetc/passwd",
        "/etc/passwd",
        "//etc/passwd",
        "/api/pictures/../about",
    ] {
        studio.get(path).await.is(404, "not_found");
    }
    for path in ["/api/about", "/api/jobs/x", "/api/openapi.json", "/"] {
        for method in [Method::PUT, Method::PATCH, Method::OPTIONS, Method::TRACE] {
            studio
                .send(request(method, path).body(Body::empty()).unwrap())
                .await
                .is(405, "method_not_allowed");
        }
    }
}

#[tokio::test]
async fn only_our_own_host_is_answered() {
    let studio = studio();
    let ask = async |host: &[&str], uri: &str| {
        let mut request = axum::http::Request::builder().uri(uri);
        for host in host {
            request = request.header(header::HOST, *host);
        }
        studio.send(request.body(Body::empty()).unwrap()).await
    };
    for host in ["127.0.0.1:7878", "localhost:7878", "LocalHost:7878", "[::1]:7878"] {
        assert_eq!(ask(&[host], "/api/about").await.status, StatusCode::OK, "{host}");
    }
    for host in [
        "evil.example:7878",
        "localhost",
        "localhost:80",
        "192.168.0.1:7878",
        "",
        "localhost:7878.evil",
        "evil.localhost:7878",
        "127.0.0.1:7878:7878",
    ] {
        for path in ["/", "/api/about", "/api/pictures"] {
            ask(&[host], path).await.is(421, "wrong_host");
        }
    }
    ask(&[], "/api/about").await.is(421, "wrong_host");
    ask(&[HOST, "evil.example"], "/api/about").await.is(421, "wrong_host");
    // A proxy's form of address names the host twice.
    ask(&[HOST], "http://evil.example/api/about").await.is(421, "wrong_host");
    assert_eq!(ask(&[HOST], &format!("http://{HOST}/api/about")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_sites_are_not_answered() {
    let studio = studio();
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = request(Method::GET, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        studio.send(request.body(Body::empty()).unwrap()).await
    };
    let own: [&[_]; 5] = [
        &[],
        &[("origin", "http://127.0.0.1:7878")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:7878")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")],
    ];
    for headers in own {
        assert_eq!(ask("/api/about", headers).await.status, StatusCode::OK, "{headers:?}");
    }
    let others: [&[_]; 10] = [
        &[("origin", "null")],
        &[("origin", "https://127.0.0.1:7878")],
        &[("origin", "http://localhost:7878")], // another origin than Host's
        &[("origin", "http://127.0.0.1:7879")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://127.0.0.1:7878.evil.example")],
        &[("origin", "http://127.0.0.1:7878"), ("origin", "http://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ],
    ];
    for headers in others {
        ask("/api/about", headers).await.is(403, "cross_site");
    }
    // A link to the page may be followed, but it is framed or fetched by nobody.
    let link = |to| {
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", to)]
    };
    assert_eq!(ask("/", &link("document")).await.status, StatusCode::OK);
    ask("/", &link("iframe")).await.is(403, "cross_site");
    ask("/", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")])
        .await
        .is(403, "cross_site");
}

#[tokio::test]
async fn with_a_token_nobody_asks_without() {
    let studio = with(|settings| settings.token = Some(TOKEN.to_owned()));
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = request(Method::GET, "/api/about");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        studio.send(request.body(Body::empty()).unwrap()).await
    };
    let bearer = format!("Bearer {TOKEN}");
    let cookie = format!("a=b; pentimento_7878={TOKEN}");
    for headers in [[("authorization", bearer.as_str())], [("cookie", cookie.as_str())]] {
        assert_eq!(ask(&headers).await.status, StatusCode::OK, "{headers:?}");
    }
    let almost = format!("Bearer {}", &TOKEN[1..]);
    let other_port = format!("pentimento_7879={TOKEN}");
    for headers in [
        ("authorization", TOKEN),
        ("authorization", &almost),
        ("authorization", "Bearer "),
        ("cookie", "pentimento_7878="),
        ("cookie", &other_port),
    ] {
        ask(&[headers]).await.is(401, "unauthorized");
    }
    ask(&[]).await.is(401, "unauthorized");
    assert_eq!(studio.get("/").await.status, StatusCode::OK);
    studio.get("/?token=wrong").await.is(401, "unauthorized");
    let entered = studio.get(&format!("/?token={TOKEN}")).await;
    assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/"));
    let want = format!("pentimento_7878={TOKEN}; Path=/; HttpOnly; SameSite=Strict");
    assert_eq!(entered.header("set-cookie"), want);
    let traded = studio.post("/api/session", &serde_json::json!({ "token": TOKEN })).await;
    assert_eq!((traded.status, traded.header("set-cookie")), (StatusCode::NO_CONTENT, &*want));
    studio
        .post("/api/session", &serde_json::json!({ "token": "no" }))
        .await
        .is(401, "unauthorized");
}

#[test]
fn other_machines_need_a_token_that_is_none_to_guess() {
    use studio::{Session, Settings, StudioError};
    let open = |address: &str, token: Option<&str>| {
        let settings = Settings { token: token.map(Into::into), ..Settings::default() };
        Session::new(settings, address.parse().unwrap()).map(|_| ())
    };
    for address in ["0.0.0.0:1", "[::]:1", "192.168.0.1:1"] {
        assert!(matches!(open(address, None), Err(StudioError::NoToken { .. })), "{address}");
        assert!(open(address, Some(TOKEN)).is_ok());
    }
    for token in ["short", "with spaces in it, long", "semicolon;1234567890"] {
        assert!(matches!(open("127.0.0.1:1", Some(token)), Err(StudioError::Token)), "{token}");
    }
    let settings = Settings { photos: vec!["/no/such/folder".into()], ..Settings::default() };
    let refused = Session::new(settings, HOST.parse().unwrap());
    assert!(matches!(refused, Err(StudioError::Folder { .. })));
}

#[tokio::test]
async fn bodies_are_held_to_their_type_their_size_and_their_time() {
    use std::time::Duration;
    let studio = with(|settings| settings.limits.pause = Duration::from_millis(50));
    let post = async |media: &str, body: Body| {
        let request = request(Method::POST, "/api/jobs").header(header::CONTENT_TYPE, media);
        studio.send(request.body(body).unwrap()).await
    };
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        post(media, "{}".into()).await.is(415, "wrong_media_type");
    }
    for body in ["", "{", "[1]", "null", "\u{0}", "{\"kind\": \"stylize\"", "{\"a\":1}{"] {
        post("application/json", body.into()).await.is(400, "bad_request");
    }
    post("application/json; charset=utf-8", "{}".into()).await.is(422, "invalid_option");
    let deep = "[".repeat(100_000);
    post("application/json", deep.into()).await.is(400, "bad_request");
    post("application/json", " ".repeat(200_000).into()).await.is(413, "too_large");
    let slow = tokio_stream::StreamExt::throttle(
        tokio_stream::iter((0..10).map(|_| Ok::<_, std::io::Error>("{"))),
        Duration::from_millis(500),
    );
    post("application/json", Body::from_stream(slow)).await.is(408, "too_slow");
    let broken = tokio_stream::iter([Ok("{"), Err(std::io::Error::other("gone"))]);
    post("application/json", Body::from_stream(broken)).await.is(400, "bad_request");
}
