//! Whole runs of style training, of a tiny network on tiny photographs.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

use cpu::{Memory, Threads};
use imaging::{Channels, EncodeOptions, Picture, Pixels, encode_file};
use tempfile::TempDir;
use train::TrainError;
use train::data::{Folder, Reading};
use train::losses::{Objective, Variation, Weighted};
use train::optim::{Adam, Averaging, Schedule};
use train::run::{Checkpoint, Run};
use train::style::{Beginning, LossFile, Painting, StyleJob, StyleRecipe, StyleRun};
use weights::{Limits, NetworkCard, Precision};

/// A painting, eight photographs and a loss network of random weights.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for i in 0..8 {
            save(&place.path(&format!("photos/{i}.png")), [40 + i, 52], i as u64);
        }
        save(&place.path("painting.png"), [48, 40], 99);
        place.loss_network(1);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn loss_network(&self, seed: u64) {
        let net = nets::by_name("vgg", r#"{"up_to": "relu2_2"}"#).unwrap();
        let weights = testing::random_weights(&net.graph, seed);
        let path = self.path("vgg.safetensors");
        weights::write(&path, &weights, &[].into(), Precision::F32).unwrap();
    }

    fn job(&self, threads: usize) -> StyleJob {
        let recipe = recipe();
        let loss = LossFile::open(&self.path("vgg.safetensors"), "vgg16", &recipe.objective);
        let (photographs, _) = Folder::open(&self.path("photos")).unwrap().split(0.0);
        StyleJob {
            recipe,
            seed: 7,
            painting: Painting::open(&self.path("painting.png")).unwrap(),
            loss_network: loss.unwrap(),
            held_out: photographs.clone().limited(3),
            photographs,
            beginning: Beginning::Random,
            reading: Reading { threads: 1, ahead: 1, ..Reading::default() },
            threads: Threads::new(Some(threads)).unwrap(),
            memory: Memory::Kept,
        }
    }
}

fn save(path: &Path, size: [usize; 2], seed: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture = testing::smooth_picture([1, 3, size[0], size[1]], seed);
    let values = picture.data().iter().map(|v| *v as u8).collect();
    let picture = Picture::new(size, Channels::Rgb, Pixels::U8(values));
    encode_file(&picture, path, &EncodeOptions::default()).unwrap();
}

fn recipe() -> StyleRecipe {
    let tap = |tap: &str, weight| Weighted { tap: tap.into(), weight };
    StyleRecipe {
        name: "tiny".into(),
        config: serde_json::json!({ "width": 4, "residual_blocks": 1 }),
        objective: Objective {
            content: vec![tap("relu2_2", 1.0)],
            style: vec![tap("relu1_2", 1e3), tap("relu2_2", 1e3)],
            variation: Variation::Absolute(1e-4),
            ..Objective::default()
        },
        batch: 2,
        size: 24,
        style_size: Some(32),
        steps: Some(6),
        rule: Adam::default().into(),
        schedule: Schedule::Cosine { from: 0.0, peak: 1e-2, last: 1e-4, warmup: 2, steps: 4 },
        averaging: Some(Averaging::Corrected { decay: 0.9 }),
        ..StyleRecipe::pytorch_examples()
    }
}

fn take(run: &mut StyleRun, steps: usize) {
    for _ in 0..steps {
        run.step().unwrap();
    }
}

#[test]
fn the_style_that_is_learnt_is_the_paintings_without_its_grain() {
    let place = Place::new();
    let with = |style_degrain: f32| {
        let mut job = place.job(1);
        job.recipe.style_degrain = style_degrain;
        job
    };
    let style =
        |job| StyleRun::start(job).and_then(|mut run| run.step()).map(|r| r.losses.style.to_bits());
    let mut by_hand = with(0.0);
    by_hand.painting.rgb = by_hand.painting.at(Some(32), 8.0);
    let without = style(with(8.0)).unwrap();
    assert_eq!(without, style(by_hand).unwrap());
    assert_ne!(without, style(with(0.0)).unwrap());
    for wrong in [-1.0, 65.0, f32::NAN] {
        let error = style(with(wrong)).unwrap_err().to_string();
        assert!(error.contains("style_degrain") && error.contains("from 0 to 64"), "{error}");
    }
}

