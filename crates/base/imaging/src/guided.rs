//! Colours of a small picture on the edges of a large one.

use rayon::prelude::*;
use tensor::Tensor;

/// How far and how closely colours follow lightness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuidedOptions {
    /// Pixels of the small picture to each side over which one linear map holds. Default: 8.
    pub radius: usize,
    /// The variance of lightness below which an area counts as flat, in squared units of L.
    /// The smaller, the closer colours follow faint edges, and the noise. Default: 4.
    pub flat: f32,
}

impl Default for GuidedOptions {
    fn default() -> Self {
        Self { radius: 8, flat: 4.0 }
    }
}

/// A map from lightness to a and b, linear around each place of a picture of any size.
///
/// # Source
///
/// He, Sun & Tang, "Guided Image Filtering", PAMI 2013, eqs. 5, 6 and 8, and He & Sun, "Fast
/// Guided Filter", arXiv:1505.00996: the map is found on a small picture and enlarged
/// bilinearly. At the border, windows are cut off, as in the authors' code. Windows
/// overlap, and a place takes the mean of theirs; here they all weigh the same.
#[derive(Clone, Debug)]
pub struct Guided {
    size: [usize; 2],
    lines: Vec<Line>,
}

impl Guided {
    /// Finds the map of a small picture: lightness `[1, 1, h, w]` in 0..=100 and ab
    /// `[1, 2, h, w]`.
    ///
    /// # Panics
    ///
    /// If the shapes are others, or without a pixel.
    pub fn new(lightness: &Tensor, ab: &Tensor, options: GuidedOptions) -> Self {
        let [1, 1, height, width] = lightness.shape4() else {
            panic!("lightness is [1, 1, h, w], not {:?}", lightness.shape());
        };
        assert_eq!(ab.shape(), [1, 2, height, width], "ab as large as lightness");
        let size = [height, width];
        let f64s = |plane: &[f32]| plane.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).collect();
        let guide = f64s(lightness.data());
        let [a, b] = [0, 1].map(|k| f64s(&ab.data()[k * guide.len()..][..guide.len()]));
        let products = [product(&guide, &guide), product(&guide, &a), product(&guide, &b)];
        let [mean, mean_a, mean_b] = means(&[guide, a, b], size, options.radius);
        let [square, with_a, with_b] = means(&products, size, options.radius);
        let line = |i: usize, own: &[f64], with: &[f64]| {
            let variance = (square[i] - mean[i] * mean[i]).max(0.0);
            let slope = (with[i] - mean[i] * own[i]) / (variance + f64::from(options.flat));
            (slope, own[i] - slope * mean[i])
        };
        let lines = |own: &[f64], with: &[f64]| (0..own.len()).map(|i| line(i, own, with)).unzip();
        let (slopes_a, offsets_a) = lines(&mean_a, &with_a);
        let (slopes_b, offsets_b) = lines(&mean_b, &with_b);
        let maps = means(&[slopes_a, offsets_a, slopes_b, offsets_b], size, options.radius);
        let lines = (0..mean.len()).map(|i| maps.each_ref().map(|map| map[i] as f32)).collect();
        Self { size, lines }
    }

    /// The map over a picture of `size`.
    pub(crate) fn over(&self, [height, width]: [usize; 2]) -> Enlarged<'_> {
        let columns = (0..width).map(|x| between(x, width, self.size[1])).collect();
        Enlarged { map: self, height, columns }
    }

    /// The ab of a whole picture, `[1, 2, H, W]`, from its lightness `[1, 1, H, W]`.
    ///
    /// # Panics
    ///
    /// If that has another shape.
    pub fn enlarged(&self, lightness: &Tensor) -> Tensor {
        let [1, 1, height, width] = lightness.shape4() else {
            panic!("lightness is [1, 1, H, W], not {:?}", lightness.shape());
        };
        let map = self.over([height, width]);
        let mut ab = Tensor::zeros([1, 2, height, width]);
        let (a, b) = ab.data_mut().split_at_mut(height * width);
        let rows = a.par_chunks_mut(width).zip(b.par_chunks_mut(width)).enumerate();
        rows.zip(lightness.data().par_chunks(width)).for_each_init(Vec::new, |row, job| {
            let ((y, (a, b)), lightness) = job;
            map.row(y, row);
            map.along(row, 0, lightness, [a, b]);
        });
        ab
    }
}

/// Slope and offset of a, then of b, at one place.
pub(crate) type Line = [f32; 4];

/// [`Guided`] over a picture.
#[derive(Debug)]
pub(crate) struct Enlarged<'a> {
    map: &'a Guided,
    height: usize,
    /// For each column of the picture, the two of the map around it.
    columns: Vec<(usize, usize, f32)>,
}

