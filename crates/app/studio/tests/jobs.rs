//! Jobs and what comes of them.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod support;

use axum::http::StatusCode;
use pentimento::imaging::{
    Channels, EncodeOptions, Format, Limits, Metadata, Picture, Pixels, decode, encode,
};
use pentimento::pipeline::{Colors, StylizeOptions, Stylizer, shipped};
use serde_json::{Value, json};
use support::{Tried, colourful, grey, holds, parsed, studio};

const STYLE: &str = "starry-night";

fn values(picture: &Picture) -> &[u8] {
    let Pixels::U8(values) = picture.pixels() else { panic!("not 8 bits") };
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_stylized_once_and_blended_as_often_as_one_likes() {
    let studio = studio();
    let picture = colourful([40, 56]);
    let id = studio.upload(&picture).await;
    let result = studio.done(json!({ "kind": "stylize", "picture": id, "style": STYLE })).await;
    assert_eq!([&result["width"], &result["height"]], [56, 40]);
    assert_eq!([&result["blend"], &result["complete"]], [true, true]);
    assert_eq!(result["picture"], id);
    let place = format!("/api/results/{}", result["id"].as_str().unwrap());
    let file = |query: &str| format!("{place}/file?format=png&{query}");
    let style = shipped().find(|style| style.name == STYLE).unwrap();
    let mut stylizer = Stylizer::new(style.open().unwrap());
    for (query, strength, colors, most) in [
        ("", 1.0, Colors::Style, 0),
        ("strength=0.4", 0.4, Colors::Style, 1),
        ("strength=0", 0.0, Colors::Style, 0),
        // Rounding before the lightness is taken moves a channel by what half a level of each
        // of the three weighs, and by another half in the end.
        ("strength=0.7&colors=picture", 0.7, Colors::Picture, 2),
        ("strength=0.7&keep=1", 0.7, Colors::Picture, 2),
    ] {
        let options = StylizeOptions { strength, colors, ..StylizeOptions::default() };
        let want = stylizer.stylize(&picture, &options).unwrap();
        let got = studio.get(&file(query)).await;
        assert_eq!(got.header("content-type"), "image/png");
        assert!(got.header("content-disposition").starts_with("attachment; filename=\"a cat-"));
        let got = decode(&got.bytes, &Limits::default()).unwrap();
        let off = values(&got).iter().zip(values(&want)).map(|(g, w)| g.abs_diff(*w)).max();
        assert!(off <= Some(most), "{query}: {off:?}");
    }
    for path in ["preview", "original", "preview?strength=0.5&colors=picture"] {
        let shown = studio.get(&format!("{place}/{path}")).await;
        assert_eq!(decode(&shown.bytes, &Limits::default()).unwrap().size(), [40, 56], "{path}");
        assert!(shown.header("cache-control").contains("immutable"));
    }
    for query in [
        "strength=1.1",
        "strength=NaN",
        "strength=-0.1",
        "colors=red",
        "keep=1.01",
        "keep=0.5&colors=style",
        "quality=0",
        "format=gif",
        "format=exe",
    ] {
        studio.get(&file(query)).await.is(422, "invalid_option");
    }
    assert_eq!(studio.delete(&format!("/api/pictures/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(studio.get(&file("strength=0.5")).await.status, StatusCode::OK);
    assert_eq!(studio.delete(&place).await.status, StatusCode::NO_CONTENT);
    studio.get(&place).await.is(410, "gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn strokes_can_be_larger() {
    let studio = studio();
    let picture = colourful([60, 80]);
    let id = studio.upload(&picture).await;
    let request = |strokes: f32| json!({ "kind": "stylize", "picture": id, "style": STYLE, "strokes": strokes });
    let result = studio.done(request(2.0)).await;
    let file = format!("/api/results/{}/file?format=png", result["id"].as_str().unwrap());
    let got = decode(&studio.get(&file).await.bytes, &Limits::default()).unwrap();
    let style = shipped().find(|style| style.name == STYLE).unwrap();
    let options = StylizeOptions { strokes: Some(2.0), ..StylizeOptions::default() };
    let want = Stylizer::new(style.open().unwrap()).stylize(&picture, &options).unwrap();
    assert_eq!(values(&got), values(&want));
    for wrong in [0.5, 17.0] {
        studio.post("/api/jobs", &request(wrong)).await.is(422, "invalid_option");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_keep_what_the_picture_carries() {
    let studio = studio();
    let mut metadata = Metadata::default();
    metadata.xmp = Some(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>".to_vec());
    let sixteen = Pixels::U16((0..24 * 24 * 4).map(|i| (i * 113 % 65_536) as u16).collect());
    let picture = Picture::new([24, 24], Channels::Rgba, sixteen).with_metadata(metadata);
    let id = studio.upload(&picture).await;
    let about = studio.get(&format!("/api/pictures/{id}")).await.json();
    assert_eq!([&about["depth"], &about["alpha"]], [&json!(16), &json!(true)]);
    let result =
        studio.done(json!({ "kind": "stylize", "picture": id, "style": STYLE, "size": 16 })).await;
    let place = format!("/api/results/{}/file", result["id"].as_str().unwrap());
    let file = decode(&studio.get(&place).await.bytes, &Limits::default()).unwrap();
    assert_eq!((file.size(), file.channels()), ([16, 16], Channels::Rgba));
    assert_eq!(file.depth(), picture.depth());
    assert!(file.metadata().xmp.is_some());
    for (format, media) in [
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("tiff", "image/tiff"),
        ("bmp", "image/bmp"),
    ] {
        let file = studio.get(&format!("{place}?format={format}")).await;
        assert_eq!(file.header("content-type"), media);
        assert_eq!(decode(&file.bytes, &Limits::default()).unwrap().size(), [16, 16]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_picture_has_a_quick_version_first() {
    let studio = studio();
    let id = studio.upload(&colourful([400, 660])).await;
    let job = studio
        .post("/api/jobs", &json!({ "kind": "stylize", "picture": id, "style": STYLE }))
        .await;
    let job = job.json()["id"].as_str().unwrap().to_owned();
    let events = studio.get(&format!("/api/jobs/{job}/events")).await;
    assert_eq!(events.header("content-type"), "text/event-stream");
    let events = parsed(&events.text());
    for (name, data) in &events {
        let schema = if name == "part" { "Part" } else { "Job" };
        holds(&json!({ "$ref": format!("#/components/schemas/{schema}") }), data);
    }
    let part = events.iter().find(|(name, _)| name == "part").expect("a quick version");
    assert_eq!(part.1["role"], "quick");
    let fractions: Vec<f64> =
        events.iter().filter_map(|(_, data)| data["fraction"].as_f64()).collect();
    assert!(fractions.is_sorted() && fractions.len() > 3, "{fractions:?}");
    let (name, last) = events.last().unwrap();
    assert_eq!(
        (name.as_str(), &last["state"], &last["fraction"]),
        ("job", &json!("done"), &json!(1.0))
    );
    let shown = studio.get(part.1["url"].as_str().unwrap()).await;
    assert_eq!(decode(&shown.bytes, &Limits::default()).unwrap().size(), [400, 660]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_style_is_shown_on_the_users_own_picture() {
    let studio = studio();
    let styles = studio.get("/api/styles").await.json();
    let styles = styles["styles"].as_array().unwrap();
    assert_eq!(styles.len(), shipped().len());
    let id = studio.upload(&colourful([60, 90])).await;
    let result = studio.done(json!({ "kind": "gallery", "picture": id, "side": 48 })).await;
    let images = result["images"].as_array().unwrap();
    let shown: Vec<_> = images.iter().map(|image| &image["style"]).collect();
    assert_eq!(shown, styles.iter().map(|style| &style["id"]).collect::<Vec<_>>());
    for image in images {
        let bytes = studio.get(image["url"].as_str().unwrap()).await.bytes;
        assert_eq!(decode(&bytes, &Limits::default()).unwrap().size(), [32, 48]);
    }
    let place = format!("/api/results/{}", result["id"].as_str().unwrap());
    studio.get(&format!("{place}/images/{}", images.len())).await.is(404, "not_found");
    studio.get(&format!("{place}/images/x")).await.is(404, "not_found");
    studio.get(&format!("{place}/preview")).await.is(404, "not_found");
    let one = studio.done(json!({ "kind": "gallery", "picture": id, "styles": ["scream"] })).await;
    assert_eq!(one["images"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_come_and_follow_hints() {
    let studio = studio();
    let id = studio.upload(&grey([64, 96])).await;
    let proposals = json!({ "kind": "proposals", "picture": id, "x": 90, "y": 60, "count": 4 });
    let proposed = studio.done(proposals).await["data"].clone();
    let colors = proposed["colors"].as_array().unwrap();
    assert!((1..=4).contains(&colors.len()), "{proposed}");
    let all: f64 = colors.iter().map(|c| c["probability"].as_f64().unwrap()).sum();
    assert!((all - 1.0).abs() < 1e-4, "{all}");
    let plain = studio.done(json!({ "kind": "colorize", "picture": id })).await;
    let hints = json!([{ "x": 48, "y": 32, "color": "#c03020" }]);
    let hinted = json!({ "kind": "colorize", "picture": id, "hints": hints });
    let hinted = studio.done(hinted).await;
    assert_eq!([&plain["blend"], &plain["complete"]], [false, true]);
    let mut redness = vec![];
    for result in [&plain, &hinted] {
        let place = format!("/api/results/{}", result["id"].as_str().unwrap());
        let file = decode(&studio.get(&format!("{place}/file")).await.bytes, &Limits::default());
        let file = file.unwrap();
        let pixel = &values(&file)[(32 * 96 + 48) * 3..][..3];
        redness.push(i32::from(pixel[0]) - i32::from(pixel[1]));
        studio.get(&format!("{place}/preview?strength=0.5")).await.is(422, "invalid_option");
    }
    assert!(redness[1] > redness[0] + 20, "{redness:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_can_be_looked_into() {
    let studio = studio();
    let networks = studio.get("/api/networks").await.json();
    let ids: Vec<_> = networks["networks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"cats-and-dogs") && ids.contains(&"style:scream"), "{ids:?}");
    let id = studio.upload(&colourful([120, 160])).await;
    for network in ["cats-and-dogs", "style:scream"] {
        let about = studio.get(&format!("/api/networks/{network}")).await.json();
        let layer = &about["defaults"]["activations"];
        let shown =
            json!({ "kind": "activations", "picture": id, "network": network, "layer": layer });
        let shown = studio.done(shown).await;
        let data = &shown["data"];
        let wide = data["columns"].as_u64().unwrap() * data["cell_width"].as_u64().unwrap();
        assert_eq!(shown["width"], wide);
        let filters = json!({
            "kind": "filters", "network": network, "layer": about["defaults"]["filters"],
            "channels": [0, 2], "side": 32, "steps": 2,
        });
        let filters = studio.done(filters).await;
        assert_eq!(filters["images"].as_array().unwrap().len(), 2);
        assert_eq!(filters["data"]["columns"], 2);
    }
    let about = studio.get("/api/networks/cats-and-dogs").await.json();
    assert_eq!(about["class_names"], json!(["cats", "dogs"]));
    for method in about["methods"].as_array().unwrap().iter().filter(|m| m["slow"] == false) {
        let cam = json!({ "kind": "cam", "picture": id, "network": "cats-and-dogs", "method": method["name"], "class": 1 });
        let cam = studio.done(cam).await;
        assert_eq!(
            [&cam["data"]["class"], &cam["data"]["class_name"]],
            [&json!(1), &json!("dogs")]
        );
        let map = studio.get(cam["images"][0]["url"].as_str().unwrap()).await;
        assert_eq!(decode(&map.bytes, &Limits::default()).unwrap().size(), [120, 160]);
    }
    let best =
        studio.done(json!({ "kind": "cam", "picture": id, "network": "cats-and-dogs" })).await;
    assert_eq!(best["data"]["classes"][0]["class"], best["data"]["class"]);
    studio.get("/api/networks/none").await.is(404, "not_found");
}

/// Asks for each and wants the same answer to all; no job is left.
async fn all_are(studio: &Tried, (status, code): (u16, &str), bodies: &[Value]) {
    for body in bodies {
        let answer = studio.post("/api/jobs", body).await;
        let seen = (answer.status.as_u16(), answer.code());
        assert_eq!(seen, (status, code.to_owned()), "{body}: {}", answer.text());
    }
    assert_eq!(studio.get("/api/jobs").await.json()["jobs"], json!([]));
}

const INVALID: (u16, &str) = (422, "invalid_option");
const UNKNOWN: (u16, &str) = (404, "not_found");

#[tokio::test(flavor = "multi_thread")]
async fn paintings_that_make_no_sense_are_told() {
    let studio = studio();
    let id = studio.upload(&colourful([30, 40])).await;
    let invalid = [
        json!({}),
        json!({ "kind": "paint" }),
        json!({ "kind": 7 }),
        json!({ "kind": "stylize", "picture": id }),
        json!({ "kind": "stylize", "picture": id, "style": STYLE, "bogus": 1 }),
        json!({ "kind": "stylize", "picture": id, "style": STYLE, "size": 15 }),
        json!({ "kind": "stylize", "picture": id, "style": STYLE, "size": -1 }),
        json!({ "kind": "stylize", "picture": id, "style": STYLE, "keep": "yes" }),
        json!({ "kind": "gallery", "picture": id, "side": 1000 }),
        json!({ "kind": "gallery", "picture": id, "styles": [] }),
    ];
    let unknown = [
        json!({ "kind": "stylize", "picture": id, "style": "../../secret.safetensors" }),
        json!({ "kind": "stylize", "picture": "/etc/passwd", "style": STYLE }),
        json!({ "kind": "gallery", "picture": id, "styles": ["none"] }),
    ];
    let gone = [json!({ "kind": "stylize", "picture": id, "style": STYLE, "client": "gone" })];
    all_are(&studio, INVALID, &invalid).await;
    all_are(&studio, UNKNOWN, &unknown).await;
    all_are(&studio, (409, "conflict"), &gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_that_make_no_sense_are_told() {
    let studio = studio();
    let id = studio.upload(&colourful([30, 40])).await;
    let grey = studio.upload(&grey([30, 40])).await;
    let hinted = |hints: Value| json!({ "kind": "colorize", "picture": grey, "hints": hints });
    let many: Vec<_> = (0..1001).map(|_| json!({ "x": 1, "y": 1, "color": "#000000" })).collect();
    let invalid = [
        json!({ "kind": "colorize", "picture": id }),
        json!({ "kind": "colorize", "picture": grey, "saturation": 5 }),
        json!({ "kind": "colorize", "picture": grey, "temperature": 0 }),
        hinted(json!([{ "x": 40, "y": 0, "color": "#000000" }])),
        hinted(json!([{ "x": 4, "y": 0, "color": "red" }])),
        hinted(json!(many)),
        json!({ "kind": "proposals", "picture": grey, "x": 0, "y": 30 }),
        json!({ "kind": "proposals", "picture": grey, "x": 0, "y": 0, "count": 0 }),
    ];
    all_are(&studio, INVALID, &invalid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_that_make_no_sense_are_told() {
    let studio = studio();
    let id = studio.upload(&colourful([30, 40])).await;
    let (net, far) = ("cats-and-dogs", [100_000]);
    let invalid = [
        json!({ "kind": "activations", "picture": id, "network": net, "layer": "a" }),
        json!({ "kind": "filters", "network": net, "layer": "conv2d", "channels": far }),
        json!({ "kind": "cam", "picture": id, "network": "style:scream" }),
        json!({ "kind": "cam", "picture": id, "network": net, "class": 2 }),
        json!({ "kind": "cam", "picture": id, "network": net, "method": "magic" }),
    ];
    let unknown =
        [json!({ "kind": "activations", "picture": id, "network": "none", "layer": "a" })];
    all_are(&studio, INVALID, &invalid).await;
    all_are(&studio, UNKNOWN, &unknown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_there_is_told() {
    let studio = studio();
    studio.get("/api/jobs/none").await.is(404, "not_found");
    studio.delete("/api/jobs/none").await.is(404, "not_found");
    studio.get("/api/jobs/none/events").await.is(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_own_styles_are_there_and_bad_files_are_told() {
    let studio = studio();
    let ships = shipped().next().unwrap();
    std::fs::write(studio.folder.path().join("mine.safetensors"), ships.bytes).unwrap();
    std::fs::write(studio.folder.path().join("broken.safetensors"), &ships.bytes[..100]).unwrap();
    std::fs::write(studio.folder.path().join("notes.txt"), "no weights").unwrap();
    let listed = studio.get("/api/styles").await.json();
    let own: Vec<_> =
        listed["styles"].as_array().unwrap().iter().filter(|s| s["origin"] == "user").collect();
    assert_eq!((own.len(), &own[0]["name"]), (1, &json!("mine")));
    assert_eq!(listed["problems"].as_array().unwrap().len(), 1);
    assert_eq!(listed["problems"][0]["file"], "broken.safetensors");
    let folder = studio.folder.path().to_string_lossy().into_owned();
    assert!(!listed.to_string().contains(&folder), "{listed}");
    let id = studio.upload(&colourful([20, 20])).await;
    let mine = own[0]["id"].clone();
    studio.done(json!({ "kind": "stylize", "picture": id, "style": mine })).await;
    assert_eq!(
        studio.get("/api/styles").await.json()["styles"].as_array().unwrap().last().unwrap()["id"],
        mine
    );
    std::fs::remove_file(studio.folder.path().join("mine.safetensors")).unwrap();
    let gone = json!({ "kind": "stylize", "picture": id, "style": mine });
    studio.post("/api/jobs", &gone).await.is(404, "not_found");
}

#[tokio::test]
async fn a_jpeg_stays_one_unless_another_format_is_asked_for() {
    let studio = studio();
    let bytes = encode(&colourful([20, 24]), Format::Jpeg, &EncodeOptions::default()).unwrap();
    let id = studio.upload_as("image/jpeg", bytes).await.json()["id"].clone();
    let result = studio.done(json!({ "kind": "stylize", "picture": id, "style": STYLE })).await;
    let file = studio.get(&format!("/api/results/{}/file", result["id"].as_str().unwrap())).await;
    assert_eq!(file.header("content-type"), "image/jpeg");
    assert!(
        file.header("content-disposition").contains(".jpg\""),
        "{}",
        file.header("content-disposition")
    );
}
