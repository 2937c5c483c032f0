//! How a picture is coloured.

use imaging::colour::PAPERS_TEMPERATURE;

use super::Hints;
use crate::PipelineError;

/// What becomes of a picture that is in colour already; see
/// [`spread_of_colors`](super::spread_of_colors).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InColor {
    /// It is refused: nobody wants to lose colours by mistake.
    #[default]
    Refuse,
    /// It gets new colours; only its lightness counts.
    Recolor,
}

/// How a picture is coloured.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorizeOptions {
    /// Times the chroma: 0 is grey, 1 what the network says. Default: 1.
    pub saturation: f32,
    /// How a network that gives a distribution over colours is read: over 0, most vivid, to 1,
    /// most careful; see [`annealed_mean`](imaging::colour::annealed_mean). Default: 0.38.
    pub temperature: f32,
    /// What is known about the colours. Default: nothing.
    pub hints: Hints,
    /// What becomes of a picture that is in colour already. Default: it is refused.
    pub in_color: InColor,
    /// Pixels of the shorter side of what the network sees, whatever the picture's size. Default:
    /// 256, as in training.
    pub side: usize,
    /// Bytes of memory that one picture may take. Default: no limit.
    pub memory: u64,
}

impl Default for ColorizeOptions {
    fn default() -> Self {
        Self {
            saturation: 1.0,
            temperature: PAPERS_TEMPERATURE,
            hints: Hints::default(),
            in_color: InColor::default(),
            side: 256,
            memory: u64::MAX,
        }
    }
}

impl ColorizeOptions {
    /// Checks the values against their ranges.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Option`] for the first that is out of range.
    pub fn check(&self) -> Result<(), PipelineError> {
        let wrong =
            |option, value: String, range| Err(PipelineError::Option { option, value, range });
        if !(0.0..=4.0).contains(&self.saturation) {
            return wrong("saturation", self.saturation.to_string(), "from 0 to 4");
        }
        if !(self.temperature > 0.0 && self.temperature <= 1.0) {
            return wrong("temperature", self.temperature.to_string(), "over 0, at most 1");
        }
        if !(32..=2048).contains(&self.side) {
            return wrong("side", self.side.to_string(), "from 32 to 2048");
        }
        Ok(())
    }
}
