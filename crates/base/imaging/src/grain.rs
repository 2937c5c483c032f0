//! A faint grain, which gives a network something to paint where there is nothing.

use rayon::prelude::*;
use tensor::Tensor;

/// Box filters of this many pixels, three of them, make white noise into grains.
const BOX: usize = 7;

/// What three boxes reach over.
const TAPS: usize = 3 * (BOX - 1) + 1;

/// Rows that are made as one piece of parallel work.
const BAND: usize = 64;

/// Adds to every channel the same grey noise of so many `levels` of 255 (its standard deviation),
/// smooth over some pixels: white noise through three box filters of 7 × 7. `[N, C, H, W]` in
/// 0..=1, which it may leave. A place has the same noise whatever the size, and in every run.
pub fn add_grain(planes: &mut Tensor, levels: f32) {
    let [_, _, height, width] = planes.shape4();
    let kernel = kernel();
    let mut grain = vec![0.0; height * width];
    grain.par_chunks_mut(BAND * width).enumerate().for_each(|(i, rows)| {
        fill(rows, i * BAND, width, &kernel);
    });
    let share = levels / 255.0;
    for plane in planes.data_mut().chunks_exact_mut(height * width) {
        let rows = plane.par_chunks_mut(BAND * width).zip(grain.par_chunks(BAND * width));
        rows.for_each(|(to, grain)| {
            to.iter_mut().zip(grain).for_each(|(to, grain)| *to += share * grain);
        });
    }
}

/// The three boxes in one, along one axis; scaled so that the noise keeps its variance.
fn kernel() -> [f32; TAPS] {
    let mut taps = [0.0; TAPS];
    taps[0] = 1.0;
    for _ in 0..3 {
        taps = std::array::from_fn(|i| taps[i.saturating_sub(BOX - 1)..=i].iter().sum());
    }
    let norm = taps.iter().map(|v| v * v).sum::<f32>().sqrt();
    taps.map(|v| v / norm)
}

/// The rows from `top` on.
fn fill(rows: &mut [f32], top: usize, width: usize, kernel: &[f32; TAPS]) {
    let mut white = vec![0.0; width + TAPS - 1];
    let mut across = vec![0.0; width];
    let count = rows.len() / width;
    for y in 0..count + TAPS - 1 {
        for (x, white) in white.iter_mut().enumerate() {
            *white = noise((top + y) as u64, x as u64);
        }
        for (across, white) in across.iter_mut().zip(white.windows(TAPS)) {
            *across = white.iter().zip(kernel).map(|(white, tap)| white * tap).sum();
        }
        // The rows that see this one, each with another tap.
        for to in y.saturating_sub(TAPS - 1)..count.min(y + 1) {
            let tap = kernel[y - to];
            let row = rows[to * width..].iter_mut().zip(&across);
            row.for_each(|(to, across)| *to += tap * across);
        }
    }
}

/// White noise of variance 1, uniform, at a place: a hash of it by the last steps of
/// `SplitMix64` (Steele, Lea & Flood, OOPSLA 2014).
fn noise(y: u64, x: u64) -> f32 {
    let mut bits = (y << 32 | x).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    ((bits >> 40) as f32 / 8_388_608.0 - 1.0) * 3f32.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: f32 = 0.5;

    fn grain([height, width]: [usize; 2], levels: f32) -> Vec<f64> {
        let mut planes = Tensor::new([1, 2, height, width], vec![GREY; 2 * height * width]);
        add_grain(&mut planes, levels);
        let (first, second) = planes.data().split_at(height * width);
        assert_eq!(first, second, "the noise is not grey");
        first.iter().map(|v| f64::from(v - GREY)).collect()
    }

    /// Sums of at most 19 products of values up to √3 a pass, and 0.5 is added and taken away.
    const FAR: f64 = (4.0 * 19.0 * 2.0 / 255.0 + 1.0) / (1u64 << 24) as f64;

    #[test]
    fn it_is_white_noise_through_three_boxes() {
        let [height, width] = [150, 21];
        let got = grain([height, width], 2.0);
        let weight = |i: usize| {
            let pairs = (0..7).flat_map(|a| (0..7).map(move |b| a + b));
            pairs.filter(|sum| (0..7).any(|c| sum + c == i)).count() as f64
        };
        let norm: f64 = (0..19).map(|i| weight(i).powi(2)).sum();
        for (i, got) in got.iter().enumerate() {
            let [y, x] = [i / width, i % width];
            let places = (0..19 * 19).map(|k| [k / 19, k % 19]);
            let term = |[dy, dx]: [usize; 2]| {
                let white = f64::from(noise((y + dy) as u64, (x + dx) as u64));
                weight(dy) * weight(dx) * white
            };
            let want = places.map(term).sum::<f64>() / norm * 2.0 / 255.0;
            assert!((got - want).abs() < FAR, "{i}: {got}, want {want}");
        }
    }

    #[test]
    fn it_has_the_levels_asked_for_and_no_mean() {
        let levels: Vec<f64> = grain([400, 400], 3.0).iter().map(|v| v * 255.0).collect();
        let count = levels.len() as f64;
        let mean = levels.iter().sum::<f64>() / count;
        let deviation = (levels.iter().map(|v| v * v).sum::<f64>() / count).sqrt();
        // A grain is some 12 pixels wide, so there are about 1100: 3 % is a standard error.
        assert!((deviation - 3.0).abs() < 0.3, "{deviation}");
        assert!(mean.abs() < 0.3, "{mean}");
    }

    #[test]
    fn a_place_has_its_noise_whatever_the_size_and_the_threads() {
        let (small, large) = (grain([10, 30], 1.0), grain([100, 40], 1.0));
        for (small, large) in small.chunks(30).zip(large.chunks(40)) {
            assert_eq!(small, &large[..30]);
        }
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| grain([300, 50], 1.0))
        };
        assert_eq!(on(1), on(3));
        assert_eq!(grain([1, 1], 0.0), [0.0]);
    }
}
