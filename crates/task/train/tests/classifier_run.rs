//! Whole runs of a classifier's training, of a tiny network on tiny pictures.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

use cpu::Threads;
use imaging::{Channels, EncodeOptions, Picture, Pixels, encode_file};
use tempfile::TempDir;
use train::TrainError;
use train::augment::Augmentation;
use train::classifier::{
    Beginning, ClassifierJob, ClassifierRecipe, ClassifierRun, Examiner, Head, open_classes,
};
use train::data::Reading;
use train::optim::{Averaging, Schedule};
use train::run::Run;
use weights::{Limits, NetworkCard, Precision};

/// Two classes that differ in colour: reddish and bluish noise.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for folder in ["train", "validation"] {
            for i in 0..8 {
                place.save(&format!("{folder}/blue/{i}.png"), [0.4, 0.6, 1.0], i);
                place.save(&format!("{folder}/red/{i}.png"), [1.0, 0.6, 0.4], 100 + i);
            }
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn save(&self, name: &str, tint: [f32; 3], seed: u64) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let size = [30, 40];
        let picture = testing::smooth_picture([1, 3, size[0], size[1]], seed);
        let at = |c: usize, i: usize| picture.data()[c * 1200 + i] * tint[c];
        let values = (0..3600).map(|i| at(i % 3, i / 3) as u8).collect();
        let picture = Picture::new(size, Channels::Rgb, Pixels::U8(values));
        encode_file(&picture, &path, &EncodeOptions::default()).unwrap();
    }

    fn job(&self, threads: usize) -> ClassifierJob {
        ClassifierJob {
            recipe: recipe(),
            seed: 7,
            pictures: open_classes(&self.path("train")).unwrap(),
            held_out: open_classes(&self.path("validation")).unwrap(),
            beginning: Beginning::Random,
            reading: Reading { threads: 1, ahead: 1, memory: 10_000, ..Reading::default() },
            threads: Threads::new(Some(threads)).unwrap(),
        }
    }
}

fn recipe() -> ClassifierRecipe {
    ClassifierRecipe {
        name: "tiny".into(),
        config: serde_json::json!({ "width": 4 }),
        size: 24,
        size_in_use: Some(28),
        batch: 6,
        epochs: 12,
        augmentation: Augmentation { horizontal_flip: true, ..Augmentation::zoomed(0.1) },
        schedule: Schedule::Cosine { from: 0.0, peak: 1e-2, last: 1e-4, warmup: 2, steps: 1 },
        averaging: Some(Averaging::Corrected { decay: 0.8 }),
        ..ClassifierRecipe::default()
    }
}

fn take(run: &mut ClassifierRun, steps: usize) {
    for _ in 0..steps {
        run.step().unwrap();
    }
}

#[test]
fn a_resumed_run_ends_in_the_same_bits_on_any_number_of_threads() {
    let place = Place::new();
    let [half, resumed, whole] =
        ["half", "resumed", "whole"].map(|n| place.path(&format!("{n}.safetensors")));
    let mut run = ClassifierRun::start(place.job(1)).unwrap();
    assert_eq!((run.steps_per_epoch(), run.total()), (3, 36));
    take(&mut run, 8);
    run.save(&whole).unwrap();
    let epochs = run.epochs().to_vec();

    let mut run = ClassifierRun::start(place.job(2)).unwrap();
    take(&mut run, 4); // in the midst of an epoch
    run.save(&half).unwrap();
    let mut run = ClassifierRun::resume(place.job(3), &half).unwrap();
    assert_eq!((run.steps(), run.epochs().len()), (4, 2));
    take(&mut run, 4);
    run.save(&resumed).unwrap();
    assert_eq!(run.epochs(), epochs, "what is told goes on too");

    let tensors = |path: &Path| weights::read(path, &Limits::default()).unwrap().tensors;
    let (whole, resumed) = (tensors(&whole), tensors(&resumed));
    assert!(whole == resumed, "other bits");
    for group in ["network.", "optimizer.exp_avg.", "optimizer.exp_avg_sq.", "average.average."] {
        assert!(whole.keys().any(|name| name.starts_with(group)), "no {group} in the checkpoint");
    }
    assert!(tensors(&half) != whole);
}

#[test]
fn colours_are_learnt_and_the_file_says_what_it_is() {
    let place = Place::new();
    let mut run = ClassifierRun::start(place.job(2)).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    let seen = run.validate().unwrap();
    assert_eq!(seen.confusion.total(), 16);
    assert!(seen.accuracy > 0.9, "{seen:?}");
    let path = place.path("out.safetensors");
    run.export(&path, Precision::F16, [("title".into(), "Colours".into())].into()).unwrap();
    let read = weights::read(&path, &Limits::default()).unwrap();
    let card = NetworkCard::from_metadata(&read.metadata).unwrap();
    assert_eq!((card.network.as_str(), card.size), ("small_resnet", Some([28, 28])));
    assert_eq!((card.classes, card.output), (vec!["blue".to_owned(), "red".to_owned()], None));
    assert_eq!(card.config["classes"], 2);
    assert!(card.notes["validation"].contains("of 16 pictures"), "{:?}", card.notes);
    // What was written does as well: float16 keeps eleven bits.
    let net = nets::by_name(&card.network, &card.config.to_string()).unwrap();
    let weights = weights::Weights::bind(&net.graph, read.tensors).unwrap();
    let examiner = Examiner::new(
        open_classes(&place.path("validation")).unwrap(),
        (28, 5),
        Reading::default(),
    );
    let (again, bad) = examiner.examine(&net, &weights).unwrap();
    assert!(bad.is_empty() && (again.loss - seen.loss).abs() < 0.01, "{again:?}");
}

