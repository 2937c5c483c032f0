//! What a job has made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pentimento::imaging::Picture;
use pentimento::pipeline::{Blend, blended};
use serde::Serialize;
use serde_json::Value;

use crate::fault::Fault;
use crate::id::Id;
use crate::picture::{Original, Shown, bytes_of, show, shown_size};
use crate::store::Progress;
use crate::time::now;

/// What a job has made, or makes.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) id: Id,
    pub(crate) job: Id,
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) created: f64,
    request: Value,
    source: Option<Arc<Original>>,
    made: Mutex<Made>,
}

/// What there is so far.
#[derive(Debug, Default)]
struct Made {
    complete: bool,
    /// Height and width of the full picture, known before it is there.
    size: Option<[usize; 2]>,
    quick: Option<Arc<Picture>>,
    picture: Option<Arc<Picture>>,
    images: Vec<Image>,
    data: Option<Value>,
}

/// One of several images.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) shown: Arc<Shown>,
    pub(crate) style: Option<Id>,
    pub(crate) channel: Option<usize>,
    pub(crate) answer: Option<f32>,
}

/// What is told of a result.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    id: Id,
    job: Id,
    kind: &'static str,
    complete: bool,
    created: f64,
    expires: f64,
    request: Value,
    picture: Option<Id>,
    title: String,
    width: Option<usize>,
    height: Option<usize>,
    blend: bool,
    images: Vec<AboutImage>,
    data: Option<Value>,
}

#[derive(Debug, Serialize)]
struct AboutImage {
    index: usize,
    url: String,
    width: usize,
    height: usize,
    style: Option<Id>,
    channel: Option<usize>,
    answer: Option<f32>,
}

