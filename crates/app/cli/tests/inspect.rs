//! Looking into networks.

mod support;

use support::Place;

const CLASSIFIER: &str = r#"{"size": 46, "width": 4, "hidden": 8}"#;

fn place() -> Place {
    let place = Place::new();
    place.photo("photo.png", [60, 80]);
    place.configured("pets.safetensors", "cats_and_dogs", CLASSIFIER);
    place
}

#[test]
fn a_network_is_summed_up_in_three_ways_and_drawn_in_three() {
    let place = Place::new();
    let text = place.run(&["inspect", "summary", "cats-and-dogs"]).ended(0, &[]).out;
    assert!(text.contains("Parameters: 3,453,121") && text.contains("Memory: "), "{text}");
    let keras = ["inspect", "summary", "cats-and-dogs", "--layout", "keras"];
    let text = place.run(&keras).ended(0, &[]).out;
    assert!(text.contains("Total params: 3,453,121 (13.17 MB)"), "{text}");
    let torch = ["inspect", "summary", "resnet18", "--layout", "torchsummary"];
    let text = place.run(&torch).ended(0, &[]).out;
    assert!(text.contains("Estimated Total Size (MB):"), "{text}");
    for file in ["net.svg", "net.dot", "net.png"] {
        place.run(&["inspect", "graph", "resnet18", "-o", file]).ended(0, &[]);
    }
    let svg = std::fs::read_to_string(place.path("net.svg")).unwrap();
    assert!(svg.contains("layer4.1.conv2"), "{svg}");
    assert!(place.read("net.png").height() > 1000);
    place.run(&["inspect", "summary", "resnet"]).ended(0, &[]);
    place.run(&["inspect", "summary", "resnt18"]).ended(4, &["is it resnet18"]);
}

#[test]
fn activations_of_layers_are_drawn() {
    let place = place();
    let run = |layers: &str, more: &[&str]| {
        let words = ["inspect", "activations", "photo.png", "-n", "pets.safetensors", "-o", "maps"];
        place.run(&[&words[..], &["--layers", layers], more].concat())
    };
    let found = run("all", &["--json"]).ended(0, &[]).json();
    let layers = found.as_array().unwrap();
    assert_eq!(layers[0]["layer"], "conv2d.linear");
    assert!(layers.iter().all(|l| (0.0..=1.0).contains(&l["silent"].as_f64().unwrap())));
    for layer in layers {
        assert!(place.path("maps").join(layer["file"].as_str().unwrap()).exists(), "{layer}");
    }
    assert!(place.path("maps/contact-sheet.png").exists());
    let text = run("conv2d,conv2d_3", &[]).ended(0, &["contact-sheet.png"]).out;
    assert_eq!(text.lines().count(), 3);
    run("convd_3", &[]).ended(2, &["no layer \"convd_3\"", "conv2d_3"]);
    let small = ["inspect", "activations", "photo.png", "-n", "pets.safetensors", "--size", "9x9"];
    place.run(&[&small[..], &["-o", "maps"]].concat()).ended(2, &["9×9", "at least 46"]);
    let none = ["inspect", "activations", "none.png", "-n", "pets.safetensors", "-o", "maps"];
    place.run(&none).ended(3, &["none.png"]);
}

#[test]
fn patterns_are_climbed_to_and_seeds_repeat() {
    let place = place();
    let run = |file: &str, more: &[&str]| {
        let words = ["inspect", "filters", "-n", "pets.safetensors", "--steps", "3", "-o", file];
        place.run(&[&words[..], more].concat())
    };
    let layer = ["--layer", "conv2d_1", "--channels", "0-3,6", "--side", "32"];
    for (method, side) in [("vivid", 32), ("tutorial", 32)] {
        let one = format!("{method}.png");
        run(&one, &[&layer[..], &["--method", method]].concat()).ended(0, &["5 patterns"]);
        assert_eq!(place.read(&one).size(), [side, 5 * side + 4 * 5]);
        run("again.png", &[&layer[..], &["--method", method]].concat()).ended(0, &[]);
        assert_eq!(place.read(&one), place.read("again.png"));
    }
    run("class.png", &["--class", "cats,dogs", "--side", "46"]).ended(0, &[]);
    assert_eq!(place.read("class.png").size(), [46, 2 * 46 + 5]);
    run("x.png", &["--layer", "conv2d_1", "--channels", "99"]).ended(2, &["from 0 to 7"]);
    run("x.png", &["--class", "dgs"]).ended(2, &["is it dogs"]);
}

#[test]
fn maps_are_drawn_measured_and_compared() {
    let place = place();
    let run = |more: &[&str]| {
        let words = ["inspect", "cam", "photo.png", "-n", "pets.safetensors", "-o", "cam"];
        place.run(&[&words[..], more].concat())
    };
    let words = ["--class", "cats,dogs", "--method", "eigen-cam,occlusion,smooth-grad"];
    let ran = run(&[&words[..], &["--score", "--json"]].concat());
    let found = ran.json();
    for line in found.as_array().unwrap() {
        let drawn = line["fault"].is_null();
        assert_eq!(line["files"].as_array().unwrap().len(), if drawn { 3 } else { 0 }, "{line}");
        assert_eq!(drawn, line["quality"].is_object());
        for file in line["files"].as_array().unwrap() {
            assert!(place.path("cam").join(file.as_str().unwrap()).exists(), "{file}");
        }
    }
    assert_eq!(found[0]["layer"], "conv2d_3");
    assert_eq!(place.read("cam/dogs-smooth-grad-overlay.png").size(), [60, 80]);
    assert!(place.path("cam/cam.png").exists());
    run(&["--method", "gradcam"]).ended(2, &["grad-cam"]);
    run(&["--layer", "dense"]).ended(2, &["dense"]);
    let pets = "pets.safetensors";
    let words = ["inspect", "compare", "photo.png", "-n", pets, "-n", pets, "-o", "both.png"];
    let words = [&words[..], &["--method", "eigen-cam,occlusion", "--class", "dogs"]].concat();
    place.run(&words);
    assert!(place.read("both.png").width() > 3 * 80);
}

#[test]
fn weights_of_another_network_say_what_they_fit() {
    let place = place();
    place.bare_network("bare.safetensors", "imfw_net");
    let words = ["inspect", "cam", "photo.png", "-n", "lengstrom", "-w"];
    let words = [&words[..], &["bare.safetensors", "-o", "cam"]].concat();
    place.run(&words).ended(4, &["lengstrom", "bare.safetensors"]);
    let words = ["inspect", "cam", "photo.png", "-n", "resnet18", "-o", "cam"];
    place.run(&words).ended(4, &["--weights"]);
}