#[test]
fn one_probability_will_do_for_two_classes() {
    let place = Place::new();
    let mut job = place.job(2);
    job.recipe.head = Head::Sigmoid;
    let mut run = ClassifierRun::start(job).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    assert!(run.validate().unwrap().accuracy > 0.9);
}

#[test]
fn a_learnt_network_is_taken_over_and_its_first_layers_stay() {
    let place = Place::new();
    let mut run = ClassifierRun::start(place.job(2)).unwrap();
    take(&mut run, 3);
    let path = place.path("learnt.safetensors");
    run.export(&path, Precision::F32, [].into()).unwrap();
    let learnt = weights::read(&path, &Limits::default()).unwrap().tensors;

    let begin = || {
        let mut job = place.job(2);
        job.recipe.frozen = Some("layer2".into());
        job.beginning = Beginning::open(&path).unwrap();
        job
    };
    let mut run = ClassifierRun::start(begin()).unwrap();
    take(&mut run, 2);
    let (half, out) = (place.path("half.safetensors"), place.path("out.safetensors"));
    run.save(&half).unwrap();
    let mut run = ClassifierRun::resume(begin(), &half).unwrap();
    take(&mut run, 1);
    run.export(&out, Precision::F32, [].into()).unwrap();
    let tensors = weights::read(&out, &Limits::default()).unwrap().tensors;
    for (name, tensor) in &tensors {
        let moves = name.starts_with("layer3") || name.starts_with("fc");
        assert_eq!(*tensor != learnt[name], moves, "{name}");
    }
    let mut job = begin();
    job.recipe.frozen = Some("layer9".into());
    let error = ClassifierRun::start(job).unwrap_err().to_string();
    assert_eq!(error, "small_resnet has no layer \"layer9\"");
}

#[test]
fn a_run_does_not_go_on_with_anything_else() {
    let place = Place::new();
    let path = place.path("checkpoint.safetensors");
    let mut run = ClassifierRun::start(place.job(1)).unwrap();
    take(&mut run, 1);
    run.save(&path).unwrap();
    let differs = |change: &dyn Fn(&mut ClassifierJob)| {
        let mut job = place.job(1);
        change(&mut job);
        match ClassifierRun::resume(job, &path) {
            Err(TrainError::Differs { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(differs(&|job| job.seed = 8), ["seed"]);
    assert_eq!(differs(&|job| job.recipe.smoothing = 0.2), ["recipe"]);
    place.save("train/red/more.png", [1.0; 3], 5);
    assert_eq!(differs(&|_| {}), ["pictures"]);
}

#[test]
fn folders_that_cannot_be_learnt_from_are_refused() {
    let place = Place::new();
    let error = |name: &str| open_classes(&place.path(name)).unwrap_err();
    fs::create_dir_all(place.path("train/empty")).unwrap();
    assert!(
        matches!(error("train"), TrainError::EmptyClass { folder } if folder.ends_with("empty"))
    );
    fs::remove_dir(place.path("train/empty")).unwrap();
    place.save("one/red/0.png", [1.0; 3], 0);
    assert!(matches!(error("one"), TrainError::OneClass { class, .. } if class == "red"));
    fs::create_dir_all(place.path("none/red")).unwrap();
    assert!(matches!(error("none"), TrainError::NoPictures { .. }));
    assert!(matches!(error("nowhere"), TrainError::Io { .. }));
    place.save("other/blue/0.png", [1.0; 3], 0);
    place.save("other/green/0.png", [1.0; 3], 0);
    let mut job = place.job(1);
    job.held_out = open_classes(&place.path("other")).unwrap();
    let error = ClassifierRun::start(job).unwrap_err().to_string();
    assert!(error.ends_with("its classes are blue, green, those learnt are blue, red"), "{error}");
}

#[test]
fn pictures_that_cannot_be_read_are_passed_over_and_listed() {
    let place = Place::new();
    fs::write(place.path("train/red/broken.png"), b"no picture").unwrap();
    fs::write(place.path("validation/blue/broken.png"), b"no picture").unwrap();
    let mut run = ClassifierRun::start(place.job(1)).unwrap();
    take(&mut run, 4);
    assert_eq!(run.validate().unwrap().confusion.total(), 16);
    let bad = run.bad();
    let names: Vec<_> = bad.iter().map(|b| b.path.parent().unwrap().file_name().unwrap()).collect();
    assert_eq!(names, ["red", "blue"], "{bad:?}");
}
