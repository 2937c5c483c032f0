//! `pentimento train classifier`, with a tiny network on tiny pictures.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod support;

use std::fs;

use pentimento::train::augment::{Augmentation, Disturbance};
use pentimento::train::classifier::ClassifierRecipe;
use support::Place;

/// Two classes of six pictures, and a recipe.
fn place() -> Place {
    let place = Place::new();
    for i in 0..6 {
        place.photo(&format!("pets/cats/{i}.png"), [30 + 5 * i, 44]);
        place.photo(&format!("pets/dogs/{i}.png"), [44, 30 + 5 * i]);
    }
    recipe(&place, 3);
    place
}

fn recipe(place: &Place, epochs: u64) {
    let recipe = ClassifierRecipe {
        config: serde_json::json!({ "width": 4 }),
        size: 16,
        size_in_use: None,
        batch: 4,
        epochs,
        augmentation: Augmentation::default(),
        disturbance: Disturbance::default(),
        ..ClassifierRecipe::default()
    };
    place.file("tiny.json", serde_json::to_string(&recipe).unwrap().as_bytes());
}

fn words(more: &str) -> Vec<String> {
    let all = format!("train classifier pets --validation pets --recipe tiny.json {more}");
    all.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_classifier_is_trained_and_told_about() {
    let place = place();
    place.file("pets/dogs/bad.jpg", b"no picture");
    place.photo("pets/loose.png", [20, 20]);
    let all = "-o out/a.safetensors --test pets --json --title Pets";
    let why = ["3 of 39 pictures cannot be read", "--skip-unreadable", "dogs/bad.jpg: "];
    place.run(&words(all)).ended(3, &why);
    assert!(!place.path("out/a.safetensors.run/steps.csv").exists());
    let ran = place.run(&words(&format!("{all} --skip-unreadable")));
    let said = ["left out pets/dogs/bad.jpg: ", "left out pets/loose.png: "];
    let ran = ran.ended(0, &said);
    let report = ran.ended(0, &["epoch 3 of 3", "out/a.safetensors: 12 steps"]).json();
    assert_eq!(
        (report["steps"].as_u64(), report["interrupted"].as_bool()),
        (Some(12), Some(false))
    );
    assert_eq!(report["epochs"].as_array().unwrap().len(), 3);
    assert_eq!(report["test"]["confusion"]["classes"], serde_json::json!(["cats", "dogs"]));
    let files = place.files("out/a.safetensors.run");
    for file in [
        "checkpoint.safetensors",
        "steps.csv",
        "epochs.csv",
        "loss.png",
        "accuracy.png",
        "confusion.png",
        "confusion-test.png",
    ] {
        assert!(files.iter().any(|f| f == file), "no {file} in {files:?}");
    }
    assert!(files.iter().any(|f| f.starts_with("events.out.tfevents.")), "{files:?}");
    let epochs = fs::read_to_string(place.path("out/a.safetensors.run/epochs.csv")).unwrap();
    assert_eq!(epochs.lines().count(), 4, "{epochs}");
    let ran = place.run(&["weights", "inspect", "out/a.safetensors"]);
    assert!(ran.out.contains("Pets") && ran.out.contains(r#"["cats","dogs"]"#), "{}", ran.out);
    place
        .run(&["stylize", "pets/cats/0.png", "--style", "out/a.safetensors", "-o", "x.png"])
        .ended(4, &["turns no picture into a picture"]);
}

#[test]
fn what_was_told_for_what_is_printed() {
    let place = place();
    let ran = place.run(&words("-o a.safetensors --epochs 1"));
    let ran = ran.ended(0, &["a.safetensors: 3 steps"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("told to be") && lines[0].ends_with("right"), "{}", ran.out);
    assert!(lines[1].starts_with("cats") && lines[2].starts_with("dogs"), "{}", ran.out);
    assert!(lines[1].ends_with('%'), "{}", ran.out);
}

/// Stopped at a moment of chance, and gone on with on another number of threads.
#[cfg(unix)]
#[test]
fn a_killed_run_ends_in_the_same_bits_as_one_that_was_left_alone() {
    let place = place();
    recipe(&place, 20);
    place.run(&words("-o whole.safetensors --threads 1")).ended(0, &[]);
    let more = "-o killed.safetensors --checkpoint-every 7 --threads 2";
    place.killed_at(&words(more), "killed.safetensors.run/checkpoint.safetensors");
    let more = format!("{more} --resume");
    place.run(&words(&more)).ended(0, &["60 steps"]);
    assert!(place.tensors("whole.safetensors") == place.tensors("killed.safetensors"));
}

#[test]
fn a_learnt_network_is_the_beginning_of_another() {
    let place = place();
    place.run(&words("-o a.safetensors --epochs 1")).ended(0, &[]);
    for (out, freeze) in [("b", "4"), ("c", "layer1")] {
        let more = format!("-o {out}.safetensors --weights a.safetensors --freeze {freeze}");
        place.run(&words(&more)).ended(0, &["9 steps"]);
        let (a, b) = (place.tensors("a.safetensors"), place.tensors(&format!("{out}.safetensors")));
        assert!(a["conv1.weight"] == b["conv1.weight"], "frozen");
        assert!(a["layer3.conv1.weight"] != b["layer3.conv1.weight"], "learnt");
    }
    place.run(&words("-o e.safetensors --weights a.safetensors --freeze all")).ended(0, &[]);
    let (a, e) = (place.tensors("a.safetensors"), place.tensors("e.safetensors"));
    assert!(
        a["layer3.conv2.weight"] == e["layer3.conv2.weight"] && a["fc.weight"] != e["fc.weight"]
    );
    for (freeze, why) in
        [("99", "--freeze 99 "), ("layer9", "small_resnet has no layer \"layer9\"")]
    {
        let more = format!("-o d.safetensors --weights a.safetensors --freeze {freeze}");
        place.run(&words(&more)).ended(2, &[why]);
    }
    place
        .run(&words("-o d.safetensors --weights tiny.safetensors"))
        .ended(4, &["tiny.safetensors: "]);
}

#[test]
fn bad_input_is_refused_before_training_begins() {
    let place = place();
    place.photo("one/cats/0.png", [20, 20]);
    place.photo("other/cats/0.png", [20, 20]);
    place.photo("other/mice/0.png", [20, 20]);
    place.photo("loose/0.png", [20, 20]);
    place.photo("empty/cats/0.png", [20, 20]);
    place.photo("empty/dogs/0.png", [20, 20]);
    fs::create_dir_all(place.path("empty/mice")).unwrap();
    place.file("bad.json", b"{}");
    for i in 0..8 {
        place.photo(&format!("broken/cats/{i}.png"), [20, 20]);
        place.file(&format!("broken/dogs/{i}.png"), b"no picture");
    }
    let cases = [
        ("one", "", 3, "there is only one class, \"cats\""),
        ("loose", "", 3, "no pictures found"),
        ("empty", "", 3, "mice: a class without pictures"),
        ("nowhere", "", 3, "nowhere: "),
        ("broken", "", 3, "broken/dogs/0.png: "),
        ("broken", "--skip-unreadable", 3, "dogs: none of its pictures can be read"),
        (
            "pets",
            "--validation other",
            3,
            "its classes are cats, mice, those learnt are cats, dogs",
        ),
        ("pets", "--test one", 3, "there is only one class"),
        ("pets", "--keep-out 1.5", 2, "--keep-out 1.5"),
        ("pets", "--keep-out 0.0001", 3, "a class without pictures"),
        ("pets", "--recipe bad.json", 2, "missing field"),
        ("pets", "--network imfw_net", 2, "the settings of imfw_net"),
        ("pets", "--size 8", 2, "needs at least 2 pixels"),
        ("pets", "--weights nowhere.pth", 4, "nowhere.pth"),
    ];
    for (folder, more, status, why) in cases {
        let all = format!("train classifier {folder} -o a.safetensors {more}");
        let words: Vec<&str> = all.split_whitespace().collect();
        place.run(&words).ended(status, &[why]);
        assert!(!place.path("a.safetensors").exists(), "{all}");
    }
    let words = ["train", "classifier", "pets", "-o", "a.png"];
    place.run(&words).ended(2, &["a network's file ends in .safetensors"]);
}
