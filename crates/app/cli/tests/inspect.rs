//! Looking into networks.

mod support;

use pentimento::imaging::{Channels, Depth, Filter, Picture, Pixels};
use pentimento::weights::{self, Limits, NetworkCard, Precision};
use support::Place;

const CLASSIFIER: &str = r#"{"size": 46, "width": 4, "hidden": 8}"#;

fn place() -> Place {
    let place = Place::with_photo("photo.png", [60, 80]);
    place.configured("pets.safetensors", "cats_and_dogs", CLASSIFIER);
    place
}

#[test]
fn a_network_is_summed_up_in_three_ways_and_drawn_in_three() {
    let place = Place::new();
    let text = place.run(&["inspect", "summary", "cats-and-dogs"]).ended(0, &[]).out;
    assert!(text.contains("Parameters: 3,453,121") && text.contains("Memory: "), "{text}");
    // The one that ships by that name has other layers, and both commands say so.
    let note = ["these are the tutorial's layers of cats-and-dogs", "those of small_resnet"];
    place.run(&["inspect", "summary", "cats-and-dogs"]).ended(0, &note);
    place.run(&["inspect", "graph", "cats_and_dogs", "-o", "pets.svg"]).ended(0, &note[1..]);
    let silent = place.run(&["inspect", "summary", "small_resnet"]).ended(0, &[]);
    assert!(silent.out.contains("Parameters: 1,942,242") && silent.err.is_empty(), "{silent:#?}");
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
}

/// What is drawn in a row of a comparison: the picture, then a map each.
fn row(sheet: &Picture, y: usize) -> Vec<Vec<u8>> {
    /// As `plot::Grid` lays panels out.
    const GAP: usize = 14;
    const PANEL: [usize; 2] = [240, 320];
    let Pixels::U8(pixels) = sheet.pixels() else { panic!("a sheet has 8 bits") };
    let at = |column: usize| {
        let x = GAP + column * (PANEL[1] + GAP);
        let line = |y: usize| pixels[(y * sheet.width() + x) * 3..][..PANEL[1] * 3].to_vec();
        (y..y + PANEL[0]).flat_map(line).collect()
    };
    (0..3).map(at).collect()
}

#[test]
fn a_comparison_shows_the_picture_and_a_map_for_each_network_and_method() {
    let place = place();
    let other = r#"{"size": 46, "width": 6, "hidden": 8}"#;
    place.configured("other.safetensors", "cats_and_dogs", other);
    let run = |networks: [&str; 2]| {
        let words = ["inspect", "compare", "photo.png", "-o", "both.png", "--class", "dogs"];
        let networks = networks.iter().flat_map(|n| ["-n", n]).collect::<Vec<_>>();
        let methods = ["--method", "smooth-grad,occlusion"];
        place.run(&[&words[..], &networks, &methods].concat()).ended(0, &[]);
        let sheet = place.read("both.png");
        assert_eq!(sheet.channels(), Channels::Rgb);
        // A caption of 22 above each row, a gap of 14 below it.
        assert_eq!(sheet.height(), 14 + 2 * (240 + 22 + 14));
        [row(&sheet, 14 + 22), row(&sheet, 14 + 22 + 240 + 14 + 22)]
    };
    let pets = "pets.safetensors";
    let [first, second] = run([pets, pets]);
    assert_eq!(first, second);
    let photo = place.read("photo.png").to_rgb_tensor_of([240, 320], Filter::Triangle);
    let shown = Picture::from_rgb_tensor(&photo, Depth::Eight);
    let Pixels::U8(shown) = shown.pixels() else { panic!("made with 8 bits") };
    assert_eq!(&first[0], shown);
    // Heat lies on both maps, and not the same.
    assert!(first[1] != first[0] && first[2] != first[0] && first[1] != first[2]);
    let [first, second] = run([pets, "other.safetensors"]);
    assert_eq!(first[0], second[0]);
    assert!(first[1] != second[1] && first[2] != second[2]);
}

