//! Event files, read by the real `TensorBoard` where `PENTIMENTO_GOLDENS_PYTHON` names a Python
//! that has it, as `cargo xtask goldens` makes one.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tensor::Tensor;
use testing::smooth_picture;
use train::events::{EventWriter, Moment};

const SIZE: [usize; 2] = [20, 30];

fn picture() -> Tensor {
    let mut picture = smooth_picture([1, 3, SIZE[0], SIZE[1]], 1);
    picture.data_mut().iter_mut().for_each(|v| *v /= 255.0);
    picture
}

/// A run that was killed in the middle of a record after step 30, and resumed from its
/// checkpoint at step 20.
fn run(folder: &Path) {
    let at = |step: u64| Moment { step, wall_time: 1.75e9 + step as f64 };
    let mut first = EventWriter::create(folder, "host", at(0)).unwrap();
    for step in [10, 20, 30] {
        first.scalars(at(step), &[("loss/total", step as f32), ("rate", 0.5)]).unwrap();
    }
    first.image(at(20), "preview", &picture()).unwrap();
    let path = first.path().to_owned();
    drop(first);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 7]).unwrap(); // the picture's record is torn
    let resumed = Moment { step: 21, wall_time: 1.75e9 + 100.0 };
    let mut second = EventWriter::create(folder, "host", resumed).unwrap();
    let later = |step: u64| Moment { step, wall_time: 1.75e9 + 100.0 + step as f64 };
    second.scalars(later(30), &[("loss/total", 3.5), ("rate", 0.25)]).unwrap();
    second.image(later(30), "preview", &picture()).unwrap();
}

#[test]
fn tensorboard_reads_what_is_written() {
    let Some(python) = std::env::var_os("PENTIMENTO_GOLDENS_PYTHON") else {
        eprintln!("skipped: PENTIMENTO_GOLDENS_PYTHON is not set");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    run(dir.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events/read.py");
    let output = Command::new(python).arg(script).arg(dir.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let got: Value = serde_json::from_slice(&output.stdout).unwrap();
    let image = json!([[30, SIZE[1], SIZE[0], mean(&picture())]]);
    let want = json!({
        "loss/total": [[10, 10.0], [20, 20.0], [30, 3.5]],
        "rate": [[10, 0.5], [20, 0.5], [30, 0.25]],
        "preview": image,
    });
    assert_eq!(got["library"], want, "the library that reads event files");
    assert_eq!(got["server"], want, "the web server");
}

/// The mean of all values in 0..=255, rounded as a PNG's are.
fn mean(picture: &Tensor) -> f64 {
    let levels = picture.data().iter().map(|v| f64::from((v * 255.0 + 0.5).floor()));
    levels.sum::<f64>() / picture.data().len() as f64
}
