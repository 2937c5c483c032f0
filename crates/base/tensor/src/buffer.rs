use std::fmt;

/// Values of a cache line.
const LINE: usize = 16;

/// A growable run of `f32` that starts on a 64-byte boundary, and not on one of 128.
///
/// Processors fetch cache lines by pairs of 128 bytes. Kernels write pixels 32 channels at a
/// time, which are two lines; on odd ones, each brings one line of the next 32 channels with it
/// instead of the one that is written anyway: 4 to 6 % of a network on a Zen 5.
///
/// It is meant to be kept and used again: [`Buffer::at_least`] only allocates
/// when it has to grow, and leaves old values in place.
///
/// The boundary is found inside a little more memory than is needed. Asked for aligned
/// memory, Rust's allocator would write the zeros itself; ordinary memory comes from the
/// system as zeros, page by page as it is touched.
#[derive(Default)]
pub struct Buffer {
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        if len == 0 {
            return Self::default();
        }
        let memory = vec![0.0; len + 3 * LINE - 1];
        let pair = memory.as_ptr().align_offset(2 * LINE * size_of::<f32>()).min(2 * LINE - 1);
        let start = pair + LINE;
        Self { memory, start, len }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values.
    pub fn as_slice(&self) -> &[f32] {
        &self.memory[self.start..][..self.len]
    }

    /// The values, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..][..self.len]
    }

    /// The first `len` values, growing with zeros if there are fewer. What was
    /// there before stays: this is scratch, not cleared memory.
    pub fn at_least(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            let mut grown = Self::zeros(len);
            grown.as_mut_slice()[..self.len].copy_from_slice(self.as_slice());
            *self = grown;
        }
        &mut self.as_mut_slice()[..len]
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.as_mut_slice().copy_from_slice(self.as_slice());
        copy
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} values)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_an_odd_cache_line_and_grows_with_zeros() {
        let mut b = Buffer::zeros(3);
        b.as_mut_slice().copy_from_slice(&[1.0, 2.0, 3.0]);
        assert_eq!(b.at_least(40)[..4], [1.0, 2.0, 3.0, 0.0]);
        assert_eq!(b.as_slice().as_ptr().align_offset(64), 0);
        assert_eq!(b.as_slice().as_ptr().align_offset(128), LINE);
        assert_eq!(b.at_least(5).len(), 5);
        assert_eq!(b.len(), 40);
        let copy = b.clone();
        assert_eq!(copy.as_slice(), b.as_slice());
        assert_eq!(copy.as_slice().as_ptr().align_offset(64), 0);
        assert!(Buffer::zeros(0).is_empty() && Buffer::default().clone().as_slice().is_empty());
    }
}
