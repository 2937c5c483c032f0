//! Plain areas without what compression, or paper, leaves in them.

use std::ops::Range;

use rayon::prelude::*;
use tensor::Tensor;

/// Pixels to each side over which [`deblock`] judges an area: JPEG's largest block, of colours at
/// half the size, is 16 a side, so that a window always sees more than one.
const BLOCK: usize = 16;

/// Pixels to each side over which [`degrain`] judges an area: some grains wide, and narrow enough
/// that paper between two strokes counts as plain.
const GRAIN: usize = 4;

/// Rows that are smoothed as one piece of parallel work. Two radii more on either side have to be
/// summed for them; and the bits depend on it, so the number of threads may not decide it.
const BAND: usize = 128;

/// Each plane without differences of about so many `levels` of 255 that have no edge near: the
/// blocks of JPEG in a sky, and faint noise. Edges, and texture of more contrast, stay. With 0
/// levels all stays as it is.
///
/// `[N, C, H, W]` in 0..=1, of any size. NaN spreads over its surroundings.
///
/// # Source
///
/// He, Sun & Tang, "Guided Image Filtering", PAMI 2013, eqs. 5, 6 and 8, of a plane guided by
/// itself (section 3.2), with ε = (levels / 255)² and windows of 33 × 33 pixels, cut off at the
/// border. The planes of a picture are smoothed one by one, where they have the guide in colour.
pub fn deblock(planes: &Tensor, levels: f32) -> Tensor {
    smoothed(planes, BLOCK, levels)
}

/// The same with windows of 9 × 9 pixels: without the grain of paper, canvas or film, between
/// strokes too.
pub fn degrain(planes: &Tensor, levels: f32) -> Tensor {
    smoothed(planes, GRAIN, levels)
}

fn smoothed(planes: &Tensor, radius: usize, levels: f32) -> Tensor {
    let [_, _, height, width] = planes.shape4();
    let flat = f64::from(levels / 255.0).powi(2);
    let mut out = Tensor::zeros(planes.shape());
    if flat == 0.0 {
        out.data_mut().copy_from_slice(planes.data());
        return out;
    }
    let area = height * width;
    let pairs = out.data_mut().par_chunks_exact_mut(area).zip(planes.data().par_chunks_exact(area));
    pairs.for_each(|(out, values)| {
        let plane = Plane { values, height, width, radius };
        let bands = out.par_chunks_mut(BAND * width).enumerate();
        bands.for_each(|(i, out)| plane.smooth(i * BAND, flat, out));
    });
    out
}

struct Plane<'a> {
    values: &'a [f32],
    height: usize,
    width: usize,
    /// Of a window, to each side.
    radius: usize,
}

impl Plane<'_> {
    fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    /// Writes the rows from `top` on, as many as `out` holds.
    fn smooth(&self, top: usize, flat: f64, out: &mut [f32]) {
        let rows = top..top + out.len() / self.width;
        let first = rows.start.saturating_sub(self.radius);
        let lines = self.lines(first..(rows.end + self.radius).min(self.height), flat);
        let mut window = Window::over(self);
        let mut means = vec![[0.0; 2]; self.width];
        for (y, out) in rows.zip(out.chunks_exact_mut(self.width)) {
            window.around(y, |y| lines[y - first].iter().map(|line| line.map(f64::from)));
            window.means(&mut means);
            for ((out, value), [slope, offset]) in out.iter_mut().zip(self.row(y)).zip(&means) {
                *out = (slope * f64::from(*value) + offset) as f32;
            }
        }
    }

    /// Slope and offset of the window around every pixel of these rows: of its own values'
    /// regression upon themselves, which `flat` holds back.
    fn lines(&self, rows: Range<usize>, flat: f64) -> Vec<Vec<[f32; 2]>> {
        let mut window = Window::over(self);
        let mut means = vec![[0.0; 2]; self.width];
        let line = |[mean, square]: &[f64; 2]| {
            let variance = (square - mean * mean).max(0.0);
            let slope = variance / (variance + flat);
            [slope, mean * (1.0 - slope)].map(|v| v as f32)
        };
        let row = |y| {
            let values = |y| self.row(y).iter().map(|v| f64::from(*v)).map(|v| [v, v * v]);
            window.around(y, values);
            window.means(&mut means);
            means.iter().map(line).collect()
        };
        rows.map(row).collect()
    }
}