impl Enlarged<'_> {
    /// The map's columns at the height of the picture's row `y`.
    pub(crate) fn row(&self, y: usize, out: &mut Vec<Line>) {
        let [height, width] = self.map.size;
        let (top, bottom, share) = between(y, self.height, height);
        let lines = self.map.lines[top * width..].iter().zip(&self.map.lines[bottom * width..]);
        out.clear();
        out.extend(lines.take(width).map(|(top, bottom)| blend(top, bottom, share)));
    }

    /// The ab of some pixels of a row, the first of which is `from`.
    #[inline(always)]
    pub(crate) fn along(&self, row: &[Line], from: usize, lightness: &[f32], ab: [&mut [f32]; 2]) {
        let [a, b] = ab;
        let pixels = lightness.iter().zip(&self.columns[from..]);
        for (((&l, &(left, right, share)), a), b) in pixels.zip(a).zip(b) {
            let line = blend(&row[left], &row[right], share);
            *a = line[0] * l + line[1];
            *b = line[2] * l + line[3];
        }
    }
}

#[inline(always)]
fn blend(first: &Line, second: &Line, share: f32) -> Line {
    [0, 1, 2, 3].map(|k| first[k] + share * (second[k] - first[k]))
}

/// The two places of a small axis around a place of a large one, pixel centres at half
/// integers, and the second one's share.
fn between(place: usize, large: usize, small: usize) -> (usize, usize, f32) {
    let centre = (place as f64 + 0.5) * (small as f64 / large as f64) - 0.5;
    let centre = centre.clamp(0.0, (small - 1) as f64);
    let first = centre as usize;
    (first, (first + 1).min(small - 1), (centre - first as f64) as f32)
}

/// The mean of each plane over windows of `2 · radius + 1` a side, cut off at the border.
/// Sums run in f64, so that their order does not show.
fn means<const N: usize>(planes: &[Vec<f64>; N], size: [usize; 2], radius: usize) -> [Vec<f64>; N] {
    let mut out: [Vec<f64>; N] = [const { Vec::new() }; N];
    out.par_iter_mut().zip(planes).for_each(|(out, plane)| *out = mean(plane, size, radius));
    out
}

fn mean(plane: &[f64], [height, width]: [usize; 2], radius: usize) -> Vec<f64> {
    let mut across = Vec::with_capacity(plane.len());
    for row in plane.chunks_exact(width) {
        let mut sum: f64 = row.iter().take(radius).sum();
        for x in 0..width {
            sum += row.get(x + radius).unwrap_or(&0.0);
            sum -= if x > radius { row[x - radius - 1] } else { 0.0 };
            across.push(sum / window(x, width, radius));
        }
    }
    let mut out = Vec::with_capacity(plane.len());
    let mut sums = vec![0.0; width];
    let add = |sums: &mut [f64], y: usize, sign: f64| {
        let row = across.chunks_exact(width).nth(y).unwrap_or_default();
        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += sign * v);
    };
    (0..radius).for_each(|y| add(&mut sums, y, 1.0));
    for y in 0..height {
        add(&mut sums, y + radius, 1.0);
        if y > radius {
            add(&mut sums, y - radius - 1, -1.0);
        }
        let n = window(y, height, radius);
        out.extend(sums.iter().map(|sum| sum / n));
    }
    out
}

