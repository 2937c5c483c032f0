use tensor::Tensor;

/// The stylised picture in the original's colours: the lightness of the one,
/// hue and chroma of the other, in CIE Lab.
///
/// Both are `[1, 3, H, W]`, sRGB in 0..=1; the result is as large as
/// `stylised`, to which `original` is resampled if the sizes differ. Where no sRGB
/// colour has that lightness and chroma, the chroma is reduced and the hue stays.
///
/// # Panics
///
/// If either is not `[1, 3, H, W]` with `H` and `W` at least 1.
///
/// # Source
///
/// Gatys, Bethge, Hertzmann & Shechtman, "Preserving Color in Neural Artistic
/// Style Transfer", arXiv:1606.05897, section 3 (luminance-only transfer). They
/// work in YIQ; Lab's lightness is closer to what is seen.
pub fn keep_colours(stylised: &Tensor, original: &Tensor) -> Tensor {
    let _ = (stylised, original);
    unimplemented!()
}
