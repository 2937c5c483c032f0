//! Ctrl-C finishes the picture in work and says what is left.
#![cfg(unix)]

mod support;

use std::process::Stdio;

use support::{Place, Ran, interrupt, wait_until};

const PICTURES: usize = 40;

#[test]
fn an_interrupted_job_says_what_is_done_and_goes_on_later() {
    let place = Place::new();
    for i in 0..PICTURES {
        place.photo(&format!("in/{i:02}.png"), [200, 300]);
    }
    let words = ["stylize", "in", "-o", "out", "--style", "tiny.safetensors", "--json"];
    let mut command = place.command(&[&words[..], &["--threads", "1"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("a picture is done", || place.files("out").iter().any(|f| !f.starts_with('.')));
    interrupt(&child);
    let ran = Ran::new(&child.wait_with_output().unwrap());
    let ran = ran.ended(130, &["finishing the picture in work", "left: interrupted"]);

    let report = ran.json();
    let done = report["done"].as_u64().unwrap() as usize;
    assert!((1..PICTURES).contains(&done), "{done} of {PICTURES}");
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["left"].as_u64().unwrap() as usize, PICTURES - done);
    let files = place.files("out");
    assert_eq!(files.len(), done, "half-written files: {files:?}");
    for file in files {
        assert_eq!(place.read(&format!("out/{file}")).size(), [200, 300]);
    }

    let again = format!("{} pictures done", PICTURES - done).replace("1 pictures", "1 picture");
    place.stylize("in -o out").ended(0, &[again.trim(), "already there"]);
    assert_eq!(place.files("out").len(), PICTURES);
}
