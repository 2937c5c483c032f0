//! A folder with good and bad files in it, through the whole input pipeline.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use imaging::{Channels, EncodeOptions, Limits, Picture, Pixels, encode_file};
use tempfile::TempDir;
use train::TrainError;
use train::augment::{Augmentation, Fill};
use train::data::{Batch, Crop, Folder, LoadOptions, Loader, Reading};

/// A noisy picture that belongs to `seed` alone.
fn save(path: &Path, size: [usize; 2], seed: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut random = testing::Random::new(seed);
    let values = (0..3 * size[0] * size[1]).map(|_| random.bits() as u8).collect();
    let picture = Picture::new(size, Channels::Rgb, Pixels::U8(values));
    encode_file(&picture, path, &EncodeOptions::default()).unwrap();
}

/// Eleven photographs of all sizes in three folders.
fn photographs() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [[20, 31], [64, 20], [17, 17], [16, 90], [1, 3], [40, 41], [33, 16], [300, 200]];
    for (i, size) in sizes.into_iter().enumerate() {
        save(&dir.path().join(format!("{}/{i}.png", ["a", "b", "c/d"][i % 3])), size, i as u64);
    }
    for (name, size) in [("a/x.jpg", [50, 60]), ("b/y.bmp", [25, 18]), ("b/z.webp", [19, 40])] {
        save(&dir.path().join(name), size, 99);
    }
    dir
}

/// A truncated file, one that is no picture, an empty one and a header that
/// promises a gigapixel.
fn spoil(folder: &Path) {
    let whole = fs::read(folder.join("a/x.jpg")).unwrap();
    fs::write(folder.join("a/truncated.jpg"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.join("b/words.png"), "this is no picture").unwrap();
    fs::write(folder.join("empty.gif"), "").unwrap();
    let mut bomb = fs::read(folder.join("a/0.png")).unwrap();
    bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
    fs::write(folder.join("c/bomb.png"), bomb).unwrap();
}

fn options() -> LoadOptions {
    let reading = Reading { threads: 1, ahead: 1, ..Reading::default() };
    LoadOptions { batch: 4, size: [12, 16], short: 18, seed: 7, reading, ..LoadOptions::default() }
}

fn batches(dir: &TempDir, options: LoadOptions, steps: std::ops::Range<u64>) -> Vec<Batch> {
    let folder = Folder::open(dir.path()).unwrap();
    let loader = Loader::training(folder, options, steps.start).unwrap();
    let count = (steps.end - steps.start) as usize;
    loader.take(count).collect::<Result<_, _>>().unwrap()
}

#[test]
fn an_epoch_shows_each_photograph_once_in_an_order_of_its_own() {
    let dir = photographs();
    let shown: Vec<usize> =
        batches(&dir, options(), 0..11).iter().flat_map(|b| b.photos.clone()).collect();
    let epochs: Vec<&[usize]> = shown.chunks(11).collect();
    for epoch in &epochs {
        let mut sorted = epoch.to_vec();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..11), "{epoch:?}");
    }
    assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
}

#[test]
fn batches_have_the_shape_and_range_they_promise() {
    let dir = photographs();
    for (step, batch) in batches(&dir, options(), 0..6).iter().enumerate() {
        assert_eq!(batch.step, step as u64);
        assert_eq!(batch.pictures.shape(), [4, 3, 12, 16]);
        assert!(batch.pictures.data().iter().all(|v| (0.0..=1.0).contains(v)));
        assert_eq!(batch.labels, [0; 4]);
    }
}

/// Bad files among them, augmentation on: everything that could depend on what other
/// threads did.
#[test]
fn neither_threads_nor_queue_nor_cache_nor_resuming_changes_a_bit() {
    let dir = photographs();
    spoil(dir.path());
    let cache = tempfile::tempdir().unwrap();
    let augmentation = Augmentation {
        rotation_range: 20.0,
        fill_mode: Fill::Reflect,
        ..Augmentation::zoomed(0.1)
    };
    let base = LoadOptions { augmentation: Some(augmentation), ..options() };
    let with = |threads, ahead, cache: Option<&Path>| {
        let cache = cache.map(Path::to_owned);
        let reading = Reading { threads, ahead, cache, ..base.reading.clone() };
        LoadOptions { reading, ..base.clone() }
    };
    let want = batches(&dir, base.clone(), 0..20);
    assert!(batches(&dir, with(4, 3, None), 0..20) == want, "threads");
    assert!(batches(&dir, with(2, 1, Some(cache.path())), 0..20) == want, "an empty cache");
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 11);
    assert!(batches(&dir, with(3, 2, Some(cache.path())), 0..20) == want, "a full cache");
    for entry in fs::read_dir(cache.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    }
    assert!(batches(&dir, with(2, 2, Some(cache.path())), 0..20) == want, "a spoilt cache");
    for step in [1, 7, 13] {
        assert!(batches(&dir, with(2, 2, None), step..20) == want[step as usize..], "from {step}");
    }
    let other = LoadOptions { seed: 8, ..base.clone() };
    assert!(batches(&dir, other, 0..20) != want, "the seed counts for nothing");
}

#[test]
fn bad_files_are_passed_over_and_listed_with_the_reason() {
    let dir = photographs();
    spoil(dir.path());
    let folder = Folder::open(dir.path()).unwrap();
    assert_eq!(folder.photos().len(), 15);
    let mut loader = Loader::training(folder, options(), 0).unwrap();
    for _ in 0..8 {
        loader.next().unwrap().unwrap();
    }
    let bad = loader.bad();
    let told: Vec<String> = bad
        .iter()
        .map(|b| format!("{}: {}", b.path.strip_prefix(dir.path()).unwrap().display(), b.why))
        .collect();
    let want = [
        ("a/truncated.jpg", "truncated JPEG"),
        ("b/words.png", "not a picture"),
        ("c/bomb.png", "limit"),
        ("empty.gif", "not a picture"),
    ];
    assert_eq!(told.len(), want.len(), "{told:?}");
    for (told, (path, why)) in told.iter().zip(want) {
        assert!(told.starts_with(path) && told.contains(why), "{told}");
    }
}

