//! Whole runs of learning to colour, of small networks on tiny pictures.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::fs;
use std::path::PathBuf;

use cpu::Threads;
use imaging::{Channels, EncodeOptions, Picture, Pixels, encode_file};
use tempfile::TempDir;
use train::TrainError;
use train::colour::{ColorJob, ColorRecipe, ColorRun, Seer, Start};
use train::data::{Folder, Reading};
use train::run::{Initial, Run};
use weights::{Limits, NetworkCard, Precision, Weights};

/// Six smooth pictures in which what is light is reddish.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(place.path("photos")).unwrap();
        for seed in 0..6 {
            let size = [40, 48];
            let area = size[0] * size[1];
            let grey = testing::smooth_picture([1, 3, size[0], size[1]], seed);
            let tint = [1.0, 0.75, 0.5];
            let values = (0..3 * area).map(|i| (grey.data()[i / 3] * tint[i % 3]) as u8);
            let picture = Picture::new(size, Channels::Rgb, Pixels::U8(values.collect()));
            let path = place.path(&format!("photos/{seed}.png"));
            encode_file(&picture, &path, &EncodeOptions::default()).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn job(&self, recipe: ColorRecipe, threads: usize) -> ColorJob {
        let photographs = Folder::open(&self.path("photos")).unwrap();
        ColorJob {
            recipe,
            seed: 3,
            held_out: photographs.clone().limited(2),
            photographs,
            start: Start::Random,
            seer: None,
            reading: Reading { threads: 1, ahead: 1, ..Reading::default() },
            threads: Threads::new(Some(threads)).unwrap(),
        }
    }
}

/// Ours, narrow and short.
fn ours() -> ColorRecipe {
    ColorRecipe {
        config: serde_json::json!({ "width": 4 }),
        batch: 2,
        size: 32,
        short: 36,
        ..ColorRecipe::default().with_steps(6)
    }
}

fn take(run: &mut ColorRun, steps: usize) {
    for _ in 0..steps {
        run.step().unwrap();
    }
}

/// The tutorial's for one picture, smaller.
fn alpha() -> ColorRecipe {
    ColorRecipe { size: 32, short: 40, ..ColorRecipe::alpha().with_steps(400) }
}

/// Six steps at once on one thread, and on others with a pause in between.
fn stops_and_goes_on_to_the_same_bits(place: &Place, job: impl Fn(usize) -> ColorJob) {
    let mut whole = ColorRun::start(job(1)).unwrap();
    take(&mut whole, 6);
    whole.save(&place.path("whole")).unwrap();

    let mut first = ColorRun::start(job(3)).unwrap();
    take(&mut first, 2);
    first.save(&place.path("half")).unwrap();
    let mut second = ColorRun::resume(job(2), &place.path("half")).unwrap();
    take(&mut second, 4);
    second.save(&place.path("resumed")).unwrap();
    let of = |name: &str| weights::read(&place.path(name), &Limits::default()).unwrap().tensors;
    assert_eq!(of("whole"), of("resumed"));
}

#[test]
fn a_resumed_run_ends_in_the_same_bits_on_any_number_of_threads() {
    let place = Place::new();
    stops_and_goes_on_to_the_same_bits(&place, |threads| place.job(ours(), threads));
    let other = ColorRecipe { batch: 3, ..ours() };
    let error = ColorRun::resume(place.job(other, 1), &place.path("half")).unwrap_err();
    assert!(matches!(error, TrainError::Differs { what, .. } if what == ["recipe"]));
    // One picture, which a run need not look at twice, and several, at which it must.
    stops_and_goes_on_to_the_same_bits(&place, |threads| {
        let photographs = Folder::of_picture(&place.path("photos/0.png")).unwrap();
        ColorJob { photographs, ..place.job(alpha(), threads) }
    });
    stops_and_goes_on_to_the_same_bits(&place, |threads| place.job(alpha(), threads));
}

#[test]
fn alpha_learns_the_colours_of_one_picture() {
    let place = Place::new();
    let picture = Folder::of_picture(&place.path("photos/0.png")).unwrap();
    let job = place.job(alpha(), 2);
    let job = ColorJob { photographs: picture.clone(), held_out: picture, ..job };
    let mut run = ColorRun::start(job).unwrap();
    let first = run.step().unwrap().loss;
    take(&mut run, 399);
    let last = run.step().unwrap().loss;
    assert!(last < first / 20.0, "{first} fell to {last} only");
    let seen = run.validate().unwrap().unwrap();
    assert!(seen.psnr > seen.grey + 6.0, "{seen:?}");
}

#[test]
fn full_is_told_by_a_classifier() {
    let place = Place::new();
    let recipe = ColorRecipe {
        config: serde_json::json!({ "classes": 5 }),
        batch: 1,
        size: 32,
        short: 32,
        ..ColorRecipe::full().with_steps(2)
    };
    let untold = ColorRun::start(place.job(recipe.clone(), 1)).unwrap_err();
    assert!(matches!(untold, TrainError::Option { option: "classifier", .. }), "{untold}");

    let net = nets::by_name("efficientnet_lite0", r#"{"classes": 5}"#).unwrap();
    let weights = Weights::bind(&net.graph, Initial::He.draw(&net.graph, 1)).unwrap();
    let seer = Seer::new(net, &weights, 32).unwrap();
    let job = ColorJob { seer: Some((seer, "digest".to_owned())), ..place.job(recipe, 2) };
    let mut run = ColorRun::start(job).unwrap();
    assert!(run.step().unwrap().loss > 0.0);
    assert!(run.validate().unwrap().is_some());
}

#[test]
fn what_is_exported_says_what_it_is() {
    let place = Place::new();
    let mut run = ColorRun::start(place.job(ours(), 2)).unwrap();
    take(&mut run, 1);
    run.validate().unwrap();
    let path = place.path("colour.safetensors");
    run.export(&path, Precision::F16, [("title".to_owned(), "Test".to_owned())].into()).unwrap();
    let read = weights::read(&path, &Limits::default()).unwrap();
    let card = NetworkCard::from_metadata(&read.metadata).unwrap();
    assert_eq!((card.network.as_str(), card.notes["title"].as_str()), ("colorizer", "Test"));
    assert!(card.notes["validation"].contains("dB on photographs kept out"));
    assert_eq!(card.notes["start"], "random weights");
    let net = nets::by_name(&card.network, &card.config.to_string()).unwrap();
    Weights::bind(&net.graph, read.tensors).unwrap();
}
