//! Methods that look at the gradient by the picture's own pixels.

use cpu::{Tape, Watch};
use tensor::Tensor;

use super::{CamOptions, Explainer};
use crate::InsightError;
use crate::random::Random;

type Found = Result<([usize; 2], Vec<f32>), InsightError>;

impl Explainer<'_> {
    /// The mean gradient on the way from a black picture to this one, times what they
    /// differ by: `[1, 3, H, W]`, which sums to what their scores differ by.
    ///
    /// # Errors
    ///
    /// If there are no steps.
    ///
    /// # Source
    ///
    /// Sundararajan et al., "Axiomatic Attribution for Deep Networks" (2017), equation
    /// 3, with the middle of each step.
    pub fn integrated_gradients(
        &self,
        class: usize,
        options: &CamOptions,
    ) -> Result<Tensor, InsightError> {
        self.integrate(class, options, &mut |_| true)
    }

    fn integrate(
        &self,
        class: usize,
        options: &CamOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor, InsightError> {
        let steps = some_steps(options)?;
        let black = self.model.encoded(&Tensor::zeros(self.seen.shape()));
        let way: Vec<f32> = self.seen.data().iter().zip(black.data()).map(|(x, b)| x - b).collect();
        let at = |step: usize| {
            let share = (step as f32 + 0.5) / steps as f32;
            let values = black.data().iter().zip(&way).map(|(b, w)| b + share * w);
            Tensor::new(self.seen.shape(), values.collect())
        };
        let mut sums = vec![0.0f64; way.len()];
        self.pixel_gradients(class, ((0..steps).map(at), watch), |gradient| {
            sums.iter_mut().zip(gradient.data()).for_each(|(s, &g)| *s += f64::from(g));
        })?;
        let parts = sums.iter().zip(&way).map(|(s, &w)| (s / steps as f64) as f32 * w);
        Ok(Tensor::new(self.seen.shape(), parts.collect()))
    }

    pub(super) fn integrated(
        &self,
        class: usize,
        options: &CamOptions,
        watch: &mut Watch<'_>,
    ) -> Found {
        Ok(magnitudes(&self.integrate(class, options, watch)?))
    }

    /// The mean gradient of copies of the picture with normal noise, `[1, 3, H, W]`.
    ///
    /// # Errors
    ///
    /// If there are no copies, or the noise is no share.
    ///
    /// # Source
    ///
    /// Smilkov et al., "`SmoothGrad`" (2017).
    pub fn smooth_gradient(
        &self,
        class: usize,
        options: &CamOptions,
    ) -> Result<Tensor, InsightError> {
        self.smoothen(class, options, &mut |_| true)
    }

    fn smoothen(
        &self,
        class: usize,
        options: &CamOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor, InsightError> {
        let copies = some_steps(options)?;
        if !(0.0..=1.0).contains(&options.noise) {
            let (got, want) = (options.noise.to_string(), "0 to 1".to_owned());
            return Err(InsightError::Option { option: "noise", got, want });
        }
        let fold = |f: fn(f32, f32) -> f32, from| self.seen.data().iter().copied().fold(from, f);
        let range = fold(f32::max, f32::NEG_INFINITY) - fold(f32::min, f32::INFINITY);
        let noisy = |copy: usize| {
            let mut random = Random::new(options.seed.wrapping_add((copy as u64) << 32));
            let values = self.seen.data().iter();
            let values = values.map(|v| v + random.normal() * options.noise * range);
            Tensor::new(self.seen.shape(), values.collect())
        };
        let mut sums = vec![0.0f64; self.seen.data().len()];
        self.pixel_gradients(class, ((0..copies).map(noisy), watch), |gradient| {
            sums.iter_mut().zip(gradient.data()).for_each(|(s, &g)| *s += f64::from(g));
        })?;
        let means = sums.iter().map(|s| (s / copies as f64) as f32).collect();
        Ok(Tensor::new(self.seen.shape(), means))
    }

    pub(super) fn smooth(
        &self,
        class: usize,
        options: &CamOptions,
        watch: &mut Watch<'_>,
    ) -> Found {
        Ok(magnitudes(&self.smoothen(class, options, watch)?))
    }

    /// What comes back to the pixels, `[1, 3, H, W]`, if rectifiers hold back negative
    /// gradients; see [`Tape::guided`].
    ///
    /// # Errors
    ///
    /// As [`Explainer::map`].
    pub fn guided_gradient(&self, class: usize) -> Result<Tensor, InsightError> {
        let scored = self.scored()?;
        let output = scored.graph().output();
        let mut tape = Tape::guided(scored, &[self.seen.shape4()], &[output])?;
        tape.forward(&[&self.seen]);
        Ok(self.pixel_gradient(class, &mut tape))
    }

    pub(super) fn guided_map(&self, class: usize) -> Found {
        Ok(magnitudes(&self.guided_gradient(class)?))
    }
}

fn some_steps(options: &CamOptions) -> Result<usize, InsightError> {
    if options.steps > 0 {
        return Ok(options.steps);
    }
    let (got, want) = ("0".to_owned(), "at least 1".to_owned());
    Err(InsightError::Option { option: "steps", got, want })
}

/// The sum of magnitudes over the three channels.
fn magnitudes(x: &Tensor) -> ([usize; 2], Vec<f32>) {
    let [_, _, h, w] = x.shape4();
    let at = |p: usize| x.data().iter().skip(p).step_by(h * w).map(|v| v.abs()).sum();
    ([h, w], (0..h * w).map(at).collect())
}
