//! Colour maps.

/// A map from a value in `0..=1` to a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// matplotlib's default: dark violet over green to yellow, evenly bright.
    #[default]
    Viridis,
    /// Google's rainbow without false edges.
    Turbo,
    /// The old rainbow, as OpenCV's `COLORMAP_JET` has it.
    Jet,
}

/// 256 colours, a byte each for red, green and blue. Made by `assets/make.py`.
type Table = [u8; 768];

const VIRIDIS: &Table = include_bytes!("../../assets/viridis.rgb");
const TURBO: &Table = include_bytes!("../../assets/turbo.rgb");
const JET: &Table = include_bytes!("../../assets/jet.rgb");

impl Colours {
    /// The colour of a level.
    pub fn of_level(self, level: u8) -> [u8; 3] {
        let table = match self {
            Self::Viridis => VIRIDIS,
            Self::Turbo => TURBO,
            Self::Jet => JET,
        };
        let at = usize::from(level) * 3;
        [table[at], table[at + 1], table[at + 2]]
    }

    /// The colour of a value in `0..=1`: of one of 256 levels, as matplotlib
    /// takes it. Values beyond take the colours of the ends; NaN is grey.
    pub fn of(self, value: f32) -> [u8; 3] {
        if value.is_nan() {
            return [128; 3];
        }
        self.of_level((value.clamp(0.0, 1.0) * 256.0).min(255.0) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers as matplotlib and OpenCV print them: `cmap(i, bytes=True)`,
    /// `cv2.applyColorMap`.
    #[test]
    fn the_tables_are_matplotlibs_and_opencvs() {
        let at = |map: Colours| [0, 64, 128, 255].map(|level| map.of_level(level));
        assert_eq!(
            at(Colours::Viridis),
            [[68, 1, 84], [58, 82, 139], [32, 144, 140], [253, 231, 36]]
        );
        assert_eq!(at(Colours::Turbo), [[48, 18, 59], [40, 187, 235], [164, 252, 59], [122, 4, 2]]);
        assert_eq!(at(Colours::Jet), [[0, 0, 128], [0, 128, 255], [130, 255, 126], [128, 0, 0]]);
    }

    /// `COLORMAP_JET` is three ramps, four levels a step, with rounding of its own.
    #[test]
    fn jet_is_its_ramps() {
        for level in 0..=255u8 {
            let x = f32::from(level) * 4.0 / 255.0;
            let ramp = |centre: f32| (1.5 - (x - centre).abs()).clamp(0.0, 1.0) * 255.0;
            let want = [ramp(3.0), ramp(2.0), ramp(1.0)];
            for (got, want) in Colours::Jet.of_level(level).into_iter().zip(want) {
                assert!((f32::from(got) - want).abs() <= 4.0, "{level}: {got}, {want}");
            }
        }
    }

    #[test]
    fn values_beyond_the_ends_and_none_have_colours() {
        assert_eq!(Colours::Viridis.of(-3.0), Colours::Viridis.of_level(0));
        assert_eq!(Colours::Viridis.of(1.0), Colours::Viridis.of_level(255));
        assert_eq!(Colours::Viridis.of(f32::INFINITY), Colours::Viridis.of_level(255));
        assert_eq!(Colours::Viridis.of(f32::NAN), [128; 3]);
        assert_eq!(Colours::Turbo.of(0.5), Colours::Turbo.of_level(128));
    }
}
