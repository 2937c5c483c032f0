//! One sample, as a function of its number.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use tensor::Tensor;

use super::cache::{Cache, Slot};
use super::order::Shuffle;
use super::prepare::{Prepared, ScaleTo, Scaling};
use super::{Bad, Crop, Folder, LoadOptions, lock};
use crate::augment::{Disturbance, Facing, Window, apply};
use crate::{Random, TrainError};

/// Whether there is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passes {
    /// Epoch after epoch, each shuffled anew.
    Endless,
    /// Each photograph once, in the folder's order.
    One,
}

/// A picture as the network sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// Which of the folder's photographs it is of.
    pub(super) photo: usize,
    /// Three planes, one after the other.
    pub(super) planes: Vec<f32>,
}

/// Makes samples, on any thread and in any order.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) folder: Folder,
    pub(super) options: LoadOptions,
    pub(super) passes: Passes,
    cache: Option<Cache>,
    /// Scaled pictures that are kept in memory, by their place in the folder.
    kept: Mutex<BTreeMap<usize, Arc<Prepared>>>,
    /// Photographs that cannot be read, by their place in the folder.
    bad: Mutex<BTreeMap<usize, String>>,
    /// Why the cache could not be written to, the first time.
    cache_error: OnceLock<Bad>,
    /// The sample of a single photograph that looks the same each time.
    only: OnceLock<Sample>,
}

/// What a sample's stream of random numbers is for.
const CROP: u64 = 1;

impl Source {
    pub(super) fn new(
        folder: Folder,
        options: LoadOptions,
        passes: Passes,
    ) -> Result<Self, TrainError> {
        options.check()?;
        if folder.photos().is_empty() {
            let folder = folder.root().to_owned();
            let hint = "; the share kept for validation may be too large or too small";
            return Err(TrainError::NoPictures { folder, hint });
        }
        let open = |path: &PathBuf| Cache::open(path).map_err(TrainError::io(path));
        let cache = options.reading.cache.as_ref().map(open).transpose()?;
        let (kept, bad) = (Mutex::default(), Mutex::default());
        let (cache_error, only) = (OnceLock::new(), OnceLock::new());
        Ok(Self { folder, options, passes, cache, kept, bad, cache_error, only })
    }

    /// How many samples there are.
    pub(super) fn len(&self) -> u64 {
        match self.passes {
            Passes::Endless => u64::MAX,
            Passes::One => self.folder.photos().len() as u64,
        }
    }

    /// The sample of that number; `None` if its photograph is bad and there is
    /// no other to take its place.
    ///
    /// In endless passes the next good photograph of the epoch's order takes its
    /// place, so that a number's sample depends on no other sample.
    pub(super) fn sample(&self, number: u64) -> Result<Option<Sample>, TrainError> {
        if let Some(only) = self.only.get() {
            return Ok(Some(only.clone()));
        }
        let count = self.folder.photos().len();
        let (epoch, place) = (number / count as u64, (number % count as u64) as usize);
        let mut random = Random::keyed(self.options.seed, &[CROP, epoch, place as u64]);
        if self.passes == Passes::One {
            return Ok(self.prepared(place).map(|p| self.shown(place, &p, &mut random)));
        }
        let shuffle = Shuffle::new(count, self.options.seed, epoch);
        for further in 0..count {
            let photo = shuffle.at((place + further) % count);
            if let Some(prepared) = self.prepared(photo) {
                let sample = self.shown(photo, &prepared, &mut random);
                if count == 1 && self.is_still() {
                    let _ = self.only.set(sample.clone()); // another thread may have been first
                }
                return Ok(Some(sample));
            }
        }
        Err(self.all_bad())
    }

    /// Whether chance has no part in what is shown, and there is memory to keep it.
    fn is_still(&self) -> bool {
        let LoadOptions { crop, augmentation, disturbance, reading, .. } = &self.options;
        matches!(crop, Crop::Centre | Crop::Whole)
            && augmentation.is_none()
            && *disturbance == Disturbance::default()
            && reading.memory > 0
    }

    /// What could not be read so far, in the folder's order, and whether the cache failed.
    pub(super) fn bad(&self) -> Vec<Bad> {
        let one =
            |(photo, why): (&usize, &String)| Bad { path: self.path(*photo), why: why.clone() };
        let mut all: Vec<Bad> = lock(&self.bad).iter().map(one).collect();
        all.extend(self.cache_error.get().cloned());
        all
    }

    fn path(&self, photo: usize) -> PathBuf {
        self.folder.root().join(&self.folder.photos()[photo].path)
    }

    fn all_bad(&self) -> TrainError {
        let bad = self.bad();
        let first = bad.first().cloned();
        let Bad { path, why } = first.unwrap_or(Bad { path: self.path(0), why: String::new() });
        TrainError::AllBad { count: bad.len(), path, why }
    }

    /// A photograph, scaled; `None`, and noted, if it is bad.
    fn prepared(&self, photo: usize) -> Option<Arc<Prepared>> {
        if let Some(kept) = lock(&self.kept).get(&photo) {
            return Some(Arc::clone(kept));
        }
        if lock(&self.bad).contains_key(&photo) {
            return None;
        }
        match guarded(|| self.read(photo)) {
            Ok(Ok(prepared)) => return Some(self.keep(photo, Arc::new(prepared))),
            Ok(Err(e)) => lock(&self.bad).insert(photo, e.to_string()),
            Err(panic) => lock(&self.bad).insert(photo, format!("the decoder panicked: {panic}")),
        };
        None
    }

