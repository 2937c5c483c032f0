//! `pentimento classify`, with tiny networks.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod support;

use std::collections::BTreeMap;

use pentimento::graph::Encoding;
use pentimento::nets;
use pentimento::weights::{self, NetworkCard, Precision, StateDict};
use support::{Place, Ran};

const TINY: &str = r#"{"size": 46, "width": 2, "hidden": 4}"#;

/// Weights that make the second class likelier by far, whatever is seen.
fn tensors(name: &str, config: &str) -> StateDict {
    let graph = nets::by_name(name, config).unwrap().graph;
    let last = graph.params().last().unwrap().name.clone();
    let value = |param: &pentimento::graph::Param| {
        let value = if param.name == last { 3.0 } else { 0.0 };
        let data = vec![value; param.len()];
        (param.name.clone(), pentimento::tensor::Tensor::new(param.shape.clone(), data))
    };
    graph.params().iter().map(value).collect()
}

/// A file that says which network it is, and what it tells apart.
fn tiny(place: &Place, classes: &[&str]) {
    let mut card = NetworkCard::new("cats_and_dogs", Encoding::UNIT, None);
    card.config = serde_json::from_str(TINY).unwrap();
    card.classes = classes.iter().map(ToString::to_string).collect();
    let tensors = tensors("cats_and_dogs", TINY);
    let path = place.path("pets.safetensors");
    weights::write(&path, &tensors, &card.to_metadata(), Precision::F32).unwrap();
}

#[test]
fn the_likeliest_classes_are_told() {
    let place = Place::with_photo("a.png", [60, 50]);
    place.photo("b.jpg", [30, 90]);
    tiny(&place, &[]);
    let run = place.run(&["classify", "a.png", "--model", "pets.safetensors"]).ended(0, &[]);
    // A sigmoid of 3.
    let lines: Vec<Vec<&str>> = run.out.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines, [["dogs", "0.9526"], ["cats", "0.0474"]]);
    tiny(&place, &["left", "right"]);
    let words = ["classify", "a.png", "b.jpg", "--model", "pets.safetensors", "--top", "1"];
    let run = place.run(&words).ended(0, &[]);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!([lines[0], lines[2]], ["a.png", "b.jpg"]);
    assert!(lines[1].starts_with("right"), "{lines:?}");
    let json = place.run(&[&words[..], &["--json"]].concat()).ended(0, &[]).json();
    assert_eq!(json[1]["picture"], "b.jpg");
    assert_eq!(json[1]["top"][0]["class"], 1);
    assert_eq!(json[1]["top"][0]["name"], "right");
    assert_eq!(json[1]["top"].as_array().unwrap().len(), 1);
}

#[test]
fn pictures_that_cannot_be_read_are_named_and_the_rest_judged() {
    let place = Place::with_photo("a.png", [60, 50]);
    place.file("text.png", b"no picture");
    tiny(&place, &[]);
    let words = |picture| ["classify", picture, "--model", "pets.safetensors", "--json"];
    let mut both = words("text.png").to_vec();
    both.insert(2, "a.png");
    let json = place.run(&both).ended(1, &["text.png: "]).json();
    assert!(json[0]["error"].is_string() && json[0].get("top").is_none());
    assert!(json[1]["top"].is_array());
    place.run(&words("text.png")).ended(3, &["text.png: ", "no picture can be read"]);
    place.run(&words("none.png")).ended(3, &["none.png: "]);
    let few = [&words("a.png")[..], &["--max-pixels", "100"]].concat();
    place.run(&few).ended(3, &["a.png: "]);
}

#[test]
fn a_model_that_is_none_is_refused() {
    let place = Place::with_photo("a.png", [60, 50]);
    let refused = |model: &str, status, words: &[&str]| {
        place.run(&["classify", "a.png", "--model", model]).ended(status, words);
    };
    refused("vgg17", 4, &["there is no network \"vgg17\"", "is it vgg", "vgg16, vgg19"]);
    refused("imfw_net", 2, &["imfw_net is no classifier; these are: cats_and_dogs"]);
    refused("tiny.safetensors", 4, &["tiny.safetensors: transformer_net is no classifier"]);
    refused("resnet50", 4, &["resnet50", "--weights"]);
    place.file("text.pth", b"no weights");
    refused("text.pth", 4, &["text.pth"]);
    refused("a.png", 4, &["a.png"]);
}

#[test]
fn a_checkpoint_of_another_network_names_both() {
    let place = Place::with_photo("a.png", [60, 50]);
    let path = place.path("mobile.safetensors");
    let tensors = tensors("mobilenet_v2", "");
    weights::write(&path, &tensors, &BTreeMap::new(), Precision::F32).unwrap();
    let words = ["classify", "a.png", "--model", "resnet18", "--weights", "mobile.safetensors"];
    place.run(&words).ended(4, &["these are weights of mobilenet_v2, not of resnet18"]);
    // It is known by its names where nothing else is said; the last class has the 3.
    let run = place.run(&["classify", "a.png", "--model", "mobile.safetensors"]).ended(0, &[]);
    assert!(run.out.lines().count() == 5 && run.out.starts_with("n01440764  tench"), "{}", run.out);
}

/// Small models exported by PyTorch, each by both of its exporters.
fn exported(name: &str) -> String {
    format!("{}/../../../golden/onnx/{name}.onnx", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn an_onnx_model_classifies() {
    let place = Place::new();
    place.photo("a.png", [60, 50]);
    let run = |model: &str, more: &[&str]| {
        let words = ["classify", "a.png", "--model", model, "--top", "10", "--json"];
        place.run(&[&words[..], more].concat())
    };
    let classes = |ran: Ran| -> Vec<(u64, f64)> {
        let of = |guess: &serde_json::Value| {
            (guess["class"].as_u64().unwrap(), guess["probability"].as_f64().unwrap())
        };
        ran.json()[0]["top"].as_array().unwrap().iter().map(of).collect()
    };
    let script = run(&exported("vgg16.script17"), &[]);
    let script = classes(script.ended(0, &["taken as --encoding imagenet"]));
    let mut seen: Vec<u64> = script.iter().map(|(class, _)| *class).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..10).collect::<Vec<u64>>());
    assert!((script.iter().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-5, "{script:?}");
    // The same network through the other exporter; and fed with other numbers.
    let dynamo = classes(run(&exported("vgg16.dynamo"), &["--encoding", "imagenet"]).ended(0, &[]));
    for ((class, p), (other, q)) in script.iter().zip(&dynamo) {
        assert!(class == other && (p - q).abs() < 1e-5, "{script:?} {dynamo:?}");
    }
    let unit = run(&exported("vgg16.script17"), &["--encoding", "unit"]).ended(0, &[]);
    assert!(!unit.err.contains("imagenet"), "{}", unit.err);
    assert_ne!(classes(unit), script);
}

#[test]
fn onnx_models_that_cannot_say_what_a_picture_shows_are_refused() {
    let place = Place::new();
    place.photo("a.png", [60, 50]);
    let style = exported("style.script");
    let words = ["classify", "a.png", "--model", &style];
    place.run(&words).ended(4, &["style.script is no classifier"]);
    let resnet = exported("resnet18.script17");
    let words = ["classify", "a.png", "--model", "resnet18", "--weights", &resnet];
    place.run(&words).ended(4, &["resnet18.script17.onnx", "give it in the network's place"]);
}
