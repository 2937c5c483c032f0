//! The commands around `stylize`.

mod support;

use std::io::Read;
use std::process::Stdio;

use support::Place;

#[test]
fn styles_are_listed() {
    let place = Place::new();
    let shipped: Vec<_> = pentimento::pipeline::shipped().map(|s| s.name).collect();
    let list = place.run(&["styles"]).ended(0, &[]);
    assert_eq!(list.out.lines().count(), shipped.len());
    let json = place.run(&["styles", "--json"]).ended(0, &[]).json();
    for style in json.as_array().unwrap() {
        for fact in ["name", "title", "painting", "licence"] {
            assert!(!style[fact].as_str().unwrap().is_empty(), "{fact} of {style}");
        }
    }
    let names: Vec<_> = json.as_array().unwrap().iter().map(|s| s["name"].clone()).collect();
    assert_eq!(names, shipped);
}

#[test]
fn weights_are_shown() {
    let place = Place::new();
    let text = place.run(&["weights", "inspect", "tiny.safetensors"]).ended(0, &[]).out;
    for part in
        ["network     transformer_net", "safetensors", "conv1.conv2d.weight", "[4, 3, 9, 9]"]
    {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let json =
        place.run(&["weights", "inspect", "tiny.safetensors", "--json"]).ended(0, &[]).json();
    assert_eq!(json["format"], "safetensors");
    assert_eq!(json["tensors"].as_array().unwrap().len(), 30);
    place.run(&["weights", "inspect", "none.pth"]).ended(4, &["none.pth"]);
    place.file("text.pth", b"no weights");
    place.run(&["weights", "inspect", "text.pth"]).ended(4, &["text.pth: not a checkpoint"]);
}

#[test]
fn converted_weights_say_what_they_are_and_still_style() {
    let place = Place::with_photo("in.png", [20, 30]);
    place.bare_network("bare.safetensors", "imfw_net");
    let words = ["weights", "convert", "bare.safetensors", "half.safetensors", "--dtype", "f16"];
    place.run(&words).ended(0, &["half.safetensors"]);
    let json =
        place.run(&["weights", "inspect", "half.safetensors", "--json"]).ended(0, &[]).json();
    assert_eq!(json["metadata"]["pentimento.network"], "imfw_net");
    assert_eq!(json["tensors"][0]["dtype"], "f16");
    for style in ["bare.safetensors", "half.safetensors"] {
        let out = format!("{style}.png");
        place.run(&["stylize", "in.png", "--style", style, "-o", &out]).ended(0, &[]);
    }
    place.file("file", b"");
    let words = ["weights", "convert", "bare.safetensors", "file/out.safetensors"];
    place.run(&words).ended(5, &["file/out.safetensors", "cannot be written"]);
    let words = ["weights", "convert", "none.pth", "out.safetensors"];
    place.run(&words).ended(4, &["none.pth"]);
}

#[test]
fn a_network_is_summed_up() {
    let place = Place::new();
    let text = place.run(&["summary", "transformer_net"]).ended(0, &[]).out;
    assert!(text.contains("Parameters: 1,679,235"), "{text}");
    let json =
        place.run(&["summary", "tiny.safetensors", "--size", "32x48", "--json"]).ended(0, &[]);
    assert_eq!(json.json()["rows"][0]["shape"], serde_json::json!([1, 3, 32, 48]));
    place.run(&["summary", "transformer_net", "--size", "2x2"]).ended(2, &["conv1"]);
    place.run(&["summary", "no-such-network"]).ended(4, &["no-such-network"]);
}

#[test]
fn every_network_has_a_summary() {
    let place = Place::new();
    for name in pentimento::nets::known_names() {
        let text = place.run(&["summary", name]).ended(0, &[]).out;
        assert!(text.contains("Parameters: "), "{name}: {text}");
    }
    let text = place.run(&["summary", "Cats-and-Dogs"]).ended(0, &[]).out;
    assert!(text.contains("3,453,121") && text.contains("[1, 3, 150, 150]"), "{text}");
    let text = place.run(&["summary", "vgg16"]).ended(0, &[]).out;
    assert!(text.contains("138,357,544"), "{text}");
}

#[test]
fn help_completions_and_man_pages_cover_every_command() {
    let place = Place::new();
    let help = place.run(&["stylize", "--help"]).ended(0, &[]).out;
    for part in ["Examples:", "Exit status:", "--strength", "--keep-colors", "--max-memory"] {
        assert!(help.contains(part), "no {part:?} in {help}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&["completions", shell]).ended(0, &[]).out;
        assert!(script.contains("keep-colors"), "{shell}");
    }
    assert!(place.run(&["man"]).ended(0, &[]).out.contains(".TH pentimento"));
    place.run(&["man", "pages"]).ended(0, &[]);
    let pages = place.files("pages");
    for page in ["pentimento.1", "pentimento-stylize.1", "pentimento-weights-convert.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    place.run::<&str>(&[]).ended(2, &["Usage"]);
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_failure() {
    let place = Place::new();
    let mut command = place.command(&["completions", "zsh"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take()); // closed before the first byte
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}