/// How many places of an axis a window covers.
fn window(place: usize, length: usize, radius: usize) -> f64 {
    ((place + radius + 1).min(length) - place.saturating_sub(radius)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, window by window, in f64.
    struct Definition {
        size: [usize; 2],
        radius: usize,
        flat: f64,
    }

    impl Definition {
        fn around(&self, i: usize) -> Vec<usize> {
            let [height, width] = self.size;
            let (y, x) = (i / width, i % width);
            let near = |p: usize, q: usize| p.abs_diff(q) <= self.radius;
            let all = (0..height * width).filter(|j| near(j / width, y) && near(j % width, x));
            all.collect()
        }

        /// Slope and offset of each window, then their mean.
        fn map(&self, guide: &[f32], colour: &[f32]) -> Vec<[f64; 2]> {
            let mean = |of: &dyn Fn(usize) -> f64, places: &[usize]| {
                places.iter().map(|&j| of(j)).sum::<f64>() / places.len() as f64
            };
            let line = |i: usize| {
                let places = self.around(i);
                let (g, c) = (|j: usize| f64::from(guide[j]), |j: usize| f64::from(colour[j]));
                let (mg, mc) = (mean(&g, &places), mean(&c, &places));
                let variance = mean(&|j| (g(j) - mg).powi(2), &places);
                let slope = mean(&|j| (g(j) - mg) * (c(j) - mc), &places) / (variance + self.flat);
                [slope, mc - slope * mg]
            };
            let lines: Vec<[f64; 2]> = (0..guide.len()).map(line).collect();
            let smooth = |i| [0, 1].map(|k| mean(&|j| lines[j][k], &self.around(i)));
            (0..guide.len()).map(smooth).collect()
        }

        /// Bilinear, at the place of a pixel of a picture of `large`.
        fn at(&self, map: &[[f64; 2]], place: [usize; 2], large: [usize; 2]) -> [f64; 2] {
            let around = [0, 1].map(|axis| {
                let scale = self.size[axis] as f64 / large[axis] as f64;
                let last = (self.size[axis] - 1) as f64;
                ((place[axis] as f64 + 0.5) * scale - 0.5).clamp(0.0, last)
            });
            let mut sum = [0.0; 2];
            for (i, line) in map.iter().enumerate() {
                let [y, x] = [i / self.size[1], i % self.size[1]].map(|v| v as f64);
                let share = (1.0 - (around[0] - y).abs()).max(0.0);
                let share = share * (1.0 - (around[1] - x).abs()).max(0.0);
                sum = [0, 1].map(|k| sum[k] + share * line[k]);
            }
            sum
        }
    }

    fn noise(n: usize, from: f32, to: f32) -> Vec<f32> {
        let mut bits = 7u64;
        let mut random = || {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (bits >> 40) as f32 / 16_777_216.0
        };
        (0..n).map(|_| from + (to - from) * random()).collect()
    }

    /// Maps round to f32; slopes of at most 220 / (2 · √flat) times lightness of 100 make it matter.
    const FAR: f64 = 220.0 * 100.0 * 8.0 / (1u64 << 24) as f64;

    #[test]
    fn it_is_the_definition() {
        for (size, radius, flat, large) in [
            ([7, 9], 2, 4.0, [15, 31]),
            ([5, 4], 8, 1.0, [5, 4]),
            ([1, 1], 1, 4.0, [3, 2]),
            ([6, 3], 0, 16.0, [4, 9]),
        ] {
            let area = size[0] * size[1];
            let guide = Tensor::new([1, 1, size[0], size[1]], noise(area, 0.0, 100.0));
            let ab = Tensor::new([1, 2, size[0], size[1]], noise(2 * area, -110.0, 110.0));
            let lightness = noise(large[0] * large[1], 0.0, 100.0);
            let lightness = Tensor::new([1, 1, large[0], large[1]], lightness);
            let got = Guided::new(&guide, &ab, GuidedOptions { radius, flat }).enlarged(&lightness);
            let definition = Definition { size, radius, flat: f64::from(flat) };
            for (k, (colour, got)) in
                ab.data().chunks(area).zip(got.data().chunks(large[0] * large[1])).enumerate()
            {
                let map = definition.map(guide.data(), colour);
                for (i, (got, l)) in got.iter().zip(lightness.data()).enumerate() {
                    let [slope, offset] = definition.at(&map, [i / large[1], i % large[1]], large);
                    let want = slope * f64::from(*l) + offset;
                    assert!((f64::from(*got) - want).abs() < FAR, "{k} {i}: {got}, want {want}");
                }
            }
        }
    }

    /// What it is for: colour on the right side of an edge that the small picture only blurs.
    #[test]
    fn colours_stay_within_edges() {
        let step =
            |n: usize, x: usize, edge: f32| if (x as f32) < edge * n as f32 { 20.0 } else { 80.0 };
        let row = |n: usize| (0..n * n).map(|i| step(n, i % n, 0.53)).collect::<Vec<f32>>();
        let small = Tensor::new([1, 1, 32, 32], row(32));
        let blurred = |i: usize| ((i % 32) as f32 - 17.0).clamp(-4.0, 4.0) * 10.0;
        let ab = Tensor::new([1, 2, 32, 32], (0..2048).map(blurred).collect());
        let large = Tensor::new([1, 1, 256, 256], row(256));
        let got = Guided::new(&small, &ab, GuidedOptions::default()).enlarged(&large);
        let line = &got.data()[128 * 256..][..256];
        let jump = line.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(jump > 30.0, "the edge is blurred: {jump}");
    }

    #[test]
    fn threads_change_nothing() {
        let guide = Tensor::new([1, 1, 40, 50], noise(2000, 0.0, 100.0));
        let ab = Tensor::new([1, 2, 40, 50], noise(4000, -90.0, 90.0));
        let lightness = Tensor::new([1, 1, 300, 200], noise(60_000, 0.0, 100.0));
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Guided::new(&guide, &ab, GuidedOptions::default()).enlarged(&lightness))
        };
        assert_eq!(on(1), on(3));
    }
}
