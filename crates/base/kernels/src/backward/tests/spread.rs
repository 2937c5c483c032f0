use super::*;
use crate::{Axis, Border, PoolKind, PoolSpec, Share, Spread};

/// For each position along an axis, the pixels it reads and their weights.
type Reads = Vec<Vec<(usize, f64)>>;

/// Along one axis: what is read, and the same as the kernel has it.
struct Reading {
    reads: Reads,
    share: Share,
}

fn bordered(size: usize, enlarge: usize, sides: [usize; 2], border: Border) -> Reading {
    let wide = (size * enlarge) as isize;
    let shown = |i: usize| {
        let at = i as isize - sides[0] as isize;
        let at = match border {
            Border::Zero if !(0..wide).contains(&at) => return vec![],
            Border::Replicate => at.clamp(0, wide - 1),
            Border::Reflect if at < 0 => -at,
            Border::Reflect if at >= wide => 2 * wide - 2 - at,
            Border::Zero | Border::Reflect => at,
        };
        vec![(at as usize / enlarge, 1.0)]
    };
    let reads = (0..size * enlarge + sides[0] + sides[1]).map(shown).collect();
    let axis = Axis::new([size * enlarge, enlarge], sides, border);
    Reading { reads, share: Share::of_axis(&axis, size) }
}

fn bilinear(size: usize, factor: usize) -> Reading {
    let read = |i: usize| {
        let centre = ((i as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
        let first = centre as usize;
        vec![(first, 1.0 - centre.fract()), ((first + 1).min(size - 1), centre.fract())]
    };
    let reads = (0..size * factor).map(read).collect();
    Reading { reads, share: Share::bilinear(size, factor) }
}

fn adaptive(size: usize, out: usize) -> Reading {
    let read = |i: usize| {
        let part = i * size / out..((i + 1) * size).div_ceil(out);
        part.clone().map(|pixel| (pixel, 1.0 / part.len() as f64)).collect()
    };
    Reading { reads: (0..out).map(read).collect(), share: Share::adaptive_average([size, out]) }
}

fn average(size: usize, [kernel, stride, before]: [usize; 3], kind: PoolKind) -> Reading {
    let out = (size + 2 * before - kernel) / stride + 1;
    let read = |i: usize| {
        let window = i * stride..i * stride + kernel;
        let inside: Vec<usize> =
            window.filter_map(|p| p.checked_sub(before)).filter(|&p| p < size).collect();
        let count = if kind == PoolKind::Average { kernel } else { inside.len() };
        inside.iter().map(|&pixel| (pixel, 1.0 / count as f64)).collect()
    };
    let spec = PoolSpec { kind, kernel, stride, before: [before; 2] };
    let share = Share::average_pool([size, out], spec, before);
    Reading { reads: (0..out).map(read).collect(), share }
}

/// `[images, channels]`, then what is read down and across.
fn hold([images, channels]: [usize; 2], [rows, columns]: [&Reading; 2], size: [usize; 2]) {
    let shape = [images, channels, size[0], size[1]];
    let out = [images, channels, rows.reads.len(), columns.reads.len()];
    let layouts: &[Channels] =
        if channels < 4 { &[Channels::Padded, Channels::Packed] } else { &[Channels::Padded] };
    for &layout in layouts {
        let (x, grad) = (Values::noise(shape, layout, 1), Values::noise(out, layout, 2));
        let affine = affine_of(&x.plane);
        for gated in [false, true] {
            let mut want = vec![0.0; x.exact.len()];
            for [n, c, y, z] in places(out) {
                for &(row, down) in &rows.reads[y] {
                    for &(column, across) in &columns.reads[z] {
                        let at = ((n * channels + c) * size[0] + row) * size[1] + column;
                        want[at] += grad.at([n, c, y, z]) * down * across;
                    }
                }
            }
            if gated {
                want.iter_mut().zip(&x.exact).for_each(|(w, &x)| *w *= through(x)[1]);
            }
            let view = seen(&x.plane, &affine);
            let most =
                |r: &Reading| r.reads.concat().len().div_ceil(r.reads.len().min(size[0])) + 8;
            let tolerance = rounded(most(rows) * most(columns));
            check(&Wanted { shape, channels: layout, values: &want, tolerance }, |level, e, to| {
                let view = gated.then_some(&view);
                let shares = [&rows.share, &columns.share];
                Spread { shares, view, epilogue: *e }.run(level, &grad.plane, to);
            });
        }
    }
}

#[test]
fn borders_and_enlargements() {
    for border in [Border::Zero, Border::Reflect, Border::Replicate] {
        for enlarge in [1, 2, 3] {
            let of = |size| bordered(size, enlarge, [3, 1], border);
            hold([2, 20], [&of(9), &of(11)], [9, 11]);
            hold([1, 3], [&of(6), &of(13)], [6, 13]);
        }
    }
    let none = |size| bordered(size, 1, [0, 0], Border::Zero);
    hold([2, 512], [&none(5), &none(3)], [5, 3]);
    hold([1, 1], [&none(1), &none(1)], [1, 1]);
}

#[test]
fn bilinear_enlargements() {
    for factor in [1, 2, 4] {
        hold([2, 33], [&bilinear(7, factor), &bilinear(5, factor)], [7, 5]);
        hold([1, 2], [&bilinear(1, factor), &bilinear(10, factor)], [1, 10]);
    }
}

#[test]
fn averages() {
    hold([2, 48], [&adaptive(19, 1), &adaptive(23, 1)], [19, 23]);
    hold([2, 16], [&adaptive(9, 4), &adaptive(5, 7)], [9, 5]);
    for kind in [PoolKind::Average, PoolKind::AverageInside] {
        for spec in [[2, 2, 0], [3, 2, 1], [3, 1, 1], [5, 3, 2]] {
            hold([2, 18], [&average(19, spec, kind), &average(22, spec, kind)], [19, 22]);
            hold([1, 3], [&average(8, spec, kind), &average(7, spec, kind)], [8, 7]);
        }
    }
}