#[test]
fn a_resumed_run_ends_in_the_same_bits_on_any_number_of_threads() {
    let place = Place::new();
    let [half, resumed, whole] =
        ["half", "resumed", "whole"].map(|n| place.path(&format!("{n}.safetensors")));
    let mut run = StyleRun::start(place.job(1)).unwrap();
    take(&mut run, 6);
    assert!(run.is_done());
    run.save(&whole).unwrap();

    let mut run = StyleRun::start(place.job(2)).unwrap();
    take(&mut run, 3);
    run.validate().unwrap().unwrap();
    run.save(&half).unwrap();
    let mut run = StyleRun::resume(place.job(3), &half).unwrap();
    assert_eq!((run.steps(), run.evaluations().len()), (3, 1));
    take(&mut run, 3);
    run.save(&resumed).unwrap();

    let tensors = |path: &Path| weights::read(path, &Limits::default()).unwrap().tensors;
    let (whole, resumed) = (tensors(&whole), tensors(&resumed));
    assert!(whole == resumed, "other bits");
    for group in ["network.", "optimizer.exp_avg.", "optimizer.exp_avg_sq.", "average.average."] {
        assert!(whole.keys().any(|name| name.starts_with(group)), "no {group} in the checkpoint");
    }
    assert!(tensors(&half) != whole);
}

#[test]
fn a_run_does_not_go_on_with_anything_else() {
    let place = Place::new();
    let path = place.path("checkpoint.safetensors");
    let mut run = StyleRun::start(place.job(1)).unwrap();
    take(&mut run, 1);
    run.save(&path).unwrap();
    let refused = |change: &dyn Fn(&mut StyleJob)| {
        let mut job = place.job(1);
        change(&mut job);
        match StyleRun::resume(job, &path).map(|_| ()) {
            Err(TrainError::Differs { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|job| job.recipe.size = 28), ["recipe"]);
    assert_eq!(refused(&|job| job.seed = 8), ["seed"]);
    assert_eq!(
        refused(&|job| job.photographs = job.photographs.clone().limited(5)),
        ["photographs"]
    );
    save(&place.path("painting.png"), [48, 40], 98);
    place.loss_network(2);
    assert_eq!(refused(&|_| ()), ["loss_network", "painting"]);
    let message = StyleRun::resume(place.job(1), &path).unwrap_err().to_string();
    assert!(message.contains("another loss network, another painting"), "{message}");
}

#[test]
fn what_is_no_checkpoint_is_told_so() {
    let place = Place::new();
    let vgg = place.path("vgg.safetensors");
    let error = StyleRun::resume(place.job(1), &vgg).unwrap_err().to_string();
    assert!(error.contains("not a checkpoint of style training"), "{error}");
    let absent = StyleRun::resume(place.job(1), &place.path("absent")).unwrap_err();
    assert!(absent.to_string().contains("absent"), "{absent}");
    let path = place.path("checkpoint.safetensors");
    StyleRun::start(place.job(1)).unwrap().save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for keep in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..keep]).unwrap();
        assert!(Checkpoint::read(&path, "style", &[]).is_err(), "{keep} bytes");
    }
}

