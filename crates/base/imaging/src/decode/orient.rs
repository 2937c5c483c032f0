use rayon::prelude::*;

use crate::Pixels;

/// How a stored picture must be moved to stand upright: EXIF tag 0x0112.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Orientation {
    #[default]
    Upright,
    MirrorX,
    Rotate180,
    MirrorY,
    Transpose,
    Rotate90,
    Transverse,
    Rotate270,
}

impl Orientation {
    /// From the tag's value; anything out of range is upright.
    pub(crate) fn from_tag(value: u32) -> Self {
        match value {
            2 => Self::MirrorX,
            3 => Self::Rotate180,
            4 => Self::MirrorY,
            5 => Self::Transpose,
            6 => Self::Rotate90,
            7 => Self::Transverse,
            8 => Self::Rotate270,
            _ => Self::Upright,
        }
    }

    fn swaps_sides(self) -> bool {
        matches!(self, Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270)
    }

    /// Whether the stored picture's columns are read from the last to the first.
    fn reads_from_right(self) -> bool {
        matches!(self, Self::MirrorX | Self::Rotate180 | Self::Transverse | Self::Rotate270)
    }

    /// Whether the stored picture's rows are read from the last to the first.
    fn reads_from_bottom(self) -> bool {
        matches!(self, Self::Rotate180 | Self::MirrorY | Self::Rotate90 | Self::Transverse)
    }
}

/// The pixels of a picture of `size` (height, width), upright, with their new size.
pub(crate) fn oriented(
    turn: Orientation,
    size: [usize; 2],
    channels: usize,
    pixels: Pixels,
) -> ([usize; 2], Pixels) {
    if turn == Orientation::Upright {
        return (size, pixels);
    }
    let [height, width] = size;
    let pixels = match pixels {
        Pixels::U8(values) => Pixels::U8(moved(turn, size, channels, &values)),
        Pixels::U16(values) => Pixels::U16(moved(turn, size, channels, &values)),
    };
    (if turn.swaps_sides() { [width, height] } else { size }, pixels)
}

fn moved<T: Copy + Default + Send + Sync>(
    turn: Orientation,
    size: [usize; 2],
    channels: usize,
    from: &[T],
) -> Vec<T> {
    match channels {
        1 => moved_pixels(turn, size, from.as_chunks::<1>().0),
        2 => moved_pixels(turn, size, from.as_chunks::<2>().0),
        3 => moved_pixels(turn, size, from.as_chunks::<3>().0),
        _ => moved_pixels(turn, size, from.as_chunks::<4>().0),
    }
}

/// Rows of the result that are filled together, so that a stored row is read in
/// runs of about a cache line even where it becomes a column.
const BAND: usize = 16;

fn moved_pixels<T: Copy + Default + Send + Sync, const C: usize>(
    turn: Orientation,
    [height, width]: [usize; 2],
    from: &[[T; C]],
) -> Vec<T> {
    let mut to = vec![T::default(); from.len() * C];
    let to_width = if turn.swaps_sides() { height } else { width };
    let flip = |from_end: bool, i: usize, n: usize| if from_end { n - 1 - i } else { i };
    to.as_chunks_mut::<C>().0.par_chunks_mut(BAND * to_width).enumerate().for_each(
        |(band, rows)| {
            let count = rows.len() / to_width;
            for x in 0..to_width {
                for r in 0..count {
                    let y = band * BAND + r;
                    let (across, down) = if turn.swaps_sides() { (y, x) } else { (x, y) };
                    let across = flip(turn.reads_from_right(), across, width);
                    let down = flip(turn.reads_from_bottom(), down, height);
                    rows[r * to_width + x] = from[down * width + across];
                }
            }
        },
    );
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each orientation does to
    /// ```text
    /// 1 2 3
    /// 4 5 6
    /// ```
    /// by the pictures of the EXIF 2.32 standard, table "Orientation".
    #[test]
    fn every_orientation_stands_upright() {
        let cases: [(u32, [usize; 2], [u8; 6]); 8] = [
            (1, [2, 3], [1, 2, 3, 4, 5, 6]),
            (2, [2, 3], [3, 2, 1, 6, 5, 4]),
            (3, [2, 3], [6, 5, 4, 3, 2, 1]),
            (4, [2, 3], [4, 5, 6, 1, 2, 3]),
            (5, [3, 2], [1, 4, 2, 5, 3, 6]),
            (6, [3, 2], [4, 1, 5, 2, 6, 3]),
            (7, [3, 2], [6, 3, 5, 2, 4, 1]),
            (8, [3, 2], [3, 6, 2, 5, 1, 4]),
        ];
        for (tag, size, want) in cases {
            let stored = Pixels::U8(vec![1, 2, 3, 4, 5, 6]);
            let got = oriented(Orientation::from_tag(tag), [2, 3], 1, stored);
            assert_eq!(got, (size, Pixels::U8(want.to_vec())), "orientation {tag}");
        }
    }

    #[test]
    fn bands_join_for_every_pixel_width() {
        let (h, w) = (37, 41);
        for channels in 1..=4usize {
            let stored: Vec<u16> =
                (0..h * w).flat_map(|i| (0..channels).map(move |c| (i * 4 + c) as u16)).collect();
            let (size, pixels) =
                oriented(Orientation::Rotate90, [h, w], channels, Pixels::U16(stored.clone()));
            assert_eq!(size, [w, h]);
            let back = oriented(Orientation::Rotate270, size, channels, pixels);
            assert_eq!(back, ([h, w], Pixels::U16(stored)));
        }
    }
}
