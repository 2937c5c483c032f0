//! Hints carried to what looks alike.

use tensor::Tensor;

/// How much two places have to do with each other: what a network gets wrong at one of them,
/// it gets wrong at the other.
///
/// A network that was trained on few photographs follows a hint where it stands, and
/// hardly beyond. Its error, the true colour less its own, is therefore taken for a Gaussian
/// process over place, lightness and the network's colour: hints tell the error where they are, and
/// what is expected elsewhere is added.
///
/// # Source
///
/// Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), equation 2.25,
/// with a sum of two squared exponentials. That colour goes where neighbours are alike in
/// lightness is the premise of Levin, Lischinski and Weiss, "Colorization using Optimization"
/// (SIGGRAPH 2004). The numbers were chosen by measurement: decision 0074.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reach {
    /// What is alike and near, and what is alike anywhere.
    kinds: [Likeness; 2],
    /// The variance of a hint of one pixel of a cell, as a share of the error's.
    noise: f64,
}

/// A squared exponential: deviations of normal distributions.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Likeness {
    /// The share of the error's variance.
    share: f64,
    /// Of the distance, as a share of the picture's diagonal.
    space: f64,
    /// Of the difference in lightness, L.
    lightness: f64,
    /// Of the difference in the network's own colour, ab.
    color: f64,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            kinds: [
                Likeness { share: 0.35, space: 0.1, lightness: 15.0, color: 15.0 },
                Likeness { share: 0.65, space: 1.0, lightness: 30.0, color: 25.0 },
            ],
            noise: 0.08,
        }
    }
}

/// What decides whether two cells look alike.
#[derive(Clone, Copy, Debug)]
struct Cell {
    place: [f64; 2],
    lightness: f64,
    ab: [f64; 2],
}

/// A cell with hints, and what they change of its colour.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    cell: Cell,
    change: [f64; 2],
    /// How many of the cell's pixels say so.
    pixels: f64,
}

/// Most hinted cells that are told apart; of a picture painted all over, neighbours are taken
/// together.
const MOST: usize = 256;

/// Changes `ab`, `[1, 2, h, w]`, by the hints of the network's `input`, `[1, 4, H, W]`
/// with `H` and `W` multiples of `h` and `w`.
pub(super) fn carry(ab: &mut Tensor, input: &Tensor, reach: Reach) {
    let [_, _, height, width] = input.shape4();
    let [_, _, h, w] = ab.shape4();
    if h == 0 || w == 0 || height % h != 0 || width % w != 0 {
        return;
    }
    let (cells, anchors) = cells(ab, input);
    let anchors = few(anchors, w.max(h));
    if anchors.is_empty() {
        return;
    }
    let weights = reach.weights(&anchors);
    let (a, b) = ab.data_mut().split_at_mut(h * w);
    for (cell, (a, b)) in cells.iter().zip(a.iter_mut().zip(b)) {
        let mut change = [0.0; 2];
        for (anchor, weight) in anchors.iter().zip(&weights) {
            let alike = reach.alike(cell, &anchor.cell);
            (0..2).for_each(|c| change[c] += alike * weight[c]);
        }
        *a += change[0] as f32;
        *b += change[1] as f32;
    }
}

impl Reach {
    /// The covariance of the errors of two cells, as a share of one's variance.
    fn alike(&self, x: &Cell, y: &Cell) -> f64 {
        let square = |x: [f64; 2], y: [f64; 2]| (x[0] - y[0]).powi(2) + (x[1] - y[1]).powi(2);
        let (place, color) = (square(x.place, y.place), square(x.ab, y.ab));
        let lightness = (x.lightness - y.lightness).powi(2);
        let of = |kind: &Likeness| {
            let distance = place / kind.space.powi(2)
                + lightness / kind.lightness.powi(2)
                + color / kind.color.powi(2);
            kind.share * (-0.5 * distance).exp()
        };
        self.kinds.iter().map(of).sum()
    }