/// The sums of two values over a window's rows, for each column. They run in f64, so that their
/// order does not show.
struct Window {
    sums: Vec<[f64; 2]>,
    /// The rows that are in the sums.
    rows: Range<usize>,
    height: usize,
    radius: usize,
}

impl Window {
    fn over(plane: &Plane<'_>) -> Self {
        let Plane { height, width, radius, .. } = *plane;
        Self { sums: vec![[0.0; 2]; width], rows: 0..0, height, radius }
    }

    /// Moves to the rows around `y`, which is no row before the last one's.
    fn around<I: Iterator<Item = [f64; 2]>>(&mut self, y: usize, row: impl Fn(usize) -> I) {
        let wanted = y.saturating_sub(self.radius)..(y + self.radius + 1).min(self.height);
        if self.rows.is_empty() {
            self.rows = wanted.start..wanted.start;
        }
        let (leave, enter) = (self.rows.start..wanted.start, self.rows.end..wanted.end);
        for (rows, sign) in [(enter, 1.0), (leave, -1.0)] {
            for y in rows {
                for (sum, values) in self.sums.iter_mut().zip(row(y)) {
                    *sum = [0, 1].map(|k| sum[k] + sign * values[k]);
                }
            }
        }
        self.rows = wanted;
    }

    /// The means over the window around each column.
    fn means(&self, out: &mut [[f64; 2]]) {
        let (width, radius) = (self.sums.len(), self.radius);
        let ahead = self.sums.iter().skip(radius).map(Some).chain(std::iter::repeat(None));
        let behind = std::iter::repeat_n(None, radius + 1).chain(self.sums.iter().map(Some));
        let mut sum = [0.0; 2];
        for values in self.sums.iter().take(radius) {
            sum = [0, 1].map(|k| sum[k] + values[k]);
        }
        for (x, (out, (enter, leave))) in out.iter_mut().zip(ahead.zip(behind)).enumerate() {
            let (enter, leave) = (enter.unwrap_or(&[0.0; 2]), leave.unwrap_or(&[0.0; 2]));
            sum = [0, 1].map(|k| sum[k] + enter[k] - leave[k]);
            let columns = (x + radius + 1).min(width) - x.saturating_sub(radius);
            let share = 1.0 / (columns * self.rows.len()) as f64;
            *out = sum.map(|sum| sum * share);
        }
    }
}

#[cfg(test)]
mod tests {
    use testing::Random;

    use super::*;

    /// Slopes, offsets and results round to f32, of values up to 1.
    const FAR: f64 = 3.0 / (1u64 << 24) as f64;

    /// About a middle grey.
    fn grey(mut noise: Tensor) -> Tensor {
        noise.data_mut().iter_mut().for_each(|v| *v += 0.5);
        noise
    }

    /// The filter window by window.
    fn definition(plane: &[f32], size: [usize; 2], radius: usize, levels: f32) -> Vec<f64> {
        let [height, width] = size;
        let near = |p: usize, length: usize| p.saturating_sub(radius)..(p + radius + 1).min(length);
        let mean = |i: usize, of: &dyn Fn(usize) -> f64| {
            let (rows, columns) = (near(i / width, height), near(i % width, width));
            let count = rows.len() * columns.len();
            let of_row = |y: usize| columns.clone().map(|x| of(y * width + x)).sum::<f64>();
            rows.map(of_row).sum::<f64>() / count as f64
        };
        let value = |i: usize| f64::from(plane[i]);
        let line = |i: usize| {
            let own = mean(i, &value);
            let variance = mean(i, &|j| (value(j) - own).powi(2));
            let slope = variance / (variance + f64::from(levels / 255.0).powi(2));
            [slope, (1.0 - slope) * own]
        };
        let lines: Vec<[f64; 2]> = (0..plane.len()).map(line).collect();
        let at = |i| mean(i, &|j| lines[j][0]) * value(i) + mean(i, &|j| lines[j][1]);
        (0..plane.len()).map(at).collect()
    }

