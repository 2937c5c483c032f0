//! Hints carried to what looks alike.

use tensor::Tensor;

/// How far a hint reaches: deviations of normal distributions.
///
/// A network that was trained on few photographs follows a hint where it stands, and
/// hardly beyond. What a hint changes there is therefore carried to pixels that lie
/// near, are as light, and that the network coloured alike.
///
/// # Source
///
/// Ours; a joint bilateral filter (Petschnigg et al., SIGGRAPH 2004) over what hints
/// change, normalised as Levin, Lischinski and Weiss, "Colorization using
/// Optimization" (SIGGRAPH 2004), ask: like neighbours in lightness, like colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reach {
    /// Of the distance, as a share of the picture's diagonal.
    space: f32,
    /// Of the difference in lightness, L.
    lightness: f32,
    /// Of the difference in the network's own colour, ab.
    color: f32,
    /// How much it takes against a hint: with this sum of weights half of it arrives.
    doubt: f32,
}

impl Default for Reach {
    fn default() -> Self {
        Self { space: 0.2, lightness: 12.0, color: 12.0, doubt: 0.1 }
    }
}

/// What decides whether two cells look alike.
#[derive(Clone, Copy, Debug)]
struct Cell {
    place: [f32; 2],
    lightness: f32,
    ab: [f32; 2],
}

/// A cell with a hint, and what the hint changes of its colour.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    cell: Cell,
    change: [f32; 2],
}

/// Changes `ab`, `[1, 2, h, w]`, by the hints of the network's `input`, `[1, 4, H, W]`
/// with `H` and `W` multiples of `h` and `w`.
pub(super) fn carry(ab: &mut Tensor, input: &Tensor, reach: Reach) {
    let [_, _, height, width] = input.shape4();
    let [_, _, h, w] = ab.shape4();
    if h == 0 || w == 0 || height % h != 0 || width % w != 0 {
        return;
    }
    let (cells, anchors) = cells(ab, input);
    if anchors.is_empty() {
        return;
    }
    let changed: Vec<[f32; 2]> = cells.iter().map(|cell| moved(cell, &anchors, reach)).collect();
    let (a, b) = ab.data_mut().split_at_mut(h * w);
    for ((a, b), [new_a, new_b]) in a.iter_mut().zip(b).zip(changed) {
        (*a, *b) = (new_a, new_b);
    }
}

/// All cells, and those with hints.
fn cells(ab: &Tensor, input: &Tensor) -> (Vec<Cell>, Vec<Anchor>) {
    let ([_, _, height, width], [_, _, h, w]) = (input.shape4(), ab.shape4());
    let (rows, columns, area) = (height / h, width / w, height * width);
    let diagonal = ((h * h + w * w) as f32).sqrt();
    let (mut cells, mut anchors) = (Vec::with_capacity(h * w), vec![]);
    for i in 0..h * w {
        let (top, left) = (i / w * rows, i % w * columns);
        let pixels = (0..rows * columns).map(|p| (top + p / columns) * width + left + p % columns);
        let sum = |channel: usize| -> f32 {
            pixels.clone().map(|p| input.data()[channel * area + p]).sum()
        };
        let cell = Cell {
            place: [(i / w) as f32 / diagonal, (i % w) as f32 / diagonal],
            lightness: 50.0 + 50.0 * sum(0) / (rows * columns) as f32,
            ab: [ab.data()[i], ab.data()[h * w + i]],
        };
        let hinted = sum(3);
        if hinted > 0.0 {
            let wanted = [1, 2].map(|channel| 110.0 * sum(channel) / hinted);
            let change = [wanted[0] - cell.ab[0], wanted[1] - cell.ab[1]];
            anchors.push(Anchor { cell, change });
        }
        cells.push(cell);
    }
    (cells, anchors)
}

/// A cell's colour once every hint has had its say.
fn moved(cell: &Cell, anchors: &[Anchor], reach: Reach) -> [f32; 2] {
    let square = |x: [f32; 2], y: [f32; 2]| (x[0] - y[0]).powi(2) + (x[1] - y[1]).powi(2);
    let (mut change, mut weights, mut nearest) = ([0.0; 2], 0.0f32, 0.0f32);
    for anchor in anchors {
        let other = &anchor.cell;
        let distance = square(cell.place, other.place) / reach.space.powi(2)
            + (cell.lightness - other.lightness).powi(2) / reach.lightness.powi(2)
            + square(cell.ab, other.ab) / reach.color.powi(2);
        let weight = (-0.5 * distance).exp();
        weights += weight;
        nearest = nearest.max(weight);
        (0..2).for_each(|c| change[c] += weight * anchor.change[c]);
    }
    // A mean of the hints that look alike, as strong as the one that looks most alike.
    let strength = nearest / (nearest + reach.doubt) * (1.0 + reach.doubt);
    [0, 1].map(|c| cell.ab[c] + strength * change[c] / weights.max(f32::MIN_POSITIVE))
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
        assert!((at(1)[0] - 55.0).abs() < 1e-3 && (at(1)[1] + 22.0).abs() < 1e-3, "{:?}", at(1));
        assert!(at(0)[0] > 40.0, "its neighbour follows: {:?}", at(0));
        assert!((4..8).all(|i| at(i)[0] < 6.0), "the light ones stay: {ab:?}");
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