    /// What each anchor's likeness is multiplied by: `(K + noise)⁻¹ · change`, by Cholesky's
    /// decomposition.
    fn weights(&self, anchors: &[Anchor]) -> Vec<[f64; 2]> {
        let n = anchors.len();
        let mut lower = vec![0.0; n * n];
        let mut out: Vec<[f64; 2]> = anchors.iter().map(|anchor| anchor.change).collect();
        for i in 0..n {
            for j in 0..=i {
                let mut sum = self.alike(&anchors[i].cell, &anchors[j].cell);
                if i == j {
                    sum += self.noise / anchors[i].pixels;
                }
                sum -= (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum::<f64>();
                // The noise keeps what is under the root over zero.
                lower[i * n + j] =
                    if i == j { sum.max(1e-9).sqrt() } else { sum / lower[j * n + j] };
            }
        }
        for c in 0..2 {
            for i in 0..n {
                let known: f64 = (0..i).map(|k| lower[i * n + k] * out[k][c]).sum();
                out[i][c] = (out[i][c] - known) / lower[i * n + i];
            }
            for i in (0..n).rev() {
                let known: f64 = (i + 1..n).map(|k| lower[k * n + i] * out[k][c]).sum();
                out[i][c] = (out[i][c] - known) / lower[i * n + i];
            }
        }
        out
    }
}

/// All cells, and those with hints.
fn cells(ab: &Tensor, input: &Tensor) -> (Vec<Cell>, Vec<Anchor>) {
    let ([_, _, height, width], [_, _, h, w]) = (input.shape4(), ab.shape4());
    let (rows, columns, area) = (height / h, width / w, height * width);
    let diagonal = ((h * h + w * w) as f64).sqrt();
    let (mut cells, mut anchors) = (Vec::with_capacity(h * w), vec![]);
    for i in 0..h * w {
        let (top, left) = (i / w * rows, i % w * columns);
        let pixels = (0..rows * columns).map(|p| (top + p / columns) * width + left + p % columns);
        let sum = |channel: usize| -> f64 {
            pixels.clone().map(|p| f64::from(input.data()[channel * area + p])).sum()
        };
        let cell = Cell {
            place: [(i / w) as f64 / diagonal, (i % w) as f64 / diagonal],
            lightness: 50.0 + 50.0 * sum(0) / (rows * columns) as f64,
            ab: [ab.data()[i], ab.data()[h * w + i]].map(f64::from),
        };
        let hinted = sum(3);
        if hinted > 0.0 {
            let wanted = [1, 2].map(|channel| 110.0 * sum(channel) / hinted);
            let change = [wanted[0] - cell.ab[0], wanted[1] - cell.ab[1]];
            anchors.push(Anchor { cell, change, pixels: hinted });
        }
        cells.push(cell);
    }
    (cells, anchors)
}

/// At most [`MOST`] anchors: those within ever larger squares become their mean.
fn few(mut anchors: Vec<Anchor>, side: usize) -> Vec<Anchor> {
    let mut squares = side;
    while anchors.len() > MOST {
        squares = squares.div_ceil(2);
        let mut merged: std::collections::BTreeMap<[usize; 2], Vec<Anchor>> = [].into();
        for anchor in anchors {
            let square = anchor.cell.place.map(|at| (at * squares as f64) as usize);
            merged.entry(square).or_default().push(anchor);
        }
        anchors = merged.into_values().map(|group| mean(&group)).collect();
    }
    anchors
}

fn mean(group: &[Anchor]) -> Anchor {
    let pixels: f64 = group.iter().map(|anchor| anchor.pixels).sum();
    let of = |value: &dyn Fn(&Anchor) -> f64| -> f64 {
        group.iter().map(|anchor| anchor.pixels * value(anchor)).sum::<f64>() / pixels
    };
    let cell = Cell {
        place: [0, 1].map(|c| of(&|anchor| anchor.cell.place[c])),
        lightness: of(&|anchor| anchor.cell.lightness),
        ab: [0, 1].map(|c| of(&|anchor| anchor.cell.ab[c])),
    };
    Anchor { cell, change: [0, 1].map(|c| of(&|anchor| anchor.change[c])), pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight cells of 4×4 pixels in a row: four dark, four light; a hint on the second.
    fn hinted() -> (Tensor, Tensor) {
        let area = 4 * 32;
        let mut input = Tensor::zeros([1, 4, 4, 32]);
        for i in 0..area {
            input.data_mut()[i] = if i % 32 < 16 { -0.5 } else { 0.5 };
        }
        for y in 0..4 {
            for x in 4..8 {
                for (channel, v) in [(1, 55.0 / 110.0), (2, -22.0 / 110.0), (3, 1.0)] {
                    input.data_mut()[channel * area + y * 32 + x] = v;
                }
            }
        }
        (Tensor::new([1, 2, 1, 8], vec![5.0; 16]), input)
    }

    #[test]
    fn a_hint_is_met_where_it_stands_and_stays_with_its_like() {
        let (mut ab, input) = hinted();
        carry(&mut ab, &input, Reach::default());
        let at = |i: usize| [ab.data()[i], ab.data()[8 + i]];
        // All but the noise of a hint of sixteen pixels arrives.
        let arrives = 50.0 / (1.0 + Reach::default().noise as f32 / 16.0);
        assert!((at(1)[0] - 5.0 - arrives).abs() < 1e-3, "{:?}", at(1));
        assert!(arrives > 48.0 && at(0)[0] > 40.0, "its neighbour follows: {:?}", at(0));
        // Fifty steps of lightness away a sixth of it is expected: photographs have a cast.
        assert!((4..8).all(|i| at(i)[0] < 5.0 + 50.0 / 6.0), "the light ones follow: {ab:?}");
    }

    /// The definition: the errors expected by a Gaussian process, its linear equations solved
    /// by elimination.
    fn reference(reach: Reach, cells: &[Cell], anchors: &[Anchor]) -> Vec<[f64; 2]> {
        let n = anchors.len();
        let mut rows: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let own = |j: usize| if i == j { reach.noise / anchors[i].pixels } else { 0.0 };
                let alike = |j: usize| reach.alike(&anchors[i].cell, &anchors[j].cell) + own(j);
                (0..n).map(alike).chain(anchors[i].change).collect()
            })
            .collect();
        for i in 0..n {
            let pivot: Vec<f64> = rows[i].iter().map(|v| v / rows[i][i]).collect();
            for (_, row) in rows.iter_mut().enumerate().filter(|(j, _)| *j != i) {
                let factor = row[i];
                row.iter_mut().zip(&pivot).for_each(|(v, p)| *v -= factor * p);
            }
            rows[i] = pivot;
        }
        let of = |cell: &Cell, c: usize| -> f64 {
            (0..n).map(|i| reach.alike(cell, &anchors[i].cell) * rows[i][n + c]).sum()
        };
        cells.iter().map(|cell| [of(cell, 0), of(cell, 1)]).collect()
    }

