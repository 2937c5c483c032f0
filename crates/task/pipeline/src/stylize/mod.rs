//! One picture through a style.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu::{Plan, Session, Watch};
use graph::Shape4;
use imaging::{Filter, Picture, add_grain, deblock, resize_tensor};
use tensor::Tensor;

use crate::blend::{composed, scaled};
use crate::frame::Frame;
use crate::{PipelineError, Style};

mod options;

pub use options::{Colors, StylizeOptions};
use options::{Made, Passes};

/// Values of 4 bytes a pixel beside the engine's own: the picture, what goes
/// into the network, what comes out, and the result, of three channels each.
const BYTES_PER_PIXEL: u64 = 4 * 3 * 4;

/// Bytes a pixel more for painting over a smaller painting: that one, and it enlarged.
const OVER_A_PAINTING: u64 = 2 * 3 * 4;

/// Bytes a pixel more for what the network sees, where that is not the picture as it is: without
/// blocks, and with grain.
const NOT_AS_IT_IS: u64 = (3 + 3 + 1) * 4;

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
        self.memory(picture.size(), options)?;
        let rgb = scaled(picture, options.size_of(picture.size()));
        let seen = self.deblocked(picture, &rgb, options);
        let passes = options.passes(picture.size(), self.made());
        let styled = self.coarse_to_fine(seen.as_ref().unwrap_or(&rgb), &passes, watch)?;
        drop(seen);
        let styled = composed(styled, &rgb, options.blend());
        drop(rgb);
        Ok(picture.with_rgb_tensor(&styled))
    }

    /// What the network sees of a picture, if it is not `rgb`, the picture scaled to its size:
    /// blocks are looked for where they are no larger than they were made.
    fn deblocked(
        &self,
        picture: &Picture,
        rgb: &Tensor,
        options: &StylizeOptions,
    ) -> Option<Tensor> {
        let levels = options.levels(picture.source(), self.made());
        let size = options.size_of(picture.size());
        let smooth = || {
            if area(size) <= area(picture.size()) {
                return deblock(rgb, levels);
            }
            resize_tensor(&deblock(&picture.to_rgb_tensor(), levels), size, Filter::default())
        };
        (levels > 0.0).then(smooth)
    }

    fn made(&self) -> Made {
        if self.style.is_trained_here() { Made::Here } else { Made::Elsewhere }
    }

    /// A photograph painted at the first size, and what was painted at each size after it.
    fn coarse_to_fine(
        &mut self,
        rgb: &Tensor,
        Passes { sizes, margin, grain }: &Passes,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor, PipelineError> {
        let all: f64 = sizes.iter().copied().map(area).sum();
        let (mut painted, mut before) = (None, 0.0);
        for &size in sizes {
            let share = area(size) / all;
            let mut watch_pass = |done: f64| watch(before + share * done);
            let frame = self.prepare(size, *margin)?;
            let (from, filter) = match &painted {
                Some(painted) => (painted, Filter::CatmullRom),
                None => (rgb, Filter::default()),
            };
            let mut scaled =
                (from.shape4()[2..] != size).then(|| resize_tensor(from, size, filter));
            if painted.is_none() && *grain > 0.0 {
                add_grain(scaled.get_or_insert_with(|| from.clone()), *grain);
            }
            painted = Some(self.run(&frame, scaled.as_ref().unwrap_or(from), &mut watch_pass)?);
            before += share;
        }
        Ok(painted.unwrap_or_else(|| unreachable!("the last size is the picture's own")))
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
        let (limit, need) = (options.memory, self.need(picture, options)?);
        if need > limit {
            let [height, width] = options.size_of(picture);
            let size = self.fitting(picture, options);
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
        options.check()?;
        let trial = self.style.fit.frame([TRIAL; 2], 0);
        let mut session = Session::new(self.plan(&trial)?);
        let input = Tensor::zeros(trial.shape());
        session.run(&[&input]); // the first run touches new memory
        let start = Instant::now();
        session.run(&[&input]);
        let passes = options.passes(picture.size(), self.made());
        let frames = passes.sizes.iter().map(|size| self.style.fit.frame(*size, passes.margin));
        let all: f64 = frames.map(|frame| pixels(&frame)).sum();
        Ok(start.elapsed().mul_f64(all / pixels(&trial)))
    }

    /// The frame of this size, and makes sure of a session for it.
    fn prepare(&mut self, size: [usize; 2], margin: usize) -> Result<Frame, PipelineError> {
        let frame = self.style.fit.frame(size, margin);
        let shape = frame.shape();
        if self.ready.as_ref().is_none_or(|(ready, _)| *ready != shape) {
            self.ready = None; // the old buffers go before the new ones come
            self.ready = Some((shape, Session::new(self.plan(&frame)?)));
        }
        Ok(frame)
    }

    fn plan(&self, frame: &Frame) -> Result<Plan, PipelineError> {
        Ok(Plan::new(&self.style.network, &[frame.shape()], &[])?)
    }

    /// All the memory that a picture of this size takes: that of the last time it is painted.
    fn need(&self, own: [usize; 2], options: &StylizeOptions) -> Result<u64, PipelineError> {
        let Passes { sizes, margin, grain } = options.passes(own, self.made());
        let more = if sizes.len() > 1 { OVER_A_PAINTING } else { 0 };
        let as_it_is = options.deblock == Some(0.0) && grain <= 0.0;
        let more = more + if as_it_is { 0 } else { NOT_AS_IT_IS };
        let frame = self.style.fit.frame(options.size_of(own), margin);
        let bytes = pixels(&frame) as u64 * (BYTES_PER_PIXEL + more);
        Ok(self.plan(&frame)?.memory() as u64 + bytes)
    }

    /// A longer side with which a picture of this size, which needs too much, stays
    /// within the memory allowed; none if nothing worth looking at does.
    fn fitting(&self, own: [usize; 2], options: &StylizeOptions) -> Option<usize> {
        let [height, width] = options.size_of(own);
        let mut long = height.max(width);
        loop {
            let smaller = StylizeOptions { size: Some(long), ..*options };
            let need = self.need(own, &smaller).ok()?;
            if need <= options.memory {
                return Some(long);
            }
            let factor = (options.memory as f64 / need as f64).sqrt() * 0.95;
            long = (long as f64 * factor) as usize;
            if long < SMALLEST_REMEDY {
                return None;
            }
        }
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

fn area([height, width]: [usize; 2]) -> f64 {
    height as f64 * width as f64
}

/// What the network sees, border and all.
fn pixels(frame: &Frame) -> f64 {
    let [.., height, width] = frame.shape();
    area([height, width])
}

#[cfg(test)]
mod tests;
