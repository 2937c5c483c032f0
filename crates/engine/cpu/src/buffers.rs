use graph::Shape4;

/// A buffer as a plan asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buffer {
    pub(crate) shape: Shape4,
    /// Values from one pixel to the next.
    pub(crate) stride: usize,
}

impl Buffer {
    pub(crate) fn len(&self) -> usize {
        self.shape[0] * self.shape[2] * self.shape[3] * self.stride
    }
}

/// Which pieces of memory the buffers of a plan share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// For each buffer, its piece.
    pub(crate) place: Vec<usize>,
    /// Values in each piece.
    pub(crate) pieces: Vec<usize>,
}

/// Gives buffers that are never needed at the same time the same memory.
///
/// `lives[i]` is the first and last step that touches buffer `i`; one whose life never begins
/// gets none. Greedy, in
/// the order of first use: the smallest free piece that is large enough, or the
/// largest free one, grown.
pub(crate) fn lay_out(buffers: &[Buffer], lives: &[(usize, usize)]) -> Layout {
    let mut order: Vec<usize> = (0..buffers.len()).filter(|&i| lives[i].0 != usize::MAX).collect();
    order.sort_by_key(|&i| lives[i].0);
    let mut layout = Layout { place: vec![usize::MAX; buffers.len()], pieces: vec![] };
    let mut busy_until: Vec<usize> = vec![];
    for i in order {
        let (first, last) = lives[i];
        let need = buffers[i].len();
        let free = (0..busy_until.len()).filter(|&p| busy_until[p] < first);
        let best = free.min_by_key(|&p| match layout.pieces[p] {
            have if have >= need => (0, have - need),
            have => (1, need - have),
        });
        let piece = best.unwrap_or_else(|| {
            busy_until.push(0);
            layout.pieces.push(0);
            busy_until.len() - 1
        });
        layout.pieces[piece] = layout.pieces[piece].max(need);
        busy_until[piece] = last;
        layout.place[i] = piece;
    }
    layout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_needs_two_pieces_and_a_shortcut_three() {
        let buffers = [Buffer { shape: [1, 16, 2, 2], stride: 16 }; 4];
        let chain = lay_out(&buffers, &[(0, 1), (1, 2), (2, 3), (3, 4)]);
        assert_eq!(chain.pieces, [64, 64]);
        assert_eq!(chain.place, [0, 1, 0, 1]);
        let shortcut = lay_out(&buffers, &[(0, 3), (1, 2), (2, 3), (3, 4)]);
        assert_eq!(shortcut.pieces.len(), 4 - 1);
    }
}