    /// Keeps a picture in memory, if there is room.
    fn keep(&self, photo: usize, prepared: Arc<Prepared>) -> Arc<Prepared> {
        let memory = self.options.reading.memory;
        if memory > 0 {
            let mut kept = lock(&self.kept);
            let taken: usize = kept.values().map(|p| p.pixels.len()).sum();
            if taken + prepared.pixels.len() <= memory {
                kept.insert(photo, Arc::clone(&prepared));
            }
        }
        prepared
    }

    fn read(&self, photo: usize) -> Result<Prepared, imaging::ImagingError> {
        let path = self.path(photo);
        let LoadOptions { crop, size, short, filter, reading, .. } = &self.options;
        let to =
            if *crop == Crop::Whole { ScaleTo::Exactly(*size) } else { ScaleTo::Short(*short) };
        let scaling = Scaling { to, filter: *filter, limits: reading.limits };
        let slot = self.cache.as_ref().and_then(|cache| cache.slot(&path, &scaling));
        if let Some(prepared) = slot.as_ref().and_then(Slot::read) {
            return Ok(prepared);
        }
        let prepared = scaling.prepare(&path)?;
        if let Some(Err(e)) = slot.map(|slot| slot.write(&prepared)) {
            let folder = self.options.reading.cache.clone().unwrap_or_default();
            let why = format!("pictures are not cached: {e}");
            let _ = self.cache_error.set(Bad { path: folder, why }); // the first is enough
        }
        Ok(prepared)
    }

    /// Cuts out and varies what the network sees.
    fn shown(&self, photo: usize, prepared: &Prepared, random: &mut Random) -> Sample {
        let [height, width] = self.options.size;
        let window = match self.options.crop {
            Crop::Random => Window::draw(prepared.size, [height, width], random),
            Crop::RandomUnmirrored => Window {
                facing: Facing::AsIs,
                ..Window::draw(prepared.size, [height, width], random)
            },
            Crop::Centre | Crop::Whole => Window::centre(prepared.size, [height, width]),
        };
        let mut planes = vec![0.0; 3 * height * width];
        window.cut(&prepared.pixels, prepared.size[1], &mut planes);
        if let Some(augmentation) = &self.options.augmentation {
            let transform = augmentation.draw([height, width], random);
            let picture = Tensor::new([3, height, width], planes);
            planes = apply(&picture, &transform, augmentation.fill_mode).into_data();
        }
        self.options.disturbance.apply(&mut planes, [height, width], random);
        Sample { photo, planes }
    }
}

/// Runs `work`; a panic becomes its message.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message(panic.as_ref()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Reading;
    use std::fs;
    use std::path::Path;

    /// Two good photographs around a bad one.
    fn photographs() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.png", "c.png"] {
            let picture = imaging::Picture::from_rgb_tensor(
                &Tensor::zeros([1, 3, 9, 9]),
                imaging::Depth::Eight,
            );
            let options = imaging::EncodeOptions::default();
            imaging::encode_file(&picture, &dir.path().join(name), &options).unwrap();
        }
        fs::write(dir.path().join("b.png"), "bad").unwrap();
        dir
    }

    fn source(dir: &Path, passes: Passes, cache: Option<PathBuf>) -> Source {
        let reading = Reading { cache, ..Reading::default() };
        let options = LoadOptions { size: [8, 8], short: 8, reading, ..LoadOptions::default() };
        Source::new(Folder::open(dir).unwrap(), options, passes).unwrap()
    }

    #[test]
    fn the_place_of_a_bad_photograph_is_taken_by_the_next() {
        let dir = photographs();
        let source = source(dir.path(), Passes::Endless, None);
        for epoch in 0..20 {
            let order = Shuffle::new(3, 0, epoch);
            let good = |place: usize| match order.at(place % 3) {
                1 => order.at((place + 1) % 3),
                photo => photo,
            };
            for place in 0..3 {
                let sample = source.sample(epoch * 3 + place as u64).unwrap().unwrap();
                assert_eq!(sample.photo, good(place), "epoch {epoch}, place {place}");
            }
        }
    }

    #[test]
    fn in_one_pass_a_bad_photograph_is_left_out() {
        let dir = photographs();
        let source = source(dir.path(), Passes::One, None);
        let photo = |number| source.sample(number).unwrap().map(|sample| sample.photo);
        assert_eq!([photo(2), photo(1), photo(0)], [Some(2), None, Some(0)]);
        assert_eq!(source.bad().len(), 1);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_told_of_once_and_nothing_else() {
        let dir = photographs();
        let cache = dir.path().join("cache");
        let source = source(dir.path(), Passes::One, Some(cache.clone()));
        fs::remove_dir_all(&cache).unwrap();
        assert!(source.sample(0).unwrap().is_some());
        assert!(source.sample(2).unwrap().is_some());
        let bad = source.bad();
        assert_eq!(bad.len(), 1);
        assert!(bad[0].path == cache && bad[0].why.contains("not cached"), "{bad:?}");
    }

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| panic!("at {}", 3)), Err::<(), _>("at 3".to_owned()));
    }
}
