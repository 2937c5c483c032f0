//! How much of the photograph stays.

use tensor::Tensor;

/// `picture + strength · (styled − picture)`, in place of `styled`.
pub(crate) fn weaken(styled: &mut Tensor, picture: &Tensor, strength: f32) {
    for (to, &from) in styled.data_mut().iter_mut().zip(picture.data()) {
        *to = from + strength * (*to - from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_runs_from_the_picture_to_the_style() {
        let pixel = |rgb: [f32; 3]| Tensor::new([1, 3, 1, 1], rgb.to_vec());
        let (picture, style) = (pixel([0.0, 0.5, 1.0]), pixel([1.0, 0.5, 0.0]));
        for (strength, want) in [(0.0, [0.0, 0.5, 1.0]), (0.25, [0.25, 0.5, 0.75])] {
            let mut out = style.clone();
            weaken(&mut out, &picture, strength);
            assert_eq!(out.data(), want);
        }
    }
}