    #[test]
    fn what_is_added_is_what_is_expected() {
        let (w, h) = (9, 7);
        let ab: Vec<f32> = (0..2 * w * h).map(|i| (i * 37 % 41) as f32 - 20.0).collect();
        let ab = Tensor::new([1, 2, h, w], ab);
        let mut input = Tensor::zeros([1, 4, 4 * h, 4 * w]);
        let area = 16 * w * h;
        for i in 0..area {
            input.data_mut()[i] = (i * 13 % 29) as f32 / 29.0;
            if i % 101 < 7 {
                input.data_mut()[area + i] = (i % 5) as f32 / 10.0;
                input.data_mut()[3 * area + i] = 1.0;
            }
        }
        let (cells, anchors) = cells(&ab, &input);
        assert!((10..60).contains(&anchors.len()), "{}", anchors.len());
        let want = reference(Reach::default(), &cells, &anchors);
        let mut got = ab.clone();
        carry(&mut got, &input, Reach::default());
        for (i, want) in want.iter().enumerate() {
            for c in 0..2 {
                let at = c * w * h + i;
                let added = f64::from(got.data()[at] - ab.data()[at]);
                // Colours of up to 64 are known to half an ulp of f32, before and after.
                assert!((added - want[c]).abs() < 1e-5, "{added}, not {}", want[c]);
            }
        }
    }

    #[test]
    fn a_picture_that_is_hinted_everywhere_takes_no_longer() {
        let cell = |i: usize| Cell {
            place: [(i / 64) as f64 / 91.0, (i % 64) as f64 / 91.0],
            lightness: 50.0,
            ab: [0.0; 2],
        };
        let all =
            (0..4096).map(|i| Anchor { cell: cell(i), change: [i as f64, 1.0], pixels: 16.0 });
        let merged = few(all.collect(), 64);
        assert!((64..=MOST).contains(&merged.len()), "{}", merged.len());
        let pixels: f64 = merged.iter().map(|anchor| anchor.pixels).sum();
        let mean: f64 = merged.iter().map(|a| a.change[0] * a.pixels).sum::<f64>() / pixels;
        assert!((mean - 2047.5).abs() < 1e-6 && (pixels - 65536.0).abs() < 1e-6);
    }

    #[test]
    fn without_a_hint_nothing_changes() {
        let (ab, mut input) = hinted();
        input.data_mut()[128..].fill(0.0);
        let mut after = ab.clone();
        carry(&mut after, &input, Reach::default());
        assert_eq!(after, ab);
    }
}
