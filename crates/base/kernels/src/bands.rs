use std::cell::RefCell;

use rayon::prelude::*;
use tensor::{Buffer, Plane};

use crate::{Level, Moments};

/// Some whole rows of one image of a plane that is being written.
#[derive(Debug)]
pub(crate) struct Band<'a> {
    /// Which image of the batch.
    pub(crate) image: usize,
    /// Its first row.
    pub(crate) top: usize,
    /// `[rows, W, C']`.
    pub(crate) data: &'a mut [f32],
}

/// Cuts `plane` into bands of `rows` rows (fewer at the bottom of an image).
pub(crate) fn bands(plane: &mut Plane, rows: usize) -> Vec<Band<'_>> {
    let (image_len, row_len) = (plane.image_len(), plane.row_len());
    let cut = |(image, data): (usize, _)| {
        let parts = <[f32]>::chunks_mut(data, rows * row_len).enumerate();
        parts.map(move |(i, data)| Band { image, top: i * rows, data })
    };
    plane.data_mut().chunks_mut(image_len).enumerate().flat_map(cut).collect()
}

/// Runs `work` on every band, in parallel, and collects the moments of what it
/// wrote when asked to, while the band is still in the cache.
pub(crate) fn for_bands(
    level: Level,
    plane: &mut Plane,
    (rows, collect): (usize, Collect),
    work: impl Fn(&mut Band) + Sync,
) -> Option<Vec<Moments>> {
    let stride = plane.stride();
    match collect {
        Collect::Nothing => {
            bands(plane, rows).into_par_iter().for_each(|mut band| work(&mut band));
            None
        }
        Collect::Moments => {
            let observe = |mut band: Band| {
                work(&mut band);
                (band.image, Moments::of(level, band.data, stride))
            };
            let parts: Vec<_> = bands(plane, rows).into_par_iter().map(observe).collect();
            Some(Moments::merge_images(parts))
        }
    }
}

/// Whether a kernel also measures what it writes, for an instance norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collect {
    Nothing,
    Moments,
}

/// Lends this thread's scratch memory, at least `len` values, contents arbitrary.
///
/// The memory is kept for the next call: kernels run thousands of times.
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    // A stack, for scratch inside scratch; and taken out rather than borrowed, since rayon may
    // run another band on this thread while `work` waits.
    thread_local! { static SCRATCH: RefCell<Vec<Buffer>> = RefCell::default(); }
    let mut buffer = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    let result = work(buffer.at_least(len));
    SCRATCH.with_borrow_mut(|stack| stack.push(buffer));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_cover_every_row_once_and_never_cross_images() {
        let mut plane = Plane::zeros([2, 3, 5, 4]);
        let row = plane.row_len();
        let cut: Vec<_> =
            bands(&mut plane, 2).iter().map(|b| (b.image, b.top, b.data.len() / row)).collect();
        assert_eq!(cut, [(0, 0, 2), (0, 2, 2), (0, 4, 1), (1, 0, 2), (1, 2, 2), (1, 4, 1)]);
    }
}
