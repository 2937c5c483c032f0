//! Operations that look at several pixels.

use graph::{Conv, ConvTranspose, Filter, Pool, PoolKind, Shape4};

use super::Array;
use super::array::border;

/// `y[o] = b[o] + Σ x[c, y·s + ky·d − before, …] · w[o, c, ky, kx]` over the channels of `o`'s group.
pub(super) fn conv(conv: &Conv, shape: Shape4, x: &Array, params: &[&[f64]]) -> Array {
    let Conv { kernel: [kh, kw], stride, dilation, groups, .. } = *conv;
    let [_, channels, h, w] = x.shape;
    let [down, across] = conv.margins(h, w);
    let (inside, outside) = (channels / groups, shape[1] / groups);
    Array::of(shape, |[n, o, y, z]| {
        let mut sum = params.get(1).map_or(0.0, |bias| bias[o]);
        for (ky, kx) in (0..kh * kw).map(|k| (k / kw, k % kw)) {
            let row = border([y * stride + ky * dilation, down.before], h, down.mode);
            let column = border([z * stride + kx * dilation, across.before], w, across.mode);
            let (Some(row), Some(column)) = (row, column) else { continue };
            for c in 0..inside {
                let weight = params[0][((o * inside + c) * kh + ky) * kw + kx];
                sum += x.at([n, o / outside * inside + c, row, column]) * weight;
            }
        }
        sum
    })
}

/// Each pixel is spread over `kernel × kernel` pixels, `stride` apart, and a border is cut.
pub(super) fn conv_transpose(
    t: &ConvTranspose,
    shape: Shape4,
    x: &Array,
    params: &[&[f64]],
) -> Array {
    let [_, channels, h, w] = x.shape;
    let (k, out) = (t.kernel, shape[1]);
    let cut = [t.extent(h).1, t.extent(w).1];
    // The input position that reaches an output position through a tap.
    let from = |at: usize, axis: usize, tap: usize| {
        let reached = (at + cut[axis]).checked_sub(tap)?;
        let from = reached / t.stride;
        (reached.is_multiple_of(t.stride) && from < [h, w][axis]).then_some(from)
    };
    Array::of(shape, |[n, o, y, z]| {
        let mut sum = params.get(1).map_or(0.0, |bias| bias[o]);
        for (ky, kx) in (0..k * k).map(|i| (i / k, i % k)) {
            let (Some(iy), Some(ix)) = (from(y, 0, ky), from(z, 1, kx)) else { continue };
            for c in 0..channels {
                sum += x.at([n, c, iy, ix]) * params[0][((c * out + o) * k + ky) * k + kx];
            }
        }
        sum
    })
}

pub(super) fn pool(pool: Pool, shape: Shape4, x: &Array, branches: &mut Vec<usize>) -> Array {
    let [_, _, h, w] = x.shape;
    let before = [h, w].map(|size| pool.pad.margins(size, pool.kernel, pool.stride).before);
    let window = |at: usize, axis: usize, size: usize| {
        let start = at * pool.stride;
        let end = (start + pool.kernel).saturating_sub(before[axis]).min(size);
        start.saturating_sub(before[axis])..end
    };
    Array::of(shape, |[n, c, y, z]| {
        let columns = window(z, 1, w);
        let pixels: Vec<f64> = window(y, 0, h)
            .flat_map(|y| columns.clone().map(move |z| (y, z)))
            .map(|(y, z)| x.at([n, c, y, z]))
            .collect();
        let sum: f64 = pixels.iter().sum();
        match pool.kind {
            PoolKind::Max => {
                let first = (0..pixels.len())
                    .reduce(|best, i| if pixels[i] > pixels[best] { i } else { best });
                branches.extend(first);
                first.map_or(f64::NEG_INFINITY, |i| pixels[i])
            }
            PoolKind::Average => sum / (pool.kernel * pool.kernel) as f64,
            PoolKind::AverageInside => sum / pixels.len() as f64,
        }
    })
}

pub(super) fn adaptive_average(shape: Shape4, x: &Array) -> Array {
    let [_, _, h, w] = x.shape;
    let part = |i: usize, n: usize, size: usize| i * size / n..((i + 1) * size).div_ceil(n);
    Array::of(shape, |[n, c, y, z]| {
        let (rows, columns) = (part(y, shape[2], h), part(z, shape[3], w));
        let count = rows.len() * columns.len();
        let pixels = rows.flat_map(|y| columns.clone().map(move |z| (y, z)));
        pixels.map(|(y, z)| x.at([n, c, y, z])).sum::<f64>() / count as f64
    })
}

pub(super) fn resize(filter: Filter, factor: usize, shape: Shape4, x: &Array) -> Array {
    // Two neighbouring pixels and the share of the second.
    let between = |at: usize, size: usize| {
        let centre = ((at as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
        let first = centre.floor() as usize;
        (first, (first + 1).min(size - 1), centre.fract())
    };
    Array::of(shape, |[n, c, y, z]| match filter {
        Filter::Nearest => x.at([n, c, y / factor, z / factor]),
        Filter::Bilinear => {
            let (top, bottom, down) = between(y, x.shape[2]);
            let (left, right, across) = between(z, x.shape[3]);
            let row =
                |y: usize| x.at([n, c, y, left]) * (1.0 - across) + x.at([n, c, y, right]) * across;
            row(top) * (1.0 - down) + row(bottom) * down
        }
    })
}
