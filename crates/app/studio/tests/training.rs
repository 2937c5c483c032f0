//! Runs of training: what the folder says, what is refused, and a run from begin to end.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use pentimento::imaging::{EncodeOptions, encode_file};
use pentimento::nets;
use pentimento::pipeline::pull::{self, Cache};
use pentimento::tensor::Tensor;
use pentimento::train::data::Folder;
use pentimento::train::run::{Begin, Journal, RunFolder};
use pentimento::train::style::TABLES;
use pentimento::weights::{self, Precision};
use serde_json::{Value, json};
use support::{Tried, colourful, holds, parsed, request, studio, with};
use tokio_stream::StreamExt;
use tower::ServiceExt;

/// A run as the command line leaves it.
fn leave_run(folder: &Path, name: &str, steps: u64) -> RunFolder {
    let run = RunFolder::open(&folder.join(format!("{name}.safetensors.run")), Begin::New).unwrap();
    let mut journal = Journal::open(&run, 0, &TABLES).unwrap();
    for step in 1..=steps {
        let loss = 1.0 / step as f64;
        journal
            .line(0, step, &[loss, loss, loss, 0.0, 3.0 * loss, 0.1, 0.001, step as f64])
            .unwrap();
    }
    journal.line(1, steps, &[0.5, 0.25, 0.125, 0.0, 0.875]).unwrap();
    journal.preview(steps, "photo", &Tensor::zeros([1, 3, 8, 8])).unwrap();
    run
}

fn photographs(folder: &Path) {
    for name in ["a.png", "below/b.png"] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        encode_file(&colourful([40, 50]), &path, &EncodeOptions::default()).unwrap();
    }
}

