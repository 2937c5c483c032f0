use super::*;
use crate::{PoolKind, PoolSpec, max_pool_gradient, pool};

/// Values on a few steps, so that windows have several largest ones.
fn stepped(shape: [usize; 4], channels: Channels) -> Values {
    let values = noise(shape.iter().product()).into_iter().map(|v| (v * 3.0).round()).collect();
    Values::of(shape, channels, values)
}

fn hold(shape: [usize; 4], [kernel, stride, before]: [usize; 3], channels: Channels) {
    let [images, count, h, w] = shape;
    let out = |size: usize| (size + 2 * before - kernel) / stride + 1;
    let out = [images, count, out(h), out(w)];
    let spec = PoolSpec { kind: PoolKind::Max, kernel, stride, before: [before; 2] };
    let (x, grad) = (stepped(shape, channels), Values::noise(out, channels, 1));
    let mut want = vec![0.0; x.exact.len()];
    for [n, c, y, z] in places(out) {
        let window = |at: usize, size: usize| {
            (at * stride..at * stride + kernel)
                .filter_map(move |p| p.checked_sub(before))
                .filter(move |&p| p < size)
        };
        let pixels = window(y, h).flat_map(|y| window(z, w).map(move |x| (y, x)));
        // The first of the largest.
        let first = pixels
            .reduce(|a, b| if x.at([n, c, b.0, b.1]) > x.at([n, c, a.0, a.1]) { b } else { a });
        let (y0, x0) = first.unwrap();
        want[((n * count + c) * h + y0) * w + x0] += grad.at([n, c, y, z]);
    }
    // A pixel lies in so many windows.
    let tolerance = rounded(kernel.div_ceil(stride).pow(2));
    check(&Wanted { shape, channels, values: &want, tolerance }, |level, epilogue, to| {
        let mut pooled = empty(out, channels);
        pool(level, &x.plane, spec, &mut pooled, Gate::Linear);
        max_pool_gradient(level, [&x.plane, &pooled, &grad.plane], spec, epilogue, to);
    });
}

#[test]
fn the_first_largest_pixel_of_a_window_gets_its_gradient() {
    for spec in [[2, 2, 0], [3, 2, 1], [3, 1, 1], [5, 3, 2], [1, 1, 0]] {
        hold([2, 18, 21, 26], spec, Channels::Padded);
        hold([1, 3, 13, 9], spec, Channels::Packed);
    }
    hold([2, 512, 5, 4], [2, 2, 0], Channels::Padded);
    hold([1, 64, 2, 2], [2, 2, 0], Channels::Padded);
}
