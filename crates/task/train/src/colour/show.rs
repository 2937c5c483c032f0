//! What a network in training makes of a photograph.

use cpu::{Network, Plan, Session};
use imaging::colour::{PAPERS_TEMPERATURE, ab_bins, annealed_mean, srgb_of_lab};
use nets::Net;
use tensor::Tensor;
use weights::Weights;

use super::Seer;
use super::target::Target;
use crate::TrainError;

/// The lightness of a photograph `[1, 3, H, W]` with the network's colours.
pub(super) fn coloured(
    (net, weights): (&Net, &Weights),
    photograph: &Tensor,
    seer: Option<&mut Seer>,
) -> Result<Tensor, TrainError> {
    let target = Target::of(photograph);
    let input = padded(&input_of(net, &target), net.graph.multiple_of());
    let classes = seer.map(|seer| seer.look(&target.lightness));
    let inputs: Vec<&Tensor> = [&input].into_iter().chain(classes.as_ref()).collect();
    let shapes: Vec<[usize; 4]> = inputs.iter().map(|x| x.shape4()).collect();
    let plan = Plan::new(&Network::new(&net.graph, weights)?, &shapes, &[])?;
    let answer = Session::new(plan).run(&inputs).output;
    let cell = shapes[0][2] / answer.shape4()[2];
    Ok(with_lightness(&target.lightness, &ab_of(&answer), cell))
}

/// The lightness of a photograph `[1, 3, H, W]` alone.
pub(super) fn grey(photograph: &Tensor) -> Tensor {
    with_lightness(&Target::of(photograph).lightness, &Tensor::zeros([1, 2, 1, 1]), usize::MAX)
}

/// Lightness as the network wants it.
fn input_of(net: &Net, target: &Target) -> Tensor {
    let is_ours = net.graph.name() == "colorizer";
    if is_ours { target.without_hints() } else { target.lightness.clone() }
}

/// a and b of an answer: of logits over the bins, or of a tanh.
fn ab_of(answer: &Tensor) -> Tensor {
    annealed_mean(answer, ab_bins(), PAPERS_TEMPERATURE).unwrap_or_else(|_| {
        let scale = nets::colour_tutorial::AB_SCALE;
        let data = answer.data().iter().map(|v| v * scale).collect();
        Tensor::new(answer.shape().to_vec(), data)
    })
}

/// Up to multiples of `n`, the last row and column repeated.
fn padded(x: &Tensor, n: usize) -> Tensor {
    let [images, c, h, w] = x.shape4();
    let [to_h, to_w] = [h, w].map(|side| side.next_multiple_of(n));
    let mut data = Vec::with_capacity(images * c * to_h * to_w);
    for plane in x.data().chunks(h * w) {
        for y in 0..to_h {
            let row = &plane[y.min(h - 1) * w..][..w];
            data.extend((0..to_w).map(|x| row[x.min(w - 1)]));
        }
    }
    Tensor::new([images, c, to_h, to_w], data)
}

/// Each pixel's lightness, with the colour that lies there between the cells' middles.
fn with_lightness(lightness: &Tensor, ab: &Tensor, cell: usize) -> Tensor {
    let [_, _, h, w] = lightness.shape4();
    let [_, _, rows, columns] = ab.shape4();
    // The two cells around a pixel, and how much of the second there is.
    let between = |at: usize, count: usize| {
        let place = ((at as f32 + 0.5) / cell as f32 - 0.5).clamp(0.0, count as f32 - 1.0);
        let first = place as usize;
        (first, (first + 1).min(count - 1), place.fract())
    };
    let mut out = vec![0.0; 3 * h * w];
    for (i, &l) in lightness.data().iter().enumerate() {
        let ((top, bottom, down), (left, right, across)) =
            (between(i / w, rows), between(i % w, columns));
        let channel = |c: usize| {
            let at = |y: usize, x: usize| ab.data()[(c * rows + y) * columns + x];
            let upper = at(top, left) + across * (at(top, right) - at(top, left));
            let lower = at(bottom, left) + across * (at(bottom, right) - at(bottom, left));
            upper + down * (lower - upper)
        };
        let rgb = srgb_of_lab([l, channel(0), channel(1)]);
        (0..3).for_each(|c| out[c * h * w + i] = rgb[c]);
    }
    Tensor::new([1, 3, h, w], out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_lie_in_the_middle_of_their_cells() {
        let lightness = Tensor::new([1, 1, 1, 4], vec![50.0; 4]);
        let ab = Tensor::new([1, 2, 1, 2], vec![0.0, 40.0, 0.0, 0.0]);
        let rgb = with_lightness(&lightness, &ab, 2);
        let red = |i: usize| rgb.data()[i] - rgb.data()[8 + i]; // more red than blue
        assert!(red(0).abs() < 1e-3 && red(0) < red(1) && red(1) < red(2));
        assert!((red(2) - red(3)).abs() > 1e-3);
    }

    #[test]
    fn padding_repeats_the_last() {
        let x = Tensor::new([1, 1, 1, 3], vec![1.0, 2.0, 3.0]);
        assert_eq!(padded(&x, 4).data(), [1.0, 2.0, 3.0, 3.0].repeat(4));
    }
}