async fn all(studio: &Tried) -> Vec<Value> {
    studio.get("/api/trainings").await.json()["trainings"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_the_command_line_appear() {
    let studio = studio();
    assert!(all(&studio).await.is_empty());
    drop(leave_run(studio.folder.path(), "wave", 5));
    let at_work = leave_run(studio.folder.path(), "busy", 3);
    fs::create_dir(studio.folder.path().join("other.run")).unwrap();
    fs::write(studio.folder.path().join("other.run/losses.csv"), "step,accuracy\n").unwrap();
    let runs = all(&studio).await;
    let states: Vec<_> = runs.iter().map(|run| (&run["name"], &run["state"])).collect();
    assert_eq!(
        states,
        [(&json!("busy"), &json!("elsewhere")), (&json!("wave"), &json!("stopped"))]
    );
    let place = format!("/api/trainings/{}", runs[0]["id"].as_str().unwrap());
    studio.post(&format!("{place}/resume"), &json!(null)).await.is(409, "conflict");
    let stopping = studio.post(&format!("{place}/stop"), &json!(null)).await;
    assert_eq!(
        (stopping.status, &stopping.json()["state"]),
        (StatusCode::ACCEPTED, &json!("stopping"))
    );
    assert!(at_work.is_asked_to_stop());
    drop(at_work);
    let wave = &runs[1];
    assert_eq!([&wave["steps"], &wave["origin"]], [&json!(5), &json!("command")]);
    assert_eq!([&wave["can_resume"], &wave["validation"]["total"]], [&json!(false), &json!(0.875)]);
    let place = format!("/api/trainings/{}", wave["id"].as_str().unwrap());
    assert_eq!(studio.get(&place).await.json()["id"], wave["id"]);
    let losses = studio.get(&format!("{place}/losses?after=2&most=2")).await.json();
    let steps: Vec<_> = losses["rows"].as_array().unwrap().iter().map(|row| &row[0]).collect();
    assert_eq!(steps, [3.0, 5.0]);
    assert_eq!(losses["columns"][0], "step");
    assert_eq!(studio.get(&format!("{place}/validation")).await.json()["rows"][0][5], 0.875);
    let shown = studio.get(wave["previews"][0]["url"].as_str().unwrap()).await;
    assert_eq!(shown.header("content-type"), "image/png");
    for path in ["previews/1", "previews/x", "previews/..%2flosses.csv"] {
        studio.get(&format!("{place}/{path}")).await.is(404, "not_found");
    }
    for query in ["most=1", "most=10001", "after=-1", "until=3"] {
        studio.get(&format!("{place}/losses?{query}")).await.is(422, "invalid_option");
    }
    for verb in ["stop", "resume"] {
        let answer = studio.post(&format!("{place}/{verb}"), &json!(null)).await;
        answer.is(409, "conflict");
    }
    studio.get("/api/trainings/none").await.is(404, "not_found");
    studio.post("/api/trainings/none/stop", &json!(null)).await.is(404, "not_found");
    studio.post("/api/trainings/..%2f..%2fetc/resume", &json!(null)).await.is(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_folders_that_were_given_are_told() {
    let photos = tempfile::tempdir().unwrap();
    photographs(photos.path());
    let without = studio();
    let told = without.get("/api/training").await.json();
    assert_eq!([&told["available"], &told["folders"]], [&json!(false), &json!([])]);
    assert!(told["remedy"].as_str().unwrap().contains("--photos"));
    let studio = with(|settings| settings.photos = vec![photos.path().to_owned()]);
    let told = studio.get("/api/training").await.json();
    let counts: Vec<_> =
        told["folders"].as_array().unwrap().iter().map(|f| &f["photographs"]).collect();
    assert_eq!(counts, [2, 1]);
    let secret = photos.path().parent().unwrap().to_string_lossy().into_owned();
    assert!(!told.to_string().contains(&secret), "{told}");
    assert_eq!(told["recipes"][0]["name"], "pentimento");
    let painting = studio.upload(&colourful([40, 40])).await;
    let folder = told["folders"][0]["id"].clone();
    let ask = |more: Value| {
        let mut body = json!({ "name": "mine", "painting": painting, "folder": folder });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (status, code, more) in [
        (404, "not_found", json!({ "folder": "/etc" })),
        (404, "not_found", json!({ "folder": photos.path() })),
        (404, "not_found", json!({ "painting": "none" })),
        (422, "invalid_option", json!({ "name": "../mine" })),
        (422, "invalid_option", json!({ "name": "" })),
        (422, "invalid_option", json!({ "name": "a".repeat(65) })),
        (422, "invalid_option", json!({ "recipe": "/etc/passwd" })),
        (422, "invalid_option", json!({ "start": "../secret.safetensors" })),
        (422, "invalid_option", json!({ "style_weight": -1 })),
        (422, "invalid_option", json!({ "style_degrain": 65 })),
        (422, "invalid_option", json!({ "bogus": 1 })),
    ] {
        studio.post("/api/trainings", &ask(more)).await.is(status, code);
    }
    assert!(all(&studio).await.is_empty());
}

async fn until(studio: &Tried, place: &str, fine: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..3000 {
        let run = studio.get(place).await.json();
        if fine(&run) {
            return run;
        }
        assert_ne!(run["state"], "failed", "{run}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not come to that: {}", studio.get(place).await.json());
}

/// A loss network of made-up weights, where a fetched one would lie.
fn loss_network(folder: &Path) -> Cache {
    let net = nets::by_name("vgg", r#"{"up_to": "relu4_3"}"#).unwrap();
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 32768.0 - 1.0
    };
    let mut made_up = |shape: &[usize]| {
        let fan_in = shape.iter().skip(1).product::<usize>().max(1) as f32;
        let value = |_| noise() * (6.0 / fan_in).sqrt();
        Tensor::new(shape.to_vec(), (0..shape.iter().product()).map(value).collect())
    };
    let params = net.graph.params().iter();
    let tensors = params.map(|param| (param.name.clone(), made_up(&param.shape))).collect();
    let cache = Cache::at(folder);
    let path = cache.path(pull::named("vgg16").unwrap());
    weights::write(&path, &tensors, &[].into(), Precision::F16).unwrap();
    cache
}

/// What the session tells of its runs, for as long as it is asked.
fn listen(studio: &Tried) -> Arc<Mutex<String>> {
    let heard = Arc::new(Mutex::new(String::new()));
    let (router, told) = (studio.router.clone(), Arc::clone(&heard));
    let asked = request(Method::GET, "/api/events").body(Body::empty()).unwrap();
    tokio::spawn(async move {
        let mut stream = router.oneshot(asked).await.unwrap().into_body().into_data_stream();
        while let Some(Ok(bytes)) = stream.next().await {
            told.lock().unwrap().push_str(std::str::from_utf8(&bytes).unwrap());
        }
    });
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_is_trained_stopped_and_resumed() {
    let [photos, weights] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    // Which are kept out depends on their names.
    let kept_out = || Folder::open(photos.path()).unwrap().split(0.02).1.photos().len();
    for i in 0.. {
        let path = photos.path().join(format!("photograph {i}.png"));
        encode_file(&colourful([40, 50]), &path, &EncodeOptions::default()).unwrap();
        if kept_out() > 0 {
            break;
        }
    }
    let studio = with(|settings| {
        settings.photos = vec![photos.path().to_owned()];
        settings.weights = Some(loss_network(weights.path()));
    });
    let heard = listen(&studio);
    let told = studio.get("/api/training").await.json();
    assert_eq!(told["available"], true, "{told}");
    let painting = studio.upload(&colourful([64, 64])).await;
    let body = json!({
        "name": "mine", "painting": painting, "folder": told["folders"][0]["id"], "steps": 30,
        "batch": 1, "size": 32, "style_size": 64, "style_degrain": 4, "preview_every": 2, "checkpoint_every": 1,
    });
    let begun = studio.post("/api/trainings", &body).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
    let place = begun.header("location").to_owned();
    studio.post("/api/trainings", &body).await.is(409, "conflict");
    until(&studio, &place, |run| run["steps"].as_u64() >= Some(2)).await;
    let stopped = studio.post(&format!("{place}/stop"), &json!(null)).await;
    assert_eq!(stopped.status, StatusCode::ACCEPTED);
    let run = until(&studio, &place, |run| run["state"] == "stopped").await;
    assert!(run["steps"].as_u64() < Some(30), "{run}");
    assert_eq!([&run["can_resume"], &run["origin"]], [&json!(true), &json!("studio")]);
    let resumed = studio.post(&format!("{place}/resume"), &json!(null)).await;
    assert_eq!(resumed.status, StatusCode::ACCEPTED, "{}", resumed.text());
    let run = until(&studio, &place, |run| run["state"] == "done").await;
    assert_eq!([&run["steps"], &run["total"]], [30, 30]);
    assert!(!run["previews"].as_array().unwrap().is_empty(), "{run}");
    let rows = studio.get(&format!("{place}/losses")).await.json()["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 30);
    let listed = studio.get("/api/styles").await.json();
    let mine =
        listed["styles"].as_array().unwrap().iter().find(|style| style["id"] == run["style"]);
    assert_eq!(mine.unwrap()["title"], "mine", "{listed}");
    studio.done(json!({ "kind": "stylize", "picture": painting, "style": run["style"] })).await;
    let only_mine = json!({ "kind": "gallery", "picture": painting, "styles": [run["style"]] });
    assert_eq!(studio.done(only_mine).await["images"][0]["style"], run["style"]);
    holds_together(&heard.lock().unwrap());
}

/// Events of a run that was stopped, resumed and done: its steps grow, losses and previews come.
fn holds_together(heard: &str) {
    let events = parsed(heard);
    let of_run: Vec<_> = events.iter().filter(|(name, _)| name == "training").collect();
    for (_, run) in &of_run {
        holds(&json!({ "$ref": "#/components/schemas/Training" }), run);
    }
    let mut states: Vec<_> = of_run.iter().map(|(_, run)| run["state"].as_str().unwrap()).collect();
    states.dedup();
    let at = |state| states.iter().position(|&seen| seen == state);
    assert!(at("waiting").is_some() && at("waiting") < at("stopped"), "{states:?}");
    assert!(at("stopped") < at("done") && states.last() == Some(&"done"), "{states:?}");
    let steps: Vec<_> = of_run.iter().map(|(_, run)| run["steps"].as_u64().unwrap()).collect();
    assert!(steps.is_sorted(), "{steps:?}");
    let last = &of_run.last().unwrap().1;
    assert!(last["losses"]["style"].as_f64() > Some(0.0), "{last}");
    assert!(last["validation"]["total"].as_f64() > Some(0.0), "{last}");
    assert!(!last["previews"].as_array().unwrap().is_empty(), "{last}");
}
