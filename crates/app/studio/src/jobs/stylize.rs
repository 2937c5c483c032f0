//! One picture in one style.

use std::sync::Arc;

use pentimento::imaging::Picture;
use pentimento::pipeline::{Style, StylizeOptions, Stylizer};
use serde::Deserialize;
use serde_json::Value;

use super::desk::Desk;
use super::order::{Work, fields, within};
use super::queue::Lane;
use crate::Inner;
use crate::fault::Fault;
use crate::picture::{Original, bytes_of, shown_size};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    picture: String,
    style: String,
    size: Option<usize>,
    strokes: Option<f32>,
}

#[derive(Debug)]
struct Stylize {
    source: Arc<Original>,
    style: Arc<Style>,
    title: String,
    options: StylizeOptions,
    need: u64,
}

/// The longer side of what is shown first: done in a moment.
const QUICK: usize = 384;

/// Pixels of a result that is a look: whoever asks for it waits for it.
const LOOK: usize = 1024 * 1024;

/// A result not much larger than the quick one needs none.
const LARGE: usize = 640;

pub(super) fn resolve(studio: &Inner, request: Value) -> Result<Box<dyn Work>, Fault> {
    let Request { picture, style, size, strokes } = fields(request)?;
    let size = size.map(|size| within("size", size, [16, 65_535])).transpose()?;
    let strokes = within("strokes", strokes.unwrap_or(1.0), [1.0, 16.0])?;
    let source = studio.store.picture(&picture)?;
    let entry = studio.styles.find(&style)?;
    let style = studio.nets.style(&entry)?;
    let memory = studio.budget.limit();
    let strokes = Some(strokes);
    let options = StylizeOptions { size, strokes, memory, ..StylizeOptions::default() };
    let need = Stylizer::new(Arc::clone(&style)).memory(source.picture.size(), &options)?;
    let title = entry.title.clone();
    let own = size.is_none();
    let need = need + if own { bytes_of(&source.picture) } else { 0 };
    Ok(Box::new(Stylize { source, style, title, options, need }))
}

impl Work for Stylize {
    fn need(&self) -> u64 {
        self.need
    }

    fn lane(&self) -> Lane {
        let [height, width] = self.full_size();
        if height * width <= LOOK { Lane::Short } else { Lane::Long }
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn source(&self) -> Option<Arc<Original>> {
        Some(Arc::clone(&self.source))
    }

    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault> {
        let full = self.full_size();
        desk.result.will_be(full);
        let quick = shown_size(full, QUICK);
        let pixels = |size: [usize; 2]| (size[0] * size[1]) as f64;
        let mut begin = 0.0;
        if full[0].max(full[1]) > LARGE {
            desk.stage("Taking a quick look");
            begin = pixels(quick) / (pixels(quick) + pixels(full));
            desk.result.add_quick(self.painted(desk, &self.quick(), [0.0, begin])?);
            desk.tell_quick();
        }
        desk.stage("Painting");
        desk.result.add_picture(self.painted(desk, &self.options, [begin, 1.0])?);
        Ok(())
    }
}

impl Stylize {
    /// Height and width of the result.
    fn full_size(&self) -> [usize; 2] {
        let own = self.source.picture.size();
        self.options.size.map_or(own, |side| pentimento::imaging::Fit::Long(side).size(own))
    }

    /// What shows in a moment how the result will be: its first painting is about as large.
    fn quick(&self) -> StylizeOptions {
        let [height, width] = self.full_size();
        let share = QUICK as f32 / height.max(width) as f32;
        let strokes = self.options.strokes.map(|times| (times * share).max(1.0));
        StylizeOptions { size: Some(QUICK), strokes, ..self.options }
    }

    /// With these options; progress goes from `begin` to `end`.
    fn painted(
        &self,
        desk: &Desk<'_>,
        options: &StylizeOptions,
        [begin, end]: [f64; 2],
    ) -> Result<Picture, Fault> {
        let mut stylizer = Stylizer::new(Arc::clone(&self.style));
        let mut watch = |share: f64| desk.progress(begin + share * (end - begin));
        let painted =
            desk.compute(|| stylizer.stylize_watched(&self.source.picture, options, &mut watch));
        desk.check()?;
        Ok(painted?)
    }
}
