//! Pictures that come, good and bad.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod support;

use axum::http::StatusCode;
use pentimento::imaging::{
    Channels, EncodeOptions, Format, Limits, Picture, Pixels, decode, encode,
};
use support::{colourful, grey, studio, with};

const MEDIA: [(Format, &str); 5] = [
    (Format::Jpeg, "image/jpeg"),
    (Format::Png, "image/png"),
    (Format::WebP, "image/webp"),
    (Format::Tiff, "image/tiff"),
    (Format::Bmp, "image/bmp"),
];

fn file(format: Format) -> Vec<u8> {
    encode(&colourful([30, 40]), format, &EncodeOptions::default()).unwrap()
}

#[tokio::test]
async fn every_format_comes_in_and_can_be_looked_at() {
    let studio = studio();
    for (format, media) in MEDIA {
        let answer = studio.upload_as(media, file(format)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{media}: {}", answer.text());
        let about = answer.json();
        assert_eq!((&about["width"], &about["height"]), (&40.into(), &30.into()));
        assert_eq!((&about["name"], &about["in_color"]), (&"a cat.png".into(), &true.into()));
        let place = answer.header("location").to_owned();
        assert_eq!(studio.get(&place).await.json(), about);
        let preview = studio.get(&format!("{place}/preview?side=20")).await;
        assert_eq!(preview.header("content-type"), "image/jpeg");
        assert!(preview.header("cache-control").contains("immutable"));
        let shown = decode(&preview.bytes, &Limits::default()).unwrap();
        assert_eq!(shown.size(), [15, 20]);
        let large = studio.get(&format!("{place}/preview?side=4096")).await;
        assert_eq!(decode(&large.bytes, &Limits::default()).unwrap().size(), [30, 40]);
    }
    let listed = studio.get("/api/pictures").await.json();
    assert_eq!(listed["pictures"].as_array().unwrap().len(), 5);
    assert_eq!(listed["pictures"][0]["format"], "bmp");
}

#[tokio::test]
async fn transparency_stays_in_what_is_looked_at_and_grey_is_told() {
    let studio = studio();
    let clear = Picture::new([20, 20], Channels::GreyAlpha, Pixels::U8(vec![77; 800]));
    let id = studio.upload(&clear).await;
    let about = studio.get(&format!("/api/pictures/{id}")).await.json();
    assert_eq!([&about["alpha"], &about["grey"], &about["in_color"]], [true, true, false]);
    let shown = studio.get(&format!("/api/pictures/{id}/preview")).await;
    assert_eq!(shown.header("content-type"), "image/png");
    assert!(decode(&shown.bytes, &Limits::default()).unwrap().channels().has_alpha());
    let about = studio.upload(&grey([20, 20])).await;
    let about = studio.get(&format!("/api/pictures/{about}")).await.json();
    assert_eq!(about["in_color"], false);
}

#[tokio::test]
async fn samples_ship_and_become_pictures() {
    let studio = studio();
    let samples = studio.get("/api/samples").await.json();
    for sample in samples["samples"].as_array().unwrap() {
        let name = sample["name"].as_str().unwrap();
        let shown = studio.get(&format!("/api/samples/{name}/preview?side=64")).await;
        assert_eq!(
            decode(&shown.bytes, &Limits::default()).unwrap().size().into_iter().max(),
            Some(64)
        );
        let opened = studio.post(&format!("/api/samples/{name}"), &serde_json::json!(null)).await;
        let about = opened.json();
        for field in ["width", "height", "in_color"] {
            assert_eq!(about[field], sample[field], "{name}: {field}");
        }
        assert_eq!(about["sample"], name);
    }
    studio.get("/api/samples/..%2fCargo.toml/preview").await.is(404, "not_found");
    studio.post("/api/samples/none", &serde_json::json!(null)).await.is(404, "not_found");
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_what_never_was_is_not_found() {
    let studio = studio();
    let id = studio.upload(&grey([20, 20])).await;
    let place = format!("/api/pictures/{id}");
    assert_eq!(studio.delete(&place).await.status, StatusCode::NO_CONTENT);
    for path in [place.clone(), format!("{place}/preview")] {
        studio.get(&path).await.is(410, "gone");
    }
    studio.delete(&place).await.is(410, "gone");
    for id in [
        "x",
        "..",
        "%2e%2e%2f",
        "%00",
        "0123456789abcdef0123456789abcdef",
        "..%2f..%2fetc%2fpasswd",
    ] {
        for path in [format!("/api/pictures/{id}/preview"), format!("/api/results/{id}/file")] {
            studio.get(&path).await.is(404, "not_found");
        }
    }
}

#[tokio::test]
async fn sides_have_a_range() {
    let studio = studio();
    let id = studio.upload(&grey([20, 20])).await;
    for query in [
        "side=15",
        "side=65536",
        "side=-1",
        "side=x",
        "side=1e3",
        "side=",
        "size=20",
        "side=20&side=30",
    ] {
        studio.get(&format!("/api/pictures/{id}/preview?{query}")).await.is(422, "invalid_option");
    }
}

#[tokio::test]
async fn bytes_must_be_what_they_are_said_to_be() {
    let studio = studio();
    for media in ["", "text/html", "application/json", "image/svg+xml", "image/avif", "image/*"] {
        studio.upload_as(media, file(Format::Png)).await.is(415, "wrong_media_type");
    }
    studio.upload_as("image/jpeg", file(Format::Png)).await.is(415, "wrong_media_type");
    for bytes in [&b""[..], b"<svg onload=alert(1)>", b"\x89PNG", b"<!doctype html>"] {
        studio.upload_as("image/png", bytes.to_vec()).await.is(422, "not_a_picture");
    }
    assert_eq!(studio.get("/api/pictures").await.json()["pictures"], serde_json::json!([]));
}

#[tokio::test]
async fn truncated_and_damaged_files_are_told_and_nothing_breaks() {
    let studio = studio();
    for (format, media) in MEDIA {
        let whole = file(format);
        for at in [4, 11, 16, 30, 64, whole.len() / 2, whole.len() - 40] {
            let answer = studio.upload_as(media, whole[..at.min(whole.len() - 1)].to_vec()).await;
            // A reader may make do with what there is, as browsers do.
            let fine = answer.status == StatusCode::CREATED;
            assert!(
                fine || answer.status == StatusCode::UNPROCESSABLE_ENTITY,
                "{media} {at}: {}",
                answer.text()
            );
        }
        let mut random = testing::Random::new(7);
        for _ in 0..20 {
            let mut bad = whole.clone();
            for value in random.tensor(&[6], 1.0).data() {
                let at = (value.abs() * bad.len() as f32) as usize % bad.len();
                bad[at.max(12)] ^= 0x55;
            }
            let status = studio.upload_as(media, bad).await.status;
            assert!([201, 413, 422].contains(&status.as_u16()), "{media}: {status}");
        }
    }
}

/// A PNG's beginning that says it is of that size.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = file(Format::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

#[tokio::test]
async fn bombs_are_refused_by_what_they_say() {
    let studio = studio();
    for [width, height] in
        [[100_000, 100_000], [10_001, 10_000], [u32::MAX, u32::MAX], [u32::MAX, 1]]
    {
        studio.upload_as("image/png", bomb(width, height)).await.is(413, "too_many_pixels");
    }
    studio.upload_as("image/png", bomb(0, 7)).await.is(422, "not_a_picture");
}

#[tokio::test]
async fn limits_are_what_the_settings_say() {
    let studio = with(|settings| {
        settings.limits.upload = 1000;
        settings.limits.pixels = 1200;
    });
    let small = encode(&grey([8, 8]), Format::Png, &EncodeOptions::default()).unwrap();
    assert_eq!(studio.upload_as("image/png", small).await.status, StatusCode::CREATED);
    let many = encode(
        &Picture::new([40, 31], Channels::Grey, Pixels::U8(vec![9; 1240])),
        Format::Png,
        &EncodeOptions::default(),
    );
    studio.upload_as("image/png", many.unwrap()).await.is(413, "too_many_pixels");
    studio.upload_as("image/png", file(Format::Bmp)).await.is(413, "too_large");
    // Without saying how long it is, it is read no further than the limit.
    let endless = tokio_stream::iter((0..1000).map(|_| Ok::<_, std::io::Error>(vec![0u8; 100])));
    studio
        .upload_as("image/png", axum::body::Body::from_stream(endless))
        .await
        .is(413, "too_large");
}

#[tokio::test]
async fn with_too_little_memory_uploads_are_put_off() {
    let studio = with(|settings| settings.limits.memory = 100_000);
    studio.upload_as("image/png", file(Format::Png)).await;
    let long = tokio_stream::iter([Ok::<_, std::io::Error>(vec![0u8; 100])]);
    studio
        .upload_as("image/png", axum::body::Body::from_stream(long))
        .await
        .is(503, "out_of_memory");
}
