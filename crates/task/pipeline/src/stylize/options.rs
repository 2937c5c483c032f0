//! How a picture is stylized.

use imaging::{Fit, Format};

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
    /// and so on up to the whole. Default: for a style of `pentimento train style`, the power
    /// of two that leaves 640 to 1279 pixels of the first painting's longer side, so that a large
    /// photograph looks as a small one does; 1, a single pass, otherwise.
    ///
    /// Coarse to fine as in Gatys et al., "Controlling Perceptual Factors in Neural Style
    /// Transfer" (CVPR 2017), section 6; it differs in that a network paints every time.
    pub strokes: Option<f32>,
    /// Pixels of mirrored picture that are painted around it and cut off, 0 to 256: a network
    /// trained on VGG's losses draws a line of a few pixels along the edge. With 0 a single pass
    /// is what the network's reference computes. Default: 24 for a style of `pentimento train
    /// style`, as those that ship are, and wherever strokes are larger; 0 otherwise.
    pub margin: Option<usize>,
    /// About how many levels of 255 may lie between a photograph's blocks for them to be smoothed
    /// away before it is painted, 0 to 64: JPEG leaves such blocks in plain areas, unseen, and a
    /// network paints them as bars; see [`imaging::deblock`]. Strength and colours still refer to
    /// the photograph as it is. Default: 4 for a picture from a JPEG or WebP file in a style of
    /// `pentimento train style`; 0, nothing, otherwise.
    pub deblock: Option<f32>,
    /// Faint noise, in levels of 255, that the first painting is made from, 0 to 16: plain areas
    /// get strokes from it; see [`imaging::add_grain`]. Default: 1 for a style of `pentimento
    /// train style`; 0, none, otherwise.
    pub grain: Option<f32>,
    /// Bytes of memory that one picture may take. Default: no limit.
    pub memory: u64,
}

impl Default for StylizeOptions {
    fn default() -> Self {
        Self {
            strength: 1.0,
            colors: Colors::default(),
            size: None,
            strokes: None,
            margin: None,
            deblock: None,
            grain: None,
            memory: u64::MAX,
        }
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
        if let Some(times) = self.strokes.filter(|times| !(1.0..=LARGEST_STROKES).contains(times)) {
            return wrong("strokes", times.to_string(), "from 1 to 16");
        }
        if let Some(margin) = self.margin.filter(|margin| *margin > WIDEST_MARGIN) {
            return wrong("margin", margin.to_string(), "from 0 to 256 pixels");
        }
        if let Some(levels) = self.deblock.filter(|levels| !(0.0..=MOST_LEVELS).contains(levels)) {
            return wrong("deblock", levels.to_string(), "from 0 to 64");
        }
        if let Some(levels) = self.grain.filter(|levels| !(0.0..=MOST_GRAIN).contains(levels)) {
            return wrong("grain", levels.to_string(), "from 0 to 16");
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

    /// Levels for [`imaging::deblock`] of a picture from a file of this format.
    pub(super) fn levels(&self, source: Option<Format>, made: Made) -> f32 {
        let lossy = matches!(source, Some(Format::Jpeg | Format::WebP));
        self.deblock.unwrap_or(if lossy && made == Made::Here { LEVELS } else { 0.0 })
    }

    /// How a picture of this height and width is painted.
    pub(super) fn passes(&self, own: [usize; 2], made: Made) -> Passes {
        let size = self.size_of(own);
        let part = |factor: f32| size.map(|side| ((side as f32 / factor).round() as usize).max(1));
        let largest = self.strokes.unwrap_or(if made == Made::Here { fitting(size) } else { 1.0 });
        let factors = std::iter::successors(Some(largest), |factor| Some(factor / 2.0));
        let coarse = factors.take_while(|factor| *factor > 1.0).map(part);
        let mut sizes: Vec<_> = coarse.chain([size]).collect();
        sizes.dedup(); // of a few pixels
        let line = sizes.len() > 1 || made == Made::Here;
        let margin = self.margin.unwrap_or(if line { MARGIN } else { 0 });
        let grain = self.grain.unwrap_or(if made == Made::Here { GRAIN } else { 0.0 });
        Passes { sizes, margin, grain }
    }
}

/// How many times as large strokes are in a painting of this size, if nobody says.
fn fitting(size: [usize; 2]) -> f32 {
    let times = (size[0].max(size[1]) / FIRST).max(1).ilog2();
    2f32.powi(times as i32).min(LARGEST_STROKES)
}

/// The longer side of a first painting, at least: that of the sheet in docs/STYLES.md, where faces are
/// still there in every style.
const FIRST: usize = 640;

/// How often a picture is painted, and at what sizes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Passes {
    /// Heights and widths, one after the other: the last is the result's.
    pub(super) sizes: Vec<[usize; 2]>,
    /// Pixels of mirrored picture around each.
    pub(super) margin: usize,
    /// Levels of noise in what the first is painted from.
    pub(super) grain: f32,
}

/// Where a style's network comes from: one from elsewhere is taken at its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// By `pentimento train style`.
    Here,
    Elsewhere,
}

