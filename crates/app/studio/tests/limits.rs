//! What is cancelled, put off, refused and forgotten.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod support;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use pentimento::imaging::{Channels, EncodeOptions, Format, Picture, Pixels, encode};
use serde_json::{Value, json};
use support::{Tried, colourful, request, studio, with};
use tokio_stream::StreamExt;

const STYLE: &str = "udnie";

/// A job that takes as long as anybody waits here.
async fn long(studio: &Tried, more: Value) -> String {
    let id = studio.upload(&colourful([300, 400])).await;
    let mut body = json!({ "kind": "stylize", "picture": id, "style": STYLE, "size": 3000 });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = studio.post("/api/jobs", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn state(studio: &Tried, job: &str) -> String {
    let job = studio.get(&format!("/api/jobs/{job}")).await.json();
    job["state"].as_str().unwrap().to_owned()
}

async fn running(studio: &Tried, job: &str) {
    for _ in 0..1000 {
        if state(studio, job).await == "running" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_cancelled_while_they_wait_and_while_they_run() {
    let studio = studio();
    let (first, second) = (long(&studio, json!({})).await, long(&studio, json!({})).await);
    running(&studio, &first).await;
    let waiting = studio.get(&format!("/api/jobs/{second}")).await.json();
    assert_eq!([&waiting["state"], &waiting["ahead"]], [&json!("queued"), &json!(1)]);
    let cancelled = studio.delete(&format!("/api/jobs/{second}")).await.json();
    assert_eq!(cancelled["state"], "cancelled");
    studio.delete(&format!("/api/jobs/{first}")).await;
    assert_eq!(studio.ended(&first).await["state"], "cancelled");
    let again = studio.delete(&format!("/api/jobs/{first}")).await;
    assert_eq!((again.status, &again.json()["state"]), (StatusCode::OK, &json!("cancelled")));
    assert_eq!(studio.get("/api/results").await.json()["results"], json!([]));
}

/// An event stream that is open, and the page's name.
async fn page(studio: &Tried) -> (impl tokio_stream::Stream<Item = Value> + Unpin, String) {
    use tower::ServiceExt;
    let asked = request(Method::GET, "/api/events").body(Body::empty()).unwrap();
    let response = studio.router.clone().oneshot(asked).await.unwrap();
    let mut events = response.into_body().into_data_stream().map(|chunk| {
        let text = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
        let data = text.lines().find_map(|line| line.strip_prefix("data:"));
        data.map_or(Value::Null, |data| serde_json::from_str(data.trim()).unwrap())
    });
    let hello = events.next().await.unwrap();
    let client = hello["client"].as_str().unwrap().to_owned();
    (events, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_page_goes_its_jobs_go_but_for_those_to_be_kept() {
    let studio = studio();
    let (events, client) = page(&studio).await;
    let keep = long(&studio, json!({ "client": client, "keep": true })).await;
    let lost = long(&studio, json!({ "client": client })).await;
    let other = long(&studio, json!({})).await;
    drop(events);
    assert_eq!(studio.ended(&lost).await["state"], "cancelled");
    assert!(["queued", "running"].contains(&state(&studio, &keep).await.as_str()));
    assert_eq!(state(&studio, &other).await, "queued");
    let body = json!({ "kind": "filters", "network": "cats-and-dogs", "layer": "conv2d", "client": client });
    studio.post("/api/jobs", &body).await.is(409, "conflict");
    for job in [other, keep] {
        studio.delete(&format!("/api/jobs/{job}")).await;
        studio.ended(&job).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_last_stream_of_a_job_closes_it_ends() {
    use tower::ServiceExt;
    let studio = studio();
    let job = long(&studio, json!({})).await;
    let open = async || {
        let asked = request(Method::GET, &format!("/api/jobs/{job}/events"));
        studio.router.clone().oneshot(asked.body(Body::empty()).unwrap()).await.unwrap()
    };
    let (first, second) = (open().await, open().await);
    drop(first);
    running(&studio, &job).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(state(&studio, &job).await, "running");
    drop(second);
    assert_eq!(studio.ended(&job).await["state"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_when_to_come_again() {
    let studio = with(|settings| settings.limits.queue = 2);
    let jobs = [long(&studio, json!({})).await, long(&studio, json!({})).await];
    let id = studio.upload(&colourful([20, 20])).await;
    let body = json!({ "kind": "stylize", "picture": id, "style": STYLE });
    studio.post("/api/jobs", &body).await.is(429, "queue_full");
    for job in jobs {
        studio.delete(&format!("/api/jobs/{job}")).await;
        studio.ended(&job).await;
    }
    studio.done(body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_streams_are_refused_and_closing_one_makes_room() {
    let studio = with(|settings| settings.limits.streams = 1);
    let (events, _) = page(&studio).await;
    studio.get("/api/events").await.is(429, "queue_full");
    drop(events);
    let (_events, _) = page(&studio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_never_fit_is_refused_with_a_size_that_does() {
    let studio = with(|settings| settings.limits.memory = 600_000_000);
    let id = studio.upload(&colourful([300, 400])).await;
    let body =
        |size: usize| json!({ "kind": "stylize", "picture": id, "style": STYLE, "size": size });
    let refused = studio.post("/api/jobs", &body(20_000)).await;
    refused.is(422, "out_of_memory");
    let remedy = refused.json()["error"]["remedy"].as_str().unwrap().to_owned();
    let size = remedy.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    let admitted = studio.post("/api/jobs", &body(size)).await;
    assert_eq!(admitted.status, StatusCode::ACCEPTED, "{}", admitted.text());
    let job = admitted.json()["id"].as_str().unwrap().to_owned();
    studio.delete(&format!("/api/jobs/{job}")).await;
    studio.ended(&job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_uses_expires() {
    let studio = with(|settings| settings.limits.age = Duration::from_millis(300));
    let id = studio.upload(&colourful([20, 20])).await;
    let result = studio.done(json!({ "kind": "stylize", "picture": id, "style": STYLE })).await;
    let place = format!("/api/results/{}", result["id"].as_str().unwrap());
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        studio.session.sweep();
        assert_eq!(studio.get(&place).await.status, StatusCode::OK); // used, so kept
    }
    studio.get(&format!("/api/pictures/{id}")).await.is(410, "gone");
    let (mut events, _) = page(&studio).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    studio.session.sweep();
    studio.get(&place).await.is(410, "gone");
    studio.get(&format!("{place}/file")).await.is(410, "gone");
    let told = async { while events.next().await.unwrap()["id"] != result["id"] {} };
    tokio::time::timeout(Duration::from_secs(5), told).await.expect("the page is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_used_for_longest_makes_room() {
    // A third is for pictures of 270 kB: two, not three. Decoding one takes less than the rest.
    let studio = with(|settings| {
        settings.limits.memory = 2_295_000;
        settings.limits.upload = 60_000;
    });
    let plain =
        |side: usize| Picture::new([side; 2], Channels::Rgb, Pixels::U8(vec![90; 3 * side * side]));
    let picture = plain(300);
    let first = studio.upload(&picture).await;
    let second = studio.upload(&picture).await;
    let look = async |id: &str| studio.get(&format!("/api/pictures/{id}")).await.status.as_u16();
    assert_eq!(look(&first).await, 200); // now the second is the older
    let third = studio.upload(&picture).await;
    assert_eq!([look(&first).await, look(&second).await, look(&third).await], [200, 410, 200]);
    let large = encode(&plain(600), Format::Png, &EncodeOptions::default()).unwrap();
    studio.upload_as("image/png", large).await.is(413, "too_many_pixels");
}
