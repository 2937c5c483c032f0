//! A run that the command line began: watched, stopped and gone on with in the studio.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pentimento::weights::{self, Limits, StateDict};
use serde_json::{Value, json};

use crate::Studio;
use crate::http::{Asked, ask};
use crate::support::training::{place, recipe};
use crate::support::{Place, Ran};

fn words(output: &str, steps: u64) -> Vec<String> {
    let words = "train style --style-picture painting.png --photos photos --recipe tiny.json \
         --loss-network vgg.safetensors --checkpoint-every 2 --preview-every 1000";
    let more = ["--steps", &steps.to_string(), "-o", output].map(str::to_owned);
    words.split_whitespace().map(str::to_owned).chain(more).collect()
}

/// Waits until a run is as it should be.
fn until(studio: &Studio, fine: impl Fn(&Value) -> bool) -> Value {
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let runs = ask(&studio.host, &Asked::get("/api/trainings")).json();
        if let Some(run) = runs["trainings"].as_array().unwrap().iter().find(|run| fine(run)) {
            return run.clone();
        }
        assert!(Instant::now() < patience, "it does not come to that: {runs}");
        sleep(Duration::from_millis(5));
    }
}

fn steer(studio: &Studio, run: &Value, verb: &str) -> u16 {
    let path = format!("/api/trainings/{}/{verb}", run["id"].as_str().unwrap());
    ask(&studio.host, &Asked::json(&path, &json!(null))).status
}

/// All that a checkpoint holds in numbers, but for how long it took.
fn learnt(place: &Place, output: &str) -> StateDict {
    let path = place.path(&format!("{output}.run/checkpoint.safetensors"));
    weights::read(&path, &Limits::default()).unwrap().tensors
}

#[test]
fn a_run_of_the_command_line_is_stopped_and_gone_on_with_to_the_same_bits() {
    let place = place();
    recipe(&place, |_| ());
    let steps = 400;
    let studio = Studio::start_in(&place.path(""), &["--photos", "photos"]);
    let mut command = place.command(&words("a.safetensors", steps));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let run = until(&studio, |run| run["state"] == "elsewhere" && run["steps"].as_u64() > Some(3));
    assert_eq!([&run["name"], &run["origin"]], [&json!("a"), &json!("command")]);
    assert_eq!([&run["total"], &run["can_resume"]], [&json!(steps), &json!(false)]);
    assert_eq!(steer(&studio, &run, "resume"), 409);
    assert_eq!(steer(&studio, &run, "stop"), 202);
    Ran::new(&child.wait_with_output().unwrap()).ended(130, &["--resume goes on"]);
    let run = until(&studio, |run| run["state"] == "stopped");
    assert!(run["steps"].as_u64() < Some(steps), "{run}");
    assert_eq!([&run["can_resume"], &run["note"]], [&json!(true), &Value::Null]);
    assert_eq!(steer(&studio, &run, "resume"), 202);
    let run = until(&studio, |run| run["state"] == "done");
    assert_eq!([&run["steps"], &run["error"]], [&json!(steps), &Value::Null]);
    assert!(run["style"].is_string(), "{run}");
    drop(studio);
    place.run(&words("whole/a.safetensors", steps)).ended(0, &[]);
    assert!(learnt(&place, "a.safetensors") == learnt(&place, "whole/a.safetensors"), "other bits");
    place
        .run(&["stylize", "painting.png", "--style", "a.safetensors", "-o", "b.png"])
        .ended(0, &[]);
}

#[test]
fn what_hinders_a_run_of_the_command_line_is_said() {
    let place = place();
    recipe(&place, |_| ());
    let left = |output: &str| {
        place.run(&words(output, 2)).ended(0, &[]);
        place.path(&format!("{output}.run/settings.json"))
    };
    for (name, words, change) in [
        ("old", "earlier version", None),
        ("damaged", "not the settings", Some(("{", "["))),
        ("moved", "is the run of", Some(("moved.safetensors", "other.safetensors"))),
        ("roots", "--photos", Some(("/photos\"", "\""))),
        ("missing", "is not here", Some(("\"loss_network\": \"/", "\"loss_network_\": \"/"))),
    ] {
        let settings = left(&format!("{name}.safetensors"));
        match change {
            None => fs::remove_file(&settings).unwrap(),
            Some((from, to)) => {
                let text = fs::read_to_string(&settings).unwrap();
                assert!(text.contains(from), "{text}");
                fs::write(&settings, text.replacen(from, to, 1)).unwrap();
            }
        }
        // As if it had been stopped before its end.
        let text = fs::read_to_string(&settings).unwrap_or_default();
        if name != "old" {
            fs::write(&settings, text.replace("\"steps\": 2", "\"steps\": 3")).unwrap();
        }
        let studio = Studio::start_in(&place.path(""), &["--photos", "photos"]);
        let run = until(&studio, |run| run["name"] == name);
        let note = run["note"].as_str().unwrap_or_default();
        assert!(note.contains(words), "{name}: {run}");
        assert_eq!([&run["can_resume"], &run["state"]], [&json!(false), &json!("stopped")]);
        assert_eq!(steer(&studio, &run, "resume"), if name == "missing" { 503 } else { 409 });
    }
}