/// A style's network draws a line of a few pixels along the edge, which its loss rewards.
/// Painted over and over it becomes a frame.
const MARGIN: usize = 24;

/// Wider than any network sees.
const WIDEST_MARGIN: usize = 256;

/// Of one sky, in JPEGs of quality 40 and about 92, the blocks were gone at 4 or nearly; 2 left some.
const LEVELS: f32 = 4.0;

/// Skies get strokes at 1, and what has texture of its own shows none of it; at 2 walls are mottled.
const GRAIN: f32 = 1.0;

/// It hides the photograph.
const MOST_GRAIN: f32 = 16.0;

/// Nothing is left of a photograph but its edges.
const MOST_LEVELS: f32 = 64.0;

/// With larger strokes there is nothing left of a photograph of 4000 pixels.
const LARGEST_STROKES: f32 = 16.0;

/// A longer side than any JPEG has is a slip of the finger.
const MOST_PIXELS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(own: [usize; 2], size: Option<usize>, strokes: f32) -> Vec<[usize; 2]> {
        let strokes = Some(strokes);
        let options = StylizeOptions { size, strokes, ..StylizeOptions::default() };
        options.passes(own, Made::Elsewhere).sizes
    }

    #[test]
    fn a_picture_is_painted_at_twice_the_size_each_time() {
        assert_eq!(passes([200, 301], None, 1.0), [[200, 301]]);
        assert_eq!(passes([200, 301], None, 4.0), [[50, 75], [100, 151], [200, 301]]);
        assert_eq!(passes([200, 301], None, 3.0), [[67, 100], [133, 201], [200, 301]]);
        assert_eq!(passes([200, 400], Some(100), 2.0), [[25, 50], [50, 100]]);
    }

    #[test]
    fn a_large_painting_begins_with_a_small_one() {
        let count = |long: usize, size: Option<usize>, made| {
            let options = StylizeOptions { size, ..StylizeOptions::default() };
            options.passes([long / 2, long], made).sizes.len()
        };
        let sides = [(1279, 1), (1280, 2), (2559, 2), (2560, 3), (5120, 4), (40_960, 5)];
        for (long, want) in sides {
            assert_eq!(count(long, None, Made::Here), want, "{long}");
            assert_eq!(count(500, Some(long), Made::Here), want, "{long}");
            assert_eq!(count(long, None, Made::Elsewhere), 1, "{long}");
        }
        assert_eq!(count(5120, Some(600), Made::Here), 1);
    }

    #[test]
    fn no_size_is_painted_twice_and_none_is_nothing() {
        assert_eq!(passes([1, 1], None, 16.0), [[1, 1]]);
        assert_eq!(passes([2, 1], None, 16.0), [[1, 1], [2, 1]]);
    }

    #[test]
    fn a_network_from_elsewhere_is_left_alone_unless_one_asks() {
        let own = StylizeOptions::default();
        let around = |options: &StylizeOptions, made| {
            let Passes { margin, grain, .. } = options.passes([40, 50], made);
            (margin, grain.to_string())
        };
        let is = |margin, grain: &str| (margin, grain.to_owned());
        assert_eq!(around(&own, Made::Here), is(24, "1"));
        assert_eq!(around(&own, Made::Elsewhere), is(0, "0"));
        let larger = StylizeOptions { strokes: Some(2.0), ..own };
        assert_eq!(around(&larger, Made::Elsewhere), is(24, "0"));
        let asked =
            StylizeOptions { margin: Some(7), deblock: Some(2.5), grain: Some(0.5), ..larger };
        for made in [Made::Here, Made::Elsewhere] {
            assert_eq!(around(&asked, made), is(7, "0.5"));
            assert_eq!(asked.levels(None, made).to_string(), "2.5");
        }
        let levels =
            |source| [Made::Here, Made::Elsewhere].map(|made| own.levels(source, made) as usize);
        assert_eq!(levels(Some(Format::Jpeg)), [4, 0]);
        assert_eq!(levels(Some(Format::WebP)), [4, 0]);
        assert_eq!([levels(Some(Format::Png)), levels(None)], [[0; 2]; 2]);
    }
}
