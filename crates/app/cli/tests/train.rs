//! `pentimento train style` and `optimize`, with tiny networks on tiny pictures.

mod support;

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use pentimento::train::run::Checkpoint;
use support::training::{place, recipe};
use support::{Ran, interrupt, wait_until};

const WORDS: &str = "train style --style-picture painting.png --photos photos --recipe tiny.json \
     --loss-network vgg.safetensors";
const OFTEN: &str = "--checkpoint-every 2 --preview-every 3";

/// The command with these words too; of a flag that is there twice, the later one counts.
fn words(more: &str) -> Vec<String> {
    let mut words: Vec<&str> = [WORDS, OFTEN].into_iter().flat_map(str::split_whitespace).collect();
    for word in more.split_whitespace().filter(|w| w.starts_with("--")) {
        if let Some(there) = words.iter().position(|w| *w == word) {
            words.drain(there..there + 2);
        }
    }
    words.extend(more.split_whitespace());
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_style_is_trained_and_paints() {
    let place = place();
    place.file("photos/bad.jpg", b"no picture");
    let ran = place.run(&words(
        "-o out/a.safetensors --preview painting.png --json --title Slopes --style-degrain 4",
    ));
    let report = ran.ended(0, &["step 2 of 6", "out/a.safetensors: 6 steps", "bad.jpg: "]).json();
    assert_eq!((report["steps"].as_u64(), report["interrupted"].as_bool()), (Some(6), Some(false)));
    assert_eq!(report["bad_pictures"].as_array().unwrap().len(), 1);
    let files = place.files("out/a.safetensors.run");
    for file in ["checkpoint.safetensors", "losses.csv", "preview-000006-painting.png"] {
        assert!(files.iter().any(|f| f == file), "no {file} in {files:?}");
    }
    assert!(files.iter().any(|f| f.starts_with("events.out.tfevents.")), "{files:?}");
    let losses = fs::read_to_string(place.path("out/a.safetensors.run/losses.csv")).unwrap();
    assert_eq!(losses.lines().count(), 7, "{losses}");
    place
        .run(&["stylize", "painting.png", "--style", "out/a.safetensors", "-o", "painted.png"])
        .ended(0, &["painted.png"]);
    let inspected = place.run(&["weights", "inspect", "out/a.safetensors"]).ended(0, &[]);
    assert!(inspected.out.contains("Slopes") && inspected.out.contains("\"style_degrain\":4.0"));
}

#[test]
fn it_begins_with_any_style() {
    let place = place();
    place.bare_network("bare.safetensors", "transformer_net");
    let checkpoint = "a.safetensors.run/checkpoint.safetensors";
    for (output, start) in
        [("a", "tiny.safetensors"), ("b", "bare.safetensors"), ("c", checkpoint), ("d", "random")]
    {
        let more = format!("-o {output}.safetensors --start {start}");
        place.run(&words(&more)).ended(0, &["6 steps"]);
    }
    let more = "-o a.safetensors --start tiny.safetensors --steps 7 --resume";
    place.run(&words(more)).ended(4, &["another recipe"]);
    place.run(&words("-o a.safetensors --run b.safetensors.run")).ended(2, &["--overwrite"]);
}

/// Stopped at a moment of chance, and gone on with on another number of threads.
#[cfg(unix)]
#[test]
fn a_killed_run_ends_in_the_same_bits_as_one_that_was_left_alone() {
    let place = place();
    recipe(&place, |r| r.steps = Some(60));
    place.run(&words("-o whole.safetensors --threads 1")).ended(0, &[]);
    let more = "-o killed.safetensors --checkpoint-every 7 --threads 2";
    place.killed_at(&words(more), "killed.safetensors.run/checkpoint.safetensors");
    let more = "-o killed.safetensors --threads 3 --resume";
    place.run(&words(more)).ended(0, &["60 steps"]);
    let of = |name: &str| place.tensors(&format!("{name}.safetensors.run/checkpoint.safetensors"));
    assert!(of("killed") == of("whole"), "other bits");
    let steps = |name: &str| {
        let text = fs::read_to_string(place.path(&format!("{name}.safetensors.run/losses.csv")));
        let text = text.unwrap();
        let but_time = |line: &str| line.rsplit_once(',').unwrap().0.to_owned();
        text.lines().map(but_time).collect::<Vec<String>>()
    };
    assert_eq!(steps("killed"), steps("whole"));
}

#[test]
fn what_cannot_be_is_said_before_anything_is_done() {
    let place = place();
    place.network("other.safetensors", "lengstrom");
    place.file("there.safetensors", b"");
    place.file("file", b"");
    for (more, status, message) in [
        ("-o a.png", 2, ".safetensors"),
        ("-o there.safetensors", 2, "--overwrite"),
        ("-o a.safetensors --resume", 2, "no run"),
        ("-o a.safetensors --recipe none", 2, "pytorch-tutorial"),
        ("-o a.safetensors --recipe photos/0.png", 2, "photos/0.png"),
        ("-o a.safetensors --rate=-1", 2, "--rate"),
        ("-o a.safetensors --style-degrain 65", 2, "from 0 to 64"),
        ("-o a.safetensors --start other.safetensors", 2, "is a lengstrom"),
        ("-o a.safetensors --start none", 4, "there is no style"),
        ("-o a.safetensors --loss-network none", 2, "none: no such file"),
        ("-o a.safetensors --loss-network tiny.safetensors", 4, "features.0.weight"),
        ("-o a.safetensors --photos none", 3, "none"),
        ("-o a.safetensors --style-picture none.png", 3, "none.png"),
        ("-o a.safetensors --style-picture vgg.safetensors", 3, "not a picture"),
        ("-o file/a.safetensors", 5, "cannot be written"),
    ] {
        let all = words(more);
        place.run(&all).ended(status, &[message]);
        assert!(!place.path("a.safetensors").exists(), "{all:?}");
    }
}

#[test]
fn a_run_that_goes_wrong_says_so_and_keeps_its_checkpoint() {
    let place = place();
    recipe(&place, |r| r.steps = Some(50));
    let ran = place.run(&words("-o a.safetensors --rate 1e30"));
    ran.ended(1, &["the loss is not a number at step"]);
    assert!(!place.path("a.safetensors").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_saves_and_goes_on() {
    let place = place();
    recipe(&place, |r| r.steps = Some(100_000));
    let mut command = place.command(&words("-o a.safetensors --json"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let path = place.path("a.safetensors.run/checkpoint.safetensors");
    wait_until("there is a checkpoint", || path.exists());
    interrupt(&child);
    let ran = Ran::new(&child.wait_with_output().unwrap());
    let report = ran.ended(130, &["saving", "--resume goes on"]).json();
    let steps = report["steps"].as_u64().unwrap();
    assert!(report["interrupted"].as_bool().unwrap() && steps > 0);
    assert_eq!(Checkpoint::read(&path, "style", &[]).unwrap().steps(), steps);
    assert!(place.path("a.safetensors").exists());
}

/// A checkpoint after every step, so that a kill at a moment of chance often hits one
/// being written.
#[cfg(unix)]
#[test]
fn a_run_that_is_killed_at_any_moment_leaves_a_checkpoint_or_none() {
    let place = place();
    recipe(&place, |r| r.steps = Some(100_000));
    let path = place.path("a.safetensors.run/checkpoint.safetensors");
    let (mut state, mut last) = (12_345u32, 0);
    for round in 0..12 {
        let mut all = words("-o a.safetensors --checkpoint-every 1 --preview-every 100000");
        if path.exists() {
            all.push("--resume".to_owned());
        }
        let mut child = place.command(&all).stderr(Stdio::null()).spawn().unwrap();
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        sleep(Duration::from_micros(u64::from(state >> 14))); // up to 262 ms
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "round {round} ended by itself: {ended:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        if path.exists() {
            let steps = Checkpoint::read(&path, "style", &[]).unwrap().steps();
            assert!(steps >= last, "round {round}: {steps} steps after {last}");
            last = steps;
        }
    }
    assert!(last > 0, "no round came to a checkpoint");
}

/// The system refuses to make files larger than the limit, as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_and_the_last_checkpoint_stays() {
    let place = place();
    place.run(&words("-o a.safetensors")).ended(0, &[]);
    let path = place.path("a.safetensors.run/checkpoint.safetensors");
    let before = fs::read(&path).unwrap();
    let blocks = before.len() / 512 / 2;
    let command = place.command(&words("-o a.safetensors --resume"));
    let mut shell = std::process::Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script]).arg(command.get_program()).args(command.get_args());
    let ran = Ran::new(&shell.current_dir(place.path("")).output().unwrap());
    ran.ended(5, &["checkpoint.safetensors: cannot be written"]);
    assert!(fs::read(&path).unwrap() == before, "the last checkpoint was touched");
    let left = place.files("a.safetensors.run");
    assert!(!left.iter().any(|f| f.starts_with(".pentimento-")), "{left:?}");
}

#[test]
fn a_picture_is_optimised_towards_several_styles() {
    let place = place();
    let words = |more: &str| -> Vec<String> {
        let all = "optimize photos/5.png --loss-network vgg.safetensors --recipe tiny.json";
        all.split_whitespace().chain(more.split_whitespace()).map(str::to_owned).collect()
    };
    let more = "painting.png:3 photos/1.png -o out.png --iterations 4 --size 32 --json";
    let ran = place.run(&words(more)).ended(0, &["out.png: 26×32"]);
    let report = ran.json();
    let total = |i: usize| {
        let losses = &report["iterations"][i]["losses"];
        losses["content"].as_f64().unwrap() + losses["style"].as_f64().unwrap()
    };
    assert_eq!(report["iterations"].as_array().unwrap().len(), 4);
    assert!(total(3) < total(0), "{report}");
    assert_eq!(place.read("out.png").size(), [32, 26]);
    let judged =
        "painting.png:3 photos/1.png -o judged.png --from out.png --iterations 0 --size 32 --json";
    let judged = place.run(&words(judged)).ended(0, &[]).json();
    let of = |report: &serde_json::Value| report["losses"]["style"].as_f64().unwrap();
    // out.png holds the result in bytes
    assert!((of(&judged) / of(&report) - 1.0).abs() < 0.05, "{judged}");
    let plain = "painting.png:3 photos/1.png -o plain.png --from out.png --iterations 0 --size 32 \
         --style-degrain 64 --json";
    let plain = place.run(&words(plain)).ended(0, &[]).json();
    assert!((of(&plain) / of(&judged) - 1.0).abs() > 1e-3, "{plain}");
    for (more, status, message) in [
        ("painting.png -o out.png", 2, "--overwrite"),
        ("painting.png -o out.xyz", 2, "xyz"),
        ("painting.png:0 -o new.png", 2, "weights"),
        ("none.png:2 -o new.png", 3, "none.png"),
        ("painting.png -o new.png --from nothing.png", 3, "nothing.png"),
    ] {
        place.run(&words(more)).ended(status, &[message]);
    }
}
