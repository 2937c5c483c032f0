//! Where a tape keeps little and computes the rest again.
//!
//! The steps are cut into segments. A buffer that is touched within one segment alone is
//! needed only while that segment is run, or gone back through; so those of all segments
//! share memory, and are computed again from what is kept before their segment is gone back
//! through.
//!
//! # Source
//!
//! Chen, Xu, Zhang & Guestrin, "Training Deep Nets with Sublinear Memory Cost" (2016).

use std::ops::Range;

use crate::buffers::{Buffer, Layout};
use crate::step::Step;

/// What a tape does about the memory of what it has computed going forwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Memory {
    /// Everything is kept until it is gone back through.
    #[default]
    Kept,
    /// Some of it is computed again: less memory, more time, the same bits.
    Recomputed,
}

/// A plan's steps in parts, and the memory of what they compute.
#[derive(Clone, Debug)]
pub(crate) struct Segments {
    /// The steps of each part, in order.
    pub(crate) ranges: Vec<Range<usize>>,
    pub(crate) layout: Layout,
    /// The buffers that outlive their segment.
    pub(crate) kept: Vec<bool>,
}

/// More parts than any network's memory is best served by.
const MOST: usize = 64;

impl Segments {
    /// Cuts into as many parts as take the least memory; `pinned` buffers are kept anyway.
    pub(crate) fn with_least_memory(steps: &[Step], buffers: &[Buffer], pinned: &[usize]) -> Self {
        let cut = |parts| Self::cut(steps, (buffers, pinned), parts);
        let all = (1..=MOST.min(steps.len().max(1))).map(cut);
        let best = all.min_by_key(|segments| segments.layout.pieces.iter().sum::<usize>());
        best.unwrap_or_else(|| Self::cut(steps, (buffers, pinned), 1))
    }

    /// Parts that write about as much each.
    fn cut(steps: &[Step], (buffers, pinned): (&[Buffer], &[usize]), parts: usize) -> Self {
        let written = |step: &Step| step.writes().map_or(0, |to| buffers[to].len());
        let total: usize = steps.iter().map(written).sum();
        let mut ranges: Vec<Range<usize>> = vec![];
        let (mut start, mut sum) = (0, 0);
        for (at, step) in steps.iter().enumerate() {
            sum += written(step);
            if at + 1 == steps.len() || sum * parts >= total * (ranges.len() + 1) {
                ranges.push(start..at + 1);
                start = at + 1;
            }
        }
        let (mut kept, home) = homes(steps, &ranges, buffers.len());
        for &buffer in pinned {
            kept[buffer] = true;
        }
        let layout = lay_out(buffers, &kept, (&home, ranges.len()));
        Self { ranges, layout, kept }
    }
}

/// Which buffers are touched in more than one part, and the part that touches each.
fn homes(steps: &[Step], ranges: &[Range<usize>], buffers: usize) -> (Vec<bool>, Vec<usize>) {
    let (mut kept, mut home) = (vec![false; buffers], vec![usize::MAX; buffers]);
    for (part, range) in ranges.iter().enumerate() {
        for buffer in steps[range.clone()].iter().flat_map(Step::buffers) {
            kept[buffer] |= home[buffer] != usize::MAX && home[buffer] != part;
            home[buffer] = part;
        }
    }
    (kept, home)
}

/// A piece for each kept buffer; the others of a part get pieces side by side, which those
/// of every part share, large with large.
fn lay_out(buffers: &[Buffer], kept: &[bool], (home, parts): (&[usize], usize)) -> Layout {
    let mut layout = Layout { place: vec![usize::MAX; buffers.len()], pieces: vec![] };
    for (index, buffer) in buffers.iter().enumerate().filter(|(index, _)| kept[*index]) {
        layout.place[index] = layout.pieces.len();
        layout.pieces.push(buffer.len());
    }
    let shared = layout.pieces.len();
    for part in (0..parts).chain([usize::MAX]) {
        let mut own: Vec<usize> =
            (0..buffers.len()).filter(|&i| !kept[i] && home[i] == part).collect();
        own.sort_by_key(|&i| std::cmp::Reverse(buffers[i].len()));
        for (place, index) in (shared..).zip(own) {
            if place == layout.pieces.len() {
                layout.pieces.push(0);
            }
            layout.pieces[place] = layout.pieces[place].max(buffers[index].len());
            layout.place[index] = place;
        }
    }
    layout
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each step reads the buffer before and writes its own.
    fn chain(steps: usize) -> (Vec<Step>, Vec<Buffer>) {
        let step = |i| Step::Flatten { from: i, to: i + 1 };
        let buffer = Buffer { shape: [1, 16, 1, 1], stride: 16 };
        ((0..steps).map(step).collect(), vec![buffer; steps + 1])
    }

    #[test]
    fn a_chain_takes_memory_by_its_root() {
        let (steps, buffers) = chain(100);
        let segments = Segments::with_least_memory(&steps, &buffers, &[0, 100]);
        let pieces = segments.layout.pieces.len();
        // Nine or ten cuts, and nine or so between them: 2·√100, where 101 are kept otherwise.
        assert!((19..=23).contains(&pieces), "{pieces}");
        assert_eq!(segments.ranges.first().unwrap().start, 0);
        assert_eq!(segments.ranges.last().unwrap().end, 100);
        let joined = segments.ranges.windows(2).all(|two| two[0].end == two[1].start);
        assert!(joined && segments.ranges.iter().all(|range| !range.is_empty()));
    }

    #[test]
    fn what_a_part_needs_at_once_lies_apart() {
        let (steps, buffers) = chain(30);
        let Segments { ranges, layout, kept } =
            Segments::with_least_memory(&steps, &buffers, &[0, 30]);
        for range in ranges {
            let mut own: Vec<usize> = steps[range].iter().flat_map(Step::buffers).collect();
            own.sort_unstable();
            own.dedup();
            let mut places: Vec<usize> = own.iter().map(|&b| layout.place[b]).collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), own.len());
        }
        assert!(kept[0] && kept[30]);
    }
}
