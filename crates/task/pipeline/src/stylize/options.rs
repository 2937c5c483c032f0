//! How a picture is stylized.

use imaging::Fit;

use crate::PipelineError;
use crate::blend::Blend;

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
    /// How many times as large the brush strokes are, 1 to 16: the network paints the
    /// photograph at that fraction of its size, then its own painting at twice the size,
    /// and so on up to the whole. Default: 1, a single pass.
    ///
    /// Coarse to fine as in Gatys et al., "Controlling Perceptual Factors in Neural Style
    /// Transfer" (CVPR 2017), section 6; it differs in that a network paints every time.
    pub strokes: f32,
    /// Bytes of memory that one picture may take. Default: no limit.
    pub memory: u64,
}

impl Default for StylizeOptions {
    fn default() -> Self {
        let colors = Colors::default();
        Self { strength: 1.0, colors, size: None, strokes: 1.0, memory: u64::MAX }
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
        if !(1.0..=LARGEST_STROKES).contains(&self.strokes) {
            return wrong("strokes", self.strokes.to_string(), "from 1 to 16");
        }
        Ok(())
    }

    pub(super) fn blend(&self) -> Blend {
        let keep = match self.colors {
            Colors::Style => 0.0,
            Colors::Picture => 1.0,
        };
        Blend { strength: self.strength, keep }
    }

    /// Height and width of the result.
    pub(super) fn size_of(&self, own: [usize; 2]) -> [usize; 2] {
        self.size.map_or(own, |long| Fit::Long(long).size(own))
    }

    /// How a picture of this height and width is painted.
    pub(super) fn passes(&self, own: [usize; 2]) -> Passes {
        let size = self.size_of(own);
        let part = |factor: f32| size.map(|side| ((side as f32 / factor).round() as usize).max(1));
        let factors = std::iter::successors(Some(self.strokes), |factor| Some(factor / 2.0));
        let coarse = factors.take_while(|factor| *factor > 1.0).map(part);
        let mut sizes: Vec<_> = coarse.chain([size]).collect();
        sizes.dedup(); // of a few pixels
        let margin = if sizes.len() > 1 { MARGIN } else { 0 };
        Passes { sizes, margin }
    }
}

/// How often a picture is painted, and at what sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passes {
    /// Heights and widths, one after the other: the last is the result's.
    pub(super) sizes: Vec<[usize; 2]>,
    /// Pixels of mirrored picture around each.
    pub(super) margin: usize,
}

/// A style's network draws a line of a few pixels along the edge, which its loss rewards.
/// Painted over and over it becomes a frame.
const MARGIN: usize = 24;

/// With larger strokes there is nothing left of a photograph of 4000 pixels.
const LARGEST_STROKES: f32 = 16.0;

/// A longer side than any JPEG has is a slip of the finger.
const MOST_PIXELS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(own: [usize; 2], size: Option<usize>, strokes: f32) -> Vec<[usize; 2]> {
        StylizeOptions { size, strokes, ..StylizeOptions::default() }.passes(own).sizes
    }

    #[test]
    fn a_picture_is_painted_at_twice_the_size_each_time() {
        assert_eq!(passes([200, 301], None, 1.0), [[200, 301]]);
        assert_eq!(passes([200, 301], None, 4.0), [[50, 75], [100, 151], [200, 301]]);
        assert_eq!(passes([200, 301], None, 3.0), [[67, 100], [133, 201], [200, 301]]);
        assert_eq!(passes([200, 400], Some(100), 2.0), [[25, 50], [50, 100]]);
    }

    #[test]
    fn no_size_is_painted_twice_and_none_is_nothing() {
        assert_eq!(passes([1, 1], None, 16.0), [[1, 1]]);
        assert_eq!(passes([2, 1], None, 16.0), [[1, 1], [2, 1]]);
    }
}
