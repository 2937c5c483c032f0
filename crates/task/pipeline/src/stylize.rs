//! One picture through a style.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu::{Plan, Session, Watch};
use graph::Shape4;
use imaging::{Fit, Picture};
use tensor::Tensor;

use crate::blend::{Blend, composed, scaled};
use crate::frame::Frame;
use crate::{PipelineError, Style};

/// Whose colours a result has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// The style's.
    #[default]
    Style,
    /// The photograph's: only lightness comes from the style.
    Picture,
}

/// How a picture is stylized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StylizeOptions {
    /// From 0, the photograph as it is, to 1, the style in full. Default: 1.
    pub strength: f32,
    /// Whose colours the result has. Default: the style's.
    pub colors: Colors,
    /// Pixels of the result's longer side; the photograph is scaled to it before
    /// the network sees it, so that a smaller one has larger brush strokes.
    /// Default: the photograph's own size.
    pub size: Option<usize>,
    /// Bytes of memory that one picture may take. Default: no limit.
    pub memory: u64,
}

impl Default for StylizeOptions {
    fn default() -> Self {
        Self { strength: 1.0, colors: Colors::default(), size: None, memory: u64::MAX }
    }
}

impl StylizeOptions {
    /// Checks the values against their ranges.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Option`] for the first that is out of range.
    pub fn check(&self) -> Result<(), PipelineError> {
        let wrong =
            |option, value: String, range| Err(PipelineError::Option { option, value, range });
        if !(0.0..=1.0).contains(&self.strength) {
            return wrong("strength", self.strength.to_string(), "from 0 to 1");
        }
        if let Some(size @ (0 | MOST_PIXELS..)) = self.size {
            return wrong("size", size.to_string(), "from 1 to 65535 pixels");
        }
        Ok(())
    }
}

impl StylizeOptions {
    fn blend(&self) -> Blend {
        let keep = match self.colors {
            Colors::Style => 0.0,
            Colors::Picture => 1.0,
        };
        Blend { strength: self.strength, keep }
    }

    /// Height and width of the result.
    pub(crate) fn size_of(&self, own: [usize; 2]) -> [usize; 2] {
        self.size.map_or(own, |long| Fit::Long(long).size(own))
    }
}

/// A longer side than any JPEG has is a slip of the finger.
const MOST_PIXELS: usize = 1 << 16;

/// Values of 4 bytes a pixel beside the engine's own: the picture, what goes
/// into the network, what comes out, and the result, of three channels each.
const BYTES_PER_PIXEL: u64 = 4 * 3 * 4;

/// Sides of the picture that a time is guessed from: a few hundredths of a second.
const TRIAL: usize = 192;

/// A picture smaller than this is no remedy for too little memory.
const SMALLEST_REMEDY: usize = 16;

/// A style at work. Keeps the buffers for the last size, so that pictures of one
/// size follow one another without new memory.
///
/// It runs on the threads of the rayon pool that calls it; see [`cpu::Threads`].
#[derive(Debug)]
pub struct Stylizer {
    style: Arc<Style>,
    ready: Option<(Shape4, Session)>,
}

impl Stylizer {
    /// Nothing is computed or taken before the first picture. Several may share a style.
    pub fn new(style: impl Into<Arc<Style>>) -> Self {
        Self { style: style.into(), ready: None }
    }

    /// The style.
    pub fn style(&self) -> &Style {
        &self.style
    }

    /// The picture in this style: of the same size (or [`StylizeOptions::size`]),
    /// with the same transparency, depth and metadata. Any size of at least one
    /// pixel will do.
    ///
    /// # Errors
    ///
    /// - [`PipelineError::Option`] for a value out of its range.
    /// - [`PipelineError::Memory`], before the memory is taken.
    /// - [`PipelineError::NotFinite`] if the weights are damaged.
    pub fn stylize(
        &mut self,
        picture: &Picture,
        options: &StylizeOptions,
    ) -> Result<Picture, PipelineError> {
        self.stylize_watched(picture, options, &mut |_| true)
    }