#[test]
fn nothing_but_bad_files_is_an_error_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.jpg"), "no").unwrap();
    fs::write(dir.path().join("b.jpg"), "neither").unwrap();
    let mut loader = Loader::training(Folder::open(dir.path()).unwrap(), options(), 0).unwrap();
    let error = loader.next().unwrap().unwrap_err();
    assert!(matches!(error, TrainError::AllBad { count: 2, .. }), "{error}");
    assert!(error.to_string().contains("a.jpg: not a picture"), "{error}");
    assert!(loader.next().is_none());
    let mut once = Loader::validation(Folder::open(dir.path()).unwrap(), options()).unwrap();
    assert!(once.next().is_none());
    assert_eq!(once.bad().len(), 2);
}

#[test]
fn validation_is_the_same_middle_of_each_in_order() {
    let dir = photographs();
    spoil(dir.path());
    let open = || Folder::with_classes(dir.path()).unwrap();
    assert_eq!(open().classes(), ["a", "b", "c"]);
    let run = |seed| {
        let options = LoadOptions { seed, ..options() };
        let loader = Loader::validation(open(), options).unwrap();
        loader.collect::<Result<Vec<Batch>, _>>().unwrap()
    };
    let got = run(1);
    assert!(got == run(2), "validation is random");
    assert_eq!(got.iter().map(|b| b.photos.len()).collect::<Vec<_>>(), [4, 4, 3]);
    let photos: Vec<usize> = got.iter().flat_map(|b| b.photos.clone()).collect();
    assert!(photos.is_sorted());
    let folder = open();
    for (photo, label) in photos.iter().zip(got.iter().flat_map(|b| &b.labels)) {
        assert_eq!(*label, folder.photos()[*photo].label);
    }
}

/// A picture of the right size is shown as it is, value by value.
#[test]
fn what_needs_no_scaling_comes_through_exactly() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("a.png"), [16, 16], 3);
    let options = LoadOptions { size: [16, 16], short: 16, crop: Crop::Centre, ..options() };
    let folder = Folder::open(dir.path()).unwrap();
    let batch = Loader::training(folder, options, 0).unwrap().next().unwrap().unwrap();
    let want = imaging::decode_file(&dir.path().join("a.png"), &Limits::default()).unwrap();
    assert_eq!(batch.pictures.data()[..768], *want.to_rgb_tensor().data());
    assert_eq!(batch.photos, [0; 4]);
}

/// A narrow picture would be huge once its shorter side is long enough.
#[test]
fn a_thread_of_a_picture_is_bad() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("thread.png"), [1, 4000], 3);
    save(&dir.path().join("good.png"), [20, 20], 3);
    let limits = Limits { pixels: 1_000_000, ..Limits::default() };
    let reading = Reading { limits, ..Reading::default() };
    let folder = Folder::open(dir.path()).unwrap();
    let mut loader = Loader::training(folder, LoadOptions { reading, ..options() }, 0).unwrap();
    assert_eq!(loader.next().unwrap().unwrap().photos, [0; 4]);
    assert!(loader.bad()[0].why.contains("pixels"), "{:?}", loader.bad());
}

#[test]
fn dropped_at_any_moment_it_ends_its_threads() {
    let dir = photographs();
    for taken in 0..4 {
        let reading = Reading { threads: 3, ahead: 2, ..Reading::default() };
        let options = LoadOptions { reading, ..options() };
        let mut loader = Loader::training(Folder::open(dir.path()).unwrap(), options, 0).unwrap();
        for _ in 0..taken {
            loader.next().unwrap().unwrap();
        }
        let start = Instant::now();
        drop(loader);
        assert!(start.elapsed() < Duration::from_secs(20), "threads hang");
    }
}

#[test]
fn time_spent_waiting_is_counted() {
    let dir = photographs();
    let start = Instant::now();
    let mut loader = Loader::training(Folder::open(dir.path()).unwrap(), options(), 0).unwrap();
    for _ in 0..5 {
        loader.next().unwrap().unwrap();
    }
    let times = loader.times();
    assert!(times.waited > Duration::ZERO && times.worked > Duration::ZERO);
    assert!((0.0..=1.0).contains(&times.waiting_share(start.elapsed())));
    assert_eq!((loader.step(), loader.epochs()), (5, 20.0 / 11.0));
}

#[test]
fn options_that_make_no_sense_are_refused_by_name() {
    let dir = photographs();
    let bad = [
        ("batch", LoadOptions { batch: 0, ..options() }),
        ("short", LoadOptions { short: 15, ..options() }),
        (
            "threads",
            LoadOptions { reading: Reading { threads: 0, ..Reading::default() }, ..options() },
        ),
        ("zoom_range", LoadOptions { augmentation: Some(Augmentation::zoomed(2.0)), ..options() }),
    ];
    for (name, options) in bad {
        let folder = Folder::open(dir.path()).unwrap();
        let message = Loader::training(folder, options, 0).unwrap_err().to_string();
        assert!(message.starts_with(name), "{message}");
    }
    let (none, _) = Folder::open(dir.path()).unwrap().split(1.0);
    assert!(matches!(Loader::training(none, options(), 0), Err(TrainError::NoPictures { .. })));
}
