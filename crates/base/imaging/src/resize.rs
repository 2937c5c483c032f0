use tensor::Tensor;

/// How samples are weighed when the size changes. All are widened when shrinking, so
/// that nothing aliases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Linear interpolation; never overshoots.
    Triangle,
    /// Cubic with a = −½: sharp, with hardly any ringing.
    CatmullRom,
    /// Windowed sinc over three lobes: sharpest; the default.
    #[default]
    Lanczos3,
}

/// A size to scale a picture to, its proportions kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The shorter side becomes this many pixels.
    Short(usize),
    /// The longer side becomes this many pixels.
    Long(usize),
}

impl Fit {
    /// `[height, width]` of a picture of that size after scaling, rounded, at least 1.
    pub fn size(self, [height, width]: [usize; 2]) -> [usize; 2] {
        let _ = (height, width);
        unimplemented!()
    }
}

/// Resamples every plane of `[N, C, H, W]` to `[height, width]`, antialiased.
///
/// Pixel centres are at half integers and the picture's edge is repeated
/// by renormalised weights, as in Pillow.
/// Lanczos and Catmull-Rom may overshoot the range of the input by a little.
///
/// # Panics
///
/// If a side is 0 or the rank is not 4.
pub fn resize_tensor(source: &Tensor, [height, width]: [usize; 2], filter: Filter) -> Tensor {
    let _ = (source, height, width, filter);
    unimplemented!()
}