#[test]
fn the_style_says_where_it_comes_from_and_can_be_begun_with() {
    let place = Place::new();
    let path = place.path("style.safetensors");
    let mut run = StyleRun::start(place.job(1)).unwrap();
    take(&mut run, 2);
    let losses = run.validate().unwrap().unwrap();
    assert!(losses.total().is_finite() && losses.style > 0.0 && losses.content > 0.0);
    let title = [("title".to_owned(), "Noise".to_owned())].into();
    run.export(&path, Precision::F16, title).unwrap();

    let read = weights::read(&path, &Limits::default()).unwrap();
    let card = NetworkCard::from_metadata(&read.metadata).unwrap();
    assert_eq!((card.network.as_str(), &card.config), ("transformer_net", &recipe().config));
    for (key, part) in [
        ("title", "Noise"),
        ("steps", "2"),
        ("seed", "7"),
        ("recipe", "\"tiny\""),
        ("losses", "at step 2"),
        ("provenance", "pentimento"),
        ("start", "random"),
    ] {
        assert!(card.notes[key].contains(part), "{key}: {}", card.notes[key]);
    }
    let beginning = Beginning::from_bytes("noise", &fs::read(&path).unwrap()).unwrap();
    let warm = StyleRun::start(StyleJob { beginning, ..place.job(1) }).unwrap();
    let checkpoint = place.path("checkpoint.safetensors");
    warm.save(&checkpoint).unwrap();
    let begun = weights::read(&checkpoint, &Limits::default()).unwrap().tensors;
    assert_eq!(begun["network.in1.weight"], read.tensors["in1.weight"]);

    run.save(&checkpoint).unwrap();
    let Beginning::Warm(start) = Beginning::from_checkpoint(&checkpoint).unwrap() else { panic!() };
    let [a, b] = [&start.weights["in1.weight"], &read.tensors["in1.weight"]];
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= a.abs() / 2048.0; // half a unit of f16
    assert!(a.data().iter().zip(b.data()).all(near), "not what was learnt");
}

#[test]
fn a_picture_of_any_size_can_be_looked_at() {
    let place = Place::new();
    let run = StyleRun::start(place.job(1)).unwrap();
    let picture = testing::smooth_picture([1, 3, 21, 30], 4);
    let painted = run.preview(&picture).unwrap();
    assert_eq!(painted.shape(), [1, 3, 21, 30]);
    assert!(painted.data().iter().all(|v| (0.0..=1.0).contains(v)));
}

#[test]
fn numbers_that_are_none_and_blank_pictures_are_told() {
    let place = Place::new();
    let mut job = place.job(1);
    job.recipe.schedule = Schedule::Constant { rate: 1e30 };
    let mut run = StyleRun::start(job).unwrap();
    let error = (0..6).find_map(|_| run.step().err()).unwrap();
    assert!(matches!(error, TrainError::NotANumber { .. }), "{error}");

    let path = place.path("blank.safetensors");
    StyleRun::start(place.job(1)).unwrap().export(&path, Precision::F32, [].into()).unwrap();
    let mut job = place.job(1);
    job.beginning = Beginning::from_bytes("blank", &fs::read(&path).unwrap()).unwrap();
    let Beginning::Warm(start) = &mut job.beginning else { panic!() };
    start.weights.get_mut("deconv3.conv2d.weight").unwrap().data_mut().fill(0.0);
    job.recipe = StyleRecipe { size: 8, batch: 1, ..job.recipe };
    job.recipe.schedule = Schedule::Constant { rate: 0.0 };
    let mut run = StyleRun::start(job).unwrap();
    let error = (0..200).find_map(|_| run.step().err()).unwrap();
    assert!(matches!(error, TrainError::Blank { step: 120, flat: 20 }), "{error}");
}

#[test]
fn the_pace_is_known() {
    let place = Place::new();
    let mut run = StyleRun::start(place.job(1)).unwrap();
    take(&mut run, 2);
    let speed = run.pace();
    assert!(speed.steps_per_second > 0.0 && (0.0..=1.0).contains(&speed.waiting), "{speed:?}");
    assert_eq!((run.rounds(), run.total()), (0.5, 6));
    assert!(run.time() > std::time::Duration::ZERO);
}

#[test]
fn computing_again_changes_no_bit_of_a_run() {
    let place = Place::new();
    let [kept, again] = [Memory::Kept, Memory::Recomputed].map(|memory| {
        let mut run = StyleRun::start(StyleJob { memory, ..place.job(2) }).unwrap();
        (0..3).for_each(|_| _ = run.step().unwrap());
        let path = place.path("style.safetensors");
        run.export(&path, Precision::F32, [].into()).unwrap();
        weights::read(&path, &Limits::default()).unwrap().tensors
    });
    assert!(kept == again);
}
