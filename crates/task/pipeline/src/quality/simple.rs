use imaging::colour::Lab;
use tensor::Tensor;

/// The peak signal-to-noise ratio of RGB in decibels, over all channels at once; infinite for
/// equal pictures.
///
/// # Panics
///
/// If the shapes differ.
///
/// # Source
///
/// scikit-image's `peak_signal_noise_ratio` with a data range of 1.
pub fn psnr(picture: &Tensor, truth: &Tensor) -> f64 {
    decibels(1.0, picture.data(), truth.data())
}

/// The same of a and b of CIE Lab. Their peak is 255: that of a and b plus 128, stored in 8 bits.
///
/// # Panics
///
/// If the shapes differ, or are not `[N, 3, H, W]`.
pub fn psnr_ab(picture: &Tensor, truth: &Tensor) -> f64 {
    let ab = |rgb: &Tensor| -> Vec<f32> {
        let [_, _, height, width] = rgb.shape4();
        let planes = Lab::of_rgb(rgb).into_tensor().into_data();
        let area = height * width;
        planes.chunks(3 * area).flat_map(|planes| planes[area..].to_vec()).collect()
    };
    decibels(255.0, &ab(picture), &ab(truth))
}

fn decibels(peak: f64, values: &[f32], truth: &[f32]) -> f64 {
    assert_eq!(values.len(), truth.len(), "pictures of one shape");
    let squares = values.iter().zip(truth).map(|(v, t)| (f64::from(*v) - f64::from(*t)).powi(2));
    let mean = squares.sum::<f64>() / values.len() as f64;
    10.0 * (peak * peak / mean).log10()
}

/// How colourful people find a picture: 0 is grey, 15 slightly, 33 moderately, 59 quite,
/// 82 highly, 109 extremely so.
///
/// # Panics
///
/// If the shape is not `[1, 3, H, W]`.
///
/// # Source
///
/// Hasler & Süsstrunk, "Measuring Colourfulness in Natural Images", SPIE 2003: with
/// `rg = R − G` and `yb = (R + G)/2 − B` in 0..=255, √(σ²rg + σ²yb) + 0.3 √(μ²rg + μ²yb). Not the
/// variant of `DDColor`, which takes absolute differences first.
pub fn colorfulness(picture: &Tensor) -> f64 {
    let [1, 3, height, width] = picture.shape4() else {
        panic!("a picture is [1, 3, H, W], not {:?}", picture.shape());
    };
    let n = height * width;
    let data = picture.data();
    let opponents = (0..n).map(|i| {
        let [r, g, b] = [0, 1, 2].map(|c| f64::from(data[c * n + i]) * 255.0);
        [r - g, f64::midpoint(r, g) - b]
    });
    let (mut sums, mut squares) = ([0.0; 2], [0.0; 2]);
    for opponent in opponents {
        for k in 0..2 {
            sums[k] += opponent[k];
            squares[k] += opponent[k] * opponent[k];
        }
    }
    let mean = sums.map(|s| s / n as f64);
    let variance = [0, 1].map(|k| (squares[k] / n as f64 - mean[k] * mean[k]).max(0.0));
    (variance[0] + variance[1]).sqrt() + 0.3 * mean[0].hypot(mean[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(rgb: [f32; 3]) -> Tensor {
        Tensor::new([1, 3, 2, 2], rgb.into_iter().flat_map(|v| [v; 4]).collect())
    }

    #[test]
    fn a_known_difference_has_known_decibels() {
        let (a, b) = (flat([0.5, 0.5, 0.5]), flat([0.6, 0.5, 0.5]));
        assert!((psnr(&a, &b) - 10.0 * 300f64.log10()).abs() < 1e-4);
        assert!(psnr(&a, &a).is_infinite());
        assert!(psnr_ab(&flat([0.2; 3]), &flat([0.9; 3])) > 80.0);
    }

    #[test]
    fn grey_has_no_colours_and_a_flat_colour_only_a_mean() {
        assert!(colorfulness(&flat([0.3; 3])) < 1e-5);
        let red = colorfulness(&flat([1.0, 0.0, 0.0]));
        assert!((red - 0.3 * 255f64.hypot(127.5)).abs() < 1e-6, "{red}");
    }
}
