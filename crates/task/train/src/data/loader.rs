use std::sync::Arc;
use std::time::Duration;

use tensor::Tensor;

use super::queue::Queue;
use super::source::{Passes, Source};
use super::{Bad, Folder, LoadOptions};
use crate::TrainError;
use crate::augment::Disturbance;

/// Some pictures, all of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The number of the batch, from 0.
    pub step: u64,
    /// `[N, 3, H, W]`, RGB in 0..=1.
    pub pictures: Tensor,
    /// The class of each picture; zeros where the folder has no classes.
    pub labels: Vec<usize>,
    /// Which of the folder's photographs each picture is of.
    pub photos: Vec<usize>,
}

/// Time spent since a loader was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// By whoever trains, on waiting for pictures.
    pub waited: Duration,
    /// By all background threads together, on making them.
    pub worked: Duration,
}

impl Times {
    /// The share of `elapsed` that was spent waiting.
    pub fn waiting_share(&self, elapsed: Duration) -> f64 {
        let elapsed = elapsed.as_secs_f64();
        if elapsed > 0.0 { self.waited.as_secs_f64() / elapsed } else { 0.0 }
    }
}

/// A stream of batches, made ahead of time by background threads.
///
/// What is in a batch is a function of the folder, the options and the batch's
/// number: not of the number of threads, nor of the batches before it. So a run
/// is resumed by starting at a step, and to the same bits.
///
/// Dropping a loader ends its threads; it waits for the photographs that are
/// being read just then.
///
/// ```no_run
/// use train::data::{Folder, LoadOptions, Loader};
///
/// let (train, validation) = Folder::open("photos".as_ref())?.split(0.02);
/// let options = LoadOptions { seed: 7, ..LoadOptions::default() };
/// for batch in Loader::training(train, options.clone(), 0)?.take(1000) {
///     let pictures = batch?.pictures; // [4, 3, 256, 256]
/// }
/// for batch in Loader::validation(validation.limited(50), options)? {
///     let pictures = batch?.pictures; // the same 50, last batch 2
/// }
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct Loader {
    source: Arc<Source>,
    queue: Queue,
    step: u64,
    /// There was an error, after which nothing follows.
    failed: bool,
}

impl Loader {
    /// Batches without end, the first being number `step`.
    ///
    /// Each photograph is shown once an epoch, in an order of that epoch's own. Epochs
    /// follow each other without a gap: a batch may end one and begin the next, so
    /// that all are equally large. The place of a photograph that cannot be read
    /// is taken by the next in the order.
    ///
    /// # Errors
    ///
    /// - [`TrainError::Option`] if an option makes no sense.
    /// - [`TrainError::NoPictures`] if the folder is empty.
    /// - [`TrainError::Io`] if the cache's folder cannot be made.
    pub fn training(folder: Folder, options: LoadOptions, step: u64) -> Result<Self, TrainError> {
        Self::start(Source::new(folder, options, Passes::Endless)?, step)
    }

    /// Every photograph once, in the folder's order, its middle and nothing random.
    /// The last batch may be smaller. A photograph that cannot be read is left out.
    ///
    /// # Errors
    ///
    /// As [`training`](Self::training).
    pub fn validation(folder: Folder, options: LoadOptions) -> Result<Self, TrainError> {
        let options = LoadOptions {
            crop: options.crop.still(),
            augmentation: None,
            disturbance: Disturbance::default(),
            ..options
        };
        Self::start(Source::new(folder, options, Passes::One)?, 0)
    }

    /// The number of the next batch: what a checkpoint has to keep.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The share of the epochs that is behind: 1.5 in the middle of the second.
    pub fn epochs(&self) -> f64 {
        self.queue.taken() as f64 / self.source.folder.photos().len() as f64
    }

    /// The photographs.
    pub fn folder(&self) -> &Folder {
        &self.source.folder
    }

    /// What could not be read so far and why; where the cache cannot be written,
    /// that too.
    pub fn bad(&self) -> Vec<Bad> {
        self.source.bad()
    }

    /// Where the time went.
    pub fn times(&self) -> Times {
        self.queue.times()
    }

    fn start(source: Source, step: u64) -> Result<Self, TrainError> {
        let source = Arc::new(source);
        let first = step.saturating_mul(source.options.batch as u64);
        let queue = Queue::start(Arc::clone(&source), first)?;
        Ok(Self { source, queue, step, failed: false })
    }

    /// The next batch, of fewer pictures only at the end.
    fn batch(&mut self) -> Result<Option<Batch>, TrainError> {
        let LoadOptions { batch, size: [height, width], .. } = self.source.options;
        let mut data = Vec::with_capacity(batch * 3 * height * width);
        let (mut labels, mut photos) = (vec![], vec![]);
        while photos.len() < batch && self.queue.taken() < self.source.len() {
            if let Some(sample) = self.queue.take()? {
                data.extend_from_slice(&sample.planes);
                labels.push(self.source.folder.photos()[sample.photo].label);
                photos.push(sample.photo);
            }
        }
        if photos.is_empty() {
            return Ok(None);
        }
        let pictures = Tensor::new([photos.len(), 3, height, width], data);
        self.step += 1;
        Ok(Some(Batch { step: self.step - 1, pictures, labels, photos }))
    }
}

impl Iterator for Loader {
    type Item = Result<Batch, TrainError>;

    /// Waits until the batch is made. An error is the last that comes.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.batch();
        self.failed = batch.is_err();
        batch.transpose()
    }
}
