//! Gradient ascent as the tutorial does it.

use imaging::Picture;
use rayon::prelude::*;
use tensor::Tensor;

use super::{Climb, Pattern};
use crate::plot::rgb_picture;
use crate::random::Random;

/// Length of a step in levels of 0..=255.
const STEP: f32 = 1.0;

/// # Source
///
/// Chollet, "Deep Learning with Python" (2018), listings 5.35 to 5.38: noise
/// `random · 20 + 128`, gradients divided by the root of their mean square plus 1e-5.
/// There the network is fed levels of 0..=255 as they are; here they are brought to
/// its own numbers. The gradient is normalised in those, and the step is one level.
pub(super) fn climb(
    climb: &mut Climb<'_>,
    done: &mut dyn FnMut(usize) -> bool,
) -> Option<Vec<Pattern>> {
    let shape = climb.shape();
    let image: usize = shape[1..].iter().product();
    let start = climb.channels.iter().flat_map(|&channel| {
        let mut random = Random::new(climb.options.seed.wrapping_add((channel as u64) << 32));
        (0..image).map(move |_| random.unit() * 20.0 + 128.0)
    });
    let mut levels: Vec<f32> = start.collect();
    let mut answers = vec![];
    for step in 0..climb.options.steps {
        let unit = Tensor::new(shape, levels.iter().map(|v| v / 255.0).collect());
        let (found, gradient) = climb.slope(&climb.model.encoded(&unit));
        answers = found;
        let uphill = climb.model.in_picture_order(&gradient);
        levels.par_chunks_mut(image).zip(uphill.data().par_chunks(image)).for_each(|(x, g)| {
            let square = g.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>() / g.len() as f64;
            let norm = (square.sqrt() + 1e-5) as f32;
            x.iter_mut().zip(g).for_each(|(x, g)| *x += STEP * g / norm);
        });
        if !done(step + 1) {
            return None;
        }
    }
    let found = climb.channels.iter().zip(levels.chunks_exact(image)).zip(answers);
    let pattern = |((&channel, levels), answer): ((&usize, &[f32]), f32)| Pattern {
        channel,
        picture: deprocess(levels, [shape[2], shape[3]]),
        answer,
    };
    Some(found.map(pattern).collect())
}

/// To mean one half and deviation 0.1, cut to bytes: the listing's `deprocess_image`.
fn deprocess(values: &[f32], size: [usize; 2]) -> Picture {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let scale = 0.1 / (variance.sqrt() + 1e-5);
    let level = |v: f32| (((f64::from(v) - mean) * scale + 0.5).clamp(0.0, 1.0) * 255.0) as u8;
    let plane = size[0] * size[1];
    let pixel = |p: usize| [0, 1, 2].map(|c| level(values[c * plane + p]));
    rgb_picture(size, (0..plane).map(pixel).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::rgb_bytes;

    /// By hand: mean 2, deviation √(10/3) over twelve values.
    #[test]
    fn deprocessing_is_the_listings() {
        let values = [1.0, 1.0, 1.0, 5.0].repeat(3);
        let picture = deprocess(&values, [2, 2]);
        let level = |v: f64| (((v - 2.0) / (3f64.sqrt() + 1e-5) * 0.1 + 0.5) * 255.0) as u8;
        let [low, high] = [1.0, 5.0].map(level);
        assert_eq!(rgb_bytes(&picture), [[low; 3], [low; 3], [low; 3], [high; 3]]);
    }
}
