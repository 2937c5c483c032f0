//! What is made of a photograph: by the network, and by the baselines.

use imaging::{Guided, GuidedOptions, Picture, with_chroma};
use tensor::Tensor;

use super::{EvaluateOptions, hints};
use crate::{ColorizeOptions, Colorizer, Hints, InColor, PipelineError};

/// What is made of one photograph.
pub(super) struct Tries {
    grey: Picture,
    mean_color: Picture,
    network: Picture,
    hinted: Option<Picture>,
}

impl Tries {
    pub(super) fn of(
        photo: &Picture,
        mean_ab: [f32; 2],
        (colorizer, index): (&mut Colorizer, usize),
        options: &EvaluateOptions,
    ) -> Result<Self, PipelineError> {
        let grey = in_one_color(photo, [0.0; 2]);
        let colorize = ColorizeOptions {
            hints: Hints::default(),
            in_color: InColor::Recolor,
            ..options.colorize.clone()
        };
        let network = colorizer.colorize(&grey, &colorize)?;
        let hinted = if options.hints > 0 {
            let hints = hints::random(photo, index, options);
            Some(colorizer.colorize(&grey, &ColorizeOptions { hints, ..colorize })?)
        } else {
            None
        };
        Ok(Self { mean_color: in_one_color(photo, mean_ab), grey, network, hinted })
    }

    pub(super) fn all(&self) -> [Option<&Picture>; 4] {
        [Some(&self.grey), Some(&self.mean_color), Some(&self.network), self.hinted.as_ref()]
    }
}

/// The photograph's lightness in one colour.
fn in_one_color(photo: &Picture, ab: [f32; 2]) -> Picture {
    let lightness = Tensor::new([1, 1, 1, 1], vec![50.0]);
    let ab = Tensor::new([1, 2, 1, 1], ab.to_vec());
    with_chroma(photo, &Guided::new(&lightness, &ab, GuidedOptions::default()), 1.0)
}