    /// [`Stylizer::stylize`] that tells how far it is, from 0 to 1, and can be stopped.
    ///
    /// # Errors
    ///
    /// As [`Stylizer::stylize`], and [`PipelineError::Stopped`] as soon as `watch` gives `false`.
    pub fn stylize_watched(
        &mut self,
        picture: &Picture,
        options: &StylizeOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Picture, PipelineError> {
        options.check()?;
        let size = options.size_of(picture.size());
        let frame = self.style.fit.frame(size);
        self.prepare(&frame, size, options.memory)?;
        let rgb = scaled(picture, size);
        let styled = self.run(&frame, &rgb, watch)?;
        let styled = composed(styled, &rgb, options.blend());
        drop(rgb);
        Ok(picture.with_rgb_tensor(&styled))
    }

    /// Bytes that [`Stylizer::stylize`] takes for a picture of `[height, width]`.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Option`] for a value out of its range, and [`PipelineError::Memory`] if
    /// it is over [`StylizeOptions::memory`].
    pub fn memory(
        &self,
        picture: [usize; 2],
        options: &StylizeOptions,
    ) -> Result<u64, PipelineError> {
        options.check()?;
        let [height, width] = options.size_of(picture);
        let need = self.plan(&self.style.fit.frame([height, width]))?.1;
        if need > options.memory {
            let (limit, size) =
                (options.memory, self.fitting([height, width], need, options.memory));
            return Err(PipelineError::Memory { width, height, need, limit, size });
        }
        Ok(need)
    }

    /// About how long the network will take for this picture: a small trial, scaled up.
    ///
    /// # Errors
    ///
    /// As [`Stylizer::stylize`], but for the memory.
    pub fn expect(
        &self,
        picture: &Picture,
        options: &StylizeOptions,
    ) -> Result<Duration, PipelineError> {
        let pixels = |[.., height, width]: Shape4| (height * width) as f64;
        let trial = self.style.fit.frame([TRIAL; 2]);
        let mut session = Session::new(self.plan(&trial)?.0);
        let input = Tensor::zeros(trial.shape());
        session.run(&[&input]); // the first run touches new memory
        let start = Instant::now();
        session.run(&[&input]);
        let frame = self.style.fit.frame(options.size_of(picture.size()));
        Ok(start.elapsed().mul_f64(pixels(frame.shape()) / pixels(trial.shape())))
    }

    /// Makes sure of a session for this size, within the memory allowed.
    fn prepare(
        &mut self,
        frame: &Frame,
        [height, width]: [usize; 2],
        limit: u64,
    ) -> Result<(), PipelineError> {
        let shape = frame.shape();
        if self.ready.as_ref().is_some_and(|(ready, _)| *ready == shape) {
            return Ok(());
        }
        self.ready = None; // the old buffers go before the new ones come
        let (plan, need) = self.plan(frame)?;
        if need > limit {
            let size = self.fitting([height, width], need, limit);
            return Err(PipelineError::Memory { width, height, need, limit, size });
        }
        self.ready = Some((shape, Session::new(plan)));
        Ok(())
    }

    /// The plan for a frame, and all the memory that a picture in it takes.
    fn plan(&self, frame: &Frame) -> Result<(Plan, u64), PipelineError> {
        let shape = frame.shape();
        let plan = Plan::new(&self.style.network, &[shape], &[])?;
        let pixels = shape[2] as u64 * shape[3] as u64;
        let need = plan.memory() as u64 + pixels * BYTES_PER_PIXEL;
        Ok((plan, need))
    }

    /// A longer side with which a picture of this shape, which needs too much,
    /// stays within `limit`; none if nothing worth looking at does.
    fn fitting(&self, size: [usize; 2], mut need: u64, limit: u64) -> Option<usize> {
        let mut long = size[0].max(size[1]);
        while need > limit {
            let factor = (limit as f64 / need as f64).sqrt() * 0.95;
            long = (long as f64 * factor) as usize;
            if long < SMALLEST_REMEDY {
                return None;
            }
            need = self.plan(&self.style.fit.frame(Fit::Long(long).size(size))).ok()?.1;
        }
        Some(long)
    }

    /// `[1, 3, H, W]` in `0..=1` through the network and back.
    fn run(
        &mut self,
        frame: &Frame,
        rgb: &Tensor,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor, PipelineError> {
        // Taken out, so that after a panic nobody goes on with half-written buffers.
        let Some((shape, mut session)) = self.ready.take() else { unreachable!() };
        let input = frame.fill(rgb, &self.style.card().input);
        let outputs = session.run_watched(&[&input], watch);
        self.ready = Some((shape, session));
        drop(input);
        let output = outputs.ok_or(PipelineError::Stopped)?.output;
        frame.cut(&output, &self.style.output).ok_or(PipelineError::NotFinite)
    }
}
