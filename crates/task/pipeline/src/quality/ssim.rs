use tensor::Tensor;

/// Pixels of the window to each side of its centre.
const RADIUS: usize = 5;
const SIGMA: f64 = 1.5;
const K1: f64 = 0.01;
const K2: f64 = 0.03;

/// Structural similarity: 1 for equal pictures. The mean over channels, and over the places
/// where the whole window lies inside.
///
/// # Panics
///
/// If the shapes differ or are not `[1, C, H, W]`, or a side is less than 11.
///
/// # Source
///
/// Wang, Bovik, Sheikh & Simoncelli, "Image Quality Assessment: From Error Visibility to
/// Structural Similarity", TIP 2004, in the form of scikit-image's `structural_similarity` with
/// `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1`.
pub fn ssim(picture: &Tensor, truth: &Tensor) -> f64 {
    assert_eq!(picture.shape(), truth.shape(), "pictures of one shape");
    let [1, channels, height, width] = picture.shape4() else {
        panic!("one picture, not {:?}", picture.shape());
    };
    assert!(height.min(width) > 2 * RADIUS, "{height}×{width} is less than a window of 11");
    let area = height * width;
    let planes = picture.data().chunks(area).zip(truth.data().chunks(area));
    let sum: f64 = planes.map(|(x, y)| of_planes(x, y, width)).sum();
    sum / channels as f64
}

fn of_planes(x: &[f32], y: &[f32], width: usize) -> f64 {
    let [c1, c2] = [K1 * K1, K2 * K2];
    let smooth = |of: &dyn Fn(f64, f64) -> f64| {
        let values = x.iter().zip(y).map(|(x, y)| of(f64::from(*x), f64::from(*y)));
        smoothed(&values.collect::<Vec<_>>(), width)
    };
    let (ux, uy) = (smooth(&|x, _| x), smooth(&|_, y| y));
    let (uxx, uyy, uxy) = (smooth(&|x, _| x * x), smooth(&|_, y| y * y), smooth(&|x, y| x * y));
    let similarity = |i: usize| {
        let (vx, vy) = (uxx[i] - ux[i] * ux[i], uyy[i] - uy[i] * uy[i]);
        let covariance = uxy[i] - ux[i] * uy[i];
        (2.0 * ux[i] * uy[i] + c1) * (2.0 * covariance + c2)
            / ((ux[i] * ux[i] + uy[i] * uy[i] + c1) * (vx + vy + c2))
    };
    (0..ux.len()).map(similarity).sum::<f64>() / ux.len() as f64
}

/// The weighted mean of each window that lies inside.
fn smoothed(plane: &[f64], width: usize) -> Vec<f64> {
    let weights = weights();
    let across: Vec<f64> = plane
        .chunks_exact(width)
        .flat_map(|row| row.windows(weights.len()))
        .map(|window| window.iter().zip(&weights).map(|(v, w)| v * w).sum())
        .collect();
    let inner = width - 2 * RADIUS;
    let rows: Vec<&[f64]> = across.chunks_exact(inner).collect();
    let mut out = Vec::with_capacity(across.len());
    for window in rows.windows(weights.len()) {
        let sum = |i: usize| window.iter().zip(&weights).map(|(row, w)| row[i] * w).sum::<f64>();
        out.extend((0..inner).map(sum));
    }
    out
}

fn weights() -> [f64; 2 * RADIUS + 1] {
    let mut weights = [0.0; 2 * RADIUS + 1];
    for (i, weight) in weights.iter_mut().enumerate() {
        let x = i as f64 - RADIUS as f64;
        *weight = (-x * x / (2.0 * SIGMA * SIGMA)).exp();
    }
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}
