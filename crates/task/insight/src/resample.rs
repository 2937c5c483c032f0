//! Linear enlargement, as other tools that draw heat maps do it.

/// Where the outermost pixels of the result lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corners {
    /// Pixels are areas; their centres stand at half integers (`cv2.INTER_LINEAR`,
    /// PyTorch's `align_corners=False`).
    Areas,
    /// The centres of the corner pixels stay where they are (`align_corners=True`,
    /// which `ScoreCAM` of pytorch-grad-cam uses).
    Kept,
}

/// A plane at another size, each value from its two by two nearest.
pub(crate) fn bilinear(
    values: &[f32],
    [h, w]: [usize; 2],
    [height, width]: [usize; 2],
    corners: Corners,
) -> Vec<f32> {
    let (down, across) = (places(h, height, corners), places(w, width, corners));
    let mut out = Vec::with_capacity(height * width);
    for &(y, dy) in &down {
        let rows = [y, (y + 1).min(h - 1)].map(|y| &values[y * w..][..w]);
        for &(x, dx) in &across {
            let next = (x + 1).min(w - 1);
            let [top, bottom] = rows.map(|row| row[x] + (row[next] - row[x]) * dx);
            out.push(top + (bottom - top) * dy);
        }
    }
    out
}

/// For each place of the result, the place before it and how far it is from there.
fn places(from: usize, to: usize, corners: Corners) -> Vec<(usize, f32)> {
    let at = |i: usize| match corners {
        Corners::Areas => (i as f64 + 0.5) * from as f64 / to as f64 - 0.5,
        Corners::Kept if to == 1 => 0.0,
        Corners::Kept => i as f64 * (from - 1) as f64 / (to - 1) as f64,
    };
    let place = |i: usize| {
        let at = at(i).clamp(0.0, (from - 1) as f64);
        (at as usize, at.fract() as f32)
    };
    (0..to).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cv2.resize([[0, 1], [2, 3]], (4, 4))` and `F.interpolate(…, align_corners=True)`.
    #[test]
    fn both_kinds_are_the_libraries() {
        let areas = bilinear(&[0.0, 1.0, 2.0, 3.0], [2, 2], [4, 4], Corners::Areas);
        assert_eq!(areas[..4], [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(areas[4..8], [0.5, 0.75, 1.25, 1.5]);
        let kept = bilinear(&[0.0, 1.0, 2.0, 3.0], [2, 2], [1, 3], Corners::Kept);
        assert_eq!(kept, [0.0, 0.5, 1.0]);
        assert_eq!(bilinear(&[7.0], [1, 1], [2, 3], Corners::Areas), [7.0; 6]);
    }
}