    #[test]
    fn it_is_the_definition_across_bands_and_for_the_smallest() {
        for (size, levels) in [([290, 7], 4.0), ([5, 60], 1.5), ([1, 1], 4.0), ([40, 37], 20.0)] {
            let [height, width] = size;
            let picture = grey(Random::new(3).tensor(&[1, 2, height, width], 0.03));
            for (radius, got) in [(16, deblock(&picture, levels)), (4, degrain(&picture, levels))] {
                let planes = picture.data().chunks(height * width);
                for (plane, got) in planes.zip(got.data().chunks(height * width)) {
                    let wanted = definition(plane, size, radius, levels);
                    for (i, (&got, want)) in got.iter().zip(wanted).enumerate() {
                        let off = (f64::from(got) - want).abs();
                        assert!(off <= FAR, "{size:?} {radius} {levels} at {i}: {got}, not {want}");
                    }
                }
            }
        }
    }

    /// Blocks a level or two apart, which a style's network paints as bars.
    #[test]
    fn blocks_in_a_plain_area_go_and_an_edge_stays() {
        let side = 96;
        let block = |i: usize| [0.0, 1.0, 2.0, 1.0][(i % side / 16 + i / side / 16 * 3) % 4];
        let sky = |i: usize| if i % side < 64 { 180.0 + block(i) } else { 40.0 };
        let values = (0..side * side).map(|i| sky(i) / 255.0).collect();
        let got = deblock(&Tensor::new([1, 1, side, side], values), 4.0);
        let row = &got.data()[40 * side..][..side];
        let step = |row: &[f32]| row.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(step(&row[..44]) * 255.0 < 0.25, "blocks: {}", step(&row[..44]) * 255.0);
        assert!((row[63] - row[64]) * 255.0 > 139.0, "the edge: {}", row[63] - row[64]);
    }

    /// Paper between two strokes of ink, which a style's network learns as dots.
    #[test]
    fn grain_between_strokes_goes_and_the_strokes_stay() {
        let side = 96;
        let grain = Random::new(5).tensor(&[1, 1, side, side], 3.0 / 255.0);
        let is_ink = |i: usize| i % side % 24 < 4;
        let drawn = |i: usize, noise: f32| if is_ink(i) { 0.2 } else { 0.85 + noise };
        let values: Vec<f32> = grain.data().iter().enumerate().map(|(i, n)| drawn(i, *n)).collect();
        let painting = Tensor::new([1, 1, side, side], values);
        let (fine, coarse) = (degrain(&painting, 8.0), deblock(&painting, 8.0));
        let row = |of: &Tensor| of.data()[40 * side..][..side].to_vec();
        // In the middle between two strokes, far enough from both for a narrow window.
        let rough =
            |row: &[f32]| 255.0 * row[12..16].windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f32>();
        let (before, fine, coarse) = (row(&painting), row(&fine), row(&coarse));
        assert!(rough(&fine) < 0.4 * rough(&before), "{} of {}", rough(&fine), rough(&before));
        assert!(rough(&coarse) > 0.9 * rough(&before), "{}", rough(&coarse));
        assert!(fine[22] - fine[26] > 0.6, "a stroke: {} {}", fine[22], fine[26]);
    }

    #[test]
    fn no_levels_and_no_threads_change_anything() {
        let picture = grey(Random::new(3).tensor(&[1, 3, 300, 20], 0.5));
        assert_eq!(deblock(&picture, 0.0), picture);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| deblock(&picture, 4.0))
        };
        assert_eq!(on(1), on(3));
    }
}