impl Outcome {
    pub(crate) fn new(
        (job, kind): (Id, &'static str),
        title: String,
        request: Value,
        source: Option<Arc<Original>>,
    ) -> Self {
        let (id, created, made) = (Id::new(), now(), Mutex::default());
        Self { id, job, kind, title, created, request, source, made }
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how large the full picture will be.
    pub(crate) fn will_be(&self, size: [usize; 2]) {
        self.made().size = Some(size);
    }

    pub(crate) fn add_quick(&self, picture: Picture) {
        self.made().quick = Some(Arc::new(picture));
    }

    pub(crate) fn add_picture(&self, picture: Picture) {
        let mut made = self.made();
        (made.size, made.quick) = (Some(picture.size()), None);
        made.picture = Some(Arc::new(picture));
    }

    /// Adds an image and gives its number.
    pub(crate) fn add_image(&self, image: Image) -> usize {
        let mut made = self.made();
        made.images.push(image);
        made.images.len() - 1
    }

    pub(crate) fn add_data(&self, data: Value) {
        self.made().data = Some(data);
    }

    pub(crate) fn complete(&self) {
        self.made().complete = true;
    }

    /// Bytes of memory, its source's too, which it may outlive.
    pub(crate) fn bytes(&self) -> u64 {
        let made = self.made();
        let pictures = made.quick.iter().chain(&made.picture).map(|picture| bytes_of(picture));
        let images = made.images.iter().map(|image| image.shown.bytes.len() as u64 + 256);
        let source = self.source.as_ref().map_or(0, |source| source.bytes());
        pictures.chain(images).sum::<u64>() + source + 4096
    }

    pub(crate) fn about(&self, expires: f64) -> About {
        let made = self.made();
        let image = |(index, image): (usize, &Image)| AboutImage {
            index,
            url: self.image_url(index),
            width: image.shown.size[1],
            height: image.shown.size[0],
            style: image.style.clone(),
            channel: image.channel,
            answer: image.answer,
        };
        About {
            id: self.id.clone(),
            job: self.job.clone(),
            kind: self.kind,
            complete: made.complete,
            created: self.created,
            expires,
            request: self.request.clone(),
            picture: self.source.as_ref().map(|source| source.id.clone()),
            title: self.title.clone(),
            width: made.size.map(|[_, width]| width),
            height: made.size.map(|[height, _]| height),
            blend: self.blends(),
            images: made.images.iter().enumerate().map(image).collect(),
            data: made.data.clone(),
        }
    }

    pub(crate) fn image_url(&self, index: usize) -> String {
        format!("/api/results/{}/images/{index}", self.id)
    }

    pub(crate) fn image(&self, index: usize) -> Option<Arc<Shown>> {
        self.made().images.get(index).map(|image| Arc::clone(&image.shown))
    }

    /// Whether strength and colours may be chosen.
    fn blends(&self) -> bool {
        self.kind == "stylize"
    }

    /// The full picture, or what there is of it; and whether that is the last word.
    fn latest(&self) -> Result<(Arc<Picture>, Progress), Fault> {
        let made = self.made();
        match (&made.picture, &made.quick, made.complete) {
            (Some(picture), ..) => Ok((Arc::clone(picture), Progress::Over)),
            (None, Some(quick), false) => Ok((Arc::clone(quick), Progress::Going)),
            (None, _, true) => Err(Fault::not_found("picture of this result")),
            (None, None, false) => {
                Err(Fault::conflict("The result is not there yet.", "Wait for its job."))
            }
        }
    }

    /// The picture to be looked at, its longer side at most `side`; and whether it is the last
    /// word.
    pub(crate) fn preview(&self, side: usize, blend: Blend) -> Result<(Shown, Progress), Fault> {
        self.check(blend)?;
        let (picture, progress) = self.latest()?;
        let shown = shown_size(picture.size(), side);
        let drawn = match &self.source {
            Some(source) if blend != Blend::FULL => {
                let pair = (&source.picture, &*picture);
                &blended(pair, blend, Some(shown))?
            }
            _ => &*picture,
        };
        Ok((show(drawn, shown)?, progress))
    }

    /// The source at the size of [`Outcome::preview`].
    pub(crate) fn original(&self, side: usize) -> Result<(Shown, Progress), Fault> {
        let source = self.source.as_ref().ok_or_else(|| Fault::not_found("original"))?;
        let (picture, progress) = self.latest()?;
        let shown = shown_size(picture.size(), side);
        Ok((show(&source.picture, shown)?, progress))
    }

    /// The full picture with its metadata, to be kept.
    pub(crate) fn full(&self, blend: Blend) -> Result<Arc<Picture>, Fault> {
        self.check(blend)?;
        match (self.latest()?, &self.source) {
            ((_, Progress::Going), _) => {
                Err(Fault::conflict("The full picture is not there yet.", "Wait for its job."))
            }
            ((picture, Progress::Over), Some(source)) if blend != Blend::FULL => {
                let pair = (&source.picture, &*picture);
                Ok(Arc::new(blended(pair, blend, None)?))
            }
            ((picture, Progress::Over), _) => Ok(picture),
        }
    }

    /// Bytes that it takes to make a picture of at most `side` of it.
    pub(crate) fn need(&self, side: usize, blend: Blend) -> u64 {
        let pixels = self.made().size.map_or(0, |own| {
            let [height, width] = shown_size(own, side);
            (height * width) as u64
        });
        // Tensors of 12 bytes a pixel: one, or source, result, colours and sum; and the file.
        pixels * if blend == Blend::FULL { 12 + 8 } else { 4 * 12 + 8 }
    }

    fn check(&self, blend: Blend) -> Result<(), Fault> {
        if blend == Blend::FULL || self.blends() {
            return Ok(());
        }
        let message = "Strength and colours can be chosen of a stylized picture alone.";
        Err(Fault::option(message, "Leave `strength`, `colors` and `keep` out."))
    }

    /// A name for its file, without an ending.
    pub(crate) fn file_stem(&self) -> String {
        let source = self.source.as_ref().map_or(self.kind, |source| source.name.as_str());
        let stem = source.rsplit_once('.').map_or(source, |(stem, _)| stem);
        format!("{stem}-{}", self.title.split(", ").next().unwrap_or(self.kind))
    }

    /// The picture it was made of.
    pub(crate) fn source(&self) -> Option<&Arc<Original>> {
        self.source.as_ref()
    }
}
