//! Ctrl-C finishes the picture in work and says what is left.
#![cfg(unix)]

mod support;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::{Place, Ran};

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
    let patience = Instant::now() + Duration::from_secs(60);
    while place.files("out").iter().filter(|f| !f.starts_with('.')).count() == 0 {
        assert!(Instant::now() < patience, "nothing was made");
        sleep(Duration::from_millis(2));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
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