#[test]
fn what_ships_is_told_from_what_is_published_under_its_name() {
    let place = place();
    for name in ["cats-and-dogs", "cats_and_dogs"] {
        let words = ["inspect", "cam", "photo.png", "-n", name, "-o", "cam", "--json"];
        let said = ["is the trained network that ships, with the layers of small_resnet"];
        let found = place.run(&words).ended(0, &said).json();
        assert_eq!(found[0]["layer"], "layer3");
    }
    let words = ["inspect", "cam", "photo.png", "-n", "cats_and_dogs", "-w", "pets.safetensors"];
    let ran = place.run(&[&words[..], &["-o", "cam", "--method", "eigen-cam"]].concat());
    assert!(!ran.ended(0, &[]).err.contains("small_resnet"));
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

/// Small models exported by PyTorch.
fn exported(name: &str) -> String {
    format!("{}/../../../golden/onnx/{name}.onnx", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn anybodys_onnx_model_is_looked_into() {
    let place = place();
    let (vgg, resnet) = (exported("vgg16.script17"), exported("resnet18.dynamo"));
    let text = place.run(&["inspect", "summary", &vgg]).ended(0, &[]).out;
    assert!(text.contains("/0/0.0/Conv") && text.contains("[1, 6, 28, 28]"), "{text}");
    let mobile = exported("mobilenet_v2.script11");
    place.run(&["inspect", "graph", &mobile, "-o", "mobile.svg"]).ended(0, &[]);
    let words = ["inspect", "activations", "photo.png", "-n", &vgg, "-o", "maps", "--layers"];
    let said = ["taken as --encoding imagenet"];
    place.run(&[&words[..], &["/0/0.1/Relu"]].concat()).ended(0, &said);
    assert!(place.path("maps/01-_0_0.1_Relu.png").exists());
    let unit = [&words[..], &["/0/0.1/Rlu", "--encoding", "unit"]].concat();
    let ran = place.run(&unit).ended(2, &["/0/0.1/Relu"]);
    assert!(!ran.err.contains("imagenet"), "{}", ran.err);
    let words = ["inspect", "filters", "-n", &vgg, "--layer", "/0/0.1/Relu", "--steps", "2"];
    let words = [&words[..], &["--channels", "0-2", "--side", "28", "-o", "x.png"]].concat();
    place.run(&words).ended(0, &["3 patterns"]);
    let words = ["inspect", "cam", "photo.png", "-n", &resnet, "-o", "cam", "--json"];
    let words = [&words[..], &["--method", "eigen-cam", "--class", "3"]].concat();
    let found = place.run(&words).ended(0, &[]).json();
    assert_eq!((found[0]["class"].as_u64(), found[0]["fault"].is_null()), (Some(3), true));
    let words = ["inspect", "compare", "photo.png", "-n", &vgg, "-n", &resnet, "-o", "both.png"];
    place.run(&[&words[..], &["--method", "eigen-cam"]].concat()).ended(0, &[]);
}

#[test]
fn what_is_no_model_to_look_into_says_why() {
    let place = place();
    let sample = |name: &str| {
        let folder = env!("CARGO_MANIFEST_DIR");
        format!("{folder}/../../model/weights/tests/samples/{name}.onnx")
    };
    let einsum = sample("evil.operator");
    let why = ["evil.operator.onnx", "operator Einsum (node \"mix\")", "these are: Add, "];
    place.run(&["inspect", "summary", &einsum]).ended(4, &why);
    let vgg = exported("vgg16.dynamo");
    let words = ["inspect", "cam", "photo.png", "-n", &vgg, "-w", &vgg, "-o", "cam"];
    place.run(&words).ended(2, &["--weights goes with a name"]);
    let words = ["inspect", "cam", "photo.png", "-n", &vgg, "-o", "cam", "--size", "64x64"];
    place.run(&words).ended(2, &["takes pictures of 28 pixels a side, not 64×64"]);
    place.file("names.txt", b"a\nb\n");
    let words = ["inspect", "cam", "photo.png", "-n", &vgg, "-o", "cam", "--class-names"];
    let why = ["names.txt: 2 names, a line each, and vgg16.dynamo tells 10 classes apart"];
    place.run(&[&words[..], &["names.txt"]].concat()).ended(2, &why);
}

/// What a user has trained is looked into with its own classes and at its own size.
#[test]
fn a_card_says_the_classes_and_the_size() {
    let place = Place::with_photo("photo.png", [60, 80]);
    place.configured("pets.safetensors", "cats_and_dogs", CLASSIFIER);
    let path = place.path("pets.safetensors");
    let read = weights::read(&path, &Limits::default()).unwrap();
    let mut card = NetworkCard::from_metadata(&read.metadata).unwrap();
    (card.output, card.classes) = (None, vec!["left".to_owned(), "right".to_owned()]);
    card.size = Some([46, 46]);
    let metadata = card.to_metadata();
    weights::write(&path, &read.tensors, &metadata, Precision::F32).unwrap();
    let words = |network: &[&'static str]| {
        let cam = ["inspect", "cam", "photo.png", "--class", "right", "--method", "eigen-cam"];
        [&cam[..], &["-o", "cam", "--json"], network].concat()
    };
    for network in
        [&["-n", "pets.safetensors"][..], &["-n", "cats_and_dogs", "-w", "pets.safetensors"]]
    {
        let found = place.run(&words(network)).ended(0, &[]).json();
        assert_eq!(
            (found[0]["class"].as_u64(), found[0]["name"].as_str()),
            (Some(1), Some("right"))
        );
    }
    let words = ["classify", "photo.png", "--model", "pets.safetensors", "--json"];
    let top = place.run(&words).ended(0, &[]).json()[0]["top"].clone();
    assert!(["left", "right"].contains(&top[0]["name"].as_str().unwrap()), "{top}");
}
